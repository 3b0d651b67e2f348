//! The log file: rotated by size, so that it never fills a router's flash. Whatever becomes of its disk, the lines go on.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use super::line::{Level, Line};
use super::open_file::OpenFile;
use super::rotation::rotate;
use crate::limits;
use crate::problem::{Problem, service as texts};

/// Where the log file is, and how much of it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSettings {
    /// The file; empty for none. Older ones are called `PATH.1`, `PATH.2` and so on.
    pub path: PathBuf,
    /// No file grows above so many KiB.
    pub kb: u32,
    /// Files kept in all.
    pub count: u32,
}

/// The file being written.
#[derive(Default)]
pub struct LogFile {
    settings: FileSettings,
    file: Option<OpenFile>,
    /// Why the last attempt to write failed.
    failure: Option<io::Error>,
    /// Lines that are missing in the file since then.
    missing: u32,
    /// Why the last attempt to rotate failed.
    rotation_failure: Option<io::Error>,
    /// What failed is not tried again before this.
    retry_at: Option<Instant>,
}

impl LogFile {
    /// Takes these settings; the file is opened when there is something to write.
    pub fn use_settings(&mut self, settings: FileSettings) {
        if settings != self.settings {
            *self = LogFile { settings, ..LogFile::default() };
        }
        self.retry_at = None;
    }

    /// Why lines are missing in it, or older lines cannot be kept apart.
    pub fn trouble(&self) -> Option<Problem> {
        let (text, details) = match (&self.failure, &self.rotation_failure) {
            (Some(error), _) => (&texts::LOG_UNWRITABLE, vec![error.into(), self.missing.into()]),
            (None, Some(error)) => {
                let kb = u64::from(self.settings.kb) * u64::from(self.settings.count);
                (&texts::LOG_UNROTATED, vec![error.into(), kb.into()])
            }
            (None, None) => return None,
        };
        Some(Problem::with(&self.settings.path, text, details))
    }

    /// Writes lines; those that would grow the file above its limit go into a fresh one. Returns how many of them are in the
    /// file, the first ones; the others are counted as missing. Without lines it tries what failed before.
    pub fn write(&mut self, lines: &[Line], now: Instant) -> usize {
        if self.settings.path.as_os_str().is_empty() {
            return 0;
        }
        let mut written = 0;
        if (self.failure.is_none() || self.may_retry(now))
            && let Err(error) = self.try_write(lines, &mut written, now)
        {
            (self.file, self.failure) = (None, Some(error));
            self.retry_at = now.checked_add(limits::LOG_RETRY);
        }
        let missing = u32::try_from(lines.len().saturating_sub(written)).unwrap_or(u32::MAX);
        self.missing = self.missing.saturating_add(missing);
        written
    }

    fn may_retry(&self, now: Instant) -> bool {
        self.retry_at.is_none_or(|at| now >= at)
    }

    fn try_write(&mut self, lines: &[Line], written: &mut usize, now: Instant) -> io::Result<()> {
        self.open()?;
        if self.failure.is_some() {
            self.resume()?;
        }
        if self.rotation_failure.is_some() && self.may_retry(now) {
            self.rotate(now)?;
        }
        let limit = u64::from(self.settings.kb) * 1024;
        let (mut batch, mut text) = (String::new(), String::new());
        for line in lines {
            text.clear();
            line.append_to(&mut text, true);
            let present = self.file.as_ref().map_or(0, |file| file.length) + batch.len() as u64;
            if present > 0 && present + text.len() as u64 > limit {
                self.append(&std::mem::take(&mut batch), written)?;
                self.rotate(now)?;
            }
            batch.push_str(&text);
        }
        self.append(&batch, written)
    }

    /// Opens the file, and again if somebody moved or removed it.
    fn open(&mut self) -> io::Result<()> {
        let path = &self.settings.path;
        if self.file.as_mut().is_none_or(|file| !file.is_still_at(path)) {
            self.file = Some(OpenFile::open(path)?);
        }
        Ok(())
    }

    /// After a failure: makes sure that there is room again, and tells what is missing.
    fn resume(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.find_room()?;
        }
        let mut text = String::new();
        let missing = self.missing;
        Line::new(Level::Warning, format!("event=log_file_resumed lines_missing={missing}")).append_to(&mut text, true);
        self.append(&text, &mut 0)?;
        (self.failure, self.missing) = (None, 0);
        Ok(())
    }

    fn append(&mut self, lines: &str, written: &mut usize) -> io::Result<()> {
        match &mut self.file {
            Some(file) if !lines.is_empty() => file.append(lines, written),
            _ => Ok(()),
        }
    }

    /// Begins a fresh file. Where the old one cannot be moved away, it may grow to the size of all files together before it
    /// starts over: so lines are kept as long as otherwise, and the disk is not filled.
    fn rotate(&mut self, now: Instant) -> io::Result<()> {
        let may_try = self.rotation_failure.is_none() || self.may_retry(now);
        let Some(file) = &mut self.file else { return Ok(()) };
        let FileSettings { kb, count, .. } = self.settings;
        if count > 1 && may_try {
            match rotate(&file.path, count) {
                Ok(()) => {
                    (self.file, self.rotation_failure) = (None, None);
                    return self.open();
                }
                Err(error) => {
                    self.rotation_failure = Some(error);
                    self.retry_at = now.checked_add(limits::LOG_RETRY);
                }
            }
        }
        if count == 1 || file.length >= u64::from(kb) * 1024 * u64::from(count) {
            file.start_over()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Language;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    /// A folder of its own for each test.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("susv-log-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    fn open(path: PathBuf, kb: u32, count: u32) -> LogFile {
        let mut file = LogFile::default();
        file.use_settings(FileSettings { path, kb, count });
        file
    }

    fn lines(texts: &[&str]) -> Vec<Line> {
        texts.iter().map(|text| Line::new(Level::Request, (*text).to_owned())).collect()
    }

    /// A line of 1,000 bytes with its time.
    fn long(mark: &str) -> String {
        format!("{mark:x<978}")
    }

    /// The lines of a file without their times.
    fn read(path: &PathBuf) -> Vec<String> {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().map(|line| line.split_once("Z ").map_or(line, |(_, text)| text).trim_end_matches('x').to_owned()).collect()
    }

    /// What is wrong, in English; empty if nothing is.
    fn describe(file: &LogFile) -> String {
        file.trouble().map_or_else(String::new, |trouble| trouble.describe(Language::English))
    }

    #[test]
    fn files_are_rotated_before_they_grow_above_their_limit() {
        let folder = folder("rotation");
        let path = folder.join("susv.log");
        let mut file = open(path.clone(), 4, 3);
        for round in 0..5 {
            let texts = ["a", "b", "c"].map(|mark| long(&format!("{round}{mark}")));
            assert_eq!(file.write(&lines(&texts.each_ref().map(String::as_str)), Instant::now()), 3);
        }
        // 15 lines of which 4 fit a file: the oldest 4 are gone.
        let numbered = |number| folder.join(format!("susv.log.{number}"));
        assert_eq!(read(&path), ["4a", "4b", "4c"]);
        assert_eq!(read(&numbered(1)), ["2c", "3a", "3b", "3c"]);
        assert_eq!(read(&numbered(2)), ["1b", "1c", "2a", "2b"]);
        assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 3);
        assert!(fs::metadata(numbered(1)).expect("a file").len() <= 4096);
        assert_eq!(file.trouble(), None);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_single_file_starts_over_and_one_line_may_exceed_it() {
        let folder = folder("single");
        let path = folder.join("susv.log");
        let mut file = open(path.clone(), 4, 1);
        file.write(&lines(&[&"y".repeat(6000), "a", "b"]), Instant::now());
        assert_eq!(read(&path), ["a", "b"]);
        assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 1);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_file_or_folder_that_is_gone_is_noticed_and_comes_back() {
        let folder = folder("gone");
        let path = folder.join("below/susv.log");
        let mut file = open(path.clone(), 4, 3);
        let start = Instant::now();
        assert_eq!(file.write(&lines(&["1", "2"]), start), 0);
        assert!(describe(&file).contains("2 lines are missing"), "{}", describe(&file));
        fs::create_dir(folder.join("below")).expect("a folder");
        assert_eq!(file.write(&lines(&["3"]), start), 0, "not tried again at once");
        assert!(describe(&file).contains("3 lines are missing"), "{}", describe(&file));
        assert_eq!(file.write(&[], start + limits::LOG_RETRY), 0);
        assert_eq!(file.trouble(), None, "without a line too");
        file.write(&lines(&["4"]), start + limits::LOG_RETRY);
        assert_eq!(read(&path), ["event=log_file_resumed lines_missing=3", "4"]);
        fs::remove_file(&path).expect("removed");
        file.write(&lines(&["5"]), start);
        assert_eq!(read(&path), ["5"]);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_half_line_is_ended_before_the_next_one() {
        let folder = folder("half");
        let path = folder.join("susv.log");
        for (present, after) in [("", vec!["a"]), ("whole\n", vec!["whole", "a"]), ("whole\nha", vec!["whole", "ha", "a"])] {
            fs::write(&path, present).expect("a file");
            assert_eq!(open(path.clone(), 4, 3).write(&lines(&["a"]), Instant::now()), 1);
            assert_eq!(read(&path), after);
        }
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_link_stays_and_its_target_is_rotated() {
        let folder = folder("link");
        let (path, target) = (folder.join("susv.log"), folder.join("stick/real.log"));
        fs::create_dir(folder.join("stick")).expect("a folder");
        symlink(&target, &path).expect("a link");
        let mut file = open(path.clone(), 4, 3);
        for mark in ["a", "b", "c", "d", "e"] {
            file.write(&lines(&[&long(mark)]), Instant::now());
        }
        assert_eq!(fs::read_link(&path).expect("still a link"), target);
        assert_eq!(read(&target), ["e"]);
        assert_eq!(read(&folder.join("stick/real.log.1")), ["a", "b", "c", "d"]);
        assert_eq!((fs::read_dir(&folder).expect("the folder").count(), file.trouble()), (2, None));
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn where_it_cannot_be_rotated_it_goes_on_within_its_bounds_and_says_so() {
        let folder = folder("stuck");
        // `PATH.1` would be too long for a name: this fails for root as well.
        let path = folder.join("l".repeat(255));
        let mut file = open(path.clone(), 4, 3);
        let start = Instant::now();
        for number in 0..12 {
            assert_eq!(file.write(&lines(&[&long(&format!("{number}."))]), start), 1);
        }
        assert_eq!(read(&path).len(), 12);
        let trouble = describe(&file);
        assert!(trouble.contains("cannot be rotated") && trouble.contains("starts over at 12 KiB"), "{trouble}");
        file.write(&lines(&[&long("12."), &long("13.")]), start);
        assert_eq!(read(&path), ["13."]);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn it_is_rotated_as_soon_as_that_is_possible_again() {
        let folder = folder("unstuck");
        let path = folder.join("susv.log");
        fs::create_dir(folder.join("susv.log.1")).expect("a folder in the way");
        let mut file = open(path.clone(), 4, 2);
        let start = Instant::now();
        for mark in ["a", "b", "c", "d", "e"] {
            assert_eq!(file.write(&lines(&[&long(mark)]), start), 1);
        }
        assert!(describe(&file).contains("folders have the names"), "{}", describe(&file));
        fs::remove_dir(folder.join("susv.log.1")).expect("removed");
        file.write(&[], start + limits::LOG_RETRY - Duration::from_millis(1));
        assert!(file.trouble().is_some());
        file.write(&[], start + limits::LOG_RETRY);
        assert_eq!(file.trouble(), None);
        assert_eq!(read(&folder.join("susv.log.1")), ["a", "b", "c", "d", "e"]);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn the_same_settings_again_change_nothing_but_try_again() {
        let folder = folder("again");
        let path = folder.join("below/susv.log");
        let mut file = open(path.clone(), 4, 3);
        let start = Instant::now();
        file.write(&lines(&["1"]), start);
        file.use_settings(file.settings.clone());
        assert!(file.trouble().is_some());
        fs::create_dir(folder.join("below")).expect("a folder");
        file.write(&[], start);
        assert_eq!(file.trouble(), None);
        fs::remove_dir_all(folder).expect("removed");
    }
}
