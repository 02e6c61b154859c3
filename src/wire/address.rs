//! A server's address as people write it: `HOST`, `PORT`, `HOST:PORT`, `[::1]:PORT`, `[::1]`.
//!
//! A `+` before the port means TLS, as IRC clients know it: `HOST:+PORT`. The port may also follow as
//! a separate word. One grammar for all programs, so that what works with one works with the others.

use std::fmt;
use std::str::FromStr;

/// Where a server listens unless it is told otherwise.
pub const DEFAULT_HOST: &str = "127.0.0.1";
pub const DEFAULT_PORT: u16 = 7777;

/// What the first word of an address says: a host, a port, or both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    pub host: Option<String>,
    pub port: Option<u16>,
    /// The port is written with a `+`.
    pub tls: bool,
}

/// A port, perhaps with a `+` before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Port(pub u16, pub bool);

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Port, String> {
        let digits = text.strip_prefix('+');
        Ok(Port(port(digits.unwrap_or(text))?, digits.is_some()))
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let Port(port, tls) = text.parse()?;
            return Ok(Address { host: None, port: Some(port), tls });
        }
        let (host, after) = if let Some(bracketed) = text.strip_prefix('[') {
            let (host, after) = bracketed.split_once(']').ok_or_else(|| {
                format!("'{text}' has no closing bracket; try [::1]:{DEFAULT_PORT}")
            })?;
            if !host.contains(':') {
                return Err(format!("'[{host}]': brackets are for IPv6 addresses, as in [::1]"));
            }
            (host, after)
        } else {
            match text.split_once(':') {
                // More than one colon without brackets is an IPv6 address.
                Some((host, after)) if !after.contains(':') => (host, &text[host.len()..]),
                _ => (text, ""),
            }
        };
        let port = match after.strip_prefix(':') {
            Some(digits) => Some(digits.parse::<Port>()?),
            None if after.is_empty() => None,
            None => {
                return Err(format!(
                    "'{text}' has '{after}' behind its bracket; try [{host}]:{DEFAULT_PORT}"
                ));
            }
        };
        if host.is_empty() {
            return Err(format!(
                "'{text}' names no host; a port alone is written without the colon"
            ));
        }
        if host == "*" {
            return Err("'*' is no host: all addresses of a machine are 0.0.0.0 or ::".to_owned());
        }
        let tls = port.is_some_and(|Port(_, tls)| tls);
        Ok(Address { host: Some(host.to_owned()), port: port.map(|Port(port, _)| port), tls })
    }
}

fn port(text: &str) -> Result<u16, String> {
    // Rust reads a `+` before a number.
    let number = text.parse().ok().filter(|_| !text.starts_with('+'));
    number.ok_or_else(|| format!("invalid port '{text}': ports are 0 to {}", u16::MAX))
}

impl Address {
    /// Host and port, where a second word may have named the port.
    ///
    /// # Errors
    /// Both words name a port.
    pub fn with_port(&self, second: Option<u16>) -> Result<(String, u16), String> {
        if let (Some(first), Some(second)) = (self.port, second) {
            return Err(format!(
                "'{self}' and '{second}' both name a port ({first} and {second}); leave one out"
            ));
        }
        let host = self.host.as_deref().unwrap_or(DEFAULT_HOST);
        Ok((host.to_owned(), self.port.or(second).unwrap_or(DEFAULT_PORT)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plus = if self.tls { "+" } else { "" };
        match (&self.host, self.port) {
            (Some(host), Some(port)) if host.contains(':') => write!(f, "[{host}]:{plus}{port}"),
            (Some(host), Some(port)) => write!(f, "{host}:{plus}{port}"),
            (Some(host), None) => f.write_str(host),
            (None, Some(port)) => write!(f, "{plus}{port}"),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        for (text, host, port) in [
            ("7000", None, Some(7000)),
            ("0", None, Some(0)),
            ("localhost", Some("localhost"), None),
            ("localhost:7000", Some("localhost"), Some(7000)),
            ("10.0.0.1:7000", Some("10.0.0.1"), Some(7000)),
            ("::", Some("::"), None),
            ("fe80::1%eth0", Some("fe80::1%eth0"), None),
            ("[::1]", Some("::1"), None),
            ("[::1]:7000", Some("::1"), Some(7000)),
            ("[::1]:+6697", Some("::1"), Some(6697)),
            ("localhost:+6697", Some("localhost"), Some(6697)),
            ("+6697", None, Some(6697)),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host.as_deref(), address.port), (host, port), "{text}");
            assert_eq!(address.tls, text.contains('+'), "{text}");
            let again: Address = address.to_string().parse().unwrap();
            assert_eq!(again, address, "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("70000", "0 to 65535"),
            ("host:", "invalid port ''"),
            ("host:http", "invalid port 'http'"),
            ("host:++1", "invalid port '+1'"),
            ("host:+", "invalid port ''"),
            ("[::1", "closing bracket"),
            ("[::1]7000", "try [::1]:7777"),
            ("[localhost]:1", "IPv6"),
            (":7000", "without the colon"),
            ("", "names no host"),
            ("*:7000", "0.0.0.0 or ::"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn the_port_may_be_a_second_word() {
        let with = |text: &str, port| text.parse::<Address>().unwrap().with_port(port);
        assert_eq!(with("::1", Some(80)), Ok(("::1".to_owned(), 80)));
        assert_eq!(with("80", None), Ok((DEFAULT_HOST.to_owned(), 80)));
        assert_eq!(with("ada", None), Ok(("ada".to_owned(), DEFAULT_PORT)));
        assert!(with("ada:1", Some(2)).unwrap_err().contains("'ada:1' and '2'"));
        assert!(with("1", Some(2)).is_err());
    }
}
