//! The header of the PROXY protocol, in both versions: who the client behind a proxy is.
//!
//! A proxy writes it before the first byte of its client, TLS included. It is read as strictly as the
//! specification has it: what a proxy does not write is a client that pretends to be one.
//!
//! Rejected: the crate `ppp`, 3,000 lines and a builder for two grammars that fit here.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// What the second version begins with.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The signature, version and command, family, length.
const FIXED: usize = SIGNATURE.len() + 4;

/// Bytes of a header of the first version, its CRLF included.
const LONGEST_LINE: usize = 107;

/// Bytes of a header of the second version: addresses, and extensions that are skipped. HAProxy's
/// have a few hundred.
pub const LONGEST: usize = 4096;

/// What the first bytes of a connection are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    /// They may still become a header.
    NeedMore,
    /// None: the client's own.
    Absent,
    /// A header of so many bytes. It names no client if the proxy connects for itself, or does not
    /// know.
    Client(usize, Option<SocketAddr>),
    /// One that no proxy writes; what is wrong.
    Bad(&'static str),
}

/// Looks for a header at the beginning of `input`.
pub fn header(input: &[u8]) -> Header {
    let begins = |prefix: &[u8]| {
        let length = input.len().min(prefix.len());
        (input[..length] == prefix[..length]).then_some(length == prefix.len())
    };
    match (begins(SIGNATURE), begins(b"PROXY ")) {
        (Some(true), _) => second(input),
        (_, Some(true)) => first(input),
        (None, None) => Header::Absent,
        _ => Header::NeedMore,
    }
}

/// `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443` and CRLF.
fn first(input: &[u8]) -> Header {
    let Some(end) = input.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n') else {
        let long = input.len() >= LONGEST_LINE;
        return if long { Header::Bad("its line is too long") } else { Header::NeedMore };
    };
    let Some(line) = input[..end].strip_suffix(b"\r") else {
        return Header::Bad("its line does not end with CRLF");
    };
    let line = std::str::from_utf8(line).unwrap_or_default();
    let client = match line.split(' ').collect::<Vec<_>>()[..] {
        [_, "UNKNOWN", ..] => None,
        [_, "TCP4", from, to, port, other] => Some(sockets::<Ipv4Addr>([from, to], [port, other])),
        [_, "TCP6", from, to, port, other] => Some(sockets::<Ipv6Addr>([from, to], [port, other])),
        _ => return Header::Bad("its line has another form than PROXY TCP4 FROM TO PORT PORT"),
    };
    match client {
        None => Header::Client(end + 1, None),
        Some(Some(client)) => Header::Client(end + 1, Some(client)),
        Some(None) => Header::Bad("its line has an invalid address or port"),
    }
}

/// The client's address of a line with four valid words.
fn sockets<A: FromStr + Into<IpAddr>>(
    addresses: [&str; 2],
    ports: [&str; 2],
) -> Option<SocketAddr> {
    let port = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| plain && (text == "0" || !text.starts_with('0')))
    };
    let [from, to] = addresses.map(|text| text.parse::<A>().ok());
    let [from_port, to_port] = ports.map(port);
    to.and(to_port)?;
    Some(socket(from?.into(), from_port?))
}

/// An IPv4 address in the form of IPv6 is an IPv4 address.
fn socket(ip: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(ip.to_canonical(), port)
}

/// The second version: fixed bytes, then addresses, then what is skipped.
fn second(input: &[u8]) -> Header {
    let Some(&[version, family, high, low]) = input.get(SIGNATURE.len()..FIXED) else {
        return Header::NeedMore;
    };
    let end = FIXED + usize::from(u16::from_be_bytes([high, low]));
    let proxied = match version {
        0x20 => false,
        0x21 => true,
        _ => return Header::Bad("its version or command is unknown"),
    };
    if end > LONGEST {
        return Header::Bad("it is longer than 4 KiB");
    }
    let Some(body) = input.get(FIXED..end) else { return Header::NeedMore };
    let client = match (proxied, family) {
        // The proxy itself, such as a health check; a client whose address it does not know, or that
        // has come to it by a socket of its machine.
        (false, _) | (true, 0x00 | 0x31) => None,
        (true, 0x11) => match *body {
            [a, b, c, d, _, _, _, _, high, low, _, _, ..] => {
                Some(socket(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low])))
            }
            _ => return Header::Bad("it has no room for its addresses"),
        },
        (true, 0x21) => match (body.first_chunk::<16>(), body.get(32..36)) {
            (Some(ip), Some(&[high, low, ..])) => {
                Some(socket(Ipv6Addr::from(*ip).into(), u16::from_be_bytes([high, low])))
            }
            _ => return Header::Bad("it has no room for its addresses"),
        },
        _ => return Header::Bad("it is for another protocol than TCP"),
    };
    Header::Client(end, client)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn v2(version: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[version, family], &length, body].concat()
    }

    fn client(address: &str) -> Option<SocketAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn a_line_names_the_client_or_says_that_it_is_unknown() {
        for (line, expected) in [
            ("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", client("192.0.2.1:56324")),
            ("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", client("[2001:db8::1]:1")),
            ("PROXY TCP6 ::ffff:192.0.2.1 ::1 0 2\r\n", client("192.0.2.1:0")),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN ffff:f...f ::1 65535 65535\r\n", None),
        ] {
            let input = format!("{line}NICK ada\r\n");
            assert_eq!(header(input.as_bytes()), Header::Client(line.len(), expected), "{line}");
        }
    }

    #[test]
    fn a_line_that_no_proxy_writes_is_bad() {
        for line in [
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 056324 443\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 +1 443\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n",
            "PROXY TCP4 192.0.2.1  198.51.100.1 1 443\r\n",
            "PROXY TCP4 ::1 ::1 1 443\r\n",
            "PROXY TCP6 192.0.2.1 ::1 1 443\r\n",
            "PROXY TCP4 host 198.51.100.1 1 443\r\n",
            "PROXY TCP5 192.0.2.1 198.51.100.1 1 443\r\n",
            "PROXY TCP4 \u{1b}[2J 198.51.100.1 1 443\r\n",
            "PROXY servers are slow\r\n",
            &format!("PROXY {}", "x".repeat(LONGEST_LINE)),
            &format!("PROXY UNKNOWN {}\r\n", "x".repeat(LONGEST_LINE)),
        ] {
            assert!(matches!(header(line.as_bytes()), Header::Bad(_)), "{line}");
        }
    }

    #[test]
    fn the_second_version_has_its_addresses_and_its_extensions_are_skipped() {
        let v4 = [192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 4, 1, 0xbb];
        let mut v6 = [0; 36];
        v6[..2].copy_from_slice(&[0x20, 1]);
        v6[33] = 7;
        let extended = [&v4[..], &[4, 0, 1, 0]].concat();
        for (bytes, expected) in [
            (v2(0x21, 0x11, &v4), client("192.0.2.1:56324")),
            (v2(0x21, 0x11, &extended), client("192.0.2.1:56324")),
            (v2(0x21, 0x21, &v6), client("[2001::]:7")),
            (v2(0x20, 0x11, &v4), None),
            (v2(0x20, 0, b""), None),
            (v2(0x21, 0, b"anything"), None),
            (v2(0x21, 0x31, &[0; 216]), None),
        ] {
            assert_eq!(header(&bytes), Header::Client(bytes.len(), expected), "{bytes:?}");
        }
        for bad in [
            v2(0x11, 0x11, &v4),
            v2(0x22, 0x11, &v4),
            v2(0x21, 0x12, &v4),
            v2(0x21, 0x41, &v4),
            v2(0x21, 0x11, &v4[..11]),
            v2(0x21, 0x21, &v6[..35]),
            v2(0x20, 0, &[0; LONGEST]),
        ] {
            assert!(matches!(header(&bad), Header::Bad(_)), "{bad:?}");
        }
    }

    #[test]
    fn what_a_client_sends_is_no_header() {
        for input in
            [&b"NICK ada\r\n"[..], b"\x16\x03\x01", b"proxy unknown\r\n", b"\r\nNICK", b"PROX "]
        {
            assert_eq!(header(input), Header::Absent, "{input:?}");
        }
    }

    proptest! {
        /// However a header is cut on its way, it says the same; until it is whole it says nothing.
        #[test]
        fn a_header_says_the_same_at_every_cut(
            ip: [u8; 4], port: u16, ports in 0u16..10_000,
            skipped in prop::collection::vec(any::<u8>(), 0..300),
            after in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let ip = Ipv4Addr::from(ip);
            let [high, low] = port.to_be_bytes();
            let body = [&ip.octets()[..], &[127, 0, 0, 1, high, low, 0, 7], &skipped].concat();
            let line = format!("PROXY TCP4 {ip} 127.0.0.1 {port} {ports}\r\n");
            for whole in [v2(0x21, 0x11, &body), line.into_bytes()] {
                let client = Some(SocketAddr::from((ip, port)));
                for cut in 0..whole.len() {
                    prop_assert_eq!(header(&whole[..cut]), Header::NeedMore, "{}", cut);
                }
                let input = [&whole[..], &after].concat();
                prop_assert_eq!(header(&input), Header::Client(whole.len(), client));
            }
        }

        /// What is decided stays decided, no header is longer than its bound, and nothing panics.
        #[test]
        fn any_bytes_are_decided_within_a_bound(
            bytes in prop::collection::vec(any::<u8>(), 0..200), prefix in 0usize..4,
        ) {
            let prefix = [&b""[..], b"PROXY ", SIGNATURE, b"\r\n\r\n\0\r\nQUIT\n\x21\x11"][prefix];
            let input = [prefix, &bytes].concat();
            let mut decided = Header::NeedMore;
            for cut in 0..=input.len() {
                let now = header(&input[..cut]);
                prop_assert!(decided == Header::NeedMore || decided == now, "{} {:?}", cut, now);
                decided = now;
            }
            let endless = [&input[..], &[b'x'; LONGEST]].concat();
            prop_assert_ne!(header(&endless), Header::NeedMore);
        }
    }
}
