//! What is known of all version folders, offered or not: who was sent to a version just before a newer one was published must still
//! get it. One for all catalogs; the loader writes it, requests read it and add what they found out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fitness::{Judgement, KnownImages};
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

    /// Forgets what was found out: other rules apply.
    pub fn forget_judgements(&self) {
        self.lock().folders.iter_mut().for_each(|(_, shelved)| shelved.judgement = None);
    }

    /// Notes what a request found in a folder, if it still is what was judged.
    pub fn note(&self, version: Date, state: &FolderState, judgement: &Arc<Judgement>) {
        let mut inner = self.lock();
        if let Some(shelved) = inner.folders.get_mut(&version)
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
