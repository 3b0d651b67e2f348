//! The log: one event, one line, written by a thread of its own so that a slow or closed output never holds up a request.
//!
//! Lines are made of `key=value` pairs. Information goes to standard output, warnings and errors to standard error. A time
//! stamp (UTC) stands in front only where standard output is a terminal or a file: a service manager stamps lines itself.

use std::collections::VecDeque;
use std::fmt::{Arguments, Write as _};
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::calendar;
use crate::limits;
use crate::text::quote;
use crate::threads;

/// How much an event matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Info,
    Warning,
}

struct Line {
    level: Level,
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
}

struct Log {
    queue: Mutex<Queue>,
    /// Signals the writer that there are lines, and whoever flushes that there are none.
    changed: Condvar,
    with_time: bool,
}

struct Outputs {
    info: Option<File>,
    warnings: Option<File>,
}

static LOG: OnceLock<Log> = OnceLock::new();

impl Log {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the writer thread. Before this, and if no thread can be had, events are lost.
pub fn start() {
    let log = LOG.get_or_init(|| Log { queue: Mutex::default(), changed: Condvar::new(), with_time: wants_time() });
    // Without a thread the queue fills and further lines are dropped: the server is worth more than its log.
    let _ = threads::spawn(Box::new(|| write_lines(log)));
}

fn wants_time() -> bool {
    let output = std::io::stdout();
    let is_file = |fd: std::os::fd::OwnedFd| File::from(fd).metadata().is_ok_and(|metadata| metadata.is_file());
    output.is_terminal() || output.as_fd().try_clone_to_owned().is_ok_and(is_file)
}

/// Reports an event of normal work: `log::info(format_args!("event=… key=value"))`.
pub fn info(text: Arguments<'_>) {
    push(Level::Info, text);
}

/// Reports something an operator should see to.
pub fn warn(text: Arguments<'_>) {
    push(Level::Warning, text);
}

/// Reports a problem: where it is, and what to do about it, in one text.
pub fn problem(what: &str) {
    warn(format_args!("event=problem what={}", quote(what, usize::MAX)));
}

#[inline(never)]
fn push(level: Level, text: Arguments<'_>) {
    let Some(log) = LOG.get() else { return };
    let mut line = String::with_capacity(160);
    if log.with_time {
        write_time(&mut line);
    }
    let _ = line.write_fmt(text);
    line.push('\n');

    let mut queue = log.lock();
    if queue.lines.len() >= limits::LOG_LINES {
        queue.dropped = queue.dropped.saturating_add(1);
        return;
    }
    queue.lines.push_back(Line { level, text: line });
    if queue.writer_waits {
        log.changed.notify_all();
    }
}

/// `2026-11-21T18:19:00Z `; nothing where the clock cannot be read.
fn write_time(line: &mut String) {
    let Ok(time) = SystemTime::now().duration_since(UNIX_EPOCH) else { return };
    let seconds = time.as_secs();
    let (year, month, day) = calendar::civil_from_days(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let _ = write!(line, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z ");
}

fn write_lines(log: &Log) {
    // Own descriptors from the start, past std's buffers and locks: a blocked output must block nobody else, and the log must
    // go on when descriptors run out.
    let outputs = Outputs {
        info: std::io::stdout().as_fd().try_clone_to_owned().ok().map(File::from),
        warnings: std::io::stderr().as_fd().try_clone_to_owned().ok().map(File::from),
    };
    let mut taken = VecDeque::new();
    loop {
        let dropped;
        {
            let mut queue = log.lock();
            queue.writing = false;
            log.changed.notify_all();
            while queue.lines.is_empty() {
                queue.writer_waits = true;
                queue = log.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
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
        }
        write_batch(&outputs, &mut taken);
        if dropped > 0 {
            warn(format_args!("event=log_overrun lines_lost={dropped}"));
        }
    }
}

/// Writes all lines and empties the queue; consecutive lines of one level go out in one write. Errors are ignored: there is
/// nobody to tell.
fn write_batch(outputs: &Outputs, lines: &mut VecDeque<Line>) {
    let mut text = String::new();
    while let Some(line) = lines.pop_front() {
        text.push_str(&line.text);
        if lines.front().is_none_or(|next| next.level != line.level) {
            let output = match line.level {
                Level::Info => &outputs.info,
                Level::Warning => &outputs.warnings,
            };
            if let Some(mut output) = output.as_ref() {
                let _ = output.write_all(text.as_bytes());
            }
            text.clear();
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
