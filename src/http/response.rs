//! Status codes and the head of a response.

use std::borrow::Cow;

use super::date;
use crate::limits;
use crate::text::write_decimal;

/// The statuses this server answers with (RFC 9110 §15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
#[allow(missing_docs, reason = "the names are the RFC's")]
pub enum Status {
    Ok = 200,
    NoContent = 204,
    PartialContent = 206,
    NotModified = 304,
    BadRequest = 400,
    Forbidden = 403,
    NotFound = 404,
    MethodNotAllowed = 405,
    RequestTimeout = 408,
    PreconditionFailed = 412,
    ContentTooLarge = 413,
    TargetTooLong = 414,
    RangeNotSatisfiable = 416,
    ExpectationFailed = 417,
    FieldsTooLarge = 431,
    InternalError = 500,
    NotImplemented = 501,
    ServiceUnavailable = 503,
    VersionNotSupported = 505,
}

impl Status {
    /// The number.
    pub fn code(self) -> u16 {
        self as u16
    }

    /// 4xx or 5xx.
    pub fn is_error(self) -> bool {
        self.code() >= 400
    }

    fn phrase(self) -> &'static str {
        match self {
            Status::Ok => "OK",
            Status::NoContent => "No Content",
            Status::PartialContent => "Partial Content",
            Status::NotModified => "Not Modified",
            Status::BadRequest => "Bad Request",
            Status::Forbidden => "Forbidden",
            Status::NotFound => "Not Found",
            Status::MethodNotAllowed => "Method Not Allowed",
            Status::RequestTimeout => "Request Timeout",
            Status::PreconditionFailed => "Precondition Failed",
            Status::ContentTooLarge => "Content Too Large",
            Status::TargetTooLong => "URI Too Long",
            Status::RangeNotSatisfiable => "Range Not Satisfiable",
            Status::ExpectationFailed => "Expectation Failed",
            Status::FieldsTooLarge => "Request Header Fields Too Large",
            Status::InternalError => "Internal Server Error",
            Status::NotImplemented => "Not Implemented",
            Status::ServiceUnavailable => "Service Unavailable",
            Status::VersionNotSupported => "HTTP Version Not Supported",
        }
    }
}

/// A header field of a response. The values are ours: nothing a client sent goes into one.
pub type Field = (&'static str, Cow<'static, str>);

/// What stands in the head of a response besides its own fields.
pub struct ResponseHead<'a> {
    /// The status.
    pub status: Status,
    /// Seconds since 1970, if the clock can be believed (RFC 9110 §6.6.1: without a clock no `Date`).
    pub now: Option<u64>,
    /// Whether the connection stays open.
    pub keep_alive: bool,
    /// `Content-Length`; `None` for 204 and 304, which have no body to measure.
    pub content_length: Option<u64>,
    /// The reply's own fields.
    pub fields: &'a [Field],
}

impl ResponseHead<'_> {
    /// Appends the status line, the fields and the empty line.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"HTTP/1.1 ");
        write_decimal(out, u64::from(self.status.code()), 3);
        out.push(b' ');
        out.extend_from_slice(self.status.phrase().as_bytes());
        out.extend_from_slice(b"\r\nServer: susv\r\n");
        if let Some(now) = self.now {
            out.extend_from_slice(b"Date: ");
            date::write(out, now);
            out.extend_from_slice(b"\r\n");
        }
        for (name, value) in self.fields {
            for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
        if let Some(length) = self.content_length {
            out.extend_from_slice(b"Content-Length: ");
            write_decimal(out, length, 1);
            out.extend_from_slice(b"\r\n");
        }
        if self.keep_alive {
            out.extend_from_slice(b"Connection: keep-alive\r\nKeep-Alive: timeout=");
            write_decimal(out, u64::from(limits::ANNOUNCED_IDLE_SECONDS), 1);
            out.extend_from_slice(b"\r\n\r\n");
        } else {
            out.extend_from_slice(b"Connection: close\r\n\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_written_with_and_without_clock_length_and_keep_alive() {
        let mut out = Vec::new();
        let fields = [("ETag", "\"x\"".into())];
        ResponseHead { status: Status::Ok, now: Some(0), keep_alive: true, content_length: Some(26), fields: &fields }
            .write_to(&mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "HTTP/1.1 200 OK\r\nServer: susv\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nETag: \"x\"\r\nContent-Length: 26\r\n\
             Connection: keep-alive\r\nKeep-Alive: timeout=15\r\n\r\n"
        );
        out.clear();
        let head = ResponseHead { status: Status::NotModified, now: None, keep_alive: false, content_length: None, fields: &[] };
        head.write_to(&mut out);
        assert_eq!(String::from_utf8_lossy(&out), "HTTP/1.1 304 Not Modified\r\nServer: susv\r\nConnection: close\r\n\r\n");
    }
}
