//! The stop: checks are answered to the last moment, downloads under way finish, and it ends.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::acceptor;
use super::admission::Phase;
use super::context::Context;
use crate::clock;
use crate::limits;
use crate::log;
use crate::sys;

/// Stops the server. Returns when all is done, when `stop_seconds` are over, or when a stop is asked for once more than
/// `asked_before`: then what is still being sent ends as a reset.
pub fn stop(context: &Arc<Context>, asked_before: u32) {
    let time = Duration::from_secs(context.catalog().settings.stop_seconds.into());
    log::info(format_args!("event=stopping seconds_at_most={}", time.as_secs()));
    context.begin_stop(time);
    let begun = clock::now();
    let is_impatient = || sys::stops_asked_for() > asked_before;
    let is_over = || is_impatient() || context.time_to_stop().is_none_or(|left| left.is_zero());

    // Checks are answered as before, with "no update". Whoever comes has a second; downloads that move have their time.
    let end_of_downloads = limits::STOP_CLOSING_TIME;
    let may_go_on = || context.time_to_stop().is_some_and(|left| left > end_of_downloads) && !is_impatient();
    while may_go_on() {
        let has_grace = clock::now().saturating_duration_since(begun) < limits::STOP_GRACE && !context.admission.is_empty();
        if !has_grace && !context.admission.has_moving_download() {
            break;
        }
        acceptor::tend(context);
        dismiss_others(context, begun);
        thread::sleep(limits::STOP_TICK);
    }

    // Each thread in `accept` serves whom it got, and leaves at its tick.
    context.leave_entrances();
    wait_until(limits::ACCEPT_TICK * 2, &is_over, || is_unattended(context), || dismiss_others(context, begun));
    let end_of_queue = clock::now() + limits::STOP_GRACE;
    acceptor::close_entrances(context, || is_over() || clock::now() >= end_of_queue);
    let is_done = || is_unattended(context) && (context.admission.is_empty() || !context.admission.has_others_than_downloads());
    wait_until(limits::STOP_GRACE, &is_over, is_done, || dismiss_others(context, begun));
    log::info(format_args!("event=stopped"));
    log::flush();
}

/// Asks those to leave that have been about anything but a download for a second since the stop began.
fn dismiss_others(context: &Context, begun: Instant) {
    let now = clock::now();
    for place in context.admission.connections() {
        let stage = *place.stage();
        let had_its_time = now.saturating_duration_since(stage.since.max(begun)) >= limits::STOP_GRACE;
        if had_its_time && !matches!(stage.phase, Phase::Working | Phase::Sending) {
            place.ask_to_leave(&stage);
        }
    }
}

fn is_unattended(context: &Context) -> bool {
    context.entrances.iter().all(|entrance| entrance.waiting() == 0)
}

fn wait_until(time: Duration, is_over: &impl Fn() -> bool, is_done: impl Fn() -> bool, meanwhile: impl Fn()) {
    let end = clock::now() + time;
    while !is_done() && !is_over() && clock::now() < end {
        meanwhile();
        thread::sleep(limits::STOP_TICK);
    }
}
