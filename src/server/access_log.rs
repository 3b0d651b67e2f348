//! What was answered: its log line, and what is remembered of it.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::Range;

use super::admission::Place;
use super::context::Context;
use crate::calendar::{Date, format_build_date};
use crate::catalog::split_image_path;
use crate::clock;
use crate::config::Settings;
use crate::limits;
use crate::log;
use crate::routes::{Event, Reply};
use crate::seen::Sight;
use crate::sys;
use crate::text::quote;

pub use crate::seen::Transfer;

/// What the log line needs to know of a request.
pub struct Answered<'a> {
    /// The method, `-` if unknown.
    pub method: &'a [u8],
    /// The path, percent-encoded; empty if unknown.
    pub path: &'a [u8],
    /// The settings it was answered by.
    pub settings: &'a Settings,
}

/// A download of which all bytes are in the kernel's hands.
pub struct Download {
    /// The file, below the firmware folder.
    path: String,
    /// Its version if it is an image.
    version: Option<Date>,
    /// Its size.
    pub size: u64,
}

/// One line for an answered request. `bytes` is sent and due of the body; `cut` why they differ.
pub fn log_answer(
    context: &Context,
    place: &Place,
    answered: &Answered<'_>,
    reply: &Reply,
    bytes: Range<u64>,
    cut: Option<impl Display>,
) {
    let peer = place.peer;
    match &reply.event {
        Event::Check { build_date, version, available, critical } => {
            let build_date = format_build_date(*build_date);
            log::request(format_args!(
                "event=check peer={peer} build_date={build_date} update_available={available} critical={critical} version={version}"
            ));
        }
        Event::License { serial, found } => {
            let found = if *found { "yes" } else { "no" };
            log::request(format_args!("event=license peer={peer} serial={serial:016} found={found}"));
        }
        Event::Download { path, .. } => {
            let (file, status, sent, due) = (quote(path, limits::TARGET_BYTES), reply.status.code(), bytes.start, bytes.end);
            let method = quote_bytes(answered.method);
            let cut = cut.map_or_else(String::new, |reason| format!(" cut=\"{reason}\""));
            log::request(format_args!(
                "event=download peer={peer} method={method} file={file} status={status} bytes={sent}/{due}{cut}"
            ));
        }
        Event::Refused { reason } => {
            if !context.repeats.count((peer.ip(), reply.status.code()), limits::REPEATS_LOGGED) {
                return;
            }
            let (method, path) = (quote_bytes(answered.method), quote_bytes(answered.path));
            let (status, reason) = (reply.status.code(), quote(reason, limits::TARGET_BYTES));
            log::request(format_args!("event=refused peer={peer} method={method} path={path} status={status} reason={reason}"));
        }
        Event::Other => {
            let (method, path) = (quote_bytes(answered.method), quote_bytes(answered.path));
            log::request(format_args!("event=request peer={peer} method={method} path={path} status={}", reply.status.code()));
        }
    }
}

/// Remembers an answered request if there is a status page. `bytes` is sent and due of the body. Returns the download whose end
/// is still to be learnt.
pub fn note_answer(context: &Context, place: &Place, settings: &Settings, event: Event, bytes: Range<u64>) -> Option<Download> {
    let mut download = None;
    let sight = match event {
        Event::Check { build_date, available, .. } => Sight::Check(build_date, available),
        Event::License { found, .. } => Sight::License(found),
        Event::Refused { .. } => Sight::Refused,
        // What ends before the file does was meant to be a part.
        Event::Download { path, start, size } if bytes.end > 0 && start + bytes.end == size => {
            let version = split_image_path(&path).map(|(version, _)| version);
            let transfer = if bytes.start < bytes.end {
                Transfer::Cut((start + bytes.start).saturating_sub(sys::unacknowledged_bytes(&place.stream)))
            } else {
                download = Some(Download { path, version, size });
                Transfer::Sent
            };
            Sight::Download(version, transfer)
        }
        Event::Download { .. } | Event::Other => return None,
    };
    if settings.status_page {
        context.seen.note(place.peer.ip(), clock::uptime_seconds(), sight);
    }
    download
}

/// Says and remembers what became of a download that was handed to the kernel whole.
pub fn note_end_of_download(context: &Context, place: &Place, download: &Download, transfer: Transfer) {
    let settings = context.catalog().settings.clone();
    if let (Transfer::Cut(bytes), true) = (transfer, settings.log_requests) {
        let (peer, file, size) = (place.peer, quote(&download.path, limits::TARGET_BYTES), download.size);
        log::request(format_args!("event=download_cut peer={peer} file={file} acknowledged={bytes}/{size}"));
    }
    if settings.status_page {
        context.seen.note(place.peer.ip(), clock::uptime_seconds(), Sight::Download(download.version, transfer));
    }
}

/// Says that a caller is not let in, once a minute for each.
pub fn note_not_allowed(context: &Context, address: IpAddr) {
    if context.repeats.count((address, 0), 1) {
        log::warn(format_args!("event=not_allowed peer={address} effect=\"connections are reset\""));
    }
}

/// Quotes what a client sent, bytes that are no text included.
fn quote_bytes(bytes: &[u8]) -> String {
    quote(&String::from_utf8_lossy(bytes), limits::QUOTED_BYTES)
}
