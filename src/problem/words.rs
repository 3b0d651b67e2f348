//! Words in the languages operators read.

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
