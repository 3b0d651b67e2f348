//! Reading a file of settings: all of it, whatever is wrong with it.

use std::io;
use std::path::{Path, PathBuf};

use super::keys::KEYS;
use super::paths;
use super::settings::Settings;
use crate::file::{has_extension, read_stamped};
use crate::ini::{self, Entry};
use crate::limits;
use crate::problem::settings as texts;
use crate::problem::{self, Detail, Problem, Text};
use crate::sha256;
use crate::stamp::Stamp;
use crate::sys;
use crate::text;

/// What became of reading a file of settings.
pub struct Reading {
    /// The settings; where there are mistakes only good for answering checks with "no update": what is in a bad line has its
    /// default, and paths that swallow each other lead nowhere.
    pub settings: Settings,
    /// Mistakes first, then hints, each by line; bounded.
    pub problems: Vec<Problem>,
    /// Number of all mistakes; without one the settings are valid.
    pub mistakes: usize,
    /// Whether `port`, `address` and `allow` are sound, so that a server may start in spite of mistakes elsewhere.
    pub can_listen: bool,
    /// The file's state before and after it was read; `None` if that was not the same, so that it is to be read again, or if there
    /// is no file.
    pub stamp: Option<Stamp>,
}

impl From<Settings> for Reading {
    /// As if they had been read and were valid.
    fn from(settings: Settings) -> Reading {
        Reading { settings, problems: Vec::new(), mistakes: 0, can_listen: true, stamp: None }
    }
}

impl Reading {
    /// The settings, or what is wrong with them.
    pub fn valid(self) -> Result<Settings, Vec<Problem>> {
        if self.mistakes == 0 { Ok(self.settings) } else { Err(self.problems) }
    }

    /// A file of which nothing is understood.
    fn unusable(file: &Path, bytes: &[u8], text: &'static Text, details: Vec<Detail>) -> Reading {
        Reading {
            settings: Settings::defaults(file, sha256::hash(bytes)),
            problems: vec![Problem::with(file, text, details)],
            mistakes: 1,
            can_listen: false,
            stamp: None,
        }
    }
}

/// What follows from mistakes in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The settings stay as they were.
    Kept,
    /// The server has started and offers nothing.
    NothingOffered,
    /// It cannot start.
    NotStarted,
}

/// One problem more, of the whole file: what follows from the mistakes in it.
pub fn describe_effect(file: &Path, mistakes: usize, effect: Effect) -> Problem {
    let text = match effect {
        Effect::Kept => &texts::KEPT,
        Effect::NothingOffered => &texts::NOTHING_OFFERED,
        Effect::NotStarted => &texts::NOT_STARTED,
    };
    Problem::with(file, text, vec![mistakes.into()])
}

/// Reads the settings, or every mistake in them.
pub fn load(file: &Path) -> Result<Settings, Vec<Problem>> {
    read(file).valid()
}

/// Reads the settings with everything that is wrong with them.
pub fn read(file: &Path) -> Reading {
    read_again(file).unwrap_or_else(|error| unreadable(file, error))
}

/// The same for a server that has settings. An error only if descriptors or memory have run out, so that nothing is known.
pub fn read_again(file: &Path) -> io::Result<Reading> {
    match read_stamped(file, limits::CONFIG_BYTES) {
        Ok((bytes, stamp)) => Ok(Reading { stamp, ..parse(file, &bytes) }),
        Err(error) if sys::is_out_of_resources(&error) => Err(error),
        Err(error) => Ok(unreadable(file, error)),
    }
}

fn unreadable(file: &Path, error: io::Error) -> Reading {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => &texts::ADVICE_CREATE,
        _ => &texts::ADVICE_READABLE,
    };
    let details = vec![error.into(), Detail::Words(advice)];
    Reading { stamp: Stamp::of(file), ..Reading::unusable(file, &[], &texts::UNREADABLE, details) }
}

/// Reads settings from the bytes of `file`; the reading has no stamp.
pub fn parse(file: &Path, bytes: &[u8]) -> Reading {
    if ini::is_utf16(bytes) {
        return Reading::unusable(file, bytes, &texts::UTF16, Vec::new());
    }
    let mut parser = Parser {
        settings: Settings::defaults(file, sha256::hash(bytes)),
        mistakes: Vec::new(),
        mistake_count: 0,
        hints: Vec::new(),
        can_listen: true,
        quoted_values: 0,
        has_unknown_keys: false,
    };
    ini::parse(bytes).for_each(|line| match line {
        Ok(entry) => parser.take_entry(&entry),
        Err(bad) => {
            parser.note_sounding(bad.content.split([' ', '\t', ':', '=']).find(|word| !word.is_empty()).unwrap_or_default());
            parser.fail(Problem::in_line(file, bad.line, bad.text, Vec::new()));
        }
    });
    parser.check_together();
    // Two values in quotes and keys that are none: a flat config.py, in which each text is quoted.
    let is_quoted = parser.quoted_values > 1 && parser.has_unknown_keys;
    let is_python = has_extension(file, b".py") || looks_like_python(bytes) || is_quoted;
    if is_python && parser.mistake_count > 0 {
        return Reading::unusable(file, bytes, &texts::PYTHON, Vec::new());
    }
    let Parser { settings, mut mistakes, mistake_count, mut hints, can_listen, .. } = parser;
    if let Some(more) = mistake_count.checked_sub(mistakes.len()).filter(|more| *more > 0) {
        mistakes.push(Problem::with(file, &problem::MORE, vec![more.into()]));
    }
    problem::bound(&mut hints, &file.to_string_lossy(), limits::PROBLEMS_PER_FILE);
    mistakes.append(&mut hints);
    Reading { settings, problems: mistakes, mistakes: mistake_count, can_listen, stamp: None }
}

/// Keys without which nobody knows where to listen, and to whom.
const LISTENING_KEYS: [&str; 3] = ["port", "address", "allow"];

struct Parser {
    settings: Settings,
    /// The first ones.
    mistakes: Vec<Problem>,
    mistake_count: usize,
    hints: Vec<Problem>,
    can_listen: bool,
    quoted_values: usize,
    has_unknown_keys: bool,
}

impl Parser {
    /// Only the first mistakes are kept: a wrong file may have thousands of lines.
    fn fail(&mut self, problem: Problem) {
        self.mistake_count += 1;
        if self.mistakes.len() < limits::PROBLEMS_PER_FILE {
            self.mistakes.push(problem);
        }
    }

    /// A bad line that may have been meant to say where to listen.
    fn note_sounding(&mut self, word: &str) {
        self.can_listen &= ini::find_similar(word, key_names()).is_none_or(|key| !LISTENING_KEYS.contains(&key));
    }

    fn take_entry(&mut self, entry: &Entry<'_>) {
        let file = self.settings.file.clone();
        let at_line = |text, details| Problem::in_line(&file, entry.line, text, details);
        let hint = ini::find_hint(&file, entry);
        self.quoted_values += usize::from(hint.as_ref().is_some_and(|hint| hint.code() == texts::QUOTES.code));
        let Some((name, read_value)) = KEYS.into_iter().find(|(name, _)| *name == entry.key) else {
            self.note_sounding(entry.key);
            self.has_unknown_keys = true;
            let key = text::quote(entry.key, limits::QUOTED_BYTES).into();
            return self.fail(match ini::find_similar(entry.key, key_names()) {
                Some(name) => at_line(&texts::MISSPELT, vec![key, name.into()]),
                None => at_line(&texts::UNKNOWN, vec![key, KEYS.map(|(name, _)| name).join(" ").into()]),
            });
        };
        let is_listening = LISTENING_KEYS.contains(&name);
        if let Some(first) = self.settings.line_of(name) {
            self.can_listen &= !is_listening;
            return self.fail(at_line(&texts::REPEATED, vec![name.into(), first.into()]));
        }
        self.settings.lines.push((name, entry.line));
        match read_value(&mut self.settings, entry.value) {
            Ok(()) => self.hints.extend(hint),
            Err(valid) => {
                self.can_listen &= !is_listening;
                let value = text::quote(entry.value, limits::QUOTED_BYTES).into();
                self.fail(at_line(&texts::INVALID, vec![name.into(), value, Detail::Words(valid)]));
                self.hints.extend(hint);
            }
        }
    }

    /// What only shows when all lines are read.
    fn check_together(&mut self) {
        if self.settings.line_of("current_firmware_version").is_none() {
            self.fail(Problem::with(&self.settings.file, &texts::VERSION_MISSING, Vec::new()));
        }
        let Settings { min_image_kb: min, max_image_kb: max, .. } = self.settings;
        if min > max {
            let key = if self.settings.line_of("min_image_kb").is_some() { "min_image_kb" } else { "max_image_kb" };
            self.fail(self.settings.problem_of(key, &texts::SIZES, vec![min.into(), max.into()]));
        }
        let conflicts = paths::find_conflicts(&self.settings);
        if !conflicts.is_empty() {
            (self.settings.firmware_path, self.settings.log_file.path) = (NOWHERE.into(), PathBuf::new());
        }
        conflicts.into_iter().for_each(|problem| self.fail(problem));
    }
}

/// Below a file that is no folder there can be nothing, so nothing is handed out.
const NOWHERE: &str = "/dev/null/firmware";

fn key_names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(name, _)| *name)
}

/// Whether a file is Python, as the old server's settings are: the beginning of a line tells.
fn looks_like_python(bytes: &[u8]) -> bool {
    const SIGNS: [&[u8]; 9] = [
        b"import ",
        b"from ",
        b"def ",
        b"class ",
        b"if __name__",
        b"define(",
        b"#!/usr/bin/env python",
        b"#!/usr/bin/python",
        b"# -*- coding",
    ];
    bytes.split(|byte| *byte == b'\n').any(|line| SIGNS.iter().any(|sign| line.starts_with(sign)))
}
