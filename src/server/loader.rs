//! Loading: a thread of its own looks at files, so that a disk that hangs holds up nobody else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::context::Context;
use super::reload;
use crate::catalog::Loader;
use crate::clock;
use crate::limits;
use crate::log;
use crate::problem::{Language, Problem, service as texts};
use crate::threads;

/// The thread that loads, as the others see it.
pub struct Loading(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Signals either side that the state changed.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    has_looked: bool,
    is_asked: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loading {
    /// Starts the thread.
    pub fn start(context: &Arc<Context>, loader: Loader) -> Loading {
        let shared = Arc::new(Shared::default());
        let (for_loader, for_thread) = (context.clone(), shared.clone());
        let load = move || load(&for_loader, loader, &for_thread);
        if let Err(error) = threads::spawn(Box::new(load)) {
            let problem = Problem::with(&context.catalog().settings.firmware_path, &texts::NO_LOADER, vec![error.into()]);
            log::problem(&problem.describe(Language::English));
        }
        Loading(shared)
    }

    /// Waits until what stands still is loaded, for a while: the first answer is to be the right one.
    pub fn await_first_look(&self, is_over: impl Fn() -> bool) {
        let end = clock::now() + limits::FIRST_LOOK_TIME;
        let mut state = self.0.lock();
        while !state.has_looked && clock::now() < end && !is_over() {
            state = self.0.changed.wait_timeout(state, limits::TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Asks for a look soon.
    pub fn look_soon(&self) {
        self.0.lock().is_asked = true;
        self.0.changed.notify_all();
    }
}

fn load(context: &Context, mut loader: Loader, shared: &Shared) {
    let mut is_first = true;
    let start = clock::now();
    loop {
        let now = clock::now();
        survive(|| look(context, &mut loader, now, is_first));
        if is_first && (loader.is_settled() || now.saturating_duration_since(start) >= limits::FIRST_LOOK_TIME) {
            is_first = false;
            survive(|| reload::report_first(&context.catalog()));
            shared.lock().has_looked = true;
            shared.changed.notify_all();
        }
        let state = shared.lock();
        let waited = shared.changed.wait_timeout_while(state, loader.next_look(clock::now()), |state| !state.is_asked);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_asked = false;
    }
}

fn look(context: &Context, loader: &mut Loader, now: Instant, is_first: bool) {
    let Some(catalog) = loader.look(now) else { return };
    log::set_file(&catalog.settings.log_file);
    let old = context.catalog();
    context.publish(catalog.clone());
    if !is_first {
        reload::report_changes(&old, &catalog);
    }
}

/// A fault of ours costs one look and not all that would come: the last catalog stays in force. The panic's hook has written its line.
fn survive(step: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(step));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_one_step_and_nothing_else() {
        let mut steps = Vec::new();
        for step in 0..3 {
            survive(|| {
                steps.push(step);
                assert_ne!(step, 1, "on purpose");
                steps.push(step);
            });
        }
        assert_eq!(steps, [0, 0, 1, 2, 2]);
    }
}
