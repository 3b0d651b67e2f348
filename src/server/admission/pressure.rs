//! How many connections are asked to make room at a time. Pure: time is an argument.

use std::collections::VecDeque;
use std::time::Instant;

use crate::limits;

/// What happened at the door of late.
#[derive(Debug, Default)]
pub struct Pressure {
    /// How many places are to be freed at a time; 0 while nobody has had to wait.
    demand: usize,
    /// When a newcomer last found no place, or waited for one.
    waited_at: Option<Instant>,
    /// When connections were asked to leave, and how many, in the last `limits::ASKED_TIME`.
    asked: VecDeque<(Instant, usize)>,
}

impl Pressure {
    /// A newcomer found no place: the demand doubles, up to half the places. One at a time would be too few behind a crowd that
    /// takes each place again.
    pub fn note_arrival(&mut self, places: usize, now: Instant) {
        let is_quiet = self.waited_at.is_none_or(|at| now.saturating_duration_since(at) >= limits::QUIET_TIME);
        self.demand = if is_quiet { 1 } else { (self.demand * 2).clamp(1, (places / 2).max(1)) };
        self.waited_at = Some(now);
    }

    /// How many more to ask now, while `waiting` newcomers are at the door.
    pub fn quota(&mut self, waiting: usize, now: Instant) -> usize {
        self.waited_at = Some(now);
        while self.asked.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= limits::ASKED_TIME) {
            self.asked.pop_front();
        }
        let asked: usize = self.asked.iter().map(|(_, count)| count).sum();
        self.demand.max(waiting).saturating_sub(asked)
    }

    /// Notes that so many were asked.
    pub fn note_asked(&mut self, count: usize, now: Instant) {
        if count > 0 {
            self.asked.push_back((now, count));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn demand_doubles_with_each_newcomer_and_rests_after_a_quiet_second() {
        let start = Instant::now();
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut pressure = Pressure::default();
        pressure.note_arrival(64, start);
        assert_eq!(pressure.quota(1, start), 1);
        pressure.note_asked(1, start);
        assert_eq!(pressure.quota(1, after(10)), 0, "one has been asked");
        for expected in [2, 4, 8, 16, 32, 32] {
            pressure.note_arrival(64, after(20));
            assert_eq!(pressure.quota(1, after(20)), expected - 1);
        }
        assert_eq!(pressure.quota(1, after(500)), 32, "those who were asked have left or never will");
        assert_eq!(pressure.quota(40, after(500)), 40, "as many as wait");
        pressure.note_arrival(64, after(1500));
        assert_eq!(pressure.quota(1, after(1500)), 1, "after a quiet second");
    }
}
