//! One connection's life: receive a request, answer it, log it, again; and an end that cuts no answer.
//!
//! `CloseReason` names why it ends. `Outgoing::close` ends it: with a reset if a download was cut, else so that what the kernel
//! holds arrives.

mod outgoing;
mod receive;

mod closing;
mod send;

mod close_reason;

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use crate::clock;
use crate::limits;
use crate::routes::{self, Circumstances, Need};
use crate::server::access_log::{self, Answered};
use crate::server::admission::{Permit, Phase, PlaceGuard};
use crate::server::context::Context;

use close_reason::CloseReason;
use outgoing::Outgoing;
use receive::{Arrival, Interruption, Received, Receiver};

/// Serves a connection to its end.
pub fn serve(context: &Context, guard: PlaceGuard<'_>) {
    let stream = &guard.place.stream;
    let Ok(local) = stream.local_addr() else { return };
    let mut connection = Connection { context, local, receiver: Receiver::new(), outgoing: Outgoing::new(context, guard) };
    let reason = loop {
        if let ControlFlow::Break(reason) = connection.serve_request() {
            break reason;
        }
    };
    let is_pipelining = connection.receiver.has_bytes();
    connection.outgoing.close(reason, is_pipelining);
}

/// A connection with what it has received and not answered.
struct Connection<'a> {
    context: &'a Context,
    /// Our end of it.
    local: SocketAddr,
    receiver: Receiver,
    outgoing: Outgoing<'a>,
}

impl<'a> Connection<'a> {
    /// Waits for a request and answers it; or says why there will be none.
    fn serve_request(&mut self) -> ControlFlow<CloseReason> {
        let idle_time = self.await_acknowledgement()?;
        let received = match self.receiver.receive(self.outgoing.place(), idle_time) {
            Ok(received) => received,
            Err(Interruption::Close(reason)) => return ControlFlow::Break(reason),
            Err(Interruption::Refused(refusal, line)) => {
                let reply = routes::answer_refusal(&refusal, &line);
                let settings = self.context.catalog().settings.clone();
                let method = if line.method.is_empty() { b"-".as_slice() } else { &line.method };
                let answered = Answered { method, path: &line.target, settings: &settings };
                self.outgoing.send(&answered, false, reply)?;
                return ControlFlow::Break(CloseReason::Refused);
            }
        };
        self.outgoing.place().enter(Phase::Working);
        self.outgoing.settle_download(false);
        // Held until the answer is sent.
        let (can_be_served, _permit) = self.obtain_permit(&received);

        let catalog = self.context.catalog();
        let caller = self.outgoing.place().peer.ip();
        if !catalog.settings.admits(caller) {
            access_log::log_not_allowed(caller);
            return ControlFlow::Break(CloseReason::NotAllowed);
        }
        let request = self.receiver.view(&received);
        let reply = if can_be_served {
            let circumstances = Circumstances {
                local: self.local,
                now: clock::wall_seconds(),
                uptime: clock::uptime_seconds,
                peer: caller,
                registrars: &self.context.registrars,
                is_stopping: self.context.is_stopping(),
            };
            routes::answer(&catalog, &request, &circumstances)
        } else {
            routes::answer_busy(&request)
        };
        let settings = catalog.settings.clone();
        // A change must not have to hold this picture in memory for as long as a slow client reads.
        drop(catalog);

        let keep_alive = received.keep_alive() && self.outgoing.may_be_kept();
        let answered = Answered { method: request.method(), path: request.path(), settings: &settings };
        self.outgoing.send(&answered, keep_alive, reply)?;
        self.receiver.release(&received);
        if !keep_alive {
            return ControlFlow::Break(CloseReason::Answered);
        }
        self.outgoing.place().await_next();
        ControlFlow::Continue(())
    }

    /// Waits until the last download is acknowledged or has given way: a request that comes before waits, as its client does for the
    /// bytes before the answer. Returns how long the next request may take to begin.
    fn await_acknowledgement(&mut self) -> ControlFlow<CloseReason, Duration> {
        self.outgoing.settle_download(false);
        while self.outgoing.has_permit() {
            if self.receiver.has_bytes() {
                thread::sleep(limits::ACKNOWLEDGEMENT_TICK);
            } else if let Arrival::Ended(reason) = self.receiver.fill(self.outgoing.place(), limits::ACKNOWLEDGEMENT_TICK) {
                return ControlFlow::Break(reason);
            }
            self.outgoing.settle_download(false);
        }
        let is_short = self.context.is_stopping() || self.context.admission.is_pressed();
        ControlFlow::Continue(if is_short { limits::PRESSED_IDLE_TIME } else { limits::IDLE_TIME })
    }

    /// Gets what the request needs besides a thread: whether it can be served, and a permit that is held meanwhile. A download's
    /// permit stays with the connection until the last byte is acknowledged.
    fn obtain_permit(&mut self, received: &Received) -> (bool, Option<Permit<'a>>) {
        let admission = &self.context.admission;
        let permit = match routes::need_of(&self.receiver.view(received)) {
            Need::Nothing => return (true, None),
            Need::Download => return (self.outgoing.obtain_permit(|| self.receiver.shrink()), None),
            Need::Disk => admission.permit_disk(),
            Need::Page => admission.permit_page(),
        };
        (permit.is_some(), permit)
    }
}
