//! Blocks of IP addresses in CIDR notation, for `allow`, `proxies` and `only_for`.

use std::fmt;
use std::net::IpAddr;

use crate::text::parse_digits;

/// An address with the number of its leading bits that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressBlock {
    address: IpAddr,
    bits: u32,
}

impl AddressBlock {
    /// Reads `192.168.1.0/24`, `fd00::/8` or a single address.
    pub fn parse(text: &str) -> Option<AddressBlock> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let bits = match bits {
            None => width(address),
            Some(bits) => u32::try_from(parse_digits(bits.as_bytes())?).ok().filter(|bits| *bits <= width(address))?,
        };
        Some(AddressBlock { address, bits })
    }

    /// Its address, as it was written.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The first and the last address. Those of an IPv4 block written as IPv6 are IPv4.
    pub fn bounds(&self) -> (IpAddr, IpAddr) {
        let own = self.address.to_canonical();
        let bits = self.bits.saturating_sub(width(self.address) - width(own));
        match own {
            IpAddr::V4(address) => {
                let rest = u32::MAX.checked_shr(bits).unwrap_or(0);
                (IpAddr::V4((address.to_bits() & !rest).into()), IpAddr::V4((address.to_bits() | rest).into()))
            }
            IpAddr::V6(address) => {
                let rest = u128::MAX.checked_shr(bits).unwrap_or(0);
                (IpAddr::V6((address.to_bits() & !rest).into()), IpAddr::V6((address.to_bits() | rest).into()))
            }
        }
    }

    /// Whether the block holds `address`; an IPv4 address written as IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other) = (self.address.to_canonical(), address.to_canonical());
        // A block of IPv4 addresses written as IPv6 loses the 96 bits in front.
        let bits = self.bits.saturating_sub(width(self.address) - width(own));
        width(own) == width(other) && (left_aligned(own) ^ left_aligned(other)).leading_zeros() >= bits
    }
}

impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AddressBlock { address, bits } = self;
        if *bits == width(*address) { write!(f, "{address}") } else { write!(f, "{address}/{bits}") }
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn left_aligned(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::AddressBlock;

    #[test]
    fn blocks_hold_what_shares_their_leading_bits() {
        let cases = [
            ("192.168.1.0/24", "192.168.1.255", true),
            ("192.168.1.77/24", "192.168.1.1", true),
            ("192.168.1.0/24", "192.168.2.0", false),
            ("192.168.1.0/25", "192.168.1.128", false),
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.8", false),
            ("10.0.0.7/32", "::ffff:10.0.0.7", true),
            ("::ffff:10.0.0.0/104", "10.200.0.1", true),
            ("::ffff:10.0.0.0/104", "11.0.0.1", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "fe80::1", true),
            ("::/0", "127.0.0.1", false),
            ("fd00::/8", "fdff:1::2", true),
            ("fd00::/8", "fe00::", false),
            ("::1", "::1", true),
        ];
        for (block, address, expected) in cases {
            let address = address.parse().expect("an address");
            let parsed = AddressBlock::parse(block).expect(block);
            assert_eq!(parsed.contains(address), expected, "{block} {address}");
            assert_eq!(AddressBlock::parse(&parsed.to_string()), Some(parsed), "{block}");
        }
        for text in
            ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/8/8", "host", "10.0.0.0 /8", "/8"]
        {
            assert_eq!(AddressBlock::parse(text), None, "{text}");
        }
    }
}
