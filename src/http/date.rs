//! HTTP dates (RFC 9110 §5.6.7): written in one form, read in all three.

use crate::calendar::{civil_from_days, days_from_civil, make_date};
use crate::text::parse_digits;

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const LONG_WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The last second that has a year of four digits.
const LATEST: u64 = 253_402_300_799;

/// Appends `Thu, 25 Jan 2018 12:34:56 GMT` for a time in seconds since 1970.
pub fn write(out: &mut Vec<u8>, time: u64) {
    let time = time.min(LATEST);
    let days = time / 86_400;
    let (year, month, day) = civil_from_days(days);
    let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    text[..3].copy_from_slice(WEEKDAYS[(days % 7) as usize].as_bytes());
    text[8..11].copy_from_slice(MONTHS[(month - 1) as usize % 12].as_bytes());
    let (hour, minute, second) = (time / 3600 % 24, time / 60 % 60, time % 60);
    for (at, number) in [(5, day.into()), (12, year / 100), (14, year % 100), (17, hour), (20, minute), (23, second)] {
        text[at] = b'0' + (number / 10) as u8;
        text[at + 1] = b'0' + (number % 10) as u8;
    }
    out.extend_from_slice(&text);
}

/// The same as text.
pub fn format(time: u64) -> String {
    let mut out = Vec::with_capacity(29);
    write(&mut out, time);
    String::from_utf8(out).unwrap_or_default()
}

/// Reads an HTTP date as seconds since 1970: IMF-fixdate, RFC 850 or asctime form. `None` if it is none of these, no real
/// date, or before 1970. `now` decides the century of RFC 850's two-digit year: at most 50 years ahead.
pub fn parse(text: &[u8], now: Option<u64>) -> Option<u64> {
    let text = str::from_utf8(text).ok()?;
    if let Some((weekday, rest)) = text.split_once(',') {
        let rest = rest.strip_prefix(' ')?.strip_suffix(" GMT")?;
        if WEEKDAYS.contains(&weekday) {
            // 25 Jan 2018 12:34:56
            let [day, month, year, time] = split_exactly(rest, ' ')?;
            return seconds(number(year, 4)?, month, number(day, 2)?, time);
        }
        // 25-Jan-18 12:34:56
        LONG_WEEKDAYS.contains(&weekday).then_some(())?;
        let (date, time) = rest.split_once(' ')?;
        let [day, month, year] = split_exactly(date, '-')?;
        let this_year = now.map_or(Some(2026), |now| u32::try_from(civil_from_days(now / 86_400).0).ok())?;
        let year = this_year / 100 * 100 + number(year, 2)?;
        let year = if year > this_year + 50 { year - 100 } else { year };
        return seconds(year, month, number(day, 2)?, time);
    }
    // Thu Jan 25 12:34:56 2018, with a space in front of a one-digit day
    let (weekday, rest) = text.split_at_checked(4)?;
    WEEKDAYS.contains(&weekday.strip_suffix(' ')?).then_some(())?;
    let (month, rest) = rest.split_at_checked(4)?;
    let (day, rest) = rest.split_at_checked(2)?;
    let day = match day.strip_prefix(' ') {
        Some(digit) => number(digit, 1)?,
        None => number(day, 2)?,
    };
    let [time, year] = split_exactly(rest.strip_prefix(' ')?, ' ')?;
    seconds(number(year, 4)?, month.strip_suffix(' ')?, day, time)
}

fn split_exactly<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    let mut parts = text.split(separator);
    let mut found = [""; N];
    for part in &mut found {
        *part = parts.next()?;
    }
    parts.next().is_none().then_some(found)
}

fn number(text: &str, digits: usize) -> Option<u32> {
    if text.len() == digits { u32::try_from(parse_digits(text.as_bytes())?).ok() } else { None }
}

fn seconds(year: u32, month: &str, day: u32, time: &str) -> Option<u64> {
    let month = MONTHS.iter().position(|name| *name == month)? as u32 + 1;
    let days = days_from_civil(make_date(year, month, day)?)?;
    let [hour, minute, second] = split_exactly(time, ':')?;
    let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
    // 60: a leap second.
    (hour < 24 && minute < 60 && second <= 60).then(|| days * 86_400 + u64::from(hour * 3600 + minute * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_and_read_back() {
        for (time, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_516_883_696, "Thu, 25 Jan 2018 12:34:56 GMT"),
            (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
            (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(format(time), text);
            assert_eq!(parse(text.as_bytes(), None), Some(time));
        }
        assert_eq!(format(u64::MAX), format(LATEST));
    }

    #[test]
    fn obsolete_forms_are_read_and_anything_else_is_not() {
        let now = Some(1_795_000_000); // November 2026
        let cases: [(&str, Option<u64>); 20] = [
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("Saturday, 01-Jan-22 00:00:00 GMT", Some(1_640_995_200)),
            ("Friday, 01-Jan-76 00:00:00 GMT", Some(3_345_062_400)),
            ("Saturday, 01-Jan-77 00:00:00 GMT", Some(220_924_800)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("Thu Jan 25 12:34:56 2018", Some(1_516_883_696)),
            ("", None),
            ("0", None),
            ("Thu, 25 Jan 2018 12:34:56", None),
            ("Thu, 25 Jan 2018 12:34:56 UTC", None),
            ("Thu, 25 jan 2018 12:34:56 GMT", None),
            ("Thu,25 Jan 2018 12:34:56 GMT", None),
            ("Thu, 5 Jan 2018 12:34:56 GMT", None),
            ("Thu, 31 Feb 2018 12:34:56 GMT", None),
            ("Thu, 25 Jan 2018 24:00:00 GMT", None),
            ("Thu, 25 Jan 2018 12:34 GMT", None),
            ("Thu, 25 Jan +018 12:34:56 GMT", None),
            ("Wed, 31 Dec 1969 23:59:59 GMT", None),
            ("Thu Jan 25 12:34:56 2018 GMT", None),
            ("Thu Жan 25 12:34:56 2018", None),
        ];
        for (text, time) in cases {
            assert_eq!(parse(text.as_bytes(), now), time, "{text:?}");
        }
    }
}
