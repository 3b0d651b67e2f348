//! One licence file: serial number and place of every licence in it, read in one pass whatever is wrong with it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::line::{self, LINE_BYTES, LicenseLine};
use crate::file::open_regular;
use crate::limits;
use crate::problem::licenses as texts;
use crate::problem::{Detail, Problem, Text};
use crate::stamp::Stamp;
use crate::sys;

/// Where a licence stands: 16 bytes. The line's number is only for messages; it is kept so that none of them needs the file to
/// be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The registrar's serial number.
    pub serial: u64,
    /// Offset of the line in its file.
    offset: u32,
    /// Number of the line, from 1.
    pub line: u32,
}

/// What a registrar asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License {
    /// 128 hexadecimal digits.
    pub licenses: String,
    /// 128 hexadecimal digits.
    pub signature: String,
}

/// A licence file, as it was when it was read.
#[derive(Debug)]
pub struct LicenseFile {
    /// Where it is.
    pub path: PathBuf,
    /// Valid lines in it.
    pub licenses: usize,
    /// What it looked like before and after it was read; `None` if that was not the same, or if it could not be opened.
    pub stamp: Option<Stamp>,
    /// Sorted; each serial number once.
    pub entries: Vec<Entry>,
    /// Why it was not read to its end.
    failure: Option<Failure>,
    bad_lines: Counted<(u32, &'static Text)>,
    /// Pairs of lines, the earlier one first.
    repeated: Counted<(u32, u32)>,
}

#[derive(Debug)]
struct Failure {
    text: &'static Text,
    details: Vec<Detail>,
    /// Whether it may go away without a change of the file.
    is_passing: bool,
    /// Whether descriptors or memory had run out: it says nothing of the file.
    is_shortage: bool,
}

/// The first of many, and how many there are.
#[derive(Debug)]
pub struct Counted<T> {
    pub first: Vec<T>,
    pub count: usize,
}

impl<T> Default for Counted<T> {
    fn default() -> Counted<T> {
        Counted { first: Vec::new(), count: 0 }
    }
}

impl<T> Counted<T> {
    /// Counts one more, and keeps it if it is among the first.
    pub fn add(&mut self, item: T) {
        self.count += 1;
        if self.first.len() < limits::PROBLEMS_PER_FILE {
            self.first.push(item);
        }
    }

    /// How many were not kept, if any.
    pub fn more(&self) -> Option<usize> {
        self.count.checked_sub(self.first.len()).filter(|more| *more > 0)
    }
}

impl LicenseFile {
    /// Reads a file of which at most `room` licences are served. Bad lines are noted and skipped. An error says that it could
    /// not even be opened.
    pub fn read(path: &Path, room: usize) -> io::Result<LicenseFile> {
        let (file, metadata) = open_regular(path)?;
        let mut read = LicenseFile { stamp: Some(Stamp::from(&metadata)), ..LicenseFile::empty(path) };
        read.failure = read.take_lines(&file, room).err();
        // One that changes while it is read is read again.
        read.stamp = read.stamp.filter(|stamp| file.metadata().is_ok_and(|after| Stamp::from(&after) == *stamp));
        read.licenses = read.entries.len();
        read.entries.sort_unstable();
        read.drop_repeated();
        Ok(read)
    }

    /// Stands for a file that could not be read.
    pub fn unreadable(path: &Path, error: io::Error) -> LicenseFile {
        LicenseFile { failure: Some(Failure::reading(error)), ..LicenseFile::empty(path) }
    }

    fn empty(path: &Path) -> LicenseFile {
        LicenseFile {
            path: path.to_owned(),
            licenses: 0,
            stamp: None,
            entries: Vec::new(),
            failure: None,
            bad_lines: Counted::default(),
            repeated: Counted::default(),
        }
    }

    fn take_lines(&mut self, file: &File, room: usize) -> Result<(), Failure> {
        for_each_line(file, |line, offset, number| {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            match (line::parse(line), u32::try_from(offset)) {
                (Err(_), _) if line.is_empty() => {}
                (Err(text), _) => self.bad_lines.add((number, text)),
                (Ok(_), Err(_)) => return Err(Failure::of_file(&texts::TOO_LONG, Vec::new())),
                (Ok(_), Ok(_)) if self.entries.len() >= room => {
                    return Err(Failure::of_file(&texts::TOO_MANY, vec![limits::LICENSES.into()]));
                }
                (Ok(LicenseLine { serial, .. }), Ok(offset)) => {
                    self.make_room()?;
                    self.entries.push(Entry { serial, offset, line: number });
                }
            }
            Ok(())
        })
    }

    /// Grows by an eighth: whatever the file says of its length, no more is asked for than its licences need.
    fn make_room(&mut self) -> Result<(), Failure> {
        if self.entries.len() < self.entries.capacity() {
            return Ok(());
        }
        self.entries.try_reserve_exact(self.entries.len() / 8 + 64).map_err(|_| Failure {
            text: &texts::NO_MEMORY,
            details: Vec::new(),
            is_passing: true,
            // An operator must know which file has no room.
            is_shortage: false,
        })
    }

    /// Of equal serial numbers the last line counts.
    fn drop_repeated(&mut self) {
        let repeated = &mut self.repeated;
        self.entries.dedup_by(|next, kept| {
            let is_same = next.serial == kept.serial;
            if is_same {
                repeated.add((kept.line, next.line));
                // `dedup_by` removes `next`: the later place moves into the one that stays.
                *kept = *next;
            }
            is_same
        });
        // By line, as they stand in the file.
        repeated.first.sort_unstable();
    }

    /// Whether another attempt may read more of it although it has not changed.
    pub fn may_heal(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.is_passing)
    }

    /// Whether descriptors or memory had run out, so that nothing is known of it that was not known before.
    pub fn met_shortage(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.is_shortage)
    }

    /// Whether another attempt at the same file came to the same end.
    pub fn is_like(&self, other: &LicenseFile) -> bool {
        let failure = |file: &LicenseFile| file.failure.as_ref().map(|failure| (failure.text.code, failure.details.clone()));
        (self.stamp, self.entries.len(), failure(self)) == (other.stamp, other.entries.len(), failure(other))
    }

    /// Why it was not read to its end.
    pub fn failure(&self) -> Option<Problem> {
        self.failure.as_ref().map(|failure| Problem::with(&self.path, failure.text, failure.details.clone()))
    }

    /// Lines that are no licences, and serial numbers that stand in it twice.
    pub fn line_problems(&self) -> Vec<Problem> {
        let at = |line: u32, text, details| Problem::in_line(&self.path, line as usize, text, details);
        let bad = self.bad_lines.first.iter().map(|(line, text)| at(*line, *text, Vec::new()));
        let more_bad = self.bad_lines.more().map(|more| Problem::with(&self.path, &texts::MORE_LINES, vec![more.into()]));
        let repeated = self.repeated.first.iter().map(|(earlier, later)| {
            at(*earlier, &texts::REPEATED, vec![format!("{}:{later}", self.path.to_string_lossy()).into()])
        });
        let more_repeated = self.repeated.more().map(|more| Problem::with(&self.path, &texts::MORE_REPEATED, vec![more.into()]));
        bad.chain(more_bad).chain(repeated).chain(more_repeated).collect()
    }

    /// The place of a serial number.
    pub fn find(&self, serial: u64) -> Option<Entry> {
        let found = self.entries.binary_search_by_key(&serial, |entry| entry.serial).ok()?;
        self.entries.get(found).copied()
    }

    /// Reads the line at an entry's place. The file must be what it was when it was read, and the line that of the entry.
    pub fn read_line(&self, entry: Entry) -> Result<License, Problem> {
        let unreadable = |error: io::Error| Problem::with(&self.path, &texts::FILE_UNREADABLE, vec![error.into()]);
        let changing = || Problem::with(&self.path, &texts::CHANGING, Vec::new());
        let (file, metadata) = open_regular(&self.path).map_err(unreadable)?;
        if self.stamp != Some(Stamp::from(&metadata)) {
            return Err(changing());
        }
        let mut line = [0; LINE_BYTES];
        file.read_exact_at(&mut line, u64::from(entry.offset)).map_err(unreadable)?;
        let is_same = file.metadata().is_ok_and(|after| self.stamp == Some(Stamp::from(&after)));
        match line::parse(&line) {
            Ok(found) if found.serial == entry.serial && is_same => {
                let text = |hex: &[u8]| String::from_utf8_lossy(hex).into_owned();
                Ok(License { licenses: text(found.licenses), signature: text(found.signature) })
            }
            _ => Err(changing()),
        }
    }
}

impl Failure {
    /// The system could not read it now.
    fn reading(error: io::Error) -> Failure {
        let is_shortage = sys::is_out_of_resources(&error);
        Failure { text: &texts::FILE_UNREADABLE, details: vec![error.into()], is_passing: true, is_shortage }
    }

    /// The file is not what it should be.
    fn of_file(text: &'static Text, details: Vec<Detail>) -> Failure {
        Failure { text, details, is_passing: false, is_shortage: false }
    }
}

/// Calls `take` with each line (without its line end and a byte order mark), its offset and its number from 1. Of a line too
/// long to be a licence only the beginning is given. An error of `take` ends the reading and is returned.
fn for_each_line(file: &File, mut take: impl FnMut(&[u8], u64, usize) -> Result<(), Failure>) -> Result<(), Failure> {
    const KEPT_BYTES: usize = LINE_BYTES + 8;
    let mut reader = BufReader::with_capacity(limits::FILE_PIECE, file);
    let mut line = Vec::with_capacity(KEPT_BYTES);
    let (mut start, mut number) = (0, 1);
    loop {
        line.clear();
        let mut used = (&mut reader).take(KEPT_BYTES as u64).read_until(b'\n', &mut line).map_err(Failure::reading)?;
        if used == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else {
            let skipped = (&mut reader).take(limits::LICENSE_LINE_BYTES).skip_until(b'\n').map_err(Failure::reading)?;
            if skipped as u64 == limits::LICENSE_LINE_BYTES {
                return Err(Failure::of_file(&texts::NOT_LICENSES, vec![number.into()]));
            }
            used += skipped;
        }
        let text = line.strip_suffix(b"\r").unwrap_or(&line);
        match text.strip_prefix(b"\xef\xbb\xbf") {
            Some(text) if number == 1 => take(text, start + 3, number)?,
            _ => take(text, start, number)?,
        }
        (start, number) = (start + used as u64, number + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Language;

    #[test]
    fn what_exceeds_the_room_or_the_memory_is_told_with_its_remedy() {
        let path = std::env::temp_dir().join(format!("susv-licenses-{}", std::process::id()));
        let line = |serial: u64| format!("{serial:016}\t{0}\t{0}\n", "a".repeat(128));
        std::fs::write(&path, line(1) + &line(2) + &line(3)).expect("a file");
        let read = LicenseFile::read(&path, 2).expect("readable");
        std::fs::remove_file(&path).expect("gone");
        assert_eq!((read.entries.len(), read.find(3), read.may_heal()), (2, None, false));
        let problem = read.failure().expect("a problem");
        assert_eq!(problem.code(), "LICENCES-TOO-MANY");
        assert!(
            problem.explain(Language::English).contains("more than 4000000 licences, and the rest of it is not served: remove")
        );
        assert!(problem.explain(Language::Russian).contains("больше 4000000, остальные из него не выдаются: удалите"));
        for (text, english, russian) in [
            (&texts::TOO_LONG, "after the first 4 GiB are not served: split the file", "разделите файл"),
            (&texts::NO_MEMORY, "not enough memory", "не хватает памяти"),
        ] {
            let words = [Language::English, Language::Russian].map(|language| text.template(language));
            assert!(words[0].contains(english) && words[1].contains(russian), "{}", text.code);
        }
    }
}
