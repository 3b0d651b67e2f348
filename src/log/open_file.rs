//! An open log file: whole lines are appended, and nothing else is left in it, as far as the disk allows.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::console::write_fully;
use crate::limits;

pub struct OpenFile {
    file: File,
    /// Without symbolic links, so that rotation moves the file and not a link to it.
    pub path: PathBuf,
    pub length: u64,
    /// The last line has no end: the power went while it was written.
    is_mid_line: bool,
}

impl OpenFile {
    /// Opens the file at `path`, or makes one.
    pub fn open(path: &Path) -> io::Result<OpenFile> {
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(not_a_file());
        }
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let length = file.metadata()?.len();
        let mut last = [b'\n'];
        if let Some(at) = length.checked_sub(1) {
            // Where it may be written but not read, the last line is believed to be whole.
            let _ = File::open(path).and_then(|file| file.read_exact_at(&mut last, at));
        }
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Ok(OpenFile { file, path, length, is_mid_line: last != [b'\n'] })
    }

    /// Whether it is the file at `path` and not one that was moved away or removed; if so, learns its length anew: somebody may
    /// have emptied it.
    pub fn is_still_at(&mut self, path: &Path) -> bool {
        let (Ok(ours), Ok(there)) = (self.file.metadata(), fs::metadata(path)) else { return false };
        self.length = ours.len();
        (ours.dev(), ours.ino()) == (there.dev(), there.ino())
    }

    /// Appends whole lines and counts them in `written`; on a full disk those for which there is room.
    pub fn append(&mut self, lines: &str, written: &mut usize) -> io::Result<()> {
        if self.is_mid_line {
            write_fully(&mut self.file, b"\n").1?;
            self.length += 1;
            self.is_mid_line = false;
        }
        let (taken, result) = write_fully(&mut self.file, lines.as_bytes());
        let taken = lines.as_bytes().get(..taken).unwrap_or_default();
        let whole = taken.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        *written += taken.iter().filter(|byte| **byte == b'\n').count();
        self.length += whole as u64;
        if result.is_err() {
            // No half line stays. Where it must, the next opening finds and ends it.
            let _ = self.file.set_len(self.length);
        }
        result
    }

    /// Fails on a full disk, also where its last block has room for a line: it appends more than a block and takes it back.
    pub fn find_room(&mut self) -> io::Result<()> {
        // Not an array: that would be a constant, and the program longer by it.
        let (_, result) = write_fully(&mut self.file, &vec![b'\n'; limits::LOG_PROBE]);
        self.file.set_len(self.length)?;
        result
    }

    /// Empties the file.
    pub fn start_over(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        (self.length, self.is_mid_line) = (0, false);
        Ok(())
    }
}

/// A pipe or a device would block, or grow without a limit.
fn not_a_file() -> io::Error {
    io::Error::other("not a file")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_full_disk_has_no_room_although_its_last_block_has() {
        let folder = std::env::temp_dir().join(format!("susv-full-disk-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&folder).status();
        if mount.is_ok_and(|status| status.success()) {
            let outcome = std::panic::catch_unwind(|| {
                let mut file = OpenFile::open(&folder.join("susv.log")).expect("a file");
                let mut written = 0;
                file.append("first\n", &mut written).expect("room");
                let _ = fs::write(folder.join("ballast"), vec![0; 128 * 1024]);
                for _ in 0..3 {
                    assert!(file.find_room().is_err(), "full");
                }
                file.append("short\n", &mut written).expect("the block has room");
                let long = format!("{}\n", "x".repeat(999)).repeat(5);
                assert!(file.append(&long, &mut written).is_err());
                assert_eq!(written, 2 + 4, "those for which there is room");
                fs::remove_file(folder.join("ballast")).expect("removed");
                file.find_room().expect("room");
                file.append("last\n", &mut written).expect("room");
                let text = fs::read_to_string(&file.path).expect("the log");
                assert!(text.starts_with("first\nshort\nxxx") && text.ends_with("xxx\nlast\n"), "{text}");
                assert_eq!(text.lines().count(), written);
            });
            let _ = Command::new("umount").arg("-l").arg(&folder).status();
            outcome.expect("as described");
        } else {
            println!("not run: no right to mount a file system");
        }
        fs::remove_dir(folder).expect("removed");
    }
}
