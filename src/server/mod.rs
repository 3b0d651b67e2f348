//! The server: sockets, threads and clocks. It ends on a signal and on nothing else.

mod stop;

mod acceptor;
mod loader;

mod connection;
mod reload;

mod access_log;

mod context;

mod admission;
mod listener;

mod start_error;

use std::panic;
use std::sync::Arc;
use std::thread;

use crate::catalog::Loader;
use crate::clock;
use crate::config::{Reading, Settings};
use crate::limits;
use crate::log;
use crate::problem::{Language, service};
use crate::routes;
use crate::sys;
use crate::text::quote;
use crate::threads;

use admission::{Admission, Capacity, Means};
use context::Context;
use listener::Entrance;
use loader::Loading;

pub use start_error::StartError;

/// Serves until SIGTERM or SIGINT. Mistakes in the settings do not matter as long as there is a socket of the service manager's, or
/// the settings say where to listen: then checks are told that there is no update until the file is mended.
pub fn run(reading: Reading) -> Result<(), StartError> {
    let settings = &reading.settings;
    log::start();
    log::set_file(&settings.log_file);
    panic::set_hook(Box::new(|info| {
        let what = info.payload_as_str().unwrap_or("unknown");
        let place = info.location().map_or_else(String::new, ToString::to_string);
        log::warn(format_args!("event=internal_error place={place} what={}", quote(what, limits::TARGET_BYTES)));
    }));
    clock::uptime();
    sys::receive_signals();

    // First the sockets: callers who come while the catalog is loaded wait in the kernel's queue.
    let inherited = listener::take_inherited();
    let is_inherited = inherited.is_some();
    let listeners = match inherited {
        Some(listener) => vec![listener],
        None => listener::open(settings)?,
    };
    let addresses: Vec<_> = listeners.iter().map(listener::describe).collect();
    let origin = if is_inherited { " socket=inherited" } else { "" };
    log::info(format_args!("event=listening address={}{origin}", addresses.join(",")));
    log::info(format_args!("event=started version={} commit={}", routes::SUSV_VERSION, routes::SUSV_COMMIT));
    let capacity = find_capacity(settings, listeners.len());
    let entrances = listeners.into_iter().map(|listener| Entrance::new(listener, is_inherited)).collect();
    let admission = Admission::new(capacity);
    let loader = Loader::new(reading, is_inherited);
    let context = Arc::new(Context::new(loader.settings().clone(), entrances, admission));

    let loading = Loading::start(&context, loader);
    loading.await_first_look(|| sys::stops_asked_for() > 0);
    let (mut ticks, mut overtaken) = (0_u32, Vec::new());
    while sys::stops_asked_for() == 0 {
        acceptor::tend(&context);
        if sys::take_reload_request() {
            log::info(format_args!("event=reload_asked_for"));
            loading.look_soon();
        }
        ticks = ticks.wrapping_add(1);
        if ticks.is_multiple_of(limits::TICKS_PER_REPORT) {
            log::report_repeated();
        }
        if ticks.is_multiple_of(limits::TICKS_PER_OVERTAKEN) {
            let catalog = context.catalog();
            let found = routes::find_overtaken(&catalog, &context.registrars, clock::uptime_seconds());
            reload::report_overtaken(&mut overtaken, &catalog, found);
        }
        thread::sleep(limits::TICK);
    }
    stop::stop(&context, sys::stops_asked_for());
    Ok(())
}

/// Raises the limit on descriptors as far as needed and allowed, and cuts the server to what it is, and to its address space.
fn find_capacity(settings: &Settings, entrances: usize) -> Capacity {
    let max_connections = settings.max_connections;
    let for_entrances = entrances.saturating_sub(1) * limits::DESCRIPTORS_PER_ENTRANCE;
    let wanted = Capacity::new(max_connections, Means::UNLIMITED);
    let limit = sys::raise_descriptor_limit((wanted.descriptors() + for_entrances) as u64).unwrap_or(u64::MAX);
    let descriptors = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(for_entrances);
    let space = sys::address_space_limit();
    let threads = space.map_or(usize::MAX, threads::count_that_fit);
    let capacity = Capacity::new(max_connections, Means { descriptors, threads });
    let tell = |text, needed: usize, limit: u64| {
        let setting = format!("max_connections = {max_connections}");
        let details = vec![setting.into(), needed.into(), limit.into(), capacity.places.into()];
        log::problem(&settings.problem_of("max_connections", text, details).describe(Language::English));
    };
    let is_cut_by = |means| Capacity::new(max_connections, means).places < wanted.places;
    if is_cut_by(Means { descriptors, ..Means::UNLIMITED }) {
        tell(&service::OPEN_FILES, wanted.descriptors() - wanted.waiting + for_entrances, limit);
    }
    if let Some(space) = space.filter(|_| is_cut_by(Means { threads, ..Means::UNLIMITED })) {
        // Rounded so that a limit of what is needed suffices.
        tell(&service::ADDRESS_SPACE, threads::space_for(wanted.places).div_ceil(1 << 20), space >> 20);
    }
    capacity
}
