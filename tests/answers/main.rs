//! What callers get, request by request: grammar, recorded answers, ranges, connections and sockets.
//!
//! One program, so that its tests wait side by side and are linked once.

#[path = "../common/mod.rs"]
mod common;

mod conformance;
mod connections;
mod json;
mod replay;
mod semantics;
mod sockets;
