//! The chat client: standard input and a socket in one loop, and a thread while a file is on its way.
//!
//! | file | subject |
//! |---|---|
//! | `options`, `settings` | what can be asked for on the command line, and in a file? |
//! | `startup` | addresses, passwords, colours |
//! | `run` | what happens in one turn of the loop, and how does it end? |
//! | `run/connection` | what follows when the connection is established, fails or is lost? |
//! | `event_loop` | what do all parts of a turn share? |
//! | `known_servers` | what have earlier connections shown of the server? |
//! | `front` | the front end, interactive or script |
//! | `link` | how is the connection made, used, lost and made again? |
//! | `console` | what does a person at a terminal see, and what do their lines do? |
//! | `script` | how does a shell script use it? |
//! | `files`, `transfer`, `http` | how is a file moved? `no_files` in a build without the feature `web` |
//! | `irc` | what is the state of the session with an IRC server? |
//! | `plain` | what is known of a server of plain lines? |
//! | `display` | what is to be shown? |
//! | `paint`, `json` | how does it look to a person, and to a program? |
//! | `complete` | what may the word at the cursor become? |
//! | `secrets` | which part of a typed line is a password? |
//! | `simulated` | the client without a terminal, its server in the caller's hands (feature `simulation`) |
//!
//! It speaks IRC, and sends only the registration before the server has accepted that. With
//! `--plain` it works with any line-based server.
//!
//! Absent: non-blocking name lookups (they happen once, before the loop), and partial lines: text
//! without a final newline is shown when its line is complete.

mod complete;
mod console;
mod display;
mod event_loop;
#[cfg(feature = "web")]
mod files;
mod front;
#[cfg(feature = "web")]
mod http;
mod irc;
mod json;
mod known_servers;
mod link;
#[cfg(not(feature = "web"))]
mod no_files;
mod options;
mod paint;
mod plain;
mod run;
mod script;
mod secrets;
mod settings;
#[cfg(feature = "simulation")]
pub mod simulated;
mod startup;
#[cfg(feature = "web")]
mod transfer;

pub use options::Options;
pub use run::run;
pub use settings::{Invalid, mistyped_variables, read};

use std::fmt;

/// How the client exited; the codes are in `--help`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Everything was sent and received, or the user quit.
    Done,
    /// No address of the server could be connected to.
    NotConnected,
    /// The server has rejected the client, or something that a script sent.
    Rejected,
    /// The arguments are not enough.
    Arguments,
    /// The connection was lost and not regained.
    Lost,
    /// A local error: no descriptor, a full disk behind standard output.
    System,
    /// Terminated by a signal; its number.
    Signal(u8),
}

impl Exit {
    /// The process's exit code. 2 is clap's, too, for arguments it could not use.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::NotConnected | Exit::Rejected => 1,
            Exit::Arguments => 2,
            Exit::Lost => 3,
            Exit::System => 4,
            Exit::Signal(number) => 128 + number,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Something went wrong.
    Error,
}

/// A notice of the client to the user: one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    pub severity: Severity,
    pub text: String,
}

impl Notice {
    /// Good to know.
    pub fn note(text: impl fmt::Display) -> Notice {
        Notice { severity: Severity::Note, text: text.to_string() }
    }

    /// Something went wrong.
    pub fn error(text: impl fmt::Display) -> Notice {
        Notice { severity: Severity::Error, text: text.to_string() }
    }
}
