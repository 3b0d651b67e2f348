//! Receiving: one request after another out of a connection's bytes, each phase with one absolute deadline.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use super::door::{Phase, Seat};
use super::end::End;
use crate::http::body::ChunkedDecoder;
use crate::http::framing::Framing;
use crate::http::head::HeadParser;
use crate::http::refusal::{Refusal, RequestLine};
use crate::http::request::{Head, Request};
use crate::http::response::Status;
use crate::limits;

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
    body: std::ops::Range<usize>,
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
    End(End),
    /// The request is answered with an error; its request line as far as it is known decides the form of the answer.
    Refused(Refusal, RequestLine),
}

impl From<End> for Interruption {
    fn from(end: End) -> Interruption {
        Interruption::End(end)
    }
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

    /// Forgets a request that has been answered; what came behind it moves to the front.
    pub fn release(&mut self, received: &Received) {
        self.buffer.copy_within(received.end..self.filled, 0);
        self.filled -= received.end;
        if self.filled == 0 && self.buffer.len() > limits::READ_BUFFER {
            // One large request must not hold its memory for as long as the connection lives.
            self.buffer = vec![0; limits::READ_BUFFER];
        }
        self.decoded = Vec::new();
    }

    /// Waits for the next request and receives it whole. The first byte may take `idle_time`.
    pub fn receive(&mut self, seat: &Seat, idle_time: Duration) -> Result<Received, Interruption> {
        let mut parser = HeadParser::default();
        while !parser.has_begun(&self.buffer[..self.filled]) {
            self.read(seat, idle_time).map_err(|outcome| match outcome {
                NoBytes::TimedOut => End::Idle,
                NoBytes::End(end) => end,
            })?;
        }
        // Most requests come in one piece: the clock is asked only if this one does not.
        let mut deadline = None;
        let head = loop {
            let bytes = &self.buffer[..self.filled];
            match parser.advance(bytes) {
                Ok(Some(head)) => break head,
                Ok(None) => {}
                Err(refusal) => return Err(Interruption::Refused(refusal, parser.request_line(bytes))),
            }
            if deadline.is_none() {
                seat.enter(Phase::Receiving);
            }
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + limits::HEAD_TIME);
            self.read_until(seat, deadline)
                .map_err(|outcome| explain_silence(outcome, HEAD_TIMEOUT, || parser.request_line(&self.buffer[..self.filled])))?;
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
            if deadline.is_none() {
                seat.enter(Phase::Receiving);
                if head.expects_continue && self.filled == body_start {
                    send_continue(seat)?;
                }
            }
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + limits::BODY_TIME);
            self.read_until(seat, deadline)
                .map_err(|outcome| explain_silence(outcome, BODY_TIMEOUT, || head.request_line(&self.buffer)))?;
        }
    }

    fn read_until(&mut self, seat: &Seat, deadline: Instant) -> Result<(), NoBytes> {
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() { Err(NoBytes::TimedOut) } else { self.read(seat, rest) }
    }

    /// Reads at least one byte, waiting for it as long as `timeout` (not zero).
    fn read(&mut self, seat: &Seat, timeout: Duration) -> Result<(), NoBytes> {
        if self.filled == self.buffer.len() {
            // Bounded by the limits on heads and bodies, which were checked on what is here.
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        if self.timeout != timeout {
            if seat.stream.set_read_timeout(Some(timeout)).is_err() {
                return Err(NoBytes::End(End::ClientGone));
            }
            self.timeout = timeout;
        }
        loop {
            match (&seat.stream).read(&mut self.buffer[self.filled..]) {
                Ok(0) if seat.must_leave() => return Err(NoBytes::End(End::GaveWay)),
                Ok(0) => return Err(NoBytes::End(End::ClientGone)),
                Ok(count) => {
                    self.filled += count;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(NoBytes::TimedOut);
                }
                Err(_) => return Err(NoBytes::End(End::ClientGone)),
            }
        }
    }
}

enum NoBytes {
    TimedOut,
    End(End),
}

/// A client that stops in the middle of a request is told so; one that closes is not there to be told.
fn explain_silence(outcome: NoBytes, timeout: Refusal, request_line: impl FnOnce() -> RequestLine) -> Interruption {
    match outcome {
        NoBytes::TimedOut => Interruption::Refused(timeout, request_line()),
        NoBytes::End(end) => Interruption::End(end),
    }
}

const HEAD_TIMEOUT: Refusal = Refusal::new(Status::RequestTimeout, "the request head did not arrive within 10 s");
const BODY_TIMEOUT: Refusal = Refusal::new(Status::RequestTimeout, "the request body did not arrive within 10 s");

/// RFC 9110 §10.1.1: the client holds its body back until it sees this.
fn send_continue(seat: &Seat) -> Result<(), End> {
    // The answer follows in a second small segment, which must not wait for the acknowledgement of this one.
    let _ = seat.stream.set_nodelay(true);
    (&seat.stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(|_| End::ClientGone)
}
