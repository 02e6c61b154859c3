//! A conversation in plain lines, for `--plain`: the other dialect is [`irc`](super::irc).
//!
//! Lines are shown as received, after sanitising, and sent as typed. Nothing is sent that was not
//! typed. It works with every line-based server because it assumes nothing about any of them,
//! except for two common conventions: a name in brackets in front of a line, which is coloured and
//! offered to Tab, and a leading BEL, which rings.
//!
//! Rejected: parsing a server's sentences to find out the user's nick and room, in order to rejoin
//! after a lost connection and to fetch missed messages. Every sentence of a server would then be
//! an interface. IRC has replies for that, so IRC is the protocol that catches up.

use super::complete::Vocabulary;
use super::display::DisplayItem;
use super::options::Bell;
use super::secrets::{self, Forms};

/// Bytes of a name in brackets.
const MAX_NAME: usize = 64;

const QUIT: &[u8] = b"/quit";

/// One server's lines, over all connections to it.
pub struct PlainLines {
    /// The completions offered.
    pub vocabulary: Vocabulary,
    rings: bool,
}

impl PlainLines {
    /// A new conversation.
    pub fn new(bell: Bell) -> PlainLines {
        PlainLines { vocabulary: Vocabulary::default(), rings: bell != Bell::Off }
    }

    /// The items to show for a line from the server.
    pub fn received(&mut self, line: &[u8]) -> Vec<DisplayItem> {
        let bare = line.strip_prefix(b"\x07");
        let mut shown = Vec::new();
        if bare.is_some() && self.rings {
            shown.push(DisplayItem::Bell);
        }
        let line = bare.unwrap_or(line);
        if let Some(name) = std::str::from_utf8(line).ok().and_then(bracketed) {
            self.vocabulary.spoke(name);
        }
        shown.push(DisplayItem::Line(line.to_owned()));
        shown
    }
}

/// The name in brackets that a line begins with: `alice` of `[alice]: hi`.
pub fn bracketed(line: &str) -> Option<&str> {
    let end = line.bytes().take(MAX_NAME).position(|byte| byte == b']')?;
    let name = line.strip_prefix('[')?.get(..end.checked_sub(1)?)?;
    (!name.is_empty()).then_some(name)
}

/// Whether a line is `/quit`, with or without a reason. After that, the server is expected to close
/// the connection.
pub fn is_quit(line: &[u8]) -> bool {
    line.strip_prefix(QUIT).is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

/// Whether typed lines can be sent. A server's commands are not known here, but a line whose password
/// the screen hides must not go out as text; a chatloop server holds back more.
///
/// # Errors
/// The reason, as a message.
pub fn can_send(lines: &[String]) -> Result<(), String> {
    let is_hidden = |line: &String| {
        line.starts_with(char::is_whitespace) && secrets::begins(line, Forms::Plain).is_some()
    };
    match lines.iter().any(is_hidden) {
        true => Err("not sent: a command with a password must begin its line".to_owned()),
        false => Ok(()),
    }
}

/// Follows a script's bytes, to know whether they end in the middle of a line and whether the last
/// line was `/quit`.
#[derive(Debug, Default)]
pub struct SentLines {
    /// The beginning of the current line, as much as matters.
    start: Vec<u8>,
    pub inside_line: bool,
    pub quit: bool,
}

impl SentLines {
    /// These bytes are sent.
    pub fn follow(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                self.quit = is_quit(&self.start);
                self.start.clear();
            } else if self.start.len() <= QUIT.len() {
                self.start.push(byte);
            }
            self.inside_line = byte != b'\n';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quit_is_recognised_in_any_pieces() {
        for (pieces, quit, inside) in [
            (&["/quit\n"][..], true, false),
            (&["hello\n/qu", "it bye\r\n"], true, false),
            (&["/quit\r\n"], true, false),
            (&["/quitter\n"], false, false),
            (&["/quit"], false, true),
            (&["/quit\nno\n"], false, false),
            (&["say /quit\n"], false, false),
        ] {
            let mut sent = SentLines::default();
            pieces.iter().for_each(|piece| sent.follow(piece.as_bytes()));
            assert_eq!((sent.quit, sent.inside_line), (quit, inside), "{pieces:?}");
        }
    }

    #[test]
    fn a_plain_line_whose_password_the_screen_hides_is_not_sent_as_text() {
        let can_send = |line: &str| can_send(&[line.to_owned()]);
        assert!(can_send(" /login alice correct-horse").is_err());
        for line in ["/login alice correct-horse", " /usr/bin", "login alice"] {
            assert_eq!(can_send(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn names_are_learnt_and_a_bell_rings_unless_it_is_off() {
        let mut lines = PlainLines::new(Bell::Mention);
        let line = DisplayItem::Line(b"[alice]: hi".to_vec());
        assert_eq!(lines.received(b"\x07[alice]: hi"), [DisplayItem::Bell, line.clone()]);
        let offered = lines.vocabulary.complete("al", 2, "");
        assert!(matches!(offered, super::super::complete::Completion::Words { .. }));
        assert_eq!(PlainLines::new(Bell::Off).received(b"\x07[alice]: hi"), [line]);
    }

    #[test]
    fn brackets_hold_a_name_or_nothing() {
        for (line, name) in [
            ("[alice]: hi", Some("alice")),
            ("[127.0.0.1:5] hi", Some("127.0.0.1:5")),
            ("[]: hi", None),
            ("]alice[", None),
            ("[alice", None),
            ("alice]", None),
        ] {
            assert_eq!(bracketed(line), name, "{line}");
        }
    }
}
