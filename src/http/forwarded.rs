//! `X-Forwarded-For`: who stands behind a proxy. Anybody can send one, so it is believed of known proxies only.

use std::net::{IpAddr, SocketAddr};

use super::chars;

/// How a request came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the caller itself, or by known proxies that say whose it is.
    Known,
    /// By somebody who is no known proxy and claims to pass on another's request.
    ByStranger,
    /// By a known proxy that does not say whose it is.
    BySilentProxy,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The peer, or behind known proxies the last address that is none of them. IPv4 addresses as IPv4.
    pub address: IpAddr,
    /// Whether that can be anybody else.
    pub way: Way,
}

/// Finds the caller. `values` are those of all `X-Forwarded-For` fields in their order: each proxy adds the address of its peer
/// at the end, so what stands before the last address that is no proxy was written by that one, and may be a lie.
pub fn find_caller<'a>(values: impl Iterator<Item = &'a [u8]>, peer: IpAddr, is_proxy: impl Fn(IpAddr) -> bool) -> Caller {
    let peer = peer.to_canonical();
    let mut elements = values.flat_map(chars::list).peekable();
    if !is_proxy(peer) {
        return Caller { address: peer, way: if elements.peek().is_some() { Way::ByStranger } else { Way::Known } };
    }
    let mut address = peer;
    // Forward, since the list is read once: what is no address ends the chain, and so does everything before it.
    for element in elements {
        address = match parse(element) {
            Some(found) if is_proxy(found) => {
                if is_proxy(address) {
                    found
                } else {
                    address
                }
            }
            Some(found) => found,
            None => peer,
        };
    }
    Caller { address, way: if is_proxy(address) { Way::BySilentProxy } else { Way::Known } }
}

/// An address, with or without a port (some proxies add it).
fn parse(element: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(element).ok()?;
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = bracketed.unwrap_or(text).parse().ok();
    address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip())).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_is_the_last_address_that_is_no_proxy() {
        // Peer, fields, caller, way. Proxies are 10.0.0.0/8 and fd00::1.
        let cases: [(&str, &[&str], &str, Way); 18] = [
            ("192.168.1.7", &[], "192.168.1.7", Way::Known),
            ("192.168.1.7", &["192.168.1.9"], "192.168.1.7", Way::ByStranger),
            ("192.168.1.7", &["10.0.0.1"], "192.168.1.7", Way::ByStranger),
            ("192.168.1.7", &[""], "192.168.1.7", Way::Known),
            ("::ffff:192.168.1.7", &[], "192.168.1.7", Way::Known),
            ("10.0.0.1", &[], "10.0.0.1", Way::BySilentProxy),
            ("10.0.0.1", &["192.168.1.9"], "192.168.1.9", Way::Known),
            ("::ffff:10.0.0.1", &["192.168.1.9"], "192.168.1.9", Way::Known),
            ("10.0.0.1", &["8.8.8.8, 192.168.1.9"], "192.168.1.9", Way::Known),
            ("10.0.0.1", &["8.8.8.8", "192.168.1.9"], "192.168.1.9", Way::Known),
            ("10.0.0.1", &["192.168.1.9, 10.0.0.2 ,, 10.0.0.3"], "192.168.1.9", Way::Known),
            ("10.0.0.1", &["10.0.0.4, 192.168.1.9, 10.0.0.2", "fd00::1"], "192.168.1.9", Way::Known),
            ("10.0.0.1", &["10.0.0.2"], "10.0.0.2", Way::BySilentProxy),
            ("10.0.0.1", &["192.168.1.9:50123"], "192.168.1.9", Way::Known),
            ("10.0.0.1", &["[fe80::5]:50123"], "fe80::5", Way::Known),
            ("10.0.0.1", &["[fe80::5]"], "fe80::5", Way::Known),
            ("10.0.0.1", &["::ffff:192.168.1.9"], "192.168.1.9", Way::Known),
            ("10.0.0.1", &["192.168.1.9, unknown"], "10.0.0.1", Way::BySilentProxy),
        ];
        let is_proxy = |address: IpAddr| match address {
            IpAddr::V4(address) => address.octets()[0] == 10,
            IpAddr::V6(address) => address == "fd00::1".parse::<std::net::Ipv6Addr>().expect("an address"),
        };
        for (peer, values, address, way) in cases {
            let caller = find_caller(values.iter().map(|value| value.as_bytes()), peer.parse().expect("a peer"), is_proxy);
            assert_eq!(caller, Caller { address: address.parse().expect("an address"), way }, "{peer} {values:?}");
        }
    }
}
