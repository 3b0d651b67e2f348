//! The licence index: serial number and place of every licence, 16 bytes each, sorted. The line itself is read from its file
//! when it is asked for, and checked again.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use super::license_line::{self, LINE_BYTES};
use crate::limits;
use crate::problem::{Problem, Text};
use crate::stamp::Stamp;

/// Whatever is wrong, in words made elsewhere.
const LICENSES: Text = Text::new("LICENCES", "{0}", "лицензии: {0}");

/// Where a licence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    serial: u64,
    /// Index into the files, which are sorted by name.
    file: u32,
    /// Offset of the line in its file.
    offset: u32,
}

/// A licence file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseFile {
    /// Where it is.
    pub path: PathBuf,
    /// Valid lines in it.
    pub licenses: usize,
}

/// What a registrar asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License {
    /// 128 hexadecimal digits.
    pub licenses: String,
    /// 128 hexadecimal digits.
    pub signature: String,
}

/// All licences by serial number.
#[derive(Debug, Default)]
pub struct LicenseIndex {
    /// The file or folder the licences come from.
    path: PathBuf,
    /// The files, sorted by name.
    pub files: Vec<LicenseFile>,
    /// Sorted; each serial number once.
    entries: Vec<Entry>,
}

impl LicenseIndex {
    /// Reads a licence file, or all `.slf` files of a folder. Bad lines are reported and skipped.
    pub fn load(path: &Path, problems: &mut Vec<Problem>) -> LicenseIndex {
        let mut index = LicenseIndex { path: path.to_owned(), ..LicenseIndex::default() };
        let files = find_files(path, problems);
        let bytes: u64 = files.iter().map(|(_, stamp)| stamp.length).sum();
        // One allocation for all: growing would cost half as much again for a moment.
        let expected = usize::try_from(bytes / LINE_BYTES as u64).unwrap_or(usize::MAX);
        index.entries.reserve_exact(expected.min(limits::LICENSES));
        for (path, _) in files {
            index.load_file(path, problems);
        }
        index.entries.sort_unstable();
        index.drop_repeated(problems);
        index
    }

    /// Number of licences.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn load_file(&mut self, path: PathBuf, problems: &mut Vec<Problem>) {
        let file_number = self.files.len() as u32;
        let before = self.entries.len();
        let mut bad_lines = 0_usize;
        let mut report = |line: usize, what: &str| {
            bad_lines += 1;
            if bad_lines <= limits::PROBLEMS_PER_FILE {
                problems.push(Problem::in_line(&path, line, &LICENSES, vec![format!("{what}: the line is skipped").into()]));
            }
        };
        let entries = &mut self.entries;
        let result = read_lines(&path, &mut |line, offset, number| {
            if line.is_empty() {
                return Ok(());
            }
            match (license_line::parse(line), u32::try_from(offset)) {
                (Err(what), _) => report(number, what),
                (Ok(_), Err(_)) => return Err(io::Error::other("licences behind the first 4 GiB are not served")),
                (Ok(_), _) if entries.len() >= limits::LICENSES => {
                    return Err(io::Error::other(format!(
                        "more than {} licences in all: the rest is not served",
                        limits::LICENSES
                    )));
                }
                (Ok(license), Ok(offset)) => entries.push(Entry { serial: license.serial, file: file_number, offset }),
            }
            Ok(())
        });
        if bad_lines > limits::PROBLEMS_PER_FILE {
            let more = bad_lines - limits::PROBLEMS_PER_FILE;
            problems.push(Problem::with(&path, &LICENSES, vec![format!("{more} more bad lines are skipped").into()]));
        }
        if let Err(error) = result {
            let what = format!("cannot be read to its end ({error}): check the file and its rights");
            problems.push(Problem::with(&path, &LICENSES, vec![what.into()]));
        }
        self.files.push(LicenseFile { path, licenses: self.entries.len() - before });
    }

    /// Of equal serial numbers the last counts, by file name and line; each repetition is reported.
    fn drop_repeated(&mut self, problems: &mut Vec<Problem>) {
        let mut repeated = 0_usize;
        let files = &self.files;
        self.entries.dedup_by(|next, kept| {
            if next.serial != kept.serial {
                return false;
            }
            repeated += 1;
            if repeated <= limits::PROBLEMS_PER_FILE {
                let (earlier, later) = (describe(files, kept), describe(files, next));
                // Without the number: the status page shows problems to anyone.
                let what = format!("the serial number of this line stands again in {later}: the last one counts");
                problems.push(Problem::at(earlier, &LICENSES, vec![what.into()]));
            }
            // `dedup_by` removes `next`: the later place moves into the one that stays.
            *kept = *next;
            true
        });
        if let Some(more) = repeated.checked_sub(limits::PROBLEMS_PER_FILE).filter(|more| *more > 0) {
            problems.push(Problem::at("licences", &LICENSES, vec![format!("{more} more repeated serial numbers").into()]));
        }
    }

    /// The licence of a serial number. `Ok(None)`: there is none. The error carries the path.
    pub fn find(&self, serial: u64) -> Result<Option<License>, Problem> {
        let Ok(found) = self.entries.binary_search_by_key(&serial, |entry| entry.serial) else { return Ok(None) };
        let entry = self.entries[found];
        let Some(LicenseFile { path, .. }) = self.files.get(entry.file as usize) else { return Ok(None) };
        match read_entry(path, entry) {
            Ok(license) => Ok(Some(license)),
            // The file is not what it was when the index was made. What stands in the files now is the truth.
            Err(_) => self
                .find_on_disk(serial)
                .map_err(|(path, error)| Problem::with(&path, &LICENSES, vec![format!("cannot be read ({error})").into()])),
        }
    }

    /// Looks through all files for a serial number the index knows but did not find in its place. A file that is being rewritten
    /// lacks its lines for a moment: only when nothing changes any more is a number that cannot be found taken for removed.
    fn find_on_disk(&self, serial: u64) -> Result<Option<License>, (PathBuf, io::Error)> {
        let end = Instant::now() + limits::LICENSE_PATIENCE;
        let mut before = None;
        loop {
            let files = find_files(&self.path, &mut Vec::new());
            let mut failure = None;
            // Of equal serial numbers the last counts.
            for (path, _) in files.iter().rev() {
                match scan_file(path, serial) {
                    Ok(Some(license)) => return Ok(Some(license)),
                    Ok(None) => {}
                    Err(error) => failure = Some((path.clone(), error)),
                }
            }
            let stamps: Vec<_> = files.into_iter().map(|(_, stamp)| stamp).collect();
            if before.as_ref() == Some(&stamps) || Instant::now() >= end {
                return failure.map_or(Ok(None), Err);
            }
            before = Some(stamps);
            thread::sleep(limits::LICENSE_PAUSE);
        }
    }
}

/// Reads the line at an entry's place and checks that it is still the one of its serial number.
fn read_entry(path: &Path, entry: Entry) -> io::Result<License> {
    let mut line = [0; LINE_BYTES];
    File::open(path)?.read_exact_at(&mut line, u64::from(entry.offset))?;
    match license_line::parse(&line) {
        Ok(found) if found.serial == entry.serial => Ok(own(&found)),
        _ => Err(io::Error::other("the line is not where it was")),
    }
}

/// Looks through a whole file for a serial number; of several the last.
fn scan_file(path: &Path, serial: u64) -> io::Result<Option<License>> {
    let mut last = None;
    read_lines(path, &mut |line, _, _| {
        if let Ok(found) = license_line::parse(line)
            && found.serial == serial
        {
            last = Some(own(&found));
        }
        Ok(())
    })?;
    Ok(last)
}

fn own(line: &license_line::LicenseLine<'_>) -> License {
    let text = |hex: &[u8]| String::from_utf8_lossy(hex).into_owned();
    License { licenses: text(line.licenses), signature: text(line.signature) }
}

/// `path:line` of an entry; only made for a message.
fn describe(files: &[LicenseFile], entry: &Entry) -> String {
    let Some(LicenseFile { path, .. }) = files.get(entry.file as usize) else { return String::new() };
    let mut line = 0;
    let _ = read_lines(path, &mut |_, offset, number| {
        line = number;
        if offset >= u64::from(entry.offset) { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    });
    format!("{}:{line}", path.to_string_lossy())
}

/// The licence files at `path`, with their states: itself, or the `.slf` files in it, sorted by name.
pub fn find_files(path: &Path, problems: &mut Vec<Problem>) -> Vec<(PathBuf, Stamp)> {
    let entries = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => return vec![(path.to_owned(), Stamp::from(&metadata))],
        // A pipe or a device: reading it as a folder fails with a reason.
        Ok(_) => fs::read_dir(path),
        Err(error) => Err(error),
    };
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            let what = format!("cannot be read ({error}): no licences are served; check feature_licenses_path");
            problems.push(Problem::with(path, &LICENSES, vec![what.into()]));
            return Vec::new();
        }
    };
    let mut files = Vec::new();
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        // Not `.slf` itself, which is a hidden file.
        let extension = name.len().checked_sub(4).filter(|stem| *stem > 0).map(|stem| &name.as_bytes()[stem..]);
        if extension.is_some_and(|extension| extension.eq_ignore_ascii_case(b".slf"))
            && let Ok(metadata) = fs::metadata(&path)
            && metadata.is_file()
        {
            files.push((path, Stamp::from(&metadata)));
        }
    }
    files.sort_unstable_by(|(a, _), (b, _)| a.as_os_str().cmp(b.as_os_str()));
    if files.len() > limits::LICENSE_FILES {
        let what = format!("{} licence files: only the first {} are served", files.len(), limits::LICENSE_FILES);
        problems.push(Problem::with(path, &LICENSES, vec![what.into()]));
        files.truncate(limits::LICENSE_FILES);
    }
    files
}

/// Takes a line, its offset and its number from 1; an error ends the reading.
type TakeLine<'a> = dyn FnMut(&[u8], u64, usize) -> io::Result<()> + 'a;

/// Calls `take` with each line (without its line end and a byte order mark), its offset and its number from 1. Of a line too
/// long to be a licence only the beginning is given. An error of `take` ends the reading and is returned.
fn read_lines(path: &Path, take: &mut TakeLine<'_>) -> io::Result<()> {
    const KEPT_BYTES: usize = LINE_BYTES + 8;
    let mut reader = BufReader::with_capacity(limits::FILE_PIECE, File::open(path)?);
    let mut line = Vec::with_capacity(KEPT_BYTES);
    let (mut start, mut number) = (0, 1);
    loop {
        line.clear();
        let mut used = (&mut reader).take(KEPT_BYTES as u64).read_until(b'\n', &mut line)?;
        if used == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else {
            used += reader.skip_until(b'\n')?;
        }
        give_line(&line, start, number, take)?;
        (start, number) = (start + used as u64, number + 1);
    }
}

fn give_line(line: &[u8], start: u64, number: usize, take: &mut TakeLine<'_>) -> io::Result<()> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match line.strip_prefix(b"\xef\xbb\xbf") {
        Some(line) if number == 1 => take(line, start + 3, number),
        _ => take(line, start, number),
    }
}
