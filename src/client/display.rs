//! What is to be shown, before it has a form: a person's screen and a script's output give it one.
//!
//! A plain server's line is shown as it came, so it stays a line; what an IRC server says comes in
//! fields.

use super::Notice;
use crate::wire::clean::clean;
use jiff::Timestamp;

/// What is to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DisplayItem {
    /// A plain server's line, or one that is no IRC; not harmless yet.
    Line(Vec<u8>),
    /// A message, new or from the history.
    Message(Box<Incoming>),
    /// The server's words, or what happens there; one harmless line.
    ServerText(String),
    /// The client's own words.
    Notice(Notice),
    /// The bell.
    Bell,
}

/// How a message is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageKind {
    /// As text.
    Message,
    /// As what somebody does: `/me`.
    Action,
    /// As text that no program answers.
    Notice,
}

impl MessageKind {
    /// What stands between the nick and the text.
    pub fn between(self) -> &'static str {
        match self {
            MessageKind::Message => "]: ",
            MessageKind::Action => "] ",
            MessageKind::Notice => "] (notice): ",
        }
    }
}

/// A message as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incoming {
    /// It comes from the history.
    pub past: bool,
    /// When it was sent, if the server tells.
    pub time: Option<Timestamp>,
    /// `None` for a direct message.
    pub room: Option<String>,
    /// The sender; of this person's own direct message, the recipient.
    pub nick: String,
    /// A direct message by this person.
    pub own: bool,
    pub kind: MessageKind,
    /// The number that commands name it by.
    pub number: Option<u64>,
    /// The server's msgid.
    pub id: Option<String>,
    /// The sender's account.
    pub account: Option<String>,
    /// The message it replies to.
    pub reply: Option<Quoted>,
    /// It mentions this person.
    pub mention: bool,
    /// Harmless; lines are separated by newlines.
    pub text: String,
}

/// A message that another one answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quoted {
    /// The server's msgid.
    pub id: String,
    /// Its number, sender and beginning, if it was received here.
    pub known: Option<(u64, String, String)>,
}

impl Incoming {
    /// What a reply begins with: `re 17 <alice> tea or coffee?: `; empty for all others.
    pub fn reply_prefix(&self) -> String {
        match self.reply.as_ref().map(|reply| &reply.known) {
            Some(Some((number, nick, text))) => format!("re {number} <{nick}> {text}: "),
            Some(None) => "re …: ".to_owned(),
            None => String::new(),
        }
    }
}

impl DisplayItem {
    /// The server's words, made harmless.
    pub fn server_text(text: impl AsRef<str>) -> DisplayItem {
        DisplayItem::ServerText(clean(text.as_ref().as_bytes()).into_owned())
    }

    /// The client's own words.
    pub fn note(text: impl AsRef<str>) -> DisplayItem {
        DisplayItem::Notice(Notice::note(clean(text.as_ref().as_bytes())))
    }

    /// The client's own words about something that went wrong.
    pub fn error(text: impl AsRef<str>) -> DisplayItem {
        DisplayItem::Notice(Notice::error(clean(text.as_ref().as_bytes())))
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
