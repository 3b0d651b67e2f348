//! Is a version folder fit to be offered and handed out? Both images are read once, in pieces, and nothing is kept of them but what
//! tells them apart.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::fitness::{Fit, Judgement, KnownImages, Sizes, Undecided};
use super::image::{FitImage, folder_name};
use super::offer_file::{self, OfferFile};
use super::sums::Sums;
use super::version_folder::{FileState, FolderState, IMAGE_NAMES, OFFER_NAME, SUMS_NAME, describe_number, proper_name};
use crate::calendar::Date;
use crate::file::{OpenError, open_below, read_stamped};
use crate::limits;
use crate::problem::{Detail, Problem, Text, firmware as texts, offers as offer_texts};
use crate::sha256::{Digest, Hasher};
use crate::stamp::{self, Stamp};
use crate::sys;
use crate::text::to_hex;

/// Judges the folder of `version`, which a look has just seen as `state`.
pub fn judge(
    root: &Path,
    version: Date,
    state: &FolderState,
    sizes: Sizes,
    known: Option<&KnownImages>,
) -> Result<Judgement, Undecided> {
    let folder = root.join(folder_name(version));
    let mut judge = Judge { root, folder, version, sizes, obstacles: Vec::new(), remarks: Vec::new(), is_retried: false };
    judge.judge_names(state);
    let sums = judge.read_sums(state)?;
    let images = [0, 1].map(|index| judge.judge_image(index, state.images[index], sums.as_ref()));
    let offer = judge.read_offer(state)?;
    let [first, second] = images;
    let (Some(first), Some(second), Some(offer), true) = (first?, second?, offer, judge.obstacles.is_empty()) else {
        return Ok(judge.finish(None));
    };
    let mut fit = Fit { images: [first, second], offer, is_vouched: sums.is_some() };
    judge.compare(&mut fit, known);
    let fit = judge.obstacles.is_empty().then_some(fit);
    Ok(judge.finish(fit))
}

struct Judge<'a> {
    root: &'a Path,
    folder: PathBuf,
    version: Date,
    sizes: Sizes,
    /// What stands against the version.
    obstacles: Vec<Problem>,
    /// What does not.
    remarks: Vec<Problem>,
    is_retried: bool,
}

impl Judge<'_> {
    fn finish(self, fit: Option<Fit>) -> Judgement {
        let mut problems = self.obstacles;
        problems.extend(self.remarks);
        Judgement { fit, problems, is_retried: self.is_retried }
    }

    fn problem(&self, name: &str, text: &'static Text, mut details: Vec<Detail>) -> Problem {
        details.insert(0, self.version.into());
        let place = if name.is_empty() { self.folder.clone() } else { self.folder.join(name) };
        Problem::with(&place, text, details)
    }

    fn object(&mut self, name: &str, text: &'static Text, details: Vec<Detail>) {
        let problem = self.problem(name, text, details);
        self.obstacles.push(problem);
    }

    /// A read error; it may heal by itself.
    fn object_unreadable(&mut self, name: &str, text: &'static Text, reason: String) {
        self.is_retried = true;
        self.object(name, text, vec![reason.into()]);
    }

    /// What the names alone say.
    fn judge_names(&mut self, state: &FolderState) {
        if let Some(number) = state.unreadable {
            self.object_unreadable("", &texts::FOLDER_UNREADABLE, describe_number(number));
        }
        if state.is_crowded {
            self.object("", &texts::FOLDER_CROWDED, vec![limits::FOLDER_ENTRIES.into()]);
        }
        for name in state.misnamed_offers.iter().take(limits::PROBLEMS_PER_FILE) {
            self.object(name, &offer_texts::OFFER_MISNAMED, Vec::new());
        }
        for name in state.missing.iter().take(limits::PROBLEMS_PER_FILE) {
            self.object(name, &texts::LISTED_MISSING, Vec::new());
        }
        for name in &state.in_other_case {
            let place = self.folder.join(name);
            let proper = proper_name(name).unwrap_or_default();
            self.remarks.push(Problem::with(&place, &texts::NAME_IN_OTHER_CASE, vec![proper.into()]));
        }
        if state.is_in_itself {
            let place = self.folder.join(folder_name(self.version));
            self.remarks.push(Problem::with(&place, &texts::FOLDER_IN_ITSELF, vec![self.version.into()]));
        }
    }

    /// `SHA256SUMS`, if there is one that can be read.
    fn read_sums(&mut self, state: &FolderState) -> Result<Option<Sums>, Undecided> {
        let text = self.read_text(SUMS_NAME, state.sums, limits::SUMS_BYTES, &texts::SUMS_UNREADABLE)?;
        Ok(text.map(|text| Sums::parse(&text)))
    }

    /// What `offer.ini` says, or stands for where there is none; `None` if it is wrong.
    fn read_offer(&mut self, state: &FolderState) -> Result<Option<OfferFile>, Undecided> {
        if state.offer == FileState::Missing {
            return Ok(Some(OfferFile::default()));
        }
        let text = self.read_text(OFFER_NAME, state.offer, limits::OFFER_BYTES, &offer_texts::OFFER_UNREADABLE)?;
        let Some(text) = text else { return Ok(None) };
        let path = self.folder.join(OFFER_NAME);
        self.remarks.extend(offer_file::find_hints(&path, &text));
        match offer_file::parse(&path, self.version, &text) {
            Ok(offer) => Ok(Some(offer)),
            Err(problems) => {
                self.obstacles.extend(problems);
                Ok(None)
            }
        }
    }

    /// A small file of the folder; `None` if there is none, or if it cannot be read, which stands against the version.
    fn read_text(
        &mut self,
        name: &str,
        state: FileState,
        limit: u64,
        unreadable: &'static Text,
    ) -> Result<Option<Vec<u8>>, Undecided> {
        let reason = match state {
            FileState::Missing => return Ok(None),
            FileState::Unreadable(number) => describe_number(number),
            FileState::NotAFile => "not a file".to_owned(),
            FileState::File(stamp) => match read_stamped(&self.folder.join(name), limit) {
                Ok((bytes, Some(read))) if read == stamp => return Ok(Some(bytes)),
                Ok(_) => return Err(Undecided::Changing),
                Err(error) if sys::is_out_of_resources(&error) => return Err(Undecided::Shortage(error)),
                Err(error) => error.to_string(),
            },
        };
        self.object_unreadable(name, unreadable, reason);
        Ok(None)
    }

    /// An image, or what stands against it.
    fn judge_image(&mut self, index: usize, state: FileState, sums: Option<&Sums>) -> Result<Option<FitImage>, Undecided> {
        let name = IMAGE_NAMES[index];
        let stamp = match state {
            FileState::Missing => {
                self.object(name, &texts::IMAGE_MISSING, Vec::new());
                return Ok(None);
            }
            FileState::NotAFile => {
                self.object(name, &texts::IMAGE_NO_FILE, Vec::new());
                return Ok(None);
            }
            FileState::Unreadable(number) => {
                self.object_unreadable(name, &texts::IMAGE_UNREADABLE, describe_number(number));
                return Ok(None);
            }
            FileState::File(stamp) => stamp,
        };
        if !self.has_right_size(name, stamp.length) {
            return Ok(None);
        }
        let read = match self.read_image(name, stamp) {
            Ok(read) => read,
            Err(OpenError::Outside) => {
                self.object(name, &texts::IMAGE_OUTSIDE, Vec::new());
                return Ok(None);
            }
            Err(OpenError::NotAFile) => return Err(Undecided::Changing),
            Err(OpenError::System(error)) if sys::is_out_of_resources(&error) => return Err(Undecided::Shortage(error)),
            Err(OpenError::System(error)) => {
                self.object_unreadable(name, &texts::IMAGE_UNREADABLE, error.to_string());
                return Ok(None);
            }
        };
        let Some(ImageRead { digest, modified, hole }) = read else { return Err(Undecided::Changing) };
        match (sums, hole) {
            (Some(sums), _) => self.check_sum(name, &digest, sums),
            (None, Some((at, byte))) => self.object(name, &texts::IMAGE_HOLE, vec![at.into(), format!("0x{byte:02x}").into()]),
            (None, None) => {}
        }
        Ok(Some(FitImage { name, stamp, digest, modified }))
    }

    fn has_right_size(&mut self, name: &str, length: u64) -> bool {
        let Sizes { min_kb, max_kb } = self.sizes;
        if length == 0 {
            self.object(name, &texts::IMAGE_EMPTY, Vec::new());
        } else if length < u64::from(min_kb) * 1024 {
            self.object(name, &texts::IMAGE_SHORT, vec![length.into(), min_kb.into(), (length / 1024).into()]);
        } else if length > u64::from(max_kb) * 1024 {
            self.object(name, &texts::IMAGE_LONG, vec![length.into(), max_kb.into(), length.div_ceil(1024).into()]);
        } else {
            return true;
        }
        false
    }

    /// Reads an image through; `None` if the file is not what was seen.
    fn read_image(&self, name: &str, stamp: Stamp) -> Result<Option<ImageRead>, OpenError> {
        let mut opened = open_below(self.root, &Path::new(&folder_name(self.version)).join(name))?;
        if Stamp::from(&opened.metadata) != stamp {
            return Ok(None);
        }
        let (mut hasher, mut hole) = (Hasher::default(), None);
        let mut piece = Vec::new();
        piece.try_reserve_exact(limits::FILE_PIECE).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let mut read = 0;
        while read < stamp.length {
            piece.clear();
            (&mut opened.file).take(limits::FILE_PIECE as u64).read_to_end(&mut piece)?;
            if piece.is_empty() {
                break;
            }
            hole = hole.or_else(|| find_hole(&piece).map(|(at, byte)| (read + at, byte)));
            hasher.update(&piece);
            read += piece.len() as u64;
        }
        let metadata = opened.file.metadata()?;
        let is_same = read == stamp.length && Stamp::from(&metadata) == stamp;
        let modified = stamp::modified_seconds(&metadata);
        Ok(is_same.then(|| ImageRead { digest: hasher.finish(), modified, hole }))
    }

    fn check_sum(&mut self, name: &str, digest: &Digest, sums: &Sums) {
        let is_listed = sums.find(name).next().is_some();
        match sums.near_miss() {
            _ if is_listed && sums.find(name).all(|listed| listed == digest) => {}
            _ if is_listed => self.object(name, &texts::SUMS_DIFFER, vec![to_hex(digest).into()]),
            None => self.object(name, &texts::SUMS_INCOMPLETE, Vec::new()),
            Some((line, why)) => self.object(name, &texts::SUMS_MISUNDERSTOOD, vec![line.into(), Detail::Words(why)]),
        }
    }

    /// Compares whole images with each other and with those the version had before.
    fn compare(&mut self, fit: &mut Fit, known: Option<&KnownImages>) {
        let digests = fit.images.each_ref().map(|image| image.digest);
        if known.is_some_and(|known| !fit.take_dates(known)) {
            if fit.is_vouched {
                self.remarks.push(self.problem("", &texts::HINT_REPLACED, Vec::new()));
            } else {
                self.object("", &texts::IMAGE_REPLACED, Vec::new());
            }
        }
        if digests[0] == digests[1] {
            self.remarks.push(self.problem("", &texts::HINT_SAME_IMAGES, Vec::new()));
        }
        if !fit.is_vouched {
            let names = [IMAGE_NAMES[0], IMAGE_NAMES[1], if fit.offer.exists { OFFER_NAME } else { "" }];
            let names = names.join(" ").trim_end().to_owned();
            self.remarks.push(self.problem("", &texts::HINT_SUMS, vec![names.into()]));
        }
    }
}

struct ImageRead {
    digest: Digest,
    modified: u64,
    /// Where an aligned block of one byte value begins, and the value.
    hole: Option<(u64, u8)>,
}

/// The first aligned block of 4 KiB in which all bytes are the same.
fn find_hole(piece: &[u8]) -> Option<(u64, u8)> {
    let (blocks, _) = piece.as_chunks::<4096>();
    let index = blocks.iter().position(|block| block.iter().all(|byte| *byte == block[0]))?;
    Some((index as u64 * 4096, blocks[index][0]))
}
