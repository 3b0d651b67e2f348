//! `Range` (RFC 9110 §14.2) with the reference's answers where the RFC leaves a choice.

use super::chars;
use crate::text::parse_digits;

/// What to send of a representation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// All of it: no range, one we do not understand, several, or one that covers everything.
    Whole,
    /// From the first position so many bytes (at least one).
    Part {
        /// Offset of the first byte.
        start: u64,
        /// Number of bytes.
        length: u64,
    },
    /// 416.
    Unsatisfiable,
}

/// What the value of a `Range` field selects of `size` bytes.
pub fn select(value: &[u8], size: u64) -> Selection {
    let Some(set) = value.strip_prefix(b"bytes=") else { return Selection::Whole };
    let set = chars::trim(set);
    let Some(dash) = set.iter().position(|byte| *byte == b'-') else { return Selection::Whole };
    let (first, last) = (&set[..dash], &set[dash + 1..]);

    let (start, end) = match (position(first), position(last)) {
        (Some(start), Some(last)) => (start, last.saturating_add(1).min(size)),
        (Some(start), None) if last.is_empty() => (start, size),
        // The reference reads `0--5` as a last position before the first; a range that is no range may be refused (§14.2).
        (Some(_), None) if last.strip_prefix(b"-").and_then(position).is_some() => return Selection::Unsatisfiable,
        (None, Some(0)) if first.is_empty() => return Selection::Unsatisfiable,
        (None, Some(suffix)) if first.is_empty() => (size.saturating_sub(suffix), size),
        _ => return Selection::Whole,
    };
    if start >= end {
        Selection::Unsatisfiable
    } else if start == 0 && end == size {
        Selection::Whole
    } else {
        Selection::Part { start, length: end - start }
    }
}

/// A byte position; one past 64 bits lies behind any file.
fn position(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| parse_digits(digits).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_select_of_26_bytes() {
        use Selection::{Unsatisfiable, Whole};
        let part = |start, length| Selection::Part { start, length };
        let cases = [
            ("bytes=10-15", part(10, 6)),
            ("bytes= 10-15 ", part(10, 6)),
            ("bytes=25-25", part(25, 1)),
            ("bytes=20-", part(20, 6)),
            ("bytes=20-99", part(20, 6)),
            ("bytes=-5", part(21, 5)),
            ("bytes=1-99999999999999999999999", part(1, 25)),
            ("bytes=0-25", Whole),
            ("bytes=0-99", Whole),
            ("bytes=0-", Whole),
            ("bytes=-26", Whole),
            ("bytes=-99999999999999999999999", Whole),
            ("bytes=26-", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=5-2", Unsatisfiable),
            ("bytes=0--5", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=", Whole),
            ("bytes=-", Whole),
            ("bytes=--5", Whole),
            ("bytes=a-b", Whole),
            ("bytes=-5-", Whole),
            ("bytes=1_0-1_5", Whole),
            ("bytes=+1-5", Whole),
            ("bytes=0-4,10-14", Whole),
            ("Bytes=0-9", Whole),
            ("items=0-9", Whole),
            ("0-9", Whole),
        ];
        for (value, selection) in cases {
            assert_eq!(select(value.as_bytes(), 26), selection, "{value}");
        }
    }

    #[test]
    fn any_range_of_an_empty_file_is_unsatisfiable() {
        for value in ["bytes=0-", "bytes=0-9", "bytes=-5", "bytes=100-"] {
            assert_eq!(select(value.as_bytes(), 0), Selection::Unsatisfiable, "{value}");
        }
    }
}
