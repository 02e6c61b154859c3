//! What can be set: one struct, read from the command line, the environment and a file.
//!
//! Every limit has a flag, a default, and a message that names the flag when the limit strikes.
//! A setting is one field here; its variable and its key in the file follow from the field's name
//! (`sources`, `file`), and so does its line in what `chatloop-server config` prints (`show`).

mod file;
mod show;
mod sources;

pub use file::WrongFile;
pub use sources::{Origin, Setting, Settings, Task, Wrong};

use crate::chat::{Moment, PasswordHash, Secret};
use crate::reactor::Backend;
use crate::reactor::listener::LONGEST_BACKLOG;
use crate::session::{Style, irc};
use clap::builder::BoolishValueParser;
use clap::{Parser, ValueEnum};
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The looks of the lines, as the command line names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum StyleName {
    /// Clean lines without escapes; empty lines are ignored
    Plain,
    /// As the classic select-server course project: `\r`, colours, an empty line says goodbye
    Classic,
}

impl From<StyleName> for Style {
    fn from(name: StyleName) -> Style {
        match name {
            StyleName::Plain => Style::Plain,
            StyleName::Classic => Style::Classic,
        }
    }
}

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
        text.parse().map(OrOff::On).map_err(|error| format!("{error}; or the word 'off'"))
    }
}

/// A positive whole number of seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seconds(u32);

impl Seconds {
    /// As a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Seconds, String> {
        match text.parse() {
            Ok(seconds) if seconds > 0 => Ok(Seconds(seconds)),
            _ => Err(format!("'{text}' is not a whole number of seconds above 0")),
        }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
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
        match text.parse() {
            Ok(days) if days > 0 => Ok(Days(days)),
            _ => Err(format!("'{text}' is not a whole number of days from 1 to {}", u16::MAX)),
        }
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Lines a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineRate(pub u32);

impl FromStr for LineRate {
    type Err = String;

    fn from_str(text: &str) -> Result<LineRate, String> {
        match text.strip_suffix("/s").unwrap_or(text).parse() {
            Ok(lines) if lines > 0 => Ok(LineRate(lines)),
            _ => Err(format!("'{text}' is not a rate like 20/s")),
        }
    }
}

impl fmt::Display for LineRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// A number of bytes: `4096`, `64k`, `8M`; the units are 1,024 and its square.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bytes(pub usize);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Bytes, String> {
        let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
        let unit: usize = match text[digits.len()..].to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1024,
            "m" | "mib" => 1024 * 1024,
            _ => return Err(format!("'{text}' is not a size like 4096, 64k or 8M")),
        };
        let bytes = digits.parse::<usize>().ok().and_then(|number| number.checked_mul(unit));
        match bytes {
            Some(bytes) if bytes > 0 => Ok(Bytes(bytes)),
            _ => Err(format!("'{text}' is not a size like 4096, 64k or 8M")),
        }
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

/// Somebody who may use the operators' commands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    /// The name that `/oper` is given.
    pub name: String,
    /// The hash of the password.
    pub hash: PasswordHash,
}

impl FromStr for Operator {
    type Err = String;

    fn from_str(text: &str) -> Result<Operator, String> {
        // The value may hold a password that somebody gave in place of its hash: it is not shown.
        match text.split_once(':') {
            Some((name, hash)) if !name.is_empty() && hash.starts_with("$argon2") => {
                Ok(Operator { name: name.to_owned(), hash: PasswordHash::new(hash) })
            }
            Some((name, password)) if !name.is_empty() && !password.is_empty() => {
                let hash = super::worker::hash(
                    &Secret::new(password),
                    &mut super::random::Random::system(),
                )
                .ok_or("the system has no randomness for a password hash")?;
                Ok(Operator { name: name.to_owned(), hash })
            }
            _ => Err("the form is NAME:PASSWORD or NAME:HASH".to_owned()),
        }
    }
}

/// The longest line that can be asked for: it must fit beside other input in an inbox.
pub const LONGEST_LINE: usize = 32 * 1024;

/// Stands between several values in one variable; no name and no hash has one.
const BETWEEN: char = ' ';

/// How lively the log is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LogLevel {
    /// Nothing
    Off,
    /// What stops the server
    Error,
    /// Limits that struck, clients that were dropped
    Warn,
    /// Start and stop as well
    Info,
    /// Every connection as well
    Debug,
    /// Every turn as well
    Trace,
}

impl LogLevel {
    /// In the log facade's own terms.
    pub fn filter(self) -> log::LevelFilter {
        match self {
            LogLevel::Off => log::LevelFilter::Off,
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
            LogLevel::Trace => log::LevelFilter::Trace,
        }
    }
}

/// A multi-user TCP chat server: everyone who connects hears everyone else.
///
/// Try it: start it, then `nc 127.0.0.1 7777` in two other terminals. The chat's transcript goes
/// to stdout, the log to stderr. Ctrl-C stops it in order: everyone gets a goodbye.
///
/// What a flag sets can stand in the environment, too (CHATLOOP_MAX_LINE for --max-line), and in
/// a file (max-line = "64k"). The flag counts first, then the environment, then the file.
#[derive(Clone, Debug, Parser)]
#[command(name = "chatloop-server", version, max_term_width = 100)]
pub struct Config {
    /// Address or name to listen on; :: or 0.0.0.0 for everywhere
    #[arg(default_value = "127.0.0.1")]
    pub host: String,

    /// Port to listen on; 0 lets the system pick one
    #[arg(default_value_t = 7777)]
    pub port: u16,

    /// How the loop waits: auto or one of this system's interfaces (epoll, kqueue, poll, select)
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub backend: Backend,

    /// How many connections may wait to be accepted; the system cuts it to its own maximum
    #[arg(long, default_value_t = LONGEST_BACKLOG, value_name = "N")]
    pub backlog: u32,

    /// Looks of the lines
    #[arg(long, value_enum, default_value_t = StyleName::Plain)]
    pub style: StyleName,

    /// Longest line accepted, without its newline; a longer one is refused to its sender
    #[arg(long, default_value = "4096", value_name = "BYTES", value_parser = parse_max_line)]
    pub max_line: Bytes,

    /// Most clients at a time [default: what the descriptor limit allows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_clients: Option<u32>,

    /// Most clients from one address, or off [default: 256, and off for loopback]
    #[arg(long, value_name = "N|off")]
    pub max_per_address: Option<OrOff<NonZeroU32>>,

    /// Backlog of unsent bytes above which a client's own lines wait
    #[arg(long, default_value = "1M", value_name = "BYTES")]
    pub outbox_soft: Bytes,

    /// Backlog of unsent bytes above which a client is dropped
    #[arg(long, default_value = "8M", value_name = "BYTES")]
    pub outbox_hard: Bytes,

    /// Lines a second taken from one client, with a burst of ten seconds' worth; what is faster
    /// waits, nothing is lost [default: 100/s, and off for loopback]
    #[arg(long, value_name = "N/s|off")]
    pub flood_limit: Option<OrOff<LineRate>>,

    /// Keep everything in this directory; without it, messages are kept in memory only
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Messages kept of each room, or off for all that fit [default: 1000 in memory, off on disk]
    #[arg(long, default_value = "off", value_name = "N|off", hide_default_value = true)]
    pub keep_messages: OrOff<NonZeroU32>,

    /// Days that messages are kept
    #[arg(long, default_value = "off", value_name = "DAYS|off")]
    pub keep_days: OrOff<Days>,

    /// Lines of the past shown to who joins a room; 0 for none
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(..=500))]
    pub history_on_join: u32,

    /// A server operator's name, and password or hash of it (made by chatloop-server hash); may be
    /// repeated
    #[arg(long, value_name = "NAME:PASSWORD-OR-HASH", value_delimiter = BETWEEN)]
    pub oper: Vec<Operator>,

    /// Milliseconds of silence after which a client is greeted in plain lines; its first word may make
    /// it an IRC client until then. 0 greets at once, and there is no IRC
    #[arg(long, default_value_t = 150, value_name = "MS", value_parser = clap::value_parser!(u32).range(..=60_000))]
    pub greeting_delay: u32,

    /// The server's name for IRC clients: a host name
    #[arg(long, default_value = "chatloop.local", value_name = "HOST")]
    pub name: String,

    /// The network's name for IRC clients: one word
    #[arg(long, default_value = "chatloop", value_name = "WORD")]
    pub network: String,

    /// A password that clients must give: PASS in IRC, /pass in plain lines
    #[arg(long, value_name = "WORD", value_parser = parse_secret)]
    pub password: Option<Secret>,

    /// A file with the message of the day for IRC clients
    #[arg(long, value_name = "FILE")]
    pub motd: Option<PathBuf>,

    /// Drop a client that has sent nothing for so many seconds
    #[arg(long, default_value = "off", value_name = "SECONDS|off")]
    pub idle_timeout: OrOff<Seconds>,

    /// Probe a silent connection after so many seconds, so that a vanished machine is noticed
    #[arg(long, default_value = "120", value_name = "SECONDS|off")]
    pub keep_alive: OrOff<Seconds>,

    /// How much to log to stderr; RUST_LOG is obeyed where this is not given [default: info]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub log: Option<LogLevel>,

    /// No transcript of the chat on stdout, and no console
    #[arg(long, short, value_parser = BoolishValueParser::new())]
    pub quiet: bool,

    /// Do not let the operator talk from the terminal the server was started at
    #[arg(long, value_parser = BoolishValueParser::new())]
    pub no_console: bool,

    /// Take settings from this TOML file, too; SIGHUP reads it again
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Config {
    /// What cannot be said of one flag alone.
    ///
    /// # Errors
    /// A sentence that names the flags.
    pub fn check(&self) -> Result<(), String> {
        if self.outbox_soft > self.outbox_hard {
            return Err(format!(
                "--outbox-soft ({}) must not be above --outbox-hard ({})",
                self.outbox_soft, self.outbox_hard
            ));
        }
        if !crate::wire::irc::name::is_server_name(&self.name) {
            return Err(format!("--name '{}' is not a host name with a dot", self.name));
        }
        if self.network.is_empty() || self.network.contains(|c: char| c.is_whitespace() || c == '=')
        {
            return Err(format!("--network '{}' is not one word", self.network));
        }
        Ok(())
    }

    /// What IRC clients are told.
    ///
    /// # Errors
    /// The hash of an operator's password, if there is such an operator.
    pub(super) fn oper_hash(&self, name: &str) -> Option<PasswordHash> {
        let known = self.oper.iter().find(|oper| oper.name == name);
        known.map(|oper| oper.hash.clone())
    }

    /// The message of the day cannot be read.
    pub(super) fn irc_settings(&self, started: Moment) -> Result<irc::Settings, String> {
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("--motd {}: {error}", path.display()))?;
            Ok::<Vec<String>, String>(text.lines().map(str::to_owned).collect())
        };
        Ok(irc::Settings {
            name: self.name.clone(),
            network: self.network.clone(),
            password: self.password.clone(),
            motd: self.motd.as_ref().map(read).transpose()?,
            started,
        })
    }
}

fn parse_secret(text: &str) -> Result<Secret, String> {
    if text.is_empty() { Err("a password is not empty".to_owned()) } else { Ok(Secret::new(text)) }
}

fn parse_max_line(text: &str) -> Result<Bytes, String> {
    let bytes: Bytes = text.parse()?;
    if bytes.0 > LONGEST_LINE {
        return Err(format!("a line may be at most {} long", Bytes(LONGEST_LINE)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Config, clap::Error> {
        Config::try_parse_from(["chatloop-server"].iter().chain(arguments))
    }

    #[test]
    fn it_starts_with_nothing_given() {
        let config = parse(&[]).unwrap();
        assert_eq!((config.host.as_str(), config.port), ("127.0.0.1", 7777));
        assert_eq!((config.outbox_soft, config.outbox_hard), (Bytes(1 << 20), Bytes(8 << 20)));
        assert_eq!(config.max_line, Bytes(4096));
        assert_eq!(config.idle_timeout, OrOff::Off);
        config.check().unwrap();
    }

    #[test]
    fn what_is_wrong_and_what_would_be_right_is_said() {
        for (arguments, word) in [
            (["--max-line", "1 foot"], "64k"),
            (["--max-line", "1M"], "32 KiB"),
            (["--flood-limit", "fast"], "20/s"),
            (["--idle-timeout", "0"], "above 0"),
            (["--max-per-address", "0"], "off"),
            (["--backend", "iocp"], "select"),
            (["--style", "baroque"], "classic"),
        ] {
            let message = parse(&arguments).unwrap_err().to_string();
            assert!(message.contains(word), "{arguments:?}: {message}");
        }
        let config = parse(&["--outbox-soft", "9M"]).unwrap();
        assert!(config.check().unwrap_err().contains("--outbox-hard (8 MiB)"));
    }

    #[test]
    fn values_are_read() {
        let config = parse(&["--flood-limit", "20/s", "--max-per-address", "off"]).unwrap();
        assert_eq!(config.flood_limit, Some(OrOff::On(LineRate(20))));
        assert_eq!(config.max_per_address, Some(OrOff::Off));
        let config = parse(&["localhost", "0", "--keep-alive", "off"]).unwrap();
        assert_eq!((config.port, config.keep_alive), (0, OrOff::Off));
    }
}
