//! The clocks. No other module asks the system for the time; whatever decides by time takes it as an argument.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::sys;

/// 2020-01-01: a clock that shows an earlier time was never set. Gateways have no battery for theirs.
const EARLIEST_CREDIBLE: u64 = 1_577_836_800;

/// Now, on the monotonic clock.
pub fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970, if the system's clock shows a time since then.
pub fn raw_wall_seconds() -> Option<u64> {
    u64::try_from(sys::wall_clock_seconds()).ok()
}

/// Seconds since 1970, if the system's clock can be believed.
pub fn wall_seconds() -> Option<u64> {
    raw_wall_seconds().filter(|seconds| *seconds >= EARLIEST_CREDIBLE)
}

/// Time since the first call, which is made when the server starts.
pub fn uptime() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Seconds of `uptime`. They last for 136 years.
pub fn uptime_seconds() -> u32 {
    u32::try_from(uptime().as_secs()).unwrap_or(u32::MAX)
}
