//! The dialect of IRC clients: the Modern IRC Client Protocol, and IRCv3's capabilities.
//!
//! Lines become [`Action`]s for whoever runs the connection, and answers that need nobody else.
//! Events become lines in two ways: what many hear is rendered once for each [`RenderCaps`] and shared
//! ([`render()`]); what one alone hears, because it names them or answers them, is written by their
//! [`Session::tell`].
//!
//! | file | subject |
//! |---|---|
//! | `commands` | which commands are there? One table |
//! | `registration`, `capabilities` | how does a client come in? |
//! | `sasl`, `scram`, `account` | how does it prove an account, or make one? |
//! | `channel`, `modes`, `messages` | what can be done in a channel, and said? |
//! | `multiline` | how is one message of several lines said? |
//! | `history` | what was said before? |
//! | `people`, `about`, `operator` | what can be asked of people, of the server; what may operators? |
//! | `monitor`, `whowas`, `counts` | who watches for whom, who was here before, how many? |
//! | `metadata`, `subscriptions` | what is said of people and channels for programs; who follows it? |
//! | `read_marker` | how far has somebody read? |
//! | `own`, `refusals`, `label` | how is one client told what became of its wish? |
//! | `render`, `reply` | how do lines look? |
//! | `settings` | what is the server called, and what does it announce of itself? |
//!
//! Deliberately absent: links to other servers, services with nicks of their own (accounts are
//! the chat's), and channel modes that nobody here needs.

mod about;
mod account;
mod capabilities;
mod channel;
mod commands;
mod counts;
mod fields;
mod history;
mod label;
mod lookup;
mod messages;
mod metadata;
mod metadata_lines;
mod mode_letters;
mod modes;
mod monitor;
mod multiline;
mod operator;
mod people;
mod pieces;
mod read_marker;
mod refusals;
mod registration;
mod render;
mod replies;
mod reply;
mod sasl;
mod scram;
mod settings;
mod subscriptions;
#[cfg(test)]
mod tests;
mod whowas;

pub use capabilities::Caps;
pub use counts::UserCounts;
pub use monitor::MonitorList;
pub use render::render;
pub use reply::Replies;
pub use settings::Settings;
pub use whowas::Whowas;

use super::action::{Action, Proof};
use super::frame::{Body, Frame};
use crate::chat::{Command, Hub, Moment, Name, SessionId, Stamp, User};
use crate::wire::frame::{Framer, LineKind, Step};
use crate::wire::irc::{Limits, Message, Numeric, ParseError, numeric};
use label::Label;
use registration::Door;
use reply::ReplyWriter;
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
    /// Changed by MONITOR.
    pub monitors: &'a mut MonitorList,
    /// Read by WHOWAS.
    pub whowas: &'a Whowas,
    /// Changed as clients register, read by LUSERS.
    pub counts: &'a mut UserCounts,
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
    /// How many labelled responses there were: names their batches.
    labels: u32,
    /// What it has said of itself until it is in.
    door: Option<Box<Door>>,
    sasl: Option<Box<Sasl>>,
    /// The message of several lines that it is sending.
    batch: Option<Box<multiline::Batch>>,
    /// Whether somebody is going to look how old that is.
    batch_watched: bool,
    /// The keys of metadata that it follows.
    subscriptions: Vec<String>,
}

/// A command on its way through the table.
struct Context<'a, 'v> {
    session: &'a mut Session,
    view: &'a mut View<'v>,
    out: &'a mut Replies,
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
            framer: Framer::default(),
            caps: Caps::NONE,
            version: 0,
            command: "",
            subject: None,
            label: None,
            labels: 0,
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
        match self.framer.next(input, LineKind::Irc(Limits::FROM_CLIENT)) {
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

    /// Lets `write` add lines to `out`; replies to a labelled command are collected until the
    /// command is done.
    pub(super) fn answering<R>(
        &mut self,
        answers: bool,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Session, &mut Replies) -> R,
    ) -> R {
        let mut replies = Replies::default();
        let result = write(self, &mut replies);
        if answers {
            self.collect(&mut replies);
        }
        out.extend_from_slice(replies.bytes());
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
        out: &mut Replies,
        actions: &mut Vec<Action>,
    ) {
        self.framer.taken(false);
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
                self.reply(view, out).fail(&command, "INVALID_UTF8", &[], text);
            }
            Err(ParseError::Empty | ParseError::NoCommand | ParseError::ForbiddenByte) => {}
        }
    }

    /// A line was over the limit.
    pub fn too_long(&mut self, label: Option<&str>, view: &mut View<'_>, out: &mut Replies) {
        self.framer.taken(true);
        if let Some(label) = label.filter(|_| self.caps.has(Caps::LABELED_RESPONSE)) {
            self.label = Some(Label::new(label));
        }
        self.reply(view, out).numeric(numeric::ERR_INPUTTOOLONG, &[]);
    }

    /// Something the server says to this peer alone.
    pub fn notice(&self, text: &str, view: &View<'_>, out: &mut Replies) {
        self.reply(view, out).notice(text);
    }

    /// The last line of a connection.
    pub fn error(text: &str, out: &mut Replies) {
        let text = format!("Closing link: ({text})");
        let _ = out.lines().line().command("ERROR").trailing(&text).end();
    }

    /// Takes replies to the command in progress, if it is labelled; the rest is to be sent now.
    pub fn collect(&mut self, replies: &mut Replies) {
        if let Some(label) = &mut self.label {
            label.collect(replies);
        }
    }

    /// The command in progress is done: writes its labelled response.
    pub fn finish(&mut self, view: &View<'_>, out: &mut Replies) {
        if let Some(label) = self.label.take() {
            self.labels = self.labels.wrapping_add(1);
            let reference = format!("l{}", self.labels);
            *out = Replies::from_bytes(label.finish(&reference, &view.settings.name, self.caps));
        }
    }

    fn reply<'o>(&self, view: &View<'o>, out: &'o mut Replies) -> ReplyWriter<'o> {
        ReplyWriter {
            server: &view.settings.name,
            nick: self.nick(view),
            caps: self.caps,
            lines: out.lines(),
        }
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
    fn reply(&mut self) -> ReplyWriter<'_> {
        ReplyWriter {
            server: &self.view.settings.name,
            nick: self.session.nick(self.view),
            caps: self.session.caps,
            lines: self.out.lines(),
        }
    }

    /// Replies with a numeric and its usual text.
    fn numeric(&mut self, numeric: Numeric, words: &[&str]) {
        self.reply().numeric(numeric, words);
    }

    /// Replies with a FAIL of the command in progress.
    fn fail(&mut self, code: &str, words: &[&str], text: &str) {
        let command = self.session.command;
        self.reply().fail(command, code, words, text);
    }

    /// The command in progress lacks a parameter.
    fn need_more(&mut self) {
        let command = self.session.command;
        self.numeric(numeric::ERR_NEEDMOREPARAMS, &[command]);
    }

    fn is_operator(&self) -> bool {
        self.user().is_some_and(User::is_operator)
    }

    fn run(&mut self, command: Command) {
        self.actions.push(Action::Do(command));
    }

    /// Who the peer is. It is in: the table has looked.
    fn user(&self) -> Option<&'v User> {
        self.view.hub.user(self.view.me)
    }
}
