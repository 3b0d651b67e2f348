//! Why the server could not start.

use std::fmt;

/// The reason, in one line with what to do next.
#[derive(Debug)]
pub struct StartError(String);

impl StartError {
    /// With this line.
    pub fn new(reason: String) -> StartError {
        StartError(reason)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
