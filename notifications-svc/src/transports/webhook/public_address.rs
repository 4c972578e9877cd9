//! The addresses that webhooks may have. Promise: a webhook cannot reach the bank's own network
//! (server-side request forgery): an address is public only if the Internet routes it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 blocks that are not of the public Internet (IANA special-purpose registry, RFC 6890).
const SPECIAL_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // shared, carrier-grade NAT
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local, cloud metadata
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 31, 196, 0], 24), // AS112
    ([192, 52, 193, 0], 24), // AMT
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 3),     // multicast, reserved, broadcast
];

/// IPv6 blocks within 2000::/3 that are not of the public Internet, or lead to another address.
const SPECIAL_V6: [(u128, u32); 4] = [
    (0x2001 << 112, 23),     // protocol assignments: Teredo, ORCHID, benchmarks
    (0x2001_0db8 << 96, 32), // documentation
    (0x2002 << 112, 16),     // 6to4
    (0x3fff << 112, 20),     // documentation
];

/// Whether the Internet routes this address.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !SPECIAL_V4
        .iter()
        .any(|(block, length)| (bits ^ Ipv4Addr::from(*block).to_bits()) >> (32 - length) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = address.to_bits();
    if let Some(address) = address.to_ipv4_mapped().or_else(|| behind_nat64(bits)) {
        return is_public_v4(address);
    }
    // All global unicast addresses that there are start with 001.
    bits >> 125 == 1
        && !SPECIAL_V6.iter().any(|(block, length)| (bits ^ block) >> (128 - length) == 0)
}

/// The IPv4 address that 64:ff9b::/96 leads to (RFC 6052).
fn behind_nat64(bits: u128) -> Option<Ipv4Addr> {
    let is_nat64 = bits >> 32 == 0x0064_ff9b << 64;
    is_nat64.then(|| Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(addresses: &str, then: bool) {
        for address in addresses.split_whitespace() {
            let parsed = address.parse().expect(address);
            assert_eq!(is_public(parsed), then, "{address}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        check("1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255", true);
        check("100.128.0.0 126.255.255.255 128.0.0.0 172.15.255.255 172.32.0.0", true);
        check("192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255", true);
        check("2001:200:: 2606:4700:4700::1111 2a00:1450:4014:80b::200e 3ffe::1", true);
        check("::ffff:8.8.8.8 64:ff9b::8.8.8.8", true);
    }

    #[test]
    fn the_banks_own_machine_and_network_are_not_public() {
        check("0.0.0.0 127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255", false);
        check("192.168.1.1 169.254.169.254 100.64.0.1 100.127.255.255 192.0.0.8", false);
        check(":: ::1 fe80::1 febf::1 fc00::1 fd00:ec2::254 fec0::1", false);
        check("::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::169.254.169.254", false);
        check("64:ff9b:1::1 2002:7f00:1:: 2001::1 2001:1::1", false);
    }

    #[test]
    fn multicast_and_documentation_addresses_are_not_public() {
        check("224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 ff02::1 ff0e::1", false);
        check("192.0.2.1 198.51.100.7 203.0.113.9 198.18.0.1 198.19.255.255", false);
        check("2001:db8::1 3fff::1 100::1 4000::1 5f00::1", false);
    }
}
