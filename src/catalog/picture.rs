//! The catalog: one immutable picture of what is served. It is loaded as a whole and published as a whole; a request works on
//! the one it took at its start.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use super::fitness::{Sizes, Undecided};
use super::image::{FitImage, Image, folder_name, is_nearly_image_path, split_image_path};
use super::judge::judge;
use super::licenses::LicenseIndex;
use super::offers::{Choice, Firmware, Offer, Reason, default_description, fallback_version, to_json};
use super::shelf::Shelf;
use super::tracked_folder::Unsettled;
use super::version_folder::{FolderState, IMAGE_NAMES, ListedNames};
use crate::calendar::{self, Date};
use crate::clock;
use crate::config::Settings;
use crate::file::{OpenError, OpenedFile, open_below};
use crate::limits;
use crate::problem::{self, Problem, Sentence, offers as texts};
use crate::stamp::Stamp;
use crate::sys;

/// What is served, with the settings it was loaded by.
pub struct Catalog {
    /// The settings.
    pub settings: Arc<Settings>,
    /// What is offered.
    firmware: Arc<Firmware>,
    /// The description as a JSON string of an answer that names no offer.
    description_json: String,
    /// The licences.
    pub licenses: Arc<LicenseIndex>,
    /// Everything that is wrong; bounded.
    pub problems: Vec<Problem>,
    /// Advice; bounded.
    pub hints: Vec<Problem>,
    /// Seconds from the start of the server until it was made.
    pub made_at: u32,
    /// All settled folders.
    shelf: Arc<Shelf>,
}

/// Where the bytes of an image are.
pub enum ImageSource {
    /// In memory: the image is offered.
    Memory(Arc<Image>),
    /// In a file, which is what was found fit.
    Disk(Box<OpenedFile>, FitImage),
}

/// Why an image is not handed out.
pub enum NoImage {
    /// Its folder is not fit, has not settled, or is not there; in words for the log.
    Unfit(String),
    /// Descriptors or memory have run out.
    Shortage(io::Error),
    /// A read error.
    Unreadable(io::Error),
}

impl Catalog {
    /// Puts together what looks have found.
    pub fn new(
        settings: Arc<Settings>,
        firmware: Arc<Firmware>,
        licenses: Arc<LicenseIndex>,
        found: Vec<Problem>,
        shelf: Arc<Shelf>,
    ) -> Catalog {
        let (mut hints, mut problems): (Vec<_>, Vec<_>) = found.into_iter().partition(Problem::is_hint);
        for list in [&mut problems, &mut hints] {
            problem::bound(list, &settings.file.to_string_lossy(), limits::PROBLEMS);
        }
        let version = fallback_version(&settings);
        let description_json = to_json(settings.description.as_deref().unwrap_or(&default_description(version)));
        let made_at = clock::uptime_seconds();
        Catalog { settings, firmware, description_json, licenses, problems, hints, made_at, shelf }
    }

    /// What is served before anything was looked at: no licence, no offer, and checks are answered.
    pub fn nothing_offered(settings: Arc<Settings>) -> Catalog {
        Catalog::new(settings, Arc::default(), Arc::default(), Vec::new(), Arc::default())
    }

    /// The live versions, newest first.
    pub fn offers(&self) -> &[Offer] {
        &self.firmware.offers
    }

    /// Versions whose folders are unsettled, newest first.
    pub fn unsettled(&self) -> &[Unsettled] {
        &self.firmware.unsettled
    }

    /// Why nothing is offered, if nothing is.
    pub fn obstacle(&self) -> Option<&Problem> {
        self.firmware.obstacle.as_ref()
    }

    /// The version to name where no caller is meant: the newest live one, else the configured one, or 0.
    pub fn version(&self) -> Date {
        self.offers().first().map_or(fallback_version(&self.settings), |offer| offer.version)
    }

    /// The description where no caller is meant, as a JSON string with its quotes.
    pub fn description_json(&self) -> &str {
        self.offers().first().map_or(&self.description_json, |offer| &offer.description_json)
    }

    /// Registrars built before must update, where no caller is meant; 0 for none.
    pub fn critical_version(&self) -> Date {
        self.offers().first().map_or(self.settings.critical_version, |offer| offer.critical_version)
    }

    /// Versions newer than `version` that are not offered because something is wrong with them, oldest first, each with the first
    /// problem it has.
    pub fn find_refused(&self, version: Date) -> Vec<(Date, &Problem)> {
        let version_of = |problem: &Problem| {
            let below = Path::new(&problem.place).strip_prefix(&self.settings.firmware_path).ok()?;
            calendar::parse_version(below.iter().next()?.to_str()?)
        };
        let is_offered = |version: Date| self.offers().iter().any(|offer| offer.version == version);
        let found = self.problems.iter().filter_map(|problem| version_of(problem).map(|found| (found, problem)));
        let mut refused: Vec<_> = found.filter(|(found, _)| *found > version && !is_offered(*found)).collect();
        refused.sort_by_key(|(version, _)| *version);
        refused.dedup_by_key(|(version, _)| *version);
        refused
    }

    /// What a caller is told. `caller` is the registrar's address, whoever has passed its check on.
    pub fn choose(&self, caller: IpAddr, build_date: Date) -> Choice<'_> {
        match self.firmware.choose(caller, build_date) {
            Some((offer, reason)) => Choice {
                version: offer.version,
                available: reason == Reason::Newer,
                critical: matches!(reason, Reason::Newer | Reason::UpToDate) && build_date < offer.critical_version,
                description_json: &offer.description_json,
                reason,
            },
            None => Choice {
                version: fallback_version(&self.settings),
                available: false,
                critical: false,
                description_json: &self.description_json,
                reason: self.firmware.find_unsettled(caller, build_date, 0).unwrap_or(Reason::NotAdmitted),
            },
        }
    }

    /// One line for each version: whether it admits a caller, and by what not; then what the caller is told.
    pub fn explain_choice(&self, caller: IpAddr, build_date: Date) -> Vec<Sentence> {
        let mut lines = self.firmware.explain(caller, build_date);
        // Behind a proxy `allow` is about the proxy.
        if self.settings.proxies.is_empty() && !self.settings.admits(caller) {
            lines.push(Sentence::new(&texts::TOLD_NOTHING, vec![caller.into()]));
            return lines;
        }
        let Choice { version, available, critical, reason, .. } = self.choose(caller, build_date);
        let (text, versions) = match reason {
            Reason::Newer if critical => (&texts::TOLD_CRITICAL, [version, version]),
            Reason::Newer => (&texts::TOLD_UPDATE, [version, version]),
            Reason::UpToDate => (&texts::TOLD_UP_TO_DATE, [version, version]),
            Reason::NotAdmitted => (&texts::TOLD_NOT_FOR_IT, [version, version]),
            Reason::Unsettled(version) => (&texts::TOLD_CHANGING, [version, version]),
            Reason::Overlap(left, right) => (&texts::TOLD_OVERLAP, [left, right]),
        };
        lines.push(Sentence::new(text, versions.map(|version| folder_name(version).into()).into()));
        debug_assert_eq!(available, reason == Reason::Newer);
        lines
    }

    /// The image at `path` below the firmware folder; `None` if that is no place of an image. Of a version that is not live its
    /// folder is judged now, unless that has been done: this reads files.
    pub fn find_image(&self, path: &str) -> Option<Result<ImageSource, NoImage>> {
        let Some((version, name)) = split_image_path(path) else {
            let refusal = || Err(NoImage::Unfit(format!("{path}: not the name of an image")));
            return is_nearly_image_path(path).then(refusal);
        };
        let whole = self.firmware.whole.iter().find(|(whole, _)| *whole == version);
        Some(match whole.and_then(|(_, images)| images.iter().find(|image| image.name == name)) {
            Some(image) => Ok(ImageSource::Memory(image.clone())),
            None => self.open_image(version, name),
        })
    }

    /// The image that an opened file is: by its place, or because it is the same file as one beside it. That is a hard link, or what
    /// a stick's file system calls it as well (`UPD_AP~1.BIN`).
    pub fn find_opened_image(&self, opened: &OpenedFile) -> Option<Result<ImageSource, NoImage>> {
        let place = opened.place.to_str()?;
        self.find_image(place).or_else(|| {
            let (folder, _) = place.split_once('/')?;
            let folder = folder_name(calendar::parse_version(folder.trim_end_matches(['.', ' ']))?);
            let is_it = |path: &String| {
                let image = Stamp::of(&self.settings.firmware_path.join(path));
                image.is_some_and(|image| image.is_of_file(&opened.metadata))
            };
            self.find_image(&IMAGE_NAMES.iter().map(|name| format!("{folder}/{name}")).find(is_it)?)
        })
    }

    fn open_image(&self, version: Date, name: &str) -> Result<ImageSource, NoImage> {
        let unfit = |what: &str| NoImage::Unfit(format!("{}: {what}", folder_name(version)));
        let changing = || unfit("the folder is changing, or is not there");
        let shelved = self.shelf.find(version).ok_or_else(changing)?;
        let root = &self.settings.firmware_path;
        let state = FolderState::look(&root.join(folder_name(version)), &mut ListedNames::default());
        if state.map_err(NoImage::Shortage)?.as_ref() != Some(&*shelved.state) {
            return Err(changing());
        }
        let judgement = match shelved.judgement {
            Some(judgement) => judgement,
            None => {
                let known = self.shelf.known(version);
                let sizes = Sizes::from(&*self.settings);
                let result = judge(root, version, &shelved.state, sizes, known.as_ref());
                let judgement = Arc::new(result.map_err(|undecided| match undecided {
                    Undecided::Changing => changing(),
                    Undecided::Shortage(error) => NoImage::Shortage(error),
                })?);
                // A read error may be gone the next time.
                if !judgement.is_retried {
                    self.shelf.note(version, &shelved.state, sizes, &judgement);
                }
                judgement
            }
        };
        let fit = judgement.fit.as_ref().ok_or_else(|| match judgement.obstacle() {
            Some(problem) => NoImage::Unfit(problem.describe(crate::problem::Language::English)),
            None => changing(),
        })?;
        let image = fit.images.iter().find(|image| image.name == name).ok_or_else(changing)?;
        let opened = open_below(root, &Path::new(&folder_name(version)).join(name)).map_err(|error| match error {
            OpenError::System(error) if sys::is_out_of_resources(&error) => NoImage::Shortage(error),
            OpenError::System(error) => NoImage::Unreadable(error),
            OpenError::Outside | OpenError::NotAFile => changing(),
        })?;
        if Stamp::from(&opened.metadata) == image.stamp {
            Ok(ImageSource::Disk(Box::new(opened), image.clone()))
        } else {
            Err(changing())
        }
    }
}
