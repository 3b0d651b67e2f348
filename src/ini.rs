//! Flat INI files: `key = value` lines, `#` or `;` comment lines, UTF-8 with or without byte order mark, LF or CRLF.

/// One `key = value` line. White space around both is gone; quotes and comment signs inside a value are part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What stands left of the first `=`.
    pub key: &'a str,
    /// What stands right of it; may be empty.
    pub value: &'a str,
    /// Line number from 1.
    pub line: usize,
}

/// A line that is neither an entry nor a comment, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Line number from 1.
    pub line: usize,
    /// What is wrong and what would be valid.
    pub reason: String,
}

/// Splits a file into entries. Every line is judged on its own, so that an operator sees all mistakes at once.
pub fn parse(bytes: &[u8]) -> impl Iterator<Item = Result<Entry<'_>, BadLine>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.split(|byte| *byte == b'\n').enumerate().filter_map(|(index, bytes)| parse_line(bytes, index + 1).transpose())
}

fn parse_line(bytes: &[u8], line: usize) -> Result<Option<Entry<'_>>, BadLine> {
    let fail = |reason: &str| Err(BadLine { line, reason: reason.to_owned() });
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let Ok(text) = str::from_utf8(bytes) else {
        return fail("not UTF-8: save the file in the encoding UTF-8");
    };
    let text = text.trim_ascii();
    if text.is_empty() || text.starts_with(['#', ';']) {
        return Ok(None);
    }
    if text.chars().any(|character| character.is_control() && character != '\t') {
        return fail("holds a control character");
    }
    if text.starts_with('[') {
        return fail("sections are not used: the file is flat \"key = value\" lines");
    }
    match text.split_once('=') {
        Some((key, _)) if key.trim_ascii().is_empty() => fail("no key in front of \"=\""),
        Some((key, value)) => Ok(Some(Entry { key: key.trim_ascii(), value: value.trim_ascii(), line })),
        None => fail("no \"=\": expected \"key = value\", or a comment that begins with # or ;"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_whatever_the_editor_wrote() {
        let text = "\u{feff}# comment\r\n; comment\r\n\r\n  port = 8888 \r\ncurrent_firmware_description=a = \"b\" # c ; d\nempty =\n\tkey\t=\tvalue";
        let entries: Vec<_> = parse(text.as_bytes()).map(|entry| entry.expect("valid")).collect();
        let expected = [
            Entry { key: "port", value: "8888", line: 4 },
            Entry { key: "current_firmware_description", value: "a = \"b\" # c ; d", line: 5 },
            Entry { key: "empty", value: "", line: 6 },
            Entry { key: "key", value: "value", line: 7 },
        ];
        assert_eq!(entries, expected);
    }

    #[test]
    fn each_bad_line_is_reported_with_its_number() {
        let bytes = b"port\n[server]\n= 5\nname = \xcf\xf0\nx = a\0b\nport = 1\nx = a\rb\n";
        let lines: Vec<_> = parse(bytes).filter_map(Result::err).map(|bad| bad.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 7]);
    }
}
