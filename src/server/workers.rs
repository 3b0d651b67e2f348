//! The threads. Each waits in `accept`, serves the connection it got to its end, and waits again; there is always at least one
//! waiting. So a connection costs no hand-over between threads, and under steady load no thread is made.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Shared;
use super::connection::{self, Connection, Outcome};
use super::door::Seat;
use super::end::End;
use super::listener;
use crate::limits;
use crate::log;
use crate::sys;
use crate::threads;

/// A listening socket and the threads that wait at it.
pub struct Entrance {
    /// The socket.
    pub listener: TcpListener,
    /// It is the service manager's: after our end others go on with it.
    is_inherited: bool,
    waiting: AtomicUsize,
}

impl Entrance {
    /// An entrance nobody waits at yet.
    pub fn new(listener: TcpListener, is_inherited: bool) -> Entrance {
        Entrance { listener, is_inherited, waiting: AtomicUsize::new(0) }
    }
}

/// Makes sure that a thread waits at each entrance. Where none can be made, callers wait in the kernel's queue until one of
/// the others is free.
pub fn ensure_waiting(shared: &Arc<Shared>) {
    for (number, entrance) in shared.entrances.iter().enumerate() {
        if entrance.waiting.load(Ordering::Relaxed) == 0 {
            add_worker(shared, number);
        }
    }
}

fn add_worker(shared: &Arc<Shared>, number: usize) {
    let Some(entrance) = shared.entrances.get(number) else { return };
    entrance.waiting.fetch_add(1, Ordering::Relaxed);
    let for_worker = shared.clone();
    let result = threads::spawn(Box::new(move || work(&for_worker, number)));
    if let Err(error) = result {
        entrance.waiting.fetch_sub(1, Ordering::Relaxed);
        log::warn(format_args!("event=no_thread error=\"{error}\" effect=\"callers wait\""));
    }
}

/// Whether all threads have left the entrances: nobody comes in any more.
pub fn have_left(shared: &Shared) -> bool {
    shared.entrances.iter().all(|entrance| entrance.waiting.load(Ordering::Relaxed) == 0)
}

fn work(shared: &Arc<Shared>, number: usize) {
    let Some(entrance) = shared.entrances.get(number) else { return };
    let leave = || entrance.waiting.fetch_sub(1, Ordering::Relaxed);
    loop {
        if shared.is_stopping() {
            leave();
            return;
        }
        let accepted = entrance.listener.accept();
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if is_spare(entrance) {
                    return;
                }
                continue;
            }
            Err(error) => {
                if !shared.is_stopping() {
                    await_resources(shared, &error);
                }
                continue;
            }
        };
        if !is_allowed(shared, &peer) {
            sys::reset_on_close(&stream);
            continue;
        }
        let seat = shared.door.admit(stream, peer);
        if entrance.waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
            add_worker(shared, number);
        }
        serve(shared, seat);
        entrance.waiting.fetch_add(1, Ordering::Relaxed);
    }
}

/// Closes our own entrances to newcomers; those who are already in the kernel's queue are still served. An inherited socket
/// stays as it is: its callers wait for our successor.
pub fn stop_accepting(shared: &Arc<Shared>) {
    for entrance in shared.entrances.iter().filter(|entrance| !entrance.is_inherited) {
        let _ = entrance.listener.set_nonblocking(true);
        while let Ok((stream, peer)) = entrance.listener.accept() {
            let _ = stream.set_nonblocking(false);
            if !is_allowed(shared, &peer) {
                sys::reset_on_close(&stream);
                continue;
            }
            let seat = shared.door.admit(stream, peer);
            let for_worker = shared.clone();
            let _ = threads::spawn(Box::new(move || serve(&for_worker, seat)));
        }
        listener::close(&entrance.listener);
    }
}

/// Whether the settings let this caller in; a refusal is logged once a minute for each address.
fn is_allowed(shared: &Shared, peer: &SocketAddr) -> bool {
    let catalog = shared.catalog();
    let address = peer.ip().to_canonical();
    let is_allowed = catalog.settings.allow.is_empty() || catalog.settings.allow.iter().any(|block| block.contains(address));
    if !is_allowed {
        let source = log::Source::from(address);
        log::warn(format_args!("event=not_allowed peer={source} effect=\"connections are reset\""));
    }
    is_allowed
}

/// Serves a connection to its end, and then the downloads that waited for its place, one after another.
fn serve(shared: &Shared, seat: Arc<Seat>) {
    let mut seat = seat;
    let Some(mut connection) = Connection::new(seat.clone()) else {
        shared.door.leave(&seat);
        return;
    };
    loop {
        // A bug in one connection costs that connection. The panic hook has logged it.
        let outcome = catch_unwind(AssertUnwindSafe(|| connection.serve(shared))).unwrap_or(Outcome::Ended(End::Panicked));
        connection = match outcome {
            Outcome::Waits(waiting) => match shared.downloads.wait(waiting, &shared.door) {
                Some(connection) => connection,
                None => return,
            },
            Outcome::Ended(end) => {
                if end.is_abort() {
                    sys::reset_on_close(&seat.stream);
                } else if end == End::Refused {
                    connection::linger(&seat);
                }
                shared.door.leave(&seat);
                if !seat.holds_download_place() {
                    return;
                }
                let Some(next) = shared.downloads.hand_on() else { return };
                seat = next.seat.clone();
                shared.door.readmit(seat.clone());
                next
            }
        };
        seat.hold_download_place();
    }
}

/// Whether more threads wait than are needed; then the caller is counted out and must end.
fn is_spare(entrance: &Entrance) -> bool {
    let leave = |waiting| if waiting > limits::SPARE_THREADS { Some(waiting - 1) } else { None };
    entrance.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, leave).is_ok()
}

/// After a failed `accept`: nothing ends the loop. Without descriptors or memory somebody must give way first.
fn await_resources(shared: &Shared, error: &io::Error) {
    // EMFILE, ENFILE, ENOBUFS, ENOMEM; anything else concerns a caller that has already gone.
    if matches!(error.raw_os_error(), Some(24 | 23 | 105 | 12 | 132)) {
        log::warn(format_args!("event=accept_failed error=\"{error}\" effect=\"callers wait\""));
        shared.door.make_room();
        thread::sleep(limits::ACCEPT_PAUSE);
    }
}
