//! The server: sockets, threads and clocks. It ends on a signal and on nothing else.

mod connection;
mod door;
mod downloads;
mod end;
mod events;
mod listener;
mod receipt;
mod receive;
mod reload;
mod repeats;
mod send;
mod workers;

use std::fmt;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::catalog::{Catalog, Loader};
use crate::clock;
use crate::config::{Reading, Settings};
use crate::limits;
use crate::log;
use crate::routes;
use crate::seen::Seen;
use crate::sys;
use crate::text::quote;

use door::Door;
use downloads::Downloads;
use repeats::Repeats;
use workers::Entrance;

/// Why the server could not start, in one line, with what to do next.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What all threads share.
struct Shared {
    /// The picture in force. The lock is held for copying or replacing the pointer only.
    catalog: Mutex<Arc<Catalog>>,
    entrances: Vec<Entrance>,
    door: Door,
    downloads: Downloads,
    stopping: AtomicBool,
    /// What was refused to whom.
    repeats: Repeats,
    /// What happened, for the status page.
    seen: Seen,
}

impl Shared {
    /// The catalog for one request.
    fn catalog(&self) -> Arc<Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a catalog in force for all requests that begin from now on.
    fn publish(&self, catalog: Arc<Catalog>) {
        let old = std::mem::replace(&mut *self.catalog.lock().unwrap_or_else(PoisonError::into_inner), catalog);
        // Behind the lock: the last owner frees its images.
        drop(old);
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

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
    let signals = receive_signals()
        .map_err(|error| StartError(format!("cannot receive signals ({error}): check the limit on open files")))?;

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
    let max_connections = settings.max_connections;
    let max_waiting = limits::WAITING_DOWNLOADS.min(spare_descriptors(settings));
    let mut loader = Loader::new(reading, is_inherited);
    let Some(catalog) = load_first(&mut loader, &signals) else {
        log::info(format_args!("event=stopped"));
        log::flush();
        return Ok(());
    };
    reload::report_first(&catalog);
    let shared = Arc::new(Shared {
        catalog: Mutex::new(catalog),
        entrances: listeners.into_iter().map(|listener| Entrance::new(listener, is_inherited)).collect(),
        door: Door::new(max_connections),
        downloads: Downloads::new(max_connections, max_waiting),
        stopping: AtomicBool::new(false),
        repeats: Repeats::default(),
        seen: Seen::default(),
    });
    loop {
        workers::ensure_waiting(&shared);
        match wait_for_signal(&signals, loader.next_look()) {
            Some(sys::SIGTERM | sys::SIGINT) => break,
            Some(sys::SIGHUP) => log::info(format_args!("event=reload_asked_for")),
            Some(_) => {}
            None => {
                shared.repeats.report();
                log::report_repeated();
            }
        }
        if let Some(catalog) = loader.look(clock::now()) {
            log::set_file(&catalog.settings.log_file);
            reload::report_changes(&shared.catalog(), &catalog);
            shared.publish(catalog);
        }
    }
    stop(&shared, &signals);
    Ok(())
}

/// Looks until all that stands still has settled, so that the first answer is the right one; callers wait in the kernel's queue
/// meanwhile. `None` if the server is to stop.
fn load_first(loader: &mut Loader, signals: &UnixStream) -> Option<Arc<Catalog>> {
    let end = clock::now() + limits::START_TIME;
    let mut catalog = Arc::new(Catalog::nothing_offered(loader.settings().clone()));
    loop {
        let now = clock::now();
        catalog = loader.look(now).unwrap_or(catalog);
        if loader.is_settled() || now >= end {
            return Some(catalog);
        }
        match wait_for_signal(signals, loader.next_look().min(end - now)) {
            Some(sys::SIGTERM | sys::SIGINT) => return None,
            Some(sys::SIGHUP) => log::info(format_args!("event=reload_asked_for")),
            _ => {}
        }
    }
}

/// Lets what is under way finish. A second signal, or `limits::STOP_TIME`, ends the waiting.
fn stop(shared: &Arc<Shared>, signals: &UnixStream) {
    log::info(format_args!("event=stopping"));
    shared.stopping.store(true, Ordering::Relaxed);
    workers::stop_accepting(shared);
    let deadline = Instant::now() + limits::STOP_TIME;
    // In this order: who has come in until the last thread left the entrances is seen by the look behind it.
    while !(workers::have_left(shared) & (shared.door.close_idle() && shared.downloads.is_idle())) && Instant::now() < deadline {
        if let Some(sys::SIGTERM | sys::SIGINT) = wait_for_signal(signals, Duration::from_millis(1)) {
            break;
        }
    }
    shared.door.reset_all();
    log::info(format_args!("event=stopped"));
    log::flush();
}

/// The reading end of what the signal handler writes to.
fn receive_signals() -> std::io::Result<UnixStream> {
    let (receiver, sender) = UnixStream::pair()?;
    // A handler must not block, however many signals come.
    sender.set_nonblocking(true)?;
    sys::forward_signals_to(&sender);
    // Open as long as the program runs: the handler writes to it.
    std::mem::forget(sender);
    Ok(receiver)
}

/// The number of the next signal, if one comes within `time`.
fn wait_for_signal(signals: &UnixStream, time: Duration) -> Option<u8> {
    let mut number = [0];
    let _ = signals.set_read_timeout(Some(time));
    match (&*signals).read(&mut number) {
        Ok(1) => Some(number[0]),
        _ => None,
    }
}

/// Raises the limit on descriptors as far as allowed: one for each connection and one for the file it may be sending, a few for
/// the server itself, and as many as possible for downloads that wait. Returns how many there are for those.
fn spare_descriptors(settings: &Settings) -> usize {
    let needed = settings.max_connections as u64 * 2 + 32;
    let limit = sys::raise_descriptor_limit(needed + limits::WAITING_DOWNLOADS as u64).unwrap_or(u64::MAX);
    if limit < needed {
        let max = settings.max_connections;
        let advice = format!(
            "max_connections = {max} needs {needed} open files, the limit is {limit}: raise it (ulimit -n), or set max_connections = {}",
            (limit.saturating_sub(32) / 2).max(1)
        );
        log::problem(&advice);
    }
    usize::try_from(limit.saturating_sub(needed)).unwrap_or(usize::MAX)
}
