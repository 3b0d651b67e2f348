//! The log lines of requests.

use std::ops::Range;

use super::Shared;
use super::clock;
use super::connection::Answered;
use super::door::Seat;
use super::end::End;
use super::receipt::Sent;
use crate::calendar::format_build_date;
use crate::catalog::split_image_path;
use crate::config::Settings;
use crate::limits;
use crate::log::{self, Kind, Rate};
use crate::routes::{Event, Reply};
use crate::seen::{Sight, Transfer};
use crate::sys;
use crate::text::quote;

/// How often a line like this one is written. What a till did always has its line, as far as a caller cannot make thousands of
/// them at no cost; health checks are only counted.
fn rate(seat: &Seat, answered: &Answered<'_>, reply: &Reply, sent: u64) -> Rate {
    let status = Some(reply.status.code());
    let limited = |event| Rate::Limited(Kind { event, status }, seat.peer.ip());
    match &reply.event {
        Event::License { .. } => Rate::Always,
        Event::Download { size, .. } if sent == *size => Rate::Always,
        Event::Check { .. } => limited("check"),
        Event::Download { .. } => limited("download"),
        Event::Refused { .. } => limited("refused"),
        // The page for people.
        Event::Other if answered.path == b"/" => limited("request"),
        Event::Other => Rate::Counted(Kind { event: "request", status }, seat.peer.ip()),
    }
}

/// One line for an answered request. `bytes` is sent and due of the body; `cut` why they differ.
pub fn log_answer(seat: &Seat, answered: &Answered<'_>, reply: &Reply, bytes: Range<u64>, cut: Option<End>) {
    let peer = seat.peer;
    let rate = rate(seat, answered, reply, bytes.start);
    match &reply.event {
        Event::Check { build_date, version, available, critical } => {
            let build_date = format_build_date(*build_date);
            log::request(
                rate,
                format_args!(
                    "event=check peer={peer} build_date={build_date} update_available={available} critical={critical} version={version}"
                ),
            );
        }
        Event::License { serial, found } => {
            let found = if *found { "yes" } else { "no" };
            log::request(rate, format_args!("event=license peer={peer} serial={serial:016} found={found}"));
        }
        Event::Download { path, .. } => {
            let (file, status, sent, due) = (quote(path, limits::TARGET_BYTES), reply.status.code(), bytes.start, bytes.end);
            let method = quote_bytes(answered.method);
            let cut = cut.map_or_else(String::new, |end| format!(" cut=\"{end}\""));
            log::request(
                rate,
                format_args!("event=download peer={peer} method={method} file={file} status={status} bytes={sent}/{due}{cut}"),
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

/// Remembers an answered request if there is a status page. `bytes` is sent and due of the body. Returns the download whose end
/// is still to be learnt.
pub fn note_answer(shared: &Shared, seat: &Seat, settings: &Settings, event: Event, bytes: Range<u64>) -> Option<Sent> {
    let mut download = None;
    let sight = match event {
        Event::Check { build_date, available, .. } => Sight::Check(build_date, available),
        Event::License { found, .. } => Sight::License(found),
        Event::Refused { .. } => Sight::Refused,
        // What ends before the file does was meant to be a part.
        Event::Download { path, start, size } if bytes.end > 0 && start + bytes.end == size => {
            let version = split_image_path(&path).map(|(version, _)| version);
            let transfer = if bytes.start < bytes.end {
                Transfer::Cut((start + bytes.start).saturating_sub(sys::unacknowledged_bytes(&seat.stream)))
            } else {
                download = Some(Sent { path, version, size });
                Transfer::Sent
            };
            Sight::Download(version, transfer)
        }
        Event::Download { .. } | Event::Other => return None,
    };
    if settings.status_page {
        shared.seen.note(seat.peer.ip(), clock::uptime_seconds(), sight);
    }
    download
}

/// Quotes what a client sent, bytes that are no text included.
fn quote_bytes(bytes: &[u8]) -> String {
    quote(&String::from_utf8_lossy(bytes), limits::QUOTED_BYTES)
}
