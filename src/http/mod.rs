//! HTTP/1.1 (RFC 9110, RFC 9112) as bytes in, values out: nothing here touches a socket, a file or the clock. Modules stand in
//! the order in which they may import: each only from those below it.

pub mod conditional;
pub mod head;
pub mod request;

pub mod body;
pub mod framing;
pub mod target;

pub mod refusal;
pub mod response;

pub mod date;
pub mod forwarded;
pub mod host;
pub mod language;
pub mod range;

pub mod chars;
