//! Words in the languages operators read.

use std::borrow::Cow;

use super::cyrillic;

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
    /// The same, in one byte a letter.
    pub russian: &'static [u8],
}

impl Text {
    /// The words in a language, before details are filled in.
    pub fn template(&self, language: Language) -> Cow<'static, str> {
        match language {
            Language::English => Cow::Borrowed(self.english),
            Language::Russian => Cow::Owned(cyrillic::decode(self.russian)),
        }
    }
}

/// A text: its code (none for a part of other texts), English, Russian.
macro_rules! text {
    ($english:expr, $russian:expr $(,)?) => {
        text!("", $english, $russian)
    };
    ($code:expr, $english:expr, $russian:expr $(,)?) => {{
        const RUSSIAN: [u8; $crate::problem::cyrillic::count($russian)] = $crate::problem::cyrillic::encode($russian);
        Text { code: $code, english: $english, russian: &RUSSIAN }
    }};
}

pub(crate) use text;

/// How reasons begin that come as a system's error, ours and the system's usual ones; its numbers follow.
static REASONS: [Text; 13] = [
    text!("not a file", "не файл"),
    text!("longer than 64 KiB", "длиннее 64 КиБ"),
    text!("folders have the names of its older files", "имена его старых файлов заняты папками"),
    text!("No such file or directory", "нет такого файла или папки"),
    text!("Permission denied", "нет прав доступа"),
    text!("Operation not permitted", "операция запрещена"),
    text!("No space left on device", "на диске нет места"),
    text!("Read-only file system", "диск доступен только для чтения"),
    text!("Not a directory", "не папка"),
    text!("Is a directory", "это папка"),
    text!("Input/output error", "ошибка чтения или записи диска"),
    text!("I/O error", "ошибка чтения или записи диска"),
    text!("File exists", "файл уже есть"),
];

/// A reason in Russian; as it is, where it is none of the usual ones.
pub fn translate_reason(reason: &str) -> Cow<'_, str> {
    let known = REASONS.iter().find_map(|known| Some((known, reason.strip_prefix(known.english)?)));
    match known.filter(|(_, rest)| rest.is_empty() || rest.starts_with(" (")) {
        Some((known, rest)) => Cow::Owned(cyrillic::decode(known.russian) + rest),
        None => Cow::Borrowed(reason),
    }
}
