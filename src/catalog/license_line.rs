//! One line of a licence file: 16 digits, TAB, 128 hexadecimal digits, TAB, 128 hexadecimal digits.

use crate::http::chars;
use crate::text::parse_digits;

/// Length of a line without its line end.
pub const LINE_BYTES: usize = 16 + 1 + 128 + 1 + 128;

/// The parts of a valid line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LicenseLine<'a> {
    /// The registrar's serial number.
    pub serial: u64,
    /// The licences, in hexadecimal as the file has them.
    pub licenses: &'a [u8],
    /// Their signature, likewise.
    pub signature: &'a [u8],
}

/// Reads a line without its line end. The error says what is wrong.
pub fn parse(line: &[u8]) -> Result<LicenseLine<'_>, &'static str> {
    let Some((serial, rest)) = line.split_at_checked(16) else {
        return Err("too short: expected 16 digits, TAB, 128 hex digits, TAB, 128 hex digits");
    };
    let serial = parse_digits(serial).ok_or("the serial number is not 16 digits")?;
    let rest = rest.strip_prefix(b"\t").ok_or("no TAB behind the 16 digits of the serial number")?;
    let (licenses, rest) = split_hex(rest).ok_or("the licences are not 128 hexadecimal digits")?;
    let rest = rest.strip_prefix(b"\t").ok_or("no TAB behind the 128 hexadecimal digits of the licences")?;
    let (signature, rest) = split_hex(rest).ok_or("the signature is not 128 hexadecimal digits")?;
    if rest.is_empty() { Ok(LicenseLine { serial, licenses, signature }) } else { Err("more text behind the signature") }
}

fn split_hex(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (hex, rest) = text.split_at_checked(128)?;
    chars::all(hex, chars::HEX).then_some((hex, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_whole_or_refused_with_the_reason() {
        let (a, b) = ("aF".repeat(64), "09".repeat(64));
        let line = format!("0000000000012345\t{a}\t{b}");
        assert_eq!(line.len(), LINE_BYTES);
        assert_eq!(parse(line.as_bytes()), Ok(LicenseLine { serial: 12345, licenses: a.as_bytes(), signature: b.as_bytes() }));
        let cases = [
            (String::new(), "too short"),
            ("000000000001234".to_owned(), "too short"),
            (line.replacen('1', "x", 1), "serial number is not 16 digits"),
            (line.replacen('0', "+", 1), "serial number is not 16 digits"),
            (format!("0{line}"), "no TAB behind the 16 digits"),
            (line.replacen('\t', " ", 1), "no TAB behind the 16 digits"),
            (line.replacen('a', "g", 1), "licences are not 128"),
            (format!("0000000000012345\t{a}{b}"), "no TAB behind the 128"),
            (line[..LINE_BYTES - 1].to_owned(), "signature is not 128"),
            (format!("{line} "), "more text"),
            (format!("{line}0"), "more text"),
        ];
        for (line, reason) in cases {
            let error = parse(line.as_bytes()).expect_err(&line);
            assert!(error.contains(reason), "{line}: {error}");
        }
    }
}
