//! What can be set.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::address_block::AddressBlock;
use crate::calendar::Date;
use crate::file::folder_of;
use crate::log;
use crate::problem::{Detail, Problem, Text};
use crate::sha256::Digest;

/// Which firmware to offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionChoice {
    /// This version.
    Fixed(Date),
    /// The newest date-named folder that holds both images.
    Latest,
}

/// All settings. Paths are relative to the working directory, or absolute: those of the file are relative to its folder.
#[derive(Debug)]
pub struct Settings {
    /// The file they came from.
    pub file: PathBuf,
    /// SHA-256 of the file, to tell whether anything changed.
    pub digest: Digest,
    /// TCP port; 0 lets the kernel choose.
    pub port: u16,
    /// Addresses to listen on; empty for all, IPv4 and IPv6.
    pub addresses: Vec<IpAddr>,
    /// Who may connect; empty for everyone.
    pub allow: Vec<AddressBlock>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<AddressBlock>,
    /// Whether a registrar that took a version is told of no update until it has had time to install it.
    pub hold_repeats: bool,
    /// Seconds a stop may take while downloads finish.
    pub stop_seconds: u32,
    /// What firmware URLs begin with, without a `/` at its end; `None`: what the client called us.
    pub base_url: Option<String>,
    /// The firmware to offer.
    pub version: VersionChoice,
    /// Text for the registrar's operator; `None`: `firmware <version>`.
    pub description: Option<String>,
    /// Registrars built before this date must update; 0 for none.
    pub critical_version: Date,
    /// Folder of the version folders.
    pub firmware_path: PathBuf,
    /// Licence file, or folder of licence files.
    pub licenses_path: PathBuf,
    /// Smallest firmware image in KiB that is offered; 0 for no limit.
    pub min_image_kb: u32,
    /// Largest firmware image in KiB: both are kept in memory.
    pub max_image_kb: u32,
    /// Connections served at a time.
    pub max_connections: usize,
    /// Whether each check, download and licence request is logged.
    pub log_requests: bool,
    /// The log file.
    pub log_file: log::FileSettings,
    /// Whether there is a status page.
    pub status_page: bool,
    /// The keys that are set, with their lines.
    pub(super) lines: Vec<(&'static str, usize)>,
}

impl Settings {
    /// What holds where a file says nothing.
    pub(super) fn defaults(file: &Path, digest: Digest) -> Settings {
        let folder = folder_of(file);
        Settings {
            file: file.to_owned(),
            digest,
            port: 8888,
            addresses: Vec::new(),
            allow: Vec::new(),
            proxies: Vec::new(),
            hold_repeats: true,
            stop_seconds: 90,
            base_url: None,
            version: VersionChoice::Latest,
            description: None,
            critical_version: 0,
            firmware_path: folder.join("firmware"),
            licenses_path: folder.join("licenses"),
            min_image_kb: 480,
            max_image_kb: 16_384,
            max_connections: 256,
            log_requests: true,
            log_file: log::FileSettings { path: PathBuf::new(), kb: 128, count: 10 },
            status_page: true,
            lines: Vec::new(),
        }
    }

    /// Whether a caller is let in.
    pub fn admits(&self, address: IpAddr) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|block| block.contains(address))
    }

    /// The line (from 1) in which a key is set; `None` if its default holds.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        self.lines.iter().find(|(name, _)| *name == key).map(|(_, line)| *line)
    }

    /// A problem with a setting, placed at its line if it has one.
    pub fn problem_of(&self, key: &str, text: &'static Text, details: Vec<Detail>) -> Problem {
        match self.line_of(key) {
            Some(line) => Problem::in_line(&self.file, line, text, details),
            None => Problem::with(&self.file, text, details),
        }
    }
}
