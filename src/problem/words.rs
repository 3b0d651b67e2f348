//! Words in the languages operators read.

use std::borrow::Cow;

/// The languages operators read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The log's language, and everybody's who asks for no other.
    English,
    /// Many operators'.
    Russian,
}

/// The words for one kind of problem. `{0}`, `{1}` … stand for its details; both languages use the same ones.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    /// Its name in every language, for example `IMAGE-MISSING`; empty for a part of another text. One that begins with `HINT-` is
    /// advice: nothing is wrong.
    pub code: &'static str,
    /// What is wrong, what follows from it, what to do.
    pub english: &'static str,
    /// The same.
    pub russian: &'static str,
}

impl Text {
    /// The words in a language, before details are filled in.
    pub fn template(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Russian => self.russian,
        }
    }
}

/// Short forms for tables.
impl Text {
    /// A text with a code of its own.
    pub const fn new(code: &'static str, english: &'static str, russian: &'static str) -> Text {
        Text { code, english, russian }
    }

    /// A part of other texts.
    pub const fn part(english: &'static str, russian: &'static str) -> Text {
        Text::new("", english, russian)
    }
}

/// How reasons begin that come as a system's error, ours and the system's usual ones; its numbers follow.
const REASONS: [(&str, &str); 13] = [
    ("not a file", "не файл"),
    ("longer than 64 KiB", "длиннее 64 КиБ"),
    ("folders have the names of its older files", "имена его старых файлов заняты папками"),
    ("No such file or directory", "нет такого файла или папки"),
    ("Permission denied", "нет прав доступа"),
    ("Operation not permitted", "операция запрещена"),
    ("No space left on device", "на диске нет места"),
    ("Read-only file system", "диск доступен только для чтения"),
    ("Not a directory", "не папка"),
    ("Is a directory", "это папка"),
    ("Input/output error", "ошибка чтения или записи диска"),
    ("I/O error", "ошибка чтения или записи диска"),
    ("File exists", "файл уже есть"),
];

/// A reason in Russian; as it is, where it is none of the usual ones.
pub fn translate_reason(reason: &str) -> Cow<'_, str> {
    let known = REASONS.iter().find_map(|(english, russian)| Some((*russian, reason.strip_prefix(*english)?)));
    match known.filter(|(_, rest)| rest.is_empty() || rest.starts_with(" (")) {
        Some((russian, rest)) => Cow::Owned([russian, rest].concat()),
        None => Cow::Borrowed(reason),
    }
}
