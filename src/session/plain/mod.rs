//! The dialect of `nc`: lines in, lines out.
//!
//! Two styles. *Plain* writes clean lines, fit for a script: no escape sequences. *Classic* looks as
//! the select-server course project does, for its Python clients: each line begins with `\r`, to
//! overwrite the waiting prompt, in bold blue (connecting), red (leaving) or purple (messages), and
//! the colour is reset after the newline.
//!
//! The beginning of a plain line tells what it is:
//!
//! | begins with | is |
//! |---|---|
//! | `[nick]: ` | a message in the lobby; elsewhere `#room ` precedes it, and after `/numbers on` its number |
//! | `*[` or `*#` | the same, mentioning the reader |
//! | `[nick -> you]: ` | a direct message |
//! | `- ` | history: number, date, time, then the message |
//! | `* ` | a line from the server |
//!
//! No password is ever stored: it goes into a `Secret` as it is parsed, and lines that look like a
//! mistyped login are not sent.
//!
//! | file | subject |
//! |---|---|
//! | `session`, `theme` | one peer: its stage, its room, how it wants its lines |
//! | `commands`, `parsers`, `arguments` | the table of commands, and the parsing of a line |
//! | `secrets` | mistyped logins |
//! | `render`, `answers`, `lines` | events and replies, as lines that are harmless to a terminal |

mod answers;
mod arguments;
mod commands;
mod lines;
mod parsers;
mod render;
mod secrets;
mod session;
#[cfg(test)]
mod tests;
mod theme;

pub use commands::parse_lent;
#[cfg(test)]
pub use commands::{command_names, main_names};
pub use render::{render, render_notice};
pub use session::{Session, is_message};
pub(super) use session::{password_timeout, without_password};
pub use theme::{Bell, Style, Theme};

use super::action::Action;
use super::detect;
use crate::chat::{Command, Kind, Moment, Name};
use crate::wire::clean::clean;
use crate::wire::telnet;
use arguments::{Fault, Line};
use parsers::Context;
use session::{quit, tell};

impl Session {
    /// Takes one line, without its end: the password, or what to [`parse`](Session::parse).
    pub(super) fn take(&mut self, line: &[u8], rooms: &[Name], now: Moment) -> Option<Action> {
        self.taken(false);
        let line = telnet::strip(line);
        // Two of them end a line where a program on Windows has made CR LF of one.
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if self.is_locked() {
            return Some(self.take_password(line));
        }
        self.parse(line, rooms, now)
    }

    /// `rooms` are those that the peer is in, in the order of joining; `now` is what "an hour ago"
    /// counts from.
    pub fn parse(&mut self, line: &[u8], rooms: &[Name], now: Moment) -> Option<Action> {
        if line.is_empty() {
            return match self.theme().style {
                Style::Plain => None,
                Style::Classic => Some(quit(None)),
            };
        }
        let text = clean(line);
        // A slow IRC client is taken for a plain one until it opens as one; this is a person's line.
        if self.is_opening(|| detect::is_irc_opening(&text)) {
            let text = "not sent: this looks like IRC, but the connection is plain text by now \
                        (reconnect, or try /help)";
            return Some(tell(text));
        }
        let parsed = if text.starts_with('/') && !text.starts_with("//") {
            let verbatim =
                Line::new(&text).word().is_some_and(|it| it.eq_ignore_ascii_case("/say"));
            let command = commands::parse(&mut Context { session: self, rooms, now }, &text[1..]);
            command.and_then(|action| if verbatim { Ok(action) } else { checked(action) })
        } else {
            let message = match text.strip_prefix("@#") {
                Some(_) => elsewhere(&text),
                None => self.send(rooms, Kind::Message, text.strip_prefix('/').unwrap_or(&text)),
            };
            message.map_err(Fault::without_usage).and_then(checked)
        };
        Some(parsed.unwrap_or_else(|wrong| Action::Tell(vec![wrong])))
    }
}

/// Holds back a message that looks like a mistyped login.
fn checked(action: Action) -> Result<Action, String> {
    match &action {
        Action::Do(command) => secrets::check_command(command).map(|()| action),
        _ => Ok(action),
    }
}

/// `@#room text`: a message to another room.
fn elsewhere(text: &str) -> Result<Action, Fault> {
    let mut line = Line::new(&text[1..]);
    let (room, text) = (line.need()?, line.rest());
    let text = text.ok_or_else(|| Fault::Other("usage: @#room TEXT".to_owned()))?;
    Ok(Action::Do(Command::Say(room.into(), Kind::Message, text.into())))
}
