//! The command line of the client.

use crate::tls::Fingerprint;
use crate::wire::address::{Address, DEFAULT_HOST, Port};
use crate::wire::seconds::{seconds_or_forever, some_seconds};
use chatloop_reactor::Backend;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// `--timestamps`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Timestamps {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// `--bell`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, ValueEnum)]
pub enum Bell {
    /// Never
    Off,
    /// On direct messages
    Pm,
    /// On direct messages and mentions
    #[default]
    Mention,
    /// On all messages
    All,
}

impl Bell {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Bell> {
        Bell::from_str(name, true).ok()
    }
}

/// `--sasl`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum LoginMethod {
    /// EXTERNAL with --tls-cert; otherwise SCRAM, or PLAIN if the server has never offered SCRAM
    #[default]
    Auto,
    /// SCRAM-SHA-256 only: the password itself is never sent
    Scram,
    /// PLAIN: sends the password itself
    Plain,
    /// EXTERNAL: no password, but the certificate of --tls-cert
    External,
}

/// A terminal chat client for chatloop and other IRC servers; with --plain, for any line-based server.
///
/// On a terminal it has a line editor with history, and incoming messages appear above the line
/// that you are typing. If standard input or output is not a terminal, or TERM is "dumb", it is a
/// filter: it reads lines and writes lines, without escape sequences.
#[derive(Clone, Debug, Parser)]
#[command(name = "chatloop-client", version, after_help = EXIT_CODES)]
pub struct Options {
    /// Host name or address of the server, HOST:PORT, or a port alone; +PORT for TLS
    #[arg(default_value = DEFAULT_HOST)]
    pub host: Address,

    /// Port of the server [default: 7777]
    pub port: Option<Port>,

    /// Your nick [default: the account's name, or your user name]
    #[arg(long, value_name = "NICK")]
    pub nick: Option<String>,

    /// Join this room at startup ('#ROOM KEY' if it has a key); may be repeated [default: the lobby of
    /// a chatloop server; none elsewhere]
    #[arg(long, value_name = "#ROOM", value_delimiter = ',')]
    pub join: Vec<String>,

    /// Log in to this account; the password is read from CHATLOOP_ACCOUNT_PASSWORD or the terminal
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,

    /// How to log in. SCRAM never falls back to PLAIN; an account from before the server had SCRAM
    /// needs "plain" once
    #[arg(long, value_name = "HOW", value_enum, default_value = "auto")]
    pub sasl: LoginMethod,

    /// Read the server password from the first line of this file [default: the environment variable
    /// CHATLOOP_PASSWORD]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// Use TLS; the server's certificate must be one that this system trusts
    #[arg(long)]
    pub tls: bool,

    /// Use TLS, and trust only the certificate with this fingerprint
    #[arg(long, value_name = "SHA256")]
    pub tls_fingerprint: Option<Fingerprint>,

    /// Present this certificate to the server (PEM); with --account, it replaces the password
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Line mode without IRC: send lines as they are typed, show lines as they arrive
    #[arg(long, conflicts_with_all = ["nick", "join", "account", "sasl", "password_file"])]
    pub plain: bool,

    /// Upload this file, share it in the room (--join), print its URL, and exit; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plain", "json", "literal"])]
    pub upload: Vec<PathBuf>,

    /// Connection timeout per address
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = some_seconds)]
    pub timeout: Duration,

    /// Script mode: how long to wait for replies after the end of standard input [default: 1; 0 if
    /// standard input is a terminal]
    #[arg(long, value_name = "SECONDS|forever", value_parser = seconds_or_forever)]
    pub linger: Option<Duration>,

    /// Script mode: send every line as text, none as a command, whatever it begins with
    #[arg(long, conflicts_with = "plain")]
    pub literal: bool,

    /// Script mode: print nothing; errors go to standard error
    #[arg(long, short, conflicts_with = "json")]
    pub quiet: bool,

    /// Exit when the connection is lost instead of reconnecting
    #[arg(long)]
    pub no_reconnect: bool,

    /// Script mode: reconnect when the connection is lost instead of exiting
    #[arg(long, conflicts_with = "no_reconnect")]
    pub reconnect: bool,

    /// Exit after this many attempts to reconnect [default: never]
    #[arg(long, value_name = "N")]
    pub give_up: Option<u32>,

    /// Show the local time in front of each line
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto",
          default_missing_value = "always", num_args = 0..=1, require_equals = true)]
    pub timestamps: Timestamps,

    /// When to ring the terminal bell; /bell changes it
    #[arg(long, value_name = "WHEN", value_enum, default_value = "mention")]
    pub bell: Bell,

    /// Script mode: print every line as a JSON object (see README.md)
    #[arg(long)]
    pub json: bool,

    /// Read settings from this TOML file [default: chatloop/client.toml in $XDG_CONFIG_HOME or
    /// ~/.config, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// No colours; the environment variable NO_COLOR has the same effect
    #[arg(long, visible_alias = "no-colour")]
    pub no_color: bool,

    /// Write what each turn of the client's loop does to this file (see chatloop-lab trace)
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// Polling interface: auto, or one that this system has (epoll, kqueue, poll, select)
    #[arg(long, default_value = "auto", hide_default_value = false)]
    pub backend: Backend,
}

impl Options {
    /// Host, port, and whether to use TLS.
    ///
    /// # Errors
    /// Two words name a port.
    pub fn server(&self) -> Result<(String, u16, bool), String> {
        let (host, port) = self.host.with_port(self.port.map(|Port(port, _)| port))?;
        let plus = self.host.tls || self.port.is_some_and(|Port(_, tls)| tls);
        Ok((host, port, plus || self.tls || self.tls_fingerprint.is_some()))
    }
}

// clap wraps it: a line broken by hand as well would be broken twice.
const EXIT_CODES: &str = "\
Keys: Ctrl-C clears the line, or quits if it is empty; Ctrl-D quits if the line is empty; Up and \
Down browse the history, Ctrl-R searches it; Tab completes nicks, rooms and commands, and lists the \
commands after a single /; Ctrl-A E B F K U W Y T L and Alt-B F D work as in a shell. Pasting \
several lines asks for confirmation.

Exit codes: 0 success (also if standard output was closed); 1 could not connect, login or \
registration failed, or the server rejected a line of a script (IRC only); 2 invalid arguments; 3 the \
connection was lost, or the server did not accept all input; 4 a local error; 128+N terminated by \
signal N.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_hold_together() {
        Options::command().debug_assert();
        let plain = Options::parse_from(["chatloop-client"]);
        assert_eq!(plain.server(), Ok(("127.0.0.1".to_owned(), 7777, false)));
        for secure in [&["h:+6697"][..], &["h", "+6697"], &["h", "6697", "--tls"]] {
            let options = Options::parse_from(["chatloop-client"].iter().chain(secure));
            assert_eq!(options.server(), Ok(("h".to_owned(), 6697, true)));
        }
        assert_eq!(plain.timeout, Duration::from_secs(2));
        assert_eq!(plain.backend, Backend::best());
        let full = ["chatloop-client", "::1", "80", "--linger", "0.5", "--timestamps"];
        let full = Options::parse_from(full);
        assert_eq!(full.linger, Some(Duration::from_millis(500)));
        let forever = Options::try_parse_from(["chatloop-client", "--linger", "forever"]).unwrap();
        assert!(forever.linger.unwrap() > Duration::from_secs(86_400 * 365));
        assert_eq!(full.timestamps, Timestamps::Always);
        for wrong in [
            "--timeout=-1",
            "--timeout=0",
            "--timeout=nan",
            "--timeout=1e300",
            "--backend=iocp",
            "x y",
        ] {
            assert!(Options::try_parse_from(["chatloop-client", "h", wrong]).is_err(), "{wrong}");
        }
    }
}
