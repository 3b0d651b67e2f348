//! Places for downloads: three quarters of all connections. Further downloads wait in order without a thread and without a
//! connection's place, as callers wait in the kernel's backlog, so that slow readers never keep checks out.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::connection::Connection;
use super::door::Door;

/// Who sends and who waits.
pub struct Downloads {
    state: Mutex<State>,
    freed: Condvar,
    /// Whether the queue is not empty, for a look without the lock.
    has_waiting: AtomicBool,
    max_active: usize,
    max_waiting: usize,
}

#[derive(Default)]
struct State {
    active: usize,
    waiting: VecDeque<Box<Connection>>,
}

impl Downloads {
    /// Places for a server of `max_connections` connections; at most `max_waiting` downloads wait in the queue.
    pub fn new(max_connections: usize, max_waiting: usize) -> Downloads {
        let max_active = (max_connections - max_connections / 4).max(1);
        Downloads { state: Mutex::default(), freed: Condvar::new(), has_waiting: AtomicBool::new(false), max_active, max_waiting }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place if one is free.
    pub fn try_begin(&self) -> bool {
        let mut state = self.lock();
        let is_free = state.active < self.max_active;
        state.active += usize::from(is_free);
        is_free
    }

    /// Puts a connection with a download into the queue, where it does not count as one at the `door`; or gives it back with a
    /// place that has become free meanwhile. Where the queue is full, the caller waits here and keeps its seat: so threads are
    /// never more than seats.
    pub fn wait(&self, connection: Box<Connection>, door: &Door) -> Option<Box<Connection>> {
        let mut state = self.lock();
        loop {
            if state.active < self.max_active {
                state.active += 1;
                return Some(connection);
            }
            if state.waiting.len() < self.max_waiting {
                // Before anyone can take it out of the queue and seat it again.
                door.leave(&connection.seat);
                state.waiting.push_back(connection);
                self.has_waiting.store(true, Ordering::Relaxed);
                return None;
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives a place back, unless somebody waits for it: then the caller keeps it until its connection has ended.
    pub fn end_unless_awaited(&self) -> bool {
        let mut state = self.lock();
        let is_awaited = !state.waiting.is_empty();
        if !is_awaited {
            state.active -= 1;
            self.freed.notify_one();
        }
        !is_awaited
    }

    /// Gives a place back, or hands it on to the connection that has waited longest, which the caller now has to serve.
    pub fn hand_on(&self) -> Option<Box<Connection>> {
        let mut state = self.lock();
        let next = state.waiting.pop_front();
        self.has_waiting.store(!state.waiting.is_empty(), Ordering::Relaxed);
        if next.is_none() {
            state.active -= 1;
        }
        self.freed.notify_one();
        next
    }

    /// Whether a download waits: then a slow one gives way.
    pub fn has_waiting(&self) -> bool {
        self.has_waiting.load(Ordering::Relaxed)
    }

    /// Whether nothing is sent and nothing waits.
    pub fn is_idle(&self) -> bool {
        let state = self.lock();
        state.active == 0 && state.waiting.is_empty()
    }
}
