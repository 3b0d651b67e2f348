//! The states a registrar may be in.

use super::memory::{Known, Transfer};
use super::track::Track;
use crate::calendar::Date;
use crate::limits;

/// How a build date at an address stands to what is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The version it would be offered, newer than its date.
    pub version: Option<Date>,
    /// Whether that is critical for it.
    pub is_critical: bool,
}

/// The states in the order of need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It shows that a folder's name is later than the firmware in it.
    Mislabelled,
    /// It took the version two days ago or more, or its last downloads were cut, and it is still old.
    Stuck,
    /// Its next check tells it to flash at once.
    Critical,
    /// Its next check offers it an update.
    Offered,
    /// It is loading.
    Downloading,
    /// Its download was cut; it will be offered anew.
    Cut,
    /// It has the update and waits for its shift to close.
    Taken,
    /// Nothing newer is offered to it.
    UpToDate,
    /// It was not seen for two days.
    Silent,
    /// No driver, and checked fewer than three times: somebody tries something. Does not count.
    Trial,
}

/// Number of states, trials included.
pub const STATES: usize = 10;

impl State {
    /// All of them, in their order.
    pub const ALL: [State; STATES] = [
        State::Mislabelled,
        State::Stuck,
        State::Critical,
        State::Offered,
        State::Downloading,
        State::Cut,
        State::Taken,
        State::UpToDate,
        State::Silent,
        State::Trial,
    ];

    /// The name in `/status`.
    pub fn name(self) -> &'static str {
        match self {
            State::Mislabelled => "mislabelled",
            State::Stuck => "stuck",
            State::Critical => "critical",
            State::Offered => "update_offered",
            State::Downloading => "downloading",
            State::Cut => "cut",
            State::Taken => "taken",
            State::UpToDate => "up_to_date",
            State::Silent => "silent",
            State::Trial => "trial",
        }
    }
}

/// The state of a build date at an address.
pub fn find_state(known: &Known, track: &Track, standing: Standing, now: u32) -> State {
    let Standing { version, is_critical } = standing;
    let silence = now.saturating_sub(known.seen_at);
    let has_taken = |at_least: u32| {
        track
            .taken
            .is_some_and(|(taken, at)| version.is_some_and(|version| version <= taken) && now.saturating_sub(at) >= at_least)
    };
    let download = known.download.filter(|download| Some(download.version) == version).map(|download| download.transfer);
    if known.present_mislabel().is_some() {
        State::Mislabelled
    } else if !track.is_driver && track.checks < limits::TRIAL_CHECKS {
        State::Trial
    } else if version.is_some() && (has_taken(limits::STUCK_SECONDS) || known.cuts >= limits::STUCK_CUTS) {
        State::Stuck
    } else if silence >= limits::SILENT_SECONDS {
        State::Silent
    } else if version.is_none() {
        State::UpToDate
    } else if download == Some(Transfer::Running) {
        State::Downloading
    } else if download == Some(Transfer::Cut) {
        State::Cut
    } else if has_taken(0) {
        State::Taken
    } else if is_critical {
        State::Critical
    } else {
        State::Offered
    }
}
