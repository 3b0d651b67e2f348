//! One connection's life: receive a request, answer it, log it, again.

use std::io::Read;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use super::clock;
use super::door::{Phase, Seat};
use super::end::End;
use super::receipt::{Sent, await_receipt};
use super::receive::{Interruption, Received, Receiver};
use super::send::Sender;
use super::{Shared, events};
use crate::config::Settings;
use crate::http::response::ResponseHead;
use crate::limits;
use crate::routes::{self, Body, Circumstances, Reply};

/// A connection with what it has received and not answered.
pub struct Connection {
    /// Its place among the others.
    pub seat: Arc<Seat>,
    local: SocketAddr,
    receiver: Receiver,
    out: Vec<u8>,
    /// A download that had to wait for its place.
    pending: Option<Pending>,
    /// The last download, until it is known whether all of it arrived.
    sent: Option<Sent>,
}

/// An answer that is ready to be sent.
struct Pending {
    received: Received,
    reply: Reply,
    now: Option<u64>,
    settings: Arc<Settings>,
}

/// What serving a connection came to.
pub enum Outcome {
    /// It is over.
    Ended(End),
    /// It has a download to send, and there is no place for one.
    Waits(Box<Connection>),
}

impl Connection {
    /// A fresh one; `None` if the client has gone already.
    pub fn new(seat: Arc<Seat>) -> Option<Box<Connection>> {
        // A blocked send looks up every tick. Without this setting a client that does not read could hold the thread for good.
        seat.stream.set_write_timeout(Some(limits::SEND_TICK)).ok()?;
        let local = seat.stream.local_addr().ok()?;
        let out = Vec::with_capacity(limits::READ_BUFFER / 2);
        Some(Box::new(Connection { seat, local, receiver: Receiver::new(), out, pending: None, sent: None }))
    }

    /// Serves it until it ends, or has to wait for a download's place. A connection that has waited has got its place.
    pub fn serve(mut self: Box<Self>, shared: &Shared) -> Outcome {
        if let Some(pending) = self.pending.take()
            && let Err(end) = self.send(shared, pending)
        {
            return Outcome::Ended(end);
        }
        loop {
            let idle_time = if shared.door.is_pressed() { limits::PRESSED_IDLE_TIME } else { limits::IDLE_TIME };
            let received = self.receiver.receive(&self.seat, idle_time);
            if let Some(sent) = self.sent.take() {
                sent.settle(shared, &self.seat, false);
            }
            let received = match received {
                Ok(received) => received,
                Err(Interruption::End(end)) => return Outcome::Ended(end),
                Err(Interruption::Refused(refusal, target)) => {
                    let reply = routes::answer_refusal(&refusal, &target);
                    let settings = &shared.catalog().settings;
                    let answered =
                        Answered { method: b"-", path: &target, keep_alive: false, now: clock::wall_seconds(), settings };
                    let sent = send_reply(shared, &self.seat, &mut self.out, &answered, reply);
                    return Outcome::Ended(sent.err().unwrap_or(End::Refused));
                }
            };
            self.seat.enter(Phase::Working);
            let now = clock::wall_seconds();
            let request = self.receiver.view(&received);
            let catalog = shared.catalog();
            let circumstances = Circumstances { local: self.local, now, uptime: clock::uptime_seconds, seen: &shared.seen };
            let reply = routes::answer(&catalog, &request, &circumstances);
            let is_download = request.method() != b"HEAD" && reply.body.is_download();
            let pending = Pending { received, reply, now, settings: catalog.settings.clone() };
            if is_download && !self.seat.take_download_place(&shared.downloads) {
                self.pending = Some(pending);
                return Outcome::Waits(self);
            }
            if let Err(end) = self.send(shared, pending) {
                return Outcome::Ended(end);
            }
        }
    }

    /// Sends an answer and makes the connection ready for the next request, or says why there will be none.
    fn send(&mut self, shared: &Shared, Pending { received, reply, now, settings }: Pending) -> Result<(), End> {
        let request = self.receiver.view(&received);
        let keep_alive = received.keep_alive() && !shared.door.is_pressed() && !shared.is_stopping() && !self.seat.must_leave();
        let answered = Answered { method: request.method(), path: request.path(), keep_alive, now, settings: &settings };
        self.sent = send_reply(shared, &self.seat, &mut self.out, &answered, reply)?;
        let is_free = self.seat.give_download_place_back(&shared.downloads);
        if !keep_alive
            && is_free
            && let Some(sent) = self.sent.take()
        {
            await_receipt(&self.seat);
            sent.settle(shared, &self.seat, true);
        }
        if !keep_alive || !is_free {
            return Err(End::Answered);
        }
        self.receiver.release(&received);
        self.seat.enter(Phase::Idle);
        Ok(())
    }
}

/// What the answer and its log line need to know of a request.
pub struct Answered<'a> {
    /// The method, `-` if unknown.
    pub method: &'a [u8],
    /// The path, percent-encoded; empty if unknown.
    pub path: &'a [u8],
    keep_alive: bool,
    now: Option<u64>,
    settings: &'a Settings,
}

/// Sends, notes and logs an answer. Returns the download whose end is still to be learnt.
fn send_reply(
    shared: &Shared,
    seat: &Seat,
    out: &mut Vec<u8>,
    answered: &Answered<'_>,
    mut reply: Reply,
) -> Result<Option<Sent>, End> {
    out.clear();
    ResponseHead {
        status: reply.status,
        now: answered.now,
        keep_alive: answered.keep_alive,
        content_length: reply.body.length(),
        fields: &reply.fields,
    }
    .write_to(out);
    if answered.method == b"HEAD" {
        reply.body = Body::Absent;
    }
    let due = reply.body.length().unwrap_or(0);
    let (sent, result) = Sender::new(seat, &shared.downloads).send(out, &reply.body);
    if answered.settings.log_requests {
        events::log_answer(seat, answered, &reply, sent..due, result.err());
    }
    let download = events::note_answer(shared, seat, answered.settings, reply.event, sent..due);
    result.map(|()| download)
}

/// Lets a refused client read its answer: without this, unread bytes of its request would turn our close into a reset that
/// overtakes the answer (RFC 9112 §9.6).
// Not inlined: its buffer would be part of every connection's stack, and touched there (16 KB each).
#[inline(never)]
pub fn linger(seat: &Seat) {
    seat.enter(Phase::Idle);
    if seat.stream.shutdown(Shutdown::Write).is_err() || seat.stream.set_read_timeout(Some(limits::LINGER_SILENCE)).is_err() {
        return;
    }
    let deadline = Instant::now() + limits::LINGER_TIME;
    let mut dropped = 0;
    let mut scrap = [0; 16 * 1024];
    while dropped < limits::LINGER_BYTES && Instant::now() < deadline {
        match (&seat.stream).read(&mut scrap) {
            Ok(0) | Err(_) => return,
            Ok(count) => dropped += count,
        }
    }
}
