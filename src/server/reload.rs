//! Taking changes over: the catalog in force is replaced as a whole, or stays as it is. No restart, and no request sees half.

use std::fmt::Write;
use std::sync::Arc;

use super::Shared;
use crate::catalog::watch::Fingerprint;
use crate::catalog::{Catalog, Problem};
use crate::config::{self, Settings};
use crate::log;

/// Watches what the catalog was loaded from. Belongs to the main thread.
pub struct Watch {
    /// What was loaded; `None` if it changed while it was read.
    loaded: Option<Fingerprint>,
    /// What the last look saw.
    seen: Option<Fingerprint>,
}

impl Watch {
    /// Loads the first catalog, and begins to watch for what changes from now on.
    pub fn load_first(settings: Settings) -> (Catalog, Watch) {
        let (catalog, loaded) = load(Arc::new(settings), None);
        (catalog, Watch { loaded, seen: None })
    }

    /// Looks once. A change is taken over when two looks in a row agree: a file that is still being copied is not.
    pub fn look(&mut self, shared: &Shared) {
        let now = Some(Fingerprint::of(&shared.catalog()));
        let is_settled = now == self.seen;
        self.seen = now;
        if now != self.loaded && is_settled {
            self.reload(shared, Haste::WhenSettled);
        }
    }

    /// Takes over what is there, settled or not (SIGHUP).
    pub fn reload_now(&mut self, shared: &Shared) {
        log::info(format_args!("event=reload_asked_for"));
        self.reload(shared, Haste::Now);
    }

    fn reload(&mut self, shared: &Shared, haste: Haste) {
        let old = shared.catalog();
        let mut refused = Vec::new();
        let settings = config::load(&old.settings.file).map(Arc::new).unwrap_or_else(|errors| {
            refused = errors.iter().map(Problem::from).collect();
            old.settings.clone()
        });
        let (mut new, loaded) = load(settings, Some(&old));
        if loaded.is_none() && haste == Haste::WhenSettled {
            // It changed while it was read: what was read may be half of this and half of that. The next looks will tell.
            return;
        }
        new.problems.extend(refused);
        log::set_file(&new.settings.log_file);
        (self.loaded, self.seen) = (loaded, None);
        report_changes(&old, &new);
        shared.publish(Arc::new(new));
    }
}

/// Loads a catalog, with the fingerprint of what it was loaded from if that did not change meanwhile.
fn load(settings: Arc<Settings>, previous: Option<&Catalog>) -> (Catalog, Option<Fingerprint>) {
    let before = Fingerprint::take(&settings, None);
    let catalog = Catalog::load(settings, previous);
    let loaded = Fingerprint::of(&catalog);
    let is_settled = Fingerprint::take(&catalog.settings, None) == before;
    (catalog, is_settled.then_some(loaded))
}

#[derive(PartialEq)]
enum Haste {
    WhenSettled,
    Now,
}

/// One line for what changed, one for each problem that was not there before.
fn report_changes(old: &Catalog, new: &Catalog) {
    let mut changes = String::new();
    let [before, after] = [old, new].map(describe_offer);
    if before != after {
        let _ = write!(changes, " offer=\"{before} -> {after}\"");
    } else if !same_images(old, new) {
        let _ = write!(changes, " offer=\"{before} -> {after}, other images\"");
    }
    let [before, after] = [old, new].map(|catalog| catalog.licenses.len());
    if before != after {
        let _ = write!(changes, " licences=\"{before} -> {after}\"");
    }
    if old.settings.digest != new.settings.digest {
        changes.push_str(" settings=changed");
    }
    let [before, after] = [old, new].map(|catalog| catalog.problems.len());
    if before != after {
        let _ = write!(changes, " problems=\"{before} -> {after}\"");
    }
    log::info(format_args!("event=reloaded{changes}"));
    for problem in new.problems.iter().filter(|problem| !old.problems.contains(problem)) {
        log::problem(&problem.to_string());
    }
    if needs_restart(&old.settings, &new.settings) {
        log::problem("port, address and max_connections take effect after a restart");
    }
}

fn describe_offer(catalog: &Catalog) -> String {
    catalog.offer.as_ref().map_or_else(|| "none".to_owned(), |offer| offer.version.to_string())
}

fn same_images(old: &Catalog, new: &Catalog) -> bool {
    let digests = |catalog: &Catalog| catalog.offer.as_ref().map(|offer| offer.images.each_ref().map(|image| image.digest));
    digests(old) == digests(new)
}

fn needs_restart(old: &Settings, new: &Settings) -> bool {
    (old.port, &old.addresses, old.max_connections) != (new.port, &new.addresses, new.max_connections)
}
