//! What the page says first: the worst thing, and how bad it is.

use std::path::Path;

use super::snapshot::{Group, Snapshot};
use crate::calendar::Date;
use crate::catalog::Offer;
use crate::problem::registrars as texts;
use crate::registrars::State;

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Nothing to do.
    Good,
    /// Something to look at.
    Warning,
    /// Somebody must do something.
    Bad,
}

/// A part of the headline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// No registrar can be offered anything.
    NothingOffered,
    /// So many registrars are stuck or show a wrong label.
    NeedHands(usize),
    /// A newer version than those offered is refused.
    Refused(Date),
    /// A newer version than those offered is changing.
    Changing(Date),
    /// So many registrars are silent.
    Silent(usize),
    /// There are so many problems.
    Problems(usize),
    /// Nothing is wrong, and nobody has asked yet.
    NobodySeen,
    /// Nothing is wrong.
    InOrder,
}

/// What the page says first.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How bad it is.
    pub health: Health,
    /// The worst first; never empty.
    pub parts: Vec<Part>,
}

/// Judges a snapshot.
pub fn judge(snapshot: &Snapshot<'_>) -> Verdict {
    let catalog = snapshot.catalog;
    let mut verdict = Verdict { health: Health::Good, parts: Vec::new() };
    let mut add = |health, part| {
        verdict.health = verdict.health.max(health);
        verdict.parts.push(part);
    };
    // Where it stands does not matter.
    let find_problem = |offer: &Offer| offer.admission.find_problem(Path::new(""), offer.version, &catalog.settings);
    if catalog.offers().iter().all(|offer| find_problem(offer).is_some()) {
        add(Health::Bad, Part::NothingOffered);
    }
    match snapshot.count(Group::NeedsHands) {
        0 => {}
        count if is_certain(snapshot) => add(Health::Bad, Part::NeedHands(count)),
        count => add(Health::Warning, Part::NeedHands(count)),
    }
    if let Some(oldest) = snapshot.oldest_offer() {
        if let Some((version, _)) = catalog.find_refused(oldest.version).last() {
            add(Health::Warning, Part::Refused(*version));
        }
        if let Some(unsettled) = catalog.unsettled().first().filter(|unsettled| unsettled.version > oldest.version) {
            add(Health::Warning, Part::Changing(unsettled.version));
        }
    }
    match snapshot.count(Group::Silent) {
        0 => {}
        count => add(Health::Warning, Part::Silent(count)),
    }
    match snapshot.other_problems().count() {
        0 => {}
        count => add(Health::Warning, Part::Problems(count)),
    }
    if verdict.parts.is_empty() {
        verdict.parts.push(if snapshot.seen.count() == 0 { Part::NobodySeen } else { Part::InOrder });
    }
    verdict
}

/// A wrong label that only one caller shows, who is not the driver, may be anybody's play.
fn is_certain(snapshot: &Snapshot<'_>) -> bool {
    let seen = &snapshot.seen;
    let is_certain_till = seen.registrars.iter().any(|registrar| match registrar.state {
        State::Stuck => true,
        State::Mislabelled => registrar.is_driver,
        _ => false,
    });
    is_certain_till || seen.findings.iter().any(|it| it.is_urgent && it.problem.code() == texts::MISLABELLED.code)
}
