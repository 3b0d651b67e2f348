//! Character classes of RFC 9110 and RFC 9112 as one table of 256 entries.

/// `tchar` (RFC 9110 §5.6.2): methods, field names, chunk extension names.
pub const TCHAR: u8 = 1;
/// Characters of a field value (RFC 9110 §5.5): visible ASCII, space, tab and bytes above 0x7f; never a control character.
pub const FIELD_VALUE: u8 = 2;
/// Characters of a request target: visible ASCII but `#`, which no form of a target may hold (RFC 9112 §3.2).
pub const TARGET: u8 = 4;
/// Characters of a host name that we are willing to repeat in a URL: letters, digits, `-`, `.`, `_`, `~`.
pub const HOST: u8 = 8;
/// Hexadecimal digits.
pub const HEX: u8 = 16;

const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            table[byte] |= TCHAR | HOST;
        }
        if matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'^' | b'`' | b'|') {
            table[byte] |= TCHAR;
        }
        if b.is_ascii_hexdigit() {
            table[byte] |= HEX;
        }
        if b == b'\t' || b == b' ' || b.is_ascii_graphic() || b >= 0x80 {
            table[byte] |= FIELD_VALUE;
        }
        if b.is_ascii_graphic() && b != b'#' {
            table[byte] |= TARGET;
        }
        byte += 1;
    }
    table
};

/// Whether `byte` belongs to a class.
pub fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

/// Whether `text` is not empty and all of it belongs to a class. Without a branch for each byte: a million licences are 256
/// million hexadecimal digits.
pub fn all(text: &[u8], class: u8) -> bool {
    !text.is_empty() && text.iter().fold(class, |common, byte| common & CLASSES[usize::from(*byte)]) != 0
}

/// Without the optional white space (RFC 9110 §5.6.3) around it.
pub fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// The elements of a comma-separated list (RFC 9110 §5.6.1) without the empty ones.
pub fn list(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b',').map(trim).filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_grammar() {
        let members = |class| (0..=255_u8).filter(|byte| is(*byte, class)).collect::<Vec<_>>();
        assert_eq!(members(TCHAR), b"!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
        assert_eq!(members(HOST), b"-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~");
        assert_eq!(members(TARGET).len(), 93);
        assert_eq!(members(FIELD_VALUE).len(), 1 + 95 + 128);
    }

    #[test]
    fn lists_lose_white_space_and_empty_elements() {
        let elements: Vec<&[u8]> = list(b" ,close ,\t, Keep-Alive,").collect();
        assert_eq!(elements, [b"close".as_slice(), b"Keep-Alive"]);
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" \t"), b"");
    }
}
