//! What the page and the JSON show: the catalog, what was seen, and what follows from both.

use crate::catalog::{Catalog, Choice};
use crate::log;
use crate::problem::{Problem, Text};
use crate::routes::reply::Circumstances;
use crate::seen::{Registrar, Totals};

/// How a registrar stands to what is offered now. The order is that of the page: the outdated first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Its next check tells it to flash at once.
    Critical,
    /// Its next check offers it an update.
    Outdated,
    /// It has what is offered, or newer.
    Current,
    /// Nothing is offered, so nobody can say.
    Unknown,
}

/// Number of states.
pub const STATES: usize = 4;

/// What the log has to say.
const LOG: Text = Text::new("LOG-TROUBLE", "{0}", "журнал: {0}");

pub struct Picture<'a> {
    pub catalog: &'a Catalog,
    /// Seconds since the start.
    pub uptime: u32,
    /// The catalog's and the log's.
    pub problems: Vec<Problem>,
    /// By state, then build date, then address.
    pub registrars: Vec<(State, Registrar)>,
    /// Number of registrars in each state.
    pub counts: [usize; STATES],
    pub totals: Totals,
}

impl<'a> Picture<'a> {
    pub fn take(catalog: &'a Catalog, circumstances: &Circumstances<'_>) -> Picture<'a> {
        let mut problems = catalog.problems.clone();
        if let Some(what) = log::trouble() {
            problems.push(Problem::with(&catalog.settings.log_file.path, &LOG, vec![what.into()]));
        }
        let (registrars, totals) = circumstances.seen.snapshot();
        let mut counts = [0; STATES];
        let judge = |registrar: Registrar| {
            let state = match catalog.choose(registrar.address, registrar.build_date) {
                _ if catalog.offers().is_empty() => State::Unknown,
                Choice { critical: true, .. } => State::Critical,
                Choice { available: true, .. } => State::Outdated,
                _ => State::Current,
            };
            counts[state as usize] += 1;
            (state, registrar)
        };
        let mut registrars: Vec<_> = registrars.into_iter().map(judge).collect();
        let rank = |(state, registrar): &(State, Registrar)| (*state, registrar.build_date, registrar.address);
        registrars.sort_unstable_by_key(rank);
        Picture { catalog, uptime: (circumstances.uptime)(), problems, registrars, counts, totals }
    }
}
