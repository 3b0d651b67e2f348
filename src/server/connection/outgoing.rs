//! A connection's answers: the download's permit, what became of the last download, and how the connection ends.

use std::net::Shutdown;
use std::ops::ControlFlow;

use super::close_reason::CloseReason;
use super::closing::{self, Delivery};
use super::send::Sender;
use crate::clock;
use crate::http::response::ResponseHead;
use crate::limits;
use crate::routes::{Body, Reply};
use crate::server::access_log::{self, Answered, Download, Transfer};
use crate::server::admission::{DownloadPermit, Place, PlaceGuard};
use crate::server::context::Context;
use crate::sys;

/// The answering half of a connection.
pub struct Outgoing<'a> {
    context: &'a Context,
    guard: PlaceGuard<'a>,
    sender: Sender,
    /// The head of an answer, and its body if that is small.
    out: Vec<u8>,
    /// Held from before a download touches file or image until its last byte is acknowledged.
    permit: Option<DownloadPermit<'a>>,
    /// The last download, until it is known whether it arrived; none if it was meant to be a part.
    download: Option<Download>,
}

impl<'a> Outgoing<'a> {
    /// Of a connection that has not been answered yet.
    pub fn new(context: &'a Context, guard: PlaceGuard<'a>) -> Outgoing<'a> {
        let out = Vec::with_capacity(limits::READ_BUFFER / 2);
        Outgoing { context, guard, sender: Sender::new(), out, permit: None, download: None }
    }

    /// The connection's place.
    pub fn place(&self) -> &Place {
        &self.guard.place
    }

    /// Whether the connection may stay for a second request, as far as it is up to us.
    pub fn may_be_kept(&self) -> bool {
        !self.context.admission.is_pressed()
            && !self.context.is_stopping()
            && !self.guard.is_beside()
            && self.guard.place.asked_to_leave().is_none()
    }

    /// Gets a download's permit, unless there is one from the download before. It may have to wait: then `prepare` is called first.
    pub fn obtain_permit(&mut self, prepare: impl FnOnce()) -> bool {
        let context = self.context;
        let takes_downloads = || context.takes_downloads();
        if self.permit.is_none() && takes_downloads() && context.is_accepting() {
            let acknowledged = self.sender.acknowledged(&self.guard.place);
            self.permit = context.admission.permit_download(&mut self.guard, acknowledged, prepare, takes_downloads);
        }
        self.permit.is_some()
    }

    /// Sends, notes and logs an answer; or says why the connection ends before all of it was sent.
    pub fn send(&mut self, answered: &Answered<'_>, keep_alive: bool, mut reply: Reply) -> ControlFlow<CloseReason> {
        let place = &self.guard.place;
        self.out.clear();
        ResponseHead {
            status: reply.status,
            now: clock::wall_seconds(),
            keep_alive,
            content_length: reply.body.length(),
            fields: &reply.fields,
        }
        .write_to(&mut self.out);
        if answered.method == b"HEAD" {
            reply.body = Body::Absent;
        }
        let due = reply.body.length().unwrap_or(0);
        let (sent, result) = self.sender.send(place, &mut self.out, &reply.body);
        if answered.settings.log_requests {
            access_log::log_answer(self.context, place, answered, &reply, sent..due, result.err());
        }
        if !reply.body.is_download() {
            self.permit = None;
        }
        self.download = access_log::note_answer(self.context, place, answered.settings, reply.event, sent..due);
        result.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    /// Whether a download is still on its way, after a look at what became of it.
    pub fn is_download_under_way(&mut self) -> bool {
        self.settle_download(false);
        self.permit.is_some()
    }

    /// Looks whether the last download has arrived, and says what became of it as soon as that is known; then its permit is given
    /// back. `is_shut` tells that our end of the connection is on its way too.
    pub fn settle_download(&mut self, is_shut: bool) {
        if self.permit.is_none() {
            return;
        }
        let place = &self.guard.place;
        let transfer = match closing::look_at_delivery(place, self.sender.acknowledged(place), is_shut) {
            Delivery::UnderWay => return,
            Delivery::Arrived => Transfer::Complete,
            Delivery::Unknown(missing) => {
                let size = self.download.as_ref().map_or(0, |download| download.size);
                Transfer::Cut(size.saturating_sub(missing))
            }
        };
        if let Some(download) = self.download.take() {
            access_log::note_end_of_download(self.context, place, &download, transfer);
        }
        self.permit = None;
    }

    /// Ends the connection so that its client can tell an answer that is whole from one that is not.
    pub fn close(mut self, reason: CloseReason, is_pipelining: bool) {
        let place = self.guard.place.clone();
        if reason.is_reset() {
            sys::set_reset_on_close(&place.stream, true);
            return;
        }
        let _ = place.stream.shutdown(Shutdown::Write);
        while self.permit.is_some() {
            self.settle_download(true);
            if self.permit.is_some() {
                closing::wait_for_acknowledgement(&place);
            }
        }
        let is_unread = is_pipelining || sys::unread_bytes(&place.stream) > 0;
        match reason {
            CloseReason::Refused => closing::linger(&place),
            CloseReason::Answered if is_unread => closing::linger(&place),
            _ => {}
        }
    }
}
