//! What the page and the JSON show: the catalog, what was seen, and what follows from both.

use std::sync::OnceLock;

use crate::catalog::reach::{self, Asker, Reach};
use crate::catalog::{Catalog, Choice, Offer};
use crate::limits;
use crate::log;
use crate::problem::{Problem, registrars as texts};
use crate::registrars::{self, Registrar, Registrars, Standing, State};
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
        let seen = take_seen(catalog, circumstances.registrars, uptime);
        let reaches = find_reaches(catalog, &seen);
        problems.extend(reach::find_overtaken(catalog, &reaches).into_iter().map(|(_, problem)| problem));
        problems.extend(seen.findings.iter().map(|finding| finding.problem.clone()));
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

/// Everything that was seen of registrars, judged by the catalog.
fn take_seen(catalog: &Catalog, registrars: &Registrars, uptime: u32) -> registrars::Snapshot {
    registrars.snapshot(uptime, |address, build_date| {
        let Choice { version, available, critical, .. } = catalog.choose(address, build_date);
        Standing { version: available.then_some(version), is_critical: critical }
    })
}

fn find_reaches(catalog: &Catalog, seen: &registrars::Snapshot) -> Vec<Reach> {
    let registrars = seen.registrars.iter().filter(|registrar| registrar.state != State::Trial);
    let askers = registrars.map(|registrar| Asker {
        address: registrar.address,
        build_date: registrar.build_date,
        recent_dates: registrar.recent_dates(),
    });
    reach::find(catalog, askers)
}

/// Offers that nobody needs, for the log. The page shows them from the first registrar on, and how many it has seen; a line stays,
/// so there is none in the first day.
pub fn find_overtaken<'a>(catalog: &'a Catalog, registrars: &Registrars, uptime: u32) -> Vec<(&'a Offer, Problem)> {
    if uptime < limits::OVERTAKEN_UPTIME_SECONDS {
        return Vec::new();
    }
    reach::find_overtaken(catalog, &find_reaches(catalog, &take_seen(catalog, registrars, uptime)))
}
