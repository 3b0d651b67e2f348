//! The settings as a source: they are read again when their file has stood still, and stay as they were where it has mistakes.

use std::sync::Arc;
use std::time::Instant;

use super::settling::{Settling, Source};
use crate::config::{self, Effect, Reading, Settings};
use crate::limits;
use crate::problem::Problem;
use crate::stamp::Stamp;

/// Looks at the file of settings again and again.
pub struct SettingsSource {
    settings: Arc<Settings>,
    /// What the server was started with: `port`, `address` and `max_connections` of these are in force.
    started_with: Arc<Settings>,
    socket_is_inherited: bool,
    /// Whether the settings were ever valid; if not, nothing is offered.
    is_valid: bool,
    source: Source<Option<Stamp>>,
    is_settled: bool,
    problems: Vec<Problem>,
}

impl SettingsSource {
    /// With the settings of a reading in force. They were read before the first look, so they are read once more when they have
    /// settled.
    pub fn new(reading: Reading, socket_is_inherited: bool) -> SettingsSource {
        let settings = Arc::new(reading.settings);
        let mut source = SettingsSource {
            started_with: settings.clone(),
            settings: settings.clone(),
            socket_is_inherited,
            is_valid: reading.mistakes == 0,
            source: Source::default(),
            is_settled: false,
            problems: Vec::new(),
        };
        source.note_problems(reading.problems, reading.mistakes, &settings);
        source
    }

    /// Looks once; whether other settings are in force now.
    pub fn look(&mut self, now: Instant) -> bool {
        let file = self.settings.file.clone();
        // What descriptors or memory do not suffice for is no change.
        let Ok(seen) = Stamp::look(&file) else { return false };
        let found = self.source.look(seen, now, limits::SETTLING_TIME);
        self.is_settled = found != Settling::Unsettled;
        if found != Settling::Changed {
            return false;
        }
        let Ok(reading) = config::read_again(&file) else { return false };
        let Reading { settings, problems, mistakes, stamp, .. } = reading;
        if stamp != seen {
            // Changed while it was read: the next looks will tell.
            return false;
        }
        self.note_problems(problems, mistakes, &settings);
        if mistakes > 0 {
            // Not taken, so that a read error heals.
            return false;
        }
        self.source.take();
        let is_other = !self.is_valid || settings.digest != self.settings.digest;
        self.is_valid = true;
        if is_other {
            self.settings = Arc::new(settings);
        }
        is_other
    }

    /// What is wrong with the file that says `wanted`, what follows from that, and what of it is not in force.
    fn note_problems(&mut self, problems: Vec<Problem>, mistakes: usize, wanted: &Settings) {
        self.problems.clear();
        if mistakes > 0 {
            let effect = if self.is_valid { Effect::Kept } else { Effect::NothingOffered };
            self.problems.push(config::describe_effect(&wanted.file, mistakes, effect));
        } else {
            self.problems.extend(config::restart_problems(&self.started_with, wanted, self.socket_is_inherited));
            if self.socket_is_inherited {
                self.problems.extend(config::socket_hints(wanted));
            }
        }
        self.problems.extend(problems);
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
