//! One version folder through time: what looks saw, whether it has settled, whether it is fit, and its images in memory if it is
//! offered.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::fitness::{Fit, Judgement, Sizes, Undecided};
use super::image::{Image, folder_name};
use super::judge::judge;
use super::offer_file::{self, Admission};
use super::settling::{Settling, Source};
use super::shelf::Shelf;
use super::version_folder::{FileState, FolderState, ListedNames, OFFER_NAME};
use crate::calendar::Date;
use crate::file::read_bounded;
use crate::limits;
use crate::problem::{Problem, firmware as texts};

/// What all folders are judged by.
pub struct Rules<'a> {
    /// The firmware folder.
    pub root: &'a Path,
    /// How large images may be.
    pub sizes: Sizes,
    /// What is known of versions.
    pub shelf: &'a Shelf,
}

/// A version folder, or what remains of one that is gone.
pub struct TrackedFolder {
    version: Date,
    source: Source<Option<Arc<FolderState>>>,
    listed: ListedNames,
    /// The last judgement, and of which state.
    judgement: Option<(Arc<FolderState>, Arc<Judgement>)>,
    /// What the folder is fit for, as long as its images are those that were judged.
    fit: Option<Fit>,
    /// Both images in memory.
    images: Option<[Arc<Image>; 2]>,
    is_settled: bool,
    /// Who it was for when it had last settled …
    settled_for: Option<Admission>,
    /// … and who it is for now, as far as can be read; `None` for everybody.
    unsettled_for: Option<Admission>,
    /// Why it is no longer offered, while it is unsettled.
    withdrawn: Option<Problem>,
}

impl TrackedFolder {
    /// A folder nobody has looked at.
    pub fn new(version: Date) -> TrackedFolder {
        TrackedFolder {
            version,
            source: Source::default(),
            listed: ListedNames::default(),
            judgement: None,
            fit: None,
            images: None,
            is_settled: false,
            settled_for: None,
            unsettled_for: None,
            withdrawn: None,
        }
    }

    /// Looks at the folder. An error if nothing could be found out: all stays as it was. Folders that nobody can be offered
    /// (`is_relevant`) are not read before somebody asks.
    pub fn look(&mut self, rules: &Rules<'_>, now: Instant, is_relevant: bool) -> Result<(), Undecided> {
        let folder = self.path(rules);
        let seen = FolderState::look(&folder, &mut self.listed).map_err(Undecided::Shortage)?;
        let state = match (seen, self.source.seen()) {
            // One allocation for a state, however often it is seen.
            (Some(seen), Some(Some(last))) if seen == **last => Some(last.clone()),
            (seen, _) => seen.map(Arc::new),
        };
        let is_new = self.source.seen() != Some(&state);
        // What was offered to nobody is missed by nobody.
        let is_missed = state.is_some() || !self.is_settled || self.judgement.is_none() || self.fit.is_some();
        // Before anything is noted, since it may fail for want of memory.
        let changed = if is_new && self.fit.is_some() { self.judge_change(rules, state.as_ref())? } else { Change::Unknown };
        self.source.look(state.clone(), now, limits::SETTLING_TIME);
        match changed {
            Change::Nothing => self.source.take(),
            Change::Unknown if !is_missed => self.source.take(),
            Change::Withdrawn(reason) => self.withdraw(reason),
            Change::SameImages | Change::Unknown => {}
        }
        self.settle(rules, now, is_relevant)?;
        if !self.is_settled {
            self.unsettled_for = match state {
                Some(state) => read_admission(&folder, self.version, &state),
                // Gone: whoever it was for.
                None => self.unsettled_for.take().or_else(|| self.settled_for.clone()),
            };
        }
        Ok(())
    }

    fn path(&self, rules: &Rules<'_>) -> PathBuf {
        rules.root.join(folder_name(self.version))
    }

    /// What a new state of a fit folder means.
    fn judge_change(&mut self, rules: &Rules<'_>, state: Option<&Arc<FolderState>>) -> Result<Change, Undecided> {
        let Some(state) = state else {
            return Ok(Change::Withdrawn(Problem::with(&self.path(rules), &texts::FOLDER_MISSING, vec![self.version.into()])));
        };
        let judgement = match self.judge(rules, state) {
            Ok(judgement) => judgement,
            // The images in memory are whole, and nobody is sent to them while the folder is unsettled. The next look tells more.
            Err(Undecided::Changing) => return Ok(Change::SameImages),
            Err(shortage) => return Err(shortage),
        };
        let (Some(new), Some(old)) = (&judgement.fit, &self.fit) else {
            let reason = judgement.obstacle().cloned();
            let changed = || Problem::with(&self.path(rules), &texts::FOLDER_SETTLING, vec![self.version.into()]);
            return Ok(Change::Withdrawn(reason.unwrap_or_else(changed)));
        };
        if !new.has_images_of(old) {
            let problem = Problem::with(&self.path(rules), &texts::FOLDER_SETTLING, vec![self.version.into()]);
            return Ok(Change::Withdrawn(problem));
        }
        if new.offer != old.offer {
            return Ok(Change::SameImages);
        }
        self.fit = Some(new.clone());
        Ok(Change::Nothing)
    }

    fn withdraw(&mut self, reason: Problem) {
        (self.fit, self.images) = (None, None);
        self.withdrawn = Some(reason);
    }

    /// Takes the last seen state if it has stood still long enough.
    fn settle(&mut self, rules: &Rules<'_>, now: Instant, is_relevant: bool) -> Result<(), Undecided> {
        let was_settled = std::mem::replace(&mut self.is_settled, false);
        match self.source.judge(now, limits::SETTLING_TIME) {
            Settling::Settled => {
                self.is_settled = true;
                if !was_settled {
                    // Back to what it was, or changed in nothing that counts.
                    self.take(rules);
                }
                return Ok(());
            }
            Settling::Changed => {
                self.is_settled = true;
                self.take(rules);
                return Ok(());
            }
            Settling::Unsettled => {}
        }
        let Some(Some(state)) = self.source.seen().cloned() else { return Ok(()) };
        if !is_relevant || self.source.judge(now, limits::VOUCHED_SETTLING_TIME) != Settling::Changed {
            return Ok(());
        }
        // Also where nothing vouches for it: then it is known when it settles, and a start does not wait for it any longer.
        let is_vouched = match self.judge(rules, &state) {
            Ok(judgement) => judgement.fit.as_ref().is_some_and(|fit| fit.is_vouched),
            Err(Undecided::Changing) => false,
            Err(shortage) => return Err(shortage),
        };
        let is_lone_offer = matches!(self.source.taken(), Some(Some(taken)) if taken.differs_in_offer_alone(&state));
        if is_vouched && !is_lone_offer {
            self.is_settled = true;
            self.take(rules);
        }
        Ok(())
    }

    /// The folder has settled as it was last seen. What is in it shows when it is judged.
    fn take(&mut self, rules: &Rules<'_>) {
        self.source.take();
        (self.withdrawn, self.unsettled_for) = (None, None);
        let seen = self.source.seen().cloned().flatten();
        match (&self.judgement, seen) {
            (Some((state, _)), Some(seen)) if *state == seen => self.apply_judgement(rules),
            _ => {
                // The images stay until it is judged: they may be the same.
                (self.judgement, self.settled_for, self.fit) = (None, None, None);
            }
        }
    }

    /// Makes the last judgement count.
    fn apply_judgement(&mut self, rules: &Rules<'_>) {
        let Some((_, judgement)) = &self.judgement else { return };
        rules.shelf.remember(self.version, judgement);
        self.fit.clone_from(&judgement.fit);
        self.settled_for = self.fit.as_ref().map(|fit| fit.offer.admission.clone());
        let is_loaded =
            |fit: &Fit, images: &[Arc<Image>; 2]| fit.images.iter().zip(images).all(|(fit, image)| fit.digest == image.digest);
        if !matches!((&self.fit, &self.images), (Some(fit), Some(images)) if is_loaded(fit, images)) {
            self.images = None;
        }
    }

    /// The judgement of a state: the last one, if it is of this state and need not be tried again.
    fn judge(&mut self, rules: &Rules<'_>, state: &Arc<FolderState>) -> Result<Arc<Judgement>, Undecided> {
        if let Some((of, judgement)) = &self.judgement
            && of == state
            && !judgement.is_retried
        {
            return Ok(judgement.clone());
        }
        let known = rules.shelf.known(self.version);
        let judgement = Arc::new(judge(rules.root, self.version, state, rules.sizes, known.as_ref())?);
        self.judgement = Some((state.clone(), judgement.clone()));
        Ok(judgement)
    }

    /// Makes sure that a settled folder is judged, and again if a read error stood in the way. If its files change meanwhile, it
    /// counts as unsettled.
    pub fn ensure_judged(&mut self, rules: &Rules<'_>) {
        let Some(Some(state)) = self.source.taken().cloned() else { return };
        let is_judged = self.judgement.as_ref().is_some_and(|(of, judgement)| *of == state && !judgement.is_retried);
        if !self.is_settled || is_judged {
            return;
        }
        match self.judge(rules, &state) {
            Ok(_) => self.apply_judgement(rules),
            Err(Undecided::Changing) => self.is_settled = false,
            // No change: it is tried again at the next look.
            Err(Undecided::Shortage(_)) => {}
        }
    }

    /// Other rules apply.
    pub fn forget_judgement(&mut self) {
        self.judgement = None;
    }

    /// Reads both images. `Ok(false)` if they changed meanwhile: then the folder counts as unsettled, and is judged again even if
    /// its stamps are the same, as they may be after a write through a mapping, or on FAT.
    pub fn load(&mut self, root: &Path) -> std::io::Result<bool> {
        let Some(fit) = &self.fit else { return Ok(false) };
        let [first, second] = fit.images.each_ref().map(|image| image.load(root, self.version));
        self.images = match (first?, second?) {
            (Some(first), Some(second)) => Some([Arc::new(first), Arc::new(second)]),
            _ => None,
        };
        if self.images.is_none() {
            (self.is_settled, self.judgement) = (false, None);
        }
        Ok(self.images.is_some())
    }

    /// Lets go of the images.
    pub fn unload(&mut self) {
        self.images = None;
    }

    /// What it is fit for, once it has settled.
    pub fn settled_fit(&self) -> Option<&Fit> {
        self.fit.as_ref().filter(|_| self.is_settled)
    }

    /// Its images in memory, whole, settled or not.
    pub fn images(&self) -> Option<(&Fit, &[Arc<Image>; 2])> {
        self.fit.as_ref().zip(self.images.as_ref())
    }

    /// Whether everybody may have it as it was last seen, be it settled or not: no older version can be chosen then.
    pub fn is_for_all(&self) -> bool {
        let Some((of, judgement)) = &self.judgement else { return false };
        let is_seen = matches!(self.source.seen(), Some(Some(seen)) if seen == of);
        is_seen && judgement.fit.as_ref().is_some_and(|fit| !fit.offer.exists)
    }

    /// Whether it stands still.
    pub fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Whether there is nothing any more, and has not been for a while.
    pub fn is_gone(&self) -> bool {
        self.is_settled && matches!(self.source.taken(), Some(None))
    }

    /// The state it has settled in, with what was found in it.
    pub fn settled_state(&self) -> Option<(Arc<FolderState>, Option<Arc<Judgement>>)> {
        let state = self.source.taken()?.clone().filter(|_| self.is_settled)?;
        let judgement = self.judgement.as_ref().filter(|(of, _)| *of == state).map(|(_, judgement)| judgement.clone());
        Some((state, judgement))
    }

    /// Those whom an unsettled folder may be for.
    pub fn unsettled(&self) -> Unsettled {
        let admissions = match &self.unsettled_for {
            None => Vec::new(),
            Some(present) => [present].into_iter().chain(&self.settled_for).cloned().collect(),
        };
        Unsettled { version: self.version, admissions, withdrawn: self.withdrawn.clone() }
    }
}

enum Change {
    /// Nothing that counts: other stamps, the same bytes.
    Nothing,
    /// The images are the same to the byte, or cannot be compared just now.
    SameImages,
    /// Not what was offered any more.
    Withdrawn(Problem),
    /// Nothing that was fit has changed.
    Unknown,
}

/// A version whose folder is unsettled. Those whom it may be for are told that there is no update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// The version.
    pub version: Date,
    /// Whom it is for now, and whom it was for; empty for everybody.
    admissions: Vec<Admission>,
    /// Why it is no longer offered, if it was.
    pub withdrawn: Option<Problem>,
}

impl Unsettled {
    /// Whether a caller may be one of them.
    pub fn may_be_for(&self, caller: IpAddr, build_date: Date) -> bool {
        let is_admitted = |admission: &Admission| admission.admits(caller, build_date);
        build_date < self.version && (self.admissions.is_empty() || self.admissions.iter().any(is_admitted))
    }
}

/// Whom an unsettled folder is for as it is now; `None` if that cannot be read, or for everybody.
fn read_admission(folder: &Path, version: Date, state: &FolderState) -> Option<Admission> {
    if !state.misnamed_offers.is_empty() || !matches!(state.offer, FileState::File(_)) {
        return None;
    }
    let path = folder.join(OFFER_NAME);
    let bytes = read_bounded(&path, limits::OFFER_BYTES).ok()?;
    offer_file::parse(&path, version, &bytes).ok().map(|offer| offer.admission)
}
