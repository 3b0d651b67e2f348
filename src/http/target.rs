//! Request targets (RFC 9112 §3.2): origin-form, absolute-form, and `*` with OPTIONS.

use super::chars;
use super::host;

/// Byte positions in the request head.
pub type Span = std::ops::Range<usize>;

/// Where the parts of a request target stand in the head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// The authority of an absolute-form; it replaces `Host` (RFC 9112 §3.2.2).
    pub authority: Option<Span>,
    /// The path with its leading `/`, still percent-encoded; `*` for the asterisk-form; empty for `http://host`.
    pub path: Span,
}

/// Finds the parts of the target that stands at `span` of `head`. `None` if it is no target of an origin server.
pub fn parse(head: &[u8], span: Span, method: &[u8]) -> Option<Target> {
    let text = head.get(span.clone())?;
    if !chars::all(text, chars::TARGET) {
        return None;
    }
    let path_until_query = |start: usize| {
        let path = &head[start..span.end];
        start..start + path.iter().position(|byte| *byte == b'?').unwrap_or(path.len())
    };
    match text {
        b"*" => (method == b"OPTIONS").then_some(Target { authority: None, path: span }),
        [b'/', ..] => Some(Target { authority: None, path: path_until_query(span.start) }),
        _ => {
            // Only `http`: this server speaks no other scheme (RFC 9110 §7.4).
            let scheme = text.get(..7)?;
            if !scheme.eq_ignore_ascii_case(b"http://") {
                return None;
            }
            let rest = &text[7..];
            let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
            let authority = span.start + 7..span.start + 7 + length;
            host::is_valid(&head[authority.clone()])
                .then(|| Target { path: path_until_query(authority.end), authority: Some(authority) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_split_or_refused() {
        /// Method, target, and the authority and path expected.
        type Case = (&'static str, &'static str, Option<(&'static str, &'static str)>);
        let cases: [Case; 19] = [
            ("GET", "/", Some(("", "/"))),
            ("GET", "/version?x=1/2", Some(("", "/version"))),
            ("GET", "//a/b", Some(("", "//a/b"))),
            ("GET", "http://host:1/version?x", Some(("host:1", "/version"))),
            ("GET", "HTTP://host", Some(("host", ""))),
            ("GET", "http://host?x", Some(("host", ""))),
            ("OPTIONS", "*", Some(("", "*"))),
            ("GET", "*", None),
            ("GET", "**", None),
            ("OPTIONS", "*x", None),
            ("GET", "", None),
            ("GET", "version", None),
            ("GET", "https://host/", None),
            ("GET", "http:///version", None),
            ("GET", "http://user@host/", None),
            ("CONNECT", "host:443", None),
            ("GET", "/a#b", None),
            ("GET", "/прошивка", None),
            ("GET", "/a\tb", None),
        ];
        for (method, text, expected) in cases {
            let head = format!("....{text}");
            let target = parse(head.as_bytes(), 4..head.len(), method.as_bytes());
            let parts = target.map(|target| (target.authority.map_or("", |span| &head[span]), &head[target.path]));
            assert_eq!(parts, expected, "{method} {text}");
        }
    }
}
