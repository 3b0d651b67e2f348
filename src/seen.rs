//! What happened since the start: registrars by address, and totals. In memory only; nothing is written to flash.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::calendar::Date;
use crate::limits;

/// How far a download came. Bytes count from the start of the file, so that a resumed one ends where the file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// All of it was handed to the kernel, and not all of it is acknowledged yet.
    Sent,
    /// The client acknowledged the last byte.
    Complete,
    /// It ended before, behind this many bytes.
    Cut(u64),
}

/// A registrar: an address that asked for firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registrar {
    /// Where it asked from; IPv4 callers as IPv4. Behind a proxy it is the proxy's.
    pub address: IpAddr,
    /// The build date it reported last.
    pub build_date: Date,
    /// Seconds from our start to the last time it was seen.
    pub seen_at: u32,
    /// Version and end of its last download of an image.
    pub download: Option<(Date, Transfer)>,
}

/// How often something happened since the start.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Valid checks for firmware.
    pub checks: u64,
    /// Checks that were answered with an offer.
    pub offers: u64,
    /// Downloads of which every byte was acknowledged.
    pub downloads_complete: u64,
    /// Downloads that ended before.
    pub downloads_cut: u64,
    /// Licences handed out.
    pub licenses_found: u64,
    /// Serial numbers there was no licence for.
    pub licenses_unknown: u64,
    /// Requests that were refused as wrong.
    pub refused: u64,
}

impl Totals {
    /// All of them with their names in `/status`, in the order of the page.
    pub fn named(&self) -> [(&'static str, u64); 7] {
        [
            ("checks", self.checks),
            ("updates_offered", self.offers),
            ("downloads_complete", self.downloads_complete),
            ("downloads_cut", self.downloads_cut),
            ("licenses_found", self.licenses_found),
            ("licenses_unknown", self.licenses_unknown),
            ("refused", self.refused),
        ]
    }
}

/// Something to remember.
#[derive(Debug, Clone, Copy)]
pub enum Sight {
    /// A check by a registrar of this build date, and whether it was offered an update.
    Check(Date, bool),
    /// A licence was asked for; whether there is one.
    License(bool),
    /// A file was sent, of the given version if it is an image.
    Download(Option<Date>, Transfer),
    /// A request was refused.
    Refused,
}

/// The memory. Its lock is held for a look into a sorted table, never during input or output.
#[derive(Default)]
pub struct Seen {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// Sorted by address.
    registrars: Vec<Registrar>,
    totals: Totals,
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what `address` did, `now` seconds after our start.
    pub fn note(&self, address: IpAddr, now: u32, sight: Sight) {
        let mut table = self.lock();
        let totals = &mut table.totals;
        let count = match sight {
            Sight::Check(_, offered) => {
                totals.offers += u64::from(offered);
                Some(&mut totals.checks)
            }
            Sight::License(true) => Some(&mut totals.licenses_found),
            Sight::License(false) => Some(&mut totals.licenses_unknown),
            Sight::Download(_, Transfer::Complete) => Some(&mut totals.downloads_complete),
            Sight::Download(_, Transfer::Cut(_)) => Some(&mut totals.downloads_cut),
            // Counted when its end is known.
            Sight::Download(_, Transfer::Sent) => None,
            Sight::Refused => Some(&mut totals.refused),
        };
        if let Some(count) = count {
            *count += 1;
        }
        match sight {
            Sight::Check(build_date, _) => table.note_check(address, now, build_date),
            Sight::Download(Some(version), transfer) => {
                if let Ok(found) = table.find(address) {
                    let registrar = &mut table.registrars[found];
                    (registrar.seen_at, registrar.download) = (now, Some((version, transfer)));
                }
            }
            _ => {}
        }
    }

    /// All registrars, sorted by address, and the totals.
    pub fn snapshot(&self) -> (Vec<Registrar>, Totals) {
        let table = self.lock();
        (table.registrars.clone(), table.totals.clone())
    }
}

impl Table {
    fn find(&self, address: IpAddr) -> Result<usize, usize> {
        self.registrars.binary_search_by(|registrar| registrar.address.cmp(&address))
    }

    fn note_check(&mut self, address: IpAddr, now: u32, build_date: Date) {
        let mut place = match self.find(address) {
            Ok(found) => {
                let registrar = &mut self.registrars[found];
                (registrar.seen_at, registrar.build_date) = (now, build_date);
                return;
            }
            Err(place) => place,
        };
        if self.registrars.len() >= limits::REGISTRARS {
            let oldest = self.registrars.iter().enumerate().min_by_key(|(_, registrar)| registrar.seen_at);
            let Some((oldest, _)) = oldest else { return };
            self.registrars.remove(oldest);
            place -= usize::from(oldest < place);
        }
        self.registrars.insert(place, Registrar { address, build_date, seen_at: now, download: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number))
    }

    #[test]
    fn registrars_are_kept_by_address_and_the_oldest_is_forgotten() {
        let seen = Seen::default();
        let limit = limits::REGISTRARS as u32;
        // From the highest address down, and the first one again at the end.
        for number in (0..limit).rev() {
            seen.note(address(number), limit - number, Sight::Check(20171219, true));
        }
        seen.note(address(limit - 1), limit + 1, Sight::Check(20180101, false));
        seen.note(address(limit), limit + 2, Sight::Check(20171219, true));
        let (registrars, totals) = seen.snapshot();
        assert_eq!((registrars.len() as u32, totals.checks, totals.offers), (limit, u64::from(limit) + 2, u64::from(limit) + 1));
        assert!(registrars.is_sorted_by_key(|registrar| registrar.address));
        let has = |number| registrars.iter().any(|registrar| registrar.address == address(number));
        assert!(has(limit) && has(limit - 1) && !has(limit - 2) && has(0));
    }

    #[test]
    fn a_download_belongs_to_a_registrar_that_is_known() {
        let seen = Seen::default();
        let (version, cut) = (Some(20260301), Transfer::Cut(4096));
        seen.note(address(1), 1, Sight::Download(version, cut));
        assert_eq!(seen.snapshot().0, []);
        seen.note(address(1), 2, Sight::Check(20171219, true));
        seen.note(address(1), 3, Sight::Download(version, Transfer::Sent));
        seen.note(address(1), 4, Sight::Download(version, cut));
        seen.note(address(1), 5, Sight::Download(None, Transfer::Complete));
        seen.note(address(1), 6, Sight::Refused);
        let (registrars, totals) = seen.snapshot();
        let expected = Registrar { address: address(1), build_date: 20171219, seen_at: 4, download: Some((20260301, cut)) };
        assert_eq!(registrars, [expected]);
        assert_eq!((totals.downloads_complete, totals.downloads_cut, totals.refused), (1, 2, 1));
    }
}
