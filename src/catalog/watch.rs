//! Noticing change: a fingerprint of everything a catalog was loaded from, cheap enough to be taken every two seconds.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use super::Catalog;
use super::firmware::{self, IMAGE_NAMES, SUMS_NAME};
use super::licenses;
use super::stamp::Stamp;
use crate::calendar::Date;
use crate::config::{Settings, VersionChoice};

/// Stands for paths and states of files. Equal fingerprints: nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Looks at the configuration file, the licence files and the firmware folder that `settings` name. With `latest`, folders
    /// older than the `offered` version cannot be taken and are not looked at.
    pub fn take(settings: &Settings, offered: Option<Date>) -> Fingerprint {
        let mut fingerprint = Fingerprint(0);
        fingerprint.add(&settings.file);
        fingerprint.add(&settings.licenses_path);
        for path in licenses::find_files(&settings.licenses_path, &mut Vec::new()) {
            fingerprint.add(&path);
        }
        match settings.version {
            VersionChoice::Fixed(version) => fingerprint.add_version(settings, version),
            VersionChoice::Latest => {
                let oldest = offered.unwrap_or(0);
                let versions = firmware::find_versions(&settings.firmware_path, &mut Vec::new());
                versions
                    .into_iter()
                    .filter(|version| *version >= oldest)
                    .for_each(|version| fingerprint.add_version(settings, version));
            }
        }
        fingerprint
    }

    /// What the files of a catalog look like now.
    pub fn of(catalog: &Catalog) -> Fingerprint {
        Fingerprint::take(&catalog.settings, catalog.offer.as_ref().map(|offer| offer.version))
    }

    fn add_version(&mut self, settings: &Settings, version: Date) {
        let folder = settings.firmware_path.join(version.to_string());
        for name in IMAGE_NAMES.into_iter().chain([SUMS_NAME]) {
            self.add(&folder.join(name));
        }
    }

    /// The order of the files does not matter: folders list theirs in any.
    fn add(&mut self, path: &Path) {
        let mut hasher = DefaultHasher::new();
        (path, Stamp::of(path)).hash(&mut hasher);
        self.0 = self.0.wrapping_add(hasher.finish());
    }
}
