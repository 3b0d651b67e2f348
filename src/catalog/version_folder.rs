//! A version folder as a look sees it: which files are there, and their stamps. Nothing is read.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::sums::Sums;
use crate::file::read_bounded;
use crate::limits;
use crate::stamp::Stamp;
use crate::sys;

/// The two images of a version: for registrars, and for those with an old boot loader.
pub const IMAGE_NAMES: [&str; 2] = ["upd_app.bin", "upd_app_for_old_frs.bin"];

/// Checksums of a version folder, in the text format of coreutils; optional.
pub const SUMS_NAME: &str = "SHA256SUMS";

/// Who is offered the version; optional.
pub const OFFER_NAME: &str = "offer.ini";

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Nothing.
    Missing,
    /// Something that cannot be looked at, a link to nothing for one; the system's number for why.
    Unreadable(i32),
    /// A folder, a pipe, a device.
    NotAFile,
    /// A file.
    File(Stamp),
}

/// A version folder. Two looks that saw the same compare equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderState {
    /// In the order of `IMAGE_NAMES`.
    pub images: [FileState; 2],
    /// `SHA256SUMS`.
    pub sums: FileState,
    /// `offer.ini`.
    pub offer: FileState,
    /// Names that begin with `offer`, in any case, and are not `offer.ini`; sorted.
    pub misnamed_offers: Vec<String>,
    /// Names that are those of images or of `SHA256SUMS` in other letters; sorted.
    pub in_other_case: Vec<String>,
    /// Files that `SHA256SUMS` lists and that are missing.
    pub missing: Vec<String>,
    /// There is a folder of its own name in it.
    pub is_in_itself: bool,
    /// It holds more files than a version can have; not all were looked at.
    pub is_crowded: bool,
    /// Its files cannot be listed; the system's number for why.
    pub unreadable: Option<i32>,
}

impl FolderState {
    /// Looks at a folder. `None` if there is none; an error if descriptors or memory have run out, so that nothing is known.
    pub fn look(folder: &Path, listed: &mut ListedNames) -> io::Result<Option<FolderState>> {
        match FileState::of(folder)? {
            FileState::Missing => return Ok(None),
            FileState::Unreadable(number) => return Ok(Some(FolderState::unreadable(number))),
            FileState::File(_) => return Ok(None),
            FileState::NotAFile => {}
        }
        let mut state = FolderState::unreadable(0);
        state.unreadable = None;
        match fs::read_dir(folder) {
            Ok(entries) => state.take_names(folder, entries)?,
            Err(error) => state.unreadable = Some(number_of(error)?),
        }
        for (name, image) in IMAGE_NAMES.iter().zip(&mut state.images) {
            *image = FileState::of(&folder.join(name))?;
        }
        state.sums = FileState::of(&folder.join(SUMS_NAME))?;
        state.offer = FileState::of(&folder.join(OFFER_NAME))?;
        let names = match listed.read(folder, state.sums) {
            Ok(names) => names,
            // Its stamp may be the same when it can be read, and what it lists must be known before anything is offered.
            Err(error) => {
                state.sums = FileState::Unreadable(number_of(error)?);
                &[]
            }
        };
        for name in names {
            if FileState::of(&folder.join(name))? == FileState::Missing {
                state.missing.push(name.clone());
            }
        }
        Ok(Some(state))
    }

    /// A folder nothing can be said about.
    fn unreadable(number: i32) -> FolderState {
        FolderState {
            images: [FileState::Missing; 2],
            sums: FileState::Missing,
            offer: FileState::Missing,
            misnamed_offers: Vec::new(),
            in_other_case: Vec::new(),
            missing: Vec::new(),
            is_in_itself: false,
            is_crowded: false,
            unreadable: Some(number),
        }
    }

    fn take_names(&mut self, folder: &Path, entries: fs::ReadDir) -> io::Result<()> {
        for (count, entry) in entries.enumerate() {
            if count >= limits::FOLDER_ENTRIES {
                self.is_crowded = true;
                break;
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.unreadable = Some(number_of(error)?);
                    break;
                }
            };
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let is_offer = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("offer"));
            if is_offer && text != OFFER_NAME {
                self.misnamed_offers.push(text.into_owned());
            } else if proper_name(&text).is_some_and(|name| name != text) {
                self.in_other_case.push(text.into_owned());
            } else if folder.file_name() == Some(&name) && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.is_in_itself = true;
            }
        }
        self.misnamed_offers.sort_unstable();
        self.in_other_case.sort_unstable();
        Ok(())
    }

    /// Whether it differs from `other` only by there being an `offer.ini` or not.
    pub fn differs_in_offer_alone(&self, other: &FolderState) -> bool {
        let is_there = |state: &FolderState| state.offer != FileState::Missing;
        is_there(self) != is_there(other) && FolderState { offer: other.offer, ..self.clone() } == *other
    }
}

/// The names that a folder's `SHA256SUMS` lists, read again when its stamp changes.
#[derive(Debug, Default)]
pub struct ListedNames {
    of: Option<FileState>,
    names: Vec<String>,
}

impl ListedNames {
    fn read(&mut self, folder: &Path, sums: FileState) -> io::Result<&[String]> {
        if self.of != Some(sums) {
            self.names = match sums {
                FileState::File(_) => match read_bounded(&folder.join(SUMS_NAME), limits::SUMS_BYTES) {
                    Ok(text) => Sums::parse(&text).names().filter(|name| stays_below(name)).map(str::to_owned).collect(),
                    // Too long: a reason of its own not to offer the version.
                    Err(error) if error.kind() == ErrorKind::Other => Vec::new(),
                    Err(error) => return Err(error),
                },
                _ => Vec::new(),
            };
            self.of = Some(sums);
        }
        Ok(&self.names)
    }
}

/// Whether a listed name lies below the folder; the images have rules of their own.
fn stays_below(name: &str) -> bool {
    !name.starts_with('/') && !name.split('/').any(|part| part == "..") && !IMAGE_NAMES.contains(&name)
}

/// The name among images and `SHA256SUMS` that differs from `name` in no more than the case of its letters.
pub fn proper_name(name: &str) -> Option<&'static str> {
    IMAGE_NAMES.into_iter().chain([SUMS_NAME]).find(|proper| proper.eq_ignore_ascii_case(name))
}

impl FileState {
    /// Looks at a path, links followed.
    pub fn of(path: &Path) -> io::Result<FileState> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Ok(FileState::File(Stamp::from(&metadata))),
            Ok(_) => Ok(FileState::NotAFile),
            Err(error) if error.kind() == ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => Ok(FileState::Missing),
            Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(FileState::Missing),
            Err(error) => number_of(error).map(FileState::Unreadable),
        }
    }
}

/// The system's number of an error that tells something about the file.
fn number_of(error: io::Error) -> io::Result<i32> {
    if sys::is_out_of_resources(&error) { Err(error) } else { Ok(error.raw_os_error().unwrap_or(0)) }
}

/// The system's words for a number.
pub fn describe_number(number: i32) -> String {
    io::Error::from_raw_os_error(number).to_string()
}
