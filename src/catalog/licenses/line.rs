//! One line of a licence file: 16 digits, TAB, 128 hexadecimal digits, TAB, 128 hexadecimal digits.

use crate::http::chars;
use crate::problem::Text;
use crate::problem::licenses as texts;
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
pub fn parse(line: &[u8]) -> Result<LicenseLine<'_>, &'static Text> {
    let (serial, rest) = line.split_at_checked(16).ok_or(&texts::LINE_TOO_SHORT)?;
    let serial = parse_digits(serial).ok_or(&texts::LINE_SERIAL)?;
    let rest = rest.strip_prefix(b"\t").ok_or(&texts::LINE_FIRST_TAB)?;
    let (licenses, rest) = split_hex(rest).ok_or(&texts::LINE_LICENSES)?;
    let rest = rest.strip_prefix(b"\t").ok_or(&texts::LINE_SECOND_TAB)?;
    let (signature, rest) = split_hex(rest).ok_or(&texts::LINE_SIGNATURE)?;
    if rest.is_empty() { Ok(LicenseLine { serial, licenses, signature }) } else { Err(&texts::LINE_TOO_LONG) }
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
            (String::new(), "LICENCE-LINE-SHORT"),
            ("000000000001234".to_owned(), "LICENCE-LINE-SHORT"),
            (line.replacen('1', "x", 1), "LICENCE-LINE-SERIAL"),
            (line.replacen('0', "+", 1), "LICENCE-LINE-SERIAL"),
            (format!("0{line}"), "LICENCE-LINE-TAB"),
            (line.replacen('\t', " ", 1), "LICENCE-LINE-TAB"),
            (line.replacen('a', "g", 1), "LICENCE-LINE-LICENCES"),
            (format!("0000000000012345\t{a}{b}"), "LICENCE-LINE-TAB-2"),
            (line[..LINE_BYTES - 1].to_owned(), "LICENCE-LINE-SIGNATURE"),
            (format!("{line} "), "LICENCE-LINE-LONG"),
            (format!("{line}0"), "LICENCE-LINE-LONG"),
        ];
        for (line, code) in cases {
            let error = parse(line.as_bytes()).expect_err(&line);
            assert_eq!(error.code, code, "{line}");
        }
    }
}
