//! Licences: which there are, in which line of which file, and what is wrong with the files. A line itself is read from its file
//! when it is asked for, and checked again.

mod watch;

mod index;

mod folder;

mod file;
mod line;

pub use file::{License, LicenseFile};
pub use index::LicenseIndex;
pub use watch::{LicenseWatch, load};
