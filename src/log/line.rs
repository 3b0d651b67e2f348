//! One line of the log.

use std::fmt::Write as _;

use crate::calendar;
use crate::clock;

/// How much an event matters: this decides where its line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Request,
    Info,
    Warning,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub level: Level,
    /// Seconds since 1970, if the clock can be read.
    time: Option<u64>,
    /// Ends with a line break.
    text: String,
}

impl Line {
    /// `text` is one line without its line break; the time is now.
    pub fn new(level: Level, mut text: String) -> Line {
        text.push('\n');
        Line { level, time: clock::raw_wall_seconds(), text }
    }

    /// Appends the line, with `2026-11-21T18:19:00Z ` in front where times are wanted and known.
    pub fn append_to(&self, out: &mut String, with_time: bool) {
        if let (true, Some(time)) = (with_time, self.time) {
            let (year, month, day) = calendar::civil_from_days(time / 86_400);
            let (hour, minute, second) = (time / 3600 % 24, time / 60 % 60, time % 60);
            let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z ");
        }
        out.push_str(&self.text);
    }
}

/// Tells in an output how many of its lines are missing at this place.
pub fn overrun(lost: u32) -> Line {
    Line::new(Level::Warning, format!("event=log_overrun lines_lost={lost}"))
}
