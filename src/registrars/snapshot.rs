//! How each registrar stands, for the page and for `/status`.

use std::net::IpAddr;

use super::finding::{self, Finding};
use super::memory::{Known, LastDownload, Memory, Mislabel};
use super::policy::{self, Decision, Hold};
use super::state::{STATES, Standing, State, find_state};
use super::totals::Totals;
use super::track::{Answered, Track};
use crate::calendar::{Date, format_build_date};
use crate::limits;
use crate::problem::{Problem, registrars as texts};

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
    /// How many of these were reported within two days before the latest check.
    recent: usize,
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
    /// Why its checks are told "no update" although there is one, and until when.
    pub held: Option<Problem>,
    /// What to do about it, or what will happen, if there is anything to say.
    pub advice: Option<Problem>,
}

impl Registrar {
    /// The dates that count still: several tills may stand behind the address.
    pub fn recent_dates(&self) -> &[Date] {
        self.build_dates.get(..self.recent).unwrap_or_default()
    }
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
    let is_recent = |track: &&&Track| latest.seen_at - track.seen_at < limits::SILENT_SECONDS;
    let is_alive = |track: &&&Track| std::ptr::eq(**track, latest) || known.step_back.is_some() && is_recent(track);
    let alive: Vec<_> = tracks.iter().filter(is_alive).copied().collect();
    let judged = alive.iter().map(|track| (find_state(known, track, judge(known.address, track.build_date), now), *track));
    let (state, track) = judged.min_by_key(|(state, track)| (*state, track.build_date))?;
    let last =
        |times: &dyn Fn(&Track) -> Option<(Date, u32)>| tracks.iter().filter_map(|track| times(track)).map(|(_, at)| at).max();
    Some(Registrar {
        address: known.address,
        state,
        build_date: track.build_date,
        build_dates: tracks.iter().map(|track| track.build_date).collect(),
        recent: tracks.iter().filter(is_recent).count(),
        tills: alive.iter().map(|track| usize::from(track.tills.max(1))).sum(),
        is_driver: tracks.iter().any(|track| track.is_driver),
        seen_at: known.seen_at,
        offers: tracks.iter().map(|track| track.offers).sum(),
        offered_at: last(&|track| track.offered),
        takes: tracks.iter().map(|track| track.takes).sum(),
        taken_at: last(&|track| track.taken),
        download: known.download,
        held: find_hold(known, track, judge(known.address, track.build_date), now),
        advice: advise(known, track, state, now),
    })
}

/// What its last check was told and the next ones will be, if it goes on as it did.
fn find_hold(known: &Known, track: &Track, standing: Standing, now: u32) -> Option<Problem> {
    let version = standing.version.filter(|_| track.answered == Answered::NoUpdate && track.round.running == 0)?;
    let hold = match (known.find_holding_mislabel(version), policy::judge(track, version, now)) {
        (Some(Mislabel { version, build_date, .. }), _) => Hold::Mislabelled { version, build_date },
        (None, Decision::Hold(hold)) => hold,
        (None, Decision::Offer { .. }) => return None,
    };
    Some(finding::describe_hold(known.address, &hold))
}

fn advise(known: &Known, track: &Track, state: State, now: u32) -> Option<Problem> {
    let hours = |at: u32| (now.saturating_sub(at) / 3600).into();
    let (text, details) = match (state, track.taken, known.download) {
        (State::Mislabelled, ..) => {
            return known.present_mislabel().map(|mislabel| finding::describe_mislabel(known.address, &mislabel));
        }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Check, DownloadStart, Registrars};
    use super::*;
    use crate::http::forwarded::Way;
    use crate::problem::Language;

    const VERSION: Date = 20260301;
    const DAY: u32 = 86_400;

    /// What an address did: each word is a build date with the time of a check, or how a download ended; `curl` is no driver.
    fn play(registrars: &Arc<Registrars>, address: IpAddr, script: &str) {
        let mut is_java = true;
        for word in script.split_whitespace() {
            let (what, at) = word.split_once('@').unwrap_or((word, "0"));
            let now = at.parse().expect("a time");
            let start =
                DownloadStart { caller: address, is_java, offered_here: None, version: Some(VERSION), start: 0, size: 1000 };
            match what {
                "curl" => is_java = false,
                "taken" => registrars.begin_download(&start, now).complete(now),
                "runs" => std::mem::forget(registrars.begin_download(&start, now)),
                "cut" => registrars.begin_download(&start, now).note_position(400, now),
                date => {
                    let build_date = date.parse().expect("a date");
                    let chosen = (build_date < VERSION).then_some(VERSION);
                    let way = Way::Known;
                    let check =
                        Check { caller: address, is_java, has_field: is_java, way, build_date, chosen, hold_repeats: true };
                    registrars.check(&check, now);
                }
            }
        }
    }

    #[test]
    fn states_follow_from_what_was_seen() {
        // What it did; the time of the look; its state, and the code of what is said about it.
        let cases = [
            ("20171219", 60, State::Critical, ""),
            ("20190101", 60, State::Offered, ""),
            ("20260301", 60, State::UpToDate, ""),
            ("20260302", 60, State::UpToDate, ""),
            ("20171219 runs", 60, State::Downloading, ""),
            ("20171219 cut", 60, State::Cut, "DOWNLOAD-CUT"),
            ("20171219 cut cut 20171219@700 cut@700", 800, State::Stuck, "STUCK-CUT"),
            ("20171219 cut cut taken", 60, State::Taken, "TAKEN"),
            ("20171219 taken", 60, State::Taken, "TAKEN"),
            ("20171219 taken", DAY - 1, State::Taken, "TAKEN"),
            ("20171219 taken", DAY, State::Taken, "TAKEN-SILENT"),
            ("20171219 taken 20171219@86400", DAY + 60, State::Taken, "TAKEN"),
            ("20171219 taken", 2 * DAY, State::Stuck, "STUCK"),
            ("20171219 taken 20260301@700", 60, State::UpToDate, ""),
            ("20171219 taken 20260227@700", 800, State::Mislabelled, "FOLDER-NAMED-TOO-LATE"),
            ("20171219 taken 20260227@700 20171219@800", 900, State::Offered, ""),
            ("20171219", 2 * DAY, State::Silent, "SILENT"),
            ("20260301", 2 * DAY, State::Silent, "SILENT"),
            ("curl 20171219", 60, State::Trial, ""),
            ("curl 20171219 20171219", 60, State::Trial, ""),
            ("curl 20171219 20171219 20171219", 60, State::Critical, ""),
            ("curl 20171219 taken", 60, State::Trial, ""),
            ("curl 20171219 taken 20171219 20171219", 60, State::Taken, "TAKEN"),
            ("curl 20171219 taken 20260227@9", 60, State::Mislabelled, "FOLDER-NAMED-TOO-LATE"),
            // Two tills: the one in need is shown.
            ("20260301 20171219@9 20260301@600", 700, State::Critical, ""),
        ];
        for (script, now, state, code) in cases {
            let (registrars, address) = (Arc::new(Registrars::default()), IpAddr::from([10, 0, 0, 1]));
            play(&registrars, address, script);
            let snapshot = registrars.snapshot(now, |_, build_date| Standing {
                version: (build_date < VERSION).then_some(VERSION),
                is_critical: build_date < 20180101,
            });
            let registrar = &snapshot.registrars[0];
            let advice = registrar.advice.as_ref().map_or("", |advice| advice.code());
            assert_eq!((registrar.state, advice), (state, code), "{script} at {now}");
            assert_eq!(snapshot.counts[state as usize], 1);
            assert_eq!(snapshot.count(), usize::from(state != State::Trial));
            for language in [Language::English, Language::Russian] {
                assert!(registrar.advice.iter().all(|advice| !advice.explain(language).contains('{')), "{script}");
            }
        }
        assert!(State::ALL.is_sorted() && State::ALL.iter().enumerate().all(|(index, state)| *state as usize == index));
    }

    #[test]
    fn why_a_registrar_is_held_is_shown_with_the_time() {
        let cases = [
            ("20171219", ""),
            ("20171219 taken", ""),
            ("20171219 taken@60 20171219@3660", "HELD-TAKEN took 20260301 1 h ago and is not offered it again for 26 h, or"),
            ("20171219 taken@60 20171219@7200 20171219@94000", ""),
            (
                "20171219 cut@7000 20171219@7001",
                "HELD-CUT its download was cut 3 min ago; it is offered the update again in 7 min",
            ),
            (
                "20171219 taken 20260227@700",
                "HELD-MISLABELLED is not offered 20260301 again: the firmware in that folder is built 27.02",
            ),
        ];
        for (script, expected) in cases {
            let (registrars, address) = (Arc::new(Registrars::default()), IpAddr::from([10, 0, 0, 1]));
            play(&registrars, address, script);
            let standing = Standing { version: Some(VERSION), is_critical: false };
            let held = registrars.snapshot(7200, |_, _| standing).registrars[0].held.clone();
            let held = held.map_or_else(String::new, |held| format!("{} {}", held.code(), held.explain(Language::English)));
            assert!(held.starts_with(expected) && held.is_empty() == expected.is_empty(), "{script}: {held}");
        }
    }

    #[test]
    fn several_tills_and_several_dates_of_an_address_are_shown() {
        let (registrars, address) = (Arc::new(Registrars::default()), IpAddr::from([10, 0, 0, 1]));
        for round in 0..6 {
            let time = round * 600;
            play(&registrars, address, &format!("20260302@{time} 20260302@{} 20260301@{}", time + 5, time + 9));
        }
        let snapshot = registrars.snapshot(4000, |_, _| Standing { version: None, is_critical: false });
        let registrar = &snapshot.registrars[0];
        assert_eq!((registrar.tills, &registrar.build_dates[..]), (3, &[20260301, 20260302][..]));
        assert_eq!(registrar.recent_dates(), [20260301, 20260302]);
        assert_eq!(snapshot.findings.len(), 1);
        assert_eq!((snapshot.findings[0].problem.code(), snapshot.findings[0].is_urgent), ("ANOTHER-TILL", false));
        // Two days after its last check a date counts no more.
        play(&registrars, address, &format!("20260303@{}", 3005 + 2 * DAY));
        let snapshot = registrars.snapshot(3 * DAY, |_, _| Standing { version: None, is_critical: false });
        assert_eq!(snapshot.registrars[0].recent_dates(), [20260303, 20260301]);
    }
}
