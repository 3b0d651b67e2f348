//! Watching the licence files: each is read when it has stood still for a while, and only it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::file::LicenseFile;
use super::folder;
use super::index::LicenseIndex;
use crate::catalog::settling::{Settling, Source};
use crate::catalog::sorted_map::SortedMap;
use crate::clock;
use crate::limits;
use crate::problem::Problem;
use crate::problem::licenses as texts;
use crate::stamp::Stamp;

/// What is known of the files at one `feature_licenses_path`.
#[derive(Default)]
pub struct LicenseWatch {
    path: PathBuf,
    files: SortedMap<PathBuf, Watched>,
    /// What was wrong at the last look, apart from what is wrong in the files.
    problems: Vec<Problem>,
    /// Whether an index has been made.
    has_index: bool,
    /// Whether anything is not what the last index was made of. It outlives a look that did not come to its end.
    has_changed: bool,
    is_unsettled: bool,
    /// When it was first looked at.
    since: Option<Instant>,
}

/// One file. Its state is its stamp, or that it is not there.
#[derive(Default)]
struct Watched {
    source: Source<Option<Stamp>>,
    /// As it was last read to its end.
    read: Option<Arc<LicenseFile>>,
    /// The attempts since then came to this, and are repeated.
    failed: Option<Arc<LicenseFile>>,
}

impl LicenseWatch {
    /// Watches other files. Nothing has been looked at yet: until the first index is made, the one in force stays.
    pub fn new(path: &Path) -> LicenseWatch {
        LicenseWatch { path: path.to_owned(), ..LicenseWatch::default() }
    }

    /// The file or folder that is watched.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether something changed too short a time ago: look again soon.
    pub fn is_unsettled(&self) -> bool {
        self.is_unsettled
    }

    /// Looks at `now`, and reads what changed and has stood still for `wait`. Returns the index if it is not what it was. The first
    /// one comes when everything has settled, or after `wait`, when everything has that stood still meanwhile.
    pub fn look(&mut self, now: Instant, wait: Duration) -> Option<LicenseIndex> {
        // Without descriptors or memory nothing can be said of the files: everything stays as it is.
        let look = folder::look(&self.path).ok()?;
        let mut problems = look.problems;
        self.is_unsettled = false;
        // What is there and hidden is neither changed nor gone.
        let gone = look.is_complete.then(|| {
            let is_there = |path: &PathBuf| {
                look.files.binary_search_by(|(found, _)| found.as_os_str().cmp(path.as_os_str())).is_ok()
                    || look.hidden.contains(path)
            };
            self.files.entries().iter().map(|(path, _)| path).filter(|path| !is_there(path)).cloned().collect::<Vec<_>>()
        });
        for path in gone.into_iter().flatten() {
            if let Some(watched) = self.files.get_mut(&path) {
                match watched.source.look(None, now, wait) {
                    Settling::Changed | Settling::Settled => self.has_changed |= self.files.remove(&path).is_some(),
                    Settling::Unsettled => self.is_unsettled = true,
                }
            }
        }
        for (path, stamp) in look.files {
            let watched = self.files.get_or_insert_with(path.clone(), Watched::default);
            match watched.source.look(Some(stamp), now, wait) {
                Settling::Settled => self.has_changed |= watched.failed.take().is_some(),
                Settling::Unsettled => self.is_unsettled = true,
                Settling::Changed => match self.read(&path, stamp) {
                    Outcome::News => self.has_changed = true,
                    Outcome::Same => {}
                    Outcome::Changing => {
                        self.is_unsettled = true;
                        problems.push(Problem::with(&path, &texts::CHANGING, Vec::new()));
                    }
                },
            }
        }
        self.has_changed |= self.problems != problems;
        self.problems = problems;

        let since = *self.since.get_or_insert(now);
        let is_due = !self.is_unsettled || now.saturating_duration_since(since) >= wait;
        if !(self.has_changed && self.has_index || is_due && !self.has_index) {
            return None;
        }
        let index = self.make_index();
        (self.has_index, self.has_changed) = (true, false);
        Some(index)
    }

    fn make_index(&self) -> LicenseIndex {
        let mut found = self.problems.clone();
        let files = self.files.values().filter_map(|watched| match (&watched.read, &watched.failed) {
            // The lines that were read before are still known, if only to say that they cannot be given now.
            (Some(read), Some(failed)) => {
                found.extend(failed.failure());
                Some(read.clone())
            }
            (Some(file), None) | (None, Some(file)) => Some(file.clone()),
            (None, None) => None,
        });
        let files = files.collect();
        LicenseIndex::new(&self.path, files, found)
    }

    /// Reads a file that stands still.
    fn read(&mut self, path: &Path, stamp: Stamp) -> Outcome {
        let others = self.files.entries().iter().filter(|(other, _)| other.as_path() != path);
        let taken: usize = others.filter_map(|(_, watched)| Some(watched.read.as_ref()?.entries.len())).sum();
        let Some(watched) = self.files.get_mut(path) else { return Outcome::Same };
        let read = LicenseFile::read(path, limits::LICENSES.saturating_sub(taken));
        let read = read.unwrap_or_else(|error| LicenseFile::unreadable(path, error));
        if read.met_shortage() && watched.read.is_some() {
            return Outcome::Same;
        }
        if read.may_heal() {
            let is_news = watched.failed.as_ref().is_none_or(|before| !before.is_like(&read));
            watched.failed = Some(Arc::new(read));
            return if is_news { Outcome::News } else { Outcome::Same };
        }
        if read.stamp != Some(stamp) {
            return Outcome::Changing;
        }
        watched.source.take();
        (watched.read, watched.failed) = (Some(Arc::new(read)), None);
        Outcome::News
    }
}

/// What reading a file came to.
enum Outcome {
    /// The index is not what it was.
    News,
    /// Nothing new.
    Same,
    /// It changed while it was read.
    Changing,
}

/// The index of what is there now, settled or not.
pub fn load(path: &Path) -> LicenseIndex {
    let mut watch = LicenseWatch::new(path);
    watch.look(clock::now(), Duration::ZERO).unwrap_or_else(|| watch.make_index())
}
