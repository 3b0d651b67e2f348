//! The chunked transfer coding (RFC 9112 §7.1), strict: `chunk-size` is bare hexadecimal, every line ends in CRLF, extensions
//! keep to their grammar, and all that is not content is bounded.

use super::chars;
use super::refusal::{BODY_TOO_LONG, Refusal};
use super::response::Status;
use crate::limits;
use crate::text::hex_value;

/// Takes a chunked body apart as it arrives.
#[derive(Debug, Default)]
pub struct ChunkedDecoder {
    state: State,
    /// Bytes of chunk lines and trailers so far.
    overhead: usize,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// At the start of a `chunk-size` line.
    #[default]
    Size,
    /// In the content of a chunk that has so many bytes left.
    Content(usize),
    /// Behind a chunk's content: CRLF must follow.
    ContentEnd,
    /// At the start of a trailer line.
    Trailer,
}

impl ChunkedDecoder {
    /// Appends the content found in `input` to `content`. Returns how many bytes of `input` are used up and whether the body is
    /// complete; what is left over must be given again with more behind it.
    pub fn advance(&mut self, input: &[u8], content: &mut Vec<u8>) -> Result<(usize, bool), Refusal> {
        let mut used = 0;
        loop {
            let rest = &input[used..];
            match self.state {
                State::Content(left) => {
                    let piece = &rest[..left.min(rest.len())];
                    content.extend_from_slice(piece);
                    used += piece.len();
                    if piece.len() < left {
                        self.state = State::Content(left - piece.len());
                        return Ok((used, false));
                    }
                    self.state = State::ContentEnd;
                }
                State::ContentEnd => match rest {
                    [b'\r', b'\n', ..] => {
                        used += 2;
                        self.state = State::Size;
                    }
                    [] | [b'\r'] => return Ok((used, false)),
                    _ => return Err(Refusal::bad("a chunk is not followed by CRLF")),
                },
                State::Size | State::Trailer => {
                    let Some(line) = self.find_line(rest)? else { return Ok((used, false)) };
                    used += line.len() + 2;
                    self.overhead += line.len() + 2;
                    if let State::Size = self.state {
                        let size = read_chunk_size(line)?;
                        if content.len() + size > limits::BODY_BYTES {
                            return Err(BODY_TOO_LONG);
                        }
                        self.state = if size == 0 { State::Trailer } else { State::Content(size) };
                    } else if line.is_empty() {
                        return Ok((used, true));
                    } else {
                        check_trailer(line)?;
                    }
                }
            }
        }
    }

    /// The next line of `rest` without its CRLF; `None` if it has not all arrived.
    fn find_line<'a>(&self, rest: &'a [u8]) -> Result<Option<&'a [u8]>, Refusal> {
        let window = &rest[..rest.len().min(limits::CHUNK_OVERHEAD_BYTES - self.overhead.min(limits::CHUNK_OVERHEAD_BYTES))];
        let Some(end) = window.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
            if window.len() < rest.len() || self.overhead >= limits::CHUNK_OVERHEAD_BYTES {
                return Err(Refusal::new(Status::ContentTooLarge, "chunk extensions and trailers exceed 16 KiB"));
            }
            return Ok(None);
        };
        match rest[end..] {
            [b'\r', b'\n', ..] => Ok(Some(&rest[..end])),
            [b'\r'] => Ok(None),
            _ => Err(Refusal::bad("a line of a chunked body does not end in CRLF")),
        }
    }
}

/// `chunk-size [ chunk-ext ]`. A size past the body limit is 413 whatever its length: nothing overflows.
fn read_chunk_size(line: &[u8]) -> Result<usize, Refusal> {
    let digits = line.iter().take_while(|byte| hex_value(**byte).is_some()).count();
    if digits == 0 {
        return Err(Refusal::bad("a chunk size is not hexadecimal"));
    }
    check_extensions(&line[digits..])?;
    line[..digits]
        .iter()
        .filter_map(|byte| hex_value(*byte))
        .try_fold(0_usize, |size, digit| Some(size << 4 | usize::from(digit)).filter(|size| *size <= limits::BODY_BYTES))
        .ok_or(BODY_TOO_LONG)
}

/// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )` (RFC 9112 §7.1.1). They are ignored, but a parser that
/// skips whatever stands there can be made to disagree with its neighbour about where the chunk begins.
fn check_extensions(text: &[u8]) -> Result<(), Refusal> {
    const BAD: Refusal = Refusal::bad("a chunk extension is malformed");
    let skip_blanks = |text: &mut &[u8]| {
        while let [b' ' | b'\t', rest @ ..] = text {
            *text = rest;
        }
    };
    let skip_token = |text: &mut &[u8]| {
        let length = text.iter().take_while(|byte| chars::is(**byte, chars::TCHAR)).count();
        *text = &text[length..];
        if length == 0 { Err(BAD) } else { Ok(()) }
    };
    let mut rest = text;
    while !rest.is_empty() {
        skip_blanks(&mut rest);
        rest = rest.strip_prefix(b";").ok_or(BAD)?;
        skip_blanks(&mut rest);
        skip_token(&mut rest)?;
        let behind_name = rest;
        skip_blanks(&mut rest);
        let Some(value) = rest.strip_prefix(b"=") else {
            // The blanks belong to the next extension; at the end of the line they belong to nothing.
            rest = behind_name;
            continue;
        };
        rest = value;
        skip_blanks(&mut rest);
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            rest = skip_quoted_string(quoted).ok_or(BAD)?;
        } else {
            skip_token(&mut rest)?;
        }
    }
    Ok(())
}

/// What follows a quoted string (RFC 9110 §5.6.4) whose opening quote is already gone.
fn skip_quoted_string(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        match text {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] if chars::is(*byte, chars::FIELD_VALUE) && text != b"\\" => text = rest,
            _ => return None,
        }
    }
}

/// Trailer fields are read and forgotten; their syntax is that of header fields.
fn check_trailer(line: &[u8]) -> Result<(), Refusal> {
    let colon = line.iter().position(|byte| *byte == b':').unwrap_or(0);
    let (name, value) = line.split_at(colon);
    let valid = chars::all(name, chars::TCHAR) && value.iter().all(|byte| chars::is(*byte, chars::FIELD_VALUE));
    if valid { Ok(()) } else { Err(Refusal::bad("a trailer line is malformed")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes `input` in pieces of `step` bytes: content and bytes left over, or the status of the refusal.
    fn decode(input: &[u8], step: usize) -> Result<Option<(Vec<u8>, usize)>, Status> {
        let (mut decoder, mut content) = (ChunkedDecoder::default(), Vec::new());
        let (mut start, mut end) = (0, 0);
        while end < input.len() {
            end = (end + step).min(input.len());
            let (used, done) = decoder.advance(&input[start..end], &mut content).map_err(|refusal| refusal.status)?;
            start += used;
            if done {
                return Ok(Some((content, input.len() - start)));
            }
        }
        Ok(None)
    }

    #[test]
    fn chunked_bodies_give_their_content_however_they_are_split() {
        let cases: [(&str, &str, usize); 8] = [
            ("0\r\n\r\n", "", 0),
            ("5\r\nhello\r\n0\r\n\r\n", "hello", 0),
            ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /", "hello world", 5),
            ("A\r\n0123456789\r\n00\r\n\r\n", "0123456789", 0),
            ("5;a;b=c ; d = \"e;\\\"f\"\r\nhello\r\n0;x\r\n\r\n", "hello", 0),
            ("1\r\n\r\r\n0\r\n\r\n", "\r", 0),
            ("0\r\nChecksum: abc\r\nX:\r\n\r\n", "", 0),
            ("000000000000000000005\r\nhello\r\n0\r\n\r\n", "hello", 0),
        ];
        for (input, content, rest) in cases {
            for step in [1, 2, 3, 7, 1000] {
                // Bytes behind the body may or may not have been given yet when it is complete.
                let (found, left) = decode(input.as_bytes(), step).expect(input).expect(input);
                assert_eq!((found.as_slice(), left), (content.as_bytes(), rest), "{input:?} in steps of {step}");
            }
            for length in 0..input.len() - rest {
                assert_eq!(decode(&input.as_bytes()[..length], 1), Ok(None), "prefix {length} of {input:?}");
            }
        }
    }

    #[test]
    fn malformed_chunks_are_refused_however_they_are_split() {
        let cases = [
            "\r\n",
            "x\r\n",
            "0x5\r\nhello\r\n",
            "-1\r\n",
            "+5\r\n",
            " 5\r\n",
            "5 \r\n",
            "1_0\r\n",
            "5\nhello",
            "5\rhello",
            "5\r\nhelloX\r\n",
            "5\r\nhello\n0\r\n",
            "5\r\nhello\r0",
            "5;\r\n",
            "5; \r\n",
            "5;a=\r\n",
            "5;a=\"b\r\n",
            "5;a \r\n",
            "5;\u{1}\r\n",
            "5;a=\"\u{0}\"\r\n",
            "5 a\r\n",
            "5;a=b c\r\n",
            "0\r\nno colon\r\n",
            "0\r\n: x\r\n",
            "0\r\nx : y\r\n",
            "0\r\n folded\r\n",
            "0\r\na: \u{0}\r\n",
            "5;a=\"\\\r\n",
        ];
        for input in cases {
            for step in [1, 2, 1000] {
                assert_eq!(decode(input.as_bytes(), step), Err(Status::BadRequest), "{input:?} in steps of {step}");
            }
        }
    }

    #[test]
    fn bodies_and_overhead_past_their_limits_are_413() {
        let long_extension = format!("5;{}\r\n", "a".repeat(limits::CHUNK_OVERHEAD_BYTES));
        let many_trailers = format!("0\r\n{}", "a: b\r\n".repeat(limits::CHUNK_OVERHEAD_BYTES / 6 + 1));
        let many_chunks = "1;abcdefgh\r\nx\r\n".repeat(limits::CHUNK_OVERHEAD_BYTES / 12 + 1);
        for input in ["4001\r\n", "FFFFFFFFFFFFFFFFF\r\n", "8000000000000000\r\n", &long_extension, &many_trailers, &many_chunks]
        {
            assert_eq!(decode(input.as_bytes(), 1000), Err(Status::ContentTooLarge), "{}", &input[..7]);
        }
        let full = format!("4000\r\n{}\r\n0\r\n\r\n", "x".repeat(limits::BODY_BYTES));
        assert_eq!(
            decode(full.as_bytes(), 5000).map(|body| body.map(|(content, _)| content.len())),
            Ok(Some(limits::BODY_BYTES))
        );
        let over = format!("4000\r\n{}\r\n1\r\nx\r\n0\r\n\r\n", "x".repeat(limits::BODY_BYTES));
        assert_eq!(decode(over.as_bytes(), 5000), Err(Status::ContentTooLarge));
    }
}
