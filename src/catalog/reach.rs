//! Whom each offer is for, and whether anybody needs it: a function of the catalog and of what registrars reported last.

use std::net::IpAddr;

use super::image::folder_name;
use super::offers::{Choice, Offer, Reason};
use super::picture::Catalog;
use crate::calendar::{Date, days_from_civil, format_build_date};
use crate::limits;
use crate::problem::{Problem, offers as texts};

/// The shipped sample is older than every registrar, so that nobody flashes it by accident.
const SAMPLE_VERSION: Date = 20000101;

/// Registrars for which an offer is the newest one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// How many there are.
    pub registrars: usize,
    /// How many of them have it, or something newer.
    pub up_to_date: usize,
    /// How many of them have something so much newer that they did not get it from this offer.
    ahead: usize,
    /// The oldest build date of those.
    oldest_ahead: Option<Date>,
}

/// Whom each offer is for, in the order of the offers. `registrars` are addresses with the build dates they reported last.
pub fn find(catalog: &Catalog, registrars: impl Iterator<Item = (IpAddr, Date)>) -> Vec<Reach> {
    let mut reaches = vec![Reach::default(); catalog.offers().len()];
    for (address, build_date) in registrars {
        let Choice { version, reason, .. } = catalog.choose(address, build_date);
        let place = catalog.offers().iter().position(|offer| offer.version == version);
        if let Some(reach) = place.and_then(|place| reaches.get_mut(place)) {
            reach.note(reason, build_date, version);
        }
    }
    reaches
}

impl Reach {
    fn note(&mut self, reason: Reason, build_date: Date, version: Date) {
        self.registrars += usize::from(!matches!(reason, Reason::Overlap(..) | Reason::NotAdmitted));
        if reason == Reason::UpToDate {
            self.up_to_date += 1;
            if is_far_ahead(build_date, version) {
                self.ahead += 1;
                self.oldest_ahead = Some(self.oldest_ahead.map_or(build_date, |oldest| oldest.min(build_date)));
            }
        }
    }
}

/// A problem for each offer that is older than what all its registrars have: its folder's name may be mistyped, or the version is
/// not needed any more. A registrar counts for the newest version that admits it, so a stepping stone that all have passed, or the
/// version before a pilot, is no problem; nor is one that nobody has asked for.
pub fn find_overtaken(catalog: &Catalog, reaches: &[Reach]) -> Vec<Problem> {
    let offers = catalog.offers().iter().zip(reaches).filter(|(offer, _)| offer.version != SAMPLE_VERSION);
    let overtaken = offers.filter_map(|(offer, reach)| Some((offer, reach, reach.oldest_ahead?)));
    let overtaken = overtaken.filter(|(_, reach, _)| reach.ahead == reach.registrars);
    let describe = |(offer, reach, oldest): (&Offer, &Reach, Date)| {
        let place = catalog.settings.firmware_path.join(folder_name(offer.version));
        let details = vec![offer.version.into(), reach.registrars.into(), format_build_date(oldest).into()];
        Problem::with(&place, &texts::OFFER_OVERTAKEN, details)
    };
    overtaken.map(describe).collect()
}

fn is_far_ahead(build_date: Date, version: Date) -> bool {
    // Nothing was built before 1970.
    let days = |date| days_from_civil(date).unwrap_or(0);
    days(build_date) > days(version) + limits::OVERTAKEN_DAYS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_more_than_a_month_ahead_did_not_get_it_from_here() {
        for (build_date, version, expected) in [
            (20260301, 20260301, false),
            // The vendor's own manual: firmware of 25.01.2018 in a folder 20180123.
            (20180125, 20180123, false),
            (20260401, 20260301, false),
            (20260402, 20260301, true),
            (20260301, 20160301, true),
            (20260301, 10101, true),
            (20160301, 20260301, false),
        ] {
            assert_eq!(is_far_ahead(build_date, version), expected, "{build_date} and {version}");
        }
    }
}
