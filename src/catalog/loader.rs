//! Looking at everything a catalog is made of, again and again. All disk work is done here, in a thread that may hang with a disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::firmware::FirmwareLoader;
use super::licenses::{LicenseIndex, LicenseWatch};
use super::offers::{Firmware, Offer};
use super::picture::Catalog;
use super::settings_source::SettingsSource;
use super::shelf::Shelf;
use crate::clock;
use crate::config::{Reading, Settings};
use crate::limits;
use crate::problem::Problem;

/// Looks at settings, firmware and licences, and makes a catalog whenever something has changed.
pub struct Loader {
    settings: SettingsSource,
    firmware: FirmwareLoader,
    licenses: LicenseWatch,
    /// What the last look at them that found a change came to.
    index: Arc<LicenseIndex>,
    shelf: Arc<Shelf>,
    looked_at: Option<Instant>,
    /// What the last catalog was made of; `None` if there was none, or if a look has ended in a panic since.
    last: Option<(Arc<Firmware>, Vec<Problem>)>,
}

impl Loader {
    /// A loader that has not looked yet; the settings of `reading` are in force. Where there are mistakes in them nothing is offered
    /// until their file is mended. Of an inherited socket it says which settings do not count.
    pub fn new(reading: Reading, socket_is_inherited: bool) -> Loader {
        let settings = SettingsSource::new(reading, socket_is_inherited);
        let shelf = Arc::new(Shelf::default());
        Loader {
            firmware: FirmwareLoader::new(settings.settings(), shelf.clone()),
            licenses: LicenseWatch::new(&settings.settings().licenses_path),
            index: Arc::default(),
            settings,
            shelf,
            looked_at: None,
            last: None,
        }
    }

    /// Looks at everything once. Returns a catalog if it is another one than the last, or the first. After a panic, which is a fault
    /// of ours, it may be called again: what that look had found by then is published by the next one.
    pub fn look(&mut self, now: Instant) -> Option<Arc<Catalog>> {
        self.looked_at = Some(now);
        let is_configured = self.settings.look(now);
        self.look_at_rest(now, is_configured)
    }

    fn look_at_rest(&mut self, now: Instant, is_configured: bool) -> Option<Arc<Catalog>> {
        let last = self.last.take();
        let settings = self.settings.settings().clone();
        self.firmware.configure(&settings);
        let (mut firmware, mut has_licenses) = (Firmware::default(), false);
        if self.settings.is_valid() {
            self.firmware.look(&settings, now);
            firmware = self.firmware.picture(&settings);
            has_licenses = self.look_at_licenses(&settings, now);
        }
        let problems = [self.settings.problems(), &firmware.problems, &self.index.problems].concat();
        let is_same = |(last, told): &(Arc<Firmware>, Vec<Problem>)| is_same(last, &firmware) && *told == problems;
        if !is_configured && !has_licenses && last.as_ref().is_some_and(is_same) {
            self.last = last;
            return None;
        }
        let firmware = Arc::new(firmware);
        let found = problems.clone();
        let catalog = Catalog::new(settings, firmware.clone(), self.index.clone(), found, self.shelf.clone());
        self.last = Some((firmware, problems));
        Some(Arc::new(catalog))
    }

    /// Whether there is another index now.
    fn look_at_licenses(&mut self, settings: &Settings, now: Instant) -> bool {
        if self.licenses.path() != settings.licenses_path {
            self.licenses = LicenseWatch::new(&settings.licenses_path);
        }
        let index = self.licenses.look(now, limits::SETTLING_TIME);
        let is_other = index.is_some();
        self.index = index.map_or_else(|| self.index.clone(), Arc::new);
        is_other
    }

    /// The settings in force.
    pub fn settings(&self) -> &Arc<Settings> {
        self.settings.settings()
    }

    /// How long to wait at `now` before the next look. Counted from the beginning of the last one, so that looks that take their
    /// time do not put off what settles.
    pub fn next_look(&self, now: Instant) -> Duration {
        let time = if self.is_settled() { limits::WATCH_TIME } else { limits::UNSETTLED_WATCH_TIME };
        let since = self.looked_at.map_or(Duration::ZERO, |looked_at| now.saturating_duration_since(looked_at));
        // A disk that takes longer than that is not asked again at once.
        time.saturating_sub(since).max(time / 4)
    }

    /// Whether everything that was looked at stands still.
    pub fn is_settled(&self) -> bool {
        let is_empty = !self.settings.is_valid();
        self.settings.is_settled() && (is_empty || self.firmware.is_settled() && !self.licenses.is_unsettled())
    }
}

/// The catalog of what is there now, as if it had stood still for long: for `-t` and tests. The settings are taken as they are.
pub fn load_once(reading: impl Into<Reading>) -> Arc<Catalog> {
    let now = clock::now();
    let mut loader = Loader::new(reading.into(), false);
    let settings = loader.settings().clone();
    let unsettled = loader.look_at_rest(now, false);
    let settled = loader.look_at_rest(now + limits::SETTLING_TIME, false);
    settled.or(unsettled).unwrap_or_else(|| Arc::new(Catalog::nothing_offered(settings)))
}

fn is_same(old: &Firmware, new: &Firmware) -> bool {
    let same_offers = |(old, new): (&Offer, &Offer)| old.is_same(new);
    let versions = |firmware: &Firmware| firmware.whole.iter().map(|(version, _)| *version).collect::<Vec<_>>();
    old.offers.len() == new.offers.len()
        && old.offers.iter().zip(&new.offers).all(same_offers)
        && versions(old) == versions(new)
        && (&old.unsettled, &old.obstacle) == (&new.unsettled, &new.obstacle)
}
