//! One connection's life: receive a request, answer it, log it, again.

use std::io::Read;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Instant;

use super::clock;
use super::door::{Phase, Seat};
use super::end::End;
use super::receive::{Interruption, Receiver};
use super::send::Sender;
use super::{Shared, events};
use crate::http::response::ResponseHead;
use crate::limits;
use crate::routes::{self, Circumstances, Reply};

/// Serves `seat` until it ends.
pub fn serve(shared: &Shared, seat: &Arc<Seat>) -> End {
    // A blocked send looks up every tick. Without this setting a client that does not read could hold the thread for good.
    if seat.stream.set_write_timeout(Some(limits::SEND_TICK)).is_err() {
        return End::ClientGone;
    }
    let Ok(local) = seat.stream.local_addr() else { return End::ClientGone };
    let mut receiver = Receiver::new();
    let mut out = Vec::with_capacity(limits::READ_BUFFER / 2);
    loop {
        let idle_time = if shared.door.is_pressed() { limits::PRESSED_IDLE_TIME } else { limits::IDLE_TIME };
        match receiver.receive(seat, idle_time) {
            Ok(received) => {
                seat.enter(Phase::Working);
                let catalog = shared.catalog();
                let request = receiver.view(&received);
                let now = clock::wall_seconds();
                let reply = routes::answer(&catalog, &request, &Circumstances { local, now });
                let keep_alive =
                    received.keep_alive() && !shared.door.is_pressed() && !shared.is_stopping() && !seat.must_leave();
                let answered = Answered { method: request.method(), path: request.path(), keep_alive, now };
                if let Err(end) = send_reply(&catalog, seat, &mut out, &answered, reply) {
                    return end;
                }
                if !keep_alive {
                    return End::Answered;
                }
                receiver.release(&received);
                seat.enter(Phase::Idle);
            }
            Err(Interruption::End(end)) => return end,
            Err(Interruption::Refused(refusal, target)) => {
                let reply = routes::answer_refusal(&refusal, &target);
                let answered = Answered { method: b"-", path: &target, keep_alive: false, now: clock::wall_seconds() };
                return match send_reply(&shared.catalog(), seat, &mut out, &answered, reply) {
                    Ok(()) => End::Refused,
                    Err(end) => end,
                };
            }
        }
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
}

fn send_reply(
    catalog: &crate::catalog::Catalog,
    seat: &Seat,
    out: &mut Vec<u8>,
    answered: &Answered<'_>,
    mut reply: Reply,
) -> Result<(), End> {
    out.clear();
    let length = reply.body.length();
    ResponseHead {
        status: reply.status,
        now: answered.now,
        keep_alive: answered.keep_alive,
        content_length: length,
        fields: &reply.fields,
    }
    .write_to(out);
    if answered.method == b"HEAD" {
        reply.body = routes::Body::Absent;
    }
    let due = reply.body.length().unwrap_or(0);
    let (sent, result) = Sender::new(seat).send(out, &reply.body);
    events::log_answer(catalog, seat, answered, &reply, sent..due, result.err());
    result
}

/// Lets a refused client read its answer: without this, unread bytes of its request would turn our close into a reset that
/// overtakes the answer (RFC 9112 §9.6).
pub fn linger(seat: &Seat) {
    seat.enter(Phase::Idle);
    if seat.stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let deadline = Instant::now() + limits::LINGER_TIME;
    let mut dropped = 0;
    let mut scrap = [0; 4096];
    while dropped < limits::LINGER_BYTES {
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() || seat.stream.set_read_timeout(Some(rest)).is_err() {
            return;
        }
        match (&seat.stream).read(&mut scrap) {
            Ok(0) | Err(_) => return,
            Ok(count) => dropped += count,
        }
    }
}
