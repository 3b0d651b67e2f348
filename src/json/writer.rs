//! The writer. Its output is byte for byte the reference server's: ASCII only, since the Java client decodes with its platform's
//! character set (CLIENTS.md), `</` as `<\/`, and `", "` and `": "` between values.

use std::fmt::Write;

/// Writes values one after another.
#[derive(Default)]
pub struct Writer {
    /// What is written so far.
    pub text: String,
    needs_comma: bool,
}

impl Writer {
    fn separate(&mut self) {
        self.text.push_str(if self.needs_comma { ", " } else { "" });
        self.needs_comma = true;
    }

    /// Begins an object or an array.
    pub fn open(&mut self, bracket: char) {
        self.separate();
        self.text.push(bracket);
        self.needs_comma = false;
    }

    /// Ends it.
    pub fn close(&mut self, bracket: char) {
        self.text.push(bracket);
        self.needs_comma = true;
    }

    /// Begins a member of an object; its value must follow.
    pub fn member(&mut self, name: &str) -> &mut Writer {
        self.string(name);
        self.text.push_str(": ");
        self.needs_comma = false;
        self
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        self.separate();
        write_string(&mut self.text, text);
    }

    /// A number.
    pub fn number(&mut self, number: u64) {
        self.raw(&number.to_string());
    }

    /// A value that is written already.
    pub fn raw(&mut self, json: &str) {
        self.separate();
        self.text.push_str(json);
    }
}

/// Appends `text` as a JSON string, quotes included, as the reference writes it.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut previous = ' ';
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '/' if previous == '<' => out.push_str("\\/"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
        previous = character;
    }
    out.push('"');
}
