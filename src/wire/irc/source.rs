//! The source of a message: a server, or a nick with user and host. Modern IRC "Source", RFC 1459
//! §2.3.1.
//!
//! A source that is one word can be a server or a nick: the grammar does not distinguish them, and
//! the dot that server names usually contain is only a convention. So there is one type with a
//! `name`, not an enum of two guesses.

use std::fmt;

/// The sender of a message in parts: `name[!user][@host]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Source<'a> {
    /// The nick, or a server's name.
    pub name: &'a str,
    /// The part after the first `!`.
    pub user: Option<&'a str>,
    /// The part after the first `@` that follows.
    pub host: Option<&'a str>,
}

impl<'a> Source<'a> {
    /// Takes it apart. Every text is some source; the first `!` and the first `@` after the name
    /// decide, and a `!` after the `@` belongs to the host.
    pub fn parse(text: &'a str) -> Source<'a> {
        let (before, host) = match text.split_once('@') {
            Some((before, host)) => (before, Some(host)),
            None => (text, None),
        };
        let (name, user) = match before.split_once('!') {
            Some((name, user)) => (name, Some(user)),
            None => (before, None),
        };
        Source { name, user, host }
    }
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if let Some(user) = self.user {
            write!(f, "!{user}")?;
        }
        if let Some(host) = self.host {
            write!(f, "@{host}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_apart_and_together() {
        for (text, name, user, host) in [
            ("ada!al@127.0.0.1", "ada", Some("al"), Some("127.0.0.1")),
            ("ada!~al@localhost", "ada", Some("~al"), Some("localhost")),
            ("ada@127.0.0.1", "ada", None, Some("127.0.0.1")),
            ("ada!al", "ada", Some("al"), None),
            ("irc.example.org", "irc.example.org", None, None),
            ("ada!a@net\u{3}5w!x@y", "ada", Some("a"), Some("net\u{3}5w!x@y")),
            ("!@", "", Some(""), Some("")),
            ("", "", None, None),
        ] {
            let source = Source::parse(text);
            assert_eq!(source, Source { name, user, host }, "{text:?}");
            assert_eq!(source.to_string(), text);
        }
    }
}
