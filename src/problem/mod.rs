//! Problems: what an operator should see to. Each has a code, which is the same in every language and can be searched for, and
//! a text in English and in Russian that says what is wrong, what follows from it and what to do.
//!
//! The texts stand in one file for each part of the program; whoever finds a problem names its text and fills in the details.

pub mod firmware;
pub mod licenses;
pub mod offers;
pub mod registrars;
pub mod service;
pub mod settings;

mod words;

pub mod cyrillic;

pub(crate) use words::text;
use words::translate_reason;
pub use words::{Language, Text};

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use crate::text::push_visible;

/// What fills a gap in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// A number or a name, the same in every language; or a system's reason, of which the usual ones are translated.
    Plain(String),
    /// Words that have their own translation.
    Words(&'static Text),
}

impl<T: fmt::Display> From<T> for Detail {
    fn from(value: T) -> Detail {
        Detail::Plain(value.to_string())
    }
}

/// A text with what fills its gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    text: &'static Text,
    details: Vec<Detail>,
}

impl Sentence {
    /// With these details.
    #[cold]
    pub fn new(text: &'static Text, details: Vec<Detail>) -> Sentence {
        Sentence { text, details }
    }

    /// The words, with the details filled in. Whatever came from outside is made visible.
    pub fn say(&self, language: Language) -> String {
        let mut out = String::new();
        let template = self.text.template(language);
        let mut rest = &*template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let (index, after) = after.split_once('}').unwrap_or(("", after));
            match index.parse::<usize>().ok().and_then(|index| self.details.get(index)) {
                Some(Detail::Plain(text)) => {
                    let text = match language {
                        Language::English => Cow::Borrowed(text.as_str()),
                        Language::Russian => translate_reason(text),
                    };
                    text.chars().for_each(|character| push_visible(&mut out, character));
                }
                Some(Detail::Words(words)) => out.push_str(&words.template(language)),
                // A mistake in a table, which the test of all texts finds.
                None => out.push_str("{?}"),
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// Something an operator should see to: where, and what. The rest is served all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A path, or `path:line`, or the name of a thing; as it is, not made visible.
    pub place: String,
    what: Sentence,
}

impl Problem {
    /// A problem with a thing that is no file, or with a place that is already a text.
    #[cold]
    pub fn at(place: impl Into<String>, text: &'static Text, details: Vec<Detail>) -> Problem {
        Problem { place: place.into(), what: Sentence::new(text, details) }
    }

    /// A problem with a file or folder.
    #[cold]
    pub fn with(path: &Path, text: &'static Text, details: Vec<Detail>) -> Problem {
        Problem::at(path.to_string_lossy(), text, details)
    }

    /// A problem with a line (from 1) of a file.
    #[cold]
    pub fn in_line(path: &Path, line: usize, text: &'static Text, details: Vec<Detail>) -> Problem {
        Problem::at(format!("{}:{line}", path.to_string_lossy()), text, details)
    }

    /// The code, for example `IMAGE-MISSING`.
    pub fn code(&self) -> &'static str {
        self.what.text.code
    }

    /// Whether it is advice and nothing is wrong: `-t` prints it and still exits 0.
    pub fn is_hint(&self) -> bool {
        self.code().starts_with("HINT-")
    }

    /// Cause, consequence and remedy, without the place. Whatever came from outside is made visible.
    pub fn explain(&self, language: Language) -> String {
        self.what.say(language)
    }

    /// `CODE place: explanation`, on one line whatever the place is called.
    pub fn describe(&self, language: Language) -> String {
        let mut line = format!("{} ", self.code());
        self.place.chars().for_each(|character| push_visible(&mut line, character));
        line.push_str(": ");
        line.push_str(&self.explain(language));
        line
    }
}

/// Something there is more of than is told one by one.
pub const MORE: Text = text!("MORE", "and {0} more problems", "и ещё проблем: {0}");

/// Hints there are more of than are told one by one.
pub const HINT_MORE: Text = text!("HINT-MORE", "and {0} more hints", "и ещё советов: {0}");

/// Keeps the first `limit` of a list and counts the rest in one more: the page shows all there are, to anyone.
pub fn bound(problems: &mut Vec<Problem>, place: &str, limit: usize) {
    if let Some(more) = problems.len().checked_sub(limit).filter(|more| *more > 0) {
        let text = if problems[limit..].iter().all(Problem::is_hint) { &HINT_MORE } else { &MORE };
        problems.truncate(limit);
        problems.push(Problem::at(place, text, vec![more.into()]));
    }
}

/// All texts, for documentation and tests.
pub fn all_texts() -> impl Iterator<Item = &'static Text> {
    [firmware::ALL, licenses::ALL, offers::ALL, registrars::ALL, service::ALL, settings::ALL]
        .into_iter()
        .flatten()
        .copied()
        .chain([&MORE, &HINT_MORE])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(template: &str) -> Vec<&str> {
        let mut gaps: Vec<_> = template.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        gaps.sort_unstable();
        gaps.dedup();
        gaps
    }

    #[test]
    fn every_text_has_both_languages_with_the_same_gaps() {
        for text in all_texts() {
            let [english, russian] = [Language::English, Language::Russian].map(|language| text.template(language));
            assert!(!english.is_empty() && !russian.is_empty(), "{}", text.code);
            assert_eq!(gaps(&english), gaps(&russian), "{}", text.code);
            assert!(english.is_ascii(), "{}", text.code);
            assert!(russian.chars().any(|character| ('а'..='я').contains(&character)), "{}", text.code);
        }
        let mut codes: Vec<_> = all_texts().map(|text| text.code).filter(|code| !code.is_empty()).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count, "each code once");
    }

    #[test]
    fn details_are_filled_in_and_made_visible() {
        const OUTER: Text = text!("OUTER", "a {1} b {0}", "а {1} б {0}");
        const INNER: Text = text!("", "words", "слова");
        const HINT: Text = text!("HINT-X", "advice", "совет");
        assert!(Problem::at("", &HINT, Vec::new()).is_hint());
        let problem = Problem::at("x\ny", &OUTER, vec!["1\n2".into(), Detail::Words(&INNER)]);
        assert_eq!(problem.explain(Language::English), "a words b 1\\u{a}2");
        assert_eq!(problem.describe(Language::Russian), "OUTER x\\u{a}y: а слова б 1\\u{a}2");
        assert!(!problem.is_hint());
        for (reason, russian) in [
            ("Permission denied (os error 13)", "нет прав доступа (os error 13)"),
            ("not a file", "не файл"),
            ("not a file of ours", "not a file of ours"),
            ("Value too large", "Value too large"),
        ] {
            assert_eq!(
                Problem::at("", &OUTER, vec![1.into(), reason.into()]).explain(Language::Russian),
                format!("а {russian} б 1")
            );
        }
    }
}
