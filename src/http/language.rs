//! `Accept-Language` (RFC 9110 §12.5.4).

use super::chars;
use crate::text::parse_digits;

/// The one of `known` primary language tags that the field values like best; the first one where they like none. Of equal
/// weights the one named first wins.
pub fn choose<'a>(values: impl Iterator<Item = &'a [u8]>, known: &[&str]) -> usize {
    let (mut best, mut best_weight) = (0, 0);
    for range in values.flat_map(chars::list) {
        let (tag, weight) = split(range);
        let primary = tag.split(|byte| *byte == b'-').next().unwrap_or_default();
        let found = known.iter().position(|tag| tag.as_bytes().eq_ignore_ascii_case(primary));
        if let Some(found) = found.filter(|_| weight > best_weight) {
            (best, best_weight) = (found, weight);
        }
    }
    best
}

/// Language range and weight in thousandths (§12.4.2); a weight that is none counts as 0.
fn split(range: &[u8]) -> (&[u8], u64) {
    match range.iter().position(|byte| *byte == b';') {
        Some(semicolon) => (chars::trim(&range[..semicolon]), read_weight(chars::trim(&range[semicolon + 1..])).unwrap_or(0)),
        None => (range, 1000),
    }
}

/// `q=0.75` as 750.
fn read_weight(parameter: &[u8]) -> Option<u64> {
    let [b'q' | b'Q', b'=', whole @ (b'0' | b'1'), fraction @ ..] = parameter else { return None };
    let thousandths = match fraction {
        [] | [b'.'] => 0,
        [b'.', digits @ ..] if digits.len() <= 3 => parse_digits(digits)? * [100, 10, 1].get(digits.len() - 1)?,
        _ => return None,
    };
    Some(u64::from(whole - b'0') * 1000 + thousandths).filter(|weight| *weight <= 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_with_the_highest_weight_is_chosen() {
        let cases: [(&[&str], usize); 20] = [
            (&[], 0),
            (&["ru"], 1),
            (&["RU-ru,ru;q=0.9,en-US;q=0.8,en;q=0.7"], 1),
            (&["en-US,en;q=0.9,ru;q=0.8"], 0),
            (&["de, ru;q=0.5, en;q=0.25"], 1),
            (&["de, uk"], 0),
            (&["en;q=0.5", "ru ; q=0.75"], 1),
            (&["en;q=0, ru;q=0.001"], 1),
            (&["ru;q=0"], 0),
            (&["*, ru;q=0.1"], 1),
            (&["russian"], 0),
            (&["ru;q=0.5555, en;q=0.1"], 0),
            (&["ru;level=1, en;q=0.1"], 0),
            (&["en, ru;q=0.z"], 0),
            (&["en;q=0.5, ru;q=0.z"], 0),
            (&["en;q=0.5, ru;q=1.5"], 0),
            (&["en;q=0.5, ru;q=1x"], 0),
            (&["en;q=0.5, ru;q=1.000"], 1),
            (&["en;q=0.05, ru;q=0.1"], 1),
            (&[";;;,=,ru;q=\u{ff}"], 0),
        ];
        for (values, expected) in cases {
            let found = choose(values.iter().map(|value| value.as_bytes()), &["en", "ru"]);
            assert_eq!(found, expected, "{values:?}");
        }
    }
}
