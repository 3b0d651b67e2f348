//! Files and paths. Small files are read whole, bounded: whatever stands at a path may be of any size. Paths are taken as bytes:
//! std's walk over their components is 3 KB of program.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

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

/// The content of a regular file of at most `limit` bytes.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Before the open: opening a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    read_start(&File::open(path)?, limit + 1).and_then(|bytes| {
        if bytes.len() as u64 <= limit { Ok(bytes) } else { Err(io::Error::other(format!("longer than {} KiB", limit / 1024))) }
    })
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
