//! The names in the firmware folder: which are versions, and which may have been meant to be.

use std::fs;
use std::io;
use std::path::Path;

use crate::calendar::{self, Date};
use crate::limits;
use crate::problem::{Problem, firmware as texts};
use crate::sys;
use crate::text::quote;

/// What stands in the firmware folder.
#[derive(Debug, Default)]
pub struct FolderNames {
    /// The version folders, newest first.
    pub versions: Vec<Date>,
    /// Older ones are left out, since there are too many.
    pub oldest: Date,
    /// Whether it can be read at all.
    pub is_readable: bool,
    /// What is wrong with the folder, or with names in it.
    pub problems: Vec<Problem>,
}

impl FolderNames {
    /// Lists the firmware folder. An error only if descriptors or memory have run out, so that nothing is known.
    pub fn read(root: &Path) -> io::Result<FolderNames> {
        let mut names = FolderNames::default();
        match fs::read_dir(root).and_then(|entries| names.take_entries(entries)) {
            Ok(()) => names.is_readable = true,
            Err(error) if sys::is_out_of_resources(&error) => return Err(error),
            Err(error) => {
                names = FolderNames::default();
                names.problems.push(Problem::with(root, &texts::ROOT_UNREADABLE, vec![error.into()]));
            }
        }
        names.versions.sort_unstable_by(|a, b| b.cmp(a));
        names.problems.sort_unstable_by(|a, b| a.place.cmp(&b.place));
        crate::problem::bound(&mut names.problems, &root.to_string_lossy(), limits::PROBLEMS_PER_FILE);
        if let Some(more) = names.versions.len().checked_sub(limits::VERSION_FOLDERS).filter(|more| *more > 0) {
            names.versions.truncate(limits::VERSION_FOLDERS);
            names.oldest = names.versions.last().copied().unwrap_or_default();
            let details = vec![limits::VERSION_FOLDERS.into(), more.into()];
            names.problems.push(Problem::with(root, &texts::FOLDERS_LEFT_OUT, details));
        }
        Ok(names)
    }

    fn take_entries(&mut self, entries: fs::ReadDir) -> io::Result<()> {
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_folder = || entry.path().is_dir();
            let problem = |text, details| Problem::with(&entry.path(), text, details);
            if let Some(version) = calendar::parse_version(&name) {
                let kind = entry.file_type()?;
                // A link to nothing is a folder that cannot be looked into.
                if kind.is_dir() || kind.is_symlink() && !entry.path().is_file() {
                    self.versions.push(version);
                } else {
                    self.problems.push(problem(&texts::NO_FOLDER, vec![version.into()]));
                }
            } else if name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_digit()) {
                if is_folder() {
                    self.problems.push(problem(&texts::NO_DATE, Vec::new()));
                }
            } else if let Some(version) = find_date(&name)
                && is_folder()
            {
                let details = vec![quote(&name, limits::QUOTED_BYTES).into(), format!("{version:08}").into()];
                self.problems.push(problem(&texts::NEARLY_DATE, details));
            }
        }
        Ok(())
    }
}

/// The version a name stands for in a person's eyes: eight digits of a date, `yyyymmdd` or `ddmmyyyy`, with nothing but separators
/// and spaces around them.
fn find_date(name: &str) -> Option<Date> {
    let is_separator = |character: char| character.is_ascii_punctuation() || character.is_whitespace();
    if !name.chars().all(|character| character.is_ascii_digit() || is_separator(character)) {
        return None;
    }
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    if digits.len() != 8 {
        return None;
    }
    let turned = || Some([digits.get(4..8)?, digits.get(2..4)?, digits.get(..2)?].concat());
    calendar::parse_version(&digits).or_else(|| calendar::parse_version(&turned()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_nearly_dates_are_found() {
        for name in
            ["2026-06-01", "20260601 ", " 20260601", "2026_06_01", "2026.06.01", "01.06.2026", "20260601.", "20260601\u{a0}"]
        {
            assert_eq!(find_date(name), Some(20260601), "{name}");
        }
        for name in
            ["20260601.new", "new-20260601", ".20260601.tmp", "2026-06", "2026-13-01", "latest", "", "20260601 (2)", "2026060"]
        {
            assert_eq!(find_date(name), None, "{name}");
        }
    }
}
