//! The limiter of repetitions: under attack the log must stay readable and small, so what happens again and again is counted
//! instead of repeated. Pure: it knows neither clocks nor lines.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

/// How much is written before the counting begins.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Keys told apart at a time; further ones are counted together, as "others", so that none is blamed for another.
    pub keys: usize,
    /// Lines for each key, and for the others together, in one period.
    pub each: u32,
    /// Lines for all keys together in one period.
    pub in_all: u32,
    /// Length of a period.
    pub period: Duration,
    /// Whether a key that was counted has lines again in the next period.
    pub is_renewed: bool,
}

/// What was not written of one key in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count<K> {
    /// `None`: of several keys that were not told apart.
    pub key: Option<K>,
    pub more: u32,
    /// Length of the period.
    pub seconds: u64,
}

struct Counter {
    /// Lines that may still be written.
    left: u32,
    more: u32,
}

/// Counters of one period. It begins with the first line after quiet.
pub struct Repeats<K> {
    allowance: Allowance,
    since: Option<Instant>,
    left_in_all: u32,
    /// Sorted by key.
    counters: Vec<(K, Counter)>,
    others: Counter,
}

impl<K: Ord + Clone> Repeats<K> {
    pub fn new(allowance: Allowance) -> Repeats<K> {
        let others = Counter { left: allowance.each, more: 0 };
        Repeats { allowance, since: None, left_in_all: allowance.in_all, counters: Vec::new(), others }
    }

    /// Counts one more line of `key`; returns whether it is to be written.
    pub fn count(&mut self, key: K, now: Instant) -> bool {
        self.since.get_or_insert(now);
        let counter = match self.counters.binary_search_by(|(known, _)| known.cmp(&key)) {
            Ok(at) => &mut self.counters[at].1,
            Err(at) if self.counters.len() < self.allowance.keys => {
                self.counters.insert(at, (key, Counter { left: self.allowance.each, more: 0 }));
                &mut self.counters[at].1
            }
            Err(_) => &mut self.others,
        };
        if counter.left > 0 && self.left_in_all > 0 {
            counter.left -= 1;
            self.left_in_all -= 1;
            true
        } else {
            counter.more = counter.more.saturating_add(1);
            false
        }
    }

    /// Ends the period if its time is over, or at once if `is_end`; returns what was not written in it, most first, and at most
    /// `most` keys. Who was counted gets no lines in the next period, only the count, unless the allowance is renewed: so whoever
    /// goes on for days does not push everything else out of the log.
    pub fn take_counts(&mut self, now: Instant, most: usize, is_end: bool) -> Vec<Count<K>> {
        let Some(since) = self.since else { return Vec::new() };
        let time = now.saturating_duration_since(since);
        if !is_end && time < self.allowance.period {
            return Vec::new();
        }
        let seconds = time.as_secs();
        let left_after_count = if self.allowance.is_renewed { self.allowance.each } else { 0 };
        let mut counts = Vec::new();
        self.counters.retain_mut(|(key, counter)| {
            let more = std::mem::take(&mut counter.more);
            counter.left = left_after_count;
            if more > 0 {
                counts.push(Count { key: Some(key.clone()), more, seconds });
            }
            more > 0
        });
        counts.sort_unstable_by_key(|count| Reverse(count.more));
        let unnamed = counts.iter().skip(most).map(|count| count.more);
        let others = unnamed.fold(self.others.more, u32::saturating_add);
        counts.truncate(most);
        self.others = Counter { left: if self.others.more > 0 { left_after_count } else { self.allowance.each }, more: 0 };
        self.left_in_all = self.allowance.in_all;
        self.since = (!counts.is_empty() || others > 0).then_some(now);
        if others > 0 {
            counts.push(Count { key: None, more: others, seconds });
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn repeats<K: Ord + Clone>(keys: usize, each: u32) -> Repeats<K> {
        Repeats::new(Allowance { keys, each, in_all: 1000, period: MINUTE, is_renewed: false })
    }

    /// How many of `lines` lines of `key` are written.
    fn count<K: Ord + Clone>(repeats: &mut Repeats<K>, key: &K, lines: u32, now: Instant) -> usize {
        (0..lines).filter(|_| repeats.count(key.clone(), now)).count()
    }

    #[test]
    fn lines_past_the_allowance_are_counted_and_told_once_a_period() {
        // Lines, and what is written of them.
        for (lines, written, more) in [(1, 1, 0), (10, 10, 0), (11, 10, 1), (100, 10, 90)] {
            let (start, mut repeats) = (Instant::now(), repeats(4, 10));
            assert_eq!(count(&mut repeats, &"a", lines, start), written);
            assert_eq!(repeats.take_counts(start + MINUTE - Duration::from_secs(1), 9, false), []);
            let expected: &[_] = if more > 0 { &[Count { key: Some("a"), more, seconds: 61 }] } else { &[] };
            assert_eq!(repeats.take_counts(start + MINUTE + Duration::from_secs(1), 9, false), expected);
            assert_eq!(repeats.take_counts(start + 2 * MINUTE, 9, true), []);
        }
    }

    #[test]
    fn an_allowance_that_is_renewed_gives_lines_in_each_period() {
        for (is_renewed, written) in [(false, 0), (true, 10)] {
            let start = Instant::now();
            let mut repeats = Repeats::new(Allowance { is_renewed, ..repeats::<&str>(4, 10).allowance });
            assert_eq!(count(&mut repeats, &"a", 20, start), 10);
            assert_eq!(repeats.take_counts(start + MINUTE, 9, false).len(), 1);
            assert_eq!(count(&mut repeats, &"a", 20, start + MINUTE), written);
        }
    }

    #[test]
    fn each_key_has_its_own_allowance() {
        let (start, mut repeats) = (Instant::now(), repeats(4, 10));
        assert_eq!(count(&mut repeats, &("404", 1), 50, start), 10);
        assert_eq!(count(&mut repeats, &("400", 1), 5, start), 5);
        assert_eq!(count(&mut repeats, &("404", 2), 12, start), 10);
        let counts = repeats.take_counts(start + MINUTE, 9, false);
        assert_eq!(
            counts.iter().map(|count| (count.key, count.more)).collect::<Vec<_>>(),
            [(Some(("404", 1)), 40), (Some(("404", 2)), 2)]
        );
    }

    #[test]
    fn whoever_goes_on_is_only_counted_until_a_quiet_period() {
        let (start, mut repeats) = (Instant::now(), repeats(4, 10));
        assert_eq!(count(&mut repeats, &"a", 20, start), 10);
        for minute in 1..5 {
            let now = start + MINUTE * minute;
            assert_eq!(repeats.take_counts(now, 9, false).len(), 1);
            assert_eq!(count(&mut repeats, &"a", 20, now), 0, "minute {minute}");
            assert_eq!(count(&mut repeats, &"b", 1, now), 1, "who comes now and then always has its line");
        }
        assert_eq!(repeats.take_counts(start + MINUTE * 5, 9, false), [Count { key: Some("a"), more: 20, seconds: 60 }]);
        assert_eq!(repeats.take_counts(start + MINUTE * 6, 9, false), []);
        assert_eq!(count(&mut repeats, &"a", 20, start + MINUTE * 7), 10);
    }

    #[test]
    fn nobody_is_blamed_for_others_when_the_table_is_full() {
        let (start, mut repeats) = (Instant::now(), repeats(64, 10));
        for address in 0..63 {
            assert_eq!(count(&mut repeats, &address, 1, start), 1);
        }
        let written: usize = (100..200).map(|address| count(&mut repeats, &address, 3, start)).sum();
        assert_eq!(written, 3 + 10, "one of them has the last place, the others share one allowance");
        let counts = repeats.take_counts(start + MINUTE, 9, false);
        assert_eq!(counts, [Count { key: None, more: 300 - 13, seconds: 60 }]);
    }

    #[test]
    fn the_most_frequent_are_named_and_the_rest_is_summed() {
        let (start, mut repeats) = (Instant::now(), repeats(64, 1));
        for key in 1..=5 {
            count(&mut repeats, &key, 1 + key, start);
        }
        let counts = repeats.take_counts(start, 2, true);
        assert_eq!(
            counts.iter().map(|count| (count.key, count.more)).collect::<Vec<_>>(),
            [(Some(5), 5), (Some(4), 4), (None, 6)]
        );
    }

    #[test]
    fn however_many_keys_there_are_memory_and_lines_are_bounded() {
        let (start, mut repeats) = (Instant::now(), Repeats::new(Allowance { in_all: 100, ..repeats::<u32>(64, 10).allowance }));
        let written: usize = (0..10_000).map(|key| count(&mut repeats, &key, 20, start)).sum();
        assert_eq!((written, repeats.counters.len()), (100, 64));
        assert_eq!(count(&mut repeats, &1, 1, start + MINUTE), 0, "the period lasts until it is taken");
        repeats.take_counts(start + MINUTE, 9, false);
        assert_eq!(count(&mut repeats, &-1, 20, start + MINUTE), 0, "the table is full of those who were counted");
        repeats.take_counts(start + MINUTE * 2, 9, false);
        repeats.take_counts(start + MINUTE * 3, 9, false);
        assert_eq!(count(&mut repeats, &-1, 20, start + MINUTE * 3), 10);
    }

    #[test]
    fn a_clock_that_jumps_does_no_harm() {
        let (start, mut repeats) = (Instant::now() + MINUTE, repeats(64, 1));
        assert_eq!(count(&mut repeats, &"a", 5, start), 1);
        assert_eq!(repeats.take_counts(start - MINUTE, 9, false), []);
        assert_eq!(repeats.take_counts(start + 1000 * MINUTE, 9, false), [Count { key: Some("a"), more: 4, seconds: 60_000 }]);
    }
}
