//! A request as the routes see it.

use super::framing::Framing;
use super::refusal::RequestLine;
use super::target::{Span, Target};

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

impl Head {
    /// The request line, for the answer to a request whose body is refused; `bytes` are those the head was parsed from.
    pub fn request_line(&self, bytes: &[u8]) -> RequestLine {
        let part = |span: &Span| bytes.get(span.clone()).unwrap_or_default().to_vec();
        RequestLine { method: part(&self.method), target: part(&self.target.whole) }
    }
}

/// A complete request: the head, the bytes its positions point into, and the body.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The bytes the head was parsed from.
    pub bytes: &'a [u8],
    /// The head.
    pub head: &'a Head,
    /// The body without its chunking.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The method.
    pub fn method(&self) -> &'a [u8] {
        &self.bytes[self.head.method.clone()]
    }

    /// The target as sent, with its query.
    pub fn target(&self) -> &'a [u8] {
        &self.bytes[self.head.target.whole.clone()]
    }

    /// The path, percent-encoded, without the query. `http://host` means `/` (RFC 9110 §4.2.3).
    pub fn path(&self) -> &'a [u8] {
        match &self.bytes[self.head.target.path.clone()] {
            [] => b"/",
            path => path,
        }
    }

    /// The values of all fields called `name` (in lower case), in their order.
    pub fn fields(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes;
        self.head
            .fields
            .iter()
            // The length alone tells most names apart.
            .filter(move |field| {
                field.name.len() == name.len() && bytes[field.name.clone()].eq_ignore_ascii_case(name.as_bytes())
            })
            .map(move |field| &bytes[field.value.clone()])
    }

    /// The value of the field called `name` (in lower case), if there is exactly one.
    pub fn field(&self, name: &'static str) -> Option<&'a [u8]> {
        let mut values = self.fields(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The authority the client called us by: of an absolute-form, else of `Host`; an empty port goes (RFC 3986 §6.2.3). `None`
    /// if it named none: `Host` may be empty, and in HTTP/1.0 missing.
    pub fn authority(&self) -> Option<&'a str> {
        let bytes = match self.head.target.authority.clone() {
            Some(span) => &self.bytes[span],
            None => self.field("host")?,
        };
        let text = str::from_utf8(bytes).ok()?;
        Some(text.strip_suffix(':').unwrap_or(text)).filter(|text| !text.is_empty())
    }
}
