//! Admission: who is let in, who may send a download or use the disk, and who gives way when there is no room.
//!
//! A *place* is an accepted connection. A *permit* is the right to send a download or to use the disk. Both are counted under one
//! lock and held by guards that give them back on `Drop`, so that no early return and no panic can leak one.
//!
//! `places` lets newcomers in as they come, and asks others to leave where there is no room; `permits` says who may send a download
//! now, who waits for that, and who uses the disk. Who gives way is decided by `policy` and `progress`, which know no lock, no
//! socket and no clock.

mod permits;
mod places;
mod register;

mod policy;

mod capacity;
mod place;

mod stage;

mod progress;

pub use capacity::{Capacity, Means};
pub use permits::{DownloadPermit, Permit};
pub use place::Place;
pub use places::PlaceGuard;
pub use register::Admission;
pub use stage::Phase;
