//! The licences as one source: they are read again as a whole when they have stood still.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::licenses::{self, LicenseIndex};
use super::settling::{Settling, Source};
use crate::config::Settings;
use crate::limits;
use crate::problem::Problem;
use crate::stamp::Stamp;

/// Looks at the licences again and again.
#[derive(Default)]
pub struct LicenseSource {
    source: Source<(PathBuf, Vec<(PathBuf, Stamp)>)>,
    is_settled: bool,
    /// What was loaded last.
    pub index: Arc<LicenseIndex>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

impl LicenseSource {
    /// Looks once; whether something was loaded.
    pub fn look(&mut self, settings: &Settings, now: Instant) -> bool {
        let path = &settings.licenses_path;
        let state = (path.clone(), licenses::find_files(path, &mut Vec::new()));
        let found = self.source.look(state, now, limits::SETTLING_TIME);
        self.is_settled = found != Settling::Unsettled;
        if found == Settling::Changed {
            self.problems.clear();
            self.index = Arc::new(LicenseIndex::load(path, &mut self.problems));
            self.source.take();
        }
        found == Settling::Changed
    }

    /// Whether all of it stands still.
    pub fn is_settled(&self) -> bool {
        self.is_settled
    }
}
