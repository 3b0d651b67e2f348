//! What is offered to whom: a pure function of a caller, its build date and the live versions.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use super::fitness::Fit;
use super::image::{Image, folder_name};
use super::offer_file::{Admission, Refusal};
use super::tracked_folder::Unsettled;
use super::version_folder::OFFER_NAME;
use crate::calendar::{Date, format_build_date};
use crate::config::{Settings, VersionChoice};
use crate::json;
use crate::problem::{Problem, Sentence, offers as texts};

/// A live version.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The version.
    pub version: Date,
    /// Its images in the order of `IMAGE_NAMES`.
    pub images: [Arc<Image>; 2],
    /// Whom it is for.
    pub admission: Admission,
    /// Whether an `offer.ini` says so.
    pub has_offer_file: bool,
    /// Whether `SHA256SUMS` vouches for the images.
    pub is_vouched: bool,
    /// Registrars built before must update; 0 for none.
    pub critical_version: Date,
    /// Its own description, or the one it has been given.
    pub description: String,
    /// The same as a JSON string, quotes included.
    pub description_json: String,
    has_own_description: bool,
}

impl Offer {
    /// A version with its images in memory.
    pub fn new(version: Date, fit: &Fit, images: [Arc<Image>; 2], settings: &Settings) -> Offer {
        let mut offer = Offer {
            version,
            images,
            admission: fit.offer.admission.clone(),
            has_offer_file: fit.offer.exists,
            is_vouched: fit.is_vouched,
            critical_version: fit.offer.critical_version.unwrap_or(settings.critical_version),
            description: String::new(),
            description_json: String::new(),
            has_own_description: fit.offer.description.is_some(),
        };
        let description = fit.offer.description.clone();
        offer.describe(description.unwrap_or_else(|| default_description(version)));
        offer
    }

    fn describe(&mut self, description: String) {
        self.description_json = to_json(&description);
        self.description = description;
    }

    /// Version and whom it is for, in one word or in brackets.
    pub fn summary(&self) -> String {
        let whom = self.admission.describe();
        if whom.is_empty() { folder_name(self.version) } else { format!("{} ({whom})", folder_name(self.version)) }
    }

    /// Whether both are the same offer to the same callers.
    pub fn is_same(&self, other: &Offer) -> bool {
        self.version == other.version
            && self.has_images_of(other)
            && self.admission == other.admission
            && (self.critical_version, &self.description) == (other.critical_version, &other.description)
            && (self.is_vouched, self.has_offer_file) == (other.is_vouched, other.has_offer_file)
    }

    /// Whether both have the same images to the byte.
    pub fn has_images_of(&self, other: &Offer) -> bool {
        self.images.iter().zip(&other.images).all(|(own, other)| own.digest == other.digest && own.modified == other.modified)
    }
}

/// The description of a version that has none; 0 stands for no version.
pub fn default_description(version: Date) -> String {
    if version == 0 { "no firmware".to_owned() } else { format!("firmware {version}") }
}

/// A text as a JSON string, quotes included.
pub fn to_json(text: &str) -> String {
    let mut json = String::new();
    json::write_string(&mut json, text);
    json
}

/// What a look at the firmware folder has found.
#[derive(Debug, Default)]
pub struct Firmware {
    /// The live versions, newest first.
    pub offers: Vec<Offer>,
    /// The images in memory of all versions, those of unsettled folders included: whoever was sent to them still gets them.
    pub whole: Vec<(Date, [Arc<Image>; 2])>,
    /// Versions whose folders are unsettled, newest first: those they may be for are told that there is no update.
    pub unsettled: Vec<Unsettled>,
    /// Pairs of offers, by index, of which nobody can say which one a caller in both is meant to have.
    pub overlaps: Vec<(usize, usize)>,
    /// Everything that is wrong, and advice.
    pub problems: Vec<Problem>,
    /// Why nothing is offered, if nothing is.
    pub obstacle: Option<Problem>,
}

/// What a check is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The version to name: the newest that admits the caller, newer than its build or not; else the configured one, or 0.
    pub version: Date,
    /// There is newer firmware than its own.
    pub available: bool,
    /// It must update.
    pub critical: bool,
    /// The description as a JSON string, quotes included.
    pub description_json: &'a str,
    /// What the answer follows from.
    pub reason: Reason,
}

/// What an answer follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The version is newer than the caller's build.
    Newer,
    /// The caller has it already, or something newer.
    UpToDate,
    /// No version is for this caller.
    NotAdmitted,
    /// This version may be for it and is unsettled.
    Unsettled(Date),
    /// Both versions are for it and exclude each other.
    Overlap(Date, Date),
}

impl Firmware {
    /// What a caller is offered: the newest version that admits it and is newer than its build, unless a newer one is unsettled or
    /// two exclude each other.
    pub fn choose(&self, caller: IpAddr, build_date: Date) -> Option<(&Offer, Reason)> {
        let offer = self.offers.iter().find(|offer| offer.admission.admits(caller, build_date))?;
        if build_date >= offer.version {
            return Some((offer, self.find_unsettled(caller, build_date, offer.version).unwrap_or(Reason::UpToDate)));
        }
        let reason = self.find_unsettled(caller, build_date, offer.version);
        let reason = reason.or_else(|| self.find_overlap(caller, build_date));
        Some((offer, reason.unwrap_or(Reason::Newer)))
    }

    /// An unsettled version newer than `version` that may be for the caller.
    pub fn find_unsettled(&self, caller: IpAddr, build_date: Date, version: Date) -> Option<Reason> {
        let newer = self.unsettled.iter().take_while(|unsettled| unsettled.version > version);
        let mut met = newer.filter(|unsettled| unsettled.may_be_for(caller, build_date));
        met.next().map(|unsettled| Reason::Unsettled(unsettled.version))
    }

    fn find_overlap(&self, caller: IpAddr, build_date: Date) -> Option<Reason> {
        let is_met = |offer: &&Offer| build_date < offer.version && offer.admission.admits(caller, build_date);
        self.overlaps.iter().find_map(|(left, right)| {
            let (left, right) = self.offers.get(*left).zip(self.offers.get(*right))?;
            [left, right].iter().all(is_met).then_some(Reason::Overlap(left.version, right.version))
        })
    }

    /// One line for each version, newest first: whether it admits a caller, and by what not.
    pub fn explain(&self, caller: IpAddr, build_date: Date) -> Vec<Sentence> {
        let offers = self.offers.iter().map(|offer| (offer.version, explain(offer, caller, build_date)));
        let unsettled = self.unsettled.iter().map(|unsettled| {
            let is_met = unsettled.may_be_for(caller, build_date);
            let text = if is_met { &texts::CHANGING_FOR_IT } else { &texts::CHANGING };
            (unsettled.version, Sentence::new(text, vec![folder_name(unsettled.version).into()]))
        });
        let mut lines: Vec<_> = offers.chain(unsettled).collect();
        lines.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// The description of the settings belongs to the newest version without its own.
    pub fn describe_offers(&mut self, settings: &Settings) {
        let newest = self.offers.iter_mut().find(|offer| !offer.has_own_description);
        if let (Some(offer), Some(description)) = (newest, &settings.description) {
            offer.describe(description.clone());
        }
    }
}

fn explain(offer: &Offer, caller: IpAddr, build_date: Date) -> Sentence {
    let (text, detail) = match offer.admission.check(caller, build_date) {
        Ok(()) if build_date < offer.version => (&texts::ADMITTED, String::new()),
        Ok(()) => (&texts::ADMITTED_OLD, String::new()),
        Err(Refusal::Address) => (&texts::OTHER_ADDRESS, caller.to_string()),
        Err(Refusal::BuiltBefore(date)) => (&texts::BUILT_BEFORE, format_build_date(date)),
        Err(Refusal::BuiltAfter(date)) => (&texts::BUILT_AFTER, format_build_date(date)),
    };
    Sentence::new(text, vec![folder_name(offer.version).into(), detail.into()])
}

/// Pairs of offers that exclude each other; each is a problem.
pub fn find_overlaps(offers: &[Offer], root: &Path, problems: &mut Vec<Problem>) -> Vec<(usize, usize)> {
    let mut overlaps = Vec::new();
    for (left, newer) in offers.iter().enumerate() {
        for (right, older) in offers.iter().enumerate().skip(left + 1) {
            if newer.admission.conflicts_with(&older.admission) {
                let path = root.join(folder_name(newer.version)).join(OFFER_NAME);
                let details = vec![newer.version.into(), older.version.into()];
                problems.push(Problem::with(&path, &texts::OFFERS_OVERLAP, details));
                overlaps.push((left, right));
            }
        }
    }
    overlaps
}

/// The version to name where none is for the caller.
pub fn fallback_version(settings: &Settings) -> Date {
    match settings.version {
        VersionChoice::Fixed(version) => version,
        VersionChoice::Latest => 0,
    }
}
