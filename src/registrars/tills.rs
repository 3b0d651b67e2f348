//! How many tills with one build date stand behind one address: read from the gaps between their checks.

/// Gaps that are kept: enough to see ten tills go round twice.
pub const GAPS: usize = 24;
/// Tills that can be told apart in so many gaps.
const MOST: usize = (GAPS - 2) / 2;
/// After a longer gap the PCs were off, and the round begins anew.
const ROUND_BREAK: u16 = 3600;
/// Longest round of several tills that is believed: drivers check every 5 to 10 minutes, and a program that is restarted again and
/// again has rounds as well.
const LONGEST_ROUND: u32 = 1200;
/// Shortest usual period: of more tills than can be told apart there are at least so many as make their checks come so fast.
const USUAL_PERIOD: u32 = 300;
/// How much a round may differ from the next: seconds are whole, and a check may have waited a little.
const TOLERANCE: u32 = 5;

/// The last gaps between the checks of one address and build date, in seconds, the latest one last. Only those that follow "no
/// update": then a running driver sleeps exactly its period, which neither a download nor an open shift prolongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gaps {
    gaps: [u16; GAPS],
    count: u8,
    /// What they show.
    tills: Option<u8>,
}

impl Gaps {
    /// Adds the latest gap.
    pub fn push(&mut self, seconds: u32) {
        let seconds = u16::try_from(seconds).unwrap_or(u16::MAX);
        if seconds > ROUND_BREAK {
            *self = Gaps::default();
            return;
        }
        if usize::from(self.count) == GAPS {
            self.gaps.rotate_left(1);
            self.count -= 1;
        }
        if let Some(gap) = self.gaps.get_mut(usize::from(self.count)) {
            *gap = seconds;
            self.count += 1;
        }
        let gaps = self.gaps.get(..usize::from(self.count)).unwrap_or_default();
        let tills = (1..=MOST).find(|tills| is_round_of(gaps, *tills)).or_else(|| count_crowd(gaps));
        self.tills = tills.and_then(|tills| u8::try_from(tills).ok());
    }

    /// The latest gap.
    pub fn last(&self) -> Option<u32> {
        self.gaps.get(..usize::from(self.count))?.last().map(|gap| u32::from(*gap))
    }

    /// Number of tills, if the gaps show it: of n drivers that each sleep the same time, every n gaps in a row last equally long.
    pub fn count_tills(&self) -> Option<u8> {
        self.tills
    }
}

/// Whether, going by the last two rounds and a bit, every `tills` gaps in a row last equally long.
fn is_round_of(gaps: &[u16], tills: usize) -> bool {
    let Some(recent) = gaps.len().checked_sub(2 * tills + 2).and_then(|start| gaps.get(start..)) else { return false };
    let rounds = recent.windows(tills).map(|round| round.iter().map(|gap| u32::from(*gap)).sum::<u32>());
    let (shortest, longest) = rounds.fold((u32::MAX, 0), |(shortest, longest), round| (shortest.min(round), longest.max(round)));
    // A period is set in whole minutes; the check itself takes a moment.
    let is_period = tills == 1 || longest <= LONGEST_ROUND && longest % 60 <= TOLERANCE;
    is_period && longest - shortest.min(longest) <= TOLERANCE
}

/// How many tills there are at least where no round shows, because there are too many.
fn count_crowd(gaps: &[u16]) -> Option<usize> {
    let seconds = gaps.iter().map(|gap| u32::from(*gap)).sum::<u32>().max(1);
    let tills = GAPS * USUAL_PERIOD as usize / seconds as usize;
    // Fewer would have shown their round, and a program that is restarted again and again is not that fast.
    (gaps.len() == GAPS && tills > MOST / 2).then_some(tills)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tills_are_counted_by_the_gaps_between_their_checks() {
        let ten = [7, 61, 12, 133, 40, 96, 30, 81, 59, 81];
        let cases: [(&str, &[u32], usize, Option<u8>); 12] = [
            ("nothing is known", &[], 1, None),
            ("too few", &[600], 3, None),
            ("one", &[600, 601], 2, Some(1)),
            ("one that was restarted", &[600, 600, 233, 600, 601, 600, 600], 1, Some(1)),
            ("one that takes 3 s for a check", &[603], 4, Some(1)),
            ("one that is restarted every 48 minutes", &[600, 600, 600, 600, 258], 4, None),
            ("one that is restarted every 11 minutes", &[600, 72], 4, None),
            ("two on one PC", &[5, 595], 3, Some(2)),
            ("two", &[251, 350], 3, Some(2)),
            ("three", &[100, 300, 200], 3, Some(3)),
            ("ten", &ten, 3, Some(10)),
            ("two after a night", &[600, 600, 600, 600, 36_000, 5, 595, 5, 595, 5, 595], 1, Some(2)),
        ];
        for (name, round, times, expected) in cases {
            let mut gaps = Gaps::default();
            (0..times).flat_map(|_| round).for_each(|gap| gaps.push(*gap));
            assert_eq!(gaps.count_tills(), expected, "{name}");
        }
        let mut gaps = Gaps::default();
        [13, 900, 77, 20, 411, 5, 88, 1300, 2, 640, 31, 7, 99].into_iter().for_each(|gap| gaps.push(gap));
        assert_eq!(gaps.count_tills(), None, "no order");
        // Thirty that check about every 10 minutes: about half, as if they checked every 5.
        let mut gaps = Gaps::default();
        (0..30).for_each(|till| gaps.push(till * 7 % 30 + 6));
        assert_eq!(gaps.count_tills(), Some(14));
    }
}
