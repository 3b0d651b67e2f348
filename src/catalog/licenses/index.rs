//! The licence index: all files together. Which of them has a serial number is found by looking into one after another, so that a
//! change to one file leaves the others as they are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::path::Path;
use std::sync::Arc;

use super::file::{Counted, License, LicenseFile};
use crate::limits;
use crate::problem::licenses as texts;
use crate::problem::{self, Problem};

/// All licences by serial number. The lines themselves are read when they are asked for.
#[derive(Debug, Default)]
pub struct LicenseIndex {
    /// The files, sorted by name.
    pub files: Vec<Arc<LicenseFile>>,
    /// Everything that is wrong with them, hints included; bounded.
    pub problems: Vec<Problem>,
    length: usize,
    /// Whether the files have been looked at: until then nobody knows which licences there are.
    is_known: bool,
}

impl LicenseIndex {
    /// Puts the files at `path` together; they are sorted by name. `found` is what was wrong when they were looked for, bounded.
    pub fn new(path: &Path, files: Vec<Arc<LicenseFile>>, found: Vec<Problem>) -> LicenseIndex {
        let repeated = find_repeated(&files);
        let (hints, mut problems): (Vec<_>, Vec<_>) = found.into_iter().partition(Problem::is_hint);
        problems.extend(files.iter().filter_map(|file| file.failure()));
        for file in &files {
            // More would not be shown, and 4,096 bad files may have very many.
            if problems.len() <= limits::LICENSE_PROBLEMS {
                problems.extend(file.line_problems());
            }
        }
        let place = |(file, line): (usize, u32)| format!("{}:{line}", files[file].path.to_string_lossy());
        problems.extend(
            repeated
                .first
                .iter()
                .map(|(earlier, later)| Problem::at(place(*earlier), &texts::REPEATED, vec![place(*later).into()])),
        );
        problems.extend(repeated.more().map(|more| Problem::with(path, &texts::MORE_REPEATED, vec![more.into()])));
        problem::bound(&mut problems, &path.to_string_lossy(), limits::LICENSE_PROBLEMS);
        problems.extend(hints);
        let entries: usize = files.iter().map(|file| file.entries.len()).sum();
        LicenseIndex { length: entries - repeated.count, files, problems, is_known: true }
    }

    /// Number of licences.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The licence of a serial number. `Ok(None)`: there is none. The error says why the file that has it cannot be read now; it
    /// does not wait for that to change.
    pub fn find(&self, serial: u64) -> Result<Option<License>, Problem> {
        if !self.is_known {
            return Err(Problem::at("feature_licenses_path".to_owned(), &texts::NOT_READ_YET, Vec::new()));
        }
        // Of equal serial numbers the last counts.
        let found = self.files.iter().rev().find_map(|file| Some((file, file.find(serial)?)));
        found.map(|(file, entry)| file.read_line(entry)).transpose()
    }
}

/// A file's number and a line in it.
type Place = (usize, u32);

/// Serial numbers that stand in more than one file: the earlier place, and the later one. One walk through all files at a time, in
/// the order of the numbers.
fn find_repeated(files: &[Arc<LicenseFile>]) -> Counted<(Place, Place)> {
    let mut repeated = Counted::default();
    let mut walks: Vec<_> = files.iter().map(|file| file.entries.iter()).collect();
    let starts = walks
        .iter_mut()
        .enumerate()
        .filter_map(|(file, walk)| walk.next().map(|entry| Reverse((entry.serial, file, entry.line))));
    let mut nearest: BinaryHeap<_> = starts.collect();
    if nearest.len() < 2 {
        return repeated;
    }
    let mut last: Option<(u64, usize, u32)> = None;
    while let Some(mut top) = nearest.peek_mut() {
        let Reverse((serial, file, line)) = *top;
        if let Some((_, last_file, last_line)) = last.filter(|(last_serial, ..)| *last_serial == serial) {
            repeated.add(((last_file, last_line), (file, line)));
        }
        last = Some((serial, file, line));
        match walks[file].next() {
            Some(entry) => *top = Reverse((entry.serial, file, entry.line)),
            None => {
                PeekMut::pop(top);
            }
        }
    }
    repeated.first.sort_unstable();
    repeated
}
