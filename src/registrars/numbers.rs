//! Fresh numbers for offers. The driver names the folder on its PC by such a number, and a number that it never saw is a folder
//! that is empty (CLIENTS.md).

use std::hash::{BuildHasher, RandomState};

/// The smallest number: above every version that is a date.
pub const FIRST: u32 = 1 << 30;
/// The largest one, which the driver's signed 32 bits hold.
pub const LAST: u32 = (1 << 31) - 2;

/// Numbers from `FIRST` to `LAST` in no order that anybody could foresee. They come from keys that the system draws at random
/// once: neither a counter nor the clock would do, since both repeat after a restart.
#[derive(Default)]
pub struct Numbers {
    keys: RandomState,
    drawn: u64,
}

impl Numbers {
    /// The next one.
    pub fn draw(&mut self) -> u32 {
        self.drawn = self.drawn.wrapping_add(1);
        let span = u64::from(LAST - FIRST) + 1;
        FIRST + (self.keys.hash_one(self.drawn) % span) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_fit_the_driver_and_repeat_neither_in_a_run_nor_in_the_next() {
        let mut seen = BTreeSet::new();
        for _ in 0..100 {
            let mut numbers = Numbers::default();
            seen.extend((0..10).map(|_| numbers.draw()));
        }
        // Of a thousand numbers out of a thousand million two are equal in one of two thousand runs.
        assert!(seen.len() >= 999, "{}", seen.len());
        assert!(seen.first() >= Some(&FIRST) && seen.last() <= Some(&LAST) && LAST < i32::MAX as u32);
        let middle = FIRST + (LAST - FIRST) / 2;
        assert!((400..600).contains(&seen.iter().filter(|number| **number < middle).count()), "both halves are used");
    }
}
