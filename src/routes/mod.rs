//! What each route answers: a catalog and a request in, a reply out. No sockets here. Modules stand in the order in
//! which they may import: each only from those below it.

mod check_firmware;
mod feature_licenses;
mod files;
mod status;
mod version;

mod member;
mod reply;

use crate::catalog::Catalog;
use crate::http::chars;
use crate::http::refusal::{Refusal, RequestLine};
use crate::http::request::Request;
use crate::http::response::Status;
use crate::http::target;
use crate::text::percent_decode;

pub use reply::{Body, CheckEvent, Circumstances, Event, FileBody, Reply};
pub use status::find_overtaken;
pub use version::{SUSV_COMMIT, SUSV_VERSION};

/// Below it stand the files; a GET there is a download.
const FIRMWARE: &[u8] = b"/firmware/";

/// A path, its methods, and what answers there.
type Route = (&'static [u8], &'static str, fn(&Catalog, &Request<'_>, &Circumstances<'_>) -> Reply);

const ROUTES: [Route; 5] = [
    (b"/check_firmware", "POST, OPTIONS", check_firmware::answer),
    (b"/feature_licenses", "POST, OPTIONS", feature_licenses::answer),
    (b"/version", "GET, HEAD, OPTIONS", version::answer),
    (b"/", "GET, HEAD, OPTIONS", status::answer_page),
    (b"/status", "GET, HEAD, OPTIONS", status::answer_json),
];

/// All files are one route.
const FILES: Route = (FIRMWARE, "GET, HEAD, OPTIONS", answer_file);

/// What `OPTIONS *` asks for: the methods of all routes together.
const METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// What a request needs, besides a thread, to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it touches neither disk nor image.
    Nothing,
    /// The right to send a download: any GET of a file, whatever its size.
    Download,
    /// The right to use the disk.
    Disk,
    /// Memory for a page that may be large.
    Page,
}

/// What a request needs.
pub fn need_of(request: &Request<'_>) -> Need {
    match (request.method(), request.path()) {
        (b"GET", path) if path.starts_with(FIRMWARE) => Need::Download,
        (b"HEAD", path) if path.starts_with(FIRMWARE) => Need::Disk,
        (b"POST", b"/feature_licenses") => Need::Disk,
        (b"GET" | b"HEAD", b"/" | b"/status") => Need::Page,
        _ => Need::Nothing,
    }
}

/// Answers a request.
pub fn answer(catalog: &Catalog, request: &Request<'_>, circumstances: &Circumstances<'_>) -> Reply {
    // For the test of what a bug costs; release builds do not have it.
    if cfg!(debug_assertions) && request.field("susv-test-panic").is_some() {
        panic!("asked for by a test");
    }
    complete(answer_route(catalog, request, circumstances), request.target())
}

/// The answer to a request that cannot be served now: 503. What needs no disk, no place for a download and no page never gets it.
pub fn answer_busy(request: &Request<'_>) -> Reply {
    let reply = match request.path() {
        b"/" => status::answer_busy(request),
        _ => Reply::error(Status::ServiceUnavailable, "the server is busy; try again later"),
    };
    complete(reply, request.target())
}

/// The answer to a request that was refused before any route saw it, or did not arrive; `line` is as much of its request line as
/// is known.
pub fn answer_refusal(refusal: &Refusal, line: &RequestLine) -> Reply {
    complete(Reply::error(refusal.status, refusal.reason), &line.target)
}

fn answer_route(catalog: &Catalog, request: &Request<'_>, circumstances: &Circumstances<'_>) -> Reply {
    let path = request.path();
    if path == b"*" {
        return answer_options(METHODS);
    }
    let is_hidden = matches!(path, b"/" | b"/status") && !catalog.settings.status_page;
    let route = ROUTES.iter().find(|(known, ..)| *known == path && !is_hidden);
    let Some(&(_, methods, answer)) = route.or(path.starts_with(FIRMWARE).then_some(&FILES)) else {
        let reason = "unknown path; known are /check_firmware, /feature_licenses, /version and /firmware/…";
        return Reply::error(Status::NotFound, reason);
    };
    match request.method() {
        b"OPTIONS" => answer_options(methods),
        method if chars::list(methods.as_bytes()).any(|known| known == method) => answer(catalog, request, circumstances),
        _ => {
            // RFC 9110 §15.5.6 demands the field.
            let mut reply = Reply::error(Status::MethodNotAllowed, &format!("wrong method; this path takes {methods}"));
            reply.fields.push(("Allow", methods.into()));
            reply
        }
    }
}

fn answer_file(catalog: &Catalog, request: &Request<'_>, circumstances: &Circumstances<'_>) -> Reply {
    files::answer(catalog, request, &request.path()[FIRMWARE.len()..], circumstances)
}

/// RFC 9110 §9.3.7.
fn answer_options(methods: &'static str) -> Reply {
    Reply { status: Status::NoContent, fields: vec![("Allow", methods.into())], body: Body::Absent, event: Event::Other }
}

/// What all answers have in common, whatever made them: how they may be cached, and that no error has a body where firmware may
/// have been meant. The vendor's shell client flashes whatever it was sent, and caches keep what nobody forbids.
fn complete(mut reply: Reply, target: &[u8]) -> Reply {
    if reply.status.is_error() && names_firmware(target) && reply.body.length() != Some(0) {
        reply.body = Body::Text(String::new());
        reply.fields.retain(|(name, _)| *name != "Content-Type");
    }
    let is_file = target::strip_authority(target).starts_with(FIRMWARE);
    // A file may be kept but must be asked about each time: after a replacement yesterday's image must not be handed out.
    reply.fields.push(("Cache-Control", if is_file { "no-cache" } else { "no-store" }.into()));
    reply
}

/// Whether a target may be meant for a firmware file, however a client or a proxy has put it: with a prefix, a doubled slash or
/// percent-encoding.
fn names_firmware(target: &[u8]) -> bool {
    percent_decode(target).windows(FIRMWARE.len()).any(|part| part == FIRMWARE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head::HeadParser;

    #[test]
    fn firmware_is_named_behind_prefixes_slashes_and_percent_encoding() {
        for target in [
            "/firmware/20260301/upd_app.bin",
            "/firmware/",
            "//firmware/x",
            "/till/firmware/x",
            "http://gateway/firmware/x",
            "/%66irmware/x",
            "/firmware%2Fx",
            "/a%2ffirmware%2fx",
            "/get?file=/firmware/x",
            "GET\t/firmware/x\tHTTP/1.1",
        ] {
            assert!(names_firmware(target.as_bytes()), "{target}");
        }
        for target in ["", "/", "*", "/firmware", "/firmwares/x", "/check_firmware", "/version", "/till/firmware"] {
            assert!(!names_firmware(target.as_bytes()), "{target}");
        }
    }

    #[test]
    fn every_get_below_firmware_is_a_download_and_checks_need_nothing() {
        let cases = [
            ("GET /firmware/20260301/upd_app.bin", Need::Download),
            ("GET /firmware/nothing", Need::Download),
            ("GET /firmware/", Need::Download),
            ("GET /firmware/../x", Need::Download),
            ("GET http://host/firmware/x?y", Need::Download),
            ("HEAD /firmware/20260301/upd_app.bin", Need::Disk),
            ("POST /firmware/20260301/upd_app.bin", Need::Nothing),
            ("OPTIONS /firmware/x", Need::Nothing),
            ("GET /firmware", Need::Nothing),
            ("GET //firmware/x", Need::Nothing),
            ("GET /%66irmware/x", Need::Nothing),
            ("GET /version?/firmware/x", Need::Nothing),
            ("POST /feature_licenses", Need::Disk),
            ("GET /feature_licenses", Need::Nothing),
            ("POST /check_firmware", Need::Nothing),
            ("GET http://host", Need::Page),
            ("GET /?q=stuck", Need::Page),
            ("HEAD /status", Need::Page),
            ("OPTIONS *", Need::Nothing),
        ];
        for (line, expected) in cases {
            let text = format!("{line} HTTP/1.1\r\nHost: test\r\n\r\n");
            let head = HeadParser::default().advance(text.as_bytes()).expect(line).expect(line);
            let request = Request { bytes: text.as_bytes(), head: &head, body: &[] };
            assert_eq!(need_of(&request), expected, "{line}");
        }
    }

    #[test]
    fn busy_answers_have_no_body_where_firmware_was_meant() {
        for (target, length, caching) in [
            ("/firmware/20260301/upd_app.bin", 0, "no-cache"),
            ("/till/firmware/x", 0, "no-store"),
            ("/feature_licenses", 48, "no-store"),
        ] {
            let text = format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n");
            let head = HeadParser::default().advance(text.as_bytes()).expect(target).expect(target);
            let reply = answer_busy(&Request { bytes: text.as_bytes(), head: &head, body: &[] });
            assert_eq!((reply.status.code(), reply.body.length()), (503, Some(length)), "{target}");
            let found: Vec<_> = reply.fields.iter().filter(|(name, _)| *name == "Cache-Control").collect();
            assert_eq!(found, [&("Cache-Control", caching.into())], "{target}");
        }
    }
}
