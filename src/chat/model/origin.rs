//! The origin of a connection, as far as limits care: an IPv4 address or an IPv6 /64.
//!
//! A host that has one IPv6 address has the 2^64 beside it, so a limit for each of them limits no one.
//! Everything that counts, delays or bans by address uses this type, and nothing else does.
//!
//! The address types are those of `core`: values that can be parsed and compared, no sockets.
//! Known limit: a provider that hands out a /56 hands out 256 origins, and a router for IPv4 is one.

use core::net::{IpAddr, Ipv6Addr};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// An IPv4 address or the first half of an IPv6 address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Origin {
    V4([u8; 4]),
    V6([u8; 8]),
}

impl Origin {
    /// `0.0.0.0`, from which nothing connects.
    pub const NO_ONE: Origin = Origin::V4([0; 4]);

    /// The origin of a host as an identity has it. `None` for what is no address: the console.
    pub fn of_host(host: &str) -> Option<Origin> {
        address_of(host).map(Origin::from)
    }

    pub fn is_loopback(self) -> bool {
        match self {
            Origin::V4([first, ..]) => first == 127,
            // `::1`; nothing else that can connect lies in `::/64`.
            Origin::V6(prefix) => prefix == [0; 8],
        }
    }

    /// Whether a ban of addresses means this host: a pattern with `*` and `?`, an address, a network
    /// (`10.0.0.0/8`), or an origin as it is displayed.
    pub fn ban_matches(pattern: &str, host: &str) -> bool {
        if let Ok(origin) = pattern.parse::<Origin>() {
            return Origin::of_host(host) == Some(origin);
        }
        match pattern.parse::<IpNet>() {
            Ok(network) => address_of(host).is_some_and(|address| network.contains(&address)),
            Err(_) => super::glob(pattern, host),
        }
    }

    /// What a ban of addresses says, in the one spelling in which it is shown. `None` for what can
    /// match no address, such as a nick.
    pub fn ban_of(pattern: &str) -> Option<String> {
        if let Ok(origin) = pattern.parse::<Origin>() {
            return Some(origin.to_string());
        }
        if let Ok(network) = pattern.parse::<IpNet>() {
            let network = network.trunc();
            let is_origin = network.prefix_len() >= if network.addr().is_ipv4() { 32 } else { 64 };
            let origin = || Origin::from(network.addr()).to_string();
            return Some(if is_origin { origin() } else { network.to_string() });
        }
        let fits = |c: char| c.is_ascii_hexdigit() || ".:%*?".contains(c);
        (pattern.contains(['*', '?']) && pattern.chars().all(fits)).then(|| pattern.to_owned())
    }
}

fn address_of(host: &str) -> Option<IpAddr> {
    // A link-local address names its interface.
    let address = host.split_once('%').map_or(host, |(address, _)| address);
    Some(address.parse::<IpAddr>().ok()?.to_canonical())
}

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Origin {
        match address.to_canonical() {
            IpAddr::V4(address) => Origin::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Origin::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

/// `192.0.2.1`, `2001:db8:1:2::/64`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Origin::V4(octets) => IpAddr::from(octets).fmt(f),
            Origin::V6(prefix) => {
                let mut octets = [0; 16];
                octets[..8].copy_from_slice(&prefix);
                write!(f, "{}/64", Ipv6Addr::from(octets))
            }
        }
    }
}

/// An address, or an origin as it is displayed.
impl FromStr for Origin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Origin, NoOrigin> {
        match text.strip_suffix("/64") {
            Some(prefix) => prefix.parse::<Ipv6Addr>().ok().map(|it| IpAddr::V6(it).into()),
            None => Origin::of_host(text),
        }
        .ok_or(NoOrigin)
    }
}

/// A text that is neither an address nor an IPv6 /64.
#[derive(Clone, Copy, PartialEq, Eq, Error, Debug)]
#[error("neither an IP address nor an IPv6 /64")]
pub struct NoOrigin;

impl TryFrom<String> for Origin {
    type Error = NoOrigin;

    fn try_from(text: String) -> Result<Origin, NoOrigin> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(host: &str) -> Origin {
        Origin::of_host(host).unwrap()
    }

    #[test]
    fn the_addresses_of_one_64_are_one_origin_and_those_of_ipv4_are_not() {
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(of("fe80::1%eth0"), of("fe80::2"));
        assert_eq!(Origin::of_host("console"), None);
    }

    #[test]
    fn an_origin_is_read_as_it_is_displayed() {
        for (host, shown) in
            [("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2::1", "2001:db8:1:2::/64"), ("::1", "::/64")]
        {
            assert_eq!(of(host).to_string(), shown);
            assert_eq!(shown.parse(), Ok(of(host)));
            let kept = serde_json::to_string(&of(host)).unwrap();
            assert_eq!(serde_json::from_str::<Origin>(&kept).unwrap(), of(host));
        }
        assert!("192.0.2.1/64".parse::<Origin>().is_err() && "2001:*".parse::<Origin>().is_err());
        assert!(of("127.3.2.1").is_loopback() && of("::1").is_loopback());
        assert!(!of("2001:db8::1").is_loopback());
    }

    #[test]
    fn a_ban_of_one_ipv6_address_means_its_64() {
        assert!(Origin::ban_matches("2001:db8::1", "2001:db8::2"));
        assert!(Origin::ban_matches("2001:db8::/64", "2001:db8:0:0:1:2:3:4"));
        assert!(!Origin::ban_matches("2001:db8::/64", "2001:db8:0:1::1"));
        assert!(Origin::ban_matches("192.0.2.*", "192.0.2.7"));
        assert!(!Origin::ban_matches("192.0.2.1", "192.0.2.10"));
    }

    #[test]
    fn a_ban_of_a_network_means_its_addresses() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.128/25", "192.0.2.200", "192.0.2.1"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
        ] {
            assert!(Origin::ban_matches(network, inside), "{network}");
            assert!(!Origin::ban_matches(network, outside), "{network}");
            assert!(!Origin::ban_matches(network, "console"), "{network}");
        }
    }

    #[test]
    fn a_ban_that_can_match_no_address_is_none() {
        for (given, shown) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.77/24", Some("192.0.2.0/24")),
            ("192.0.2.1/32", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::/64")),
            ("2001:db8::1/128", Some("2001:db8::/64")),
            ("2001:db8:1::/32", Some("2001:db8::/32")),
            ("10.0.*", Some("10.0.*")),
            ("eve", None),
            ("ev*", None),
            ("300.1.1.1", None),
            ("10.0.0.0/33", None),
            ("10.0/8", None),
            ("", None),
        ] {
            assert_eq!(Origin::ban_of(given).as_deref(), shown, "{given}");
        }
    }
}
