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

/// Decides for a driver that is older than `chosen` and checks now.
pub fn decide(track: &Track, chosen: Date, now: u32) -> Decision {
    match judge(track, chosen, now) {
        Decision::Hold(Hold::Taken { .. }) if was_restarted(track, now) => OFFER,
        decision => decision,
    }
}

/// The same for one that goes on as it did: what it is to expect.
pub fn judge(track: &Track, chosen: Date, now: u32) -> Decision {
    let round = &track.round;
    if let Some(cut) = track.cut_at {
        let ago = now.saturating_sub(cut);
        if ago < limits::CUT_HOLD_SECONDS {
            return Decision::Hold(Hold::Cut { ago, left: limits::CUT_HOLD_SECONDS - ago });
        }
    }
    let is_same = chosen <= round.version;
    let begun = round.running.saturating_add(if is_same { round.takes } else { 0 });
    // Who has just shown that it is another till may be one that repeats itself: not at once.
    let is_new = |taken_at| track.tills_at >= taken_at && now.saturating_sub(taken_at) < limits::EARLIEST_RETURN_SECONDS;
    if begun > 0 && begun < track.tills && !round.taken_at.is_some_and(is_new) {
        return OFFER_IN_ROUND;
    }
    if round.running > 0 {
        return Decision::Hold(Hold::Cut { ago: 0, left: limits::CUT_HOLD_SECONDS });
    }
    let Some(taken_at) = round.taken_at.filter(|_| is_same) else { return OFFER };
    let ago = now.saturating_sub(taken_at);
    if hold_time(track, taken_at, round.told_at) <= ago {
        return OFFER;
    }
    // From now on it is one that was told so.
    let left = hold_time(track, taken_at, Some(round.told_at.unwrap_or(now))).saturating_sub(ago);
    Decision::Hold(Hold::Taken { version: round.version, ago, left })
}

/// Notes what the driver is told.
pub fn apply(track: &mut Track, decision: Decision, chosen: Date, now: u32) {
    match decision {
        Decision::Offer { is_new_round } => {
            track.note_answer(Answered::Update, false, now);
            track.note_offer(chosen, now);
            // A newer version begins its round when it is taken: it may be withdrawn before.
            if is_new_round && chosen <= track.round.version {
                track.begin_round(chosen);
            }
        }
        Decision::Hold(hold) => {
            if matches!(hold, Hold::Cut { .. }) && track.round.running > 0 {
                track.overtake(now);
            }
            track.note_answer(Answered::NoUpdate, matches!(hold, Hold::Taken { .. }), now);
        }
    }
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

/// How many seconds from the first download of a round to the next round, for a driver that was told "no update" then.
fn hold_time(track: &Track, taken_at: u32, told_at: Option<u32>) -> u32 {
    let doublings = u32::from(track.round.number.saturating_sub(1)).min(16);
    let hold = (limits::HOLD_SECONDS << doublings).min(limits::LONGEST_HOLD_SECONDS);
    // Who is watched for a day shows that it was restarted, if it was. Offered sooner, during a shift, the version would be lost
    // again at the end of it where the PC or the program is closed then.
    let watched = match told_at {
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

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Date = 20171219;
    const VERSION: Date = 20260301;

    /// Plays a driver. Each word is a time in minutes and what happens then: a check (of a newer version: `newer`), a check
    /// before anything is published (`none`), or that a download begins, is taken whole, or is cut. `x10` after a word: ten
    /// times, one period of 10 minutes after the other. Returns what each check was told: an offer to all or in the round, or
    /// why it was held.
    fn play(script: &str) -> String {
        let (mut track, mut begun, mut told) = (Track::new(OLD, 0), 0, String::new());
        for word in script.split(' ') {
            let (minutes, what) = word.split_once(':').expect("a time");
            let (what, times) = what.split_once('x').map_or((what, 1), |(what, times)| (what, times.parse().expect("a number")));
            let minutes: f64 = minutes.parse().expect("minutes");
            for time in 0..times {
                let now = (minutes * 60.0) as u32 + time * 600;
                match what {
                    "none" => track.note_answer(Answered::NoUpdate, false, now),
                    "load" => begun = track.begin(),
                    "taken" => track.end(VERSION, true, begun, now),
                    "cut" => track.end(VERSION, false, begun, now),
                    "check" | "newer" => {
                        let chosen = if what == "newer" { VERSION + 1 } else { VERSION };
                        let decision = decide(&track, chosen, now);
                        apply(&mut track, decision, chosen, now);
                        told.push_str(match decision {
                            Decision::Offer { is_new_round: true } => "O",
                            Decision::Offer { is_new_round: false } => "o",
                            Decision::Hold(Hold::Taken { .. }) => "t",
                            Decision::Hold(Hold::Cut { .. }) => "c",
                            Decision::Hold(Hold::Mislabelled { .. }) => "m",
                        });
                    }
                    _ => panic!("{what}"),
                }
            }
        }
        told
    }

    #[test]
    fn drivers_are_offered_a_version_when_it_is_safe() {
        // After two regular hours without an update the driver is known to be one that checks every 10 minutes.
        let cases = [
            ("the first check", "0:check", "O"),
            ("an offer that was not loaded", "0:check 10:check", "OO"),
            ("taken: held", "0:check 0:load 1:taken 12:check", "Ot"),
            ("taken: a newer version", "0:check 0:load 1:taken 12:newer", "OO"),
            ("taken, and a newer one offered and withdrawn", "0:check 0:load 1:taken 12:newer 22:check", "OOt"),
            ("a newer one offered and withdrawn before", "0:newer 10:check 10:load 11:taken 22:check", "OOt"),
            ("cut: held for 10 minutes", "0:check 0:load 1:cut 1:check 10.9:check 11:check", "OccO"),
            ("overtaken: a cut", "0:check 0:load 1:check 10.9:check 11:check", "OccO"),
            ("overtaken and cut later: not held longer", "0:check 0:load 1:check 9:cut 11:check", "OcO"),
            (
                "overtaken and taken: there are two",
                "0:check 0:load 0.1:check 1:taken 10.1:check 10.1:load 11:taken 12:check",
                "Ocot",
            ),
            (
                "taken: held at once; but who came too soon was another",
                "0:check 0:load 1:taken 1.1:check 1.2:check 11:check",
                "Otto",
            ),
            (
                "held for 26 hours since it was told so",
                "0:check 0:load 1:taken 12:checkx157 1582:check",
                &("O".to_owned() + &"t".repeat(156) + "OO"),
            ),
            ("silent for 14 hours: a shift", "0:check 0:load 1:taken 840:check", "Ot"),
            ("silent for 15 hours", "0:check 0:load 1:taken 901:check", "OO"),
            ("known for a day and silent for 25 hours: a shift", "0:nonex200 2000:check 2000:load 2001:taken 3500:check", "Ot"),
            ("known for a day and silent for 26 hours", "0:nonex200 2000:check 2000:load 2001:taken 3561:check", "OO"),
            ("restarted: sooner than its period", "0:check 0:load 1:taken 12:checkx9 95:check", "OtttttttttO"),
            ("not restarted: 9 seconds sooner", "0:check 0:load 1:taken 12:checkx9 101.85:check", "Otttttttttt"),
            ("sent again: a second later", "0:check 0:load 1:taken 12:checkx9 92.01:check", "Otttttttttt"),
            ("restarted: a night", "0:check 0:load 1:taken 12:checkx9 400:check 410:check", "OtttttttttOO"),
            (
                "the same silence again",
                "0:check 0:load 1:taken 12:checkx9 400:check 400:load 401:taken 412:check 720:check",
                "OtttttttttOtt",
            ),
            ("a morning like the last", "0:nonex20 700:nonex20 900:check 900:load 901:taken 2140:check", "OO"),
            ("an evening", "0:nonex20 700:nonex20 900:check 900:load 901:taken 1660:check", "Ot"),
            (
                "two tills",
                "0:none 4:none 10:none 14:none 20:none 24:none 30:none 34:check 34:load 35:taken 40:check 40:load 41:taken 46:check 52:check",
                "Oott",
            ),
        ];
        for (name, script, expected) in cases {
            assert_eq!(play(script), expected, "{name}");
        }
    }

    #[test]
    fn reasons_are_told_as_the_log_shows_them() {
        let cases = [
            (Hold::Taken { version: VERSION, ago: 3 * 3600, left: 17 * 3600 }, "took 20260301 3 h ago, again in 17 h"),
            (Hold::Taken { version: VERSION, ago: 90, left: 3 * 86_400 }, "took 20260301 90 s ago, again in 3 d"),
            (Hold::Cut { ago: 0, left: 600 }, "download cut, again in 10 min"),
            (Hold::Cut { ago: 130, left: 470 }, "download cut 2 min ago, again in 7 min"),
            (
                Hold::Mislabelled { version: VERSION, build_date: 20260227 },
                "20260301 is built 27.02.2026, rename the folder to 20260227",
            ),
        ];
        for (hold, expected) in cases {
            assert_eq!(hold.to_string(), expected);
        }
    }
}
