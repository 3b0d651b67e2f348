//! Closing: an answer that was handed to the kernel whole must reach its client, so nothing of ours may turn the end of the
//! connection into a reset: unread bytes would (RFC 9112 §9.6).

use std::io::Read;

use crate::clock;
use crate::limits;
use crate::server::admission::{Phase, Place};
use crate::sys;

/// Reads and drops what the client still sends, until it is silent or closes too. Our sending side has been shut.
// Not inlined: its buffer would be part of every connection's stack, and touched there (16 KB each).
#[inline(never)]
pub fn linger(place: &Place) {
    place.enter(Phase::Closing);
    if place.stream.set_read_timeout(Some(limits::LINGER_SILENCE)).is_err() {
        return;
    }
    let deadline = clock::now() + limits::LINGER_TIME;
    let mut dropped = 0;
    let mut scrap = [0; 16 * 1024];
    while dropped < limits::LINGER_BYTES && clock::now() < deadline {
        match (&place.stream).read(&mut scrap) {
            Ok(0) | Err(_) => return,
            Ok(count) => dropped += count,
        }
    }
}

/// What became of a download whose last byte is with the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Its client has acknowledged the last byte.
    Arrived,
    /// It may still arrive; so many bytes are on their way.
    UnderWay(u64),
    /// The connection has been reset with so many bytes on their way.
    Lost(u64),
}

impl Delivery {
    /// Bytes that have not arrived.
    pub fn missing(self) -> u64 {
        match self {
            Delivery::Arrived => 0,
            Delivery::UnderWay(missing) | Delivery::Lost(missing) => missing,
        }
    }
}

/// Looks once. `is_shut` tells that our end of the connection, which counts as a byte, is on its way too.
pub fn look_at_delivery(place: &Place, is_shut: bool) -> Delivery {
    match sys::unacknowledged_bytes(&place.stream).saturating_sub(u64::from(is_shut)) {
        0 => Delivery::Arrived,
        // A socket that was reset has no other end any more.
        missing if place.stream.peer_addr().is_err() => Delivery::Lost(missing),
        missing => Delivery::UnderWay(missing),
    }
}

/// Whether a download that is under way keeps its permit, now that `acknowledged` bytes of the connection have arrived.
pub fn keeps_permit(place: &Place, acknowledged: u64) -> bool {
    let now = clock::now();
    let mut stage = place.stage();
    let gives_way = stage.gives_way;
    stage.progress.as_mut().is_some_and(|progress| {
        progress.note(acknowledged, now);
        !gives_way && progress.stood_still(now) < limits::STALL_TIME
    })
}

/// Waits a little for the client's end, which mostly tells that it has all; whatever else it sends is dropped.
// Not inlined, as `linger`.
#[inline(never)]
pub fn wait_for_acknowledgement(place: &Place) {
    let tick = limits::ACKNOWLEDGEMENT_TICK;
    let deadline = clock::now() + tick;
    let is_set = place.stream.set_read_timeout(Some(tick)).is_ok();
    let mut scrap = [0; 4 * 1024];
    while is_set && clock::now() < deadline {
        match (&place.stream).read(&mut scrap) {
            Ok(0) => break,
            Ok(_) => {}
            Err(_) => return,
        }
    }
    let left = deadline.saturating_duration_since(clock::now());
    if !left.is_zero() && look_at_delivery(place, true) != Delivery::Arrived {
        // It has ended its sending side only, and an empty read does not wait; what is on its way to it still arrives.
        std::thread::sleep(left);
    }
}
