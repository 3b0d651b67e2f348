//! How each registrar stands, for the page and for `/status`.

use std::net::IpAddr;

use super::finding::{self, Finding};
use super::memory::{Known, LastDownload, Memory, Transfer};
use super::totals::Totals;
use super::track::Track;
use crate::calendar::{Date, format_build_date};
use crate::limits;
use crate::problem::{Problem, registrars as texts};

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

/// One address. Times are seconds from the start of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registrar {
    /// Where it asks from.
    pub address: IpAddr,
    /// How it stands; of several tills the one in the greatest need.
    pub state: State,
    /// The date that one reported.
    pub build_date: Date,
    /// All dates seen at this address lately, the latest check first.
    pub build_dates: Vec<Date>,
    /// How many tills are behind this address, as far as it shows; 1 as a rule.
    pub tills: usize,
    /// Whether it is the JavaPOS driver.
    pub is_driver: bool,
    /// The last check or download.
    pub seen_at: u32,
    /// How often it was offered an update, and when last.
    pub offers: u32,
    /// The same.
    pub offered_at: Option<u32>,
    /// How often it took a version whole, and when last.
    pub takes: u32,
    /// The same.
    pub taken_at: Option<u32>,
    /// The last download of an image.
    pub download: Option<LastDownload>,
    /// What to do about it, or what will happen, if there is anything to say.
    pub advice: Option<Problem>,
}

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// By state, then build date, then address.
    pub registrars: Vec<Registrar>,
    /// Number of registrars in each state, by `state as usize`.
    pub counts: [usize; STATES],
    /// What an operator should see to.
    pub findings: Vec<Finding>,
    /// What happened since the start.
    pub totals: Totals,
}

impl Snapshot {
    /// Registrars without the trials.
    pub fn count(&self) -> usize {
        self.registrars.len() - self.counts[State::Trial as usize]
    }
}

/// Takes it under the memory's lock.
pub fn take(memory: &Memory, totals: Totals, now: u32, judge: impl Fn(IpAddr, Date) -> Standing) -> Snapshot {
    let mut counts = [0; STATES];
    let registrars = memory.all().iter().filter_map(|known| describe(known, now, &judge));
    let mut registrars: Vec<_> = registrars.inspect(|registrar| counts[registrar.state as usize] += 1).collect();
    registrars.sort_unstable_by_key(|registrar| (registrar.state, registrar.build_date, registrar.address));
    Snapshot { registrars, counts, findings: finding::list(memory, now), totals }
}

fn describe(known: &Known, now: u32, judge: &impl Fn(IpAddr, Date) -> Standing) -> Option<Registrar> {
    let mut tracks: Vec<&Track> = known.tracks.iter().collect();
    tracks.sort_by_key(|track| std::cmp::Reverse(track.seen_at));
    let latest = *tracks.first()?;
    // An address is as old as its latest check says, unless it is several tills: a date that was left behind needs nothing.
    let is_alive = |track: &&&Track| {
        std::ptr::eq(**track, latest) || known.step_back.is_some() && latest.seen_at - track.seen_at < limits::SILENT_SECONDS
    };
    let alive: Vec<_> = tracks.iter().filter(is_alive).copied().collect();
    let judged = alive.iter().map(|track| (find_state(known, track, judge(known.address, track.build_date), now), *track));
    let (state, track) = judged.min_by_key(|(state, _)| *state)?;
    let last =
        |times: &dyn Fn(&Track) -> Option<(Date, u32)>| tracks.iter().filter_map(|track| times(track)).map(|(_, at)| at).max();
    Some(Registrar {
        address: known.address,
        state,
        build_date: track.build_date,
        build_dates: tracks.iter().map(|track| track.build_date).collect(),
        tills: alive.iter().map(|track| usize::from(track.tills.max(1))).sum(),
        is_driver: tracks.iter().any(|track| track.is_driver),
        seen_at: known.seen_at,
        offers: tracks.iter().map(|track| track.offers).sum(),
        offered_at: last(&|track| track.offered),
        takes: tracks.iter().map(|track| track.takes).sum(),
        taken_at: last(&|track| track.taken),
        download: known.download,
        advice: advise(known, track, state, now),
    })
}

fn find_state(known: &Known, track: &Track, standing: Standing, now: u32) -> State {
    let Standing { version, is_critical } = standing;
    let silence = now.saturating_sub(known.seen_at);
    let has_taken = |at_least: u32| {
        track
            .taken
            .is_some_and(|(taken, at)| version.is_some_and(|version| version <= taken) && now.saturating_sub(at) >= at_least)
    };
    let download = known.download.filter(|download| Some(download.version) == version).map(|download| download.transfer);
    if known.mislabel.is_some() {
        State::Mislabelled
    } else if !track.is_driver && track.checks < limits::TRIAL_CHECKS && track.takes == 0 {
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

fn advise(known: &Known, track: &Track, state: State, now: u32) -> Option<Problem> {
    let hours = |at: u32| (now.saturating_sub(at) / 3600).into();
    let (text, details) = match (state, track.taken, known.download) {
        (State::Mislabelled, ..) => return known.mislabel.map(|mislabel| finding::describe_mislabel(known.address, &mislabel)),
        (State::Stuck, _, _) if known.cuts >= limits::STUCK_CUTS => (&texts::STUCK_CUT, vec![known.cuts.into()]),
        (State::Stuck, Some((version, at)), _) => {
            (&texts::STUCK_TAKEN, vec![version.into(), hours(at), format_build_date(track.build_date).into()])
        }
        (State::Cut, _, Some(download)) => (&texts::CUT, vec![download.acknowledged.into(), download.size.into()]),
        (State::Taken, Some((version, at)), _) if now.saturating_sub(known.seen_at) >= limits::TAKEN_SILENCE_SECONDS => {
            (&texts::TAKEN_SILENT, vec![version.into(), hours(at)])
        }
        (State::Taken, ..) => (&texts::TAKEN, Vec::new()),
        (State::Silent, ..) => (&texts::SILENT, vec![hours(known.seen_at)]),
        _ => return None,
    };
    Some(Problem::at(known.address.to_string(), text, details))
}
