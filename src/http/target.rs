//! Request targets (RFC 9112 §3.2): origin-form, absolute-form, and `*` with OPTIONS.

use super::chars;
use super::host;
use super::refusal::Refusal;
use super::response::Status;

/// Byte positions in the request head.
pub type Span = std::ops::Range<usize>;

/// Where the parts of a request target stand in the head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// All of it.
    pub whole: Span,
    /// The authority of an absolute-form; it replaces `Host` (RFC 9112 §3.2.2).
    pub authority: Option<Span>,
    /// The path with its leading `/`, still percent-encoded; `*` for the asterisk-form; empty for `http://host`.
    pub path: Span,
}

/// Finds the parts of the target that stands at `whole` of `head`.
pub fn parse(head: &[u8], whole: Span, method: &[u8]) -> Result<Target, Refusal> {
    const BAD: Refusal = Refusal::bad("the request target is not a path or an http URL");
    let text = head.get(whole.clone()).unwrap_or_default();
    if !chars::all(text, chars::TARGET) {
        return Err(BAD);
    }
    match text {
        b"*" if method == b"OPTIONS" => Ok(Target { authority: None, path: whole.clone(), whole }),
        [b'/', ..] => Ok(Target { authority: None, path: path_until_query(head, whole.start, whole.end), whole }),
        _ => match find_authority(text) {
            Some(authority) if host::is_valid(&text[authority.clone()]) && !authority.is_empty() => {
                let authority = whole.start + authority.start..whole.start + authority.end;
                Ok(Target { path: path_until_query(head, authority.end, whole.end), authority: Some(authority), whole })
            }
            // The authority-form: we are no proxy (RFC 9110 §9.3.6).
            None if method == b"CONNECT" && host::is_valid(text) => {
                Err(Refusal::new(Status::NotImplemented, "this server makes no tunnels"))
            }
            _ => Err(BAD),
        },
    }
}

fn path_until_query(head: &[u8], start: usize, end: usize) -> Span {
    let path = &head[start..end];
    start..start + path.iter().position(|byte| *byte == b'?').unwrap_or(path.len())
}

/// Where the authority of an absolute-form stands. Only `http`: this server speaks no other scheme (RFC 9110 §7.4).
fn find_authority(target: &[u8]) -> Option<Span> {
    const SCHEME: &[u8] = b"http://";
    let (scheme, rest) = target.split_at_checked(SCHEME.len())?;
    let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    scheme.eq_ignore_ascii_case(SCHEME).then_some(SCHEME.len()..SCHEME.len() + length)
}

/// The path and the query of a target of either form, whether or not it is valid.
pub fn strip_authority(target: &[u8]) -> &[u8] {
    find_authority(target).map_or(target, |authority| &target[authority.end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_split_or_refused() {
        /// Method, target, and the authority and path expected or the status of the refusal.
        type Case = (&'static str, &'static str, Result<(&'static str, &'static str), u16>);
        let cases: [Case; 25] = [
            ("GET", "/", Ok(("", "/"))),
            ("GET", "/version?x=1/2", Ok(("", "/version"))),
            ("GET", "//a/b", Ok(("", "//a/b"))),
            ("GET", "http://host:1/version?x", Ok(("host:1", "/version"))),
            ("GET", "http://host:/version", Ok(("host:", "/version"))),
            ("GET", "HTTP://host", Ok(("host", ""))),
            ("GET", "http://host?x", Ok(("host", ""))),
            ("OPTIONS", "*", Ok(("", "*"))),
            ("GET", "*", Err(400)),
            ("GET", "**", Err(400)),
            ("OPTIONS", "*x", Err(400)),
            ("GET", "", Err(400)),
            ("GET", "version", Err(400)),
            ("GET", "https://host/", Err(400)),
            ("GET", "http:///version", Err(400)),
            ("GET", "http://", Err(400)),
            ("GET", "http://?x", Err(400)),
            ("GET", "http://user@host/", Err(400)),
            ("GET", "host:443", Err(400)),
            ("CONNECT", "host:443", Err(501)),
            ("CONNECT", "[::1]:443", Err(501)),
            ("CONNECT", "user@host:443", Err(400)),
            ("GET", "/a#b", Err(400)),
            ("GET", "/прошивка", Err(400)),
            ("GET", "/a\tb", Err(400)),
        ];
        for (method, text, expected) in cases {
            let head = format!("....{text}");
            let target = parse(head.as_bytes(), 4..head.len(), method.as_bytes());
            let parts = target.map(|target| {
                assert_eq!(target.whole, 4..head.len());
                (target.authority.map_or("", |span| &head[span]), &head[target.path])
            });
            assert_eq!(parts.map_err(|refusal| refusal.status.code()), expected, "{method} {text}");
        }
    }

    #[test]
    fn what_follows_the_authority_is_found_in_any_target() {
        for (target, rest) in [
            ("/a?b", "/a?b"),
            ("http://host/a?b", "/a?b"),
            ("HTTP://ho st/a", "/a"),
            ("http://host", ""),
            ("http:/", "http:/"),
            ("", ""),
        ] {
            assert_eq!(strip_authority(target.as_bytes()), rest.as_bytes(), "{target}");
        }
    }
}
