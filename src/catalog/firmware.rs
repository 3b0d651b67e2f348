//! The firmware folder through time: which versions are live, and what stands in the way of the others.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::fitness::Sizes;
use super::folder_names::FolderNames;
use super::image::folder_name;
use super::offers::{Firmware, Offer, find_overlaps};
use super::shelf::{Shelf, Shelved};
use super::sorted_map::SortedMap;
use super::tracked_folder::{Rules, TrackedFolder};
use super::version_folder::OFFER_NAME;
use crate::calendar::Date;
use crate::config::{Settings, VersionChoice};
use crate::limits;
use crate::problem::{Problem, firmware as texts, offers as offer_texts};
use crate::sys;

/// Looks at the firmware folder again and again.
pub struct FirmwareLoader {
    root: PathBuf,
    sizes: Sizes,
    shelf: Arc<Shelf>,
    folders: SortedMap<Date, TrackedFolder>,
    /// Newest first; what the last look could not list is as it was.
    names: FolderNames,
    /// Which of the folders that cannot be chosen are looked at.
    turn: usize,
    /// With `latest` the newest version that everybody may have: nothing older can be chosen.
    base: Date,
    /// Versions that are fit and not live, with the reasons.
    refused: Vec<(Date, Problem)>,
}

impl FirmwareLoader {
    /// A loader that has not looked yet.
    pub fn new(settings: &Settings, shelf: Arc<Shelf>) -> FirmwareLoader {
        let sizes = Sizes::from(settings);
        shelf.judge_by(sizes);
        FirmwareLoader {
            root: settings.firmware_path.clone(),
            sizes,
            shelf,
            folders: SortedMap::default(),
            names: FolderNames::default(),
            turn: 0,
            base: 0,
            refused: Vec::new(),
        }
    }

    /// Other settings are in force.
    pub fn configure(&mut self, settings: &Settings) {
        if self.root != settings.firmware_path {
            *self = FirmwareLoader::new(settings, self.shelf.clone());
            self.shelf.replace(SortedMap::default());
        }
        let sizes = Sizes::from(settings);
        if self.sizes != sizes {
            self.sizes = sizes;
            self.shelf.judge_by(sizes);
            self.folders.iter_mut().for_each(|(_, folder)| folder.forget_judgement());
        }
    }

    /// Looks once. Whatever cannot be looked at for want of descriptors or memory stays as it was.
    pub fn look(&mut self, settings: &Settings, now: Instant) {
        if let Ok(names) = FolderNames::read(&self.root) {
            self.names = names;
        } else if self.folders.entries().is_empty() {
            // Nothing is known at all; soon there will be.
            return;
        }
        for version in self.names.versions.iter().copied().chain(fixed_version(settings)) {
            self.folders.get_or_insert_with(version, || TrackedFolder::new(version));
        }
        let rules = Rules { root: &self.root, sizes: self.sizes, shelf: &self.shelf };
        let fixed = fixed_version(settings);
        // Those that somebody can be offered: the newest, down to one that everybody may have.
        let mut may_be_chosen = true;
        // The others in turn. A request for one of their images looks for itself whether it is as it was.
        let groups = (self.folders.entries().len() / limits::FOLDERS_IN_TURN).max(1);
        self.turn = (self.turn + 1) % groups;
        for (index, (version, folder)) in self.folders.iter_mut().rev().enumerate() {
            // What is live is missed at once, also where a newer one that cannot be live stands before it.
            let is_live = folder.images().is_some();
            let is_relevant = fixed.map_or(may_be_chosen || is_live, |fixed| *version == fixed);
            if is_relevant || !folder.is_settled() || index % groups == self.turn {
                // A failure is no change.
                let _ = folder.look(&rules, now, is_relevant);
            }
            may_be_chosen &= !folder.is_for_all();
        }
        let oldest = self.names.oldest;
        self.folders.retain(|version, folder| Some(*version) == fixed || *version >= oldest && !folder.is_gone());
        self.choose_live(settings);
        self.judge_one_more();
        self.shelve();
    }

    /// Looks into one of the folders that nobody can be offered now. When it steps in for a newer one, its images must be known: an
    /// upload that overwrites them in place and dies cannot be told from an image otherwise.
    fn judge_one_more(&mut self) {
        let is_unknown = |folder: &TrackedFolder| matches!(folder.settled_state(), Some((_, None)));
        let unknown = self.folders.entries().iter().rev().find(|(_, folder)| is_unknown(folder)).map(|(version, _)| *version);
        if let Some(version) = unknown {
            self.ensure_judged(version);
        }
    }

    /// Whether everything stands still and was looked at.
    pub fn is_settled(&self) -> bool {
        self.folders.values().all(TrackedFolder::is_settled)
    }

    /// Decides which versions are live, and reads their images. Those that are fit and were live stay so, whatever arrives.
    fn choose_live(&mut self, settings: &Settings) {
        self.refused.clear();
        let candidates: Vec<Date> = match settings.version {
            VersionChoice::Fixed(version) => {
                self.ensure_judged(version);
                self.base = version;
                self.folders.get(&version).and_then(TrackedFolder::settled_fit).map(|_| version).into_iter().collect()
            }
            VersionChoice::Latest => self.find_candidates(),
        };
        let base = self.base;
        // Those that are unsettled but whole keep their images, for whoever was sent to them.
        for (version, folder) in self.folders.iter_mut() {
            if folder.is_settled() && !candidates.contains(version) || *version < base {
                folder.unload();
            }
        }
        // The oldest first, as if they had arrived in their order.
        for version in candidates.into_iter().rev() {
            self.make_live(version, base);
        }
    }

    /// The fit versions that somebody may be offered, newest first: down to the newest that everybody may have.
    fn find_candidates(&mut self) -> Vec<Date> {
        let versions: Vec<Date> = self.folders.entries().iter().rev().map(|(version, _)| *version).collect();
        let mut candidates = Vec::new();
        self.base = 0;
        for version in versions {
            self.ensure_judged(version);
            let Some(fit) = self.folders.get(&version).and_then(TrackedFolder::settled_fit) else { continue };
            if fit.offer.exists {
                candidates.push(version);
                continue;
            }
            // If it cannot be live, an older one has to do.
            if self.make_live(version, version) {
                self.base = version;
                candidates.push(version);
                break;
            }
        }
        candidates
    }

    fn ensure_judged(&mut self, version: Date) {
        let rules = Rules { root: &self.root, sizes: self.sizes, shelf: &self.shelf };
        if let Some(folder) = self.folders.get_mut(&version) {
            folder.ensure_judged(&rules);
        }
    }

    /// Reads the images of a fit version, if there is room beside those of `base` and newer that are live already. Returns whether
    /// it is live.
    fn make_live(&mut self, version: Date, base: Date) -> bool {
        let live = || self.folders_since(base).filter_map(|(_, folder)| folder.images()).map(|(fit, _)| fit.length());
        let (count, bytes): (usize, u64) = (live().count(), live().sum());
        let Some(folder) = self.folders.get_mut(&version) else { return false };
        if folder.images().is_some() {
            return true;
        }
        let Some(length) = folder.settled_fit().map(|fit| fit.length()) else { return false };
        let most = limits::LIVE_IMAGE_BYTES.max(u64::from(self.sizes.max_kb) * 2048);
        let place = self.root.join(folder_name(version));
        let refusal = if count >= limits::LIVE_VERSIONS {
            Problem::with(&place, &offer_texts::LIVE_TOO_MANY, vec![version.into(), count.into()])
        } else if bytes + length > most {
            Problem::with(&place, &offer_texts::LIVE_TOO_LARGE, vec![version.into(), (most / 1024).into()])
        } else {
            match folder.load(&self.root) {
                Ok(is_loaded) => return is_loaded,
                Err(error) if sys::is_out_of_resources(&error) => Problem::with(&place, &texts::NO_MEMORY, vec![version.into()]),
                Err(error) => Problem::with(&place, &texts::IMAGE_UNREADABLE, vec![version.into(), error.into()]),
            }
        };
        self.refused.push((version, refusal));
        false
    }

    /// The folders of version `base` and newer, the oldest first.
    fn folders_since(&self, base: Date) -> impl DoubleEndedIterator<Item = &(Date, TrackedFolder)> {
        self.folders.entries().iter().filter(move |(version, _)| *version >= base)
    }

    /// Tells requests which folders have settled.
    fn shelve(&self) {
        let mut settled = SortedMap::default();
        for (version, folder) in self.folders.entries() {
            if let Some((state, judgement)) = folder.settled_state() {
                settled.get_or_insert_with(*version, || Shelved { state, judgement });
            }
        }
        self.shelf.replace(settled);
    }

    /// What follows from the last look.
    pub fn picture(&self, settings: &Settings) -> Firmware {
        let mut firmware = Firmware { problems: self.names.problems.clone(), ..Firmware::default() };
        let mut obstacle = None;
        let relevant = self.folders_since(self.base).rev();
        for (version, folder) in relevant.filter(|(version, _)| fixed_version(settings).is_none_or(|fixed| *version == fixed)) {
            if let Some((_, images)) = folder.images() {
                firmware.whole.push((*version, images.clone()));
            }
            if !folder.is_settled() {
                let place = self.root.join(folder_name(*version));
                obstacle = Some(Problem::with(&place, &texts::FOLDER_SETTLING, vec![(*version).into()]));
                firmware.unsettled.push(folder.unsettled());
                continue;
            }
            let judgement = folder.settled_state().and_then(|(_, judgement)| judgement);
            firmware.problems.extend(judgement.iter().flat_map(|judgement| judgement.problems.iter().cloned()));
            if folder.is_gone() && self.names.is_readable {
                let place = self.root.join(folder_name(*version));
                firmware.problems.push(Problem::with(&place, &texts::FOLDER_MISSING, vec![(*version).into()]));
            }
            firmware
                .problems
                .extend(self.refused.iter().filter(|(refused, _)| refused == version).map(|(_, problem)| problem.clone()));
            if let Some((fit, images)) = folder.images() {
                let path = self.root.join(folder_name(*version)).join(OFFER_NAME);
                firmware.problems.extend(fit.offer.admission.find_problem(&path, *version, settings));
                firmware.offers.push(Offer::new(*version, fit, images.clone(), settings));
            }
        }
        firmware.describe_offers(settings);
        firmware.overlaps = find_overlaps(&firmware.offers, &self.root, &mut firmware.problems);
        if firmware.offers.is_empty() && obstacle.is_none() {
            if settings.version == VersionChoice::Latest && self.names.is_readable {
                firmware.problems.push(Problem::with(&self.root, &texts::NOTHING_FIT, Vec::new()));
            }
            obstacle = firmware.problems.iter().rev().find(|problem| !problem.is_hint()).cloned();
        }
        firmware.obstacle = obstacle.filter(|_| firmware.offers.is_empty());
        firmware
    }
}

fn fixed_version(settings: &Settings) -> Option<Date> {
    match settings.version {
        VersionChoice::Fixed(version) => Some(version),
        VersionChoice::Latest => None,
    }
}
