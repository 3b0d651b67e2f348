//! Registrars through an update: whom we recognise, what we have seen of each, and what a check is told. In memory only; nothing
//! is written to flash, and nothing outlives the process.
//!
//! The JavaPOS driver, whose source we have read, is offered each update under a fresh number and not again before it had time
//! to flash it; to everybody else the answer is the reference's. Times are seconds from the start of the server, given by the
//! caller. The one lock is held for a look into a sorted table, never during input or output.

mod snapshot;
mod updates;

mod finding;
mod state;

mod memory;
mod policy;

mod track;

mod numbers;
mod sight;
mod tills;
mod totals;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::calendar::Date;
use crate::problem::Problem;

use memory::Memory;
use numbers::Numbers;
use policy::Decision;

pub use finding::Finding;
pub use memory::{LastDownload, Transfer};
pub use numbers::{FIRST as FIRST_NUMBER, LAST as LAST_NUMBER};
pub use policy::Hold;
pub use sight::{Check, DownloadStart, OfferedHere};
pub use snapshot::{Registrar, Snapshot};
pub use state::{STATES, Standing, State};
pub use totals::Totals;

/// What a check is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// What the reference would tell it: it is not the driver's, or there is no update.
    AsReference,
    /// The update, under this number in place of its version.
    Offer {
        /// From 2^30 to 2^31 − 2, and fresh.
        number: u32,
    },
    /// "No update", although there is one.
    Held(Hold),
}

/// What a check is to be told, and what is known by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckAnswer {
    /// What it is told.
    pub told: Told,
    /// What an operator should see to since this check, once each.
    pub news: Option<Problem>,
    /// Whether the caller or its build date is new, or it is told another thing than the last time.
    pub is_change: bool,
}

/// Something else to count.
#[derive(Debug, Clone, Copy)]
pub enum Counted {
    /// A licence was asked for; whether there is one.
    License(bool),
    /// A request was refused.
    Refused,
}

/// The memory of registrars.
#[derive(Default)]
pub struct Registrars {
    state: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    memory: Memory,
    numbers: Numbers,
    totals: Totals,
}

impl Registrars {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a check and says what it is to be told.
    pub fn check(&self, check: &Check, now: u32) -> CheckAnswer {
        let mut inner = self.lock();
        let (decision, news) = inner.memory.check(check, now);
        let is_change = inner.memory.note_told(check, decision);
        inner.totals.checks += 1;
        let told = match decision {
            Decision::Offer { .. } if !check.is_driver() => Told::AsReference,
            Decision::Offer { .. } => Told::Offer { number: inner.numbers.draw() },
            Decision::Hold(hold) => Told::Held(hold),
        };
        match told {
            _ if check.chosen.is_none() => return CheckAnswer { told: Told::AsReference, news, is_change },
            Told::Held(_) => inner.totals.held += 1,
            _ => inner.totals.offers += 1,
        }
        CheckAnswer { told, news, is_change }
    }

    /// These versions are offered from now on: what registrars showed about the folder of another one is remembered for the case
    /// that it comes back, and holds nobody.
    pub fn set_offered(&self, versions: Vec<Date>) {
        self.lock().memory.set_offered(versions);
    }

    /// A download begins. It counts as cut unless it is said to be complete.
    pub fn begin_download(self: &Arc<Self>, start: &DownloadStart, now: u32) -> Download {
        let driver = self.lock().memory.begin_download(start, now);
        Download { registrars: self.clone(), start: *start, driver, acknowledged: start.start, at: now, is_complete: false }
    }

    /// Counts something.
    pub fn count(&self, counted: Counted) {
        let totals = &mut self.lock().totals;
        let count = match counted {
            Counted::License(true) => &mut totals.licenses_found,
            Counted::License(false) => &mut totals.licenses_unknown,
            Counted::Refused => &mut totals.refused,
        };
        *count += 1;
    }

    /// What the page shows. `judge` says how a build date at an address stands to what is served.
    pub fn snapshot(&self, now: u32, judge: impl Fn(IpAddr, Date) -> Standing) -> Snapshot {
        let inner = self.lock();
        snapshot::take(&inner.memory, inner.totals.clone(), now, judge)
    }
}

/// A download under way. Dropped, it counts as cut where it was last seen.
pub struct Download {
    registrars: Arc<Registrars>,
    start: DownloadStart,
    /// Build date and count of a driver's track.
    driver: Option<(Date, u8)>,
    acknowledged: u64,
    at: u32,
    is_complete: bool,
}

impl Download {
    /// The client has acknowledged all before this byte, counted from the start of the file. Worth telling every second or so.
    pub fn note_position(&mut self, acknowledged: u64, now: u32) {
        self.at = now;
        let reached = acknowledged.min(self.start.size);
        if reached > self.acknowledged {
            self.acknowledged = reached;
            self.registrars.lock().memory.note_progress(&self.start, reached, now);
        }
    }

    /// Its last byte is acknowledged.
    pub fn complete(mut self, now: u32) {
        (self.at, self.acknowledged, self.is_complete) = (now, self.start.size, true);
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        let mut inner = self.registrars.lock();
        if self.is_complete {
            inner.totals.downloads_complete += 1;
        } else {
            inner.totals.downloads_cut += 1;
        }
        let transfer = if self.is_complete { Transfer::Complete } else { Transfer::Cut };
        inner.memory.end_download(&self.start, self.driver, self.acknowledged, transfer, self.at);
    }
}
