//! Why a connection ends.

use std::fmt;

/// One of these ends every connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The last answer said so: `Connection: close`, HTTP/1.0, or the server stops.
    Answered,
    /// A request was refused and its connection cannot be trusted to begin another: the answer is given time to arrive.
    Refused,
    /// The client closed, and everything it had sent before has been read.
    ClientClosed,
    /// The connection was reset, or its network went away.
    ClientGone,
    /// No request came in time.
    Idle,
    /// It made room for a newcomer between two answers.
    MadeRoom,
    /// It was made to give way in the middle of an answer.
    GaveWay,
    /// The client did not take anything for `limits::STALL_TIME`.
    Stalled,
    /// It took an answer that is no file too slowly.
    TooSlow,
    /// A file changed or shrank while it was sent.
    FileChanged,
    /// A file could not be read on while it was sent.
    FileUnreadable,
    /// The settings do not let this caller in any more; what it was answered before still arrives.
    NotAllowed,
    /// There is no memory for its request, or for a piece of the file it gets.
    OutOfMemory,
}

impl CloseReason {
    /// Whether the connection is reset: an answer under way is cut, and after a normal close the Java client would take what it has
    /// for a whole file (CLIENTS.md).
    pub fn is_reset(self) -> bool {
        match self {
            CloseReason::GaveWay
            | CloseReason::Stalled
            | CloseReason::TooSlow
            | CloseReason::FileChanged
            | CloseReason::FileUnreadable => true,
            CloseReason::Answered
            | CloseReason::Refused
            | CloseReason::ClientClosed
            | CloseReason::ClientGone
            | CloseReason::Idle
            | CloseReason::MadeRoom
            | CloseReason::NotAllowed
            | CloseReason::OutOfMemory => false,
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CloseReason::Answered => "answered",
            CloseReason::Refused => "refused",
            CloseReason::ClientClosed => "client closed",
            CloseReason::ClientGone => "client went away",
            CloseReason::Idle => "idle",
            CloseReason::MadeRoom => "made room",
            CloseReason::GaveWay => "gave way",
            CloseReason::Stalled => "client stopped reading",
            CloseReason::TooSlow => "client reads too slowly",
            CloseReason::FileChanged => "file changed while it was sent",
            CloseReason::FileUnreadable => "file could not be read",
            CloseReason::NotAllowed => "not allowed any more",
            CloseReason::OutOfMemory => "out of memory",
        })
    }
}
