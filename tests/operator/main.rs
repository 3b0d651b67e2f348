//! What an operator sees: command line, log, page, `/status` and documents.
//!
//! One program, so that its tests wait side by side and are linked once.

#[path = "../common/mod.rs"]
mod common;

mod cli;
mod docs;
mod log;
mod page;
mod problems;
mod status;
