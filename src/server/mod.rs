//! The server: sockets, threads and clocks. It ends on a signal and on nothing else.

mod clock;
mod connection;
mod door;
mod downloads;
mod end;
mod events;
mod listener;
mod receipt;
mod receive;
mod reload;
mod send;
mod workers;

use std::fmt;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::catalog::Catalog;
use crate::config::Settings;
use crate::limits;
use crate::log;
use crate::seen::Seen;
use crate::sys;
use crate::text::quote;

use door::Door;
use downloads::Downloads;
use reload::Watch;
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

/// Serves until SIGTERM or SIGINT.
pub fn run(settings: Settings) -> Result<(), StartError> {
    log::start();
    log::set_file(&settings.log_file);
    panic::set_hook(Box::new(|info| {
        let what = info.payload_as_str().unwrap_or("unknown");
        let place = info.location().map_or_else(String::new, ToString::to_string);
        log::warn(format_args!("event=internal_error place={place} what={}", quote(what, limits::TARGET_BYTES)));
    }));
    clock::tick_milliseconds();
    let signals = receive_signals()
        .map_err(|error| StartError(format!("cannot receive signals ({error}): check the limit on open files")))?;

    // First the sockets: callers who come while the catalog is loaded wait in the kernel's queue.
    let inherited = listener::take_inherited();
    let is_inherited = inherited.is_some();
    let listeners = match inherited {
        Some(listener) => vec![listener],
        None => listener::open(&settings)?,
    };
    let addresses: Vec<_> = listeners.iter().map(listener::describe).collect();
    let origin = if is_inherited { " socket=inherited" } else { "" };
    log::info(format_args!("event=listening address={}{origin}", addresses.join(",")));
    let max_connections = settings.max_connections;
    let max_waiting = limits::WAITING_DOWNLOADS.min(spare_descriptors(&settings));
    let (catalog, mut watch) = Watch::load_first(settings);
    report(&catalog);
    let shared = Arc::new(Shared {
        catalog: Mutex::new(Arc::new(catalog)),
        entrances: listeners.into_iter().map(|listener| Entrance::new(listener, is_inherited)).collect(),
        door: Door::new(max_connections),
        downloads: Downloads::new(max_connections, max_waiting),
        stopping: AtomicBool::new(false),
        seen: Seen::default(),
    });
    loop {
        workers::ensure_waiting(&shared);
        match wait_for_signal(&signals, limits::WATCH_TIME) {
            Some(sys::SIGTERM | sys::SIGINT) => break,
            Some(sys::SIGHUP) => watch.reload_now(&shared),
            Some(_) => {}
            None => {
                watch.look(&shared);
                log::report_repeated();
            }
        }
    }
    stop(&shared, &signals);
    Ok(())
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

/// One line for the offer, one for the licences, one for each problem.
fn report(catalog: &Catalog) {
    let version = catalog.version;
    match &catalog.offer {
        Some(offer) => {
            let [image, image_for_old] = offer.images.each_ref().map(|image| format!("{}:{}", image.name, image.bytes.len()));
            log::info(format_args!("event=offer version={version} images={image},{image_for_old}"));
        }
        None => {
            log::warn(format_args!("event=no_offer version={version} effect=\"registrars are told that there is no update\""))
        }
    }
    log::info(format_args!("event=licenses count={} files={}", catalog.licenses.len(), catalog.licenses.files.len()));
    for problem in &catalog.problems {
        log::problem(&problem.to_string());
    }
}
