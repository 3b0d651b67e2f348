//! What is seen of a registrar: its checks and its downloads.

use std::net::IpAddr;

use crate::calendar::Date;
use crate::http::forwarded::Way;

/// A valid check for firmware.
#[derive(Debug, Clone)]
pub struct Check {
    /// Who asks: behind a proxy that is named in `proxies`, the one before it.
    pub caller: IpAddr,
    /// Whether its `User-Agent` holds `Java/`.
    pub is_java: bool,
    /// Whether it has the driver's request field `build_date`. With `is_java`, it is the driver's check.
    pub has_field: bool,
    /// How it came. By a proxy that is not named it may be anybody's, and is not held.
    pub way: Way,
    /// The date that it reports.
    pub build_date: Date,
    /// The version to offer it, newer than its date; `None`: it is told "no update".
    pub chosen: Option<Date>,
    /// The setting `hold_repeats`.
    pub hold_repeats: bool,
}

impl Check {
    /// Whether it is the driver's.
    pub fn is_driver(&self) -> bool {
        self.is_java && self.has_field
    }
}

/// An offer to the driver, for its connection to remember: on it the download is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferedHere {
    /// Who was offered it; a proxy's connection may serve several.
    pub caller: IpAddr,
    /// The date it reported.
    pub build_date: Date,
    /// What it was offered.
    pub version: Date,
}

/// A download that is about to be sent, up to the end of its file.
#[derive(Debug, Clone, Copy)]
pub struct DownloadStart {
    /// Who loads it.
    pub caller: IpAddr,
    /// Whether its `User-Agent` holds `Java/`.
    pub is_java: bool,
    /// The last offer on its connection.
    pub offered_here: Option<OfferedHere>,
    /// The version, if it is an image.
    pub version: Option<Date>,
    /// First byte that is sent; a registrar that took a file whole started at 0.
    pub start: u64,
    /// Size of the file.
    pub size: u64,
}
