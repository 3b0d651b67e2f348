//! The threads. Each waits in `accept`, serves the connection it got to its end, and waits again; there is always at least one
//! waiting. So a connection costs no hand-over between threads, and under steady load no thread is made.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::access_log;
use super::connection;
use super::context::Context;
use super::listener::Attendance;
use crate::limits;
use crate::log;
use crate::sys;
use crate::threads;

/// Makes sure that a thread waits at each entrance. Where none can be made and callers wait, somebody has to make room.
pub fn tend(context: &Arc<Context>) {
    for entrance in &context.entrances {
        if entrance.waiting() == 0 && !add_thread(context, entrance.attend(), None) {
            context.admission.make_room(None, entrance.count_callers());
        }
    }
}

/// A caller for a thread that is still to be made. Where none can be had it stays with whoever offers it.
type Caller = Arc<Mutex<Option<(TcpStream, SocketAddr)>>>;

/// Makes a thread that waits at an entrance, or serves a caller it is given. It is counted as waiting before it runs, so that nobody
/// makes another one for the same want.
fn add_thread(context: &Arc<Context>, attendance: Attendance, caller: Option<&Caller>) -> bool {
    /// One at a time, so that each sees what memory the one before it has left.
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let (for_thread, caller) = (context.clone(), caller.cloned());
    let result = threads::find_memory(limits::THREAD_STACK).and_then(|()| {
        threads::spawn(Box::new(move || {
            let Some(caller) = caller else { return work(&for_thread, attendance) };
            let accepted = caller.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some((stream, peer)) = accepted {
                serve(&for_thread, stream, peer, || drop(attendance));
            }
        }))
    });
    if let Err(error) = &result {
        log::warn(format_args!("event=no_thread error=\"{error}\" effect=\"callers wait\""));
    }
    result.is_ok()
}

fn work(context: &Arc<Context>, mut attendance: Attendance) {
    let entrance = attendance.entrance().clone();
    while !context.is_leaving_entrances() {
        match entrance.accept() {
            Ok((stream, peer)) => {
                serve(context, stream, peer, || {
                    attendance.leave(|attendance| {
                        if !context.is_leaving_entrances() {
                            add_thread(context, attendance, None);
                        }
                    });
                });
                attendance = entrance.attend();
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if attendance.leave_if_more_than(limits::SPARE_THREADS) {
                    return;
                }
            }
            // A caller that has already gone.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
            // Nothing ends the loop. Descriptors or memory have run out, or whoever passed us the socket has shut it down, and may
            // listen again.
            Err(error) => {
                log::warn(format_args!("event=accept_failed error=\"{error}\" effect=\"callers wait\""));
                if sys::is_out_of_resources(&error) {
                    context.admission.make_room(None, entrance.count_callers());
                }
                thread::sleep(limits::ACCEPT_PAUSE);
                if attendance.leave_if_more_than(limits::SPARE_THREADS) {
                    return;
                }
            }
        }
    }
}

/// Serves a caller to its end, if it is allowed in. `when_admitted` is called when it has its place.
fn serve(context: &Context, stream: TcpStream, peer: SocketAddr, when_admitted: impl FnOnce()) {
    let address = peer.ip().to_canonical();
    if !context.catalog().settings.admits(address) {
        access_log::log_not_allowed(address);
        sys::set_reset_on_close(&stream, true);
        return when_admitted();
    }
    let guard = context.admission.admit(stream, peer, || context.count_callers());
    when_admitted();
    let place = guard.place.clone();
    // A bug in one connection costs that connection. The panic hook has logged it.
    if catch_unwind(AssertUnwindSafe(|| connection::serve(context, guard))).is_err() {
        sys::set_reset_on_close(&place.stream, true);
    }
}

/// At the end of the program: serves those who wait at our own entrances until nobody does, and closes them. An inherited one is left
/// as it is: its callers wait for our successor.
pub fn close_entrances(context: &Arc<Context>, is_over: impl Fn() -> bool) {
    for entrance in context.entrances.iter().filter(|entrance| !entrance.is_inherited) {
        let _ = entrance.listener.set_nonblocking(true);
        while let (Ok(accepted), false) = (entrance.listener.accept(), is_over()) {
            let caller = Arc::new(Mutex::new(Some(accepted)));
            // It waits until somebody else's thread ends: dropped, its check would be lost.
            while !add_thread(context, entrance.attend(), Some(&caller)) && !is_over() {
                context.admission.make_room(None, entrance.count_callers() + 1);
                thread::sleep(limits::STOP_TICK);
            }
        }
        entrance.close();
    }
}
