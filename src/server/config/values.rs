//! The values that settings have: numbers with a unit, and what can be switched off.

use crate::chat::Flag;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::num::{NonZeroU16, NonZeroU32};
use std::str::FromStr;
use std::time::Duration;

/// A value that can be switched off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrOff<T> {
    /// The word `off`.
    Off,
    /// A value.
    On(T),
}

impl<T: Copy> OrOff<T> {
    /// The value, if it is on.
    pub fn on(self) -> Option<T> {
        match self {
            OrOff::Off => None,
            OrOff::On(value) => Some(value),
        }
    }
}

impl<T: FromStr> FromStr for OrOff<T>
where
    T::Err: fmt::Display,
{
    type Err = String;

    fn from_str(text: &str) -> Result<OrOff<T>, String> {
        if text == "off" {
            return Ok(OrOff::Off);
        }
        text.parse().map(OrOff::On).map_err(|error| format!("{error}, or off"))
    }
}

/// A positive whole number of seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seconds(pub u32);

impl Seconds {
    /// As a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Seconds, String> {
        let seconds = text.parse::<NonZeroU32>().map(|seconds| Seconds(seconds.get()));
        seconds.map_err(|_| {
            format!("invalid number of seconds '{text}': expected a whole number above 0")
        })
    }
}

/// Modes without a parameter, by their letters in IRC.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelModes(pub BTreeSet<Flag>);

impl FromStr for ChannelModes {
    type Err = String;

    fn from_str(text: &str) -> Result<ChannelModes, String> {
        let letters = if text == "off" { "" } else { text.trim_start_matches('+') };
        let flag = |letter| Flag::ALL.into_iter().find(|flag| flag.letter() == letter);
        let flags = letters.chars().map(flag).collect::<Option<BTreeSet<Flag>>>();
        flags.map(ChannelModes).ok_or_else(|| {
            format!("invalid modes '{text}': expected letters of C, i, m, n, s and t, or off")
        })
    }
}

/// A positive whole number of days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Days(u16);

impl Days {
    /// As a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0) * 86_400)
    }
}

impl FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Days, String> {
        let days = text.parse::<NonZeroU16>().map(|days| Days(days.get()));
        days.map_err(|_| format!("invalid number of days '{text}': expected 1 to {}", u16::MAX))
    }
}

/// An IP address, or a network as `10.0.0.0/8`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network(IpNet);

impl Network {
    /// Whether an address is in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(&ip.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let address = || text.parse().ok().map(|ip: IpAddr| IpNet::from(ip.to_canonical()));
        let network = text.parse().ok().or_else(address).map(Network);
        network.ok_or_else(|| {
            format!("invalid address '{text}': expected for example 192.0.2.1, 10.0.0.0/8 or ::1")
        })
    }
}

/// Lines a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineRate(pub u32);

impl FromStr for LineRate {
    type Err = String;

    fn from_str(text: &str) -> Result<LineRate, String> {
        let lines = text.strip_suffix("/s").unwrap_or(text).parse::<NonZeroU32>();
        let rate = lines.map(|lines| LineRate(lines.get()));
        rate.map_err(|_| format!("invalid rate '{text}': expected for example 20/s"))
    }
}

/// A number of bytes: `4096`, `64k`, `8M`; the units are 1,024 and its square.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Bytes(pub usize);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Bytes, String> {
        let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
        let unit: usize = match text[digits.len()..].to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1024,
            "m" | "mib" => 1024 * 1024,
            "g" | "gib" => 1024 * 1024 * 1024,
            _ => 0,
        };
        let bytes = digits.parse::<usize>().ok().and_then(|number| number.checked_mul(unit));
        bytes
            .filter(|bytes| *bytes > 0)
            .map(Bytes)
            .ok_or_else(|| format!("invalid size '{text}': expected for example 4096, 64k or 8M"))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes.is_multiple_of(1024 * 1024) => write!(f, "{} MiB", bytes >> 20),
            bytes if bytes.is_multiple_of(1024) => write!(f, "{} KiB", bytes >> 10),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}
