//! Who gives way. Pure: views of connections and a time in, an order out; locks, sockets and clocks stay outside.

use std::time::{Duration, Instant};

use super::stage::{Phase, Stage};
use crate::limits;
use crate::origin::Origin;

/// What the policy sees of a connection that holds a place.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Whose it is.
    pub origin: Origin,
    /// Where it stands.
    pub stage: Stage,
}

/// The connections that may be asked to make room for `newcomer`, in the order they are to be asked, as positions in `views`.
///
/// Honest callers send a request in milliseconds, and few at a time. So those of the callers that hold most places give way first
/// and after a short grace; everybody else has time for a slow link. Downloads and requests that are worked on never give way.
pub fn order_of_leaving(views: &[View], newcomer: Option<Origin>, now: Instant) -> Vec<usize> {
    let mut origins: Vec<Origin> = views.iter().map(|view| view.origin).chain(newcomer).collect();
    origins.sort_unstable();
    let counts: Vec<(Origin, usize)> =
        origins.chunk_by(|a, b| a == b).filter_map(|chunk| chunk.first().map(|origin| (*origin, chunk.len()))).collect();
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let holds_most = |origin: Origin| {
        let found = counts.binary_search_by_key(&origin, |(known, _)| *known);
        found.is_ok_and(|index| counts.get(index).is_some_and(|(_, count)| *count == most))
    };

    let mut candidates: Vec<_> = views
        .iter()
        .enumerate()
        .filter_map(|(index, View { origin, stage })| {
            let rank = rank_of(stage)?;
            let is_other = !holds_most(*origin);
            let grace = if is_other { limits::GRACE_FOR_OTHERS } else { limits::GRACE_FOR_CROWDS };
            let age = now.saturating_duration_since(stage.since);
            (age >= grace).then_some(((is_other, rank, std::cmp::Reverse(age)), index))
        })
        .collect();
    candidates.sort_unstable_by_key(|(key, _)| *key);
    candidates.into_iter().map(|(_, index)| index).collect()
}

/// Whether a newcomer that has been next for so long asks others to leave. Among honest callers places become free by themselves.
/// Where they did not for somebody, `asked` ago, nobody waits for that again for a while.
pub fn may_ask(waited: Duration, asked: Option<Duration>) -> bool {
    waited >= limits::ADMISSION_PATIENCE || asked.is_some_and(|asked| asked < limits::ASKING_TIME)
}

/// How many more are to be asked to leave when so many newcomers wait: as many as have nobody who is about to make room for them, and
/// at most three quarters of the places at a time: a place serves many honest callers one after another.
pub fn count_to_ask(views: &[View], newcomers: usize, places: usize, now: Instant) -> usize {
    let is_leaving = |view: &&View| {
        // Whoever has not left by then is held up, and not counted on any more.
        view.stage.asked_to_leave.is_some_and(|at| now.saturating_duration_since(at) < limits::ASKED_TIME)
    };
    newcomers.min((places * 3 / 4).max(1)).saturating_sub(views.iter().filter(is_leaving).count())
}

/// The place of a phase in the order of giving way; `None` if it never does, or has been asked already.
fn rank_of(stage: &Stage) -> Option<u8> {
    if stage.has_permit() || stage.asked_to_leave.is_some() {
        return None;
    }
    match stage.phase {
        Phase::Closing => Some(0),
        // Between two requests; a fresh caller's first one may be on its way.
        Phase::Idle if stage.has_answered => Some(1),
        Phase::Idle => Some(2),
        Phase::Receiving => Some(3),
        Phase::Answering => Some(4),
        Phase::Working | Phase::Sending => None,
    }
}

/// A download that waits: whose, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct WaitingView {
    /// Whose it is.
    pub origin: Origin,
    /// How long it has waited.
    pub waited: Duration,
}

/// Which of those that wait, in the order they came, is next: those who have waited long before the others, and among either those
/// of the caller that sends least.
pub fn next_download(waiting: &[WaitingView], sending: &[Origin]) -> Option<usize> {
    let of = |origin: Origin| sending.iter().filter(|sender| **sender == origin).count();
    let rank = |view: &WaitingView| (view.waited < limits::FAIR_AFTER, of(view.origin));
    waiting.iter().enumerate().min_by_key(|(_, view)| rank(view)).map(|(index, _)| index)
}

/// Which of the downloads under way gives way to one that waits: a slow one, of the caller that sends most first.
pub fn slow_download(sending: &[View], now: Instant) -> Option<usize> {
    let of = |origin: Origin| sending.iter().filter(|view| view.origin == origin).count();
    let is_slow = |view: &View| !view.stage.gives_way && view.stage.progress.is_some_and(|progress| progress.is_slow(now));
    let slow = sending.iter().enumerate().filter(|(_, view)| is_slow(view));
    slow.max_by_key(|(_, view)| of(view.origin)).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::admission::progress::Progress;

    fn origin(number: u8) -> Origin {
        Origin::from(std::net::IpAddr::from([192, 0, 2, number]))
    }

    /// `"1 idle 500"`: origin, phase, age in milliseconds; with `permit`, `asked` or `answered` after it.
    fn view(text: &str, now: Instant) -> View {
        let words: Vec<_> = text.split(' ').collect();
        let phase = match words[1] {
            "closing" => Phase::Closing,
            "idle" => Phase::Idle,
            "receiving" => Phase::Receiving,
            "answering" => Phase::Answering,
            "working" => Phase::Working,
            "sending" => Phase::Sending,
            other => panic!("{other}"),
        };
        let since = now - Duration::from_millis(words[2].parse().expect("a number"));
        let mut stage = Stage { phase, ..Stage::new(since) };
        stage.progress = words.contains(&"permit").then(|| Progress::new(0, now));
        stage.has_answered = words.contains(&"answered");
        stage.asked_to_leave = words.contains(&"asked").then_some(now);
        View { origin: origin(words[0].parse().expect("a number")), stage }
    }

    #[test]
    fn crowds_give_way_first_and_everybody_else_has_a_second() {
        let now = Instant::now() + Duration::from_secs(100);
        /// The places, the newcomer's origin, and the order of leaving.
        type Case = (&'static str, &'static [&'static str], u8, &'static [usize]);
        let cases: [Case; 15] = [
            ("nobody is there", &[], 1, &[]),
            ("fresh ones of a crowd are spared", &["1 idle 149", "1 idle 100"], 1, &[]),
            ("the oldest of a crowd first", &["1 idle 200", "1 idle 300", "1 idle 150"], 1, &[1, 0, 2]),
            ("by phase", &["1 answering 900", "1 receiving 900", "1 idle 200", "1 closing 150"], 1, &[3, 2, 1, 0]),
            ("between two requests before the first", &["1 idle 900", "1 idle 200 answered"], 1, &[1, 0]),
            ("a lone slow caller is spared for a second", &["1 idle 200", "1 idle 200", "2 receiving 999"], 3, &[0, 1]),
            ("and then comes after the crowd", &["2 closing 5000", "1 answering 200", "1 answering 200"], 3, &[1, 2, 0]),
            ("a crowd that hides behind its age", &["1 idle 10", "1 idle 10", "2 idle 1000"], 3, &[2]),
            ("the newcomer counts with its own", &["1 idle 200", "2 idle 200"], 2, &[1]),
            ("who hold as many are treated alike", &["1 idle 200", "2 idle 300", "3 idle 250"], 4, &[1, 2, 0]),
            ("downloads never", &["1 sending 90000 permit", "1 sending 90000"], 1, &[]),
            ("whoever holds a permit, whatever its phase", &["1 idle 90000 permit", "1 receiving 200"], 1, &[1]),
            ("what is worked on never", &["1 working 90000"], 1, &[]),
            ("nobody is asked twice", &["1 idle 90000 asked", "1 idle 200"], 1, &[1]),
            (
                "permits count as places of their caller",
                &["1 sending 9 permit", "1 sending 9 permit", "1 idle 200", "2 idle 200"],
                3,
                &[2],
            ),
        ];
        for (name, views, newcomer, expected) in cases {
            let views: Vec<_> = views.iter().map(|text| view(text, now)).collect();
            assert_eq!(order_of_leaving(&views, Some(origin(newcomer)), now), expected, "{name}");
        }
    }

    #[test]
    fn without_a_newcomer_the_crowd_still_goes_first() {
        let now = Instant::now() + Duration::from_secs(100);
        let views = ["1 idle 200", "1 idle 200", "2 idle 200"].map(|text| view(text, now));
        assert_eq!(order_of_leaving(&views, None, now), [0, 1]);
    }

    #[test]
    fn others_are_asked_when_no_place_became_free_for_a_while_or_did_not_just_before() {
        for (waited, asked, expected) in [
            (0, None, false),
            (39, None, false),
            (40, None, true),
            (0, Some(0), true),
            (0, Some(499), true),
            (0, Some(500), false),
            (40, Some(500), true),
        ] {
            let found = may_ask(Duration::from_millis(waited), asked.map(Duration::from_millis));
            assert_eq!(found, expected, "{waited} ms, asked {asked:?} ms ago");
        }
    }

    #[test]
    fn as_many_are_asked_as_newcomers_have_nobody_to_make_room() {
        let now = Instant::now() + Duration::from_secs(100);
        let asked = |milliseconds| {
            let mut view = view("1 idle 900", now);
            view.stage.asked_to_leave = Some(now - Duration::from_millis(milliseconds));
            view
        };
        let other = view("1 idle 900", now);
        assert_eq!(count_to_ask(&[other; 8], 1, 8, now), 1);
        assert_eq!(count_to_ask(&[other; 8], 900, 8, now), 6, "three quarters of the places");
        assert_eq!(count_to_ask(&[other, asked(100), asked(499)], 3, 8, now), 1, "two are about to leave");
        assert_eq!(count_to_ask(&[other, asked(100), asked(499)], 1, 8, now), 0);
        assert_eq!(count_to_ask(&[other, asked(500)], 1, 1, now), 1, "one never left");
    }

    #[test]
    fn the_next_download_is_of_whoever_sends_least_until_one_has_waited_long() {
        /// Who waits and for how many seconds, who sends, and who is next.
        type Case = (&'static str, &'static [(u8, u64)], &'static [u8], Option<usize>);
        let cases: [Case; 7] = [
            ("nobody waits", &[], &[1], None),
            ("one caller: as they came", &[(1, 5), (1, 4)], &[1, 1], Some(0)),
            ("a second till passes a crowd", &[(1, 9), (1, 8), (2, 0)], &[1, 1, 1], Some(2)),
            ("whoever has waited ten seconds", &[(1, 10), (2, 5)], &[1, 1], Some(0)),
            ("of equals the one that came first", &[(1, 3), (2, 2)], &[], Some(0)),
            ("least, not none", &[(1, 3), (2, 2)], &[1, 1, 2], Some(1)),
            ("of those who have waited long, too", &[(1, 14), (1, 13), (2, 11)], &[1, 1, 1], Some(2)),
        ];
        for (name, waiting, sending, expected) in cases {
            let view =
                |(number, seconds): &(u8, u64)| WaitingView { origin: origin(*number), waited: Duration::from_secs(*seconds) };
            let waiting: Vec<_> = waiting.iter().map(view).collect();
            let sending: Vec<_> = sending.iter().map(|number| origin(*number)).collect();
            assert_eq!(next_download(&waiting, &sending), expected, "{name}");
        }
    }

    #[test]
    fn a_slow_download_of_whoever_sends_most_gives_way_to_one_that_waits() {
        let now = Instant::now() + Duration::from_secs(100);
        let sending = |number, stood_still: u64, gives_way| {
            let progress = Some(Progress::new(0, now - Duration::from_secs(stood_still)));
            View { origin: origin(number), stage: Stage { phase: Phase::Sending, progress, gives_way, ..Stage::new(now) } }
        };
        assert_eq!(slow_download(&[sending(1, 29, false), sending(2, 5, false)], now), None);
        assert_eq!(slow_download(&[sending(1, 30, false), sending(2, 40, false), sending(2, 5, false)], now), Some(1));
        assert_eq!(slow_download(&[sending(1, 60, true), sending(2, 5, false)], now), None, "already on its way out");
    }
}
