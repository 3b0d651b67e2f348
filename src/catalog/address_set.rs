//! A set of addresses, made of thousands of blocks and asked within nanoseconds: sorted ranges without overlaps.

use std::net::IpAddr;

use crate::address_block::AddressBlock;

/// Addresses and blocks, merged. IPv4 and IPv6 stand apart: `::/0` holds no IPv4 address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressSet {
    /// First and last addresses, ascending, never touching.
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl AddressSet {
    /// All addresses of some blocks.
    pub fn new(blocks: &[AddressBlock]) -> AddressSet {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for block in blocks {
            match block.bounds() {
                (IpAddr::V4(first), IpAddr::V4(last)) => v4.push((first.to_bits(), last.to_bits())),
                (IpAddr::V6(first), IpAddr::V6(last)) => v6.push((first.to_bits(), last.to_bits())),
                _ => {}
            }
        }
        AddressSet { v4: merge(v4, |last| last.checked_add(1)), v6: merge(v6, |last| last.checked_add(1)) }
    }

    /// Whether it holds an address; an IPv4 address written as IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => holds(&self.v4, address.to_bits()),
            IpAddr::V6(address) => holds(&self.v6, address.to_bits()),
        }
    }

    /// Whether both have an address in common.
    pub fn overlaps(&self, other: &AddressSet) -> bool {
        any_common(&self.v4, &other.v4) || any_common(&self.v6, &other.v6)
    }

    /// Whether every address of `other` is in it.
    pub fn includes(&self, other: &AddressSet) -> bool {
        all_within(&other.v4, &self.v4) && all_within(&other.v6, &self.v6)
    }
}

/// Joins ranges that overlap or touch; `after` is the address after another.
fn merge<T: Ord + Copy>(mut ranges: Vec<(T, T)>, after: fn(T) -> Option<T>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let is_joined = after(kept.1).is_none_or(|after| next.0 <= after);
        if is_joined {
            kept.1 = kept.1.max(next.1);
        }
        is_joined
    });
    ranges.shrink_to_fit();
    ranges
}

fn holds<T: Ord>(ranges: &[(T, T)], address: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= address);
    after.checked_sub(1).and_then(|index| ranges.get(index)).is_some_and(|(_, last)| address <= *last)
}

fn any_common<T: Ord>(left: &[(T, T)], right: &[(T, T)]) -> bool {
    let is_met = |(first, last): &(T, T)| {
        let after = right.partition_point(|(_, other_last)| other_last < first);
        right.get(after).is_some_and(|(other_first, _)| other_first <= last)
    };
    left.iter().any(is_met)
}

fn all_within<T: Ord>(inner: &[(T, T)], outer: &[(T, T)]) -> bool {
    inner.iter().all(|(first, last)| {
        let at = outer.partition_point(|(_, outer_last)| outer_last < first);
        outer.get(at).is_some_and(|(outer_first, outer_last)| outer_first <= first && last <= outer_last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> AddressSet {
        let blocks: Vec<_> = text.split(' ').filter_map(AddressBlock::parse).collect();
        AddressSet::new(&blocks)
    }

    #[test]
    fn a_set_holds_the_addresses_of_its_blocks() {
        let many: String = (0..5000).map(|number| format!("10.{}.{}.7 ", number / 250, number % 250)).collect();
        let cases = [
            ("10.0.0.1 10.0.0.3", "10.0.0.1", true),
            ("10.0.0.1 10.0.0.3", "10.0.0.2", false),
            ("10.0.0.1 10.0.0.3", "10.0.0.3", true),
            ("10.0.0.1 10.0.0.3", "::ffff:10.0.0.3", true),
            ("10.0.0.0/8 10.1.0.0/16 10.2.0.0/16", "10.3.0.1", true),
            ("192.168.1.77/24", "192.168.1.0", true),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "10.0.0.1", false),
            ("::/0", "ffff::", true),
            ("::ffff:10.0.0.0/104", "10.9.9.9", true),
            ("fd00::/8 fe80::/10", "fdff::1", true),
            ("fd00::/8 fe80::/10", "fe00::1", false),
            ("", "10.0.0.1", false),
            (&many, "10.3.11.7", true),
            (&many, "10.3.11.8", false),
        ];
        for (blocks, address, expected) in cases {
            assert_eq!(set(blocks).contains(address.parse().expect("an address")), expected, "{address}");
        }
    }

    #[test]
    fn sets_overlap_and_include_by_address() {
        let cases = [
            ("10.0.0.0/24", "10.0.0.7", true, true, false),
            ("10.0.0.1 10.0.0.2", "10.0.0.2 10.0.0.3", true, false, false),
            ("10.0.0.1", "10.0.0.2", false, false, false),
            ("10.0.0.1", "10.0.0.1", true, true, true),
            ("10.0.0.0/8 fd00::/8", "10.5.0.0/16", true, true, false),
            ("10.0.0.0/8", "10.5.0.0/16 fd00::1", true, false, false),
            ("::/0", "0.0.0.0/0", false, false, false),
            ("10.0.0.0/25 10.0.0.128/25", "10.0.0.0/24", true, true, true),
            ("0.0.0.0/1 128.0.0.0/1 0.0.0.0", "0.0.0.0/0", true, true, true),
        ];
        for (left, right, overlap, left_includes, right_includes) in cases {
            let (left, right) = (set(left), set(right));
            assert_eq!((left.overlaps(&right), right.overlaps(&left)), (overlap, overlap), "{left:?} {right:?}");
            assert_eq!((left.includes(&right), right.includes(&left)), (left_includes, right_includes), "{left:?} {right:?}");
        }
    }
}
