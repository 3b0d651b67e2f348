//! The log: one event, one line, written by a thread of its own so that a slow or closed output, or a full disk, never holds
//! up a request.
//!
//! Lines are made of `key=value` pairs. Information goes to standard output, warnings and errors to standard error, and both to
//! the log file if there is one; requests go to the file alone then. Lines of the file begin with their time (UTC). Standard
//! output and error have times only where standard output is a terminal or a file: a service manager stamps lines itself.

mod file;
mod folding;
mod output;

pub use file::FileSettings;

use std::collections::VecDeque;
use std::fmt::{Arguments, Write as _};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

use crate::clock;
use crate::limits;
use crate::text::quote;
use crate::threads;

use folding::Folding;
use output::Outputs;

/// How much an event matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Request,
    Info,
    Warning,
}

struct Line {
    level: Level,
    /// Seconds since 1970, if the clock can be read.
    time: Option<u64>,
    /// Ends with a line break.
    text: String,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<Line>,
    /// Lines lost since the last one written because the queue was full.
    dropped: u32,
    /// The writer holds lines it has taken but not written.
    writing: bool,
    writer_waits: bool,
    folding: Folding,
    /// The log file from now on, if it changed.
    new_file: Option<FileSettings>,
    /// Why lines are missing in the log file.
    trouble: Option<String>,
}

#[derive(Default)]
struct Log {
    queue: Mutex<Queue>,
    /// Signals the writer that there are lines, and whoever flushes that there are none.
    changed: Condvar,
}

static LOG: OnceLock<Log> = OnceLock::new();

impl Log {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the writer thread. Before this, and if no thread can be had, events are lost.
pub fn start() {
    let log = LOG.get_or_init(Log::default);
    // Without a thread the queue fills and further lines are dropped: the server is worth more than its log.
    let _ = threads::spawn(Box::new(|| write_lines(log)));
}

/// Sets the log file for all lines from now on.
pub fn set_file(settings: &FileSettings) {
    if let Some(log) = LOG.get() {
        log.lock().new_file = Some(settings.clone());
    }
}

/// Why lines are missing in the log file, if the last ones could not be written.
pub fn trouble() -> Option<String> {
    LOG.get().and_then(|log| log.lock().trouble.clone())
}

/// Reports a request: `log::request(format_args!("event=… key=value"))`.
pub fn request(text: Arguments<'_>) {
    push(Level::Request, text, false);
}

/// Reports an event of normal work, one that does not come with every request.
pub fn info(text: Arguments<'_>) {
    push(Level::Info, text, false);
}

/// Reports something an operator should see to. The same line again within a minute is counted instead of repeated.
pub fn warn(text: Arguments<'_>) {
    push(Level::Warning, text, true);
}

/// Reports a problem that is new: where it is, and what to do about it, in one text.
pub fn problem(what: &str) {
    push(Level::Warning, format_args!("event=problem what={}", quote(what, usize::MAX)), false);
}

/// Reports the warnings that were counted instead of repeated; called every few seconds.
pub fn report_repeated() {
    let Some(log) = LOG.get() else { return };
    let over = log.lock().folding.take_over(Instant::now());
    for (text, more) in over {
        let seconds = limits::REPEAT_TIME.as_secs();
        push(Level::Warning, format_args!("{text} repeated=\"{more} more in {seconds} s\""), false);
    }
}

#[inline(never)]
fn push(level: Level, text: Arguments<'_>, is_folded: bool) {
    let Some(log) = LOG.get() else { return };
    let mut line = String::with_capacity(160);
    let _ = line.write_fmt(text);
    // Without a clock: none.
    let time = clock::raw_wall_seconds();

    let mut queue = log.lock();
    if is_folded && !queue.folding.is_news(&line, Instant::now()) {
        return;
    }
    if queue.lines.len() >= limits::LOG_LINES {
        queue.dropped = queue.dropped.saturating_add(1);
        return;
    }
    line.push('\n');
    queue.lines.push_back(Line { level, time, text: line });
    if queue.writer_waits {
        log.changed.notify_all();
    }
}

fn write_lines(log: &Log) {
    let mut outputs = Outputs::open();
    let mut taken = VecDeque::new();
    loop {
        let dropped;
        {
            let mut queue = log.lock();
            queue.writing = false;
            queue.trouble = outputs.trouble();
            log.changed.notify_all();
            while queue.lines.is_empty() {
                queue.writer_waits = true;
                queue = match queue.trouble {
                    None => log.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                    // Nobody may log for hours: whether the file can be written again shall be known before.
                    Some(_) => log.changed.wait_timeout(queue, limits::LOG_RETRY).unwrap_or_else(PoisonError::into_inner).0,
                };
                if queue.trouble.is_some() {
                    break;
                }
            }
            queue.writer_waits = false;
        }
        // Whoever logs meanwhile need not wake us.
        thread::sleep(limits::LOG_GATHER);
        {
            let mut queue = log.lock();
            queue.writing = true;
            std::mem::swap(&mut taken, &mut queue.lines);
            dropped = std::mem::take(&mut queue.dropped);
            if let Some(settings) = queue.new_file.take() {
                outputs.set_file(settings);
            }
        }
        outputs.write(&mut taken);
        if dropped > 0 {
            push(Level::Warning, format_args!("event=log_overrun lines_lost={dropped}"), false);
        }
    }
}

/// Waits until all lines are written, at most `limits::LOG_FLUSH`.
pub fn flush() {
    let Some(log) = LOG.get() else { return };
    let end = Instant::now() + limits::LOG_FLUSH;
    let mut queue = log.lock();
    while !queue.lines.is_empty() || queue.writing {
        let Some(rest) = end.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero()) else { return };
        queue = log.changed.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0;
    }
}
