//! A request as the routes see it.

use super::head::Head;

/// How long the body is (RFC 9112 §6).
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

    /// The path, percent-encoded, without the query.
    pub fn path(&self) -> &'a [u8] {
        &self.bytes[self.head.target.path.clone()]
    }

    /// The values of all fields called `name` (in lower case), in their order.
    pub fn fields(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes;
        self.head
            .fields
            .iter()
            .filter(move |field| bytes[field.name.clone()].eq_ignore_ascii_case(name.as_bytes()))
            .map(move |field| &bytes[field.value.clone()])
    }

    /// The value of the field called `name` (in lower case), if there is exactly one.
    pub fn field(&self, name: &'static str) -> Option<&'a [u8]> {
        let mut values = self.fields(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The authority the client called us by: of an absolute-form, else of `Host`. `None` only in HTTP/1.0.
    pub fn authority(&self) -> Option<&'a str> {
        let bytes = match self.head.target.authority.clone() {
            Some(span) => &self.bytes[span],
            None => self.field("host")?,
        };
        str::from_utf8(bytes).ok()
    }
}
