//! A peer's dialect, [`plain`], [`irc`] or [`http`]: its lines become commands to the chat, the chat's events
//! become its bytes.
//!
//! Pure: a session is fed bytes and events, and never sees a socket. What all peers of one
//! [`Format`] are told of an event is the same bytes, so it is rendered once for all of them.

mod account_text;
mod action;
mod detect;
mod fingerprint;
mod frame;
#[cfg(feature = "web")]
pub mod http;
#[cfg(not(feature = "web"))]
pub mod http {
    pub use super::no_http::{
        Framing, HEAD_TIMEOUT, Outcome, Received, Session, Settings, WebSocket,
    };
}
pub mod irc;
#[cfg(not(feature = "web"))]
mod no_http;
mod phases;
pub mod plain;
pub mod refusal_text;
mod time;
mod transfer;

/// Times as people read them, in UTC.
pub use time::{shown, shown_to_the_second};

pub use action::{Action, Proof, Relay, ViewerRequest};
pub use detect::{Detect, Protocol, detect};
pub use frame::{Body, Frame, Needs, PasswordAnswer, ProofAnswer, Replay};
pub use irc::View;
pub use phases::Refused;
pub use plain::{Style, Theme};
pub use transfer::{ByteRange, Credentials, Fetch, FileRequest, Upload};

use crate::chat::{Event, Stamp, Viewpoint};
use std::time::Duration;

/// How a peer is spoken to. Peers of the same format share every rendered line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Lines, clean or as the classic course project shows them.
    Plain(Theme),
    /// IRC, with the capabilities that change lines, and what is around each.
    Irc(irc::RenderCaps, http::Framing),
    /// None.
    Nothing,
}

impl Format {
    /// Adds the bytes that tell `event` to `out`: none, if it is not worth telling. `stamp` says
    /// which record it follows from; what answers a question follows from none.
    pub fn render(
        self,
        stamp: Option<Stamp>,
        event: &Event,
        viewpoint: Viewpoint,
        out: &mut Vec<u8>,
    ) {
        match self {
            Format::Plain(theme) => plain::render(theme, event, viewpoint, out),
            Format::Irc(caps, framing) => {
                let start = out.len();
                irc::render(caps, stamp, event, out);
                framing.wrap(out, start);
            }
            Format::Nothing => {}
        }
    }
}

/// One peer's side of the conversation, in its dialect.
pub enum Dialect {
    /// Lines, and all that is not known to be something else yet.
    Plain(plain::Session),
    /// IRC. Boxed: it is larger, and a plain peer should not pay for it.
    Irc(Box<irc::Session>),
    /// A request, and then its answer. No peer of the chat.
    Http(http::Session),
}

impl Dialect {
    /// A peer that has sent nothing yet.
    pub fn new(style: Style, protocol: Protocol) -> Dialect {
        Dialect::Plain(plain::Session::new(style, protocol))
    }

    /// How the peer wants lines that many receive.
    pub fn format(&self) -> Format {
        match self {
            Dialect::Plain(plain) => Format::Plain(plain.theme()),
            Dialect::Irc(irc) => Format::Irc(irc.render_caps(), irc.framing()),
            Dialect::Http(_) => Format::Nothing,
        }
    }

    /// The next unit of `input`: all bytes that are not consumed yet. `longest` bounds a plain
    /// line; `ended` says that no more bytes will come.
    pub fn next<'i>(&mut self, input: &'i [u8], longest: usize, ended: bool) -> Frame<'i> {
        match self {
            Dialect::Plain(plain) if plain.is_undecided() => {
                let found = plain.protocol().of(detect(input));
                let used = detect::before(input, found);
                // One that ends without a word is decided by the timeout.
                let decides = found != Detect::NeedMore || (ended && used < input.len());
                let body = decides.then_some(Body::Opening(found));
                Frame { used, pipelined: true, body }
            }
            Dialect::Plain(plain) => plain.next(input, longest, ended),
            Dialect::Irc(irc) => irc.next(input),
            Dialect::Http(http) => http.next(input),
        }
    }

    /// The memory behind what it has taken and cannot use yet, as more of it is to come.
    pub fn held(&mut self) -> usize {
        let batch = self.irc().map_or(0, |irc| irc.held());
        batch + self.websocket().map_or(0, |socket| socket.held())
    }

    /// Understands one unit of input. What answers it goes to `out`, what it asks for to `actions`.
    pub fn take(
        &mut self,
        body: Body<'_>,
        view: &mut View<'_>,
        out: &mut Vec<u8>,
        actions: &mut Vec<Action>,
    ) {
        if let Dialect::Http(http) = self
            && !matches!(body, Body::Opening(_))
        {
            match http.take(&body, &view.settings.web, view.now, out, actions) {
                http::Outcome::Answer(action) => actions.push(action),
                http::Outcome::Upgrade(socket, answer) => {
                    out.extend_from_slice(&answer);
                    self.begin_irc(irc::Session::over(socket), view, actions);
                }
                http::Outcome::Nothing => {}
            }
            return;
        }
        match (self, body) {
            (dialect, Body::Opening(protocol)) => dialect.begin(protocol, view, actions),
            (Dialect::Plain(plain), Body::Line(line)) => {
                let rooms = view.hub.user(view.me).map_or(&[][..], |user| user.rooms());
                actions.extend(plain.take(line, rooms, view.now));
            }
            (Dialect::Plain(plain), Body::More) => actions.extend(plain.more()),
            // The limit is a setting: the server names it.
            (Dialect::Plain(plain), Body::TooLong(_)) => plain.taken(true),
            (Dialect::Irc(irc), Body::WebSocketFrame(frame)) => {
                irc.take_frame(frame, view, out, actions)
            }
            (Dialect::Irc(irc), body) => irc.answering(view, out, actions, |irc| match body {
                Body::TooLong(label) => irc.too_long(label.as_deref()),
                Body::Line(line) => irc.take(line),
                Body::More => irc.more(),
                Body::Opening(_) | Body::WebSocketFrame(_) | Body::RequestBody(_) => {}
            }),
            (Dialect::Plain(_), Body::WebSocketFrame(_) | Body::RequestBody(_))
            | (Dialect::Http(_), _) => {}
        }
    }

    /// Tells the peer of `event`. What its own command has led to (`answers`) may be gathered until
    /// the command is done.
    pub fn tell(
        &mut self,
        event: &Event,
        viewpoint: Viewpoint,
        answers: bool,
        view: &mut View<'_>,
        out: &mut Vec<u8>,
    ) {
        match self {
            Dialect::Plain(plain) => {
                plain.observe(event, viewpoint);
                plain::render(plain.theme(), event, viewpoint, out);
            }
            Dialect::Irc(irc) => {
                let (mut aside, actions) = (Vec::new(), &mut Vec::new());
                let write = |irc: &mut irc::Context<'_, '_>| irc.tell(event, viewpoint, &mut aside);
                match answers {
                    true => irc.answering(view, out, actions, write),
                    false => irc.telling(view, out, actions, write),
                }
                irc.framing().append(&aside, out);
            }
            Dialect::Http(_) => {}
        }
    }

    /// Shows the peer history before all else. An empty one is not mentioned in IRC.
    pub fn tell_replay(&mut self, past: &Event, view: &mut View<'_>, out: &mut Vec<u8>) {
        let is_empty = matches!(past, Event::Past(past) if past.entries.is_empty());
        if !is_empty || matches!(self, Dialect::Plain(_)) {
            self.tell(past, Viewpoint::Observer, false, view, out);
        }
    }

    /// Notes what the peer is told in lines shared with others.
    pub fn observe(&mut self, event: &Event, viewpoint: Viewpoint) {
        if let Dialect::Plain(plain) = self {
            plain.observe(event, viewpoint);
        }
    }

    /// Tells the peer a line of the server's own.
    pub fn notice(&mut self, text: &str, view: &mut View<'_>, out: &mut Vec<u8>) {
        match self {
            Dialect::Plain(plain) => plain::render_notice(plain.theme(), text, out),
            Dialect::Irc(irc) => irc.answering(view, out, &mut Vec::new(), |irc| irc.notice(text)),
            Dialect::Http(_) => {}
        }
    }

    /// Shows the peer what the server's limits have done.
    pub fn stats(&mut self, lines: &[String], view: &mut View<'_>, out: &mut Vec<u8>) {
        match self.irc() {
            Some(irc) => irc.answering(view, out, &mut Vec::new(), |irc| irc.stats(lines)),
            None => lines.iter().for_each(|line| self.notice(line, view, out)),
        }
    }

    /// Tells a peer whose line has just been taken that it is not served.
    pub fn reject(&mut self, text: &str, out: &mut Vec<u8>) {
        match self {
            Dialect::Http(http) => http.reject(text, out),
            Dialect::Plain(_) | Dialect::Irc(_) => self.farewell(text, out),
        }
    }

    /// Tells the peer the last line of its connection.
    pub fn farewell(&self, text: &str, out: &mut Vec<u8>) {
        match self {
            Dialect::Plain(plain) => plain::render_notice(plain.theme(), text, out),
            Dialect::Irc(irc) => {
                let mut replies = irc::Replies::default();
                irc::Session::error(text, &mut replies);
                irc.framing().append(replies.bytes(), out);
            }
            Dialect::Http(http) => http.farewell(text, out),
        }
    }

    /// The last line of all connections: the server shuts down.
    pub fn go_away(&mut self, text: &str, out: &mut Vec<u8>) {
        if let Some(socket) = self.websocket() {
            socket.go_away();
        }
        self.farewell(text, out);
    }

    /// Ends what is sent to the peer, where its protocol has an end.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(socket) = self.websocket() {
            socket.end(out);
        }
    }

    /// Its WebSocket, if there is one under its lines.
    pub fn websocket(&mut self) -> Option<&mut http::WebSocket> {
        match self {
            Dialect::Plain(_) => None,
            Dialect::Irc(irc) => irc.websocket.as_deref_mut(),
            Dialect::Http(http) => http.websocket(),
        }
    }

    /// The page may not watch the loop: it is no WebSocket.
    pub fn stop_watching(&mut self) {
        if let Dialect::Http(http) = self {
            http.begin_answer();
        }
    }

    /// Whether the answer to the command in hand is gathered until the command is done.
    pub fn has_open_answer(&self) -> bool {
        matches!(self, Dialect::Irc(irc) if irc.has_label() && !irc.has_more())
    }

    /// The command in hand is done: ends its answer, where that has an end.
    pub fn command_done(&mut self, out: &mut Vec<u8>) {
        if let Dialect::Irc(irc) = self {
            irc.finish(out);
        }
    }

    /// Answers the server's password.
    pub fn unlocked(
        &mut self,
        answer: PasswordAnswer,
        view: &mut View<'_>,
        out: &mut Vec<u8>,
        actions: &mut Vec<Action>,
    ) {
        match self {
            Dialect::Plain(plain) => plain.unlocked(answer, view.settings.needs(), actions),
            Dialect::Irc(irc) => irc.answering(view, out, actions, |irc| irc.unlocked(answer)),
            Dialect::Http(_) => {}
        }
    }

    /// Answers a step of a login before the peer has entered.
    pub fn answer_proof(
        &mut self,
        answer: ProofAnswer<'_>,
        view: &mut View<'_>,
        out: &mut Vec<u8>,
        actions: &mut Vec<Action>,
    ) {
        match self {
            Dialect::Irc(irc) => irc.answering(view, out, actions, |irc| irc.answer_proof(answer)),
            Dialect::Plain(plain) => {
                let claim = match answer {
                    ProofAnswer::Proved(claim) => claim,
                    ProofAnswer::Registered(claim) => {
                        let account = &claim.account;
                        actions.push(Action::Tell(vec![format!("account {account} created")]));
                        Some(claim)
                    }
                    _ => None,
                };
                actions.extend(plain.proved(claim));
            }
            Dialect::Http(_) => {}
        }
    }

    /// Looks at a batch that was opened a while ago; when to look again.
    pub fn check_batch(&mut self, view: &mut View<'_>, out: &mut Vec<u8>) -> Option<Duration> {
        self.irc()?.telling(view, out, &mut Vec::new(), |irc| irc.look_at_batch())
    }

    /// Whether it is told of what it does in a room itself.
    pub fn receives_own(&self, event: &Event) -> bool {
        match self {
            Dialect::Plain(_) | Dialect::Http(_) => true,
            Dialect::Irc(irc) => irc.receives_own() || !matches!(event, Event::RoomMessage(_)),
        }
    }

    /// Whether what its own deeds look like is written for each peer.
    pub fn is_told_alone(&self) -> bool {
        !matches!(self, Dialect::Plain(_))
    }

    /// How it is to be shown the messages of a room that it enters, or its mail.
    pub fn replay(&self, of_room: bool) -> Replay {
        match self {
            Dialect::Plain(_) => Replay::First,
            Dialect::Irc(_) if !of_room => Replay::Anytime,
            Dialect::Irc(irc) if irc.is_played_back() => Replay::First,
            Dialect::Irc(_) | Dialect::Http(_) => Replay::None,
        }
    }

    /// Its time is over: whether it counted as a client that has not registered.
    pub fn stop_registering(&mut self) -> bool {
        self.irc().is_some_and(irc::Session::stop_registering)
    }

    /// The IRC session, if that is its dialect: for what only IRC has.
    pub fn irc(&mut self) -> Option<&mut irc::Session> {
        match self {
            Dialect::Irc(irc) => Some(irc),
            Dialect::Plain(_) | Dialect::Http(_) => None,
        }
    }

    /// Its HTTP session, if it is one.
    #[cfg(feature = "web")]
    pub fn http(&mut self) -> Option<&mut http::Session> {
        match self {
            Dialect::Http(http) => Some(http),
            Dialect::Plain(_) | Dialect::Irc(_) => None,
        }
    }

    /// Tells the peer how to upload a file: to this URL, within some minutes.
    pub fn offer_upload(
        &mut self,
        url: &str,
        room: Option<&str>,
        view: &mut View<'_>,
        out: &mut Vec<u8>,
    ) {
        match self.irc() {
            Some(irc) => {
                irc.answering(view, out, &mut Vec::new(), |irc| irc.offer_upload(url, room));
            }
            None => self.notice(&transfer::how_to_upload(url, room), view, out),
        }
    }

    /// What it is called in logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Dialect::Plain(plain) if plain.is_undecided() => "unidentified",
            Dialect::Plain(_) => "plain",
            Dialect::Irc(irc) if irc.websocket.is_some() => "websocket",
            Dialect::Irc(_) => "irc",
            Dialect::Http(_) => "http",
        }
    }
}
