//! What is kept of each address, bounded.

use std::net::IpAddr;

use super::track::Track;
use crate::calendar::Date;
use crate::limits;

/// How a download stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// It is under way: all that is known to have arrived are so many bytes.
    Running,
    /// The client acknowledged the last byte.
    Complete,
    /// It ended before.
    Cut,
}

/// The last download of an image by an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastDownload {
    /// The image's version.
    pub version: Date,
    /// Bytes of the file that have arrived, counted from its start, so that a resumed download ends where the file does.
    pub acknowledged: u64,
    /// Size of the file.
    pub size: u64,
    /// The last time it moved.
    pub at: u32,
    /// How it stands.
    pub transfer: Transfer,
}

/// A folder whose name is later than the firmware in it, as a registrar shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mislabel {
    /// The folder.
    pub version: Date,
    /// What the registrar reported after it took that version.
    pub build_date: Date,
    /// Whether it took it and reported it as a driver.
    pub is_driver: bool,
    /// Whether the folder is offered now. If not, it holds nobody, but it may come back.
    pub is_offered: bool,
}

/// All that is known of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// IPv4 addresses as IPv4.
    pub address: IpAddr,
    /// The last check or download.
    pub seen_at: u32,
    /// What its build dates showed.
    pub tracks: Vec<Track>,
    /// Its last download of an image.
    pub download: Option<LastDownload>,
    /// Downloads cut in a row.
    pub cuts: u8,
    /// What it showed about a folder's name.
    pub mislabel: Option<Mislabel>,
    /// The version that was told of as that last, and whether a driver showed it.
    pub mislabel_told: Option<(Date, bool)>,
    /// The first time that a driver reported an older date than before: the date before, and the older one.
    pub step_back: Option<(Date, Date)>,
    /// What a driver reported last.
    pub driver_date: Option<Date>,
}

impl Known {
    fn new(address: IpAddr, now: u32) -> Known {
        Known {
            address,
            seen_at: now,
            tracks: Vec::new(),
            download: None,
            cuts: 0,
            mislabel: None,
            mislabel_told: None,
            step_back: None,
            driver_date: None,
        }
    }

    /// What it shows about the name of a folder that is offered.
    pub fn present_mislabel(&self) -> Option<Mislabel> {
        self.mislabel.filter(|mislabel| mislabel.is_offered)
    }

    /// What keeps a driver from being offered `chosen`. The very folder that was shown does so even while it is not yet known to be
    /// offered again: a catalog is in force a moment before its versions are told to the memory.
    pub fn find_holding_mislabel(&self, chosen: Date) -> Option<Mislabel> {
        let holds = |it: &Mislabel| it.is_driver && (chosen == it.version || it.is_offered && chosen < it.version);
        self.mislabel.filter(holds)
    }

    fn holds(&self) -> bool {
        self.mislabel.is_some() || self.tracks.iter().any(Track::holds)
    }

    /// The track of a build date.
    pub fn track(&self, build_date: Date) -> Option<&Track> {
        self.tracks.iter().find(|track| track.build_date == build_date)
    }

    /// The same, to be changed.
    pub fn track_mut(&mut self, build_date: Date) -> Option<&mut Track> {
        self.tracks.iter_mut().find(|track| track.build_date == build_date)
    }

    /// The build date that was offered a version last; for a Java client a driver's, whoever else has asked since.
    pub fn find_offered(&self, version: Date, is_java: bool) -> Option<&Track> {
        let offered = self.tracks.iter().filter(|track| track.offered.is_some_and(|(offered, _)| offered == version));
        offered.max_by_key(|track| (is_java && track.is_driver, track.offered.map(|(_, at)| at)))
    }

    /// The track of a build date, made if there is none: then another one may have to go.
    fn track_or_new(&mut self, build_date: Date, now: u32) -> Option<&mut Track> {
        let place = self.tracks.iter().position(|track| track.build_date == build_date);
        let place = place.unwrap_or_else(|| {
            let full = self.tracks.len() >= limits::DATES_PER_ADDRESS;
            let oldest = self.tracks.iter().enumerate().min_by_key(|(_, track)| (track.holds(), track.seen_at));
            if let Some((oldest, _)) = oldest.filter(|_| full) {
                self.tracks.remove(oldest);
            }
            // One more, and not twice as many: most addresses have one date.
            self.tracks.reserve_exact(1);
            self.tracks.push(Track::new(build_date, now));
            self.tracks.len() - 1
        });
        self.tracks.get_mut(place)
    }
}

/// All addresses, and what belongs to none.
#[derive(Debug, Default)]
pub struct Memory {
    /// Sorted by address.
    known: Vec<Known>,
    /// Build dates of all addresses together.
    dates: usize,
    /// Versions that some driver took and then reported: their folders are named rightly.
    proven: Vec<Date>,
    /// The versions that are offered, once that is known.
    offered: Option<Vec<Date>>,
    /// Who passed on an `X-Forwarded-For` that was not believed, and when last.
    pub stranger: Option<(IpAddr, u32)>,
    /// Which proxy passed a check on without saying whose it is, and when last.
    pub silent_proxy: Option<(IpAddr, u32)>,
    /// Who checked as Java without the driver's field, and when last.
    pub without_field: Option<(IpAddr, u32)>,
}

impl Memory {
    fn place(&self, address: IpAddr) -> Result<usize, usize> {
        self.known.binary_search_by(|known| known.address.cmp(&address))
    }

    /// All of them, sorted by address.
    pub fn all(&self) -> &[Known] {
        &self.known
    }

    /// An address; `None` if it is not known.
    pub fn find(&self, address: IpAddr) -> Option<&Known> {
        self.place(address).ok().and_then(|place| self.known.get(place))
    }

    /// An address, to be changed; `None` if it is not known.
    pub fn find_mut(&mut self, address: IpAddr) -> Option<&mut Known> {
        self.place(address).ok().and_then(|place| self.known.get_mut(place))
    }

    /// Whether an address has checked so often at least.
    pub fn has_checked(&self, address: IpAddr, times: u32) -> bool {
        self.find(address)
            .is_some_and(|known| known.tracks.iter().fold(0, |sum: u32, track| sum.saturating_add(track.checks)) >= times)
    }

    /// Other versions are offered.
    pub fn set_offered(&mut self, versions: Vec<Date>) {
        for mislabel in self.known.iter_mut().filter_map(|known| known.mislabel.as_mut()) {
            mislabel.is_offered = versions.contains(&mislabel.version);
        }
        self.offered = Some(versions);
    }

    /// Whether a version is offered, as far as it is known.
    pub fn is_offered(&self, version: Date) -> bool {
        self.offered.as_ref().is_none_or(|offered| offered.contains(&version))
    }

    /// Whether a version's folder is known to be named rightly.
    pub fn is_proven(&self, version: Date) -> bool {
        self.proven.contains(&version)
    }

    /// A version's folder is named rightly: whatever was concluded before is forgotten.
    pub fn prove(&mut self, version: Date) {
        if self.is_proven(version) {
            return;
        }
        if self.proven.len() >= limits::PROVEN_VERSIONS {
            self.proven.remove(0);
        }
        self.proven.push(version);
        for known in &mut self.known {
            known.mislabel = known.mislabel.filter(|mislabel| mislabel.version != version);
        }
    }

    /// Makes room for others than `kept`: who holds nothing goes first, then who was seen longest ago. Several at a time, since
    /// all have to be looked at: one for each newcomer would be work for an attacker to give us.
    fn forget_some(&mut self, kept: IpAddr) {
        let value = |known: &Known| (known.address == kept, known.holds(), known.seen_at);
        let mut values: Vec<_> = self.known.iter().map(value).collect();
        let count = limits::FORGOTTEN_AT_ONCE.min(values.len().saturating_sub(1));
        values.sort_unstable();
        let Some(&first_kept) = values.get(count) else { return };
        let mut left = count;
        self.known.retain(|known| {
            let goes = left > 0 && value(known) <= first_kept && known.address != kept;
            left -= usize::from(goes);
            !goes
        });
        self.dates = self.known.iter().map(|known| known.tracks.len()).sum();
    }

    /// The address, seen now with a build date.
    pub fn note_check(&mut self, address: IpAddr, build_date: Date, now: u32) -> Option<&mut Known> {
        let found = self.place(address).ok();
        let has_date = found.and_then(|place| self.known.get(place)).is_some_and(|known| known.track(build_date).is_some());
        if (found.is_none() && self.known.len() >= limits::REGISTRARS) || (!has_date && self.dates >= limits::DATES) {
            self.forget_some(address);
        }
        let place = self.place(address).unwrap_or_else(|place| {
            self.known.insert(place, Known::new(address, now));
            place
        });
        let known = self.known.get_mut(place)?;
        known.seen_at = now;
        let before = known.tracks.len();
        known.track_or_new(build_date, now)?.note_check(now);
        self.dates = self.dates + known.tracks.len() - before;
        Some(known)
    }
}
