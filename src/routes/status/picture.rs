//! What the page and the JSON show: the catalog, what was seen, and what follows from both.

use crate::catalog::{Catalog, Problem, Verdict};
use crate::log;
use crate::problem::Language;
use crate::registrars::{Snapshot, Standing};
use crate::routes::Circumstances;

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
            problems.push(Problem::new(&catalog.settings.log_file.path, &what));
        }
        let uptime = (circumstances.uptime)();
        let snapshot = circumstances.registrars.snapshot(uptime, |_, build_date| {
            let Verdict { available, critical } = catalog.judge(build_date);
            Standing { version: available.then_some(catalog.version), is_critical: critical }
        });
        let describe = |problem: &crate::problem::Problem| Problem {
            place: problem.place.clone(),
            what: format!("{} ({})", problem.explain(Language::English), problem.code()),
        };
        problems.extend(snapshot.findings.iter().map(|finding| describe(&finding.problem)));
        Picture { catalog, uptime, problems, snapshot }
    }
}
