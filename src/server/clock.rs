//! The clocks. No other module asks the system for the time.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// 2020-01-01: a clock that shows an earlier time was never set. Gateways have no battery for theirs.
const EARLIEST_CREDIBLE: u64 = 1_577_836_800;

/// Seconds since 1970, if the system's clock can be believed.
pub fn wall_seconds() -> Option<u64> {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(time.as_secs()).filter(|seconds| *seconds >= EARLIEST_CREDIBLE)
}

/// Time since the first call: since the start of the server.
fn elapsed() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Seconds since the start of the server. They last for 136 years.
pub fn uptime_seconds() -> u32 {
    elapsed().as_secs() as u32
}

/// Milliseconds since the start of the server, for comparing moments less than 24 days apart: it wraps. 32 bits, since ARMv5
/// and MIPS have no larger atomics.
pub fn tick_milliseconds() -> u32 {
    let elapsed = elapsed();
    // `as_millis` would divide 128 bits.
    (elapsed.as_secs() as u32).wrapping_mul(1000).wrapping_add(elapsed.subsec_millis())
}
