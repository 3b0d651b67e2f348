//! Settling: a source (the settings, a version folder, a licence file) is taken when it has stood still for a while, so that
//! nothing is read while it is being copied. Pure: what a look saw and the time go in, what to do comes out.
//!
//! A state is whatever tells two looks apart; absence is a state like any other. States are compared for difference only, and
//! the time is the monotonic clock's: neither a file's dates nor the system's clock need be right.

use std::time::{Duration, Instant};

/// What a look at a source means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    /// It is what was taken: there is nothing to do.
    Settled,
    /// It changed too short a time ago: look again soon.
    Unsettled,
    /// It stands still and is not what was taken: take it now, and say so by `Source::take`.
    Changed,
}

/// What is known of one source.
#[derive(Debug, Clone)]
pub struct Source<S> {
    /// What the last look saw, and since when looks have seen the same.
    seen: Option<(S, Instant)>,
    /// What was taken.
    taken: Option<S>,
}

impl<S> Default for Source<S> {
    fn default() -> Source<S> {
        Source { seen: None, taken: None }
    }
}

impl<S: PartialEq> Source<S> {
    /// Notes what a look at `now` saw. A source that has been the same for `wait` has settled; one that is what was taken has
    /// too, however short a time ago it came back.
    pub fn look(&mut self, state: S, now: Instant, wait: Duration) -> Settling {
        if !self.seen.as_ref().is_some_and(|(seen, _)| *seen == state) {
            self.seen = Some((state, now));
        }
        self.judge(now, wait)
    }

    /// What the last look means at `now`, without another one: where the wait depends on what was read in the meantime.
    pub fn judge(&self, now: Instant, wait: Duration) -> Settling {
        match &self.seen {
            None => Settling::Unsettled,
            Some((seen, _)) if self.taken.as_ref() == Some(seen) => Settling::Settled,
            Some((_, since)) if now.saturating_duration_since(*since) >= wait => Settling::Changed,
            Some(_) => Settling::Unsettled,
        }
    }

    /// What the last look saw has been taken. Who could not take it (a read error, no memory) does not call this, and is told
    /// `Changed` again at the next look.
    pub fn take(&mut self)
    where
        S: Clone,
    {
        self.taken = self.seen.as_ref().map(|(seen, _)| seen.clone());
    }

    /// What the last look saw.
    pub fn seen(&self) -> Option<&S> {
        self.seen.as_ref().map(|(seen, _)| seen)
    }

    /// What was taken.
    pub fn taken(&self) -> Option<&S> {
        self.taken.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::Settling::{Changed, Settled, Unsettled};
    use super::*;

    /// Looks at given milliseconds, at what they see, with what they must say. `Changed` is taken unless it is refused.
    type Look = (u64, &'static str, Settling);

    fn run(wait: u64, refused: &[u64], looks: &[Look]) {
        let (start, mut source) = (Instant::now(), Source::default());
        for (time, state, expected) in looks {
            let now = start + Duration::from_millis(*time);
            let found = source.look(*state, now, Duration::from_millis(wait));
            assert_eq!(found, *expected, "at {time} of {looks:?}");
            if found == Changed && !refused.contains(time) {
                source.take();
                assert_eq!(source.taken(), Some(state));
            }
        }
    }

    #[test]
    fn a_source_is_taken_when_it_has_stood_still() {
        run(2000, &[], &[(0, "a", Unsettled), (500, "a", Unsettled), (1999, "a", Unsettled), (2000, "a", Changed)]);
        run(500, &[], &[(0, "a", Unsettled), (499, "a", Unsettled), (500, "a", Changed), (501, "a", Settled)]);
        // Each change begins the wait anew, the first look after a long pause too.
        run(2000, &[], &[(0, "a", Unsettled), (1900, "b", Unsettled), (3800, "b", Unsettled), (3900, "b", Changed)]);
        run(2000, &[], &[(0, "a", Unsettled), (60_000, "b", Unsettled), (62_000, "b", Changed), (99_000, "b", Settled)]);
        // One that keeps changing never settles.
        run(2000, &[], &[(0, "a", Unsettled), (1500, "b", Unsettled), (3000, "c", Unsettled), (4500, "d", Unsettled)]);
    }

    #[test]
    fn what_was_taken_is_settled_whenever_it_is_seen() {
        let taken = [(0, "a", Unsettled), (2000, "a", Changed)];
        let back_at_once = [(2500, "b", Unsettled), (3000, "a", Settled), (3500, "a", Settled)];
        run(2000, &[], &[&taken[..], &back_at_once].concat());
        let taken_anew = [(2500, "b", Unsettled), (4500, "b", Changed), (5000, "a", Unsettled), (7000, "a", Changed)];
        run(2000, &[], &[&taken[..], &taken_anew].concat());
    }

    #[test]
    fn what_could_not_be_taken_is_tried_again_at_every_look() {
        let looks = [(0, "a", Unsettled), (2000, "a", Changed), (2500, "a", Changed), (3000, "a", Changed), (3500, "a", Settled)];
        run(2000, &[2000, 2500], &looks);
    }

    #[test]
    fn a_clock_that_steps_back_delays_and_does_not_panic() {
        let start = Instant::now() + Duration::from_secs(60);
        let mut source = Source::default();
        assert_eq!(source.look("a", start, Duration::from_secs(2)), Unsettled);
        assert_eq!(source.look("a", start - Duration::from_secs(30), Duration::from_secs(2)), Unsettled);
        assert_eq!(source.judge(start + Duration::from_secs(2), Duration::from_secs(2)), Changed);
    }
}
