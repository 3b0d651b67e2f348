//! What all threads share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::admission::Admission;
use super::listener::Entrance;
use crate::catalog::Catalog;
use crate::clock;
use crate::config::Settings;
use crate::limits;
use crate::registrars::Registrars;

/// The server's state.
pub struct Context {
    /// The picture in force. The lock is held for copying or replacing the pointer only.
    catalog: Mutex<Arc<Catalog>>,
    /// The listening sockets.
    pub entrances: Vec<Arc<Entrance>>,
    /// All connections.
    pub admission: Admission,
    /// When a stop is over at the latest; set when it begins.
    stops_at: OnceLock<Instant>,
    /// The threads are to leave `accept`. Relaxed: it guards nothing, and each looks again within a tick.
    is_leaving: AtomicBool,
    /// What registrars did, and what they are told by it.
    pub registrars: Arc<Registrars>,
}

impl Context {
    /// Before the first look at files, when nothing can be offered.
    pub fn new(settings: Arc<Settings>, entrances: Vec<Arc<Entrance>>, admission: Admission) -> Context {
        Context {
            catalog: Mutex::new(Arc::new(Catalog::nothing_offered(settings))),
            entrances,
            admission,
            stops_at: OnceLock::new(),
            is_leaving: AtomicBool::new(false),
            registrars: Arc::default(),
        }
    }

    /// The catalog for one request.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a catalog in force for all requests that begin from now on.
    pub fn publish(&self, catalog: Arc<Catalog>) {
        let offered = catalog.offers().iter().map(|offer| offer.version).collect();
        let old = std::mem::replace(&mut *self.catalog.lock().unwrap_or_else(PoisonError::into_inner), catalog);
        // Outside the lock: the last owner frees its images.
        drop(old);
        self.registrars.set_offered(offered);
    }

    /// Begins a stop that may take so long.
    pub fn begin_stop(&self, time: Duration) {
        self.stops_at.get_or_init(|| clock::now() + time);
    }

    /// Whether the server is about to end.
    pub fn is_stopping(&self) -> bool {
        self.stops_at.get().is_some()
    }

    /// Time left until the end of a stop; `None` while there is none.
    pub fn time_to_stop(&self) -> Option<Duration> {
        self.stops_at.get().map(|end| end.saturating_duration_since(clock::now()))
    }

    /// Whether a download may still begin: in a stop, one that could not end in time would be cut.
    pub fn takes_downloads(&self) -> bool {
        self.time_to_stop().is_none_or(|left| left >= limits::STOP_DOWNLOAD_TIME)
    }

    /// Tells the threads to leave `accept`.
    pub fn leave_entrances(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }

    /// Whether they are to.
    pub fn is_leaving_entrances(&self) -> bool {
        self.is_leaving.load(Ordering::Relaxed)
    }

    /// Callers that wait in the kernel's queues.
    pub fn count_callers(&self) -> usize {
        self.entrances.iter().map(|entrance| entrance.count_callers()).sum()
    }

    /// Whether a thread waits at each entrance: in `accept`, or with a caller at the door.
    pub fn is_accepting(&self) -> bool {
        self.entrances.iter().all(|entrance| entrance.waiting() > 0)
    }
}
