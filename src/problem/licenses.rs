//! Words for what can be wrong with licence files. None of them holds a serial number: the page is public.

use super::Text;

/// All of them.
pub const ALL: &[&Text] = &[];
