//! What may be asked for on the command line?

use crate::reactor::Backend;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// The longest time that may be asked for: a hundred years, so that no deadline overflows.
const MAX_SECONDS: f64 = 100.0 * 365.0 * 86_400.0;

/// When lines get the time in front of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Timestamps {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// When the terminal's bell rings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, ValueEnum)]
pub enum Bell {
    /// Never
    Off,
    /// When somebody writes to you alone
    Pm,
    /// When somebody mentions you, too
    #[default]
    Mention,
    /// Whenever something is said
    All,
}

impl Bell {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Bell> {
        Bell::from_str(name, true).ok()
    }
}

/// Talk to an IRC server, a chatloop server for one, from a terminal or from a script; with --plain,
/// to any server that speaks lines.
///
/// On a terminal it is a line editor with history; messages appear above the line that is being
/// typed. If standard input or output is no terminal, or TERM is "dumb", it is a filter: lines in,
/// lines out, no escape sequences.
#[derive(Clone, Debug, Parser)]
#[command(name = "chatloop-client", version, after_help = EXIT_CODES)]
pub struct Options {
    /// Name or address of the server
    #[arg(default_value = "127.0.0.1")]
    pub host: String,

    /// Its port
    #[arg(default_value_t = 7777)]
    pub port: u16,

    /// Your nick [default: your user name]
    #[arg(long, value_name = "NICK")]
    pub nick: Option<String>,

    /// Enter this room at the start; may be repeated [default: the lobby of a chatloop server, and
    /// no room elsewhere]
    #[arg(long, value_name = "#ROOM")]
    pub join: Vec<String>,

    /// Log in to this account; CHATLOOP_ACCOUNT_PASSWORD has its password, or it is asked for
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,

    /// The server's password is the first line of this file; or the environment variable
    /// CHATLOOP_PASSWORD has it
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// Plain lines instead of IRC: lines are sent as they are typed and shown as they come. After a
    /// lost connection it reconnects, but does not rejoin rooms or catch up; that takes IRC
    #[arg(long, conflicts_with_all = ["nick", "join", "account", "password_file"])]
    pub plain: bool,

    /// Give up connecting to one address after this time
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    pub timeout: Duration,

    /// Script mode: after the end of standard input, go on listening until the server closes or
    /// this time has passed [default: 1; 0 if standard input is a terminal]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub linger: Option<Duration>,

    /// End when the connection is lost, rather than to try again (a script always ends)
    #[arg(long)]
    pub no_reconnect: bool,

    /// Put the local time in front of each line
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto",
          default_missing_value = "always", num_args = 0..=1, require_equals = true)]
    pub timestamps: Timestamps,

    /// When the bell rings, on a terminal; /bell changes it
    #[arg(long, value_name = "WHEN", value_enum, default_value = "mention")]
    pub bell: Bell,

    /// Script mode: every line as one JSON object, as the README describes
    #[arg(long)]
    pub json: bool,

    /// No colours; the environment variable NO_COLOR does the same
    #[arg(long, visible_alias = "no-colour")]
    pub no_color: bool,

    /// How to wait for events: auto, or one of the system's interfaces (epoll, kqueue, poll,
    /// select)
    #[arg(long, default_value = "auto", hide_default_value = false)]
    pub backend: Backend,
}

const EXIT_CODES: &str = "\
Keys: Ctrl-C clears the line, and on an empty line leaves; Ctrl-D leaves on an empty line; Up and
Down walk through what was sent, Ctrl-R searches it; Tab completes nicks, rooms and commands, and
behind a lone / lists them; Ctrl-A E B F K U W Y T L and Alt-B F D as in a shell. A paste of
several lines asks before it is sent.

Exit codes: 0 all is well (a closed standard output, too); 1 could not connect, was not let in, or
the server refused something that a script said (in IRC); 2 wrong arguments; 3 the connection was
lost, or the server did not take what was said; 4 this machine refused something; 128+N ended by
signal N.";

/// Seconds with a fraction, not negative.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=MAX_SECONDS).contains(&number) => Ok(Duration::from_secs_f64(number)),
        _ => Err("a number of seconds is wanted, such as 2 or 0.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_hold_together() {
        Options::command().debug_assert();
        let plain = Options::parse_from(["chatloop-client"]);
        assert_eq!((plain.host.as_str(), plain.port), ("127.0.0.1", 7777));
        assert_eq!(plain.timeout, Duration::from_secs(2));
        assert_eq!(plain.backend, Backend::best());
        let full = ["chatloop-client", "::1", "80", "--linger", "0.5", "--timestamps"];
        let full = Options::parse_from(full);
        assert_eq!(full.linger, Some(Duration::from_millis(500)));
        assert_eq!(full.timestamps, Timestamps::Always);
        for wrong in ["--timeout=-1", "--timeout=nan", "--timeout=1e300", "--backend=iocp", "x y"] {
            assert!(Options::try_parse_from(["chatloop-client", "h", wrong]).is_err(), "{wrong}");
        }
    }
}
