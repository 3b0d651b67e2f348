//! Whether a download moves: counted in bytes the other end has acknowledged, since the kernel's buffer alone can hold a minute
//! of a slow link. Pure: bytes and a time in, a judgement out.

use std::time::{Duration, Instant};

use crate::limits;

/// How a download moved so far.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Bytes acknowledged at the last note.
    acknowledged: u64,
    moved_at: Instant,
    /// The stretch over which the rate is taken, and the bytes acknowledged at its start.
    window_start: Instant,
    window_acknowledged: u64,
    /// Whether the last whole stretch was too slow.
    was_slow: bool,
}

impl Progress {
    /// A download that begins when `acknowledged` bytes of its connection have arrived.
    pub fn new(acknowledged: u64, now: Instant) -> Progress {
        Progress { acknowledged, moved_at: now, window_start: now, window_acknowledged: acknowledged, was_slow: false }
    }

    /// Notes how many bytes of the connection have arrived by now.
    pub fn note(&mut self, acknowledged: u64, now: Instant) {
        if acknowledged > self.acknowledged {
            (self.acknowledged, self.moved_at) = (acknowledged, now);
        }
        let elapsed = now.saturating_duration_since(self.window_start);
        if elapsed >= limits::SLOW_TIME {
            let moved = self.acknowledged.saturating_sub(self.window_acknowledged);
            self.was_slow = moved < limits::SLOW_BYTES_PER_SECOND * elapsed.as_secs();
            (self.window_start, self.window_acknowledged) = (now, self.acknowledged);
        }
    }

    /// Whether it gives way to a download that waits: it stood still, or hardly moved, for `limits::SLOW_TIME`.
    pub fn is_slow(&self, now: Instant) -> bool {
        self.was_slow || self.stood_still(now) >= limits::SLOW_TIME
    }

    /// For how long nothing of it has arrived.
    pub fn stood_still(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.moved_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a download that has `bytes` acknowledged at each of these seconds is slow after the last.
    fn is_slow(steps: &[(u64, u64)]) -> bool {
        let start = Instant::now();
        let mut progress = Progress::new(1000, start);
        let mut last = start;
        for (seconds, bytes) in steps {
            last = start + Duration::from_secs(*seconds);
            progress.note(1000 + bytes, last);
        }
        progress.is_slow(last)
    }

    #[test]
    fn a_download_is_slow_when_it_stood_still_or_hardly_moved_for_half_a_minute() {
        let steady = |rate: u64, seconds: u64| (1..=seconds).map(|second| (second, second * rate)).collect::<Vec<_>>();
        type Case = (&'static str, Vec<(u64, u64)>, bool);
        let cases: [Case; 10] = [
            ("it has just begun", vec![], false),
            ("nothing yet for 29 s", vec![(29, 0)], false),
            ("nothing for 30 s", vec![(30, 0)], true),
            ("a serial line at 10 KB/s", steady(10_000, 120), false),
            ("2 KB/s and a little", steady(2100, 120), false),
            ("under 2 KB/s", steady(1900, 31), true),
            ("under 2 KB/s, but for 20 s only", steady(100, 20), false),
            ("a link dead for 20 s", [steady(20_000, 40), vec![(60, 800_000), (61, 820_000)]].concat(), false),
            ("a link dead for 29 s after a good start", [steady(20_000, 5), vec![(34, 100_000)]].concat(), false),
            ("slow, and fast again for a whole stretch", [steady(100, 31), vec![(62, 3_000_000)]].concat(), false),
        ];
        for (name, steps, expected) in cases {
            assert_eq!(is_slow(&steps), expected, "{name}");
        }
    }

    #[test]
    fn standing_still_is_counted_from_the_last_byte_that_arrived() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut progress = Progress::new(0, start);
        progress.note(10, after(5));
        progress.note(10, after(9));
        assert_eq!(progress.stood_still(after(20)), Duration::from_secs(15));
    }
}
