//! The settings of `config.ini`.

mod reading;

mod restart;

mod keys;
mod paths;

mod settings;

pub use paths::{LICENSE_EXTENSION, resolve};
pub use reading::{Effect, Reading, describe_effect, load, parse, read, read_again};
pub use restart::{restart_problems, socket_hints};
pub use settings::{Settings, VersionChoice};
