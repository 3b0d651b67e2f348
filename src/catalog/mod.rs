//! The catalog: one immutable picture of what is served. It is loaded as a whole and published as a whole; a request works on
//! the one it took at its start.

pub mod firmware;
pub mod licenses;
pub mod settling;
pub mod watch;

pub use crate::stamp;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::calendar::{self, Date};
use crate::config::Settings;
use crate::json;
use crate::text;

use firmware::{Image, Offer};
use licenses::LicenseIndex;

/// Something an operator should see to: where, and what. The rest is served all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A path, or `path:line`.
    pub place: String,
    /// What is wrong there, what follows from it, what would be right.
    pub what: String,
}

impl Problem {
    /// A problem with a file or folder.
    #[cold]
    pub fn new(path: &Path, what: &str) -> Problem {
        Problem { place: path.to_string_lossy().to_string(), what: what.to_owned() }
    }

    /// A problem with a line (from 1) of a file.
    #[cold]
    pub fn in_line(path: &Path, line: usize, what: &str) -> Problem {
        Problem { place: format!("{}:{line}", path.to_string_lossy()), what: what.to_owned() }
    }
}

impl From<&crate::problem::Problem> for Problem {
    fn from(problem: &crate::problem::Problem) -> Problem {
        Problem { place: problem.place.clone(), what: problem.explain(crate::problem::Language::English) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // File names may hold anything, line breaks included.
        let mut place = String::with_capacity(self.place.len());
        self.place.chars().for_each(|character| text::push_visible(&mut place, character));
        write!(f, "{place}: {}", self.what)
    }
}

/// What a registrar is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// There is newer firmware than its own.
    pub available: bool,
    /// It must update.
    pub critical: bool,
}

/// What is served, with the settings it was loaded by.
pub struct Catalog {
    /// The settings.
    pub settings: Arc<Settings>,
    /// The version to name in answers: the configured one; with `latest` the one found, or 0.
    pub version: Date,
    /// The offer; `None` if an image is missing or cannot be trusted.
    pub offer: Option<Offer>,
    /// Why there is none.
    pub obstacle: Option<Problem>,
    /// The description as a JSON string, quotes included.
    pub description_json: String,
    /// The licences.
    pub licenses: LicenseIndex,
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
}

impl Catalog {
    /// Loads everything the settings point to. What cannot be served is left out and reported among the problems. Images of the
    /// `previous` catalog whose files did not change are kept.
    pub fn load(settings: Arc<Settings>, previous: Option<&Catalog>) -> Catalog {
        let mut problems = Vec::new();
        let known = previous.and_then(|catalog| catalog.offer.as_ref());
        let (version, offer) = if settings.may_offer { firmware::load_offer(&settings, known, &mut problems) } else { (0, None) };
        // The last one says most: for `latest` that no folder will do.
        let obstacle = if offer.is_none() { problems.last().cloned() } else { None };
        let licenses = licenses::load(&settings.licenses_path);
        problems.extend(licenses.problems.iter().filter(|problem| !problem.is_hint()).map(Problem::from));
        let mut description_json = String::new();
        match &settings.description {
            Some(description) => json::write_string(&mut description_json, description),
            None => json::write_string(&mut description_json, &format!("firmware {version}")),
        }
        Catalog { settings, version, offer, obstacle, description_json, licenses, problems }
    }

    /// What a registrar of this build date is told.
    pub fn judge(&self, build_date: Date) -> Verdict {
        let has_offer = self.offer.is_some();
        Verdict {
            available: has_offer && build_date < self.version,
            critical: has_offer && build_date < self.settings.critical_version,
        }
    }

    /// The offered image that stands at `path` below the firmware folder.
    pub fn find_image(&self, path: &str) -> Option<&Arc<Image>> {
        let offer = self.offer.as_ref()?;
        let (_, name) = split_image_path(path).filter(|(version, _)| *version == offer.version)?;
        offer.images.iter().find(|image| image.name == name)
    }

    /// Whether `path` below the firmware folder is an image of the configured version: such a file is served from memory, after
    /// it was verified, or not at all.
    pub fn is_image_of_version(&self, path: &str) -> bool {
        split_image_path(path).is_some_and(|(version, _)| version == self.version)
    }
}

/// Version and name, if `path` below the firmware folder is where an image of a version stands.
pub fn split_image_path(path: &str) -> Option<(Date, &str)> {
    let (folder, name) = path.split_once('/')?;
    let version = calendar::parse_version(folder)?;
    firmware::IMAGE_NAMES.contains(&name).then_some((version, name))
}
