//! What a route is given besides the request, and what it gives back.

use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;

use crate::calendar::Date;
use crate::catalog::Image;
use crate::config::Settings;
use crate::http::forwarded::{self, Caller};
use crate::http::request::Request;
use crate::http::response::{Field, Status};
use crate::json;
use crate::problem::Problem;
use crate::registrars::{OfferedHere, Registrars, Told};
use crate::stamp::Stamp;

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
    /// The server is about to end: registrars are told that there is no update.
    pub is_stopping: bool,
}

impl Circumstances<'_> {
    /// Who asks, as far as the proxies in the settings are believed.
    pub(super) fn find_caller(&self, settings: &Settings, request: &Request<'_>) -> Caller {
        let is_proxy = |address| settings.proxies.iter().any(|block| block.contains(address));
        forwarded::find_caller(request.fields("x-forwarded-for"), self.peer, is_proxy)
    }
}

/// Whether the client says that it runs on Java, as the JavaPOS driver does.
pub(super) fn is_java(request: &Request<'_>) -> bool {
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
    /// None, and no length announced: 204 and 304.
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
    /// The first bytes of the body, read already: a disk that fails shows before the head is sent.
    pub first: Vec<u8>,
    /// First byte to send.
    pub start: u64,
    /// Number of bytes.
    pub length: u64,
}

impl Body {
    /// Whether it is a file's.
    pub fn is_download(&self) -> bool {
        matches!(self, Body::Image(..) | Body::File(_))
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
    /// Whether anything is known since this check that was not before.
    pub is_change: bool,
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

impl Reply {
    /// A body of text, without a type.
    pub fn text(status: Status, text: String, event: Event) -> Reply {
        // One allocation for its type and `Cache-Control`.
        Reply { status, fields: Vec::with_capacity(2), body: Body::Text(text), event }
    }

    /// A JSON body.
    pub fn json(status: Status, text: String, event: Event) -> Reply {
        let mut reply = Reply::text(status, text, event);
        reply.fields.push(("Content-Type", "application/json; charset=UTF-8".into()));
        reply
    }

    /// `{"error": "…"}`.
    pub fn error(status: Status, reason: &str) -> Reply {
        let mut text = String::from("{\"error\": ");
        json::write_string(&mut text, reason);
        text.push('}');
        Reply::json(status, text, Event::Refused { reason: reason.to_owned() })
    }
}
