//! What is offered and licensed, by what lies on the disk: folders, offers, licences, settings, and drivers that take them.
//!
//! One program, so that its tests wait side by side and are linked once.

#[path = "../common/mod.rs"]
mod common;

mod disk;
mod driver;
mod firmware;
mod licenses;
mod live;
mod offers;
mod settings;
