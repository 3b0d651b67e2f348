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
        let is_new = |known: &&Known| known.track(build_date).is_none_or(|track| is_driver && !track.is_driver);
        let (proof, mislabel) = self.find(caller).filter(is_new).map_or((None, None), |known| {
            let is_offered = |version| self.is_offered(version);
            let mislabel = find_mislabel(known, build_date, is_driver, is_offered);
            (find_proof(known, build_date).filter(|_| is_driver), mislabel)
        });
        proof.into_iter().for_each(|version| self.prove(version));
        let mislabel = mislabel.filter(|mislabel| !self.is_proven(mislabel.version));
        let Some(known) = self.note_check(caller, build_date, now) else { return (offer, news) };
        if let Some(mislabel) = mislabel {
            if known.mislabel.is_none_or(|before| says_more(&mislabel, &before)) {
                known.mislabel = Some(mislabel);
            }
            // Once: whoever tries one date after the other shows it with each. Of a folder that is gone there is nothing to tell.
            let (version, told) = (mislabel.version, known.mislabel_told);
            let is_news = told.is_none_or(|(before, by_driver)| version != before || is_driver && !by_driver);
            if mislabel.is_offered && is_news {
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
        let mislabel = check.chosen.and_then(|chosen| known.find_holding_mislabel(chosen));
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
            Some(Mislabel { version, build_date, .. }) => Decision::Hold(Hold::Mislabelled { version, build_date }),
            None => policy::decide(track, chosen, now),
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
/// version that it reports as well: then it has flashed that one, and the newer one was lost or waits. An offered version comes
/// first: the name of a folder that is gone may have been corrected long ago.
fn find_mislabel(known: &Known, build_date: Date, is_driver: bool, is_offered: impl Fn(Date) -> bool) -> Option<Mislabel> {
    let older = known.tracks.iter().filter(|track| track.build_date < build_date);
    let taken = older.flat_map(|track| match is_driver {
        true => [track.installed, track.oldest],
        false => [track.taken.map_or(0, |(version, _)| version); 2],
    });
    if taken.clone().any(|version| version == build_date) {
        return None;
    }
    let newer = taken.filter(|version| *version > build_date).map(|version| (is_offered(version), version));
    newer.max().map(|(is_offered, version)| Mislabel { version, build_date, is_driver, is_offered })
}

/// Whether what shows now replaces what is known: a folder that is offered comes first, then what a driver showed.
fn says_more(mislabel: &Mislabel, before: &Mislabel) -> bool {
    if mislabel.is_offered == before.is_offered { mislabel.is_driver } else { mislabel.is_offered }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILT: Date = 20171219;
    const VERSION: Date = 20260301;

    type Answer = (Decision, Option<Problem>);

    /// A check that is offered `chosen`, if it is not held.
    fn check(
        memory: &mut Memory,
        is_driver: bool,
        (build_date, chosen): (Date, Option<Date>),
        hold_repeats: bool,
        now: u32,
    ) -> Answer {
        let (caller, is_java, has_field) = ([10, 0, 0, 1].into(), is_driver, is_driver);
        memory.check(&Check { caller, is_java, has_field, way: Way::Known, build_date, chosen, hold_repeats }, now)
    }

    fn take(memory: &mut Memory, is_java: bool, version: Date, now: u32) {
        let caller = [10, 0, 0, 1].into();
        let start = DownloadStart { caller, is_java, offered_here: None, version: Some(version), start: 0, size: 1000 };
        let driver = memory.begin_download(&start, now);
        memory.end_download(&start, driver, 1000, Transfer::Complete, now);
    }

    #[test]
    fn what_was_taken_while_nobody_was_held_makes_no_hold_longer() {
        let (mut memory, dates) = (Memory::default(), (BUILT, Some(VERSION)));
        for round in 0..20 {
            let (told, _) = check(&mut memory, true, dates, false, round * 600);
            assert!(matches!(told, Decision::Offer { .. }), "{round}");
            take(&mut memory, true, VERSION, round * 600 + 60);
        }
        let (told, _) = check(&mut memory, true, dates, true, 20 * 600);
        assert!(matches!(told, Decision::Hold(Hold::Taken { left, .. }) if left <= 26 * 3600), "{told:?}");
    }

    /// Plays words at one address, which is a driver until `curl`: a number is a check with that date, `take=` a whole download.
    /// `offer=` puts a folder in the place of the one before; `serve=` stops short of telling the memory, as between a catalog's
    /// coming into force and that. Returns the folders that the log named, and why the last check was held.
    fn play(script: &str) -> String {
        let (mut memory, mut served, mut is_driver, mut story) = (Memory::default(), 0, true, Vec::new());
        let (mut last, mut now) = (None, 0);
        for word in script.split_whitespace() {
            now += 60;
            let (what, number) = word.split_once('=').unwrap_or(("check", word));
            match (what, number.parse().unwrap_or(0)) {
                ("offer", version) => {
                    served = version;
                    memory.set_offered(vec![version]);
                }
                ("serve", version) => served = version,
                ("take", version) => take(&mut memory, is_driver, version, now),
                (_, 0) => is_driver = word == "java",
                (_, build_date) => {
                    let chosen = Some(served).filter(|served| *served > build_date);
                    let (told, news) = check(&mut memory, is_driver, (build_date, chosen), true, now);
                    story.extend(
                        news.filter(|news| news.code() == "FOLDER-NAMED-TOO-LATE").map(|news| format!("log {}", news.place)),
                    );
                    last = Some(told);
                }
            }
        }
        if let Some(shown) = memory.all().first().and_then(Known::present_mislabel) {
            story.push(format!("page {}", shown.version));
        }
        if let Some(Decision::Hold(Hold::Mislabelled { version, .. })) = last {
            story.push(format!("held {version}"));
        }
        story.join(", ")
    }

    #[test]
    fn a_folder_named_too_late_is_shown_and_held_as_long_as_it_is_offered() {
        let typo = "offer=20270301 20171219 take=20270301 20260301";
        let cases = [
            ("", "log 20270301, page 20270301, held 20270301"),
            ("offer=20260301 20260301", "log 20270301"),
            // The next folder is named too late as well: the one that was renamed does not hide it.
            (
                "offer=20260301 20260301 offer=20260901 20260301 take=20260901 20260825",
                "log 20270301, log 20260901, page 20260901, held 20260901",
            ),
            // Another date of a till that took what is not offered any more: nothing to rename.
            ("offer=20260901 20260401", "log 20270301"),
            // A client that is no driver shows one that is offered.
            ("offer=20260901 curl 20171219 take=20260901 20260825", "log 20270301, log 20260901, page 20260901"),
            // It comes back, and the memory is not yet told so.
            ("offer=20260301 20260301 serve=20270301 20260301", "log 20270301, held 20270301"),
            ("offer=20260301 20260301 offer=20270301 20260301", "log 20270301, page 20270301, held 20270301"),
        ];
        for (script, expected) in cases {
            assert_eq!(play(&format!("{typo} {script}")), expected, "{script}");
        }
        // It was renamed before the till came back with its new date.
        let renamed = "offer=20270301 20171219 take=20270301 offer=20260301 20260301";
        assert_eq!(play(renamed), "");
        let is_offered = [(true, false), (false, true)];
        for (now, before) in is_offered {
            let [now, before] =
                [now, before].map(|is_offered| Mislabel { version: 2, build_date: 1, is_driver: true, is_offered });
            assert_eq!(says_more(&now, &before), now.is_offered);
        }
    }
}
