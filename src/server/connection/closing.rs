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
    /// The connection has been reset, or nobody may wait any longer, with so many bytes on their way.
    Unknown(u64),
}

/// Looks once, when `acknowledged` bytes of the connection have arrived. `is_shut` tells that our end of it, which counts as a byte,
/// is on its way too.
pub fn look_at_delivery(place: &Place, acknowledged: u64, is_shut: bool) -> Delivery {
    let missing = sys::unacknowledged_bytes(&place.stream).saturating_sub(u64::from(is_shut));
    if missing == 0 {
        return Delivery::Arrived;
    }
    let now = clock::now();
    let mut stage = place.stage();
    let Some(progress) = &mut stage.progress else { return Delivery::Unknown(missing) };
    progress.note(acknowledged, now);
    // A socket that was reset has no other end any more.
    let is_over = progress.stood_still(now) >= limits::STALL_TIME || stage.gives_way || place.stream.peer_addr().is_err();
    if is_over { Delivery::Unknown(missing) } else { Delivery::UnderWay(missing) }
}

/// Waits a little for the client's end or for more of its bytes, which are dropped.
pub fn wait_for_acknowledgement(place: &Place) {
    let tick = limits::ACKNOWLEDGEMENT_TICK;
    let is_set = place.stream.set_read_timeout(Some(tick)).is_ok();
    if !is_set || matches!((&place.stream).read(&mut [0; 64]), Ok(0)) {
        // It has ended its sending side, and an empty read does not wait; what is on its way to it still arrives.
        std::thread::sleep(tick);
    }
}
