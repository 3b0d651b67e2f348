//! Repeats: under attack the log must stay readable, so what happens again and again is counted instead of repeated.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::limits;
use crate::log;

/// What was done to an address: a refusal's status, or 0 for a connection that is not allowed.
type Kind = (IpAddr, u16);

struct Counter {
    kind: Kind,
    since: Duration,
    count: u32,
    logged: u32,
}

/// Counters of what was refused to whom in the last `limits::REPEAT_TIME`.
#[derive(Default)]
pub struct Repeats {
    counters: Mutex<Vec<Counter>>,
}

impl Repeats {
    /// Whether this one is to be logged: the first `most` of its kind are.
    pub fn count(&self, kind: Kind, most: u32) -> bool {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counters.iter().position(|counter| counter.kind == kind);
        // Past the limit the last counter stands for all that have none of their own.
        let index = known.unwrap_or_else(|| counters.len().min(limits::REPEAT_KINDS - 1));
        if index == counters.len() {
            counters.push(Counter { kind, since: clock::uptime(), count: 0, logged: 0 });
        }
        let Some(counter) = counters.get_mut(index) else { return false };
        counter.count = counter.count.saturating_add(1);
        let is_logged = counter.logged < most;
        counter.logged += u32::from(is_logged);
        is_logged
    }

    /// Reports and forgets the counters whose time is over; called every few seconds.
    pub fn report(&self) {
        let now = clock::uptime();
        let is_over = |counter: &Counter| now.saturating_sub(counter.since) >= limits::REPEAT_TIME;
        // Logging only puts a line into a queue: it may be done under the lock.
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).retain(|counter| {
            let &Counter { kind: (address, status), count, logged, .. } = counter;
            let is_over = is_over(counter);
            if is_over && count > logged {
                let (more, seconds) = (count - logged, limits::REPEAT_TIME.as_secs());
                log::warn(format_args!("event=repeated peer={address} status={status} more={more} seconds={seconds}"));
            }
            !is_over
        });
    }
}
