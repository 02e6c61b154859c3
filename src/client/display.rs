//! Items to show, before the screen or a script's output renders them.
//!
//! A plain-text server's line is shown as received, so it stays a line; an IRC server's messages
//! have fields.

use super::Notice;
use jiff::Timestamp;
use serde::Serialize;

/// An item to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DisplayItem {
    /// A plain-text server's line, or one that is not IRC; not sanitised yet.
    Line(Vec<u8>),
    /// A message, new or from the history.
    Message(Box<Incoming>),
    /// A message from the server; one sanitised line.
    ServerText(String),
    /// A term and what it means: two columns, where there is room for them.
    Row(&'static str, &'static str),
    /// What happened, apart from messages.
    Event(Box<Event>),
    /// A clear screen.
    Clear,
    /// A notice of the client.
    Notice(Notice),
    /// The bell.
    Bell,
}

/// What happened. Its fields are harmless.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub kind: EventKind,
    pub room: Option<String>,
    /// Who did it; empty if no user did.
    pub nick: String,
    /// To whom or what: a nick, or the id of a message; else empty.
    pub target: String,
    /// The reason, topic, modes or new text; else empty.
    pub text: String,
    /// All of it in a sentence.
    pub shown: String,
}

impl Event {
    /// An event without a target or a text.
    pub fn new(kind: EventKind, room: Option<&str>, nick: &str, shown: String) -> Event {
        let (room, nick) = (room.map(str::to_owned), nick.to_owned());
        Event { kind, room, nick, target: String::new(), text: String::new(), shown }
    }

    pub fn to(self, target: &str) -> Event {
        Event { target: target.to_owned(), ..self }
    }

    pub fn with_text(self, text: &str) -> Event {
        Event { text: text.to_owned(), ..self }
    }
}

/// The kind of an event; programs get it by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    Join,
    Part,
    Quit,
    Nick,
    Topic,
    Mode,
    Kick,
    Reaction,
    Delete,
    Edit,
    Away,
    Error,
}

impl EventKind {
    /// Whether it only tells who is there.
    pub fn is_presence(self) -> bool {
        matches!(self, EventKind::Join | EventKind::Part | EventKind::Quit | EventKind::Away)
    }

    /// What the users did, for those that are present or not.
    pub fn past(self) -> &'static str {
        match self {
            EventKind::Join => "joined",
            EventKind::Part => "left",
            EventKind::Quit => "quit",
            _ => "away or back",
        }
    }
}

/// The kind of a message; programs get it by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
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
    /// A message from the user.
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
    /// Its number if it has one, sender and beginning, if it was received here.
    pub known: Option<(Option<u64>, String, String)>,
}

impl Incoming {
    /// The prefix of a reply: `re 17 <alice> tea or coffee?: `; empty for other messages.
    pub fn reply_prefix(&self) -> String {
        match self.reply.as_ref().map(|reply| &reply.known) {
            Some(Some((Some(number), nick, text))) => format!("re {number} <{nick}> {text}: "),
            Some(Some((None, nick, text))) => format!("re <{nick}> {text}: "),
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
