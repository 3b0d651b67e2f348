//! Noticing change: a fingerprint of everything a catalog was loaded from, cheap enough to be taken every two seconds.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Catalog;
use super::firmware::{self, IMAGE_NAMES, SUMS_NAME};
use super::licenses;
use super::stamp::Stamp;
use crate::calendar::Date;
use crate::config::{Settings, VersionChoice};
use crate::sha256::{self, Digest};

/// Stands for paths and states of files. Equal fingerprints: nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(Digest);

impl Fingerprint {
    /// Looks at the configuration file, the licence files and the firmware folder that `settings` name. With `latest`, folders
    /// older than the `offered` version cannot be taken and are not looked at.
    pub fn take(settings: &Settings, offered: Option<Date>) -> Fingerprint {
        let mut picture = Vec::with_capacity(4096);
        add(&mut picture, &settings.file, Stamp::of(&settings.file));
        add(&mut picture, &settings.licenses_path, Stamp::of(&settings.licenses_path));
        for (path, stamp) in licenses::find_files(&settings.licenses_path) {
            add(&mut picture, &path, Some(stamp));
        }
        let versions = match settings.version {
            VersionChoice::Fixed(version) => vec![version],
            VersionChoice::Latest => firmware::find_versions(&settings.firmware_path, &mut Vec::new()),
        };
        for version in versions.into_iter().filter(|version| offered.is_none_or(|offered| *version >= offered)) {
            let folder = settings.firmware_path.join(version.to_string());
            for name in IMAGE_NAMES.into_iter().chain([SUMS_NAME]) {
                let path = folder.join(name);
                add(&mut picture, &path, Stamp::of(&path));
            }
        }
        Fingerprint(sha256::hash(&picture))
    }

    /// What the files of a catalog look like now.
    pub fn of(catalog: &Catalog) -> Fingerprint {
        let is_latest = catalog.settings.version == VersionChoice::Latest;
        Fingerprint::take(&catalog.settings, catalog.offer.as_ref().filter(|_| is_latest).map(|offer| offer.version))
    }
}

fn add(picture: &mut Vec<u8>, path: &Path, stamp: Option<Stamp>) {
    picture.extend_from_slice(path.as_os_str().as_bytes());
    picture.push(0);
    if let Some(stamp) = stamp {
        picture.extend_from_slice(&stamp.to_bytes());
    }
    picture.push(0);
}
