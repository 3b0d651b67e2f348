//! The door: how many connections there are at a time, and who gives way to a newcomer.
//!
//! Honest callers send a request in milliseconds. So a newcomer takes the place of the connection that has been idle longest,
//! else of the one that has been longest about sending its request or taking a small answer, else of a download that hardly
//! moves. Whatever number of slow connections an attacker holds, it cannot keep honest callers out.

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::clock;
use crate::limits;

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
    must_leave: AtomicBool,
    /// Where it stands in the list; changed under the list's lock only.
    index: AtomicUsize,
}

impl Seat {
    /// Notes that a phase begins.
    pub fn enter(&self, phase: Phase) {
        self.since.store(clock::tick_milliseconds(), Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Notes whether a download moved too little of late.
    pub fn set_slow(&self, is_slow: bool) {
        self.is_slow.store(is_slow, Ordering::Relaxed);
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
        let may_leave = match phase {
            Phase::Idle | Phase::Receiving | Phase::Answering => u128::from(age) >= limits::EVICTION_GRACE.as_millis(),
            Phase::Sending => self.is_slow.load(Ordering::Relaxed),
            Phase::Working => false,
        };
        (may_leave && !self.must_leave()).then_some((phase, age))
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
    seats: Mutex<Vec<Arc<Seat>>>,
    /// Signals that a place became free.
    left: Condvar,
    /// The number of seats, for a look without the lock.
    taken: AtomicUsize,
    max: usize,
}

impl Door {
    /// A door for at most `max` connections.
    pub fn new(max: usize) -> Door {
        Door { seats: Mutex::default(), left: Condvar::new(), taken: AtomicUsize::new(0), max }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether more than three quarters of the places are taken: then connections are not kept for a second request.
    pub fn is_pressed(&self) -> bool {
        self.taken.load(Ordering::Relaxed) * 4 > self.max * 3
    }

    /// Gives a newcomer a place; waits until there is one.
    pub fn admit(&self, stream: TcpStream, peer: SocketAddr) -> Arc<Seat> {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let mut seats = self.lock();
        let mut waits_until = Instant::now();
        while seats.len() >= self.max {
            if Instant::now() >= waits_until {
                let victim = choose_victim(&seats);
                drop(seats);
                waits_until = Instant::now() + limits::SEND_TICK * 2;
                match victim {
                    Some(victim) => victim.evict(),
                    // Nobody may leave yet: look again soon.
                    None => waits_until = Instant::now() + limits::EVICTION_GRACE / 8,
                }
                seats = self.lock();
                continue;
            }
            let rest = waits_until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            seats = self.left.wait_timeout(seats, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        let seat = Arc::new(Seat {
            stream,
            peer,
            phase: AtomicU8::new(Phase::Idle as u8),
            since: AtomicU32::new(clock::tick_milliseconds()),
            is_slow: AtomicBool::new(false),
            must_leave: AtomicBool::new(false),
            index: AtomicUsize::new(seats.len()),
        });
        seats.push(seat.clone());
        self.taken.store(seats.len(), Ordering::Relaxed);
        seat
    }

    /// Gives a place back.
    pub fn leave(&self, seat: &Seat) {
        let mut seats = self.lock();
        let index = seat.index.load(Ordering::Relaxed);
        // Dropped behind the lock: the last owner closes the socket.
        let gone = seats.swap_remove(index);
        if let Some(moved) = seats.get(index) {
            moved.index.store(index, Ordering::Relaxed);
        }
        self.taken.store(seats.len(), Ordering::Relaxed);
        self.left.notify_all();
        drop(seats);
        drop(gone);
    }

    /// Makes one connection give way, if any may: descriptors have run out.
    pub fn make_room(&self) {
        let victim = choose_victim(&self.lock());
        if let Some(victim) = victim {
            victim.evict();
        }
    }

    /// Ends the idle connections, and waits until all others are done. Those that are not by `deadline` are reset.
    pub fn close(&self, deadline: Instant) {
        let mut seats = self.lock();
        loop {
            let idle: Vec<_> = seats.iter().filter(|seat| seat.phase() == Phase::Idle && !seat.must_leave()).cloned().collect();
            drop(seats);
            for seat in idle {
                seat.evict();
            }
            seats = self.lock();
            let Some(rest) = deadline.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero() && !seats.is_empty())
            else {
                break;
            };
            // A connection may become idle without leaving: look again.
            seats = self.left.wait_timeout(seats, rest.min(limits::SEND_TICK)).unwrap_or_else(PoisonError::into_inner).0;
        }
        for seat in seats.iter() {
            crate::sys::reset_on_close(&seat.stream);
        }
    }
}

/// The connection that gives way: of those that may, one of the first phase in the order of giving way, and the oldest in it.
fn choose_victim(seats: &[Arc<Seat>]) -> Option<Arc<Seat>> {
    let now = clock::tick_milliseconds();
    let ranked =
        seats.iter().filter_map(|seat| seat.eviction_rank(now).map(|(phase, age)| (phase, std::cmp::Reverse(age), seat)));
    ranked.min_by_key(|(phase, age, _)| (*phase, *age)).map(|(_, _, seat)| seat.clone())
}
