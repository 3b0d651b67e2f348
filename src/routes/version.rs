//! `GET /version`: the server and what it runs on.

use std::path::Path;
use std::sync::OnceLock;

use super::reply::{Circumstances, Event, Reply};
use crate::catalog::Catalog;
use crate::file::read_bounded;
use crate::http::request::Request;
use crate::http::response::Status;
use crate::json;
use crate::limits;

/// This program's version.
pub const SUSV_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit it was built from, or `unknown`.
pub const SUSV_COMMIT: &str = env!("SUSV_COMMIT");

/// The protocol's version, as the reference reports its own.
const SERVER: &str = "1.0";

pub(super) fn answer(_: &Catalog, _: &Request<'_>, _: &Circumstances<'_>) -> Reply {
    static TEXT: OnceLock<String> = OnceLock::new();
    Reply::json(Status::Ok, TEXT.get_or_init(describe).clone(), Event::Other)
}

fn describe() -> String {
    let mut json = json::Writer::default();
    json.open('{');
    let system = format!("{} {}", read_kernel("ostype"), read_kernel("osrelease"));
    let members = [
        ("susv", SUSV_VERSION),
        ("server", SERVER),
        ("rust", env!("SUSV_RUST")),
        ("target", env!("SUSV_TARGET")),
        ("system", &system),
    ];
    for (name, value) in members {
        json.member(name).string(value);
    }
    json.close('}');
    json.text
}

/// What the kernel says of itself or of this machine.
pub(super) fn read_kernel(name: &str) -> String {
    // Files of /proc have no length, but they end.
    match read_bounded(&Path::new("/proc/sys/kernel").join(name), limits::KERNEL_NAME_BYTES) {
        Ok(text) => String::from_utf8_lossy(text.trim_ascii_end()).into_owned(),
        Err(_) => "unknown".to_owned(),
    }
}
