//! Looking for licence files: what is there, and what is wrong with it.

use std::fs;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};

use super::file::Counted;
use crate::config::LICENSE_EXTENSION;
use crate::file::has_extension;
use crate::limits;
use crate::problem::licenses as texts;
use crate::problem::{HINT_MORE, MORE, Problem};
use crate::stamp::Stamp;
use crate::sys;

/// What stands at `feature_licenses_path`.
#[derive(Debug, Default)]
pub struct Look {
    /// The licence files, sorted by name.
    pub files: Vec<(PathBuf, Stamp)>,
    /// What is there and cannot be looked at. Whether it is what was read before, nobody knows.
    pub hidden: Vec<PathBuf>,
    /// Whether all names could be read: what is not among the files is not there.
    pub is_complete: bool,
    /// What is wrong, hints included; bounded.
    pub problems: Vec<Problem>,
    mistakes: Counted<Problem>,
    hints: Counted<Problem>,
}

/// Looks at a licence file, or at all `.slf` files of a folder. An error is a want of descriptors or memory, which says nothing of
/// the files.
pub fn look(path: &Path) -> io::Result<Look> {
    let mut found = Look { is_complete: true, ..Look::default() };
    let entries = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            found.files.push((path.to_owned(), Stamp::from(&metadata)));
            return Ok(found);
        }
        // A pipe or a device: reading it as a folder fails with a reason.
        Ok(_) => fs::read_dir(path),
        Err(error) => Err(error),
    };
    match entries {
        Ok(entries) => {
            for entry in entries {
                match entry {
                    Ok(entry) => found.add(entry.path())?,
                    Err(error) => found.fail(path, error)?,
                }
            }
        }
        Err(error) => found.fail(path, error)?,
    }
    found.files.sort_unstable_by(|(a, _), (b, _)| a.as_os_str().cmp(b.as_os_str()));
    let count = found.files.len();
    if count > limits::LICENSE_FILES {
        found.problems.push(Problem::with(path, &texts::TOO_MANY_FILES, vec![count.into(), limits::LICENSE_FILES.into()]));
        found.files.truncate(limits::LICENSE_FILES);
    }
    for (list, text) in [(mem::take(&mut found.mistakes), &MORE), (mem::take(&mut found.hints), &HINT_MORE)] {
        let more = list.more().map(|more| Problem::with(path, text, vec![more.into()]));
        // Folders are read in any order.
        let mut first = list.first;
        first.sort_by(|a, b| a.place.cmp(&b.place));
        found.problems.extend(first.into_iter().chain(more));
    }
    Ok(found)
}

impl Look {
    /// A wrong folder may hold very many files, and all are looked at again and again.
    fn note(&mut self, problem: Problem) {
        if problem.is_hint() { self.hints.add(problem) } else { self.mistakes.add(problem) }
    }

    /// The folder itself cannot be read, or only in part.
    fn fail(&mut self, path: &Path, error: io::Error) -> io::Result<()> {
        if sys::is_out_of_resources(&error) {
            return Err(error);
        }
        let (text, details) = match error.kind() {
            io::ErrorKind::NotFound => (&texts::PATH_MISSING, Vec::new()),
            _ => (&texts::PATH_UNREADABLE, vec![error.to_string().into()]),
        };
        self.is_complete &= error.kind() == io::ErrorKind::NotFound;
        self.problems.push(Problem::with(path, text, details));
        Ok(())
    }

    fn add(&mut self, path: PathBuf) -> io::Result<()> {
        if !has_extension(&path, LICENSE_EXTENSION) {
            // Hidden files belong to editors and to programs that copy.
            if !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                let text = if path.is_dir() { &texts::FOLDER } else { &texts::OTHER_NAME };
                self.note(Problem::with(&path, text, Vec::new()));
            }
            return Ok(());
        }
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => self.files.push((path, Stamp::from(&metadata))),
            Ok(_) => self.note(Problem::with(&path, &texts::NOT_A_FILE, Vec::new())),
            Err(error) if sys::is_out_of_resources(&error) => return Err(error),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A link to nothing; or it has gone since its name was read, which is no problem.
                if path.is_symlink() {
                    self.note(Problem::with(&path, &texts::LINK_DANGLING, Vec::new()));
                }
            }
            Err(error) => {
                self.note(Problem::with(&path, &texts::FILE_UNREADABLE, vec![error.into()]));
                self.hidden.push(path);
            }
        }
        Ok(())
    }
}
