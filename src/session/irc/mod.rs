//! The dialect of IRC clients: the Modern IRC Client Protocol, and IRCv3's capabilities.
//!
//! Lines become [`Action`]s for whoever runs the connection, and answers that need nobody else.
//! Events become lines in two ways: what many hear is rendered once for each [`RenderCaps`] and shared
//! ([`render()`]); what one alone hears, because it names them or answers them, is written by their
//! [`Session::tell`].
//!
//! | file | question |
//! |---|---|
//! | `commands` | which commands are there? One table |
//! | `registration`, `capabilities` | how does a client come in? |
//! | `sasl`, `scram`, `account` | how does it prove an account, or make one? |
//! | `channel`, `modes`, `messages` | what can be done in a channel, and said? |
//! | `multiline` | how is one message of several lines said? |
//! | `history` | what was said before? |
//! | `people`, `about`, `operator` | what can be asked of people, of the server; what may operators? |
//! | `desk` | who watches for whom, who was here before? |
//! | `metadata`, `subscriptions` | what is said of people and channels for programs; who follows it? |
//! | `read_marker` | how far has somebody read? |
//! | `own`, `refusals`, `label` | how is one client told what became of its wish? |
//! | `render`, `pen` | how do lines look? |
//! | `settings` | what is the server called, and what does it announce of itself? |
//!
//! Deliberately absent: links to other servers, services with nicks of their own (accounts are
//! the chat's), and channel modes that nobody here needs.

mod about;
mod account;
mod capabilities;
mod channel;
mod commands;
mod desk;
mod history;
mod label;
mod messages;
mod metadata;
mod modes;
mod multiline;
mod operator;
mod own;
mod pen;
mod people;
mod read_marker;
mod refusals;
mod registration;
mod render;
mod sasl;
mod scram;
mod settings;
mod subscriptions;
#[cfg(test)]
mod tests;

pub use capabilities::Caps;
pub use desk::Desk;
pub use render::render;
pub use settings::Settings;

use super::{Action, Body, Frame, Proof};
use crate::chat::{Command, Hub, Moment, Name, SessionId, Stamp};
use crate::wire::irc::{Framer, Limits, Message, ParseError, Step};
use label::Label;
use pen::Pen;
use registration::Door;
use sasl::Sasl;

/// How lines look for one peer: the capabilities that change them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RenderCaps(Caps);

impl RenderCaps {
    /// The capabilities, those that change lines alone.
    pub fn caps(self) -> Caps {
        self.0
    }
}

/// What a session may look at while it understands a line or is told something.
pub struct View<'a> {
    /// The chat.
    pub hub: &'a Hub,
    /// What the server is called, and the like.
    pub settings: &'a Settings,
    /// What this dialect remembers of everyone.
    pub desk: &'a mut Desk,
    /// Whose session it is.
    pub me: SessionId,
    /// Now.
    pub now: Moment,
    /// Which of the things that follow from a record is being told, if one is.
    pub stamp: Option<Stamp>,
}

/// One peer's side of the conversation.
pub struct Session {
    framer: Framer,
    caps: Caps,
    /// The version of `CAP LS`, 0 before any.
    version: u16,
    /// The command that is being carried out.
    command: &'static str,
    /// What it is about, for answers that repeat it.
    subject: Option<Box<[String]>>,
    /// The label that answers to it are to bear.
    label: Option<Box<Label>>,
    /// What it has said of itself until it is in.
    door: Option<Box<Door>>,
    sasl: Option<Box<Sasl>>,
    /// The message of several lines that it is sending.
    batch: Option<Box<multiline::Open>>,
    /// Whether somebody is going to look how old that is.
    batch_watched: bool,
    /// The keys of metadata that it follows.
    subscriptions: Vec<String>,
}

/// A command on its way through the table.
struct Context<'a, 'v> {
    session: &'a mut Session,
    view: &'a mut View<'v>,
    out: &'a mut Vec<u8>,
    actions: &'a mut Vec<Action>,
}

impl Default for Session {
    fn default() -> Session {
        Session::new()
    }
}

impl Session {
    /// A peer that has said nothing yet.
    pub fn new() -> Session {
        Session {
            framer: Framer::new(Limits::FROM_CLIENT),
            caps: Caps::NONE,
            version: 0,
            command: "",
            subject: None,
            label: None,
            door: Some(Box::default()),
            sasl: None,
            batch: None,
            batch_watched: false,
            subscriptions: Vec::new(),
        }
    }

    /// How it wants lines that many hear.
    pub fn look(&self) -> RenderCaps {
        let caps = self.caps.changing_lines();
        // What depends on batches is nothing without them.
        RenderCaps(if self.caps.multiline() { caps } else { caps.without(Caps::MULTILINE) })
    }

    /// The next line of `input`.
    pub(super) fn next<'i>(&mut self, input: &'i [u8]) -> Frame<'i> {
        match self.framer.next(input) {
            Step::Incomplete { used } => Frame { used, pipelined: true, body: None },
            Step::Line { bytes, used } => Frame {
                used,
                pipelined: self.may_follow_words(bytes),
                body: Some(Body::Line(bytes)),
            },
            Step::TooLong { tags, used, .. } => {
                let label = tags.get("label").map(|label| label.into_owned());
                Frame { used, pipelined: false, body: Some(Body::TooLong(label)) }
            }
        }
    }

    /// Lets `write` add lines to `out`; those that answer a labelled command are gathered until
    /// the command is done.
    pub(super) fn answering<R>(
        &mut self,
        answers: bool,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Session, &mut Vec<u8>) -> R,
    ) -> R {
        let start = out.len();
        let result = write(self, out);
        if answers && self.gather(&out[start..]).is_none() {
            out.truncate(start);
        }
        result
    }

    /// Whether a line may be understood while words of this peer wait for the journal: words
    /// whose answer, if there is one, can only be an error. Not behind words with a label: the
    /// error would bear it.
    fn may_follow_words(&self, line: &[u8]) -> bool {
        let word = |word: &[u8]| {
            line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let answered = self.caps.has(Caps::ECHO_MESSAGE) || self.label.is_some();
        !answered && (word(b"PRIVMSG #") || word(b"NOTICE #"))
    }

    /// Whether it is to be told what it has said itself.
    pub fn hears_itself(&self) -> bool {
        self.caps.has(Caps::ECHO_MESSAGE)
    }

    /// Whether it is shown the last lines of a room that it enters: it does not ask for them by
    /// itself (draft/chathistory), and can tell them from today's (server-time).
    pub fn is_played_back(&self) -> bool {
        self.caps.has(Caps::SERVER_TIME) && !self.caps.has(Caps::CHATHISTORY)
    }

    /// Whether the command in hand bears a label.
    pub fn has_label(&self) -> bool {
        self.label.is_some()
    }

    /// Whether it has come in.
    pub fn is_in(&self) -> bool {
        self.door.is_none()
    }

    /// Understands one line without its end. Answers go to `out`, wishes to `actions`. The answers
    /// end with [`Session::finish`].
    pub fn take(
        &mut self,
        line: &[u8],
        view: &mut View<'_>,
        out: &mut Vec<u8>,
        actions: &mut Vec<Action>,
    ) {
        match Message::parse(line) {
            Ok(message) => {
                let labelled = self.caps.has(Caps::LABELED_RESPONSE);
                if let Some(label) = message.tags.get("label").filter(|_| labelled) {
                    self.label = Some(Label::new(&label));
                }
                let gathered = multiline::takes(self, &message);
                let mut context = Context { session: self, view, out, actions };
                if gathered {
                    multiline::line(&mut context, &message);
                } else {
                    commands::run(&mut context, &message);
                }
            }
            Err(ParseError::NotUtf8 { tags, command }) => {
                let labelled = self.caps.has(Caps::LABELED_RESPONSE);
                if let Some(label) = tags.get("label").filter(|_| labelled) {
                    self.label = Some(Label::new(&label));
                }
                let command = command.unwrap_or("*").to_ascii_uppercase();
                let text = "Your line is not UTF-8 and was not sent";
                self.pen(view, out).fail(&command, "INVALID_UTF8", &[], text);
            }
            Err(ParseError::Empty | ParseError::NoCommand | ParseError::ForbiddenByte) => {}
        }
    }

    /// A line was over the limit.
    pub fn too_long(&mut self, label: Option<&str>, view: &mut View<'_>, out: &mut Vec<u8>) {
        if let Some(label) = label.filter(|_| self.caps.has(Caps::LABELED_RESPONSE)) {
            self.label = Some(Label::new(label));
        }
        let numeric = crate::wire::irc::numeric::ERR_INPUTTOOLONG;
        self.pen(view, out).numeric(numeric, &[], "Input line was too long");
    }

    /// Something the server says to this peer alone.
    pub fn notice(&self, text: &str, view: &View<'_>, out: &mut Vec<u8>) {
        self.pen(view, out).notice(text);
    }

    /// The last line of a connection.
    pub fn error(text: &str, out: &mut Vec<u8>) {
        use crate::wire::irc::LineWriter;
        let text = format!("Closing link: ({text})");
        let _ = LineWriter::new(out, Limits::FROM_SERVER).command("ERROR").trailing(&text).end();
    }

    fn pen<'o>(&self, view: &View<'o>, out: &'o mut Vec<u8>) -> Pen<'o> {
        Pen { server: &view.settings.name, nick: self.nick(view), caps: self.caps, out }
    }

    /// What the peer is called: `*` before it has a nick.
    fn nick(&self, view: &View<'_>) -> Name {
        if let Some(user) = view.hub.user(view.me) {
            return user.identity.nick.clone();
        }
        self.door.as_ref().and_then(|door| door.nick.clone()).unwrap_or_else(|| Name::new("*"))
    }
}

impl<'v> Context<'_, 'v> {
    fn pen(&mut self) -> Pen<'_> {
        Pen {
            server: &self.view.settings.name,
            nick: self.session.nick(self.view),
            caps: self.session.caps,
            out: self.out,
        }
    }

    fn run(&mut self, command: Command) {
        self.actions.push(Action::Do(command));
    }

    /// Who the peer is. It is in: the table has looked.
    fn user(&self) -> Option<&'v crate::chat::User> {
        self.view.hub.user(self.view.me)
    }
}
