//! To the last byte: downloads through stops, deaths, crowds and starvation.
//!
//! One program, so that its tests wait side by side and are linked once.

#[path = "../common/mod.rs"]
mod common;

mod downloads;
mod starvation;
mod stopping;
