//! Calendar dates: firmware versions (`20180125`), build dates (`25.01.2018`) and the days behind a clock reading.

/// A day of the proleptic Gregorian calendar as the number `yyyymmdd`. Firmware versions are such numbers.
pub type Date = u32;

/// Days of `month` (1 to 12) in `year`; 0 for any other month.
fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

/// The date, if there is such a day in the years 1 to 9999.
pub fn make_date(year: u32, month: u32, day: u32) -> Option<Date> {
    let exists = (1..=9999).contains(&year) && (1..=days_in_month(year, month)).contains(&day);
    exists.then_some(year * 10_000 + month * 100 + day)
}

/// Reads `yyyymmdd`: eight ASCII digits that are a real date.
pub fn parse_version(text: &str) -> Option<Date> {
    if text.len() != 8 {
        return None;
    }
    let number = u32::try_from(crate::text::parse_digits(text.as_bytes())?).ok()?;
    make_date(number / 10_000, number / 100 % 100, number % 100)
}

/// Reads a build date as the reference does, which is Python's `strptime` with `%d.%m.%Y`: a day of one or two digits (one
/// digit may stand behind a space), a month of one or two, a year of four. Python's `\d` is any decimal digit of Unicode, and
/// recorded answers show it: the second digit of a day 10 to 29 and the digits of the year may be Arabic, for one.
pub fn parse_build_date(text: &str) -> Option<Date> {
    let (day, rest) = text.split_once('.')?;
    let (month, year) = rest.split_once('.')?;
    let ascii = |text: &str| u32::try_from(crate::text::parse_digits(text.as_bytes())?).ok();

    let mut day_characters = day.chars();
    let day = match (day_characters.next()?, day_characters.next(), day_characters.next()) {
        (first @ '1'..='9', None, _) => u32::from(first) - 48,
        (' ' | '0', Some(second @ '1'..='9'), None) => u32::from(second) - 48,
        (tens @ '1'..='2', Some(second), None) => (u32::from(tens) - 48) * 10 + decimal_digit(second)?,
        ('3', Some(second @ '0'..='1'), None) => 30 + u32::from(second) - 48,
        _ => return None,
    };
    let month = if month.len() <= 2 { ascii(month)? } else { return None };
    let mut number = 0;
    let mut digits = 0;
    for character in year.chars().take(5) {
        number = number * 10 + decimal_digit(character)?;
        digits += 1;
    }
    if digits == 4 { make_date(number, month, day) } else { None }
}

/// `DD.MM.YYYY`, as registrars report their build date.
pub fn format_build_date(date: Date) -> String {
    format!("{:02}.{:02}.{:04}", date % 100, date / 100 % 100, date / 10_000)
}

/// The zeros of Unicode's runs of ten decimal digits (general category Nd, version 14 as in the recorded reference).
const DIGIT_ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040,
    0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0,
    0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650,
    0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec,
    0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// The value of one decimal digit of any script.
fn decimal_digit(character: char) -> Option<u32> {
    if character.is_ascii_digit() {
        return Some(u32::from(character) - 48);
    }
    let code = u32::from(character);
    let run = DIGIT_ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    Some(code - DIGIT_ZEROS.get(run)?).filter(|value| *value <= 9)
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Counts in eras of 400 years that start on 1 March, so that the leap day is a year's last.
pub fn civil_from_days(days: u64) -> (u64, u32, u32) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to a real date of 1970 or later; `None` for earlier ones.
pub fn days_from_civil(date: Date) -> Option<u64> {
    let (year, month, day) = (u64::from(date / 10_000), u64::from(date / 100 % 100), u64::from(date % 100));
    let year = year - u64::from(month <= 2);
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + day_of_year;
    (year / 400 * 146_097 + day_of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_dates_are_read_as_the_reference_reads_them() {
        let valid = [
            ("25.01.2018", 20180125),
            ("1.2.2017", 20170201),
            (" 1.02.2017", 20170201),
            ("29.02.2016", 20160229),
            ("29.02.2000", 20000229),
            ("01.01.0001", 10101),
            ("31.12.9999", 99991231),
            ("01.02.٢٠١٧", 20170201),
            ("1٥.02.2017", 20170215),
        ];
        for (text, date) in valid {
            assert_eq!(parse_build_date(text), Some(date), "{text:?}");
        }
        let invalid = [
            "",
            ".",
            "..",
            "x",
            "01.02",
            "01.02.17",
            "01.02.02017",
            "01.02.2017.",
            "01.02.2017 ",
            "\u{a0}1.02.2017",
            "  1.02.2017",
            "00.01.2017",
            "32.01.2017",
            "31.02.2017",
            "29.02.2017",
            "29.02.1900",
            "01.0.2017",
            "01.13.2017",
            "01.002.2017",
            "1/2/2017",
            "01.+2.2017",
            "+1.02.2017",
            "01.02.-017",
            "01.02.0000",
            "٠١.02.2017",
            "3٠.01.2017",
            "01.٠2.2017",
            "01．02．2017",
            "1e1.02.2017",
            "001.02.2017",
        ];
        for text in invalid {
            assert_eq!(parse_build_date(text), None, "{text:?}");
        }
    }

    #[test]
    fn versions_are_eight_digits_of_a_real_date() {
        assert_eq!(parse_version("20180125"), Some(20180125));
        for text in ["", "2018012", "201801255", "20180132", "20181301", "00000101", "+2018012", "2018-1-5", "latest"] {
            assert_eq!(parse_version(text), None, "{text:?}");
        }
    }

    #[test]
    fn days_and_dates_agree_over_four_centuries() {
        let mut expected = (1970, 1, 1);
        for days in 0..160_000 {
            assert_eq!(civil_from_days(days), expected);
            let (year, month, day) = expected;
            let date = make_date(year as u32, month, day).expect("a real date");
            assert_eq!(days_from_civil(date), Some(days));
            expected = if day < days_in_month(year as u32, month) {
                (year, month, day + 1)
            } else if month < 12 {
                (year, month + 1, 1)
            } else {
                (year + 1, 1, 1)
            };
        }
        assert_eq!(days_from_civil(19691231), None);
    }
}
