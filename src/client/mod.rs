//! The chat client: standard input and a socket in one loop, no threads.
//!
//! | file | its question |
//! |---|---|
//! | [`options`] | what may be asked for on the command line? |
//! | `startup` | what is known before the first turn? |
//! | [`mod@run`] | what happens in one turn of the loop, and how does it end? |
//! | `run/connection` | what follows when the connection stands, fails or is lost? |
//! | `front` | who talks, a person or a script? |
//! | [`link`] | how is the connection made, used, lost and made again? |
//! | [`console`] | how does a person at a terminal talk? |
//! | [`dialect`] | which dialect is spoken, and what have both in common? |
//! | [`irc`] | how does this person talk to an IRC server? |
//! | [`plain`] | who is this person on a server of plain lines, and how do they get back there? |
//! | [`display`] | what is to be shown of what a server says? |
//! | [`complete`] | what may the word at the cursor become? |
//! | [`secrets`] | which part of a typed line is a password? |
//! | [`script`] | how does a shell script talk? |
//! | `tokens` | the poller's tokens of the client's descriptors |
//! | [`paint`] | how does a server's line look? |
//! | [`json`] | how does a server's line look to a program? |
//!
//! It speaks IRC, and sends nothing but the registration before the server has let it in. With
//! `--plain` it works with any server that speaks lines: what it does not understand it shows as
//! it is, and it sends nothing unasked. To a chatloop server, which it knows by the first line of
//! the connection, it says a few things more ([`plain`]).
//!
//! Deliberately absent: name lookups that do not block (they happen once, before the loop), and
//! text that a server sends without a newline behind it: it is shown when its line is complete.

pub mod complete;
pub mod console;
pub mod dialect;
pub mod display;
mod front;
pub mod irc;
pub mod json;
pub mod link;
pub mod options;
pub mod paint;
pub mod plain;
pub mod run;
pub mod script;
pub mod secrets;
mod startup;
mod tokens;

pub use options::Options;
pub use run::run;

use std::fmt;
use std::process::ExitCode;

/// How a session ended; the numbers are said in `--help`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Everything was said and heard, or the user left.
    Done,
    /// No address of the server could be connected to.
    NotConnected,
    /// The server has not let us in, or has refused something that a script said.
    TurnedAway,
    /// The arguments are not enough.
    Arguments,
    /// The connection was lost and not regained.
    Lost,
    /// This machine refused something: no descriptor, a full disk behind standard output.
    Refused,
    /// A signal asked the program to end; its number.
    Signal(u8),
}

impl Exit {
    /// The process's exit code. 2 is clap's, too, for arguments it could not use.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::NotConnected | Exit::TurnedAway => 1,
            Exit::Arguments => 2,
            Exit::Lost => 3,
            Exit::Refused => 4,
            Exit::Signal(number) => 128 + number,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// How grave a notice is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gravity {
    /// Good to know.
    Note,
    /// Something went wrong.
    Error,
}

/// Something the client itself has to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// How grave it is.
    pub gravity: Gravity,
    /// What it says: one line.
    pub text: String,
}

impl Notice {
    /// Good to know.
    pub fn note(text: impl fmt::Display) -> Notice {
        Notice { gravity: Gravity::Note, text: text.to_string() }
    }

    /// Something went wrong.
    pub fn error(text: impl fmt::Display) -> Notice {
        Notice { gravity: Gravity::Error, text: text.to_string() }
    }
}
