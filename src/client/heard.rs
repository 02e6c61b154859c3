//! What is to be shown of what a server says?
//!
//! Both dialects hand this to the same two hands: a person's screen ([`console`](super::console))
//! and a script's output ([`script`](super::script)). A plain server's line is shown as it came,
//! so it stays a line; what an IRC server says comes in fields, and gets its looks here.

use super::Notice;
use crate::wire::chatline::Kind;
use crate::wire::clean::clean;
use jiff::Timestamp;

/// What is to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// A line of a plain server.
    Line(Vec<u8>),
    /// Somebody says something, or has said it.
    Said(Box<Heard>),
    /// Words of the server, or about what happens there; one harmless line.
    Words(String),
    /// A line that was not understood.
    Raw(Vec<u8>),
    /// The client's own words.
    Notice(Notice),
    /// The bell.
    Bell,
}

/// What somebody says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    /// It was said before.
    pub past: bool,
    /// When, if the server says so.
    pub time: Option<Timestamp>,
    /// Where; `None` if it was said to one person alone.
    pub room: Option<String>,
    /// Who says it; of what was said by this person alone to another: that other one.
    pub nick: String,
    /// Said to one person alone, by this one.
    pub own: bool,
    /// How.
    pub kind: Kind,
    /// By which number it can be named.
    pub number: Option<u64>,
    /// The server's name of it.
    pub id: Option<String>,
    /// The account of who says it.
    pub account: Option<String>,
    /// What it answers.
    pub reply: Option<Quoted>,
    /// It mentions this person.
    pub mention: bool,
    /// What, harmless; lines of it are parted by newlines.
    pub text: String,
}

/// A message that another one is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quoted {
    /// The server's name of it.
    pub id: String,
    /// Its number, author and beginning, if it was heard.
    pub known: Option<(u64, String, String)>,
}

impl Heard {
    /// What an answer begins with: `re 17 <alice> tea or coffee?: `; empty for all others.
    pub fn answers(&self) -> String {
        match self.reply.as_ref().map(|reply| &reply.known) {
            Some(Some((number, nick, text))) => format!("re {number} <{nick}> {text}: "),
            Some(None) => "re …: ".to_owned(),
            None => String::new(),
        }
    }
}

impl Shown {
    /// Words, made harmless.
    pub fn words(text: impl AsRef<str>) -> Shown {
        Shown::Words(clean(text.as_ref().as_bytes()).into_owned())
    }

    /// Words of the client itself.
    pub fn note(text: impl AsRef<str>) -> Shown {
        Shown::Notice(Notice::note(clean(text.as_ref().as_bytes())))
    }

    /// The client says what went wrong.
    pub fn error(text: impl AsRef<str>) -> Shown {
        Shown::Notice(Notice::error(clean(text.as_ref().as_bytes())))
    }
}

/// Whether `text` names `nick` as a word of its own.
pub fn mentions(text: &str, nick: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    // A nick of other signs, as `[bob]`, is looked for without them.
    let nick = nick.trim_matches(|c: char| !is_part(c));
    !nick.is_empty()
        && text.split(|c: char| !is_part(c)).any(|word| word.eq_ignore_ascii_case(nick))
}

/// `1 user`, `2 users`.
pub fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
