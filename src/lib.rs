//! susv: a firmware-update and licence server for cash registers.
//!
//! A library with a thin binary, so that tests and benchmarks reach the parsers. Modules stand in the order in which they may
//! import: each only from those below it.

#![warn(missing_docs)]
#![deny(unsafe_code)]

pub mod cli;
pub mod server;

pub mod routes;

pub mod catalog;

pub mod registrars;

pub mod config;

pub mod address_block;
pub mod ini;

pub mod http;

pub mod file;
pub mod json;
pub mod log;
pub mod stamp;

pub mod problem;

pub mod calendar;
pub mod clock;
pub mod sha256;
pub mod text;
pub mod threads;

pub mod origin;

pub mod limits;
#[allow(unsafe_code)]
pub mod sys;
