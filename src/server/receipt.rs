//! Whether a download arrived. What the kernel took is not what the client has: it counts as complete when the client's side
//! has acknowledged the last byte.

use std::io::{ErrorKind, Read};
use std::net::Shutdown;
use std::time::Instant;

use super::door::{Phase, Seat};
use super::{Shared, clock};
use crate::calendar::Date;
use crate::limits;
use crate::log;
use crate::seen::{Sight, Transfer};
use crate::sys;
use crate::text::quote;

/// A download of which all bytes are in the kernel's hands.
pub struct Sent {
    /// The file, below the firmware folder.
    pub path: String,
    /// Its version if it is an image.
    pub version: Option<Date>,
    /// Its size.
    pub size: u64,
}

impl Sent {
    /// Says what became of it, as far as it can be known when the client sends a new request or its connection ends.
    pub fn settle(self, shared: &Shared, seat: &Seat, is_shut: bool) {
        // Our FIN counts as a byte.
        let missing = sys::unacknowledged_bytes(&seat.stream).saturating_sub(u64::from(is_shut));
        let transfer = match missing {
            0 => Transfer::Complete,
            // A connection that was reset has no other end any more. Otherwise the kernel goes on without us.
            _ if seat.must_leave() || seat.stream.peer_addr().is_err() => Transfer::Cut(self.size.saturating_sub(missing)),
            _ => return,
        };
        let settings = &shared.catalog().settings;
        if let (Transfer::Cut(bytes), true) = (transfer, settings.log_requests) {
            let (peer, file, size) = (seat.peer, quote(&self.path, limits::TARGET_BYTES), self.size);
            log::request(
                log::Rate::Always,
                format_args!("event=download_cut peer={peer} file={file} acknowledged={bytes}/{size}"),
            );
        }
        if settings.status_page {
            shared.seen.note(seat.peer.ip(), clock::uptime_seconds(), Sight::Download(self.version, transfer));
        }
    }
}

/// Waits, after the last answer of a connection, until the client has all of it, as long as it goes on taking some. Newcomers
/// need not wait: the connection counts as idle.
#[inline(never)]
pub fn await_receipt(seat: &Seat) {
    seat.enter(Phase::Idle);
    if seat.stream.shutdown(Shutdown::Write).is_err() || seat.stream.set_read_timeout(Some(limits::SEND_TICK)).is_err() {
        return;
    }
    let (mut missing, mut moved_at) = (u64::MAX, Instant::now());
    let mut scrap = [0; 64];
    // One byte is our FIN's.
    while missing > 1 && !seat.must_leave() && moved_at.elapsed() < limits::LINGER_SILENCE {
        let now_missing = sys::unacknowledged_bytes(&seat.stream);
        if now_missing < missing {
            (missing, moved_at) = (now_missing, Instant::now());
        }
        match (&seat.stream).read(&mut scrap) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            // It closed, or it sends more although it said that this was all.
            _ => return,
        }
    }
}
