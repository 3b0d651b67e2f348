//! The door: how many connections there are at a time, and who gives way to a newcomer.
//!
//! Honest callers send a request in milliseconds. So a newcomer takes the place of the connection that has been idle longest,
//! else of the one that has been longest about sending its request or taking a small answer, else of a download that hardly
//! moves. Whatever number of slow connections an attacker holds, it cannot keep honest callers out.

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::downloads::Downloads;
use crate::clock;
use crate::limits;
use crate::sys;

/// What a connection is doing. The order is the order of giving way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// Nothing of a request has come yet.
    Idle,
    /// Part of a request has come.
    Receiving,
    /// A small answer is being written. It fits the socket's buffer unless the client does not read.
    Answering,
    /// A body of any size is being sent.
    Sending,
    /// Its request is being worked on; never gives way.
    Working,
}

const PHASES: [Phase; 5] = [Phase::Idle, Phase::Receiving, Phase::Answering, Phase::Sending, Phase::Working];

/// A connection's place among the others.
#[derive(Debug)]
pub struct Seat {
    /// The connection.
    pub stream: TcpStream,
    /// Its other end; IPv4 callers as IPv4.
    pub peer: SocketAddr,
    phase: AtomicU8,
    /// `clock::tick_milliseconds` at the phase's start.
    since: AtomicU32,
    is_slow: AtomicBool,
    /// It holds one of the places for downloads.
    is_downloading: AtomicBool,
    must_leave: AtomicBool,
    /// It has sent a request: its client knows that a kept connection may end.
    has_asked: AtomicBool,
    /// Where it stands in the list; changed under the list's lock only.
    index: AtomicUsize,
}

impl Seat {
    /// Notes that a phase begins.
    pub fn enter(&self, phase: Phase) {
        // Nobody asks how long a connection has been working.
        if phase == Phase::Working {
            self.has_asked.store(true, Ordering::Relaxed);
        } else {
            self.since.store(tick_milliseconds(), Ordering::Relaxed);
        }
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Notes whether a download moved too little of late.
    pub fn set_slow(&self, is_slow: bool) {
        self.is_slow.store(is_slow, Ordering::Relaxed);
    }

    /// Takes one of the places for downloads, if one is free and it has none.
    pub fn take_download_place(&self, downloads: &Downloads) -> bool {
        let has_place = self.is_downloading.load(Ordering::Relaxed) || downloads.try_begin();
        self.is_downloading.store(has_place, Ordering::Relaxed);
        has_place
    }

    /// Gives the place back. False if somebody waits for it: then the connection must end, and its place is handed on.
    pub fn give_download_place_back(&self, downloads: &Downloads) -> bool {
        let is_free = !self.is_downloading.load(Ordering::Relaxed) || downloads.end_unless_awaited();
        if is_free {
            self.is_downloading.store(false, Ordering::Relaxed);
        }
        is_free
    }

    /// Notes that it was handed one of the places for downloads.
    pub fn hold_download_place(&self) {
        self.is_downloading.store(true, Ordering::Relaxed);
    }

    /// Whether it holds one of the places for downloads.
    pub fn holds_download_place(&self) -> bool {
        self.is_downloading.load(Ordering::Relaxed)
    }

    /// Whether the connection must end as soon as it can.
    pub fn must_leave(&self) -> bool {
        self.must_leave.load(Ordering::Relaxed)
    }

    fn phase(&self) -> Phase {
        PHASES.get(usize::from(self.phase.load(Ordering::Relaxed))).copied().unwrap_or(Phase::Working)
    }

    /// Phase and age in milliseconds, if it may give way now.
    fn eviction_rank(&self, now: u32) -> Option<(Phase, u32)> {
        let phase = self.phase();
        let age = now.wrapping_sub(self.since.load(Ordering::Relaxed));
        let had_its_chance = u128::from(age) >= limits::EVICTION_GRACE.as_millis();
        let may_leave = match phase {
            // What has arrived and waits for our own thread is not the client's delay.
            Phase::Idle | Phase::Receiving => had_its_chance && sys::unread_bytes(&self.stream) == 0,
            Phase::Answering => had_its_chance,
            Phase::Sending => self.is_slow.load(Ordering::Relaxed),
            Phase::Working => false,
        };
        (may_leave && !self.must_leave()).then_some((phase, age))
    }

    /// Whether a stop may end it: it is idle, no request has come, and none is to be expected from a newcomer any more.
    fn may_be_closed(&self) -> bool {
        let age = tick_milliseconds().wrapping_sub(self.since.load(Ordering::Relaxed));
        let is_newcomer = !self.has_asked.load(Ordering::Relaxed) && u128::from(age) < limits::NEWCOMER_TIME.as_millis();
        self.phase() == Phase::Idle && !is_newcomer && !self.must_leave() && sys::unread_bytes(&self.stream) == 0
    }

    /// Tells the connection's thread to end it. Only the receiving side is shut: a thread that has just got a request still
    /// answers it, and one that is blocked in a send looks up every `limits::SEND_TICK`.
    fn evict(&self) {
        self.must_leave.store(true, Ordering::Relaxed);
        let _ = self.stream.shutdown(Shutdown::Read);
    }
}

/// All connections.
pub struct Door {
    state: Mutex<State>,
    /// Signals that a place became free.
    left: Condvar,
    /// The number of seats, for a look without the lock.
    taken: AtomicUsize,
    max: usize,
}

#[derive(Default)]
struct State {
    seats: Vec<Arc<Seat>>,
    /// Newcomers that have come to the door.
    arrived: u32,
    /// Newcomers that were let in. They are let in as they came: one that waits must not be overtaken by later ones.
    admitted: u32,
}

impl Door {
    /// A door for at most `max` connections.
    pub fn new(max: usize) -> Door {
        Door { state: Mutex::default(), left: Condvar::new(), taken: AtomicUsize::new(0), max }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether more than three quarters of the places are taken: then connections are not kept for a second request.
    pub fn is_pressed(&self) -> bool {
        self.taken.load(Ordering::Relaxed) * 4 > self.max * 3
    }

    /// Gives a newcomer a place; waits until there is one and those who came before have theirs.
    pub fn admit(&self, stream: TcpStream, peer: SocketAddr) -> Arc<Seat> {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let mut state = self.lock();
        let ticket = state.arrived;
        state.arrived = ticket.wrapping_add(1);
        let mut evicts_at = Instant::now();
        while state.admitted != ticket || state.seats.len() >= self.max {
            let is_first = state.admitted == ticket;
            if is_first && Instant::now() >= evicts_at {
                let victim = choose_victim(&state.seats);
                drop(state);
                evicts_at = Instant::now() + if victim.is_some() { limits::SEND_TICK * 2 } else { limits::EVICTION_GRACE / 8 };
                if let Some(victim) = victim {
                    victim.evict();
                }
                state = self.lock();
                continue;
            }
            let time = if is_first { evicts_at.saturating_duration_since(Instant::now()) } else { limits::ACCEPT_TICK };
            let time = time.max(Duration::from_millis(1));
            state = self.left.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.admitted = ticket.wrapping_add(1);
        let seat = Arc::new(Seat {
            stream,
            peer,
            phase: AtomicU8::new(Phase::Idle as u8),
            since: AtomicU32::new(tick_milliseconds()),
            is_slow: AtomicBool::new(false),
            is_downloading: AtomicBool::new(false),
            must_leave: AtomicBool::new(false),
            has_asked: AtomicBool::new(false),
            index: AtomicUsize::new(0),
        });
        self.seat(&mut state.seats, seat.clone());
        if state.arrived != state.admitted {
            self.left.notify_all();
        }
        seat
    }

    /// Gives a connection that has waited elsewhere its place back. It comes in for one that has just left.
    pub fn readmit(&self, seat: Arc<Seat>) {
        self.seat(&mut self.lock().seats, seat);
    }

    fn seat(&self, seats: &mut Vec<Arc<Seat>>, seat: Arc<Seat>) {
        seat.index.store(seats.len(), Ordering::Relaxed);
        seats.push(seat);
        self.taken.store(seats.len(), Ordering::Relaxed);
    }

    /// Gives a place back.
    pub fn leave(&self, seat: &Seat) {
        let mut state = self.lock();
        let index = seat.index.load(Ordering::Relaxed);
        // Dropped behind the lock: the last owner closes the socket.
        let gone = state.seats.swap_remove(index);
        if let Some(moved) = state.seats.get(index) {
            moved.index.store(index, Ordering::Relaxed);
        }
        self.taken.store(state.seats.len(), Ordering::Relaxed);
        if state.arrived != state.admitted || state.seats.is_empty() {
            self.left.notify_all();
        }
        drop(state);
        drop(gone);
    }

    /// Makes one connection give way, if any may: descriptors have run out.
    pub fn make_room(&self) {
        let victim = choose_victim(&self.lock().seats);
        if let Some(victim) = victim {
            victim.evict();
        }
    }

    /// Ends the idle connections and waits a little for the others. True once there are none.
    pub fn close_idle(&self) -> bool {
        let state = self.lock();
        let idle: Vec<_> = state.seats.iter().filter(|seat| seat.may_be_closed()).cloned().collect();
        drop(state);
        for seat in idle {
            seat.evict();
        }
        let is_taken = |state: &mut State| !state.seats.is_empty();
        let waited = self.left.wait_timeout_while(self.lock(), limits::SEND_TICK, is_taken);
        waited.unwrap_or_else(PoisonError::into_inner).0.seats.is_empty()
    }

    /// Makes the end of the program a reset for all connections there are: none of them is to take what it has for whole.
    pub fn reset_all(&self) {
        for seat in &self.lock().seats {
            sys::reset_on_close(&seat.stream);
        }
    }
}

/// The connection that gives way: of those that may, one of the first phase in the order of giving way, and the oldest in it.
fn choose_victim(seats: &[Arc<Seat>]) -> Option<Arc<Seat>> {
    let now = tick_milliseconds();
    let ranked =
        seats.iter().filter_map(|seat| seat.eviction_rank(now).map(|(phase, age)| (phase, std::cmp::Reverse(age), seat)));
    ranked.min_by_key(|(phase, age, _)| (*phase, *age)).map(|(_, _, seat)| seat.clone())
}

/// Milliseconds since the start of the server, for comparing moments less than 24 days apart: it wraps.
pub fn tick_milliseconds() -> u32 {
    let elapsed = clock::uptime();
    (elapsed.as_secs() as u32).wrapping_mul(1000).wrapping_add(elapsed.subsec_millis())
}
