//! A firmware image in memory. Downloads of what is offered come from here, so that whatever happens to the files cannot change a
//! download under way.

use std::io::{self, Read};
use std::path::Path;

use super::version_folder::IMAGE_NAMES;
use crate::calendar::Date;
use crate::file::{OpenError, open_below};
use crate::sha256::{self, Digest};
use crate::stamp::Stamp;
use crate::text::to_hex;

/// An image that was found fit to be offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FitImage {
    /// One of `IMAGE_NAMES`.
    pub name: &'static str,
    /// The file's state when it was judged.
    pub stamp: Stamp,
    /// Its SHA-256.
    pub digest: Digest,
    /// Seconds since 1970 for `Last-Modified`: never the same for different bytes while the program runs.
    pub modified: u64,
}

impl FitImage {
    /// A strong entity tag made of the digest: a resumed download never mixes two builds.
    pub fn entity_tag(&self) -> String {
        format!("\"{}\"", to_hex(&self.digest))
    }

    /// Reads it. `None` if the file is not what was judged any more.
    pub fn load(&self, root: &Path, version: Date) -> io::Result<Option<Image>> {
        let path = Path::new(&folder_name(version)).join(self.name);
        let opened = match open_below(root, &path) {
            Ok(opened) => opened,
            Err(OpenError::System(error)) => return Err(error),
            Err(OpenError::Outside | OpenError::NotAFile) => return Ok(None),
        };
        let mut bytes = Vec::new();
        let length = usize::try_from(self.stamp.length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        // Exactly sized, so that reading does not grow it: an image is in memory once.
        bytes.try_reserve_exact(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        opened.file.take(self.stamp.length).read_to_end(&mut bytes)?;
        let is_same = bytes.len() == length && sha256::hash(&bytes) == self.digest;
        Ok(is_same.then(|| Image {
            name: self.name,
            bytes,
            digest: self.digest,
            entity_tag: self.entity_tag(),
            modified: self.modified,
        }))
    }
}

/// A firmware image in memory.
#[derive(Debug)]
pub struct Image {
    /// One of `IMAGE_NAMES`.
    pub name: &'static str,
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Its SHA-256.
    pub digest: Digest,
    /// A strong entity tag with its quotes.
    pub entity_tag: String,
    /// Seconds since 1970 for `Last-Modified`.
    pub modified: u64,
}

/// The name of a version's folder: eight digits. 0 is no version and has one.
pub fn folder_name(version: Date) -> String {
    let digits = version.to_string();
    // A date before the year 1000 is one, too.
    if version == 0 || digits.len() == 8 { digits } else { format!("{digits:0>8}") }
}

/// Version and name, if `path` below the firmware folder is where an image of a version stands.
pub fn split_image_path(path: &str) -> Option<(Date, &str)> {
    let (folder, name) = path.split_once('/')?;
    let version = crate::calendar::parse_version(folder)?;
    IMAGE_NAMES.contains(&name).then_some((version, name))
}

/// Whether a version's image may stand at `path` below the firmware folder under a name that is not its own: file systems of sticks
/// find `upd_app.bin` as `UPD_APP.BIN` and as `upd_app.bin.` too.
pub fn is_nearly_image_path(path: &str) -> bool {
    let Some((folder, name)) = path.split_once('/') else { return false };
    let [folder, proper] = [folder, name].map(|part| part.trim_end_matches(['.', ' ']));
    let is_image = IMAGE_NAMES.iter().any(|image| image.eq_ignore_ascii_case(proper));
    is_image && crate::calendar::parse_version(folder).is_some() && split_image_path(path).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_their_names_and_suspected_by_others() {
        for (path, is_image, is_nearly) in [
            ("20260301/upd_app.bin", true, false),
            ("20260301/upd_app_for_old_frs.bin", true, false),
            ("20260301/UPD_APP.BIN", false, true),
            ("20260301/Upd_app_for_old_FRs.bin", false, true),
            ("20260301/upd_app.bin.", false, true),
            ("20260301/upd_app.bin. .", false, true),
            ("20260301./upd_app.bin", false, true),
            ("20260301 /UPD_APP.bin", false, true),
            ("20260301/upd_app.bin.old", false, false),
            ("20260301/SHA256SUMS", false, false),
            ("20260301/old/UPD_APP.BIN", false, false),
            ("20261301/UPD_APP.BIN", false, false),
            ("UPD_APP.BIN", false, false),
            ("tools/UPD_APP.BIN", false, false),
        ] {
            assert_eq!((split_image_path(path).is_some(), is_nearly_image_path(path)), (is_image, is_nearly), "{path}");
        }
    }
}
