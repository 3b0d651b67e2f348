//! The parts of a page's text.

use std::fmt::Write;

use crate::calendar::Date;
use crate::routes::status::texts::{Counted, Texts};
use crate::text::push_visible;

/// A page being written.
pub struct Writer {
    pub out: String,
    pub texts: &'static Texts,
    /// Registrars that may still be listed.
    pub rows_left: usize,
}

impl Writer {
    /// Appends HTML of ours.
    pub fn raw(&mut self, html: &str) -> &mut Self {
        self.out.push_str(html);
        self
    }

    /// Appends text from outside: no markup, and no character that hides or turns what stands around it.
    pub fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '<' => self.out.push_str("&lt;"),
                '&' => self.out.push_str("&amp;"),
                '"' => self.out.push_str("&quot;"),
                _ => push_visible(&mut self.out, character),
            }
        }
        self
    }

    /// With a mark between groups of three digits.
    pub fn number(&mut self, number: u64) -> &mut Self {
        let digits = number.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                self.out.push(self.texts.separator);
            }
            self.out.push(digit);
        }
        self
    }

    /// Its folder's name.
    pub fn version(&mut self, version: Date) -> &mut Self {
        let _ = write!(self.out, "<span class=mono>{version:08}</span>");
        self
    }

    /// `{}` in a text of ours filled with something of ours.
    pub fn filled(&mut self, text: &str, value: &str) -> &mut Self {
        self.raw(&text.replacen("{}", value, 1))
    }

    /// A number with the words that go with it.
    pub fn counted(&mut self, forms: &Counted, count: usize) -> &mut Self {
        let text = self.texts.form(forms, count);
        let (before, after) = text.split_once("{}").unwrap_or((text, ""));
        self.raw(before).number(count as u64).raw(after)
    }

    /// `5 min`, `3 h`: the largest unit there is at least two of, so that nothing is off by half.
    pub fn duration(&mut self, seconds: u32) -> &mut Self {
        let texts = self.texts;
        let (count, unit) = match seconds {
            0..120 => (seconds, 0),
            120..7200 => (seconds / 60, 1),
            7200..172_800 => (seconds / 3600, 2),
            _ => (seconds / 86_400, 3),
        };
        self.number(count.into()).raw(texts.units[unit])
    }

    /// How long ago something was.
    pub fn ago(&mut self, now: u32, then: u32) -> &mut Self {
        let texts = self.texts;
        self.duration(now.saturating_sub(then)).raw(texts.ago)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::status::texts::TEXTS;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, english, russian) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1000, "1,000", "1\u{a0}000"),
            (491_520, "491,520", "491\u{a0}520"),
            (u64::MAX, "18,446,744,073,709,551,615", "18\u{a0}446\u{a0}744\u{a0}073\u{a0}709\u{a0}551\u{a0}615"),
        ] {
            for (texts, expected) in TEXTS.iter().zip([english, russian]) {
                assert_eq!(Writer { out: String::new(), texts, rows_left: 0 }.number(number).out, expected);
            }
        }
    }

    #[test]
    fn text_from_outside_is_no_markup_and_hides_nothing() {
        let mut writer = Writer { out: String::new(), texts: &TEXTS[0], rows_left: 0 };
        writer.text("<b>&\"'\u{202e}\u{7}");
        assert_eq!(writer.out, "&lt;b>&amp;&quot;'\\u{202e}\\u{7}");
    }
}
