//! What each route answers: a catalog and a request in, a reply out. No sockets here.

mod check_firmware;
mod feature_licenses;
mod files;
mod status;
mod version;

use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;

use crate::calendar::Date;
use crate::catalog::Catalog;
use crate::catalog::firmware::Image;
use crate::catalog::stamp::Stamp;
use crate::config::Settings;
use crate::http::chars;
use crate::http::forwarded::{self, Caller};
use crate::http::head::Refusal;
use crate::http::request::Request;
use crate::http::response::{Field, Status};
use crate::json;
use crate::limits;
use crate::problem::Problem;
use crate::registrars::{OfferedHere, Registrars, Told};

/// This program's version.
pub const SUSV_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a route needs to know besides the request.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// The address the client reached us at: the host of URLs for HTTP/1.0 clients that name none.
    pub local: SocketAddr,
    /// Seconds since 1970, if the clock can be believed.
    pub now: Option<u64>,
    /// Tells the seconds since the start of the server to the few who ask.
    pub uptime: fn() -> u32,
    /// Who asks, or the proxy before it.
    pub peer: IpAddr,
    /// What happened since the start, and what registrars are told by it.
    pub registrars: &'a Registrars,
}

impl Circumstances<'_> {
    /// Who asks, as far as the proxies in the settings are believed.
    fn find_caller(&self, settings: &Settings, request: &Request<'_>) -> Caller {
        let is_proxy = |address| settings.proxies.iter().any(|block| block.contains(address));
        forwarded::find_caller(request.fields("x-forwarded-for"), self.peer, is_proxy)
    }
}

/// Whether the client says that it runs on Java, as the JavaPOS driver does.
fn is_java(request: &Request<'_>) -> bool {
    request.fields("user-agent").any(|value| value.windows(5).any(|window| window == b"Java/"))
}

/// An answer before it is put on the wire.
pub struct Reply {
    /// The status.
    pub status: Status,
    /// Fields of its own.
    pub fields: Vec<Field>,
    /// The body; for HEAD the one a GET would get, which is measured and not sent.
    pub body: Body,
    /// What happened, for the log.
    pub event: Event,
}

/// The body of a reply.
pub enum Body {
    /// None, and no length announced: 304.
    Absent,
    /// A small body.
    Text(String),
    /// Bytes of an image in memory.
    Image(Arc<Image>, Range<usize>),
    /// Bytes of a file on disk.
    File(FileBody),
}

/// Bytes of a file on disk, to be sent only as long as the file stays what it was when it was opened.
pub struct FileBody {
    /// Opened for reading.
    pub file: File,
    /// What it looked like then.
    pub stamp: Stamp,
    /// First byte to send.
    pub start: u64,
    /// Number of bytes.
    pub length: u64,
}

impl Body {
    /// Whether sending it may take long, on a slow link or to a slow reader.
    pub fn is_download(&self) -> bool {
        matches!(self, Body::Image(..) | Body::File(_)) && self.length() >= Some(limits::DOWNLOAD_BYTES)
    }

    /// Number of bytes; `None` for a body that is absent.
    pub fn length(&self) -> Option<u64> {
        match self {
            Body::Absent => None,
            Body::Text(text) => Some(text.len() as u64),
            Body::Image(_, range) => Some(range.len() as u64),
            Body::File(body) => Some(body.length),
        }
    }
}

/// A check for firmware, and what it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckEvent {
    /// Who asked.
    pub caller: IpAddr,
    /// Its build date.
    pub build_date: Date,
    /// The version named in the answer; where `told` holds a number, the one that number stands for.
    pub version: Date,
    /// Whether it was offered an update.
    pub available: bool,
    /// Whether the update is critical.
    pub critical: bool,
    /// What is said to the driver only.
    pub told: Told,
    /// What an operator should see to since this check.
    pub news: Option<Problem>,
}

impl CheckEvent {
    /// For the connection to remember: the driver's download is expected on it.
    pub fn offered_here(&self) -> Option<OfferedHere> {
        let &CheckEvent { caller, build_date, version, .. } = self;
        matches!(self.told, Told::Offer { .. }).then_some(OfferedHere { caller, build_date, version })
    }
}

/// What a request was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A registrar asked for firmware.
    Check(CheckEvent),
    /// A licence was asked for.
    License {
        /// The registrar's serial number.
        serial: u64,
        /// Whether there is one.
        found: bool,
    },
    /// A file is sent, or part of it.
    Download {
        /// Path below the firmware folder.
        path: String,
        /// First byte of it.
        start: u64,
        /// Size of the whole file.
        size: u64,
        /// Who loads it.
        caller: IpAddr,
        /// Whether it says that it runs on Java.
        is_java: bool,
    },
    /// The request was not answered with what it asked for.
    Refused {
        /// Why, in one line.
        reason: String,
    },
    /// Anything else.
    Other,
}

/// Answers a request.
pub fn answer(catalog: &Catalog, request: &Request<'_>, circumstances: &Circumstances<'_>) -> Reply {
    let path = request.path();
    // For the test of what a bug costs; release builds do not have it.
    if cfg!(debug_assertions) && request.field("susv-test-panic").is_some() {
        panic!("asked for by a test");
    }
    let is_hidden = |path: &[u8]| matches!(path, b"/" | b"/status") && !catalog.settings.status_page;
    if let Some((_, methods, answer)) = ROUTES.iter().find(|(known, ..)| *known == path && !is_hidden(path)) {
        return if allows(methods, request) {
            answer(catalog, request, circumstances)
        } else {
            wrong_method(Reply::error, methods)
        };
    }
    if path == b"*" {
        let fields = vec![("Allow", "GET, HEAD, POST, OPTIONS".into())];
        return Reply { fields, ..Reply::text(Status::Ok, String::new(), Event::Other) };
    }
    match path.strip_prefix(b"/firmware/") {
        Some(path) => files::answer(catalog, request, path, circumstances),
        None => unknown_path(),
    }
}

/// A path, its methods, and what answers there.
type Route = (&'static [u8], &'static str, fn(&Catalog, &Request<'_>, &Circumstances<'_>) -> Reply);

const ROUTES: [Route; 5] = [
    (b"/check_firmware", "POST", check_firmware::answer),
    (b"/feature_licenses", "POST", feature_licenses::answer),
    (b"/version", "GET, HEAD", version::answer),
    (b"/", "GET, HEAD", status::answer_page),
    (b"/status", "GET, HEAD", status::answer_json),
];

#[cold]
fn unknown_path() -> Reply {
    Reply::error(Status::NotFound, "unknown path; known are /check_firmware, /feature_licenses, /version and /firmware/…")
}

/// The answer to a request that was refused before any route saw it; `target` is as much of its target as is known: if a
/// firmware file was meant, the body is empty.
pub fn answer_refusal(refusal: &Refusal, target: &[u8]) -> Reply {
    if target.windows(10).any(|window| window == b"/firmware/") {
        files::error(refusal.status, refusal.reason)
    } else {
        Reply::error(refusal.status, refusal.reason)
    }
}

/// Whether the request's method is one of a list.
fn allows(methods: &str, request: &Request<'_>) -> bool {
    chars::list(methods.as_bytes()).any(|method| method == request.method())
}

/// 405 with what RFC 9110 §15.5.6 demands; `error` makes the answer in its route's form.
#[cold]
fn wrong_method(error: fn(Status, &str) -> Reply, methods: &'static str) -> Reply {
    let mut reply = error(Status::MethodNotAllowed, &format!("wrong method; this path takes {methods}"));
    reply.fields.push(("Allow", methods.into()));
    reply
}

impl Reply {
    fn text(status: Status, text: String, event: Event) -> Reply {
        Reply { status, fields: Vec::new(), body: Body::Text(text), event }
    }

    /// A JSON body.
    #[inline(never)]
    fn json(status: Status, text: String, event: Event) -> Reply {
        let fields = vec![("Content-Type", "application/json; charset=UTF-8".into())];
        Reply { fields, ..Reply::text(status, text, event) }
    }

    /// `{"error": "…"}`.
    #[cold]
    fn error(status: Status, reason: &str) -> Reply {
        let mut text = String::from("{\"error\": ");
        json::write_string(&mut text, reason);
        text.push('}');
        Reply::json(status, text, Event::Refused { reason: reason.to_owned() })
    }
}

/// Reads a request's JSON object, and by `read` the member `name` of it. The error says what is wrong with the body.
fn read_member(body: &[u8], name: &str, example: &str, read: fn(&json::Value<'_>) -> Result<u64, String>) -> Result<u64, String> {
    // PowerShell may send a byte order mark (CLIENTS.md).
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.is_empty() {
        return Err(format!("empty body; expected {{\"{name}\": \"{example}\"}}"));
    }
    let value =
        json::parse(body).map_err(|error| format!("the body is not JSON: {error}; expected {{\"{name}\": \"{example}\"}}"))?;
    match value.member(name) {
        Some(member) => read(member),
        None if matches!(value, json::Value::Object(_)) => {
            Err(format!("{name} is missing; expected {{\"{name}\": \"{example}\"}}"))
        }
        None => Err(format!("the body is {}; expected the object {{\"{name}\": \"{example}\"}}", value.kind())),
    }
}
