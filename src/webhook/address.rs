//! Addresses that nothing is ever sent to, whoever names them and however they are spelled.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const LINK_LOCAL: &str = "link-local";
const METADATA: &str = "where clouds tell machines their secrets";
const MULTICAST: &str = "multicast";
const UNSPECIFIED: &str = "unspecified";

/// What kind of address it is, if it is one that nothing is sent to.
pub(super) fn barred(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(address) => barred_v4(address),
        IpAddr::V6(address) => barred_v6(address).or_else(|| inside(address).and_then(barred_v4)),
    }
}

fn barred_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [169, 254, 169, 254] | [169, 254, 170, 2] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] => {
            Some(METADATA)
        }
        [169, 254, ..] => Some(LINK_LOCAL),
        // All of them mean "this network", and systems take some for the machine itself.
        [0, ..] => Some(UNSPECIFIED),
        [224..=239, ..] => Some(MULTICAST),
        [255, 255, 255, 255] => Some("broadcast"),
        _ => None,
    }
}

fn barred_v6(address: Ipv6Addr) -> Option<&'static str> {
    match address.segments() {
        [0xfd00, 0x0ec2, ..]
        | [0xfd00, 0x0042, 0, 0, 0, 0, 0, 0x0042]
        | [0xfd00, 0x00c1, 0, 0, 0, 0, 0xa9fe, 0xa9fe]
        | [0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254] => Some(METADATA),
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(UNSPECIFIED),
        [0xfe80..=0xfebf, ..] => Some(LINK_LOCAL),
        [0xff00..=0xffff, ..] => Some(MULTICAST),
        _ => None,
    }
}

/// The IPv4 address that the network may make of an IPv6 address. Those mapped into IPv6 are canonical by then.
fn inside(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        // Itself, not 0.0.0.1 in the old spelling of IPv4 in IPv6.
        [0, 0, 0, 0, 0, 0, 0, 1] => return None,
        // 6to4, NAT64 by its well-known prefix and by that for local use, and the old spelling.
        [0x2002, high, low, ..]
        | [0x0064, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x0064, 0xff9b, 1, _, _, _, high, low]
        | [0, 0, 0, 0, 0, 0, high, low] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_barred_is_barred_in_every_form() {
        for (text, kind) in [
            ("169.254.169.254", METADATA),
            ("169.254.170.2", METADATA),
            ("100.100.100.200", METADATA),
            ("192.0.0.192", METADATA),
            ("168.63.129.16", METADATA),
            ("169.254.0.1", LINK_LOCAL),
            ("169.254.255.255", LINK_LOCAL),
            ("0.0.0.0", UNSPECIFIED),
            ("0.1.2.3", UNSPECIFIED),
            ("224.0.0.1", MULTICAST),
            ("239.255.255.255", MULTICAST),
            ("255.255.255.255", "broadcast"),
        ] {
            let v4: Ipv4Addr = text.parse().unwrap();
            assert_eq!(barred(v4.into()), Some(kind), "{text}");
            let [a, b, c, d] = v4.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            for form in [
                format!("::ffff:{text}"),
                format!("2002:{high:x}:{low:x}::1"),
                format!("2002:{high:x}:{low:x}:1:2:3:4:5"),
                format!("64:ff9b::{text}"),
                format!("64:ff9b:1::{text}"),
                format!("64:ff9b:1:ffff:1:2:{text}"),
                format!("::{text}"),
            ] {
                let form: Ipv6Addr = form.parse().unwrap();
                assert_eq!(barred(form.into()), Some(kind), "{text} as {form}");
            }
        }
        for (text, kind) in [
            ("::", UNSPECIFIED),
            ("fe80::1", LINK_LOCAL),
            ("febf:ffff::1", LINK_LOCAL),
            ("ff02::1", MULTICAST),
            ("fd00:ec2::254", METADATA),
            ("fd00:ec2::23", METADATA),
            ("fd00:42::42", METADATA),
            ("fd00:c1::a9fe:a9fe", METADATA),
            ("fd20:ce::254", METADATA),
        ] {
            assert_eq!(barred(text.parse().unwrap()), Some(kind), "{text}");
        }
    }

    #[test]
    fn neighbours_of_what_is_barred_are_not() {
        for text in [
            "127.0.0.1",
            "1.0.0.0",
            "10.0.0.1",
            "172.17.0.2",
            "192.168.1.1",
            "192.0.0.191",
            "100.100.100.199",
            "169.253.255.255",
            "169.255.0.0",
            "223.255.255.255",
            "240.0.0.1",
            "255.255.255.254",
            "::1",
            "::ffff:127.0.0.1",
            "2002:a00:1::1",
            "2003:a9fe:a9fe::1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::1:169.254.169.254",
            "fd00::1",
            "fd00:ec1:ffff::254",
            "fd00:ec3::254",
            "fd00:42::43",
            "fd20:ce::255",
            "fec0::1",
            "fe7f::1",
            "2001:db8::7",
        ] {
            assert_eq!(barred(text.parse().unwrap()), None, "{text}");
        }
    }
}
