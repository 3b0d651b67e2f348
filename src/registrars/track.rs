//! What is known of one driver: an address with a build date. Times are seconds from the start of the server.

use super::tills::Gaps;
use crate::calendar::Date;
use crate::limits;

/// What a check was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answered {
    /// Nothing yet: the driver has never checked.
    #[default]
    Nothing,
    /// "No update": a running driver then sleeps exactly its period.
    NoUpdate,
    /// An update: then it may load, wait for the end of the shift, and flash, before it sleeps.
    Update,
}

/// A round: one offer to each till of an address and build date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// What is offered; 0 before the first round.
    pub version: Date,
    /// How often the version was taken whole in this round.
    pub takes: u8,
    /// Downloads of it under way.
    pub running: u8,
    /// End of the first download of the round, if there was one.
    pub taken_at: Option<u32>,
    /// The first check since then that was told "no update".
    pub told_at: Option<u32>,
    /// Which round of this version that is, counted from 1; rounds in which nobody took it do not count.
    pub number: u8,
}

/// One driver. What others do with the same address and date counts for the operator only (`seen_at`, `checks`, `copied`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Track {
    /// The date it reports.
    pub build_date: Date,
    /// Whether a driver ever reported it.
    pub is_driver: bool,
    /// Valid checks, of anybody.
    pub checks: u32,
    /// The last check of anybody.
    pub seen_at: u32,
    /// The driver's first check.
    pub first_at: u32,
    /// The driver's last check.
    pub checked_at: u32,
    /// What it was told.
    pub answered: Answered,
    /// What anybody was told last: a version and whether it was held back, or nothing; `None` before the first check.
    pub told: Option<Option<(Date, bool)>>,
    /// Version and time of the last offer to anybody, and how many there were.
    pub offered: Option<(Date, u32)>,
    /// Offers to anybody.
    pub offers: u32,
    /// Version and end of the last download of an image that was taken whole, by anybody, and how many there were.
    pub taken: Option<(Date, u32)>,
    /// Downloads taken whole, by anybody.
    pub takes: u32,
    /// The newest version that a driver took whole; 0 if none.
    pub installed: Date,
    /// The oldest one; 0 if none.
    pub oldest: Date,
    /// The round under way.
    pub round: Round,
    /// When its last download was cut.
    pub cut_at: Option<u32>,
    /// Counts the downloads that were overtaken by a check.
    pub overtaken: u8,
    /// Longest gap between its checks since it was first told "no update" instead of this version.
    pub longest: u32,
    /// The last time its PC was switched on in the morning.
    pub morning: Option<u32>,
    /// Recent gaps between its checks.
    pub gaps: Gaps,
    /// How many tills these checks come from, as far as it is known.
    pub tills: u8,
    /// When that showed last.
    pub tills_at: u32,
}

impl Track {
    /// A driver, or somebody else, that reports `build_date` for the first time.
    pub fn new(build_date: Date, now: u32) -> Track {
        Track { build_date, first_at: now, tills: 1, ..Track::default() }
    }

    /// Whether it is worth more than a check that anybody could send: it took a version as a driver.
    pub fn holds(&self) -> bool {
        self.installed > 0 || self.cut_at.is_some() || self.round.running > 0
    }

    /// Seconds since the driver's last check; `None` before the first.
    pub fn gap(&self, now: u32) -> Option<u32> {
        (self.answered != Answered::Nothing).then(|| now.saturating_sub(self.checked_at))
    }

    /// Notes a check of anybody.
    pub fn note_check(&mut self, now: u32) {
        self.seen_at = now;
        self.checks = self.checks.saturating_add(1);
    }

    /// Notes an offer to anybody.
    pub fn note_offer(&mut self, version: Date, now: u32) {
        self.offers = self.offers.saturating_add(1);
        self.offered = Some((version, now));
    }

    /// Notes what the driver's check was told; after `begin_round`, if the answer begins one.
    pub fn note_answer(&mut self, answer: Answered, is_held: bool, now: u32) {
        if !self.is_driver {
            (self.is_driver, self.first_at) = (true, now);
        }
        if let (Answered::NoUpdate, Some(gap)) = (self.answered, self.gap(now)) {
            self.note_gap(gap, now);
        }
        (self.answered, self.checked_at) = (answer, now);
        if let (true, Some(taken_at)) = (is_held, self.round.taken_at) {
            self.round.told_at.get_or_insert(now);
            if now.saturating_sub(taken_at) < limits::EARLIEST_RETURN_SECONDS {
                self.note_another_till(now);
            }
        }
    }

    fn note_gap(&mut self, gap: u32, now: u32) {
        // A driver that checks at most every few hours has no mornings.
        if gap > limits::NIGHT_SECONDS && self.gaps.count_tills().is_some() {
            self.morning = Some(now);
        }
        if self.round.number > 0 {
            self.longest = self.longest.max(gap);
        }
        self.gaps.push(gap);
        if let Some(tills) = self.gaps.count_tills() {
            // Fewer for a day: one that waits for the end of its shift does not check.
            if tills >= self.tills || now.saturating_sub(self.tills_at) > limits::WATCHED_SECONDS {
                (self.tills, self.tills_at) = (tills, now);
            }
        }
    }

    /// Begins a round: what was taken before counts no more.
    pub fn begin_round(&mut self, version: Date) {
        let number = if version == self.round.version { self.round.number } else { 0 };
        if number == 0 {
            self.longest = 0;
        }
        self.round = Round { version, number, ..Round::default() };
    }

    /// A check came while a download ran: it counts as cut, however it ends.
    pub fn overtake(&mut self, now: u32) {
        self.overtaken = self.overtaken.wrapping_add(1);
        self.round.running = 0;
        self.cut_at = Some(now);
    }

    /// A driver's download begins. Returns what `end` wants to know about it.
    pub fn begin(&mut self) -> u8 {
        self.round.running = self.round.running.saturating_add(1);
        self.overtaken
    }

    /// A driver's download ended: whole or cut. `begun` is what `begin` returned.
    pub fn end(&mut self, version: Date, is_whole: bool, begun: u8, now: u32) {
        let is_overtaken = begun != self.overtaken;
        if !is_overtaken {
            self.round.running = self.round.running.saturating_sub(1);
        }
        if !is_whole {
            // The check that overtook it was told so already.
            if !is_overtaken {
                self.cut_at = Some(now);
            }
            return;
        }
        self.cut_at = None;
        self.oldest = if self.installed == 0 { version } else { self.oldest.min(version) };
        self.installed = self.installed.max(version);
        if version > self.round.version {
            let running = self.round.running;
            self.begin_round(version);
            self.round.running = running;
        }
        if version < self.round.version {
            return;
        }
        if self.round.takes == 0 {
            self.round.number = self.round.number.saturating_add(1);
            self.round.taken_at = Some(now);
        }
        self.round.takes = self.round.takes.saturating_add(1);
        if is_overtaken {
            // So the check that came meanwhile was another's.
            self.note_another_till(now);
        }
    }

    /// There are two tills at least, or one that was restarted: one more may have what was taken in this round.
    fn note_another_till(&mut self, now: u32) {
        (self.tills, self.tills_at) = (self.tills.max(2), now);
    }
}
