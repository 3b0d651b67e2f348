//! The server: sockets, threads and clocks. It ends on a signal and on nothing else.

mod clock;
mod connection;
mod door;
mod end;
mod events;
mod listener;
mod receive;
mod send;
mod workers;

use std::fmt;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::catalog::Catalog;
use crate::config::Settings;
use crate::limits;
use crate::log;
use crate::sys;
use crate::text::quote;

use door::Door;
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
    stopping: AtomicBool,
    /// When running out of descriptors was last reported.
    exhaustion_reported: AtomicU32,
}

impl Shared {
    /// The catalog for one request.
    fn catalog(&self) -> Arc<Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Whether it is time to report running out of descriptors again: once a minute at most.
    fn reports_exhaustion(&self) -> bool {
        let now = clock::tick_milliseconds().max(1);
        let last = self.exhaustion_reported.load(Ordering::Relaxed);
        let due = last == 0 || now.wrapping_sub(last) > 60_000;
        due && self.exhaustion_reported.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Serves until SIGTERM or SIGINT.
pub fn run(settings: Settings) -> Result<(), StartError> {
    log::start();
    panic::set_hook(Box::new(|info| {
        let what = info.payload_as_str().unwrap_or("unknown");
        let place = info.location().map_or_else(String::new, ToString::to_string);
        log::warn(format_args!("event=internal_error place={place} what={}", quote(what, limits::TARGET_BYTES)));
    }));
    clock::tick_milliseconds();
    let signals = receive_signals()
        .map_err(|error| StartError(format!("cannot receive signals ({error}): check the limit on open files")))?;

    // First the sockets: callers who come while the catalog is loaded wait in the kernel's queue.
    let listeners = listener::open(&settings)?;
    let addresses: Vec<_> = listeners.iter().map(listener::describe).collect();
    log::info(format_args!("event=listening address={}", addresses.join(",")));
    check_descriptors(&settings);

    let max_connections = settings.max_connections;
    let catalog = Catalog::load(settings);
    report(&catalog);
    let shared = Arc::new(Shared {
        catalog: Mutex::new(Arc::new(catalog)),
        entrances: listeners.into_iter().map(Entrance::new).collect(),
        door: Door::new(max_connections),
        stopping: AtomicBool::new(false),
        exhaustion_reported: AtomicU32::new(0),
    });
    while wait_for_stop(&signals).is_none() {
        workers::ensure_waiting(&shared);
    }

    log::info(format_args!("event=stopping"));
    shared.stopping.store(true, Ordering::Relaxed);
    shared.door.close(Instant::now() + limits::STOP_TIME);
    log::info(format_args!("event=stopped"));
    log::flush();
    Ok(())
}

/// How often the main thread looks whether all is well.
const ROUND: Duration = Duration::from_secs(2);

/// The reading end of what the signal handler writes to.
fn receive_signals() -> std::io::Result<UnixStream> {
    let (receiver, sender) = UnixStream::pair()?;
    // A handler must not block, however many signals come.
    sender.set_nonblocking(true)?;
    sys::forward_signals_to(&sender);
    // Open as long as the program runs: the handler writes to it.
    std::mem::forget(sender);
    receiver.set_read_timeout(Some(Duration::from_millis(1)))?;
    Ok(receiver)
}

/// Waits for the end of a round, or for a signal to stop.
fn wait_for_stop(signals: &UnixStream) -> Option<()> {
    let mut number = [0];
    let result = (&*signals).read(&mut number);
    let _ = signals.set_read_timeout(Some(ROUND));
    match (result, number) {
        (Ok(1), [sys::SIGTERM | sys::SIGINT]) => Some(()),
        _ => None,
    }
}

/// Descriptors: one for each connection and one for the file it may be sending, and a few for the server itself.
fn check_descriptors(settings: &Settings) {
    let wanted = settings.max_connections as u64 * 2 + 32;
    if let Ok(limit) = sys::raise_descriptor_limit(wanted)
        && limit < wanted
    {
        let max = settings.max_connections;
        let advice = format!(
            "max_connections = {max} needs {wanted} open files, the limit is {limit}: raise it (ulimit -n), or set max_connections = {}",
            (limit.saturating_sub(32) / 2).max(1)
        );
        log::warn(format_args!("event=problem what={}", quote(&advice, usize::MAX)));
    }
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
        log::warn(format_args!("event=problem what={}", quote(&problem.to_string(), usize::MAX)));
    }
}
