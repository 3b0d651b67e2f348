//! The log lines of requests.

use std::ops::Range;

use super::Shared;
use super::connection::Answered;
use super::door::Seat;
use super::end::End;
use crate::limits;
use crate::log;
use crate::routes::{Event, Reply};
use crate::text::quote;

/// One line for an answered request. `bytes` is sent and due of the body; `cut` why they differ.
pub fn log_answer(shared: &Shared, seat: &Seat, answered: &Answered<'_>, reply: &Reply, bytes: Range<u64>, cut: Option<End>) {
    let peer = seat.peer;
    match &reply.event {
        Event::Check { build_date, version, available, critical } => {
            let (day, month, year) = (build_date % 100, build_date / 100 % 100, build_date / 10_000);
            log::info(format_args!(
                "event=check peer={peer} build_date={day:02}.{month:02}.{year:04} update_available={available} critical={critical} version={version}"
            ));
        }
        Event::License { serial, found } => {
            let found = if *found { "yes" } else { "no" };
            log::info(format_args!("event=license peer={peer} serial={serial:016} found={found}"));
        }
        Event::Download { path } => {
            let (file, status, sent, due) = (quote(path, limits::TARGET_BYTES), reply.status.code(), bytes.start, bytes.end);
            let method = quote_bytes(answered.method);
            let cut = cut.map_or_else(String::new, |end| format!(" cut=\"{end}\""));
            log::info(format_args!(
                "event=download peer={peer} method={method} file={file} status={status} bytes={sent}/{due}{cut}"
            ));
        }
        Event::Refused { reason } => {
            if !shared.repeats.count((peer.ip(), reply.status.code()), limits::REPEATS_LOGGED) {
                return;
            }
            let (method, path) = (quote_bytes(answered.method), quote_bytes(answered.path));
            let (status, reason) = (reply.status.code(), quote(reason, limits::TARGET_BYTES));
            log::info(format_args!("event=refused peer={peer} method={method} path={path} status={status} reason={reason}"));
        }
        Event::Other => {
            let (method, path) = (quote_bytes(answered.method), quote_bytes(answered.path));
            log::info(format_args!("event=request peer={peer} method={method} path={path} status={}", reply.status.code()));
        }
    }
}

/// Quotes what a client sent, bytes that are no text included.
fn quote_bytes(bytes: &[u8]) -> String {
    quote(&String::from_utf8_lossy(bytes), limits::QUOTED_BYTES)
}
