//! Receiving: one request after another out of a connection's bytes, each phase with one absolute deadline.

use std::io::{ErrorKind, Read, Write};
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use super::close_reason::CloseReason;
use crate::clock;
use crate::http::body::ChunkedDecoder;
use crate::http::framing::Framing;
use crate::http::head::HeadParser;
use crate::http::refusal::{Refusal, RequestLine};
use crate::http::request::{Head, Request};
use crate::http::response::Status;
use crate::limits;
use crate::server::admission::{Phase, Place};

/// The bytes of a connection that have come and not been used up, and the request they begin with.
pub struct Receiver {
    buffer: Vec<u8>,
    /// The buffer is used up to here.
    filled: usize,
    /// A chunked body without its chunking.
    decoded: Vec<u8>,
    /// The read time-out in force: setting it anew costs a system call.
    timeout: Duration,
}

/// A complete request in a `Receiver`.
pub struct Received {
    head: Head,
    /// Where the body lies in the buffer; with chunking it is in `decoded`.
    body: Range<usize>,
    /// Where the request ends in the buffer.
    end: usize,
}

impl Received {
    /// Whether the client lets the connection live on.
    pub fn keep_alive(&self) -> bool {
        self.head.keep_alive
    }
}

/// Why there is no request.
pub enum Interruption {
    /// The connection is over.
    Close(CloseReason),
    /// The request is answered with an error; its first line, as far as it is known, decides the form of the answer.
    Refused(Refusal, RequestLine),
}

impl From<CloseReason> for Interruption {
    fn from(reason: CloseReason) -> Interruption {
        Interruption::Close(reason)
    }
}

/// What waiting for bytes came to.
pub enum Arrival {
    /// There are some.
    Bytes,
    /// The time is over.
    TimedOut,
    /// There will be none.
    Ended(CloseReason),
}

impl Receiver {
    /// An empty one.
    pub fn new() -> Receiver {
        Receiver { buffer: vec![0; limits::READ_BUFFER], filled: 0, decoded: Vec::new(), timeout: Duration::ZERO }
    }

    /// The request as the routes see it.
    pub fn view<'a>(&'a self, received: &'a Received) -> Request<'a> {
        let body = match received.head.framing {
            Framing::Length(_) => &self.buffer[received.body.clone()],
            Framing::Chunked => &self.decoded,
        };
        Request { bytes: &self.buffer, head: &received.head, body }
    }

    /// Gives memory back that a waiting request does not need.
    pub fn shrink(&mut self) {
        self.buffer.truncate(self.filled.max(1));
        self.buffer.shrink_to_fit();
        self.decoded.shrink_to_fit();
    }

    /// Forgets a request that has been answered; what came after it moves to the front.
    pub fn release(&mut self, received: &Received) {
        self.buffer.copy_within(received.end..self.filled, 0);
        self.filled -= received.end;
        if self.filled == 0 && self.buffer.len() != limits::READ_BUFFER {
            // One large request must not hold its memory for as long as the connection lives.
            self.buffer = vec![0; limits::READ_BUFFER];
        }
        self.decoded = Vec::new();
    }

    /// Whether something of the next request has come.
    pub fn has_bytes(&self) -> bool {
        self.filled > 0
    }

    /// Receives the request that begins with what is here, or with what comes within `idle_time`.
    pub fn receive(&mut self, place: &Place, idle_time: Duration) -> Result<Received, Interruption> {
        let mut parser = HeadParser::default();
        // Most requests come in one piece: the clock is asked only if this one does not.
        let mut deadline = None;
        let head = loop {
            let bytes = &self.buffer[..self.filled];
            match parser.advance(bytes) {
                Ok(Some(head)) => break head,
                Ok(None) => {}
                Err(refusal) => return Err(Interruption::Refused(refusal, parser.request_line(bytes))),
            }
            if !parser.has_begun(bytes) {
                match self.fill(place, idle_time) {
                    Arrival::Bytes => continue,
                    Arrival::TimedOut => return Err(CloseReason::Idle.into()),
                    Arrival::Ended(reason) => return Err(reason.into()),
                }
            }
            let deadline = *deadline.get_or_insert_with(|| begin_receiving(place, limits::HEAD_TIME));
            let arrival = self.fill_until(place, deadline);
            explain(arrival, HEAD_TIMEOUT, || parser.request_line(&self.buffer[..self.filled]))?;
        };

        let body_start = head.length;
        let mut decoder = ChunkedDecoder::default();
        let mut deadline = None;
        loop {
            match head.framing {
                Framing::Length(length) if self.filled >= body_start + length => {
                    let end = body_start + length;
                    return Ok(Received { head, body: body_start..end, end });
                }
                Framing::Length(_) => {}
                Framing::Chunked => {
                    let input = &self.buffer[body_start..self.filled];
                    let (used, complete) = match decoder.advance(input, &mut self.decoded) {
                        Ok(progress) => progress,
                        Err(refusal) => return Err(Interruption::Refused(refusal, head.request_line(&self.buffer))),
                    };
                    // Used-up chunks go at once, so that their overhead takes no memory.
                    self.buffer.copy_within(body_start + used..self.filled, body_start);
                    self.filled -= used;
                    if complete {
                        return Ok(Received { head, body: 0..0, end: body_start });
                    }
                }
            }
            let is_first = deadline.is_none();
            let deadline = *deadline.get_or_insert_with(|| begin_receiving(place, limits::BODY_TIME));
            if is_first && head.expects_continue && self.filled == body_start {
                send_continue(place)?;
            }
            let arrival = self.fill_until(place, deadline);
            explain(arrival, BODY_TIMEOUT, || head.request_line(&self.buffer))?;
        }
    }

    fn fill_until(&mut self, place: &Place, deadline: Instant) -> Arrival {
        let rest = deadline.saturating_duration_since(clock::now());
        if rest.is_zero() { Arrival::TimedOut } else { self.fill(place, rest) }
    }

    /// Reads at least one byte, waiting for it as long as `timeout` (not zero).
    pub fn fill(&mut self, place: &Place, timeout: Duration) -> Arrival {
        if self.filled == self.buffer.len() {
            // Bounded by the limits on heads and bodies, which were checked on what is here.
            let length = (self.buffer.len() * 2).max(limits::READ_BUFFER);
            let more = length - self.buffer.len();
            if self.buffer.try_reserve_exact(more).is_err() {
                return Arrival::Ended(CloseReason::OutOfMemory);
            }
            self.buffer.resize(length, 0);
        }
        if self.timeout != timeout {
            if place.stream.set_read_timeout(Some(timeout)).is_err() {
                return Arrival::Ended(CloseReason::ClientGone);
            }
            self.timeout = timeout;
        }
        loop {
            match (&place.stream).read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    let stage = *place.stage();
                    let Some(asked_at) = stage.asked_to_leave else { return Arrival::Ended(CloseReason::ClientClosed) };
                    // Our own shutting of the reading side makes an empty read an end although bytes may be on their way.
                    let is_between = stage.has_answered && !self.has_bytes();
                    let patience = if is_between { limits::LEAVING_TIME_BETWEEN } else { limits::LEAVING_TIME };
                    if clock::now().saturating_duration_since(asked_at) >= patience {
                        return Arrival::Ended(CloseReason::MadeRoom);
                    }
                    thread::sleep(limits::LEAVING_TICK);
                }
                Ok(count) => {
                    self.filled += count;
                    return Arrival::Bytes;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Arrival::TimedOut,
                Err(_) => return Arrival::Ended(CloseReason::ClientGone),
            }
        }
    }
}

fn begin_receiving(place: &Place, time: Duration) -> Instant {
    place.enter(Phase::Receiving);
    clock::now() + time
}

/// A client that stops in the middle of a request is told so; one that closes is not there to be told.
fn explain(arrival: Arrival, timeout: Refusal, line: impl FnOnce() -> RequestLine) -> Result<(), Interruption> {
    match arrival {
        Arrival::Bytes => Ok(()),
        Arrival::TimedOut => Err(Interruption::Refused(timeout, line())),
        Arrival::Ended(reason) => Err(Interruption::Close(reason)),
    }
}

const HEAD_TIMEOUT: Refusal = Refusal { status: Status::RequestTimeout, reason: "the request head did not arrive within 10 s" };
const BODY_TIMEOUT: Refusal = Refusal { status: Status::RequestTimeout, reason: "the request body did not arrive within 10 s" };

/// RFC 9110 §10.1.1: the client holds its body back until it sees this.
fn send_continue(place: &Place) -> Result<(), CloseReason> {
    (&place.stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(|_| CloseReason::ClientGone)
}
