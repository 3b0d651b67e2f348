//! The two clocks of the log.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970 for the time in front of a line, if the clock can be read.
pub fn wall_seconds() -> Option<u64> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|time| time.as_secs())
}

/// For pauses and limits by the minute: never set back.
pub fn now() -> Instant {
    Instant::now()
}
