//! Flat INI files: `key = value` lines, `#` or `;` comment lines, UTF-8 with or without byte order mark, LF or CRLF.

use std::path::Path;

use crate::problem::{Problem, Text, settings as texts};

/// One `key = value` line. White space around both is gone; quotes and comment signs inside a value are part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What stands left of the first `=`.
    pub key: &'a str,
    /// What stands right of it; may be empty.
    pub value: &'a str,
    /// Line number from 1.
    pub line: usize,
}

/// A line that is neither an entry nor a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadLine<'a> {
    /// Line number from 1.
    pub line: usize,
    /// What is wrong and what would be valid; without gaps.
    pub text: &'static Text,
    /// The line itself; empty if it is no text.
    pub content: &'a str,
}

/// Splits a file into entries. Every line is judged on its own, so that an operator sees all mistakes at once.
pub fn parse(bytes: &[u8]) -> impl Iterator<Item = Result<Entry<'_>, BadLine<'_>>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.split(|byte| *byte == b'\n').enumerate().filter_map(|(index, bytes)| parse_line(bytes, index + 1).transpose())
}

fn parse_line(bytes: &[u8], line: usize) -> Result<Option<Entry<'_>>, BadLine<'_>> {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let content = str::from_utf8(bytes).map(str::trim_ascii).unwrap_or_default();
    let fail = |text| Err(BadLine { line, text, content });
    if content.is_empty() && !bytes.trim_ascii().is_empty() {
        return fail(&texts::LINE_NOT_UTF8);
    }
    if content.is_empty() || content.starts_with(['#', ';']) {
        return Ok(None);
    }
    if content.chars().any(|character| character.is_control() && character != '\t') {
        return fail(&texts::LINE_CONTROL);
    }
    if content.starts_with('[') {
        return fail(&texts::LINE_SECTION);
    }
    match content.split_once('=') {
        Some((key, _)) if key.trim_ascii().is_empty() => fail(&texts::LINE_NO_KEY),
        Some((key, value)) => Ok(Some(Entry { key: key.trim_ascii(), value: value.trim_ascii(), line })),
        None => fail(&texts::LINE_NO_EQUALS),
    }
}

/// Whether a file is UTF-16, as Windows editors save it: it begins with that encoding's mark, or every other byte of its
/// beginning is 0.
pub fn is_utf16(bytes: &[u8]) -> bool {
    let has_mark = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let (pairs, _) = bytes[..bytes.len().min(64)].as_chunks::<2>();
    let is_wide = |zero: usize| pairs.len() >= 2 && pairs.iter().all(|pair| pair[zero] == 0 && pair[1 - zero] != 0);
    has_mark || is_wide(0) || is_wide(1)
}

/// What an entry's value may not be meant to hold: quotes around it, or a comment at its end.
pub fn find_hint(file: &Path, entry: &Entry<'_>) -> Option<Problem> {
    let value = entry.value;
    let is_quoted = ['"', '\''].iter().any(|quote| value.len() > 1 && value.starts_with(*quote) && value.ends_with(*quote));
    if is_quoted {
        return Some(Problem::in_line(file, entry.line, &texts::QUOTES, vec![entry.key.into()]));
    }
    let sign = [" #", "\t#", " ;", "\t;"].iter().filter_map(|sign| Some((value.find(sign)?, sign.trim_ascii()))).min();
    sign.map(|(_, sign)| Problem::in_line(file, entry.line, &texts::COMMENT, vec![entry.key.into(), sign.into()]))
}

/// The name that `key` was probably meant to be: the nearest one, if few letters differ.
pub fn find_similar<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let key = key.trim().to_ascii_lowercase().replace(['-', ' '], "_");
    let nearest = names.map(|name| (distance(key.as_bytes(), name.as_bytes()), name)).min()?;
    (nearest.0 <= 1 + nearest.1.len() / 6).then_some(nearest.1)
}

/// Number of letters to insert, remove, replace or exchange with their neighbour to turn one name into the other. What is much
/// longer than a name is not measured.
fn distance(a: &[u8], b: &[u8]) -> usize {
    if a.len() > 2 * b.len() + 2 {
        return usize::MAX;
    }
    // The rows of the usual table (optimal string alignment): one before the last, the last, the one being made.
    let mut older: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(older[j - 2] + 1);
            }
            row.push(least);
        }
        (older, last) = (last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_whatever_the_editor_wrote() {
        let text = "\u{feff}# comment\r\n; comment\r\n\r\n  port = 8888 \r\ncurrent_firmware_description=a = \"b\" # c ; d\nempty =\n\tkey\t=\tvalue";
        let entries: Vec<_> = parse(text.as_bytes()).map(|entry| entry.expect("valid")).collect();
        let expected = [
            Entry { key: "port", value: "8888", line: 4 },
            Entry { key: "current_firmware_description", value: "a = \"b\" # c ; d", line: 5 },
            Entry { key: "empty", value: "", line: 6 },
            Entry { key: "key", value: "value", line: 7 },
        ];
        assert_eq!(entries, expected);
    }

    #[test]
    fn each_bad_line_is_reported_with_its_number() {
        let bytes = b"port\n[server]\n= 5\nname = \xcf\xf0\nx = a\0b\nport = 1\nx = a\rb\n";
        let lines: Vec<_> = parse(bytes).filter_map(Result::err).map(|bad| bad.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 7]);
    }

    #[test]
    fn utf16_is_recognised_with_and_without_its_mark() {
        let wide = |text: &str, big: bool| -> Vec<u8> {
            text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        for (bytes, expected) in [
            (wide("\u{feff}port = 1", false), true),
            (wide("\u{feff}порт", true), true),
            (wide("port = 1", false), true),
            (wide("port = 1", true), true),
            (b"port = 1".to_vec(), false),
            (b"\xef\xbb\xbfport".to_vec(), false),
            (b"p\0".to_vec(), false),
            (vec![0; 64], false),
            (Vec::new(), false),
        ] {
            assert_eq!(is_utf16(&bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn names_that_differ_little_are_similar() {
        let names = ["port", "address", "allow", "current_firmware_version", "log_file", "log_file_kb"];
        for (key, expected) in [
            ("prot", Some("port")),
            ("Port", Some("port")),
            ("ports", Some("port")),
            ("port\u{a0}", Some("port")),
            ("adress", Some("address")),
            ("alow", Some("allow")),
            ("current-firmware-version", Some("current_firmware_version")),
            ("curent_firmware_verson", Some("current_firmware_version")),
            ("log file kb", Some("log_file_kb")),
            ("logfile", Some("log_file")),
            ("x", None),
            ("", None),
            ("tornado_settings", None),
        ] {
            assert_eq!(find_similar(key, names.into_iter()), expected, "{key}");
        }
    }

    #[test]
    fn quotes_and_comments_in_values_are_hints() {
        for (value, expected) in [
            ("'super firmware'", Some("HINT-QUOTES")),
            ("\"x\"", Some("HINT-QUOTES")),
            ("\"", None),
            ("'", None),
            ("it's", None),
            ("8888 # till port", Some("HINT-COMMENT")),
            ("8888\t; till port", Some("HINT-COMMENT")),
            ("a#b;c", None),
            ("firmware #", Some("HINT-COMMENT")),
            ("", None),
        ] {
            let hint = find_hint(Path::new("config.ini"), &Entry { key: "port", value, line: 7 });
            assert_eq!(hint.as_ref().map(Problem::code), expected, "{value}");
            assert!(hint.is_none_or(|hint| hint.is_hint() && hint.place == "config.ini:7"));
        }
    }
}
