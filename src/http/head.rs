//! The request head: a parser that takes it line by line as it arrives, strict as RFC 9112 allows.
//!
//! Leniency is what request smuggling lives on: two parsers on a path that read the same bytes differently. So a line ends in
//! CRLF only, a colon stands right behind its field name, nothing is folded, and what frames the body is unambiguous.

use super::chars;
use super::host;
use super::request::{Framing, Request};
use super::response::Status;
use super::target::{self, Span, Target};
use crate::limits;
use crate::text::parse_digits;

/// Why a request is refused before any route sees it. The connection is closed after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub status: Status,
    /// One line for the caller.
    pub reason: &'static str,
}

impl Refusal {
    /// 400 with a reason.
    pub const fn bad(reason: &'static str) -> Refusal {
        Refusal { status: Status::BadRequest, reason }
    }

    const fn new(status: Status, reason: &'static str) -> Refusal {
        Refusal { status, reason }
    }
}

/// A field line's name and value as positions in the head; the value without white space around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name as sent; names compare without regard to case.
    pub name: Span,
    /// The value.
    pub value: Span,
}

/// A parsed request head. All positions are in the bytes it was parsed from.
#[derive(Debug, Default)]
pub struct Head {
    /// The method as sent (methods are case-sensitive).
    pub method: Span,
    /// The request target.
    pub target: Target,
    /// 1 for HTTP/1.1 and any later 1.x, 0 for HTTP/1.0.
    pub minor_version: u8,
    /// The fields in their order.
    pub fields: Vec<Field>,
    /// How the body is framed.
    pub framing: Framing,
    /// The client asks to keep the connection, or its version means so.
    pub keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Length of the head with its last empty line, and with an empty line in front if there was one.
    pub length: usize,
}

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

    /// What can be told of the request target, for the answer to a refused request: the path, or what stands where the target
    /// should.
    pub fn target_so_far<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        if self.has_request_line {
            return &bytes[self.head.target.path.clone()];
        }
        let line = bytes[self.line.min(bytes.len())..].split(|byte| *byte == b'\r').next().unwrap_or_default();
        let start = line.iter().position(|byte| *byte == b' ').map_or(0, |at| at + 1);
        let target = line[start..].split(|byte| *byte == b' ').next().unwrap_or_default();
        &target[..target.len().min(limits::TARGET_BYTES)]
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
        self.head.target = target::parse(bytes, line.start + first + 1..line.start + last, &bytes[method.clone()])
            .ok_or(Refusal::bad("the request target is not a path or an http URL"))?;
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
        if !value.iter().all(|byte| chars::is(*byte, chars::FIELD_VALUE)) {
            return Err(Refusal::bad("control character in a header field value"));
        }
        let skipped = text[colon + 1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let start = line.start + colon + 1 + if value.is_empty() { 0 } else { skipped };
        self.head.fields.push(Field { name: line.start..line.start + colon, value: start..start + value.len() });
        Ok(())
    }

    fn finish(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let request = Request { bytes, head: &self.head, body: &[] };
        let is_http11 = self.head.minor_version > 0;
        check_host(&request, is_http11)?;
        let framing = read_framing(&request, is_http11)?;
        let expects_continue = read_expectation(&request)? && is_http11;
        let keep_alive = read_persistence(&request, is_http11);
        self.head = Head { framing, expects_continue, keep_alive, ..std::mem::take(&mut self.head) };
        Ok(())
    }
}

/// HTTP/1.1 has exactly one valid Host, even where an absolute-form overrides it (RFC 9112 §3.2).
fn check_host(request: &Request<'_>, is_http11: bool) -> Result<(), Refusal> {
    let mut hosts = request.fields("host");
    match (hosts.next(), hosts.next()) {
        (None, _) if is_http11 => Err(Refusal::bad("HTTP/1.1 needs a Host")),
        (Some(_), Some(_)) => Err(Refusal::bad("more than one Host")),
        (Some(value), None) if !host::is_valid(value) => Err(Refusal::bad("Host is not a host name or address")),
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

const TARGET_TOO_LONG: Refusal = Refusal::new(Status::TargetTooLong, "the request target is longer than 4 KiB");

/// How the body is framed (RFC 9112 §6). Every doubt is refused: each is a known way to smuggle a request.
fn read_framing(request: &Request<'_>, is_http11: bool) -> Result<Framing, Refusal> {
    let mut codings = request.fields("transfer-encoding");
    let mut lengths = request.fields("content-length");
    let (coding, length) = (codings.next(), lengths.next());
    if codings.next().is_some() || lengths.next().is_some() {
        return Err(Refusal::bad("Transfer-Encoding or Content-Length given twice"));
    }
    match (coding, length) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(_), Some(_)) => Err(Refusal::bad("both Transfer-Encoding and Content-Length")),
        (Some(_), None) if !is_http11 => Err(Refusal::bad("Transfer-Encoding in HTTP/1.0")),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        (Some(coding), None) => {
            // §6.3: without chunked as the last coding the length is unknown. §6.1: an unknown coding is 501.
            let ends_chunked = chars::list(coding).last().is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"));
            let knows_others = chars::list(coding).all(|coding| coding.eq_ignore_ascii_case(b"chunked"));
            if coding.is_empty() || !chars::list(coding).all(|coding| chars::all(coding, chars::TCHAR)) || knows_others {
                Err(Refusal::bad("Transfer-Encoding is not exactly \"chunked\""))
            } else if ends_chunked || chars::list(coding).count() == 1 {
                Err(Refusal::new(Status::NotImplemented, "no Transfer-Encoding but \"chunked\" is understood"))
            } else {
                Err(Refusal::bad("chunked is not the last Transfer-Encoding"))
            }
        }
        (None, Some(length)) => {
            // Digits, once, no leading zero: `0200` is 200 to one parser and 128 to another.
            let unambiguous = length == b"0" || !length.starts_with(b"0");
            match parse_digits(length).filter(|_| unambiguous) {
                Some(length) if length <= limits::BODY_BYTES as u64 => Ok(Framing::Length(length as usize)),
                Some(_) => Err(BODY_TOO_LONG),
                // Digits that overflow 64 bits are still digits.
                None if unambiguous && !length.is_empty() && length.iter().all(u8::is_ascii_digit) => Err(BODY_TOO_LONG),
                None => Err(Refusal::bad("Content-Length is not a decimal number")),
            }
        }
    }
}

/// 413.
pub const BODY_TOO_LONG: Refusal = Refusal::new(Status::ContentTooLarge, "the request body is longer than 64 KiB");

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_is_known_of_the_target_is_told_after_a_refusal() {
        let cases = [
            ("GET /firmware/a HTTP/9.9\r\n", "/firmware/a"),
            ("GET /firmware/a HTTP/1.1\r\nX\r\n", "/firmware/a"),
            ("GET /firmware/a b HTTP/1.1\r\n", "/firmware/a"),
            ("\0", "\0"),
            ("GET\n", "GET\n"),
        ];
        for (text, target) in cases {
            let mut parser = HeadParser::default();
            assert!(parser.advance(text.as_bytes()).is_err(), "{text:?}");
            assert_eq!(parser.target_so_far(text.as_bytes()), target.as_bytes(), "{text:?}");
        }
    }
}
