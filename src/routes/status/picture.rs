//! What the page and the JSON show: the catalog, what was seen, and what follows from both.

use crate::catalog::{Catalog, Choice};
use crate::log;
use crate::problem::{Problem, Text};
use crate::registrars::{Snapshot, Standing};
use crate::routes::reply::Circumstances;

/// What the log has to say.
const LOG: Text = Text::new("LOG-TROUBLE", "{0}", "журнал: {0}");

pub struct Picture<'a> {
    pub catalog: &'a Catalog,
    /// Seconds since the start.
    pub uptime: u32,
    /// The catalog's, the log's, and what registrars show.
    pub problems: Vec<Problem>,
    /// Registrars, their number in each state, and totals.
    pub snapshot: Snapshot,
}

impl<'a> Picture<'a> {
    pub fn take(catalog: &'a Catalog, circumstances: &Circumstances<'_>) -> Picture<'a> {
        let mut problems = catalog.problems.clone();
        if let Some(what) = log::trouble() {
            problems.push(Problem::with(&catalog.settings.log_file.path, &LOG, vec![what.into()]));
        }
        let uptime = (circumstances.uptime)();
        let snapshot = circumstances.registrars.snapshot(uptime, |address, build_date| {
            let Choice { version, available, critical, .. } = catalog.choose(address, build_date);
            Standing { version: available.then_some(version), is_critical: critical }
        });
        problems.extend(snapshot.findings.iter().map(|finding| finding.problem.clone()));
        Picture { catalog, uptime, problems, snapshot }
    }
}
