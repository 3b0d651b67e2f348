//! The log: one event, one line, written by threads of their own so that a slow or closed output, or a full or hung disk,
//! never holds up a request, and no output another.
//!
//! Lines are made of `key=value` pairs. Information goes to standard output, warnings and errors to standard error, and both to
//! the log file if there is one; requests go to the file alone then. Lines of the file begin with their time (UTC). Standard
//! output and error have times only where standard output is a terminal or a file: a service manager stamps lines itself.

mod file;

mod open_file;
mod queue;
mod rotation;

mod console;
mod rate;

mod repeats;

mod line;

pub use file::FileSettings;
pub use rate::{Kind, Rate, Source};

use std::collections::VecDeque;
use std::fmt::Arguments;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::clock;
use crate::limits;
use crate::text::quote;
use crate::threads;

use console::Stream;
use file::LogFile;
use line::{Level, Line};
use queue::Queue;
use rate::RateLimiter;

#[derive(Default)]
struct Log {
    limiter: Mutex<RateLimiter>,
    /// For standard output.
    info: Queue,
    /// For standard error, if it is another.
    warnings: Option<Queue>,
    /// For the log file.
    file: Queue,
    /// Whether there is one. It guards nothing: a line that comes while it changes may go either way.
    has_file: AtomicBool,
    file_state: Mutex<FileState>,
}

#[derive(Default)]
struct FileState {
    has_writer: bool,
    /// The settings from now on, if they changed.
    new_settings: Option<FileSettings>,
    /// Why lines are missing in it.
    trouble: Option<String>,
}

static LOG: OnceLock<Log> = OnceLock::new();

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    /// Hands a line to its outputs. A request goes to standard output where the log file cannot take it.
    fn deliver(&self, line: Line) {
        if !self.has_file.load(Ordering::Relaxed) {
            self.deliver_to_console(line);
        } else if line.level != Level::Request {
            let _ = self.file.push(line.clone());
            self.deliver_to_console(line);
        } else if let Err(line) = self.file.push(line) {
            self.deliver_to_console(line);
        }
    }

    fn deliver_to_console(&self, line: Line) {
        let queue = self.warnings.as_ref().filter(|_| line.level == Level::Warning).unwrap_or(&self.info);
        // A full queue counts what it loses.
        let _ = queue.push(line);
    }

    fn is_file_stuck(&self) -> bool {
        self.has_file.load(Ordering::Relaxed) && self.file.is_stuck(clock::now(), limits::LOG_STUCK)
    }

    fn report_counts(&self, is_end: bool) {
        let reports = lock(&self.limiter).take_reports(clock::now(), is_end);
        for (level, text) in reports {
            self.deliver(Line::new(level, text));
        }
    }
}

/// Starts the writer threads. Before this, events are lost, and without threads all above `limits::LOG_LINES`: the server is
/// worth more than its log.
pub fn start() {
    let (info, warnings) = console::open();
    let warnings_queue = warnings.is_some().then(Queue::default);
    let log = LOG.get_or_init(|| Log { warnings: warnings_queue, ..Log::default() });
    for (stream, queue) in [(info, Some(&log.info)), (warnings, log.warnings.as_ref())] {
        if let (Some(stream), Some(queue)) = (stream, queue) {
            let _ = threads::spawn(Box::new(|| write_console(queue, stream)));
        }
    }
}

/// Sets the log file for all lines from now on.
pub fn set_file(settings: &FileSettings) {
    let Some(log) = LOG.get() else { return };
    let is_wanted = !settings.path.as_os_str().is_empty();
    let mut state = lock(&log.file_state);
    state.new_settings = Some(settings.clone());
    if is_wanted && !state.has_writer {
        match threads::spawn(Box::new(|| write_file(log))) {
            Ok(()) => state.has_writer = true,
            Err(error) => state.trouble = Some(describe_missing_writer(&error)),
        }
    }
    log.has_file.store(is_wanted && state.has_writer, Ordering::Relaxed);
    drop(state);
    log.file.wake();
}

fn describe_missing_writer(error: &io::Error) -> String {
    format!("the log file is not written (no thread: {error}): raise the limit on threads and restart")
}

/// Why lines are missing in the log file, if the last ones could not be written.
pub fn trouble() -> Option<String> {
    let log = LOG.get()?;
    if log.is_file_stuck() {
        return Some("the log file's disk does not answer: look at the disk of log_file".to_owned());
    }
    lock(&log.file_state).trouble.clone()
}

/// Reports a request: `log::request(rate, format_args!("event=… key=value"))`.
pub fn request(rate: Rate, text: Arguments<'_>) {
    let Some(log) = LOG.get() else { return };
    if rate == Rate::Always || lock(&log.limiter).count(rate, clock::now()) {
        log.deliver(Line::new(Level::Request, text.to_string()));
    }
}

/// Reports an event of normal work, one that does not come with every request.
pub fn info(text: Arguments<'_>) {
    let Some(log) = LOG.get() else { return };
    log.deliver(Line::new(Level::Info, text.to_string()));
}

/// Reports something an operator should see to. The same line again within a minute is counted instead of repeated.
pub fn warn(text: Arguments<'_>) {
    let Some(log) = LOG.get() else { return };
    let text = text.to_string();
    if lock(&log.limiter).count_warning(&text, clock::now()) {
        log.deliver(Line::new(Level::Warning, text));
    }
}

/// Reports a problem that is new: where it is, and what to do about it, in one text.
pub fn problem(what: &str) {
    let Some(log) = LOG.get() else { return };
    log.deliver(Line::new(Level::Warning, format!("event=problem what={}", quote(what, usize::MAX))));
}

/// Reports what was counted instead of written, and a log file that hangs; called every few seconds.
pub fn report_repeated() {
    let Some(log) = LOG.get() else { return };
    log.report_counts(false);
    if log.is_file_stuck()
        && let Some(what) = trouble()
    {
        warn(format_args!("event=problem what={}", quote(&what, usize::MAX)));
    }
}

/// At the end of the program: reports what was counted, and waits until all lines are written, at most `limits::LOG_FLUSH`.
pub fn flush() {
    let Some(log) = LOG.get() else { return };
    log.report_counts(true);
    let end = clock::now() + limits::LOG_FLUSH;
    for queue in [Some(&log.info), log.warnings.as_ref(), Some(&log.file)].into_iter().flatten() {
        queue.wait_until_written(end);
    }
}

fn write_console(queue: &Queue, mut stream: Stream<File>) {
    let mut lines = VecDeque::new();
    loop {
        let lost = queue.take(&mut lines, None);
        stream.write(&mut lines, lost);
    }
}

fn write_file(log: &Log) {
    let mut file = LogFile::default();
    let mut lines = VecDeque::new();
    let mut had_trouble = false;
    loop {
        let trouble = file.trouble();
        // Nobody may log for hours: whether it works again shall be known before.
        let patience = trouble.as_ref().map(|_| limits::LOG_RETRY);
        // Told once, where it can be read.
        if let Some(what) = trouble.as_ref().filter(|_| !had_trouble) {
            log.deliver_to_console(Line::new(Level::Warning, format!("event=problem what={}", quote(what, usize::MAX))));
        }
        had_trouble = trouble.is_some();
        lock(&log.file_state).trouble = trouble;
        let lost = log.file.take(&mut lines, patience);
        if let Some(settings) = lock(&log.file_state).new_settings.take() {
            file.use_settings(settings);
        }
        if lost > 0 {
            lines.push_front(line::overrun(lost));
        }
        let written = file.write(lines.make_contiguous(), clock::now());
        // Requests are nowhere else yet.
        for line in lines.drain(..).skip(written).filter(|line| line.level == Level::Request) {
            log.deliver_to_console(line);
        }
    }
}
