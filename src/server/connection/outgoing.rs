//! A connection's answers: the download's permit, what became of the last download, and how the connection ends.

use std::net::Shutdown;
use std::ops::ControlFlow;

use super::close_reason::CloseReason;
use super::closing::{self, Delivery};
use super::send::Sender;
use crate::clock;
use crate::http::response::ResponseHead;
use crate::limits;
use crate::registrars::{Download as RegistrarDownload, OfferedHere};
use crate::routes::{Body, Event, Reply};
use crate::server::access_log::{self, Answered};
use crate::server::admission::{DownloadPermit, Place, PlaceGuard};
use crate::server::context::Context;
use crate::sys;

/// The answering half of a connection.
pub struct Outgoing<'a> {
    context: &'a Context,
    guard: PlaceGuard<'a>,
    sender: Sender,
    /// The head of an answer.
    out: Vec<u8>,
    /// Held from before a download touches file or image until its last byte is acknowledged, or until it has to give way.
    permit: Option<DownloadPermit<'a>>,
    /// The last download, until it is known whether it arrived; none if it was meant to be a part.
    delivery: Option<Delivering>,
    /// What the driver was offered on this connection last.
    offered_here: Option<OfferedHere>,
}

/// A download of which all bytes are in the kernel's hands.
struct Delivering {
    /// The file, below the firmware folder.
    path: String,
    size: u64,
    /// How much of the file has arrived.
    acknowledged: u64,
    /// Dropped, it counts as cut.
    download: RegistrarDownload,
    is_logged: bool,
}

impl Delivering {
    fn note_missing(&mut self, missing: u64) {
        self.acknowledged = self.size.saturating_sub(missing);
        self.download.note_position(self.acknowledged, clock::uptime_seconds());
    }
}

impl<'a> Outgoing<'a> {
    /// Of a connection that has not been answered yet.
    pub fn new(context: &'a Context, guard: PlaceGuard<'a>) -> Outgoing<'a> {
        let out = Vec::with_capacity(limits::ANSWER_BUFFER);
        Outgoing { context, guard, sender: Sender::new(), out, permit: None, delivery: None, offered_here: None }
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

    /// Gets a download's permit. It may have to wait: then `prepare` is called first.
    pub fn obtain_permit(&mut self, prepare: impl FnOnce()) -> bool {
        let context = self.context;
        let takes_downloads = || context.takes_downloads();
        if takes_downloads() && context.is_accepting() {
            let acknowledged = self.sender.look_at_acknowledged(&self.guard.place);
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
        let mut download = access_log::begin_download(self.context, &reply, self.offered_here);
        let (sent, result) = self.sender.send(place, &mut self.out, &reply.body);
        let is_logged = answered.settings.log_requests;
        if is_logged {
            access_log::log_answer(place, answered, &reply, sent..due, result.err());
        }
        access_log::note_answer(self.context, &reply.event);
        if let (Some(download), &Event::Download { size, .. }, true) = (&mut download, &reply.event, sent < due) {
            // It was to end where the file does.
            let missing = due - sent + sys::unacknowledged_bytes(&place.stream);
            download.note_position(size.saturating_sub(missing), clock::uptime_seconds());
        }
        let is_download = reply.body.is_download();
        self.give_up_delivery();
        match (reply.event, download) {
            (Event::Check(check), _) => self.offered_here = check.offered_here(),
            (Event::Download { path, size, .. }, Some(download)) if sent == due => {
                self.delivery = Some(Delivering { path, size, acknowledged: 0, download, is_logged });
            }
            _ => {}
        }
        if !is_download {
            self.permit = None;
        }
        result.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    /// Whether a download that is on its way holds its permit, as far as the last look told.
    pub fn has_permit(&self) -> bool {
        self.permit.is_some()
    }

    /// Looks whether the last download has arrived, and notes what became of it as soon as that is known. Its permit is given back
    /// then, or when it has to give way: what the kernel holds is delivered all the same. `is_shut` tells that our end of the
    /// connection is on its way too.
    pub fn settle_download(&mut self, is_shut: bool) {
        if self.permit.is_none() && self.delivery.is_none() {
            return;
        }
        let place = &self.guard.place;
        let delivery = closing::look_at_delivery(place, is_shut);
        let missing = delivery.missing();
        self.sender.note_missing(missing);
        if let Some(delivering) = self.delivery.as_mut().filter(|_| missing > 0) {
            delivering.note_missing(missing);
        }
        match delivery {
            Delivery::UnderWay(_) if closing::keeps_permit(place, self.sender.acknowledged()) => return,
            Delivery::UnderWay(_) => {}
            Delivery::Arrived => {
                if let Some(delivering) = self.delivery.take() {
                    delivering.download.complete(clock::uptime_seconds());
                }
            }
            Delivery::Lost(_) => self.give_up_delivery(),
        }
        self.permit = None;
    }

    /// Counts the last download as cut, if it is not known to have arrived.
    fn give_up_delivery(&mut self) {
        if let Some(delivering) = self.delivery.take().filter(|delivering| delivering.is_logged) {
            access_log::log_cut(&self.guard.place, &delivering.path, delivering.acknowledged, delivering.size);
        }
    }

    /// Ends the connection so that its client can tell an answer that is whole from one that is not.
    pub fn close(mut self, reason: CloseReason, is_pipelining: bool) {
        let place = self.guard.place.clone();
        if reason.is_reset() || self.sender.is_in_download() {
            sys::set_reset_on_close(&place.stream, true);
            return self.give_up_delivery();
        }
        self.settle_download(false);
        if reason == CloseReason::ClientClosed && self.permit.is_none() {
            // Its end came after all it sent: nothing is left unread that would make a reset of ours.
            return self.give_up_delivery();
        }
        let _ = place.stream.shutdown(Shutdown::Write);
        self.settle_download(true);
        while self.permit.is_some() {
            closing::wait_for_acknowledgement(&place);
            self.settle_download(true);
        }
        self.give_up_delivery();
        if reason == CloseReason::Refused || is_pipelining || sys::unread_bytes(&place.stream) > 0 {
            closing::linger(&place);
        }
    }
}
