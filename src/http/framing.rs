//! How the body of a request is framed (RFC 9112 §6). Every doubt is refused: each is a known way to smuggle a request.

use super::chars;
use super::refusal::{BODY_TOO_LONG, Refusal};
use super::response::Status;
use crate::limits;
use crate::text::parse_digits;

/// How long the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes; 0 without `Content-Length`.
    Length(usize),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

impl Default for Framing {
    fn default() -> Self {
        Framing::Length(0)
    }
}

/// The framing that the values of all `Transfer-Encoding` and all `Content-Length` fields mean.
pub fn read<'a>(
    mut codings: impl Iterator<Item = &'a [u8]>,
    mut lengths: impl Iterator<Item = &'a [u8]>,
    is_http11: bool,
) -> Result<Framing, Refusal> {
    let (coding, length) = (codings.next(), lengths.next());
    if codings.next().is_some() || lengths.next().is_some() {
        return Err(Refusal::bad("Transfer-Encoding or Content-Length given twice"));
    }
    match (coding, length) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(_), Some(_)) => Err(Refusal::bad("both Transfer-Encoding and Content-Length")),
        (Some(_), None) if !is_http11 => Err(Refusal::bad("Transfer-Encoding in HTTP/1.0")),
        (Some(coding), None) => read_coding(coding),
        (None, Some(length)) => read_length(length),
    }
}

/// `chunked` and nothing else.
fn read_coding(value: &[u8]) -> Result<Framing, Refusal> {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if is_chunked(value) {
        return Ok(Framing::Chunked);
    }
    // §6.3: without chunked as the last coding the length is unknown. §6.1: an unknown coding is 501.
    let are_tokens = !value.is_empty() && chars::list(value).all(|coding| chars::all(coding, chars::TCHAR));
    if !are_tokens || chars::list(value).all(is_chunked) {
        Err(Refusal::bad("Transfer-Encoding is not exactly \"chunked\""))
    } else if chars::list(value).last().is_some_and(is_chunked) || chars::list(value).count() == 1 {
        Err(Refusal::new(Status::NotImplemented, "no Transfer-Encoding but \"chunked\" is understood"))
    } else {
        Err(Refusal::bad("chunked is not the last Transfer-Encoding"))
    }
}

/// Digits and nothing else (RFC 9110 §8.6); leading zeros are digits.
fn read_length(value: &[u8]) -> Result<Framing, Refusal> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::bad("Content-Length is not a decimal number"));
    }
    // Digits that overflow 64 bits are still digits.
    let length = parse_digits(value).and_then(|length| usize::try_from(length).ok());
    length.filter(|length| *length <= limits::BODY_BYTES).map(Framing::Length).ok_or(BODY_TOO_LONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_is_one_length_or_chunked_alone() {
        /// Values of Transfer-Encoding and of Content-Length, and the framing or the status of the refusal.
        type Case = (&'static [&'static str], &'static [&'static str], Result<Framing, u16>);
        let cases: [Case; 17] = [
            (&[], &[], Ok(Framing::Length(0))),
            (&[], &["0"], Ok(Framing::Length(0))),
            (&[], &["28"], Ok(Framing::Length(28))),
            (&[], &["028"], Ok(Framing::Length(28))),
            (&[], &["0000000000000000000000000000000028"], Ok(Framing::Length(28))),
            (&[], &["16384"], Ok(Framing::Length(16384))),
            (&[], &["16385"], Err(413)),
            (&[], &["18446744073709551644"], Err(413)),
            (&[], &["+28"], Err(400)),
            (&[], &[""], Err(400)),
            (&[], &["28", "28"], Err(400)),
            (&[], &["28, 28"], Err(400)),
            (&["Chunked"], &[], Ok(Framing::Chunked)),
            (&["chunked"], &["28"], Err(400)),
            (&["chunked, chunked"], &[], Err(400)),
            (&["gzip, chunked"], &[], Err(501)),
            (&["chunked, gzip"], &[], Err(400)),
        ];
        let bytes = |values: &'static [&'static str]| values.iter().map(|value| value.as_bytes());
        for (codings, lengths, expected) in cases {
            let found = read(bytes(codings), bytes(lengths), true).map_err(|refusal| refusal.status.code());
            assert_eq!(found, expected, "{codings:?} {lengths:?}");
        }
        assert!(read(bytes(&["chunked"]), bytes(&[]), false).is_err(), "HTTP/1.0");
    }
}
