//! What an operator should see to, as registrars show it.

use std::net::IpAddr;

use super::memory::{Memory, Mislabel};
use super::policy::Hold;
use crate::calendar::{Date, format_build_date};
use crate::limits;
use crate::problem::{Problem, registrars as texts};

/// A problem, and how much it presses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub problem: Problem,
    /// Whether it is certain enough to be shown in red.
    pub is_urgent: bool,
}

/// All of them. What is shown by a check of somebody passes a day after the last such check.
pub fn list(memory: &Memory, now: u32) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |problem, is_urgent| findings.push(Finding { problem, is_urgent });
    let mislabelled =
        |version| memory.all().iter().filter(move |known| known.present_mislabel().is_some_and(|it| it.version == version));
    for known in memory.all() {
        if let Some(mislabel) = known.present_mislabel() {
            add(describe_mislabel(known.address, &mislabel), mislabelled(mislabel.version).take(2).count() == 2);
        }
        if let Some(dates) = known.step_back {
            add(describe_step_back(known.address, dates), false);
        }
    }
    let is_recent = |&(_, at): &(IpAddr, u32)| now.saturating_sub(at) < limits::FINDING_SECONDS;
    if let Some((address, _)) = memory.stranger.filter(is_recent) {
        add(describe_stranger(address), true);
    }
    if let Some((address, _)) = memory.silent_proxy.filter(is_recent) {
        add(describe_silent_proxy(address), true);
    }
    if let Some((address, _)) = memory.without_field.filter(is_recent) {
        add(describe_missing_field(address), true);
    }
    findings.truncate(limits::FINDINGS);
    findings
}

/// The right name for a folder.
pub fn describe_mislabel(address: IpAddr, mislabel: &Mislabel) -> Problem {
    let Mislabel { version, build_date, .. } = *mislabel;
    let details = vec![address.into(), version.into(), format_build_date(build_date).into(), format!("{build_date:08}").into()];
    Problem::at(version.to_string(), &texts::MISLABELLED, details)
}

/// An older date than before.
pub fn describe_step_back(address: IpAddr, (before, older): (Date, Date)) -> Problem {
    let details = vec![format_build_date(before).into(), format_build_date(older).into()];
    Problem::at(address.to_string(), &texts::ANOTHER_TILL, details)
}

/// A proxy that is not named.
pub fn describe_stranger(address: IpAddr) -> Problem {
    Problem::at(address.to_string(), &texts::UNNAMED_PROXY, vec![address.into()])
}

/// A proxy that does not say whom it stands before.
pub fn describe_silent_proxy(address: IpAddr) -> Problem {
    Problem::at(address.to_string(), &texts::SILENT_PROXY, Vec::new())
}

/// A proxy that drops a field.
pub fn describe_missing_field(address: IpAddr) -> Problem {
    Problem::at(address.to_string(), &texts::BUILD_DATE_FIELD_MISSING, Vec::new())
}

/// Why a registrar is told "no update", and until when.
pub fn describe_hold(address: IpAddr, hold: &Hold) -> Problem {
    let (text, details) = match *hold {
        // Rounded up: not "in 0 h".
        Hold::Taken { version, ago, left } => {
            (&texts::HELD_TAKEN, vec![version.into(), (ago / 3600).into(), left.div_ceil(3600).into()])
        }
        Hold::Cut { ago, left } => (&texts::HELD_CUT, vec![(ago / 60).into(), left.div_ceil(60).into()]),
        Hold::Mislabelled { version, build_date } => {
            (&texts::HELD_MISLABELLED, vec![version.into(), format_build_date(build_date).into()])
        }
    };
    Problem::at(address.to_string(), text, details)
}
