//! A connection as the others see it.

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::progress::Progress;
use super::stage::{Phase, Stage};
use crate::clock;
use crate::origin::Origin;
use crate::sys;

/// An accepted connection and where it stands in its life.
pub struct Place {
    /// The connection.
    pub stream: TcpStream,
    /// Its other end; IPv4 callers as IPv4.
    pub peer: SocketAddr,
    /// Whom it counts for.
    pub origin: Origin,
    stage: Mutex<Stage>,
}

impl Place {
    /// For a connection that has just been accepted.
    pub fn new(stream: TcpStream, peer: SocketAddr) -> Place {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        Place { stream, peer, origin: Origin::from(peer.ip()), stage: Mutex::new(Stage::new(clock::now())) }
    }

    /// Its stage, locked. Nobody waits or takes another lock while holding it.
    pub fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a phase begins.
    pub fn enter(&self, phase: Phase) {
        self.stage().enter(phase);
    }

    /// Notes that a request was answered and the next one is awaited.
    pub fn await_next(&self) {
        let mut stage = self.stage();
        stage.has_answered = true;
        stage.enter(Phase::Idle);
    }

    /// Since when it is asked to leave.
    pub fn asked_to_leave(&self) -> Option<Instant> {
        self.stage().asked_to_leave
    }

    /// Asks it to leave, if it still stands where it did when it was chosen. Bytes of a request that wait for our own thread are
    /// not the client's delay. What is on its way can still be read when the reading side is shut.
    pub fn ask_to_leave(&self, seen: &Stage) -> bool {
        if matches!(seen.phase, Phase::Idle | Phase::Receiving) && sys::unread_bytes(&self.stream) > 0 {
            return false;
        }
        let mut stage = self.stage();
        let is_as_seen = (stage.phase, stage.since) == (seen.phase, seen.since);
        if !is_as_seen || stage.has_permit() || stage.asked_to_leave.is_some() {
            return false;
        }
        stage.asked_to_leave = Some(clock::now());
        let _ = self.stream.shutdown(Shutdown::Read);
        true
    }

    /// Begins to judge how a download moves; not if the connection was asked to leave before.
    pub fn begin_download(&self, acknowledged: u64) -> bool {
        let mut stage = self.stage();
        let is_welcome = stage.asked_to_leave.is_none();
        if is_welcome {
            stage.progress = Some(Progress::new(acknowledged, clock::now()));
        }
        is_welcome
    }

    /// Ends that.
    pub fn end_download(&self) {
        let mut stage = self.stage();
        (stage.progress, stage.gives_way) = (None, false);
        // From here on it counts as one of the others, and has not kept anybody waiting yet.
        stage.since = clock::now();
    }
}
