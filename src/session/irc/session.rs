//! The state of one IRC client, and the replies to its commands.

use super::batch::Batch;
use super::exchange::Exchange;
use super::label::Label;
use super::{Caps, RenderCaps, Replies, ReplyWriter, View};
use crate::chat::{Claim, Command, Metadata, Name, User};
use crate::session::action::Action;
use crate::session::frame::{Body, Frame};
use crate::session::http::{Framing, Received, WebSocket};
use crate::wire::frame::{Framer, LineKind, Step};
use crate::wire::irc::{Limits, Numeric, numeric};
use std::collections::VecDeque;
use std::sync::Arc;

/// The state of one client.
#[derive(Default)]
pub struct Session {
    framer: Framer,
    pub(super) caps: Caps,
    /// The version of `CAP LS`, 0 before any.
    pub(super) version: u16,
    /// The command in progress.
    pub(super) command: &'static str,
    /// What it is about, for replies that repeat it.
    pub(super) subject: Option<Box<[String]>>,
    /// Its label, with the replies so far.
    pub(super) label: Option<Box<Label>>,
    /// Its unfinished answers. Boxed: most of the time there are none.
    #[expect(clippy::box_collection, reason = "a pointer in each idle client, not four words")]
    pub(super) answers: Option<Box<VecDeque<Box<dyn Answer>>>>,
    /// The labelled responses so far, to name their batches.
    labels: u32,
    /// `None` once it has registered.
    pub(super) registration: Option<Box<Registration>>,
    pub(super) sasl: Option<Box<Exchange>>,
    /// The multiline message that it is sending.
    pub(super) batch: Option<Box<Batch>>,
    /// Whether a timer for the age of a batch is set.
    pub(super) batch_watched: bool,
    /// The metadata keys that it subscribes to.
    pub(super) subscriptions: Vec<String>,
    /// What its lines come in, if it is a browser.
    pub(in crate::session) websocket: Option<Box<WebSocket>>,
}

/// Whether a client has given the server's password.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ServerPassword {
    #[default]
    Missing,
    Wrong,
    Right,
}

/// An answer and how far it has come.
pub(super) trait Answer {
    /// Writes a line or so of the present state; whether there is more.
    fn step(&mut self, context: &mut Context<'_, '_>) -> bool;
}

/// The data of a client that has not registered yet.
#[derive(Default)]
pub(super) struct Registration {
    pub(super) nick: Option<Name>,
    /// The nick that it has asked for last, free or not.
    pub(super) wanted: Option<Name>,
    pub(super) username: Option<Arc<str>>,
    pub(super) realname: Option<Arc<str>>,
    pub(super) password: ServerPassword,
    /// Lines that came before the server's password, unanswered: the last one of each command.
    pub(super) early: Vec<(&'static str, String)>,
    /// Capabilities are being negotiated: nothing happens until `CAP END`.
    pub(super) negotiating: bool,
    /// The account it has logged in to.
    pub(super) claim: Option<Claim>,
    pub(super) metadata: Metadata,
    /// Its entry has been proposed to the journal.
    pub(super) entering: bool,
}

impl Registration {
    pub(super) fn account(&self) -> Option<&Name> {
        self.claim.as_ref().map(|claim| &claim.account)
    }

    /// Whether the client has said nothing about itself.
    pub(super) fn is_fresh(&self) -> bool {
        self.nick.is_none()
            && self.username.is_none()
            && self.claim.is_none()
            && self.early.is_empty()
    }
}

impl Session {
    /// A client that has sent nothing yet.
    pub fn new() -> Session {
        Session { registration: Some(Box::default()), ..Session::default() }
    }

    /// A client whose lines come in WebSocket messages.
    pub(in crate::session) fn over(socket: WebSocket) -> Session {
        Session { websocket: Some(Box::new(socket)), ..Session::new() }
    }

    /// What stands around each of the lines that it is sent.
    pub fn framing(&self) -> Framing {
        self.websocket.as_ref().map_or(Framing::Lines, |socket| socket.framing())
    }

    /// The memory behind a batch that has not come in full.
    pub(in crate::session) fn held(&self) -> usize {
        self.batch.as_ref().map_or(0, |batch| batch.held())
    }

    /// The capabilities under which it shares rendered lines.
    pub fn render_caps(&self) -> RenderCaps {
        RenderCaps::new(self.caps)
    }

    /// The next line of `input`.
    pub(in crate::session) fn next<'i>(&mut self, input: &'i [u8]) -> Frame<'i> {
        if self.answers.is_some() {
            return Frame { used: 0, pipelined: false, body: Some(Body::More) };
        }
        if let Some(socket) = &self.websocket {
            return socket.next(input, |start| self.may_follow_messages(start));
        }
        match self.framer.next(input, LineKind::Irc(Limits::FROM_CLIENT)) {
            Step::Incomplete { used } => Frame { used, pipelined: true, body: None },
            Step::Line { bytes, used } => Frame {
                used,
                pipelined: self.may_follow_messages(bytes),
                body: Some(Body::Line(bytes)),
            },
            Step::TooLong { tags, used, .. } => {
                let label = tags.get("label").map(|label| label.into_owned());
                Frame { used, pipelined: false, body: Some(Body::TooLong(label)) }
            }
        }
    }

    /// Takes one WebSocket frame, and the line that it may complete.
    pub(in crate::session) fn take_frame(
        &mut self,
        frame: &[u8],
        view: &mut View<'_>,
        out: &mut Vec<u8>,
        actions: &mut Vec<Action>,
    ) {
        let Some(socket) = &mut self.websocket else { return };
        let farewell = match socket.take(frame, out) {
            Received::Nothing => return,
            Received::End(text) => text,
            Received::Message(mut line) => {
                // The same limits as those of a line that comes without a frame.
                line.truncate(line.trim_ascii_end().len());
                line.extend_from_slice(b"\r\n");
                match Framer::default().next(&line, LineKind::Irc(Limits::FROM_CLIENT)) {
                    Step::Incomplete { .. } => return,
                    Step::Line { bytes, used } if used == line.len() => {
                        return self.answering(view, out, actions, |irc| irc.take(bytes));
                    }
                    Step::TooLong { tags, .. } => {
                        let label = tags.get("label");
                        let label = label.as_deref();
                        return self.answering(view, out, actions, |irc| irc.too_long(label));
                    }
                    Step::Line { .. } => socket.not_one_line(),
                }
            }
        };
        let farewell = if farewell.is_empty() { "connection closed" } else { farewell }.to_owned();
        actions.push(Action::Leave { words: None, farewell });
    }

    /// Lets `write` add lines to `out` that answer the command in hand; those to a labelled one are
    /// collected until it is done.
    pub(in crate::session) fn answering(
        &mut self,
        view: &mut View<'_>,
        out: &mut Vec<u8>,
        actions: &mut Vec<Action>,
        write: impl FnOnce(&mut Context<'_, '_>),
    ) {
        self.telling(view, out, actions, |context| {
            write(context);
            context.session.collect(context.out);
        });
    }

    /// Lets `write` add lines to `out`.
    pub fn telling<R>(
        &mut self,
        view: &mut View<'_>,
        out: &mut Vec<u8>,
        actions: &mut Vec<Action>,
        write: impl FnOnce(&mut Context<'_, '_>) -> R,
    ) -> R {
        let mut replies = Replies::default();
        let result = write(&mut Context { session: self, view, out: &mut replies, actions });
        self.framing().append(replies.bytes(), out);
        result
    }

    /// Whether a line may be taken while messages of this client wait for the journal: only another
    /// message whose sole reply, if any, is an error. Not behind a labelled one: the error would
    /// bear its label.
    fn may_follow_messages(&self, line: &[u8]) -> bool {
        let starts = |word: &[u8]| {
            line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let answered = self.caps.has(Caps::ECHO_MESSAGE) || self.label.is_some();
        !answered && (starts(b"PRIVMSG #") || starts(b"NOTICE #"))
    }

    /// Whether its own messages are sent back to it.
    pub fn receives_own(&self) -> bool {
        self.caps.has(Caps::ECHO_MESSAGE)
    }

    /// Whether it is sent the last messages of a room that it joins: it cannot ask for them
    /// (draft/chathistory), but can tell them from new ones (server-time).
    pub fn is_played_back(&self) -> bool {
        self.caps.has(Caps::SERVER_TIME) && !self.caps.has(Caps::CHATHISTORY)
    }

    /// Whether the command in hand bears a label.
    pub fn has_label(&self) -> bool {
        self.label.is_some()
    }

    /// Whether an answer is unfinished.
    pub fn has_more(&self) -> bool {
        self.answers.is_some()
    }

    /// Whether it has registered.
    pub fn is_registered(&self) -> bool {
        self.registration.is_none()
    }

    /// Whether its entry is being saved.
    pub fn is_entering(&self) -> bool {
        self.registration.as_ref().is_some_and(|registration| registration.entering)
    }

    /// The last line of a connection.
    pub(in crate::session) fn error(text: &str, out: &mut Replies) {
        let text = format!("Closing link: ({text})");
        let _ = out.lines().line().command("ERROR").trailing(&text).end();
    }

    /// Takes replies to the command in progress, if it is labelled; the rest is to be sent now.
    pub(super) fn collect(&mut self, replies: &mut Replies) {
        let pages = self.answers.is_some();
        if let Some(label) = &mut self.label {
            label.collect(replies, pages);
        }
    }

    /// The command in progress is done: writes its labelled response.
    pub(in crate::session) fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(label) = self.label.take() {
            self.framing().append(&label.finish(), out);
        }
    }

    pub(super) fn reply<'o>(&self, view: &View<'o>, out: &'o mut Replies) -> ReplyWriter<'o> {
        ReplyWriter {
            server: &view.settings.name,
            nick: self.nick(view),
            caps: self.caps,
            lines: out.lines(),
        }
    }

    /// `*` before it has a nick.
    pub(super) fn nick(&self, view: &View<'_>) -> Name {
        if let Some(user) = view.hub.user(view.me) {
            return user.identity.nick.clone();
        }
        let nick = self.registration.as_ref().and_then(|registration| registration.nick.clone());
        nick.unwrap_or_else(|| Name::new("*"))
    }
}

/// A command in progress: whose it is, what it may see, where its replies and actions go.
pub struct Context<'a, 'v> {
    pub(super) session: &'a mut Session,
    pub(super) view: &'a mut View<'v>,
    pub(super) out: &'a mut Replies,
    pub(super) actions: &'a mut Vec<Action>,
}

impl<'v> Context<'_, 'v> {
    pub(super) fn reply(&mut self) -> ReplyWriter<'_> {
        self.session.reply(self.view, self.out)
    }

    /// The line that [`next`](Session::next) found has been taken, with this label.
    pub(super) fn taken(&mut self, too_long: bool, label: Option<&str>) {
        let session = &mut *self.session;
        session.framer.taken(too_long);
        if let Some(label) = label.filter(|_| session.caps.has(Caps::LABELED_RESPONSE)) {
            session.labels = session.labels.wrapping_add(1);
            let (reference, server) = (format!("l{}", session.labels), &self.view.settings.name);
            session.label = Some(Label::new(label, reference, server, session.caps));
        }
    }

    /// A NOTICE from the server.
    pub fn notice(&mut self, text: &str) {
        self.reply().notice(text);
    }

    /// Replies to STATS with these lines.
    pub fn stats(&mut self, lines: &[String]) {
        let mut reply = self.reply();
        for line in lines {
            reply.numeric_text(numeric::RPL_STATSDEBUG, &[], line);
        }
        reply.numeric(numeric::RPL_ENDOFSTATS, &["z"]);
    }

    /// Replies with a numeric and its usual text.
    pub(super) fn numeric(&mut self, numeric: Numeric, words: &[&str]) {
        self.reply().numeric(numeric, words);
    }

    /// Replies with a FAIL of the command in progress.
    pub(super) fn fail(&mut self, code: &str, words: &[&str], text: &str) {
        let command = self.session.command;
        self.reply().fail(command, code, words, text);
    }

    /// The command in progress lacks a parameter.
    pub(super) fn need_more(&mut self) {
        let command = self.session.command;
        self.numeric(numeric::ERR_NEEDMOREPARAMS, &[command]);
    }

    pub(super) fn is_operator(&self) -> bool {
        self.user().is_some_and(User::is_operator)
    }

    pub(super) fn run(&mut self, command: Command) {
        self.actions.push(Action::Do(command));
    }

    /// The client as a user; there is one once it has registered.
    pub(super) fn user(&self) -> Option<&'v User> {
        self.view.hub.user(self.view.me)
    }
}
