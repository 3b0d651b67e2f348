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

/// An address as it counts for the offers.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Where it asks from.
    pub address: IpAddr,
    /// The build date that it counts with: of several tills the one in the greatest need.
    pub build_date: Date,
    /// All dates reported there lately, this one among them: several tills may stand behind it.
    pub recent_dates: &'a [Date],
}

/// Registrars for which an offer is the newest one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// How many there are.
    pub registrars: usize,
    /// How many of them have it, or something newer.
    pub up_to_date: usize,
    /// Whether there is one that is not ahead of it: it needs the version, has it, or has what is offered beside it.
    is_of_use: bool,
    /// The oldest build date of those that are ahead: so much newer that it is not this offer's.
    oldest_ahead: Option<Date>,
}

/// Whom each offer is for, in the order of the offers.
pub fn find<'a>(catalog: &Catalog, askers: impl Iterator<Item = Asker<'a>>) -> Vec<Reach> {
    let mut reaches = vec![Reach::default(); catalog.offers().len()];
    for asker in askers {
        let Choice { version, reason, .. } = catalog.choose(asker.address, asker.build_date);
        let mut note = |version: Date, change: &dyn Fn(&mut Reach)| {
            let place = catalog.offers().iter().position(|offer| offer.version == version);
            place.and_then(|place| reaches.get_mut(place)).into_iter().for_each(change);
        };
        match reason {
            Reason::NotAdmitted => {}
            // It is offered neither, and needs one of them.
            Reason::Overlap(left, right) => {
                [left, right].iter().for_each(|version| note(*version, &|reach| reach.is_of_use = true))
            }
            Reason::UpToDate => note(version, &|reach| {
                reach.up_to_date += 1;
                reach.note(find_ahead(catalog.offers(), &asker, version));
            }),
            Reason::Newer | Reason::Unsettled(_) => note(version, &|reach| reach.note(None)),
        }
    }
    reaches
}

impl Reach {
    /// One more, and its oldest build date if it is ahead.
    fn note(&mut self, ahead: Option<Date>) {
        self.registrars += 1;
        self.is_of_use |= ahead.is_none();
        self.oldest_ahead = self.oldest_ahead.into_iter().chain(ahead).min();
    }
}

/// The oldest date of an asker all of whose dates are far ahead of `version` and none of which is a version that is offered.
fn find_ahead(offers: &[Offer], asker: &Asker<'_>, version: Date) -> Option<Date> {
    let is_ahead = |date: &Date| is_far_ahead(*date, version) && offers.iter().all(|offer| offer.version != *date);
    let oldest = asker.recent_dates.iter().fold(asker.build_date, |oldest, date| oldest.min(*date));
    (is_ahead(&asker.build_date) && asker.recent_dates.iter().all(is_ahead)).then_some(oldest)
}

/// A problem for each offer that is older than what all its registrars have: its folder's name may be mistyped, or the version is
/// not needed any more. A registrar counts for the newest version that admits it, so a stepping stone that all have passed, or the
/// version before a pilot, is no problem; nor is one that nobody has asked for.
pub fn find_overtaken<'a>(catalog: &'a Catalog, reaches: &[Reach]) -> Vec<(&'a Offer, Problem)> {
    let is_idle = |(offer, reach): &(&Offer, &Reach)| offer.version != SAMPLE_VERSION && !reach.is_of_use;
    let offers = catalog.offers().iter().zip(reaches).filter(is_idle);
    let describe = |(offer, reach): (&'a Offer, &Reach)| {
        let oldest = format_build_date(reach.oldest_ahead?);
        let place = catalog.settings.firmware_path.join(folder_name(offer.version));
        let details = vec![offer.version.into(), reach.registrars.into(), oldest.into()];
        Some((offer, Problem::with(&place, &texts::OFFER_OVERTAKEN, details)))
    };
    offers.filter_map(describe).collect()
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
    fn who_is_more_than_a_week_newer_is_far_ahead() {
        for (build_date, version, expected) in [
            (20260301, 20260301, false),
            // The vendor's own manual: firmware of 25.01.2018 in a folder 20180123.
            (20180125, 20180123, false),
            (20260308, 20260301, false),
            (20260309, 20260301, true),
            (20260301, 20160301, true),
            (20260301, 10101, true),
            (20160301, 20260301, false),
        ] {
            assert_eq!(is_far_ahead(build_date, version), expected, "{build_date} and {version}");
        }
    }
}
