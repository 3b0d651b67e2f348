//! Conditional requests (RFC 9110 §13).

use super::date;
use super::request::Request;

/// What identifies the current state of a file.
pub struct Validators<'a> {
    /// A strong entity tag with its quotes.
    pub etag: &'a str,
    /// Last modification in seconds since 1970, as announced in `Last-Modified`.
    pub modified: u64,
}

/// Result of the preconditions of a GET or HEAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Answer as if there were none.
    Proceed,
    /// 304.
    NotModified,
    /// 412.
    Failed,
}

/// Evaluates the preconditions in the order of §13.2.2.
pub fn evaluate(request: &Request<'_>, current: &Validators<'_>, now: Option<u64>) -> Outcome {
    let date_of = |name| request.field(name).and_then(|value| date::parse(value, now));

    if request.fields("if-match").next().is_some() {
        if !request.fields("if-match").any(|value| lists(value, current.etag, Comparison::Strong)) {
            return Outcome::Failed;
        }
    } else if date_of("if-unmodified-since").is_some_and(|date| current.modified > date) {
        return Outcome::Failed;
    }

    let not_modified = if request.fields("if-none-match").next().is_some() {
        request.fields("if-none-match").any(|value| lists(value, current.etag, Comparison::Weak))
    } else {
        date_of("if-modified-since").is_some_and(|date| current.modified <= date)
    };
    if not_modified { Outcome::NotModified } else { Outcome::Proceed }
}

/// Whether a `Range` may be honoured: of a GET only (§14.2), without `If-Range` or if that is the entity tag of the current
/// state (§13.1.5). A date in `If-Range` is never believed: two builds may share it, and the client would put together half of
/// each.
pub fn allows_range(request: &Request<'_>, current: &Validators<'_>) -> bool {
    let is_current = match request.fields("if-range").next() {
        None => true,
        Some(_) => request.field("if-range") == Some(current.etag.as_bytes()),
    };
    is_current && request.method() == b"GET"
}

#[derive(Clone, Copy, PartialEq)]
enum Comparison {
    /// `W/` matches nothing.
    Strong,
    /// `W/` is ignored.
    Weak,
}

/// Whether a list of entity tags, or `*`, holds `etag`. Tags may hold commas, so the list is not simply split; what follows a
/// malformed element is not looked at.
fn lists(mut value: &[u8], etag: &str, comparison: Comparison) -> bool {
    if value == b"*" {
        return true;
    }
    loop {
        while let [b',' | b' ' | b'\t', rest @ ..] = value {
            value = rest;
        }
        let (is_weak, tag) = match value.strip_prefix(b"W/") {
            Some(tag) => (true, tag),
            None => (false, value),
        };
        let Some(content) = tag.strip_prefix(b"\"") else { return false };
        let Some(length) = content.iter().position(|byte| *byte == b'"') else { return false };
        let (tag, rest) = tag.split_at(length + 2);
        if tag == etag.as_bytes() && !(is_weak && comparison == Comparison::Strong) {
            return true;
        }
        value = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head::HeadParser;

    const MODIFIED: u64 = 1_516_883_696;
    const SAME: &str = "Thu, 25 Jan 2018 12:34:56 GMT";
    const EARLIER: &str = "Thu, 25 Jan 2018 12:34:55 GMT";

    fn with_request<T>(method: &str, fields: &str, test: impl FnOnce(&Request<'_>, &Validators<'_>) -> T) -> T {
        let text = format!("{method} / HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        let head = HeadParser::default().advance(text.as_bytes()).expect("valid").expect("complete");
        let request = Request { bytes: text.as_bytes(), head: &head, body: &[] };
        test(&request, &Validators { etag: "\"a,b\"", modified: MODIFIED })
    }

    #[test]
    fn preconditions_are_evaluated_in_the_order_of_the_rfc() {
        use Outcome::{Failed, NotModified, Proceed};
        let cases = [
            ("", Proceed),
            ("If-Match: \"a,b\"\r\n", Proceed),
            ("If-Match: *\r\n", Proceed),
            ("If-Match: \"x\", \"a,b\"\r\n", Proceed),
            ("If-Match: \"x\"\r\nIf-Match: \"a,b\"\r\n", Proceed),
            ("If-Match: W/\"a,b\"\r\n", Failed),
            ("If-Match: \"x\"\r\n", Failed),
            ("If-Match: a,b\r\n", Failed),
            ("If-Match:\r\n", Failed),
            ("If-Match: \"a,b\"\r\nIf-Unmodified-Since: {EARLIER}\r\n", Proceed),
            ("If-Unmodified-Since: {SAME}\r\n", Proceed),
            ("If-Unmodified-Since: {EARLIER}\r\n", Failed),
            ("If-Unmodified-Since: yesterday\r\n", Proceed),
            ("If-None-Match: \"a,b\"\r\n", NotModified),
            ("If-None-Match: W/\"a,b\"\r\n", NotModified),
            ("If-None-Match: \"x\" , ,W/\"a,b\"\r\n", NotModified),
            ("If-None-Match: *\r\n", NotModified),
            ("If-None-Match: \"x\"\r\n", Proceed),
            ("If-None-Match: a,b\r\n", Proceed),
            ("If-None-Match:\r\n", Proceed),
            ("If-None-Match: \"x\"\r\nIf-Modified-Since: {SAME}\r\n", Proceed),
            ("If-None-Match: \"a,b\"\r\nIf-Modified-Since: {EARLIER}\r\n", NotModified),
            ("If-Modified-Since: {SAME}\r\n", NotModified),
            ("If-Modified-Since: {EARLIER}\r\n", Proceed),
            ("If-Modified-Since: {SAME}\r\nIf-Modified-Since: {SAME}\r\n", Proceed),
            ("If-Match: \"x\"\r\nIf-None-Match: \"a,b\"\r\n", Failed),
        ];
        for (fields, outcome) in cases {
            let fields = fields.replace("{SAME}", SAME).replace("{EARLIER}", EARLIER);
            let found = with_request("GET", &fields, |request, current| evaluate(request, current, None));
            assert_eq!(found, outcome, "{fields:?}");
        }
    }

    #[test]
    fn ranges_are_honoured_only_for_the_state_the_client_knows() {
        let cases = [
            ("", true),
            ("If-Range: \"a,b\"\r\n", true),
            ("If-Range: W/\"a,b\"\r\n", false),
            ("If-Range: \"x\"\r\n", false),
            ("If-Range: \"a,b\"\r\nIf-Range: \"x\"\r\n", false),
            ("If-Range: \"a,b\"\r\nIf-Range: \"a,b\"\r\n", false),
            ("If-Range: {SAME}\r\n", false),
            ("If-Range: {EARLIER}\r\n", false),
            ("If-Range:\r\n", false),
        ];
        for (fields, allowed) in cases {
            let fields = fields.replace("{SAME}", SAME).replace("{EARLIER}", EARLIER);
            assert_eq!(with_request("GET", &fields, allows_range), allowed, "{fields:?}");
            assert!(!with_request("HEAD", &fields, allows_range), "HEAD with {fields:?}");
        }
    }
}
