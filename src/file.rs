//! Reading small files whole, bounded: whatever stands at a path may be of any size.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

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
