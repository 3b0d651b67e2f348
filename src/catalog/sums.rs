//! `SHA256SUMS`: the checksums of a version folder in the text format of coreutils.

use crate::problem::{Text, firmware as texts};
use crate::sha256::Digest;
use crate::text::hex_value;

/// What a `SHA256SUMS` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// File names with their digests, in the order of the file.
    entries: Vec<(String, Digest)>,
    /// The first line that means something else than it says: its number from 1, and what is wrong with it.
    near_miss: Option<(usize, &'static Text)>,
}

impl Sums {
    /// Reads `<64 hex> <space or *><name>` lines (sha256sum's text and binary mode). Other lines are skipped, as sha256sum does.
    pub fn parse(text: &[u8]) -> Sums {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut sums = Sums::default();
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let entry = parse_line(line);
            if sums.near_miss.is_none() {
                sums.near_miss = find_near_miss(line, entry.as_ref()).map(|text| (index + 1, text));
            }
            sums.entries.extend(entry);
        }
        sums
    }

    /// All digests given for a name; they should be one.
    pub fn find<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Digest> {
        self.entries.iter().filter(move |(known, _)| known == name).map(|(_, digest)| digest)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Why a file may be missing in the list although somebody meant to list it.
    pub fn near_miss(&self) -> Option<(usize, &'static Text)> {
        self.near_miss
    }
}

fn parse_line(line: &[u8]) -> Option<(String, Digest)> {
    let (hex, rest) = line.split_at_checked(64)?;
    let [b' ', b' ' | b'*', name @ ..] = rest else { return None };
    let name = str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(hex.as_chunks::<2>().0) {
        *byte = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
    }
    Some((name.strip_prefix("./").unwrap_or(name).to_owned(), digest))
}

/// What is wrong with a line that somebody may have taken for a good one.
fn find_near_miss(line: &[u8], entry: Option<&(String, Digest)>) -> Option<&'static Text> {
    if let Some((name, _)) = entry {
        return name.contains('/').then_some(&texts::SUMS_WITH_FOLDER);
    }
    if line.starts_with(b"SHA") && line.windows(4).any(|part| part == b") = ") {
        return Some(&texts::SUMS_WITH_TAG);
    }
    // MD5, SHA-1, SHA-224, SHA-384, SHA-512.
    let digits = line.iter().take_while(|byte| hex_value(**byte).is_some()).count();
    (matches!(digits, 32 | 40 | 56 | 96 | 128) && line.get(digits) == Some(&b' ')).then_some(&texts::SUMS_OF_OTHER_KIND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha256;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn sums_are_read_in_text_and_binary_mode_with_any_line_end() {
        let upper = HEX.to_uppercase();
        let text = format!(
            "\u{feff}{HEX}  upd_app.bin\r\n{upper} *./upd_app_for_old_frs.bin\n\n# note\n{HEX} short\n{} x\nzz{}  x\n{HEX}  ",
            &HEX[..63],
            &HEX[2..]
        );
        let sums = Sums::parse(text.as_bytes());
        let digest = sha256::hash(b"");
        assert_eq!(sums.entries, [("upd_app.bin".to_owned(), digest), ("upd_app_for_old_frs.bin".to_owned(), digest)]);
        assert_eq!(sums.near_miss(), None);
        assert_eq!(sums.find("upd_app.bin").count(), 1);
        assert_eq!(sums.find("upd_app").count(), 0);
    }

    #[test]
    fn near_misses_are_named_with_their_line() {
        let cases = [
            (format!("{HEX}  20260301/upd_app.bin\n"), Some((1, &texts::SUMS_WITH_FOLDER))),
            (format!("# sums\n{HEX} *C:/fw/upd_app.bin\n"), Some((2, &texts::SUMS_WITH_FOLDER))),
            (format!("SHA256 (upd_app.bin) = {HEX}\n"), Some((1, &texts::SUMS_WITH_TAG))),
            (format!("{}  upd_app.bin\n", &HEX[..32]), Some((1, &texts::SUMS_OF_OTHER_KIND))),
            (format!("{}  upd_app.bin\n", HEX.repeat(2)), Some((1, &texts::SUMS_OF_OTHER_KIND))),
            (format!("{HEX}  ./upd_app.bin\n"), None),
            ("# SHA256SUMS\n\n".to_owned(), None),
        ];
        for (text, expected) in cases {
            assert_eq!(Sums::parse(text.as_bytes()).near_miss(), expected, "{text}");
        }
    }
}
