//! JSON (RFC 8259): a strict reader and a writer.

mod writer;

pub use writer::{Writer, write_string};

use std::borrow::Cow;
use std::fmt;

use crate::limits;

/// A JSON value. Text without escapes borrows from the input.
#[derive(Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number as it was written: the reader of a serial number wants its digits, not a float.
    Number(&'a str),
    /// A string. A lone surrogate escape becomes U+FFFD: the grammar allows it, Rust's strings cannot hold it.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object's members in their order, repeated names included.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// The member called `name`; of several the last, as in the reference. `None` if this is no object or has none.
    pub fn member(&self, name: &str) -> Option<&Value<'a>> {
        match self {
            Value::Object(members) => members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// Why a text is not JSON, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// Offset from the start of the input.
    pub at: usize,
    /// What was expected there.
    pub reason: &'static str,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.at)
    }
}

/// Reads one JSON text and nothing after it. UTF-8 only, no byte order mark, nesting at most `limits::JSON_DEPTH`.
pub fn parse(input: &[u8]) -> Result<Value<'_>, Error> {
    let text = match str::from_utf8(input) {
        Ok(text) => text,
        Err(error) => return Err(Error { at: error.valid_up_to(), reason: "invalid UTF-8" }),
    };
    let mut parser = Parser { text, at: 0, depth: 0 };
    parser.skip_whitespace();
    let value = parser.read_value()?;
    parser.skip_whitespace();
    if parser.at == text.len() { Ok(value) } else { parser.fail("unexpected text behind the value") }
}

struct Parser<'a> {
    text: &'a str,
    /// Always on a character boundary: it only moves past ASCII bytes and whole runs of a string.
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn fail<T>(&self, reason: &'static str) -> Result<T, Error> {
        Err(Error { at: self.at, reason })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Moves past `byte` if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn read_value(&mut self) -> Result<Value<'a>, Error> {
        match self.peek() {
            Some(b'{') => self.read_nested(Self::read_object),
            Some(b'[') => self.read_nested(Self::read_array),
            Some(b'"') => Ok(Value::String(self.read_string()?)),
            Some(b'-' | b'0'..=b'9') => self.read_number(),
            Some(b't') => self.read_word("true", Value::Bool(true)),
            Some(b'f') => self.read_word("false", Value::Bool(false)),
            Some(b'n') => self.read_word("null", Value::Null),
            Some(_) => self.fail("expected a value"),
            None => self.fail("unexpected end, expected a value"),
        }
    }

    fn read_word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Error> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            self.fail("expected a value")
        }
    }

    fn read_nested(&mut self, read: fn(&mut Self) -> Result<Value<'a>, Error>) -> Result<Value<'a>, Error> {
        if self.depth == limits::JSON_DEPTH {
            return self.fail("nested too deeply");
        }
        self.depth += 1;
        self.at += 1;
        self.skip_whitespace();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn read_array(&mut self) -> Result<Value<'a>, Error> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.read_value()?);
            self.skip_whitespace();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return self.fail("expected ',' or ']'");
            }
            self.skip_whitespace();
        }
    }

    fn read_object(&mut self) -> Result<Value<'a>, Error> {
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return self.fail("expected a member name in quotes");
            }
            let name = self.read_string()?;
            self.skip_whitespace();
            if !self.take(b':') {
                return self.fail("expected ':'");
            }
            self.skip_whitespace();
            members.push((name, self.read_value()?));
            self.skip_whitespace();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return self.fail("expected ',' or '}'");
            }
            self.skip_whitespace();
        }
    }

    fn skip_digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { self.fail("expected a digit") } else { Ok(()) }
    }

    fn read_number(&mut self) -> Result<Value<'a>, Error> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.skip_digits()?;
        }
        if self.take(b'.') {
            self.skip_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.skip_digits()?;
        }
        Ok(Value::Number(self.text.get(start..self.at).unwrap_or_default()))
    }

    /// Reads a string from its opening quote.
    fn read_string(&mut self) -> Result<Cow<'a, str>, Error> {
        self.at += 1;
        let mut unescaped: Option<String> = None;
        loop {
            let start = self.at;
            while let Some(byte) = self.peek()
                && !matches!(byte, b'"' | b'\\' | 0..0x20)
            {
                self.at += 1;
            }
            let run = self.text.get(start..self.at).unwrap_or_default();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match unescaped {
                        None => Cow::Borrowed(run),
                        Some(text) => Cow::Owned(text + run),
                    });
                }
                Some(b'\\') => {
                    self.at += 1;
                    let text = unescaped.get_or_insert_default();
                    text.push_str(run);
                    text.push(self.read_escape()?);
                }
                Some(_) => return self.fail("control character in a string"),
                None => return self.fail("unexpected end in a string"),
            }
        }
    }

    /// Reads what stands behind a backslash.
    fn read_escape(&mut self) -> Result<char, Error> {
        let character = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.read_unicode_escape();
            }
            _ => return self.fail("invalid escape"),
        };
        self.at += 1;
        Ok(character)
    }

    fn read_unicode_escape(&mut self) -> Result<char, Error> {
        let first = self.read_four_hex()?;
        let behind_first = self.at;
        if (0xd800..0xdc00).contains(&first) && self.take(b'\\') && self.take(b'u') {
            let second = self.read_four_hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        // No pair: what follows is read as if nothing had been looked at.
        self.at = behind_first;
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn read_four_hex(&mut self) -> Result<u32, Error> {
        let mut code = 0;
        for _ in 0..4 {
            match self.peek().and_then(crate::text::hex_value) {
                Some(value) => code = code << 4 | u32::from(value),
                None => return self.fail("expected four hexadecimal digits"),
            }
            self.at += 1;
        }
        Ok(code)
    }
}
