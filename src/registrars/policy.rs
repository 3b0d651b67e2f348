//! Whether a driver is offered a version now, or told "no update" for a while: a function of what is known of it, the version
//! and the time. Why each rule is there follows from what the driver does (CLIENTS.md): it reports the build date it read when it
//! was started, flashes whatever it loaded, and sleeps a whole period after each answer.

use std::fmt;

use super::track::{Answered, Track};
use crate::calendar::{Date, format_build_date};
use crate::limits;

/// What a check is told when there is a newer version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Offer it; `is_new_round`: all tills behind this address may have it (again).
    Offer {
        /// Whether what was taken before counts no more.
        is_new_round: bool,
    },
    /// "No update".
    Hold(Hold),
}

/// Why a driver is told "no update" although there is one, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It took this version or a newer one so many seconds ago, and may have it again in so many.
    Taken {
        /// What it took.
        version: Date,
        /// Seconds since.
        ago: u32,
        /// Seconds until it is offered again, unless it shows earlier that it was restarted.
        left: u32,
    },
    /// Its download was cut, or is overtaken by this check.
    Cut {
        /// Seconds since.
        ago: u32,
        /// Seconds until it is offered again.
        left: u32,
    },
    /// The firmware in the folder is older than the folder's name: it would be flashed for ever.
    Mislabelled {
        /// The folder.
        version: Date,
        /// What the registrar reported after it took that version.
        build_date: Date,
    },
}

const OFFER: Decision = Decision::Offer { is_new_round: true };
const OFFER_IN_ROUND: Decision = Decision::Offer { is_new_round: false };

/// Decides for a driver that is older than `chosen`.
pub fn decide(track: &Track, chosen: Date, now: u32) -> Decision {
    let round = &track.round;
    if let Some(cut) = track.cut_at {
        let ago = now.saturating_sub(cut);
        if ago < limits::CUT_HOLD_SECONDS {
            return Decision::Hold(Hold::Cut { ago, left: limits::CUT_HOLD_SECONDS - ago });
        }
    }
    let is_same = chosen <= round.version;
    let begun = round.takes.saturating_add(round.running);
    if is_same && begun > 0 && begun < track.tills {
        return OFFER_IN_ROUND;
    }
    if round.running > 0 {
        return Decision::Hold(Hold::Cut { ago: 0, left: limits::CUT_HOLD_SECONDS });
    }
    let Some(taken_at) = round.taken_at.filter(|_| is_same) else { return OFFER };
    let ago = now.saturating_sub(taken_at);
    if ago < limits::SHORTEST_PERIOD_SECONDS - limits::PERIOD_SLACK_SECONDS {
        // Who took it sleeps, waits or flashes: this is another till, or a driver that was restarted.
        return OFFER_IN_ROUND;
    }
    if was_restarted(track, now) {
        return OFFER;
    }
    let left = hold_time(track, taken_at).saturating_sub(ago);
    if left == 0 { OFFER } else { Decision::Hold(Hold::Taken { version: round.version, ago, left }) }
}

/// Whether the driver was started since its last check: then its date is fresh, and a version that it took was never flashed.
fn was_restarted(track: &Track, now: u32) -> bool {
    let Some(gap) = track.gap(now) else { return false };
    let is_regular = track.gaps.count_tills().is_some();
    let is_long = gap > limits::NIGHT_SECONDS;
    let is_morning = track.morning.is_some_and(|morning| {
        let off = now.saturating_sub(morning) % 86_400;
        off.min(86_400 - off) <= limits::MORNING_SECONDS
    });
    if is_long && is_morning && is_regular {
        return true;
    }
    // After an offer hours of silence are normal: it waits for the end of the shift.
    if track.answered != Answered::NoUpdate || gap < limits::REPETITION_SECONDS {
        return false;
    }
    let is_early = track.tills == 1 && track.gaps.last().is_some_and(|last| gap + limits::PERIOD_SLACK_SECONDS < last);
    (is_early && is_regular) || (is_long && gap > track.longest.saturating_mul(2))
}

/// How many seconds from the first download of a round to the next round.
fn hold_time(track: &Track, taken_at: u32) -> u32 {
    let round = &track.round;
    let doublings = u32::from(round.number.saturating_sub(1)).min(16);
    let hold = (limits::HOLD_SECONDS << doublings).min(limits::LONGEST_HOLD_SECONDS);
    // Who is watched for a day shows that it was restarted, if it was. Offered sooner, during a shift, the version would be lost
    // again at the end of it where the PC or the program is closed then.
    let watched = match round.told_at {
        Some(told_at) => told_at.saturating_sub(taken_at).saturating_add(limits::WATCHED_SECONDS),
        None if taken_at.saturating_sub(track.first_at) > limits::WATCHED_SECONDS => limits::WATCHED_SECONDS,
        None => limits::SHIFT_SECONDS,
    };
    hold.max(watched)
}

impl fmt::Display for Hold {
    /// For the log: `took 20260301 3 h ago, again in 17 h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Hold::Taken { version, ago, left } => {
                write!(f, "took {version} {} ago, again in {}", Span(ago), Span(left))
            }
            Hold::Cut { ago: 0, left } => write!(f, "download cut, again in {}", Span(left)),
            Hold::Cut { ago, left } => write!(f, "download cut {} ago, again in {}", Span(ago), Span(left)),
            Hold::Mislabelled { version, build_date } => {
                write!(f, "{version} is built {}, rename the folder to {build_date:08}", format_build_date(build_date))
            }
        }
    }
}

/// Seconds in the largest unit there are at least two of.
struct Span(u32);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds @ 0..120 => write!(f, "{seconds} s"),
            seconds @ 120..7200 => write!(f, "{} min", seconds / 60),
            seconds @ 7200..172_800 => write!(f, "{} h", seconds / 3600),
            seconds => write!(f, "{} d", seconds / 86_400),
        }
    }
}
