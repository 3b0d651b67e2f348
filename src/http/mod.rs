//! HTTP/1.1 (RFC 9110, RFC 9112) as bytes in, values out: nothing here touches a socket, a file or the clock.

pub mod body;
pub mod chars;
pub mod date;
pub mod forwarded;
pub mod head;
pub mod host;
pub mod language;
pub mod range;
pub mod request;
pub mod response;
pub mod target;
pub mod validators;
