//! The log lines of requests.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use super::Shared;
use super::connection::Answered;
use super::door::Seat;
use super::end::End;
use super::receipt::Sent;
use crate::calendar::format_build_date;
use crate::catalog::split_image_path;
use crate::clock;
use crate::limits;
use crate::log;
use crate::problem::Language;
use crate::registrars::{Counted, Download, DownloadStart, OfferedHere, Told};
use crate::routes::{CheckEvent, Event, Reply};
use crate::sys;
use crate::text::quote;

/// One line for an answered request. `bytes` is sent and due of the body; `cut` why they differ.
pub fn log_answer(shared: &Shared, seat: &Seat, answered: &Answered<'_>, reply: &Reply, bytes: Range<u64>, cut: Option<End>) {
    let peer = seat.peer;
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
            log::request(format_args!(
                "event=check peer={peer}{behind} build_date={build_date} update_available={available} critical={critical} version={version}{told}"
            ));
        }
        Event::License { serial, found } => {
            let found = if *found { "yes" } else { "no" };
            log::request(format_args!("event=license peer={peer} serial={serial:016} found={found}"));
        }
        Event::Download { path, caller, .. } => {
            let behind = describe_caller(peer, *caller);
            let (file, status, sent, due) = (quote(path, limits::TARGET_BYTES), reply.status.code(), bytes.start, bytes.end);
            let method = quote_bytes(answered.method);
            let cut = cut.map_or_else(String::new, |end| format!(" cut=\"{end}\""));
            log::request(format_args!(
                "event=download peer={peer}{behind} method={method} file={file} status={status} bytes={sent}/{due}{cut}"
            ));
        }
        Event::Refused { reason } => {
            if !shared.repeats.count((peer.ip(), reply.status.code()), limits::REPEATS_LOGGED) {
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

/// Who stands behind a proxy; nothing if nobody does.
fn describe_caller(peer: SocketAddr, caller: IpAddr) -> String {
    if caller == peer.ip().to_canonical() { String::new() } else { format!(" caller={caller}") }
}

/// Tells registrars of a download before its first byte. What ends before the file does was meant to be a part.
pub fn begin_download(shared: &Shared, reply: &Reply, offered_here: Option<OfferedHere>) -> Option<Download> {
    let length = reply.body.length().filter(|length| *length > 0)?;
    match &reply.event {
        &Event::Download { ref path, start, size, caller, is_java } if start + length == size => {
            let version = split_image_path(path).map(|(version, _)| version);
            let start = DownloadStart { caller, is_java, offered_here, version, start, size };
            Some(shared.registrars.begin_download(&start, clock::uptime_seconds()))
        }
        _ => None,
    }
}

/// Remembers an answered request. `bytes` is sent and due of the body. Returns the download whose end is still to be learnt.
pub fn note_answer(shared: &Shared, seat: &Seat, event: Event, download: Option<Download>, bytes: Range<u64>) -> Option<Sent> {
    match event {
        Event::Check(check) => {
            if let Some(problem) = check.news {
                log::problem(&problem.describe(Language::English));
            }
        }
        Event::License { found, .. } => shared.registrars.count(Counted::License(found)),
        Event::Refused { .. } => shared.registrars.count(Counted::Refused),
        Event::Download { path, start, size, .. } => {
            let mut download = download?;
            if bytes.start == bytes.end {
                return Some(Sent { path, size, download });
            }
            let acknowledged = (start + bytes.start).saturating_sub(sys::unacknowledged_bytes(&seat.stream));
            download.note_position(acknowledged, clock::uptime_seconds());
        }
        Event::Other => {}
    }
    None
}

/// Quotes what a client sent, bytes that are no text included.
fn quote_bytes(bytes: &[u8]) -> String {
    quote(&String::from_utf8_lossy(bytes), limits::QUOTED_BYTES)
}
