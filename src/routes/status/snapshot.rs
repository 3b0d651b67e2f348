//! What the page and the JSON show: the catalog, what was seen, and what follows from both.

use std::sync::OnceLock;

use crate::catalog::{Catalog, Choice, Offer, Reason};
use crate::log;
use crate::problem::{Problem, registrars as texts};
use crate::registrars::{self, Registrar, Standing, State};
use crate::routes::reply::Circumstances;
use crate::routes::version::read_kernel;

/// The machine's name, as it was when it was first asked for.
pub fn host_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| read_kernel("hostname"))
}

/// What registrars need, in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Somebody must do something.
    NeedsHands,
    /// Nothing was heard of it for days.
    Silent,
    /// It gets its update by itself.
    UnderWay,
    /// Nothing.
    UpToDate,
    /// It is none: somebody tries something.
    Trial,
}

/// Number of groups.
pub const GROUPS: usize = 5;

impl Group {
    /// All of them, in their order.
    pub const ALL: [Group; GROUPS] = [Group::NeedsHands, Group::Silent, Group::UnderWay, Group::UpToDate, Group::Trial];

    /// Where a registrar of a state belongs. "Critical" is the kind of an offer, and such a registrar is on its way.
    pub fn of(state: State) -> Group {
        match state {
            State::Mislabelled | State::Stuck => Group::NeedsHands,
            State::Critical | State::Offered | State::Downloading | State::Cut | State::Taken => Group::UnderWay,
            State::UpToDate => Group::UpToDate,
            State::Silent => Group::Silent,
            State::Trial => Group::Trial,
        }
    }
}

/// Whom an offer is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Registrars for which it is the newest version.
    pub registrars: usize,
    /// How many of them have it, or something newer.
    pub up_to_date: usize,
}

pub struct Snapshot<'a> {
    pub catalog: &'a Catalog,
    /// Seconds since the start.
    pub uptime: u32,
    /// The catalog's, the log's, and what registrars show.
    pub problems: Vec<Problem>,
    /// Registrars, their number in each state, and totals.
    pub seen: registrars::Snapshot,
    /// Whom each offer is for, in the order of the offers.
    pub reaches: Vec<Reach>,
}

impl<'a> Snapshot<'a> {
    pub fn take(catalog: &'a Catalog, circumstances: &Circumstances<'_>) -> Snapshot<'a> {
        let mut problems = catalog.problems.clone();
        problems.extend(log::trouble());
        let uptime = (circumstances.uptime)();
        let seen = circumstances.registrars.snapshot(uptime, |address, build_date| {
            let Choice { version, available, critical, .. } = catalog.choose(address, build_date);
            Standing { version: available.then_some(version), is_critical: critical }
        });
        problems.extend(seen.findings.iter().map(|finding| finding.problem.clone()));
        let reaches = find_reaches(catalog, &seen.registrars);
        Snapshot { catalog, uptime, problems, seen, reaches }
    }

    /// Registrars of a group.
    pub fn count(&self, group: Group) -> usize {
        State::ALL.iter().filter(|state| Group::of(**state) == group).map(|state| self.seen.counts[*state as usize]).sum()
    }

    /// Registrars of a group, by address.
    pub fn list(&self, group: Group) -> Vec<&Registrar> {
        let mut list: Vec<_> = self.seen.registrars.iter().filter(|registrar| Group::of(registrar.state) == group).collect();
        list.sort_unstable_by_key(|registrar| registrar.address);
        list
    }

    /// Problems that do not stand beside the registrar that shows them.
    pub fn other_problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.code() != texts::MISLABELLED.code)
    }

    /// Live versions are newest first; what is newer than the last one would be live too if it were whole.
    pub fn oldest_offer(&self) -> Option<&Offer> {
        self.catalog.offers().last()
    }
}

fn find_reaches(catalog: &Catalog, registrars: &[Registrar]) -> Vec<Reach> {
    let mut reaches = vec![Reach::default(); catalog.offers().len()];
    for registrar in registrars.iter().filter(|registrar| registrar.state != State::Trial) {
        let Choice { version, reason, .. } = catalog.choose(registrar.address, registrar.build_date);
        let place = catalog.offers().iter().position(|offer| offer.version == version);
        if let Some(reach) = place.and_then(|place| reaches.get_mut(place)) {
            reach.registrars += usize::from(!matches!(reason, Reason::Overlap(..) | Reason::NotAdmitted));
            reach.up_to_date += usize::from(reason == Reason::UpToDate);
        }
    }
    reaches
}
