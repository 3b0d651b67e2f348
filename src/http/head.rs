//! The request head: a parser that takes it line by line as it arrives, strict as RFC 9112 allows.
//!
//! Leniency is what request smuggling lives on: two parsers on a path that read the same bytes differently. So a line ends in
//! CRLF only, a colon stands right behind its field name, nothing is folded, and what frames the body is unambiguous.

use super::chars;
use super::framing;
use super::host;
use super::refusal::{Refusal, RequestLine};
use super::request::{Field, Head, Request};
use super::response::Status;
use super::target::{self, Span};
use crate::limits;

/// Reads one head. Give it all bytes received so far, from the message's first; it remembers how far it has read.
#[derive(Debug, Default)]
pub struct HeadParser {
    head: Head,
    /// Bytes looked at.
    scanned: usize,
    /// Start of the line being read.
    line: usize,
    has_request_line: bool,
    skipped_empty_line: bool,
}

impl HeadParser {
    /// `Ok(None)`: more bytes are needed. `Ok(Some(head))`: complete, `head.length` bytes are used up; the parser is spent.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<Option<Head>, Refusal> {
        let end = bytes.len().min(limits::HEAD_BYTES);
        while let Some(rest) = bytes.get(self.scanned..end).filter(|rest| !rest.is_empty()) {
            let follows_cr = self.scanned > self.line && bytes[self.scanned - 1] == b'\r';
            let plain = rest.iter().take_while(|byte| chars::is(**byte, chars::FIELD_VALUE)).count();
            self.scanned += plain.max(1);
            match rest[0] {
                b'\n' if follows_cr => {
                    let line = self.line..self.scanned - 2;
                    let is_last = self.take_line(bytes, line)?;
                    self.line = self.scanned;
                    if is_last {
                        self.head.length = self.scanned;
                        self.finish(bytes)?;
                        return Ok(Some(std::mem::take(&mut self.head)));
                    }
                }
                b'\n' => return Err(Refusal::bad("a line ends in LF without CR")),
                _ if follows_cr => return Err(Refusal::bad("CR without LF")),
                b'\r' => {}
                _ if plain > 0 => {}
                // At once: a TLS greeting or other binary noise has no line end to wait for.
                _ => return Err(Refusal::bad("control character in the request head")),
            }
        }
        if end < limits::HEAD_BYTES {
            return Ok(None);
        }
        let too_long = if self.has_request_line {
            Refusal::new(Status::FieldsTooLarge, "the request head is longer than 16 KiB")
        } else if bytes[self.line..end].contains(&b' ') {
            TARGET_TOO_LONG
        } else {
            Refusal::new(Status::NotImplemented, "no method is that long")
        };
        Err(too_long)
    }

    /// Whether anything of a request has come; `bytes` as for `advance`. Old clients send an empty line after a body (RFC 9112
    /// §2.2): that alone is no request whose rest is awaited, and the connection is idle.
    pub fn has_begun(&self, bytes: &[u8]) -> bool {
        self.has_request_line || !matches!(bytes, b"" | b"\r" | b"\r\n")
    }

    /// What is known of the request line, for the answer to a request that is refused or does not arrive; `bytes` as for
    /// `advance`.
    pub fn request_line(&self, bytes: &[u8]) -> RequestLine {
        if self.has_request_line {
            return self.head.request_line(bytes);
        }
        let line = bytes.get(self.line..).unwrap_or_default();
        let line = line.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let (method, rest) = match line.iter().position(|byte| *byte == b' ') {
            Some(space) => (&line[..space], &line[space + 1..]),
            None => (line, &line[line.len()..]),
        };
        if !chars::all(method, chars::TCHAR) {
            // No method: then the target may stand anywhere.
            return RequestLine { method: Vec::new(), target: line.to_vec() };
        }
        let target = match rest.iter().rposition(|byte| *byte == b' ') {
            Some(space) if rest[space + 1..].starts_with(b"HTTP/") => &rest[..space],
            _ => rest,
        };
        RequestLine { method: method.to_vec(), target: target.to_vec() }
    }

    /// Takes one complete line. True if it was the empty one behind the fields.
    fn take_line(&mut self, bytes: &[u8], line: Span) -> Result<bool, Refusal> {
        if self.has_request_line {
            if line.is_empty() {
                return Ok(true);
            }
            self.take_field(bytes, line)?;
        } else if line.is_empty() && !self.skipped_empty_line {
            // RFC 9112 §2.2: at least one empty line before the request line is ignored; old clients sent one behind a body.
            self.skipped_empty_line = true;
        } else {
            self.take_request_line(bytes, line)?;
            self.has_request_line = true;
        }
        Ok(false)
    }

    /// `METHOD SP target SP HTTP/1.x`, exactly (RFC 9112 §3).
    fn take_request_line(&mut self, bytes: &[u8], line: Span) -> Result<(), Refusal> {
        let text = &bytes[line.clone()];
        let first = text.iter().position(|byte| *byte == b' ');
        let last = text.iter().rposition(|byte| *byte == b' ');
        let (Some(first), Some(last)) = (first, last.filter(|last| Some(*last) != first)) else {
            return Err(Refusal::bad("the request line is not METHOD SP target SP version"));
        };

        let method = line.start..line.start + first;
        if !chars::all(&bytes[method.clone()], chars::TCHAR) {
            return Err(Refusal::bad("the method is not a token"));
        }
        self.head.minor_version = match &text[last + 1..] {
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'] => 0,
            // A later 1.x is answered as 1.1 (RFC 9110 §2.5).
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9'] => 1,
            [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
                return Err(Refusal::new(Status::VersionNotSupported, "this server speaks HTTP/1.1"));
            }
            _ => return Err(Refusal::bad("the version is not HTTP/1.1")),
        };
        if last - first - 1 > limits::TARGET_BYTES {
            return Err(TARGET_TOO_LONG);
        }
        self.head.target = target::parse(bytes, line.start + first + 1..line.start + last, &bytes[method.clone()])?;
        self.head.method = method;
        Ok(())
    }

    /// `name ":" OWS value OWS` (RFC 9112 §5). White space before the colon or the name (a folded line) is refused by the
    /// name's characters: both are how requests are smuggled past a proxy (§5.1, §5.2).
    fn take_field(&mut self, bytes: &[u8], line: Span) -> Result<(), Refusal> {
        if self.head.fields.len() == limits::HEAD_FIELDS {
            return Err(Refusal::new(Status::FieldsTooLarge, "more than 100 header fields"));
        }
        if self.head.fields.is_empty() {
            // One allocation for all that registrars and scripts send.
            self.head.fields.reserve(16);
        }
        let text = &bytes[line.clone()];
        let colon = text.iter().position(|byte| *byte == b':').ok_or(Refusal::bad("a header line without a colon"))?;
        if !chars::all(&text[..colon], chars::TCHAR) {
            return Err(Refusal::bad("a header field name is not a token with its colon glued on"));
        }
        let value = chars::trim(&text[colon + 1..]);
        let skipped = text[colon + 1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let start = line.start + colon + 1 + if value.is_empty() { 0 } else { skipped };
        self.head.fields.push(Field { name: line.start..line.start + colon, value: start..start + value.len() });
        Ok(())
    }

    fn finish(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let request = Request { bytes, head: &self.head, body: &[] };
        let is_http11 = self.head.minor_version > 0;
        check_host(&request, is_http11)?;
        let (codings, lengths) = (request.fields("transfer-encoding"), request.fields("content-length"));
        let framing = framing::read(codings, lengths, is_http11)?;
        let expects_continue = read_expectation(&request)? && is_http11;
        let keep_alive = read_persistence(&request, is_http11);
        self.head = Head { framing, expects_continue, keep_alive, ..std::mem::take(&mut self.head) };
        Ok(())
    }
}

/// HTTP/1.1 has exactly one valid Host, even where an absolute-form overrides it (RFC 9112 §3.2); it may be empty.
fn check_host(request: &Request<'_>, is_http11: bool) -> Result<(), Refusal> {
    let mut hosts = request.fields("host");
    match (hosts.next(), hosts.next()) {
        (None, _) if is_http11 => Err(Refusal::bad("HTTP/1.1 needs a Host")),
        (Some(_), Some(_)) => Err(Refusal::bad("more than one Host")),
        (Some(value), None) if !value.is_empty() && !host::is_valid(value) => {
            Err(Refusal::bad("Host is not a host name or address"))
        }
        _ => Ok(()),
    }
}

/// Whether the client waits for `100 Continue`; HTTP/1.0 clients do not know it (RFC 9110 §10.1.1).
fn read_expectation(request: &Request<'_>) -> Result<bool, Refusal> {
    let mut expects_continue = false;
    for value in request.fields("expect") {
        if !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal::new(Status::ExpectationFailed, "Expect is not 100-continue"));
        }
        expects_continue = true;
    }
    Ok(expects_continue)
}

/// Whether the connection may live on (RFC 9112 §9.3).
fn read_persistence(request: &Request<'_>, is_http11: bool) -> bool {
    let (mut close, mut keep) = (false, false);
    for option in request.fields("connection").flat_map(chars::list) {
        close |= option.eq_ignore_ascii_case(b"close");
        keep |= option.eq_ignore_ascii_case(b"keep-alive");
    }
    !close && (is_http11 || keep)
}

const TARGET_TOO_LONG: Refusal = Refusal::new(Status::TargetTooLong, "the request target is longer than 8 KiB");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::framing::Framing;

    const JAVA: &str = "POST /check_firmware HTTP/1.1\r\nContent-Type: application/json\r\nbuild_date: 19.12.2017\r\n\
        Host: 127.0.0.1:8888\r\nAccept: text/html, image/gif, image/jpeg, */*; q=0.2\r\nConnection: keep-alive\r\n\
        Content-Length: 28\r\n\r\n";

    #[test]
    fn every_prefix_of_a_valid_head_needs_more_and_the_whole_is_read() {
        for step in [1, 2, 3, 7, JAVA.len()] {
            let mut parser = HeadParser::default();
            let mut end = 0;
            let head = loop {
                end = (end + step).min(JAVA.len());
                match parser.advance(&JAVA.as_bytes()[..end]) {
                    Ok(None) => assert!(end < JAVA.len()),
                    Ok(Some(head)) => break head,
                    Err(refusal) => panic!("{refusal:?} at {end}"),
                }
            };
            assert_eq!((end, head.length, head.framing), (JAVA.len(), JAVA.len(), Framing::Length(28)));
            assert!(head.keep_alive && !head.expects_continue);
            let request = Request { bytes: JAVA.as_bytes(), head: &head, body: &[] };
            assert_eq!((request.method(), request.path()), (b"POST".as_slice(), b"/check_firmware".as_slice()));
            assert_eq!(request.field("build_date"), Some(b"19.12.2017".as_slice()));
            assert_eq!((request.authority(), request.field("range")), (Some("127.0.0.1:8888"), None));
        }
    }

    #[test]
    fn what_is_known_of_the_request_line_is_told_after_a_refusal() {
        let cases = [
            ("GET /firmware/a HTTP/9.9\r\n", "GET", "/firmware/a"),
            ("HEAD /firmware/a?b HTTP/1.1\r\nX\r\n", "HEAD", "/firmware/a?b"),
            ("GET http://host/firmware/a HTTP/1.1\r\nX\r\n", "GET", "http://host/firmware/a"),
            ("\r\nHEAD /firmware/a b HTTP/1.1\r\n", "HEAD", "/firmware/a b"),
            ("GET  /firmware/a HTTP/1.1\r\n", "GET", " /firmware/a"),
            ("HEAD /firmware/a\r\n", "HEAD", "/firmware/a"),
            ("GET\t/firmware/a\tHTTP/1.1\r\n", "", "GET\t/firmware/a\tHTTP/1.1"),
            ("/firmware/a HTTP/1.1\r\n", "", "/firmware/a HTTP/1.1"),
            (" /firmware/a HTTP/1.1\r\n", "", " /firmware/a HTTP/1.1"),
            ("HEAD\n", "HEAD", ""),
            ("\0", "", "\0"),
        ];
        for (text, method, target) in cases {
            let mut parser = HeadParser::default();
            assert!(parser.advance(text.as_bytes()).is_err(), "{text:?}");
            let expected = RequestLine { method: method.into(), target: target.into() };
            assert_eq!(parser.request_line(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn an_empty_line_is_nothing_of_a_request_yet() {
        for (text, has_begun) in [("", false), ("\r", false), ("\r\n", false), ("\r\nG", true), ("\r\n\r", true), ("G", true)] {
            let mut parser = HeadParser::default();
            assert_eq!(parser.has_begun(text.as_bytes()), has_begun, "{text:?} before it is parsed");
            assert!(matches!(parser.advance(text.as_bytes()), Ok(None)), "{text:?}");
            assert_eq!(parser.has_begun(text.as_bytes()), has_begun, "{text:?}");
        }
        // The request after it is read as if it had not been there.
        let mut parser = HeadParser::default();
        assert!(matches!(parser.advance(b"\r\n"), Ok(None)));
        let text = format!("\r\n{JAVA}");
        let head = parser.advance(text.as_bytes()).expect("valid").expect("complete");
        assert_eq!((head.length, &text[head.method]), (text.len(), "POST"));
    }

    #[test]
    fn the_host_repeated_in_urls_is_the_one_received() {
        let cases = [
            ("GET / HTTP/1.1\r\nHost: gateway:8888\r\n\r\n", Some("gateway:8888")),
            ("GET / HTTP/1.1\r\nHost: gateway:\r\n\r\n", Some("gateway")),
            ("GET / HTTP/1.1\r\nHost: [fe80::1%eth0]:8888\r\n\r\n", Some("[fe80::1%eth0]:8888")),
            ("GET / HTTP/1.1\r\nHost: [fe80::1%eth0]:\r\n\r\n", Some("[fe80::1%eth0]")),
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n", None),
            ("GET / HTTP/1.0\r\n\r\n", None),
            ("GET http://other HTTP/1.1\r\nHost:\r\n\r\n", Some("other")),
        ];
        for (text, authority) in cases {
            let head = HeadParser::default().advance(text.as_bytes()).expect(text).expect(text);
            let request = Request { bytes: text.as_bytes(), head: &head, body: &[] };
            assert_eq!((request.authority(), request.path()), (authority, b"/".as_slice()), "{text:?}");
        }
    }
}
