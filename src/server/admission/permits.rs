//! Permits: the right to send a download, to use the disk, or to write a page.

use std::sync::{Arc, Condvar, PoisonError};

use super::place::Place;
use super::places::PlaceGuard;
use super::policy::{View, WaitingView, next_download, slow_download};
use super::register::{Admission, State, WaitingDownload, remove_place};
use crate::clock;
use crate::limits;
use crate::sys;

/// The right to send a download, held until its last byte is acknowledged.
pub struct DownloadPermit<'a> {
    admission: &'a Admission,
    place: Arc<Place>,
}

impl Drop for DownloadPermit<'_> {
    fn drop(&mut self) {
        self.place.end_download();
        let mut state = self.admission.lock();
        remove_place(&mut state.downloads, &self.place);
        self.admission.hand_on(&mut state);
    }
}

/// The right to do something that only a few may do at a time.
pub struct Permit<'a> {
    admission: &'a Admission,
    count: fn(&mut State) -> &mut usize,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.admission.lock();
        *(self.count)(&mut state) -= 1;
        if state.disk_waiting > 0 {
            self.admission.disk_freed.notify_one();
        }
    }
}

impl Admission {
    /// A permit to send a download, for which the connection may have to wait beside the places. `None`: it cannot be served now.
    /// `acknowledged` counts the bytes of the connection that have arrived so far; `prepare` is called before it waits;
    /// `is_worth_waiting` tells whether there will be permits at all.
    pub fn permit_download<'a>(
        &'a self,
        guard: &mut PlaceGuard<'a>,
        acknowledged: u64,
        prepare: impl FnOnce(),
        is_worth_waiting: impl Fn() -> bool,
    ) -> Option<DownloadPermit<'a>> {
        let place = guard.place.clone();
        let mut state = self.lock();
        if state.waiting.is_empty() && state.downloads.len() < self.capacity.downloads {
            state.downloads.push(place.clone());
            drop(state);
        } else if state.waiting.len() < self.capacity.waiting && state.beside < self.capacity.waiting {
            let granted = Arc::new(Condvar::new());
            state.waiting.push(WaitingDownload { place: place.clone(), since: clock::now(), granted: granted.clone() });
            remove_place(&mut state.places, &place);
            state.beside += 1;
            guard.is_beside = true;
            self.note_taken(&state);
            self.call_newcomers(&state);
            drop(state);
            prepare();
            if !self.await_turn(&place, &granted, is_worth_waiting) {
                return None;
            }
            let mut state = self.lock();
            state.places.push(place.clone());
            state.beside -= 1;
            guard.is_beside = false;
            self.note_taken(&state);
        } else {
            return None;
        }
        // From here on the guard gives the permit back, whatever happens.
        let permit = DownloadPermit { admission: self, place };
        permit.place.begin_download(acknowledged).then_some(permit)
    }

    /// Waits until somebody has taken the download out of the queue, which gives it its permit; false if it gave up before.
    fn await_turn(&self, place: &Arc<Place>, granted: &Condvar, is_worth_waiting: impl Fn() -> bool) -> bool {
        let mut state = self.lock();
        loop {
            let Some(index) = state.waiting.iter().position(|waiting| Arc::ptr_eq(&waiting.place, place)) else { return true };
            let now = clock::now();
            let waited =
                state.waiting.get(index).map_or(limits::DOWNLOAD_PATIENCE, |own| now.saturating_duration_since(own.since));
            if waited >= limits::DOWNLOAD_PATIENCE || !is_worth_waiting() || sys::has_hung_up(&place.stream) {
                state.waiting.remove(index);
                return false;
            }
            // One of them looks for all.
            if index == 0 {
                let sending: Vec<_> =
                    state.downloads.iter().map(|place| View { origin: place.origin, stage: *place.stage() }).collect();
                if let Some(slow) = slow_download(&sending, now).and_then(|slow| state.downloads.get(slow)) {
                    slow.stage().gives_way = true;
                }
            }
            state = granted.wait_timeout(state, limits::WAITING_TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn next_in_line(&self, state: &State) -> Option<usize> {
        let now = clock::now();
        let waiting: Vec<_> = state
            .waiting
            .iter()
            .map(|waiting| WaitingView { origin: waiting.place.origin, waited: now.saturating_duration_since(waiting.since) })
            .collect();
        let sending: Vec<_> = state.downloads.iter().map(|place| place.origin).collect();
        next_download(&waiting, &sending)
    }

    /// Gives a free permit to whoever is next. Under the lock: a permit that is handed on is never free in between.
    fn hand_on(&self, state: &mut State) {
        if state.downloads.len() >= self.capacity.downloads {
            return;
        }
        if let Some(next) = self.next_in_line(state) {
            let next = state.waiting.remove(next);
            state.downloads.push(next.place);
            next.granted.notify_one();
        }
    }

    /// A permit to use the disk; `None` if none becomes free in time.
    pub fn permit_disk(&self) -> Option<Permit<'_>> {
        let mut state = self.lock();
        if state.disk >= self.capacity.disk {
            if state.disk_waiting >= self.capacity.disk {
                return None;
            }
            state.disk_waiting += 1;
            let is_full = |state: &mut State| state.disk >= self.capacity.disk;
            let waited = self.disk_freed.wait_timeout_while(state, limits::DISK_PATIENCE, is_full);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.disk_waiting -= 1;
            if state.disk >= self.capacity.disk {
                return None;
            }
        }
        state.disk += 1;
        Some(Permit { admission: self, count: |state| &mut state.disk })
    }

    /// A permit to write a page for people; `None` if enough are being written.
    pub fn permit_page(&self) -> Option<Permit<'_>> {
        let mut state = self.lock();
        (state.pages < limits::PAGES).then(|| {
            state.pages += 1;
            Permit { admission: self, count: |state| &mut state.pages }
        })
    }
}
