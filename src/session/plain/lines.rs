//! The writer of plain lines: how a line begins and ends in either style, and the only way in for a
//! text.

use super::{Style, Theme};
use crate::chat::{Identity, Kind, Quoted};
use crate::wire::clean::clean_text;
use crate::wire::irc::format::stripped;
use std::io::Write;

pub(super) const BLUE: &str = "\x1b[34;1m";
pub(super) const RED: &str = "\x1b[31;1m";
pub(super) const PURPLE: &str = "\x1b[35;1m";
pub(super) const GREEN: &str = "\x1b[32m";
const RESET: &str = "\x1b[0m";

/// Characters of a message that a reply to it repeats.
const EXCERPT: usize = 30;

/// The nick; in classic style address and port until a user chooses one.
pub(super) fn label(theme: Theme, who: &Identity) -> &str {
    if theme.style == Style::Classic && !who.named { &who.label } else { who.nick.as_str() }
}

/// Writes plain lines. What goes in unchanged is `&'static str`, the server's own; every other text
/// is made harmless on the way, because an IRC client, an import or an older server may have
/// written it. So a new event cannot forget to.
pub(super) struct LineWriter<'o> {
    theme: Theme,
    out: &'o mut Vec<u8>,
}

impl<'o> LineWriter<'o> {
    pub(super) fn new(theme: Theme, out: &'o mut Vec<u8>) -> LineWriter<'o> {
        LineWriter { theme, out }
    }

    pub(super) fn begin(&mut self, colour: &'static str) {
        if self.theme.style == Style::Classic {
            self.fixed("\r");
            self.fixed(colour);
        }
    }

    pub(super) fn end(&mut self) {
        self.fixed("\n");
        self.fixed(if self.theme.style == Style::Classic { RESET } else { "" });
    }

    /// Adds a text of the program itself.
    pub(super) fn fixed(&mut self, text: &'static str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Adds any other text, made harmless: one line, no control character, without IRC's formatting.
    pub(super) fn text(&mut self, text: &str) {
        self.out.extend_from_slice(clean_text(&stripped(text)).as_bytes());
    }

    pub(super) fn number(&mut self, number: u64) {
        // Writing to a Vec cannot fail.
        let _ = write!(self.out, "{number}");
    }

    /// Adds a line from the server.
    pub(super) fn notice(&mut self, colour: &'static str, text: &str) {
        self.begin(colour);
        self.fixed(if self.theme.style == Style::Plain { "* " } else { "" });
        self.text(text);
        self.end();
    }

    /// Adds what follows the sender of a message, from the closing bracket on.
    pub(super) fn body(&mut self, kind: Kind, reply: Option<&Quoted>, text: &str) {
        self.fixed(match kind {
            Kind::Message => "]: ",
            Kind::Action => "] ",
            Kind::Notice => "] (notice): ",
        });
        if let Some(reply) = reply {
            self.fixed("re ");
            self.number(reply.number);
            self.fixed(" <");
            self.text(reply.from.as_str());
            self.fixed(">");
            if let Some(quoted) = &reply.text {
                let end = quoted.char_indices().nth(EXCERPT).map_or(quoted.len(), |(end, _)| end);
                self.fixed(" ");
                self.text(&quoted[..end]);
                self.fixed(if end < quoted.len() { "…" } else { "" });
            }
            self.fixed(": ");
        }
        // What IRC clients ask each other (CTCP), between two \x01.
        match text.strip_prefix('\x01') {
            Some(request) => {
                self.fixed("(CTCP) ");
                self.text(request.trim_end_matches('\x01'));
            }
            None => self.text(text),
        }
    }
}
