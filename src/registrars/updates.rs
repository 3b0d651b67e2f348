//! What checks and downloads change in the memory, and what a check is told.

use super::finding;
use super::memory::{Known, LastDownload, Memory, Mislabel, Transfer};
use super::policy::{self, Decision, Hold};
use super::sight::{Check, DownloadStart};
use super::track::Answered;
use crate::calendar::Date;
use crate::http::forwarded::Way;
use crate::limits;
use crate::problem::Problem;

impl Memory {
    /// Notes a check and decides; whoever is not the driver is always offered what there is. With it what an operator should see
    /// to since this check.
    pub fn check(&mut self, check: &Check, now: u32) -> (Decision, Option<Problem>) {
        let (caller, build_date, is_driver) = (check.caller, check.build_date, check.is_driver());
        let offer = Decision::Offer { is_new_round: true };
        let mut news = self.note_ways(check, now);
        // A date that is reported for the first time shows what became of what was taken; what somebody else reported before
        // counts as new when a driver does.
        let is_new = |known: &&mut Known| known.track(build_date).is_none_or(|track| is_driver && !track.is_driver);
        let (proof, mislabel) = self.find_mut(caller).filter(is_new).map_or((None, None), |known| {
            (find_proof(known, build_date).filter(|_| is_driver), find_mislabel(known, build_date, is_driver))
        });
        proof.into_iter().for_each(|version| self.prove(version));
        let mislabel = mislabel.filter(|mislabel| !self.is_proven(mislabel.version));
        let mislabel = mislabel.map(|mislabel| Mislabel { is_offered: self.is_offered(mislabel.version), ..mislabel });
        let Some(known) = self.note_check(caller, build_date, now) else { return (offer, news) };
        if let Some(mislabel) = mislabel {
            // What a driver showed says more.
            if is_driver || known.mislabel.is_none() {
                known.mislabel = Some(mislabel);
            }
            // Once: whoever tries one date after the other shows it with each.
            let (version, told) = (mislabel.version, known.mislabel_told);
            if told.is_none_or(|(before, by_driver)| version != before || is_driver && !by_driver) {
                known.mislabel_told = Some((version, is_driver));
                news = Some(finding::describe_mislabel(caller, &mislabel));
            }
        }
        if is_driver && let Some(before) = known.driver_date.replace(build_date).filter(|before| build_date < *before) {
            news = news.or(known.step_back.is_none().then(|| finding::describe_step_back(caller, (before, build_date))));
            known.step_back.get_or_insert((before, build_date));
            // So the newer date was another till's, and not what became of the older one.
            known.mislabel = known.mislabel.filter(|mislabel| build_date >= mislabel.build_date);
        }
        let mislabel = known.present_mislabel().filter(|mislabel| mislabel.is_driver);
        let Some(track) = known.track_mut(build_date) else { return (offer, news) };
        let Some(chosen) = check.chosen else {
            if is_driver {
                track.note_answer(Answered::NoUpdate, false, now);
            }
            return (offer, news);
        };
        if !is_driver {
            track.note_offer(chosen, now);
            return (offer, news);
        }
        let decision = match mislabel {
            // Not a new round each time: rounds make the next hold longer, should there be one.
            _ if !check.hold_repeats || check.way == Way::ByStranger => Decision::Offer { is_new_round: false },
            Some(Mislabel { version, build_date, .. }) if chosen <= version => {
                Decision::Hold(Hold::Mislabelled { version, build_date })
            }
            _ => policy::decide(track, chosen, now),
        };
        policy::apply(track, decision, chosen, now);
        (decision, news)
    }

    /// Notes what a check was told. Returns whether that is another thing than the last time, or the first.
    pub fn note_told(&mut self, check: &Check, decision: Decision) -> bool {
        let told = check.chosen.map(|version| (version, matches!(decision, Decision::Hold(_))));
        let track = self.find_mut(check.caller).and_then(|known| known.track_mut(check.build_date));
        track.is_none_or(|track| track.told.replace(told) != Some(told))
    }

    /// Notes what the way of a check shows about the proxies on it.
    fn note_ways(&mut self, check: &Check, now: u32) -> Option<Problem> {
        let mut news = None;
        match check.way {
            Way::Known => {}
            Way::ByStranger => {
                news = self.stranger.is_none().then(|| finding::describe_stranger(check.caller));
                self.stranger = Some((check.caller, now));
            }
            // Somebody may just be trying something on the proxy's own machine.
            Way::BySilentProxy if check.is_java || self.has_checked(check.caller, limits::TRIAL_CHECKS) => {
                news = self.silent_proxy.is_none().then(|| finding::describe_silent_proxy(check.caller));
                self.silent_proxy = Some((check.caller, now));
            }
            Way::BySilentProxy => {}
        }
        if check.is_java && !check.has_field {
            news = news.or(self.without_field.is_none().then(|| finding::describe_missing_field(check.caller)));
            self.without_field = Some((check.caller, now));
        }
        news
    }

    /// Notes that a download begins. Returns what the end of a driver's download wants to know: its build date and count.
    pub fn begin_download(&mut self, start: &DownloadStart, now: u32) -> Option<(Date, u8)> {
        let version = start.version?;
        let known = self.find_mut(start.caller)?;
        known.seen_at = now;
        let (acknowledged, size) = (start.start, start.size);
        known.download = Some(LastDownload { version, acknowledged, size, at: now, transfer: Transfer::Running });
        let offered_here = start.offered_here.filter(|offered| (offered.caller, offered.version) == (start.caller, version));
        let build_date = match offered_here {
            Some(offered) => offered.build_date,
            None => known.find_offered(version, start.is_java)?.build_date,
        };
        let track = known.track_mut(build_date).filter(|track| track.is_driver && start.is_java)?;
        Some((build_date, track.begin()))
    }

    /// Notes how far a download came, counted from the start of the file.
    pub fn note_progress(&mut self, start: &DownloadStart, reached: u64, now: u32) {
        let Some(known) = self.find_mut(start.caller) else { return };
        known.seen_at = now;
        if let Some(download) = known.download.as_mut().filter(|download| Some(download.version) == start.version) {
            (download.acknowledged, download.at) = (reached, now);
        }
    }

    /// Notes the end of a download. `driver` is what `begin_download` returned.
    pub fn end_download(&mut self, start: &DownloadStart, driver: Option<(Date, u8)>, reached: u64, end: Transfer, now: u32) {
        let (Some(version), Some(known)) = (start.version, self.find_mut(start.caller)) else { return };
        known.seen_at = known.seen_at.max(now);
        known.download = Some(LastDownload { version, acknowledged: reached, size: start.size, at: now, transfer: end });
        let is_complete = end == Transfer::Complete;
        known.cuts = if is_complete { 0 } else { known.cuts.saturating_add(1) };
        let is_whole = is_complete && start.start == 0;
        let build_date = driver.map(|(build_date, _)| build_date);
        let build_date = build_date.or_else(|| known.find_offered(version, start.is_java).map(|track| track.build_date));
        let Some(track) = build_date.and_then(|build_date| known.track_mut(build_date)) else { return };
        if is_whole {
            (track.taken, track.takes) = (Some((version, now)), track.takes.saturating_add(1));
        }
        if let Some((_, begun)) = driver {
            track.end(version, is_whole, begun, now);
        }
    }
}

/// A version that this address took as a driver, if the date it reports now shows that its folder is named rightly.
fn find_proof(known: &Known, build_date: Date) -> Option<Date> {
    let installed = known.tracks.iter().filter(|track| track.build_date < build_date).map(|track| track.installed);
    installed.filter(|version| (1..=build_date).contains(version)).max()
}

/// A version that this address took, if the date it reports now lies between its old one and that version. Not if it took the very
/// version that it reports as well: then it has flashed that one, and the newer one was lost or waits.
fn find_mislabel(known: &Known, build_date: Date, is_driver: bool) -> Option<Mislabel> {
    let older = known.tracks.iter().filter(|track| track.build_date < build_date);
    let taken = older.flat_map(|track| match is_driver {
        true => [track.installed, track.oldest],
        false => [track.taken.map_or(0, |(version, _)| version); 2],
    });
    if taken.clone().any(|version| version == build_date) {
        return None;
    }
    let version = taken.max().filter(|version| *version > build_date)?;
    Some(Mislabel { version, build_date, is_driver, is_offered: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILT: Date = 20171219;
    const VERSION: Date = 20260301;

    /// A driver's check that is offered the version, if it is not held.
    fn check(memory: &mut Memory, hold_repeats: bool, now: u32) -> Decision {
        let caller = [10, 0, 0, 1].into();
        let (is_java, has_field, chosen) = (true, true, Some(VERSION));
        let check = Check { caller, is_java, has_field, way: Way::Known, build_date: BUILT, chosen, hold_repeats };
        memory.check(&check, now).0
    }

    fn take(memory: &mut Memory, now: u32) {
        let caller = [10, 0, 0, 1].into();
        let start = DownloadStart { caller, is_java: true, offered_here: None, version: Some(VERSION), start: 0, size: 1000 };
        let driver = memory.begin_download(&start, now);
        memory.end_download(&start, driver, 1000, Transfer::Complete, now);
    }

    #[test]
    fn what_was_taken_while_nobody_was_held_makes_no_hold_longer() {
        let mut memory = Memory::default();
        for round in 0..20 {
            assert!(matches!(check(&mut memory, false, round * 600), Decision::Offer { .. }), "{round}");
            take(&mut memory, round * 600 + 60);
        }
        let told = check(&mut memory, true, 20 * 600);
        assert!(matches!(told, Decision::Hold(Hold::Taken { left, .. }) if left <= 26 * 3600), "{told:?}");
    }
}
