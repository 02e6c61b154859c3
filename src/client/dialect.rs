//! Which of the two dialects is spoken, and what do both have in common?
//!
//! IRC, unless `--plain` says otherwise. A paste is one thing in IRC and as many lines as it has
//! in plain; all else that a front wants of the conversation is the same.

use super::complete::Vocabulary;
use super::heard::Shown;
use super::irc::Session;
use super::plain::Conversation;
use super::script::is_farewell;
use super::secrets::Forms;
use jiff::Zoned;
use jiff::tz::TimeZone;

/// The conversation, in its dialect.
pub enum Dialect {
    /// Lines, as a chatloop server's plain dialect has them, or any other server.
    Plain(Box<Conversation>),
    /// IRC.
    Irc(Box<Session>),
}

impl Dialect {
    /// A connection stands.
    pub fn connected(&mut self, now: &Zoned) {
        match self {
            Dialect::Plain(conversation) => conversation.connected(),
            Dialect::Irc(session) => session.connected(now.timestamp()),
        }
    }

    /// The server says a line: what is to be shown.
    pub fn heard(&mut self, line: &[u8], now: &Zoned) -> Vec<Shown> {
        match self {
            Dialect::Plain(conversation) => {
                let mut shown = Vec::new();
                conversation.heard(line, &utc(now), &mut shown);
                shown
            }
            Dialect::Irc(session) => {
                session.heard(line, now.timestamp());
                session.take_shown()
            }
        }
    }

    /// Whether these lines can be said now.
    ///
    /// # Errors
    /// Why not, in words for people.
    pub fn can_say(&self, lines: &[String]) -> Result<(), String> {
        match self {
            Dialect::Plain(_) => Ok(()),
            Dialect::Irc(session) => session.can_type(lines),
        }
    }

    /// What belongs together of typed or pasted lines.
    pub fn parts<'l>(&self, lines: &'l [String]) -> std::slice::Chunks<'l, String> {
        match self {
            Dialect::Plain(_) => lines.chunks(1),
            Dialect::Irc(_) => lines.chunks(lines.len().max(1)),
        }
    }

    /// The person says such a part: bytes to send, and what is to be shown.
    pub fn say(&mut self, part: &[String], now: &Zoned) -> (Vec<u8>, Vec<Shown>) {
        match self {
            Dialect::Plain(conversation) => {
                let line = part.concat();
                match conversation.typed(&line) {
                    Some(answer) => (Vec::new(), vec![Shown::Notice(answer)]),
                    None => ([line.as_bytes(), b"\n"].concat(), Vec::new()),
                }
            }
            Dialect::Irc(session) => {
                match part {
                    [line] => session.typed(line, now.timestamp()),
                    _ => {
                        let lines: Vec<&str> = part.iter().map(String::as_str).collect();
                        session.pasted(&lines, now.timestamp());
                    }
                }
                (session.take_outgoing(), session.take_shown())
            }
        }
    }

    /// What is to be sent that nobody has typed.
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        match self {
            Dialect::Plain(conversation) => conversation.take_outgoing(),
            Dialect::Irc(session) => session.take_outgoing(),
        }
    }

    /// Whether a line says goodbye. Ask after it was said.
    pub fn is_farewell(&self, line: &str) -> bool {
        match self {
            Dialect::Plain(_) => is_farewell(line.as_bytes()),
            Dialect::Irc(session) => session.has_said_farewell(),
        }
    }

    /// The session, if this is IRC.
    pub fn irc(&mut self) -> Option<&mut Session> {
        match self {
            Dialect::Plain(_) => None,
            Dialect::Irc(session) => Some(session),
        }
    }

    /// Whether lines that are only a server's are understood: whether a plain server is a chatloop
    /// server.
    pub fn is_understood(&self) -> bool {
        match self {
            Dialect::Plain(conversation) => conversation.is_welcomed(),
            Dialect::Irc(_) => false,
        }
    }

    /// This person's nick; empty if unknown.
    pub fn nick(&self) -> &str {
        match self {
            Dialect::Plain(conversation) => conversation.nick(),
            Dialect::Irc(session) => session.nick(),
        }
    }

    /// The room that words go to, if known.
    pub fn room(&self) -> Option<&str> {
        match self {
            Dialect::Plain(conversation) => conversation.room(),
            Dialect::Irc(session) => session.room(),
        }
    }

    /// What Tab knows.
    pub fn vocabulary(&self) -> &Vocabulary {
        match self {
            Dialect::Plain(conversation) => &conversation.vocabulary,
            Dialect::Irc(session) => &session.vocabulary,
        }
    }

    /// Whether messages show their numbers.
    pub fn shows_numbers(&self) -> bool {
        match self {
            Dialect::Plain(conversation) => conversation.numbers,
            Dialect::Irc(session) => session.show_numbers,
        }
    }

    /// Which commands have a password.
    pub fn forms(&self) -> Forms {
        match self {
            Dialect::Plain(_) => Forms::Plain,
            Dialect::Irc(_) => Forms::Irc,
        }
    }
}

/// The time as a chatloop server reads it.
fn utc(now: &Zoned) -> String {
    now.with_time_zone(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
