//! Which lines are written one by one, and which are counted.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use super::line::Level;
use super::repeats::{Allowance, Count, Repeats};
use crate::limits;

/// What lines have in common that are limited together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The line's `event`.
    pub event: &'static str,
    /// The answer's status, if it is one.
    pub status: Option<u16>,
}

/// Who is limited: an IPv4 address, or the network of 2^64 addresses that an IPv6 host has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// One address; also one that came in IPv6's notation.
    Address(Ipv4Addr),
    /// The first address of a /64.
    Network(Ipv6Addr),
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Source {
        match address.to_canonical() {
            IpAddr::V4(address) => Source::Address(address),
            IpAddr::V6(address) => Source::Network(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Address(address) => address.fmt(f),
            Source::Network(address) => write!(f, "{address}/64"),
        }
    }
}

/// How often lines like this one are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// Each time: what a till did. Nothing that any caller can do thousands of times at no cost.
    Always,
    /// `limits::CHANGES_LOGGED` in `limits::CHANGE_TIME` for each kind and source, whatever else there is: what changed something.
    Changed(Kind, IpAddr),
    /// `limits::REPEATS_LOGGED` in `limits::REPEAT_TIME` for each kind and source; further ones are counted.
    Limited(Kind, IpAddr),
    /// Never: once in `limits::COUNT_TIME` a line tells how often it happened.
    Counted(Kind, IpAddr),
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Kind(Kind, Source),
    /// The same warning.
    Text(String),
}

/// All that is limited.
pub struct RateLimiter {
    changed: Repeats<Key>,
    limited: Repeats<Key>,
    counted: Repeats<Key>,
    warnings: Repeats<Key>,
}

impl Default for RateLimiter {
    fn default() -> RateLimiter {
        let limited = Allowance {
            keys: limits::REPEAT_SOURCES,
            each: limits::REPEATS_LOGGED,
            in_all: limits::REPEATS_LOGGED_IN_ALL,
            period: limits::REPEAT_TIME,
            is_renewed: false,
        };
        let changed = Allowance {
            keys: limits::REGISTRARS,
            each: limits::CHANGES_LOGGED,
            in_all: limits::CHANGES_LOGGED_IN_ALL,
            period: limits::CHANGE_TIME,
            is_renewed: true,
        };
        let counted = Allowance { each: 0, in_all: 0, period: limits::COUNT_TIME, ..limited };
        let warnings = Allowance { keys: limits::REPEAT_WARNINGS, each: 1, ..limited };
        RateLimiter {
            changed: Repeats::new(changed),
            limited: Repeats::new(limited),
            counted: Repeats::new(counted),
            warnings: Repeats::new(warnings),
        }
    }
}

impl RateLimiter {
    /// Counts a line; returns whether it is to be written.
    pub fn count(&mut self, rate: Rate, now: Instant) -> bool {
        match rate {
            Rate::Always => true,
            Rate::Changed(kind, address) => self.changed.count(Key::Kind(kind, address.into()), now),
            Rate::Limited(kind, address) => self.limited.count(Key::Kind(kind, address.into()), now),
            Rate::Counted(kind, address) => self.counted.count(Key::Kind(kind, address.into()), now),
        }
    }

    /// Counts a warning; returns whether it is to be written: the same text is, once.
    pub fn count_warning(&mut self, text: &str, now: Instant) -> bool {
        self.warnings.count(Key::Text(text.to_owned()), now)
    }

    /// The lines about what was not written, once its time is over; at the end of the program at once.
    pub fn take_reports(&mut self, now: Instant, is_end: bool) -> Vec<(Level, String)> {
        let mut reports = Vec::new();
        for (repeats, others) in [
            (&mut self.changed, "peer=others"),
            (&mut self.limited, "peer=others"),
            (&mut self.counted, "peer=others"),
            (&mut self.warnings, "of=other_warnings"),
        ] {
            for count in repeats.take_counts(now, limits::REPEATS_NAMED, is_end) {
                reports.push(report(count, others));
            }
        }
        reports
    }
}

/// The line about what was not written of one key, or of `others`.
fn report(count: Count<Key>, others: &str) -> (Level, String) {
    let Count { key, more, seconds } = count;
    match key {
        None => (Level::Warning, format!("event=repeated {others} more={more} seconds={seconds}")),
        Some(Key::Text(text)) => (Level::Warning, format!("{text} repeated=\"{more} more in {seconds} s\"")),
        Some(Key::Kind(Kind { event, status }, source)) => {
            // Many sound requests are no reason to warn.
            let level = if status.is_some_and(|status| status < 400) { Level::Request } else { Level::Warning };
            let status = status.map_or_else(String::new, |status| format!(" status={status}"));
            (level, format!("event=repeated of={event} peer={source}{status} more={more} seconds={seconds}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_FOUND: Kind = Kind { event: "refused", status: Some(404) };
    const HEALTH: Kind = Kind { event: "request", status: Some(200) };

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_source_is_an_ipv4_address_or_an_ipv6_network() {
        for (text, source) in [
            ("127.0.2.1", "127.0.2.1"),
            ("::ffff:10.0.0.7", "10.0.0.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
            ("fe80::1", "fe80::/64"),
        ] {
            assert_eq!(Source::from(address(text)).to_string(), source);
        }
    }

    #[test]
    fn refusals_are_written_ten_times_and_then_told_by_source() {
        let (start, mut limiter) = (Instant::now(), RateLimiter::default());
        let written = |limiter: &mut RateLimiter, rate| (0..100).filter(|_| limiter.count(rate, start)).count();
        assert_eq!(written(&mut limiter, Rate::Limited(NOT_FOUND, address("10.0.0.1"))), 10);
        assert_eq!(written(&mut limiter, Rate::Limited(Kind { status: Some(400), ..NOT_FOUND }, address("10.0.0.1"))), 10);
        assert_eq!(written(&mut limiter, Rate::Always), 100);
        assert_eq!(limiter.take_reports(start + limits::REPEAT_TIME / 2, false), []);
        let line = |status| format!("event=repeated of=refused peer=10.0.0.1 status={status} more=90 seconds=60");
        let reports = limiter.take_reports(start + limits::REPEAT_TIME, false);
        assert_eq!(reports, [(Level::Warning, line(400)), (Level::Warning, line(404))]);
    }

    #[test]
    fn changes_have_an_allowance_of_their_own() {
        let (start, mut limiter) = (Instant::now(), RateLimiter::default());
        let check = Kind { event: "check", status: Some(200) };
        let written = |limiter: &mut RateLimiter, rate| (0..100).filter(|_| limiter.count(rate, start)).count();
        assert_eq!(written(&mut limiter, Rate::Limited(check, address("10.0.0.1"))), 10);
        assert_eq!(written(&mut limiter, Rate::Changed(check, address("10.0.0.1"))), 60);
        let line = |more, seconds| {
            (Level::Request, format!("event=repeated of=check peer=10.0.0.1 status=200 more={more} seconds={seconds}"))
        };
        assert_eq!(limiter.take_reports(start + limits::REPEAT_TIME, false), [line(90, 60)]);
        assert_eq!(limiter.take_reports(start + limits::CHANGE_TIME, false), [line(40, 600)]);
    }

    #[test]
    fn many_addresses_of_one_ipv6_network_are_one_source() {
        let (start, mut limiter) = (Instant::now(), RateLimiter::default());
        let written = (0..5000)
            .filter(|host| limiter.count(Rate::Limited(NOT_FOUND, address(&format!("2001:db8::{host:x}"))), start))
            .count();
        assert_eq!(written, 10);
        assert_eq!(
            limiter.take_reports(start, true)[0].1,
            "event=repeated of=refused peer=2001:db8::/64 status=404 more=4990 seconds=0"
        );
    }

    #[test]
    fn more_sources_than_places_are_others() {
        let (start, mut limiter) = (Instant::now(), RateLimiter::default());
        for number in 0..limits::REPEAT_SOURCES as u32 + 100 {
            let address = Ipv4Addr::from_bits(0x7f00_0000 + number).into();
            for _ in 0..3 {
                limiter.count(Rate::Counted(NOT_FOUND, address), start);
            }
            limiter.count(Rate::Limited(NOT_FOUND, address), start);
        }
        let reports = limiter.take_reports(start + limits::REPEAT_TIME, false);
        assert_eq!(reports.last().expect("a report").1.split(" more=").next(), Some("event=repeated peer=others"));
        assert!(reports.iter().all(|(_, line)| line.contains("peer=others") || line.contains("more=1 ")), "{reports:?}");
        assert!(reports.len() <= limits::REPEATS_NAMED + 1);
    }

    #[test]
    fn health_checks_are_told_once_an_hour_and_are_no_warning() {
        let (start, mut limiter) = (Instant::now(), RateLimiter::default());
        assert!((0..30_000).all(|_| !limiter.count(Rate::Counted(HEALTH, address("10.0.0.9")), start)));
        assert_eq!(limiter.take_reports(start + limits::REPEAT_TIME, false), []);
        let line = "event=repeated of=request peer=10.0.0.9 status=200 more=30000 seconds=3600".to_owned();
        assert_eq!(limiter.take_reports(start + limits::COUNT_TIME, false), [(Level::Request, line)]);
    }

    #[test]
    fn a_warning_is_written_once_and_its_repetitions_are_counted() {
        let (start, mut limiter) = (Instant::now(), RateLimiter::default());
        assert!(limiter.count_warning("event=a", start) && limiter.count_warning("event=b", start));
        assert!((0..318).all(|_| !limiter.count_warning("event=a", start)));
        let line = "event=a repeated=\"318 more in 60 s\"".to_owned();
        assert_eq!(limiter.take_reports(start + limits::REPEAT_TIME, false), [(Level::Warning, line)]);
        assert!(limiter.count_warning("event=b", start + limits::REPEAT_TIME));
        for number in 0..10_000 {
            limiter.count_warning(&number.to_string(), start + limits::REPEAT_TIME);
        }
        let reports = limiter.take_reports(start, true);
        assert!(reports.len() == 1 && reports[0].1.starts_with("event=repeated of=other_warnings more="), "{reports:?}");
    }
}
