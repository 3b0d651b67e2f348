//! Where a connection stands in its life.

use std::time::Instant;

use super::progress::Progress;
use crate::clock;
use crate::limits;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It is answered, and what its client still sends is read and dropped.
    Closing,
    /// Nothing of a request has come yet.
    Idle,
    /// Part of a request has come.
    Receiving,
    /// A small answer is being written. It fits the socket's buffer unless the client does not read.
    Answering,
    /// Its request is being worked on.
    Working,
    /// A download is being sent.
    Sending,
}

/// A connection's phase, and what follows from others' needs. Changed under the connection's own lock.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// What it is doing …
    pub phase: Phase,
    /// … since when.
    pub since: Instant,
    /// When it was asked to make room for a newcomer, or for the end of the program.
    pub asked_to_leave: Option<Instant>,
    /// A request has been answered: its client knows that a kept connection may end.
    pub has_answered: bool,
    /// How its download moves, for as long as it holds a permit.
    pub progress: Option<Progress>,
    /// Its download must end for one that waits.
    pub gives_way: bool,
}

impl Stage {
    /// A connection that has just been accepted.
    pub fn new(now: Instant) -> Stage {
        Stage { phase: Phase::Idle, since: now, asked_to_leave: None, has_answered: false, progress: None, gives_way: false }
    }

    /// Begins a phase.
    pub fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = clock::now();
    }

    /// Whether it holds a download's permit; then newcomers leave it alone, whatever its phase.
    pub fn has_permit(&self) -> bool {
        self.progress.is_some()
    }

    /// Whether it sends a download of which something arrived in the last `limits::STOP_PATIENCE`.
    pub fn moved_of_late(&self) -> bool {
        self.progress.is_some_and(|progress| progress.stood_still(clock::now()) < limits::STOP_PATIENCE)
    }
}
