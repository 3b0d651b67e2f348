//! `Accept-Language` (RFC 9110 §12.5.4).

use super::chars;

/// The one of `known` primary language tags that the field values like best; the first one where they like none. Of equal
/// weights the one named first wins.
pub fn choose(values: &mut dyn Iterator<Item = &[u8]>, known: &[&str]) -> usize {
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
fn split(range: &[u8]) -> (&[u8], u32) {
    let Some(semicolon) = range.iter().position(|byte| *byte == b';') else { return (range, 1000) };
    let (tag, parameter) = (chars::trim(&range[..semicolon]), chars::trim(&range[semicolon + 1..]));
    let weight = match parameter {
        [b'q' | b'Q', b'=', b'1', ..] => 1000,
        [b'q' | b'Q', b'=', b'0', b'.', digits @ ..] if digits.len() <= 3 => {
            let value = |at: usize| digits.get(at).map_or(0, |digit| u32::from(digit.wrapping_sub(b'0')));
            value(0) * 100 + value(1) * 10 + value(2)
        }
        _ => 0,
    };
    (tag, weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_with_the_highest_weight_is_chosen() {
        let cases: [(&[&str], usize); 14] = [
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
            (&[";;;,=,ru;q=\u{ff}"], 0),
        ];
        for (values, expected) in cases {
            let mut values = values.iter().map(|value| value.as_bytes());
            assert_eq!(choose(&mut values.by_ref(), &["en", "ru"]), expected, "{values:?}");
        }
    }
}
