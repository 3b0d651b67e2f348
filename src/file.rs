//! Files and paths. Small files are read whole, bounded: whatever stands at a path may be of any size.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use crate::stamp::Stamp;
use crate::sys;

/// The folder of a file as it is written; empty for a file in the working directory.
pub fn folder_of(file: &Path) -> &Path {
    let bytes = file.as_os_str().as_bytes();
    let end = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash.max(1));
    Path::new(OsStr::from_bytes(&bytes[..end]))
}

/// Whether `path` is `folder` or lies below it. Both must be canonical.
pub fn is_below(path: &Path, folder: &Path) -> bool {
    let rest = path.as_os_str().as_bytes().strip_prefix(folder.as_os_str().as_bytes());
    // The root's path ends with the slash.
    rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || folder.as_os_str() == "/")
}

/// Whether a file's name ends with `extension` (with its dot; in any case) and is not that alone, which is a hidden file.
pub fn has_extension(path: &Path, extension: &[u8]) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let stem = name.len().checked_sub(extension.len()).filter(|stem| *stem > 0);
    stem.is_some_and(|stem| name[stem..].eq_ignore_ascii_case(extension))
}

/// Opens a regular file, with its state at that moment. Never waits for the other end of a pipe, whatever is put in the file's
/// place meanwhile.
pub fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    let not_a_file = || io::Error::other("not a file");
    // Before the open, which has effects on some devices.
    if !fs::metadata(path)?.is_file() {
        return Err(not_a_file());
    }
    let file = OpenOptions::new().read(true).custom_flags(sys::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(not_a_file()) }
}

/// Why a file could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// A link leads out of the folder.
    Outside,
    /// A folder, a pipe, a device.
    NotAFile,
    /// The system's reason.
    System(io::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> OpenError {
        OpenError::System(error)
    }
}

/// A file that was opened below a folder.
pub struct OpenedFile {
    /// Opened for reading.
    pub file: File,
    /// What it looked like then.
    pub metadata: Metadata,
    /// Where it is below the folder, without links.
    pub place: PathBuf,
}

/// Opens the regular file at `path`, which is relative to `folder`. Links are followed as long as they stay in it, and
/// what is opened is what was looked at: no link that is swapped in meanwhile leads out. Never waits, whatever stands there.
pub fn open_below(folder: &Path, path: &Path) -> Result<OpenedFile, OpenError> {
    // Mostly there is no link, and nothing to resolve.
    let is_plain = path.components().all(|component| matches!(component, Component::Normal(_)));
    if is_plain && let Ok(opened) = open_without_links(folder, path) {
        return Ok(opened);
    }
    let folder = fs::canonicalize(folder)?;
    let resolved = fs::canonicalize(folder.join(path))?;
    let Ok(place) = resolved.strip_prefix(&folder) else { return Err(OpenError::Outside) };
    open_without_links(&folder, place)
}

/// Opens the regular file at `place` below `folder`, if no link is on the way.
fn open_without_links(folder: &Path, place: &Path) -> Result<OpenedFile, OpenError> {
    // Before the open, which has effects on some devices.
    if !fs::symlink_metadata(folder.join(place))?.is_file() {
        return Err(OpenError::NotAFile);
    }
    let root = OpenOptions::new().read(true).custom_flags(sys::OPEN_FOLDER).open(folder)?;
    let file = sys::open_beneath(root, place.iter())?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(OpenError::NotAFile);
    }
    Ok(OpenedFile { file, metadata, place: place.to_owned() })
}

/// The content of a regular file of at most `limit` bytes.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let (file, _) = open_regular(path)?;
    read_start(&file, limit + 1).and_then(|bytes| {
        if bytes.len() as u64 <= limit { Ok(bytes) } else { Err(io::Error::other(format!("longer than {} KiB", limit / 1024))) }
    })
}

/// Like `read_bounded`, with the file's stamp: `None` if it changed while it was read.
pub fn read_stamped(path: &Path, limit: u64) -> io::Result<(Vec<u8>, Option<Stamp>)> {
    let before = Stamp::from(&fs::metadata(path)?);
    let bytes = read_bounded(path, limit)?;
    let after = Stamp::from(&fs::metadata(path)?);
    Ok((bytes, (before == after).then_some(after)))
}

/// The first `length` bytes of an open file, or all of it if it has less.
pub fn read_start(file: &File, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_those_of_the_path_as_written() {
        for (file, folder) in
            [("config.ini", ""), ("a/b", "a"), ("/a/b/c", "/a/b"), ("/a", "/"), ("./a", "."), ("a//b", "a/"), ("", "")]
        {
            assert_eq!(folder_of(Path::new(file)).as_os_str(), folder, "{file}");
        }
    }

    #[test]
    fn only_whole_names_count_as_below() {
        for (path, folder, expected) in [
            ("/srv/fw/a", "/srv/fw", true),
            ("/srv/fw", "/srv/fw", true),
            ("/srv/fw2/a", "/srv/fw", false),
            ("/srv", "/srv/fw", false),
            ("/a", "/", true),
            ("/", "/", true),
        ] {
            assert_eq!(is_below(Path::new(path), Path::new(folder)), expected, "{path} below {folder}");
        }
    }
}
