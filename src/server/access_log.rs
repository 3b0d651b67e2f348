//! What was answered: its log line, and what is remembered of it.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use super::admission::Place;
use super::context::Context;
use crate::calendar::format_build_date;
use crate::catalog::split_image_path;
use crate::clock;
use crate::config::Settings;
use crate::limits;
use crate::log::{self, Kind, Rate};
use crate::problem::Language;
use crate::registrars::{Counted, Download, DownloadStart, OfferedHere, Told};
use crate::routes::{CheckEvent, Event, Reply};
use crate::text::quote;

/// What the log line needs to know of a request.
pub struct Answered<'a> {
    /// The method, `-` if unknown.
    pub method: &'a [u8],
    /// The path, percent-encoded; empty if unknown.
    pub path: &'a [u8],
    /// The settings it was answered by.
    pub settings: &'a Settings,
}

/// How often a line like this one is written. What a till did always has its line, as far as a caller cannot make thousands of
/// them at no cost; health checks are only counted.
fn find_rate(place: &Place, answered: &Answered<'_>, reply: &Reply, sent: u64) -> Rate {
    let status = Some(reply.status.code());
    let limited = |event, address| Rate::Limited(Kind { event, status }, address);
    match &reply.event {
        Event::License { found: true, .. } => Rate::Always,
        // Serial numbers can be made up.
        Event::License { .. } => limited("license", place.peer.ip()),
        Event::Download { size, .. } if sent == *size => Rate::Always,
        Event::Check(check) if check.is_change => Rate::Changed(Kind { event: "check", status }, check.caller),
        Event::Check(check) => limited("check", check.caller),
        Event::Download { caller, .. } => limited("download", *caller),
        Event::Refused { .. } => limited("refused", place.peer.ip()),
        // The page for people.
        Event::Other if answered.path == b"/" => limited("request", place.peer.ip()),
        Event::Other => Rate::Counted(Kind { event: "request", status }, place.peer.ip()),
    }
}

/// One line for an answered request. `bytes` is sent and due of the body; `cut` why they differ.
pub fn log_answer(place: &Place, answered: &Answered<'_>, reply: &Reply, bytes: Range<u64>, cut: Option<impl Display>) {
    let peer = place.peer;
    let rate = find_rate(place, answered, reply, bytes.start);
    match &reply.event {
        Event::Check(check) => {
            let CheckEvent { caller, version, available, critical, told, .. } = *check;
            let build_date = format_build_date(check.build_date);
            let behind = describe_caller(peer, caller);
            let told = match told {
                Told::AsReference => String::new(),
                Told::Offer { number } => format!(" as={number}"),
                Told::Held(hold) => format!(" held=\"{hold}\""),
            };
            let version = if version == 0 { String::new() } else { format!(" version={version}") };
            log::request(
                rate,
                format_args!(
                    "event=check peer={peer}{behind} build_date={build_date} update_available={available} critical={critical}{version}{told}"
                ),
            );
        }
        Event::License { serial, found } => {
            let found = if *found { "yes" } else { "no" };
            log::request(rate, format_args!("event=license peer={peer} serial={serial:016} found={found}"));
        }
        Event::Download { path, caller, .. } => {
            let behind = describe_caller(peer, *caller);
            let (file, status, sent, due) = (quote(path, limits::TARGET_BYTES), reply.status.code(), bytes.start, bytes.end);
            let method = quote_bytes(answered.method);
            let cut = cut.map_or_else(String::new, |reason| format!(" cut=\"{reason}\""));
            log::request(
                rate,
                format_args!(
                    "event=download peer={peer}{behind} method={method} file={file} status={status} bytes={sent}/{due}{cut}"
                ),
            );
        }
        Event::Refused { reason } => {
            let (method, path) = (quote_bytes(answered.method), quote_bytes(answered.path));
            let (status, reason) = (reply.status.code(), quote(reason, limits::TARGET_BYTES));
            log::request(
                rate,
                format_args!("event=refused peer={peer} method={method} path={path} status={status} reason={reason}"),
            );
        }
        Event::Other => {
            let (method, path) = (quote_bytes(answered.method), quote_bytes(answered.path));
            log::request(
                rate,
                format_args!("event=request peer={peer} method={method} path={path} status={}", reply.status.code()),
            );
        }
    }
}

/// Who stands behind a proxy; nothing if nobody does.
fn describe_caller(peer: SocketAddr, caller: IpAddr) -> String {
    if caller == peer.ip().to_canonical() { String::new() } else { format!(" caller={caller}") }
}

/// Tells registrars of a download before its first byte. What ends before the file does was meant to be a part.
pub fn begin_download(context: &Context, reply: &Reply, offered_here: Option<OfferedHere>) -> Option<Download> {
    let length = reply.body.length().filter(|length| *length > 0)?;
    match &reply.event {
        &Event::Download { ref path, start, size, caller, is_java } if start + length == size => {
            let version = split_image_path(path).map(|(version, _)| version);
            let start = DownloadStart { caller, is_java, offered_here, version, start, size };
            Some(context.registrars.begin_download(&start, clock::uptime_seconds()))
        }
        _ => None,
    }
}

/// Counts an answered request, and says what an operator should see to since then.
pub fn note_answer(context: &Context, event: &Event) {
    match event {
        Event::Check(check) => {
            if let Some(problem) = &check.news {
                log::problem(&problem.describe(Language::English));
            }
        }
        Event::License { found, .. } => context.registrars.count(Counted::License(*found)),
        Event::Refused { .. } => context.registrars.count(Counted::Refused),
        Event::Download { .. } | Event::Other => {}
    }
}

/// Says that a download which was handed to the kernel whole did not arrive whole, as far as we can know.
pub fn log_cut(place: &Place, path: &str, acknowledged: u64, size: u64) {
    let (peer, file) = (place.peer, quote(path, limits::TARGET_BYTES));
    log::request(Rate::Always, format_args!("event=download_cut peer={peer} file={file} acknowledged={acknowledged}/{size}"));
}

/// Says that a caller is not let in, once a minute for each.
pub fn log_not_allowed(address: IpAddr) {
    log::warn(format_args!("event=not_allowed peer={} effect=\"not served\"", log::Source::from(address)));
}

/// Quotes what a client sent, bytes that are no text included.
fn quote_bytes(bytes: &[u8]) -> String {
    quote(&String::from_utf8_lossy(bytes), limits::QUOTED_BYTES)
}
