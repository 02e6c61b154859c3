//! The conversation, in IRC or plain text, as the console sees it.

use super::complete::Vocabulary;
use super::display::DisplayItem;
use super::irc::IrcSession;
use super::plain::{PlainLines, is_quit};
use super::secrets::{self, Forms};
use jiff::ZonedDateTime;

/// The conversation, in its dialect.
pub enum Dialect {
    /// Plain lines.
    Plain(PlainLines),
    /// IRC.
    Irc(Box<IrcSession>),
}

impl Dialect {
    /// The connection is established.
    pub fn connected(&mut self, now: &ZonedDateTime) {
        if let Dialect::Irc(session) = self {
            session.connected(now.timestamp());
        }
    }

    /// The items to show for a line from the server.
    pub fn received(&mut self, line: &[u8], now: &ZonedDateTime) -> Vec<DisplayItem> {
        match self {
            Dialect::Plain(lines) => lines.received(line),
            Dialect::Irc(session) => {
                session.heard(line, now.timestamp());
                session.take_shown()
            }
        }
    }

    /// Whether these lines can be sent now.
    ///
    /// # Errors
    /// The reason, as a message.
    pub fn can_send(&self, lines: &[String]) -> Result<(), String> {
        match self {
            // Its commands are not known here; a chatloop server holds back more.
            Dialect::Plain(_) => {
                let is_indented = |line: &String| line.starts_with(char::is_whitespace);
                let is_hidden = |line: &&String| {
                    is_indented(line) && secrets::begins(line, Forms::Plain).is_some()
                };
                lines.iter().find(is_hidden).map_or(Ok(()), |_| {
                    Err("not sent: a command with a password must begin its line".to_owned())
                })
            }
            Dialect::Irc(session) => session.can_send(lines),
        }
    }

    /// Typed or pasted lines, in the parts that are one message each.
    pub fn parts<'l>(&self, lines: &'l [String]) -> std::slice::Chunks<'l, String> {
        match self {
            Dialect::Plain(_) => lines.chunks(1),
            Dialect::Irc(_) => lines.chunks(lines.len().max(1)),
        }
    }

    /// Sends a part: the bytes, and the items to show.
    pub fn send(&mut self, part: &[String], now: &ZonedDateTime) -> (Vec<u8>, Vec<DisplayItem>) {
        match self {
            Dialect::Plain(_) => ([part.concat().as_bytes(), b"\n"].concat(), Vec::new()),
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

    /// Whether a line that was just sent quits.
    pub fn is_quit(&self, line: &str) -> bool {
        match self {
            Dialect::Plain(_) => is_quit(line.as_bytes()),
            Dialect::Irc(session) => session.has_quit(),
        }
    }

    /// The session, if this is IRC.
    pub fn irc(&mut self) -> Option<&mut IrcSession> {
        match self {
            Dialect::Plain(_) => None,
            Dialect::Irc(session) => Some(session),
        }
    }

    /// The account whose password the person is asked for.
    pub fn asked_account(&self) -> Option<&str> {
        match self {
            Dialect::Plain(_) => None,
            Dialect::Irc(session) => session.asked_account(),
        }
    }

    /// The user's nick; empty if unknown.
    pub fn nick(&self) -> &str {
        match self {
            Dialect::Plain(_) => "",
            Dialect::Irc(session) => session.nick(),
        }
    }

    /// The room that messages go to, if known.
    pub fn room(&self) -> Option<&str> {
        match self {
            Dialect::Plain(_) => None,
            Dialect::Irc(session) => session.room(),
        }
    }

    /// The completions offered.
    pub fn vocabulary(&self) -> &Vocabulary {
        match self {
            Dialect::Plain(lines) => lines.vocabulary(),
            Dialect::Irc(session) => &session.vocabulary,
        }
    }

    pub fn shows_numbers(&self) -> bool {
        match self {
            Dialect::Plain(_) => false,
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

#[cfg(test)]
mod tests {
    use super::super::options::Bell;
    use super::*;

    #[test]
    fn a_plain_line_whose_password_the_screen_hides_is_not_sent_as_text() {
        let plain = Dialect::Plain(PlainLines::new(Bell::Off));
        let can_send = |line: &str| plain.can_send(&[line.to_owned()]);
        assert!(can_send(" /login alice correct-horse").is_err());
        for line in ["/login alice correct-horse", " /usr/bin", "login alice"] {
            assert_eq!(can_send(line), Ok(()), "{line}");
        }
    }
}
