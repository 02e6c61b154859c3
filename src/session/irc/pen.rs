//! How does one line to one client look?

use super::Caps;
use crate::chat::{Identity, Moment, Name};
use crate::wire::irc::{Limits, LineWriter, Numeric};
use std::borrow::Cow;

/// Writes lines to one client.
pub(super) struct Pen<'a> {
    pub(super) server: &'a str,
    /// The client's nick, or `*`.
    pub(super) nick: Name,
    pub(super) caps: Caps,
    pub(super) out: &'a mut Vec<u8>,
}

impl Pen<'_> {
    /// A numeric with words and a text at the end.
    pub(super) fn numeric(&mut self, numeric: Numeric, words: &[&str], text: &str) {
        let line = LineWriter::new(self.out, Limits::FROM_SERVER).source(self.server);
        let mut line = line.numeric(numeric, self.nick.as_str());
        for word in words {
            line = line.middle(word);
        }
        let _ = line.trailing(text).end();
    }

    /// A numeric of words alone.
    pub(super) fn words(&mut self, numeric: Numeric, words: &[&str]) {
        let line = LineWriter::new(self.out, Limits::FROM_SERVER).source(self.server);
        let mut line = line.numeric(numeric, self.nick.as_str());
        for word in words {
            line = line.middle(word);
        }
        let _ = line.end();
    }

    /// A numeric with a list at its end, in as many lines as it takes.
    pub(super) fn list<'t>(
        &mut self,
        numeric: Numeric,
        words: &[&str],
        separator: char,
        entries: impl IntoIterator<Item = Cow<'t, str>>,
    ) {
        let head: usize = words.iter().map(|word| word.len() + 1).sum();
        let head = self.server.len() + self.nick.as_str().len() + head + 12;
        let room = crate::wire::irc::MAX_BODY.saturating_sub(head + 2);
        let mut line = String::new();
        for entry in entries {
            if !line.is_empty() && line.len() + 1 + entry.len() > room {
                self.numeric(numeric, words, &line);
                line.clear();
            }
            if !line.is_empty() {
                line.push(separator);
            }
            line.push_str(&entry);
        }
        if !line.is_empty() {
            self.numeric(numeric, words, &line);
        }
    }

    /// A command of the server's own.
    pub(super) fn line(&mut self, command: &str, words: &[&str], text: Option<&str>) {
        let line = LineWriter::new(self.out, Limits::FROM_SERVER).source(self.server);
        let mut line = line.command(command);
        for word in words {
            line = line.middle(word);
        }
        let _ = match text {
            Some(text) => line.trailing(text).end(),
            None => line.end(),
        };
    }

    /// The server's own words.
    pub(super) fn notice(&mut self, text: &str) {
        let nick = self.nick.clone();
        self.line("NOTICE", &[nick.as_str()], Some(text));
    }

    /// A failure in IRCv3's standard form. Clients that have not asked for it can read it, too:
    /// it is a command they do not know, with a text.
    pub(super) fn fail(&mut self, command: &str, code: &str, words: &[&str], text: &str) {
        let all: Vec<&str> = [command, code].into_iter().chain(words.iter().copied()).collect();
        self.line("FAIL", &all, Some(text));
    }
}

/// Somebody's host as a word: an IPv6 address that begins with a colon would be a text.
pub(super) fn host(who: &Identity) -> Cow<'_, str> {
    let host = who.host();
    if host.starts_with(':') { format!("0{host}").into() } else { host.into() }
}

/// Somebody's real name. A plain client has none, and is shown by its nick: an empty pair of
/// parentheses is what clients would make of nothing.
pub(super) fn realname(who: &Identity) -> &str {
    who.realname.as_deref().unwrap_or(who.nick.as_str())
}

/// `2026-01-31T12:30:05.123Z`, the form of the tag `time`.
pub(super) fn timestamp(moment: Moment) -> String {
    match jiff::Timestamp::from_millisecond(moment.0) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => "1970-01-01T00:00:00.000Z".to_owned(),
    }
}

/// Seconds since 1970.
pub(super) fn seconds(moment: Moment) -> String {
    moment.0.div_euclid(1000).to_string()
}
