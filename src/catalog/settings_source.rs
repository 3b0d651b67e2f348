//! The settings as a source: they are read again when their file has stood still, and stay as they were where it has mistakes.

use std::sync::Arc;
use std::time::Instant;

use super::settling::{Settling, Source};
use crate::config::{self, Settings};
use crate::limits;
use crate::problem::{Problem, Text};
use crate::stamp::Stamp;

const KEPT: Text = Text::new(
    "SETTINGS-REFUSED",
    "{0}: the settings stay as they were until it is mended",
    "{0}: действуют прежние настройки, пока это не исправлено",
);

/// Looks at the file of settings again and again.
pub struct SettingsSource {
    settings: Arc<Settings>,
    /// Whether the settings were ever valid; if not, nothing is offered.
    is_valid: bool,
    source: Source<Option<Stamp>>,
    is_settled: bool,
    problems: Vec<Problem>,
}

impl SettingsSource {
    /// With these settings in force. They were read before the first look, so they are read once more when they have settled.
    pub fn new(settings: Arc<Settings>, is_valid: bool, problems: Vec<Problem>) -> SettingsSource {
        SettingsSource { settings, is_valid, source: Source::default(), is_settled: false, problems }
    }

    /// Looks once; whether other settings are in force now.
    pub fn look(&mut self, now: Instant) -> bool {
        let file = &self.settings.file;
        let seen = Stamp::of(file);
        let found = self.source.look(seen, now, limits::SETTLING_TIME);
        self.is_settled = found != Settling::Unsettled;
        if found != Settling::Changed {
            return false;
        }
        let result = config::load(file);
        if Stamp::of(file) != seen {
            // Changed while it was read: the next looks will tell.
            return false;
        }
        match result {
            Ok(settings) => {
                self.source.take();
                self.problems.clear();
                let is_other = !self.is_valid || settings.digest != self.settings.digest;
                self.is_valid = true;
                if is_other {
                    self.settings = Arc::new(settings);
                }
                is_other
            }
            Err(errors) => {
                // Not taken, so that a read error heals.
                let problem = |error: &config::ConfigError| Problem::with(file, &KEPT, vec![error.reason().into()]);
                self.problems = errors.iter().map(problem).collect();
                false
            }
        }
    }

    /// The settings in force.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Whether they are good for more than telling everybody that there is no update.
    pub fn is_valid(&self) -> bool {
        self.is_valid
    }

    /// What is wrong with their file.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether the file stands still.
    pub fn is_settled(&self) -> bool {
        self.is_settled
    }
}
