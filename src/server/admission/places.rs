//! Places: newcomers get one as they came, and somebody gives way if there is none.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, PoisonError};

use super::place::Place;
use super::policy::{View, count_to_ask, may_ask, order_of_leaving};
use super::register::{Admission, State, remove_place};
use super::stage::Phase;
use crate::clock;
use crate::limits;
use crate::origin::Origin;

/// A place that is held; dropped, it is free.
pub struct PlaceGuard<'a> {
    pub(super) admission: &'a Admission,
    /// The connection.
    pub place: Arc<Place>,
    /// Its download waits, or has waited in vain: it does not count as one of the places.
    pub(super) is_beside: bool,
}

impl PlaceGuard<'_> {
    /// Whether it is beside the places: then its connection ends with the answer.
    pub fn is_beside(&self) -> bool {
        self.is_beside
    }
}

impl Drop for PlaceGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.admission.lock();
        if self.is_beside {
            state.beside -= 1;
        } else {
            remove_place(&mut state.places, &self.place);
            self.admission.note_taken(&state);
            self.admission.call_newcomers(&state);
        }
    }
}

impl Admission {
    /// Gives a newcomer a place; waits until there is one and those who came before have theirs. `count_outside` counts those who wait
    /// in the kernel's queue.
    pub fn admit(&self, stream: TcpStream, peer: SocketAddr, count_outside: impl Fn() -> usize) -> PlaceGuard<'_> {
        let place = Arc::new(Place::new(stream, peer));
        let mut state = self.lock();
        let ticket = state.arrived;
        state.arrived = ticket.wrapping_add(1);
        let mut next_since = None;
        while state.admitted != ticket || !self.has_room(&state) {
            let now = clock::now();
            let since = |at| now.saturating_duration_since(at);
            let waited = (state.admitted == ticket).then(|| since(*next_since.get_or_insert(now)));
            if let Some(waited) = waited.filter(|waited| may_ask(*waited, state.asked_at.map(since))) {
                drop(state);
                let asked = self.make_room(Some(place.origin), count_outside());
                state = self.lock();
                if asked > 0 && waited >= limits::ADMISSION_PATIENCE {
                    state.asked_at = Some(now);
                }
                if self.has_room(&state) {
                    break;
                }
            }
            let waited = self.place_freed.wait_timeout(state, limits::ADMISSION_TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.admitted = ticket.wrapping_add(1);
        let guard = self.seat(&mut state, place);
        self.call_newcomers(&state);
        guard
    }

    fn has_room(&self, state: &State) -> bool {
        state.places.len() < self.capacity.places
    }

    fn seat(&self, state: &mut State, place: Arc<Place>) -> PlaceGuard<'_> {
        // Time at the door does not count as the client's delay.
        place.enter(Phase::Idle);
        state.places.push(place.clone());
        self.note_taken(state);
        PlaceGuard { admission: self, place, is_beside: false }
    }

    /// Asks as many connections to leave as there is need for, with `outside` callers in the kernel's queue, and returns how many that
    /// were. Called by a newcomer at the door, or where threads, descriptors or memory have run out: then there is no newcomer to be
    /// named.
    pub fn make_room(&self, newcomer: Option<Origin>, outside: usize) -> usize {
        let now = clock::now();
        let (count, views, places) = {
            let state = self.lock();
            let at_the_door = state.arrived.wrapping_sub(state.admitted) as usize;
            let views: Vec<_> = state.places.iter().map(|place| View { origin: place.origin, stage: *place.stage() }).collect();
            let count = count_to_ask(&views, at_the_door + outside, self.capacity.places, now);
            if count == 0 {
                return 0;
            }
            (count, views, state.places.clone())
        };
        // The kernel is asked outside the lock about one after another, and the stage is looked at again under its own.
        order_of_leaving(&views, newcomer, now)
            .into_iter()
            .filter(|index| match (places.get(*index), views.get(*index)) {
                (Some(place), Some(view)) => place.ask_to_leave(&view.stage),
                _ => false,
            })
            .take(count)
            .count()
    }
}
