//! `offer.ini` in a version folder: who is offered the version, and with which words. It fails closed: whatever is wrong with it,
//! the version is offered to nobody.

use std::net::IpAddr;
use std::path::Path;

use super::address_set::AddressSet;
use crate::address_block::AddressBlock;
use crate::calendar::{self, Date};
use crate::config::Settings;
use crate::ini::{self, Entry};
use crate::limits;
use crate::problem::{Detail, Problem, Text, offers as texts};
use crate::text::quote;

/// Who is admitted to a version. All that is given must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The blocks as they were written, for people; empty for everybody.
    blocks: Vec<AddressBlock>,
    /// The same for machines.
    addresses: AddressSet,
    /// First and last build date.
    built_from: Date,
    built_to: Date,
}

/// Why somebody is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `only_for` does not hold the address.
    Address,
    /// Built before `built_from`.
    BuiltBefore(Date),
    /// Built after `built_to`.
    BuiltAfter(Date),
}

/// What a folder's `offer.ini` says; without one everything has its default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OfferFile {
    /// Whether there is one.
    pub exists: bool,
    /// Who is admitted.
    pub admission: Admission,
    /// Replaces the description of the settings.
    pub description: Option<String>,
    /// Replaces the critical version of the settings; 0 for none.
    pub critical_version: Option<Date>,
}

const LAST_DATE: Date = 99_991_231;

impl Default for Admission {
    fn default() -> Admission {
        Admission { blocks: Vec::new(), addresses: AddressSet::default(), built_from: 0, built_to: LAST_DATE }
    }
}

impl Admission {
    /// Whether a caller is admitted, or why not.
    pub fn check(&self, caller: IpAddr, build_date: Date) -> Result<(), Refusal> {
        if build_date < self.built_from {
            return Err(Refusal::BuiltBefore(self.built_from));
        }
        if build_date > self.built_to {
            return Err(Refusal::BuiltAfter(self.built_to));
        }
        if self.blocks.is_empty() || self.addresses.contains(caller) { Ok(()) } else { Err(Refusal::Address) }
    }

    /// Whether a caller is admitted.
    pub fn admits(&self, caller: IpAddr, build_date: Date) -> bool {
        self.check(caller, build_date).is_ok()
    }

    /// Whether there are addresses in `only_for` of both while neither holds all of the other's, so that nobody can say which one
    /// was meant. Where no build date fits both there is nobody to ask for.
    pub fn conflicts_with(&self, other: &Admission) -> bool {
        let has_date = self.built_from.max(other.built_from) <= self.built_to.min(other.built_to);
        let (own, others) = (&self.addresses, &other.addresses);
        let both_restrict = !self.blocks.is_empty() && !other.blocks.is_empty();
        both_restrict && has_date && own.overlaps(others) && !own.includes(others) && !others.includes(own)
    }

    /// What stands against anybody being offered `version`.
    pub fn find_problem(&self, path: &Path, version: Date, settings: &Settings) -> Option<Problem> {
        // Behind a proxy `allow` is about the proxy.
        let is_limited = !settings.allow.is_empty() && settings.proxies.is_empty() && !self.blocks.is_empty();
        let is_shut_out = is_limited && !AddressSet::new(&settings.allow).overlaps(&self.addresses);
        if self.built_from > self.built_to || self.built_from >= version {
            Some(Problem::with(path, &texts::OFFER_FOR_NOBODY, vec![version.into()]))
        } else if is_shut_out {
            Some(Problem::with(path, &texts::OFFER_NOT_ALLOWED, vec![version.into()]))
        } else {
            None
        }
    }

    /// Who it is, in the words of `offer.ini`; empty for everybody.
    pub fn describe(&self) -> String {
        const NAMED: usize = 4;
        let mut parts: Vec<String> = Vec::new();
        if !self.blocks.is_empty() {
            let mut names: Vec<_> = self.blocks.iter().take(NAMED).map(ToString::to_string).collect();
            if let Some(more) = self.blocks.len().checked_sub(NAMED).filter(|more| *more > 0) {
                names.push(format!("+{more}"));
            }
            parts.push(format!("only_for {}", names.join(", ")));
        }
        if self.built_from > 0 {
            parts.push(format!("built_from {}", calendar::format_build_date(self.built_from)));
        }
        if self.built_to < LAST_DATE {
            parts.push(format!("built_to {}", calendar::format_build_date(self.built_to)));
        }
        parts.join("; ")
    }
}

type ReadValue = fn(&mut OfferFile, &str) -> Result<(), &'static Text>;

const KEYS: [(&str, ReadValue); 5] = [
    ("only_for", |offer, value| {
        let blocks: Option<Vec<_>> = value.split(',').map(|block| AddressBlock::parse(block.trim_ascii())).collect();
        offer.admission.blocks.extend(blocks.ok_or(&texts::VALID_ADDRESSES)?);
        Ok(())
    }),
    ("built_from", |offer, value| read_date(value).map(|date| offer.admission.built_from = date)),
    ("built_to", |offer, value| read_date(value).map(|date| offer.admission.built_to = date)),
    ("description", |offer, value| {
        offer.description = Some(value.to_owned()).filter(|value| !value.is_empty());
        offer.description.is_some().then_some(()).ok_or(&texts::VALID_DESCRIPTION)
    }),
    ("critical_version", |offer, value| {
        let version = if value == "0" { Some(0) } else { calendar::parse_version(value) };
        offer.critical_version = version;
        version.map(|_| ()).ok_or(&texts::VALID_CRITICAL)
    }),
];

fn read_date(value: &str) -> Result<Date, &'static Text> {
    calendar::parse_build_date(value).ok_or(&texts::VALID_BUILD_DATE)
}

/// Reads the bytes of the `offer.ini` at `path`, or everything that is wrong with it.
pub fn parse(path: &Path, version: Date, bytes: &[u8]) -> Result<OfferFile, Vec<Problem>> {
    // Cut short before whom it is for, by a copy that has just begun, a full disk or a power cut. Comments are meant.
    if bytes.trim_ascii().is_empty() {
        return Err(vec![Problem::with(path, &texts::OFFER_EMPTY, vec![version.into()])]);
    }
    let mut offer = OfferFile { exists: true, ..OfferFile::default() };
    let mut problems = Vec::new();
    let mut seen = [false; KEYS.len()];
    for line in ini::parse(bytes) {
        let (line, text, mut details) = match line {
            Ok(entry) => match take_entry(&mut offer, &mut seen, &entry) {
                Ok(()) => continue,
                Err((text, details)) => (entry.line, text, details),
            },
            Err(bad) => (bad.line, &texts::OFFER_BAD_LINE, vec![Detail::Words(bad.text)]),
        };
        details.insert(0, version.into());
        problems.push(Problem::in_line(path, line, text, details));
    }
    crate::problem::bound(&mut problems, &path.to_string_lossy(), limits::PROBLEMS_PER_FILE);
    offer.admission.blocks.shrink_to_fit();
    offer.admission.addresses = AddressSet::new(&offer.admission.blocks);
    if problems.is_empty() { Ok(offer) } else { Err(problems) }
}

/// What its values may not be meant to hold: quotes, and comments after them.
pub fn find_hints(path: &Path, bytes: &[u8]) -> Vec<Problem> {
    let mut hints: Vec<_> = ini::parse(bytes).filter_map(|line| ini::find_hint(path, &line.ok()?)).collect();
    crate::problem::bound(&mut hints, &path.to_string_lossy(), limits::PROBLEMS_PER_FILE);
    hints
}

fn take_entry(
    offer: &mut OfferFile,
    seen: &mut [bool; KEYS.len()],
    entry: &Entry<'_>,
) -> Result<(), (&'static Text, Vec<Detail>)> {
    let Some(index) = KEYS.iter().position(|(name, _)| *name == entry.key) else {
        let key = quote(entry.key, limits::QUOTED_BYTES).into();
        return Err(match ini::find_similar(entry.key, KEYS.iter().map(|(name, _)| *name)) {
            Some(name) => (&texts::OFFER_MISSPELT, vec![key, name.into()]),
            None => (&texts::OFFER_BAD_KEY, vec![key]),
        });
    };
    let (name, read_value) = KEYS[index];
    if std::mem::replace(&mut seen[index], true) && name != "only_for" {
        return Err((&texts::OFFER_REPEATED, vec![name.into()]));
    }
    read_value(offer, entry.value).map_err(|valid| {
        // Of thousands of addresses the wrong one.
        let wrong_block = entry.value.split(',').map(str::trim_ascii).find(|block| AddressBlock::parse(block).is_none());
        let value = wrong_block.filter(|_| name == "only_for").unwrap_or(entry.value);
        (&texts::OFFER_BAD_VALUE, vec![name.into(), quote(value, limits::QUOTED_BYTES).into(), Detail::Words(valid)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<OfferFile, Vec<&'static str>> {
        parse(Path::new("offer.ini"), 20260301, text.as_bytes()).map_err(|problems| problems.iter().map(Problem::code).collect())
    }

    #[test]
    fn callers_are_admitted_by_address_and_build_date() {
        let cases = [
            ("# for everybody\n", "::1", 20171219, Ok(())),
            ("only_for = 10.0.0.1, 10.0.1.0/24\nonly_for = fd00::/8", "10.0.1.9", 20171219, Ok(())),
            ("only_for = 10.0.0.1, 10.0.1.0/24\nonly_for = fd00::/8", "fd00::9", 20171219, Ok(())),
            ("only_for = 10.0.0.1, 10.0.1.0/24\nonly_for = fd00::/8", "10.0.0.2", 20171219, Err(Refusal::Address)),
            ("built_from = 19.12.2017", "10.0.0.1", 20171219, Ok(())),
            ("built_from = 20.12.2017", "10.0.0.1", 20171219, Err(Refusal::BuiltBefore(20171220))),
            ("built_to = 19.12.2017", "10.0.0.1", 20171219, Ok(())),
            ("built_to = 18.12.2017", "10.0.0.1", 20171219, Err(Refusal::BuiltAfter(20171218))),
            ("built_to = 1.1.2018\nonly_for=10.0.0.1", "10.0.0.2", 20171219, Err(Refusal::Address)),
        ];
        for (text, caller, build_date, expected) in cases {
            let offer = read(text).expect(text);
            assert_eq!(offer.admission.check(caller.parse().expect("an address"), build_date), expected, "{text}");
        }
        let offer = read("description = for the pilot\ncritical_version = 20260101\n").expect("valid");
        assert_eq!((offer.description.as_deref(), offer.critical_version), (Some("for the pilot"), Some(20260101)));
        assert_eq!(read("critical_version = 0").expect("valid").critical_version, Some(0));
    }

    #[test]
    fn whatever_is_wrong_is_refused() {
        let cases = [
            ("", "OFFER-EMPTY"),
            ("\r\n \n", "OFFER-EMPTY"),
            ("only_for =", "OFFER-BAD-VALUE"),
            ("only_for = ,", "OFFER-BAD-VALUE"),
            ("only_for = 10.0.0.1,", "OFFER-BAD-VALUE"),
            ("only_for = 10.0.0.1; 10.0.0.2", "OFFER-BAD-VALUE"),
            ("only_for = 10.0.0.1\nonly_for = till-5", "OFFER-BAD-VALUE"),
            ("only_for = 10.0.0.0/33", "OFFER-BAD-VALUE"),
            ("built_from =", "OFFER-BAD-VALUE"),
            ("built_from = 20171219", "OFFER-BAD-VALUE"),
            ("built_to = 31.02.2017", "OFFER-BAD-VALUE"),
            ("built_to = 1.1.2017\nbuilt_to = 1.1.2018", "OFFER-REPEATED-KEY"),
            ("description =", "OFFER-BAD-VALUE"),
            ("critical_version =", "OFFER-BAD-VALUE"),
            ("critical_version = 01.01.2018", "OFFER-BAD-VALUE"),
            ("only_fro = 10.0.0.1", "OFFER-KEY-MISSPELT"),
            ("colour = red", "OFFER-BAD-KEY"),
            ("Only_for = 10.0.0.1", "OFFER-KEY-MISSPELT"),
            ("10.0.0.1", "OFFER-BAD-LINE"),
            ("[offer]", "OFFER-BAD-LINE"),
        ];
        for (text, code) in cases {
            assert_eq!(read(text), Err(vec![code]), "{text}");
        }
        let junk = "junk\n".repeat(5000);
        assert_eq!(read(&junk).map_err(|codes| codes.len()), Err(limits::PROBLEMS_PER_FILE + 1));
        let problems = parse(Path::new("f/offer.ini"), 20260301, b"\nonly_for = x\n").expect_err("a mistake");
        assert_eq!(
            problems[0].describe(crate::problem::Language::English),
            "OFFER-BAD-VALUE f/offer.ini:2: only_for = \"x\" is not valid: version 20260301 is offered to nobody; expected \
             addresses and blocks with commas between them (for example 192.168.1.20, 192.168.2.0/24)"
        );
    }

    #[test]
    fn offers_nobody_can_get_are_problems() {
        let settings = b"current_firmware_version = latest\nallow = 192.168.1.0/24\n";
        let settings = crate::config::parse(Path::new("config.ini"), settings).valid().expect("valid settings");
        let cases = [
            ("# for everybody", None),
            ("only_for = 192.168.1.7, 10.0.0.1", None),
            ("only_for = 10.0.0.1", Some("OFFER-NOT-ALLOWED")),
            ("built_from = 1.1.2018\nbuilt_to = 31.12.2017", Some("OFFER-FOR-NOBODY")),
            ("built_from = 1.3.2026", Some("OFFER-FOR-NOBODY")),
            ("built_from = 28.2.2026", None),
        ];
        for (text, expected) in cases {
            let found = read(text).expect(text).admission.find_problem(Path::new("offer.ini"), 20260301, &settings);
            assert_eq!(found.as_ref().map(Problem::code), expected, "{text}");
        }
    }

    #[test]
    fn two_offers_conflict_if_neither_holds_all_of_the_other() {
        let cases = [
            ("only_for = 10.0.0.1, 10.0.0.2", "only_for = 10.0.0.2, 10.0.0.3", true),
            ("only_for = 10.0.0.1, 10.0.0.2", "only_for = 10.0.0.2", false),
            ("only_for = 10.0.0.1", "only_for = 10.0.0.2", false),
            ("only_for = 10.0.0.1, 10.0.0.2", "# for everybody", false),
            ("only_for = 10.0.0.1, 10.0.0.2\nbuilt_to = 1.1.2018", "only_for = 10.0.0.2, 10.0.0.3\nbuilt_from = 2.1.2018", false),
            ("only_for = 10.0.0.1, 10.0.0.2\nbuilt_to = 2.1.2018", "only_for = 10.0.0.2, 10.0.0.3\nbuilt_from = 2.1.2018", true),
        ];
        for (left, right, expected) in cases {
            let (left, right) = (read(left).expect(left).admission, read(right).expect(right).admission);
            assert_eq!((left.conflicts_with(&right), right.conflicts_with(&left)), (expected, expected));
        }
    }

    #[test]
    fn who_is_admitted_is_described_briefly() {
        let many: String = (0..9).map(|number| format!("only_for = 10.0.0.{number}\n")).collect();
        let cases = [
            ("# for everybody", ""),
            ("only_for = 10.0.0.1, fd00::/8\nbuilt_to = 1.2.2018", "only_for 10.0.0.1, fd00::/8; built_to 01.02.2018"),
            ("built_from = 1.2.2018", "built_from 01.02.2018"),
            (&many, "only_for 10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3, +5"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).expect(text).admission.describe(), expected);
        }
    }
}
