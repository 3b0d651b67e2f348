//! Where lines go: standard output, standard error, the log file.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;

use super::file::{FileSettings, LogFile};
use super::{Level, Line};
use crate::calendar;
use crate::sys;

/// All outputs of the writer thread.
pub struct Outputs {
    info: Option<File>,
    warnings: Option<File>,
    with_time: bool,
    file: LogFile,
}

impl Outputs {
    /// Without a log file yet. Own descriptors from the start, past std's buffers and locks: a blocked output must block nobody
    /// else, and the log must go on when descriptors run out.
    pub fn open() -> Outputs {
        let info = sys::standard_output().try_clone_to_owned().ok().map(File::from);
        let is_file = info.as_ref().is_some_and(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()));
        Outputs {
            with_time: is_file || sys::standard_output().is_terminal(),
            info,
            warnings: std::io::stderr().as_fd().try_clone_to_owned().ok().map(File::from),
            file: LogFile::default(),
        }
    }

    /// Takes another log file.
    pub fn set_file(&mut self, settings: FileSettings) {
        self.file.use_settings(settings);
    }

    /// Why lines are missing in the log file.
    pub fn trouble(&self) -> Option<String> {
        self.file.trouble.clone()
    }

    /// Writes all lines and empties the queue. Without lines it tries whether the log file can be written again. Standard
    /// output's errors are ignored: there is nobody to tell.
    pub fn write(&mut self, lines: &mut VecDeque<Line>) {
        let mut has_file = self.file.is_wanted();
        if has_file {
            has_file = self.write_file(lines);
        }
        let mut text = String::new();
        while let Some(line) = lines.pop_front() {
            if line.level != Level::Request || !has_file {
                push_line(&mut text, &line, self.with_time);
            }
            // Consecutive lines for one output go out in one write.
            let is_warning = line.level == Level::Warning;
            if lines.front().is_none_or(|next| (next.level == Level::Warning) != is_warning) {
                let output = if is_warning { &self.warnings } else { &self.info };
                if let Some(mut output) = output.as_ref() {
                    let _ = output.write_all(text.as_bytes());
                }
                text.clear();
            }
        }
    }

    /// Writes lines to the log file; false if they must go elsewhere. Its troubles are told on standard error, once.
    fn write_file(&mut self, lines: &VecDeque<Line>) -> bool {
        let mut texts = Vec::with_capacity(lines.len() + 1);
        for line in lines {
            let mut text = String::with_capacity(line.text.len() + 24);
            push_line(&mut text, line, true);
            texts.push(text);
        }
        let (had_trouble, missing) = (self.file.trouble.is_some(), self.file.missing);
        if had_trouble {
            texts.insert(0, format!("event=log_file_resumed lines_missing={missing}\n"));
        }
        self.file.write(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        match &self.file.trouble {
            None => self.file.missing = 0,
            Some(trouble) => {
                if had_trouble {
                    // The line about the resumption was none of the log's.
                    self.file.missing -= 1;
                } else if let Some(mut output) = self.warnings.as_ref() {
                    let _ = writeln!(output, "event=problem what=\"{trouble}\"");
                }
            }
        }
        self.file.trouble.is_none()
    }
}

/// One line, with `2026-11-21T18:19:00Z ` in front where times are wanted and known.
fn push_line(text: &mut String, line: &Line, with_time: bool) {
    if let (true, Some(time)) = (with_time, line.time) {
        let (year, month, day) = calendar::civil_from_days(time / 86_400);
        let (hour, minute, second) = (time / 3600 % 24, time / 60 % 60, time % 60);
        let _ = write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z ");
    }
    text.push_str(&line.text);
}
