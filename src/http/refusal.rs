//! Why a request is refused before any route sees it.

use super::response::Status;

/// A reason to refuse a request. The connection is closed after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub status: Status,
    /// One line for the caller.
    pub reason: &'static str,
}

impl Refusal {
    /// A status with a reason.
    pub const fn new(status: Status, reason: &'static str) -> Refusal {
        Refusal { status, reason }
    }

    /// 400 with a reason.
    pub const fn bad(reason: &'static str) -> Refusal {
        Refusal::new(Status::BadRequest, reason)
    }
}

/// 413.
pub const BODY_TOO_LONG: Refusal = Refusal::new(Status::ContentTooLarge, "the request body is longer than 16 KiB");

/// What is known of the request line of a request that is refused: it decides whether the answer may have a body. Both parts are
/// as the client sent them, and empty as far as they are not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestLine {
    /// The method.
    pub method: Vec<u8>,
    /// The target with its query, of whichever form; of a malformed line all that may be meant by it.
    pub target: Vec<u8>,
}
