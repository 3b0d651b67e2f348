//! The `Host` field (RFC 9110 §7.2): what goes into the URLs we hand to registrars, so nothing odd gets through.

use std::net::Ipv6Addr;

use super::chars;
use crate::text::parse_digits;

/// Whether `text` is a host name, an IPv4 address or an IPv6 address in brackets, with or without a port, which may be empty.
/// Narrower than the grammar: no percent-encoding and none of the delimiters no name in use has. Wider in one thing: Java and
/// Python send link-local addresses with their zone, `[fe80::1%eth0]`, as they were called.
pub fn is_valid(text: &[u8]) -> bool {
    let (name_is_valid, port) = if let [b'[', rest @ ..] = text {
        let Some(end) = rest.iter().position(|byte| *byte == b']') else { return false };
        (is_ipv6_address(&rest[..end]), &rest[end + 1..])
    } else {
        let end = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
        (chars::all(&text[..end], chars::HOST), &text[end..])
    };
    let port_is_valid = match port {
        [] | [b':'] => true,
        [b':', digits @ ..] => digits.len() <= 5 && parse_digits(digits).is_some_and(|port| (1..=65535).contains(&port)),
        _ => false,
    };
    name_is_valid && port_is_valid
}

/// An IPv6 address with or without a zone; the zone holds nothing that would need an escape in a URL or in JSON.
fn is_ipv6_address(text: &[u8]) -> bool {
    let (address, zone_is_valid) = match text.iter().position(|byte| *byte == b'%') {
        Some(percent) => (&text[..percent], chars::all(&text[percent + 1..], chars::HOST)),
        None => (text, true),
    };
    zone_is_valid && str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn hosts_are_names_or_addresses_with_a_port_or_none() {
        let valid = [
            "127.0.0.1:8888",
            "gateway",
            "gateway:",
            "Gateway.shop.local:80",
            "a_b~c",
            "1",
            "[::1]",
            "[::1]:",
            "[2001:db8::1]:65535",
            "[fe80::1%eth0]",
            "[fe80::1%eth0.1]:8888",
            "[fe80::1%25eth0]",
        ];
        for text in valid {
            assert!(is_valid(text.as_bytes()), "{text}");
        }
        let invalid = [
            "",
            ":80",
            "a b",
            "a,b",
            "user@host",
            "host/path",
            "host?x",
            "host:x",
            "host:0",
            "host:65536",
            "host:+80",
            "host:80:80",
            "host:000080",
            "[::1",
            "::1",
            "[::1]x",
            "[fe80::1%]",
            "[fe80::1%et/h0]",
            "[fe80::1%et h0]",
            "[fe80::1%eth0%1]",
            "[fe80::1%\"]",
            "[%eth0]",
            "fe80::1%eth0",
            "gateway%eth0",
            ":",
            "[gateway]",
            "хост",
            "a\"b",
            "%41",
            "a\\b",
        ];
        for text in invalid {
            assert!(!is_valid(text.as_bytes()), "{text}");
        }
    }
}
