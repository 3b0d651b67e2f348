//! Why a connection ends.

use std::fmt;

/// One of these ends every connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The last answer said so: `Connection: close`, HTTP/1.0, or the server stops.
    Answered,
    /// A request was refused and its connection cannot be trusted to begin another: the answer is given time to arrive.
    Refused,
    /// The client closed, or its network went away.
    ClientGone,
    /// No request came in time.
    Idle,
    /// It made room for a newcomer.
    GaveWay,
    /// The client did not take anything for `limits::STALL_TIME`.
    Stalled,
    /// A file changed, shrank or could not be read on while it was sent.
    FileChanged,
    /// A bug: the handler panicked.
    Panicked,
}

impl End {
    /// Whether an answer under way is cut: then the connection is reset. After a normal close the Java client would take what it
    /// has for a whole file (CLIENTS.md).
    pub fn is_abort(self) -> bool {
        matches!(self, End::GaveWay | End::Stalled | End::FileChanged | End::Panicked)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            End::Answered => "answered",
            End::Refused => "refused",
            End::ClientGone => "client went away",
            End::Idle => "idle",
            End::GaveWay => "gave way to a newcomer",
            End::Stalled => "client stopped reading",
            End::FileChanged => "file changed while it was sent",
            End::Panicked => "internal error",
        })
    }
}
