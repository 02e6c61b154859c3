//! Items to show, before the screen or a script's output renders them.
//!
//! A plain-text server's line is shown as received, so it stays a line; an IRC server's messages
//! have fields.

use super::Notice;
use jiff::Timestamp;

/// An item to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DisplayItem {
    /// A plain-text server's line, or one that is not IRC; not sanitised yet.
    Line(Vec<u8>),
    /// A message, new or from the history.
    Message(Box<Incoming>),
    /// A message from the server, or an event; one sanitised line.
    ServerText(String),
    /// A notice of the client.
    Notice(Notice),
    /// The bell.
    Bell,
}

/// The kind of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MessageKind {
    /// As text.
    #[default]
    Message,
    /// An action: `/me`.
    Action,
    /// A notice, which programs do not reply to.
    Notice,
}

impl MessageKind {
    /// The separator between nick and text.
    pub fn between(self) -> &'static str {
        match self {
            MessageKind::Message => "]: ",
            MessageKind::Action => "] ",
            MessageKind::Notice => "] (notice): ",
        }
    }
}

/// A message as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Incoming {
    /// Whether it is history.
    pub past: bool,
    /// When it was sent, if known.
    pub time: Option<Timestamp>,
    /// `None` for a direct message.
    pub room: Option<String>,
    /// The sender; of the user's own direct message, the recipient.
    pub nick: String,
    /// A direct message from the user.
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
    /// Whether it mentions the user.
    pub mention: bool,
    /// Harmless; lines are separated by newlines.
    pub text: String,
}

/// A message that another one replies to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quoted {
    /// The server's msgid.
    pub id: String,
    /// Its number, sender and beginning, if it was received here.
    pub known: Option<(u64, String, String)>,
}

impl Incoming {
    /// The prefix of a reply: `re 17 <alice> tea or coffee?: `; empty for other messages.
    pub fn reply_prefix(&self) -> String {
        match self.reply.as_ref().map(|reply| &reply.known) {
            Some(Some((number, nick, text))) => format!("re {number} <{nick}> {text}: "),
            Some(None) => "re …: ".to_owned(),
            None => String::new(),
        }
    }
}

/// Whether `text` contains `nick` as a separate word.
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
