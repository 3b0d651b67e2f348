//! Small readers and writers of text: digits, hexadecimal, percent-encoding, and the quoting of what strangers sent.

use std::fmt::Write;

/// Reads ASCII digits and nothing else (std's `parse` accepts `+5`). `None` too where the number exceeds `u64`.
pub fn parse_digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Appends a number in decimal with at least `width` digits: without std's formatting, which costs more than the rest of a
/// response's head.
pub fn write_decimal(out: &mut Vec<u8>, number: u64, width: usize) {
    // 2^64 has 20 digits.
    let mut digits = [b'0'; 20];
    let (mut rest, mut start) = (number, digits.len());
    for digit in digits.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *digit += (rest % 10) as u8;
        rest /= 10;
        start -= 1;
    }
    let start = start.min(digits.len().saturating_sub(width));
    out.extend_from_slice(&digits[start..]);
}

/// The value of one hexadecimal digit.
pub fn hex_value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// A text in lower case, as far as it is English or Russian: the tables for all other scripts take 26 KB.
pub fn to_lowercase(text: &str) -> String {
    let lower = |letter| match letter {
        'А'..='Я' => char::from_u32(u32::from(letter) + DOWN_TO_LOWER).unwrap_or(letter),
        'Ё' => 'ё',
        _ => letter.to_ascii_lowercase(),
    };
    text.chars().map(lower).collect()
}

/// A letter in upper case, if it is English or Russian.
pub fn to_uppercase(letter: char) -> char {
    match letter {
        'а'..='я' => char::from_u32(u32::from(letter) - DOWN_TO_LOWER).unwrap_or(letter),
        'ё' => 'Ё',
        _ => letter.to_ascii_uppercase(),
    }
}

/// From a Russian capital to its small letter.
const DOWN_TO_LOWER: u32 = 'а' as u32 - 'А' as u32;

/// Lower-case hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Undoes percent-encoding once. A `%` without two hexadecimal digits stands for itself, as in the reference.
pub fn percent_decode(text: &[u8]) -> Vec<u8> {
    if !text.contains(&b'%') {
        return text.to_vec();
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%'
            && let [high, low, tail @ ..] = rest
            && let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low))
        {
            decoded.push(high << 4 | low);
            rest = tail;
        } else {
            decoded.push(byte);
        }
    }
    decoded
}

/// Makes a stranger's text safe for one log line or message: at most `limit` bytes of it, control characters, quotes,
/// backslashes and anything that could reorder or hide text on a terminal as `\u{…}`.
pub fn quote(text: &str, limit: usize) -> String {
    let mut quoted = String::from("\"");
    for (at, character) in text.char_indices() {
        if at >= limit {
            quoted.push('…');
            break;
        }
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        push_visible(&mut quoted, character);
    }
    quoted.push('"');
    quoted
}

/// Appends a character, or as `\u{…}` one that would hide or reorder the text around it.
pub fn push_visible(out: &mut String, character: char) {
    if is_printable(character) {
        out.push(character);
    } else {
        let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
    }
}

/// Whether a character shows as itself: no control, no mark that changes the direction of the text around it, no invisible or
/// unusual space or line break of Unicode's.
fn is_printable(character: char) -> bool {
    let hidden = matches!(u32::from(character),
        0x00a0 | 0x00ad | 0x061c | 0x115f..=0x1160 | 0x1680 | 0x180e | 0x2000..=0x200f | 0x2028..=0x202f | 0x205f..=0x206f
        | 0x3000 | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xfff0..=0xfffb | 0xe0000..=0xe0fff);
    !character.is_control() && !hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_ascii_digits_only() {
        let cases: [(&str, Option<u64>); 12] = [
            ("0", Some(0)),
            ("007", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("99999999999999999999999", None),
            ("", None),
            ("+5", None),
            ("-0", None),
            (" 5", None),
            ("5 ", None),
            ("1_0", None),
            ("٥", None),
        ];
        for (text, number) in cases {
            assert_eq!(parse_digits(text.as_bytes()), number, "{text:?}");
        }
    }

    #[test]
    fn decimals_are_written_with_at_least_their_width() {
        for (number, width, text) in [
            (0, 1, "0"),
            (0, 2, "00"),
            (7, 2, "07"),
            (42, 1, "42"),
            (491_520, 1, "491520"),
            (u64::MAX, 1, "18446744073709551615"),
            (5, 99, "00000000000000000005"),
        ] {
            let mut out = Vec::new();
            write_decimal(&mut out, number, width);
            assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn percent_encoding_is_undone_once() {
        let cases: [(&str, &[u8]); 7] = [
            ("plain", b"plain"),
            ("a%20b", b"a b"),
            ("%2e%2E", b".."),
            ("%252e", b"%2e"),
            ("100%", b"100%"),
            ("%zz%4", b"%zz%4"),
            ("%D0%96", "Ж".as_bytes()),
        ];
        for (text, decoded) in cases {
            assert_eq!(percent_decode(text.as_bytes()), decoded, "{text}");
        }
    }

    #[test]
    fn case_is_that_of_english_and_russian() {
        for (upper, lower) in [("AZ [@", "az [@"), ("АЯЁ", "аяё"), ("ЖЁЛТЫЙ", "жёлтый"), ("№ 1", "№ 1"), ("ÄΩ", "ÄΩ")]
        {
            assert_eq!(to_lowercase(upper), lower);
            assert_eq!(to_lowercase(lower), lower);
        }
        for (lower, upper) in [('a', 'A'), ('z', 'Z'), ('{', '{'), ('а', 'А'), ('я', 'Я'), ('ё', 'Ё'), ('ѐ', 'ѐ'), ('1', '1')]
        {
            assert_eq!(to_uppercase(lower), upper);
            assert_eq!(to_uppercase(upper), upper);
        }
    }

    #[test]
    fn quoted_text_holds_no_line_break_control_or_direction_mark() {
        let cases = [
            ("19.12.2017", "\"19.12.2017\""),
            ("Касса №1", "\"Касса №1\""),
            ("a\nb\r\t\u{0}", "\"a\\u{a}b\\u{d}\\u{9}\\u{0}\""),
            ("say \"hi\" \\", "\"say \\\"hi\\\" \\\\\""),
            ("\u{202e}cod.exe\u{2028}", "\"\\u{202e}cod.exe\\u{2028}\""),
            ("\u{1b}[31m", "\"\\u{1b}[31m\""),
            ("port\u{a0}", "\"port\\u{a0}\""),
            ("a\u{2000}b\u{200a}c\u{202f}d\u{205f}e\u{3000}f g", "\"a\\u{2000}b\\u{200a}c\\u{202f}d\\u{205f}e\\u{3000}f g\""),
        ];
        for (text, quoted) in cases {
            assert_eq!(quote(text, 64), quoted);
        }
        assert_eq!(quote("0123456789", 4), "\"0123…\"");
    }
}
