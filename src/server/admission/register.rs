//! What is counted, and its lock.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::capacity::Capacity;
use super::place::Place;

/// The register of all connections.
pub struct Admission {
    state: Mutex<State>,
    /// Signals those at the door that a place became free, or that their turn has come.
    pub(super) place_freed: Condvar,
    /// Signals those who wait for the disk.
    pub(super) disk_freed: Condvar,
    /// The number of places taken, for a look without the lock. Relaxed: whoever looks acts on a moment's picture anyway.
    taken: AtomicUsize,
    pub(super) capacity: Capacity,
}

#[derive(Default)]
pub(super) struct State {
    /// Connections that hold one of the places; those whose downloads wait are not among them.
    pub places: Vec<Arc<Place>>,
    /// Newcomers that have come to the door …
    pub arrived: u32,
    /// … and those of them that were let in: they are let in as they came.
    pub admitted: u32,
    /// The last time that no place became free by itself for a newcomer, and others were asked to leave.
    pub asked_at: Option<Instant>,
    /// Connections that hold a permit to send a download.
    pub downloads: Vec<Arc<Place>>,
    /// Downloads that wait for one, in the order they came.
    pub waiting: Vec<WaitingDownload>,
    /// Connections beside the places: their download waits, or has waited in vain.
    pub beside: usize,
    /// Permits for the disk that are held …
    pub disk: usize,
    /// … and waited for.
    pub disk_waiting: usize,
    /// Pages being written.
    pub pages: usize,
}

/// A download in the queue. Whoever takes it out gives it its permit.
pub(super) struct WaitingDownload {
    pub place: Arc<Place>,
    pub since: Instant,
    pub granted: Arc<Condvar>,
}

impl Admission {
    /// Nobody is in yet.
    pub fn new(capacity: Capacity) -> Admission {
        Admission {
            state: Mutex::default(),
            place_freed: Condvar::new(),
            disk_freed: Condvar::new(),
            taken: AtomicUsize::new(0),
            capacity,
        }
    }

    /// The state, locked. Nobody does input or output while holding it; a place's stage may be looked at.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those at the door, if anybody is there: each wake-up is a system call. All of them, since the one whose turn it is must
    /// be among the woken.
    pub(super) fn call_newcomers(&self, state: &State) {
        if state.arrived != state.admitted {
            self.place_freed.notify_all();
        }
    }

    /// To be called under the lock after `places` changed.
    pub(super) fn note_taken(&self, state: &State) {
        self.taken.store(state.places.len(), Ordering::Relaxed);
    }

    /// Whether more than three quarters of the places are taken: then connections are not kept for a second request.
    pub fn is_pressed(&self) -> bool {
        self.taken.load(Ordering::Relaxed) * 4 > self.capacity.places * 3
    }

    /// Whether nobody is in.
    pub fn is_empty(&self) -> bool {
        let state = self.lock();
        state.places.is_empty() && state.beside == 0
    }

    /// Whether somebody is in who sends no download.
    pub fn has_others_than_downloads(&self) -> bool {
        let state = self.lock();
        state.places.len() + state.beside > state.downloads.len() + state.waiting.len()
    }

    /// All connections that hold a place now.
    pub fn connections(&self) -> Vec<Arc<Place>> {
        self.lock().places.clone()
    }

    /// Whether a stop waits for a download: for one that waits for its turn, or one that moved of late.
    pub fn has_moving_download(&self) -> bool {
        let state = self.lock();
        !state.waiting.is_empty() || state.downloads.iter().any(|place| place.stage().moved_of_late())
    }
}

/// Takes `place` out of a list of places; false if it is not there.
pub(super) fn remove_place(list: &mut Vec<Arc<Place>>, place: &Arc<Place>) -> bool {
    let found = list.iter().position(|other| Arc::ptr_eq(other, place));
    found.map(|index| list.swap_remove(index)).is_some()
}
