//! File stamps: how we notice that a file is not what it was.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::sha256;
use crate::sys;
use crate::text::to_hex;

/// What tells two states of a file apart without reading it. Compared for difference only, never for age: gateways have no
/// clock. The change time catches what keeps length and modification time (`cp -p` over a file, `chmod`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    /// Length in bytes.
    pub length: u64,
    /// Seconds and nanoseconds.
    modified: [i64; 2],
    changed: [i64; 2],
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Stamp {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: [metadata.mtime(), metadata.mtime_nsec()],
            changed: [metadata.ctime(), metadata.ctime_nsec()],
        }
    }
}

impl Stamp {
    /// The state of what stands at `path`, links followed; `None` if nothing can be seen there.
    pub fn of(path: &Path) -> Option<Stamp> {
        fs::metadata(path).ok().map(|metadata| Stamp::from(&metadata))
    }

    /// The same. An error only if descriptors or memory have run out, so that nothing is known.
    pub fn look(path: &Path) -> io::Result<Option<Stamp>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Stamp::from(&metadata))),
            Err(error) if sys::is_out_of_resources(&error) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Whether it is of the file that `metadata` describes, in whatever state.
    pub fn is_of_file(&self, metadata: &Metadata) -> bool {
        (self.device, self.inode) == (metadata.dev(), metadata.ino())
    }

    /// All of it, for a digest.
    pub fn to_bytes(self) -> [u8; 56] {
        let [modified, modified_nanos] = self.modified.map(i64::cast_unsigned);
        let [changed, changed_nanos] = self.changed.map(i64::cast_unsigned);
        let mut bytes = [0; 56];
        let numbers = [self.device, self.inode, self.length, modified, modified_nanos, changed, changed_nanos];
        for (target, number) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
            *target = number.to_le_bytes();
        }
        bytes
    }

    /// A strong entity tag for a file served from disk.
    pub fn entity_tag(&self) -> String {
        format!("\"{}\"", to_hex(&sha256::hash(&self.to_bytes())[..16]))
    }
}

/// Modification time in seconds since 1970; 0 for anything earlier or unknown.
pub fn modified_seconds(metadata: &Metadata) -> u64 {
    let time = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    time.duration_since(UNIX_EPOCH).map_or(0, |duration| duration.as_secs())
}
