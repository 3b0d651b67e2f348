//! Fresh numbers for offers. The driver names the folder on its PC by such a number, and a number that it never saw is a folder
//! that is empty (CLIENTS.md).

use std::hash::{BuildHasher, RandomState};

/// The smallest number: above every version that is a date.
pub const FIRST: u32 = 1 << 30;
/// The largest one, which the driver's signed 32 bits hold.
pub const LAST: u32 = (1 << 31) - 2;

/// How many there are. Its prime factors are 3, 7, 11, 31, 151 and 331.
const SPAN: u32 = LAST - FIRST + 1;

/// Numbers from `FIRST` to `LAST`, none of them twice in a run. Where they begin and how far they step is drawn at random by the
/// system: neither a counter nor the clock would do, since both repeat after a restart.
pub struct Numbers {
    /// From 0 to `SPAN` − 1.
    place: u32,
    step: u32,
}

impl Default for Numbers {
    fn default() -> Numbers {
        let keys = RandomState::new();
        let random = |number: u8| (keys.hash_one(number) % u64::from(SPAN)) as u32;
        let is_coprime = |step: &u32| [3, 7, 11, 31, 151, 331].iter().all(|factor| !step.is_multiple_of(*factor));
        // A step without a common factor leads through all numbers before the first one comes again. Every tenth will not do.
        let step = (1..=u8::MAX).map(random).find(|step| *step > 0 && is_coprime(step)).unwrap_or(1);
        Numbers { place: random(0), step }
    }
}

impl Numbers {
    /// The next one.
    pub fn draw(&mut self) -> u32 {
        // Both are below 2^30.
        self.place = (self.place + self.step) % SPAN;
        FIRST + self.place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_fit_the_driver_and_none_comes_twice_in_a_run() {
        let mut numbers = Numbers::default();
        let seen: BTreeSet<_> = (0..100_000).map(|_| numbers.draw()).collect();
        assert_eq!(seen.len(), 100_000);
        assert!(seen.first() >= Some(&FIRST) && seen.last() <= Some(&LAST) && LAST < i32::MAX as u32);
    }

    #[test]
    fn numbers_of_one_run_are_not_those_of_the_next() {
        let seen: BTreeSet<_> = (0..100)
            .flat_map(|_| {
                let mut numbers = Numbers::default();
                (0..10).map(move |_| numbers.draw())
            })
            .collect();
        // Of a thousand numbers out of a thousand million two are equal in one of two thousand runs.
        assert!(seen.len() >= 990, "{}", seen.len());
        let middle = FIRST + SPAN / 2;
        assert!((300..700).contains(&seen.iter().filter(|number| **number < middle).count()), "both halves are used");
    }
}
