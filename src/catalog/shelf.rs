//! What is known of all version folders, offered or not: who was sent to a version just before a newer one was published must still
//! get it. One for all catalogs; the loader writes it, requests read it and add what they found out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fitness::{Judgement, KnownImages, Sizes};
use super::sorted_map::SortedMap;
use super::version_folder::FolderState;
use crate::calendar::Date;
use crate::limits;

/// A folder that has settled.
#[derive(Debug, Clone)]
pub struct Shelved {
    /// Its state.
    pub state: Arc<FolderState>,
    /// What was found in it; `None` if nobody has asked.
    pub judgement: Option<Arc<Judgement>>,
}

/// The settled folders by version, and the images each version had when it was last fit.
#[derive(Debug, Default)]
pub struct Shelf {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By what the folders are judged; a request may still work by others.
    sizes: Option<Sizes>,
    folders: SortedMap<Date, Shelved>,
    known: SortedMap<Date, KnownImages>,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A settled folder.
    pub fn find(&self, version: Date) -> Option<Shelved> {
        self.lock().folders.get(&version).cloned()
    }

    /// Replaces what a look knows of the folders. What requests found out about folders that are as they were is kept.
    pub fn replace(&self, mut folders: SortedMap<Date, Shelved>) {
        let mut inner = self.lock();
        for (version, new) in folders.iter_mut() {
            if new.judgement.is_none()
                && let Some(old) = inner.folders.get(version)
                && old.state == new.state
            {
                new.judgement.clone_from(&old.judgement);
            }
        }
        let old = std::mem::replace(&mut inner.folders, folders);
        // Freed after the lock.
        drop(inner);
        drop(old);
    }

    /// Folders are judged by `sizes` from now on: forgets what was found out by others.
    pub fn judge_by(&self, sizes: Sizes) {
        let mut inner = self.lock();
        inner.sizes = Some(sizes);
        inner.folders.iter_mut().for_each(|(_, shelved)| shelved.judgement = None);
    }

    /// Notes what a request found in a folder by `sizes`, if it still is what was judged, and they are in force.
    pub fn note(&self, version: Date, state: &FolderState, sizes: Sizes, judgement: &Arc<Judgement>) {
        let mut inner = self.lock();
        if inner.sizes == Some(sizes)
            && let Some(shelved) = inner.folders.get_mut(&version)
            && *shelved.state == *state
        {
            shelved.judgement = Some(judgement.clone());
        } else {
            return;
        }
        drop(inner);
        self.remember(version, judgement);
    }

    /// The images a version had when it was last fit, since the start of the program.
    pub fn known(&self, version: Date) -> Option<KnownImages> {
        self.lock().known.get(&version).copied()
    }

    /// Remembers the images of a fit version, also after its folder is gone.
    pub fn remember(&self, version: Date, judgement: &Judgement) {
        let Some(fit) = &judgement.fit else { return };
        let mut inner = self.lock();
        *inner.known.get_or_insert_with(version, || fit.known()) = fit.known();
        if inner.known.entries().len() > limits::VERSION_FOLDERS {
            inner.known.remove_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::version_folder::ListedNames;
    use super::*;

    #[test]
    fn what_was_found_by_other_sizes_is_not_remembered() {
        let [old, new] = [480, 100].map(|min_kb| Sizes { min_kb, max_kb: 16384 });
        let state = FolderState::look(Path::new("/"), &mut ListedNames::default()).expect("a look").expect("a folder");
        let judgement = Arc::new(Judgement { fit: None, problems: Vec::new(), is_retried: false });
        let shelf = Shelf::default();
        let mut folders = SortedMap::default();
        folders.get_or_insert_with(20260301, || Shelved { state: Arc::new(state.clone()), judgement: None });
        shelf.judge_by(old);
        shelf.replace(folders);
        let is_judged = || shelf.find(20260301).is_some_and(|shelved| shelved.judgement.is_some());
        shelf.note(20260301, &state, old, &judgement);
        assert!(is_judged());
        shelf.judge_by(new);
        assert!(!is_judged());
        // By a request that began before.
        shelf.note(20260301, &state, old, &judgement);
        assert!(!is_judged());
        shelf.note(20260301, &state, new, &judgement);
        assert!(is_judged());
    }
}
