//! What a page is asked to show: `/`, `/?q=…` or `/?refresh`.

use crate::limits;
use crate::text::{percent_decode, to_lowercase};

/// A page's query.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Only registrars whose address or state has this in it, in lower case; empty for all.
    pub filter: String,
    /// The browser is to load the page again and again: never with a filter, which somebody is typing.
    pub refresh: bool,
}

impl Query {
    /// Reads it from a request's target, as browsers write forms. What it does not know it ignores.
    pub fn read(target: &[u8]) -> Query {
        let mut query = Query::default();
        let Some(question_mark) = target.iter().position(|byte| *byte == b'?') else { return query };
        let mut has_filter = false;
        for pair in target[question_mark + 1..].split(|byte| *byte == b'&') {
            match pair {
                [b'q', b'=', value @ ..] if !has_filter => {
                    query.filter = read_value(value);
                    has_filter = true;
                }
                b"refresh" | b"refresh=" => query.refresh = true,
                _ => {}
            }
        }
        query.refresh &= !has_filter;
        query
    }
}

fn read_value(value: &[u8]) -> String {
    let spaced: Vec<u8> = value.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded = percent_decode(&spaced);
    to_lowercase(&String::from_utf8_lossy(&decoded).trim().chars().take(limits::QUOTED_BYTES).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_as_browsers_write_them() {
        let cases: [(&str, &str, bool); 15] = [
            ("/", "", false),
            ("/?", "", false),
            ("/?q=", "", false),
            ("/?q=192.168.1.44", "192.168.1.44", false),
            ("/?q=up+to+date", "up to date", false),
            ("/?q=up%20to%20date+", "up to date", false),
            ("/?q=%D0%9C%D0%BE%D0%BB%D1%87%D0%B8%D1%82", "молчит", false),
            ("/?q=%FF", "\u{fffd}", false),
            ("/?q=a&q=b", "a", false),
            ("/?x=1&q=a", "a", false),
            ("/?refresh", "", true),
            ("/?refresh=", "", true),
            ("/?q=&refresh", "", false),
            ("/?refresh&q=a", "a", false),
            ("http://gateway/?q=a?b", "a?b", false),
        ];
        for (target, filter, refresh) in cases {
            assert_eq!(Query::read(target.as_bytes()), Query { filter: filter.to_owned(), refresh }, "{target}");
        }
        let long = format!("/?q={}", "%D0%B0".repeat(1000));
        assert_eq!(Query::read(long.as_bytes()).filter.chars().count(), limits::QUOTED_BYTES);
    }
}
