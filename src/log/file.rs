//! The log file: rotated by size, so that it never fills a router's flash. Whatever becomes of its disk, the lines go on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Where the log file is, and how much of it is kept.
#[derive(Debug, Clone, Default)]
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
    file: Option<File>,
    length: u64,
    /// Lines for the file that are not written yet.
    batch: String,
    /// Why the last attempt failed.
    pub trouble: Option<String>,
    /// Lines that are missing in the file since then.
    pub missing: u32,
}

impl LogFile {
    /// Takes these settings; the file is opened when there is something to write.
    pub fn use_settings(&mut self, settings: FileSettings) {
        (self.settings, self.file) = (settings, None);
        if !self.is_wanted() {
            self.trouble = None;
        }
    }

    /// Whether there is one to be written.
    pub fn is_wanted(&self) -> bool {
        !self.settings.path.as_os_str().is_empty()
    }

    /// Writes whole lines; those that would grow the file above its limit go into a fresh one. A failure costs these lines and
    /// is kept in `trouble`.
    pub fn write(&mut self, lines: &[&str]) {
        let mut written = 0;
        match self.try_write(lines, &mut written) {
            Ok(()) => self.trouble = None,
            Err(error) => {
                self.file = None;
                self.missing = self.missing.saturating_add((lines.len() - written) as u32);
                self.trouble = Some(format!(
                    "the log file cannot be written ({error}), {} lines are missing in it: make room, or correct log_file",
                    self.missing
                ));
            }
        }
        self.batch.clear();
    }

    /// Counts in `written` the lines that are in the file for good.
    fn try_write(&mut self, lines: &[&str], written: &mut usize) -> io::Result<()> {
        let limit = u64::from(self.settings.kb) * 1024;
        self.open()?;
        for (index, line) in lines.iter().enumerate() {
            let length = self.length + (self.batch.len() + line.len()) as u64;
            if length > limit && length > line.len() as u64 {
                self.write_batch()?;
                *written = index;
                self.rotate()?;
            }
            self.batch.push_str(line);
        }
        self.write_batch()
    }

    /// Opens the file, and again if somebody moved or removed it.
    fn open(&mut self) -> io::Result<()> {
        let path = &self.settings.path;
        if let Some(file) = &self.file
            && let (Ok(ours), Ok(there)) = (file.metadata(), fs::metadata(path))
            && (ours.dev(), ours.ino()) == (there.dev(), there.ino())
        {
            self.length = ours.len();
            return Ok(());
        }
        // A pipe or a device would block, or grow without a limit.
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::other("not a file"));
        }
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        self.length = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    fn write_batch(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if let Err(error) = file.write_all(self.batch.as_bytes()) {
            // On a full disk no half line stays.
            let _ = file.set_len(self.length);
            return Err(error);
        }
        self.length += self.batch.len() as u64;
        self.batch.clear();
        Ok(())
    }

    /// `PATH` becomes `PATH.1`, that `PATH.2` and so on; the oldest is overwritten.
    fn rotate(&mut self) -> io::Result<()> {
        let path = &self.settings.path;
        let numbered = |number: u32| {
            let mut name = path.clone().into_os_string();
            if number > 0 {
                name.push(format!(".{number}"));
            }
            name
        };
        for number in (1..self.settings.count).rev() {
            match fs::rename(numbered(number - 1), numbered(number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.settings.count == 1 {
            fs::remove_file(path)?;
        }
        self.open()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("susv-log-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    #[test]
    fn files_are_rotated_before_they_grow_above_their_limit() {
        let folder = folder("rotation");
        let path = folder.join("susv.log");
        let mut file = LogFile::default();
        file.use_settings(FileSettings { path: path.clone(), kb: 4, count: 3 });
        let line = format!("{}\n", "x".repeat(999));
        for round in 0..5 {
            let lines = [format!("{round}{line}"), line.clone(), line.clone()];
            file.write(&lines.each_ref().map(String::as_str));
        }
        // 15 lines of which 4 fit a file: the oldest 8 are in the two that are kept beside the last 3.
        let lines = |name: &str| fs::read_to_string(folder.join(name)).map(|text| text.lines().count()).unwrap_or(0);
        assert_eq!((lines("susv.log"), lines("susv.log.1"), lines("susv.log.2")), (3, 4, 4));
        assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 3);
        assert_eq!((file.trouble, file.missing), (None, 0));
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_single_file_starts_over_and_one_line_may_exceed_it() {
        let folder = folder("single");
        let path = folder.join("susv.log");
        let mut file = LogFile::default();
        file.use_settings(FileSettings { path: path.clone(), kb: 4, count: 1 });
        let long = format!("{}\n", "y".repeat(6000));
        file.write(&[&long, "a\n", "b\n"]);
        assert_eq!(fs::read_to_string(&path).expect("the file"), "a\nb\n");
        assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 1);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_file_or_folder_that_is_gone_is_noticed_and_comes_back() {
        let folder = folder("gone");
        let path = folder.join("below/susv.log");
        let mut file = LogFile::default();
        file.use_settings(FileSettings { path: path.clone(), kb: 4, count: 3 });
        file.write(&["1\n", "2\n"]);
        assert!(file.trouble.as_ref().is_some_and(|text| text.contains("2 lines are missing")), "{:?}", file.trouble);
        fs::create_dir(folder.join("below")).expect("a folder");
        file.write(&["3\n"]);
        assert_eq!((&file.trouble, file.missing), (&None, 2));
        fs::remove_file(&path).expect("removed");
        file.write(&["4\n"]);
        assert_eq!(fs::read_to_string(&path).expect("a new file"), "4\n");
        fs::remove_dir_all(folder).expect("removed");
    }
}
