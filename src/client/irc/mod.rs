//! The session with an IRC server, over all connections to it.
//!
//! | file | subject |
//! |---|---|
//! | `registration` | how does the client register, until the server accepts it? |
//! | `sasl`, `scram` | how does it log in to an account? |
//! | `server_info` | what can this server do? |
//! | `incoming` | lines from the server, dispatched by command |
//! | `messages` | which fields has a PRIVMSG or NOTICE? |
//! | `conversation` | what becomes of a message, a reaction, a deletion, a CTCP request? |
//! | `people` | joins, parts, nick changes, away |
//! | `events`, `folding` | what is shown of joins and departures? |
//! | `numerics` | which text does a numeric become? |
//! | `history` | history, and missed messages |
//! | `catchup` | which messages of one room were missed? |
//! | `batches` | which lines belong together? |
//! | `rooms` | which rooms, and who else is there? |
//! | `numbers` | short numbers for messages |
//! | `files`, `file_state` | which file is asked for, offered, or on its way? |
//! | `commands` | what can be typed? |
//! | `input`, `about`, `lookup`, `moderation` | which lines does a typed line become? |
//! | `handshake`, `sent_messages` | what is kept of a registration, a login, a message that is not confirmed? |
//! | `outgoing` | how is a text split into lines that arrive whole, and which were confirmed? |
//! | `pace` | how fast may lines go out, and which has the server taken? |
//!
//! Pure: the server's lines and typed lines in; bytes to send and items to show out; the time is an
//! argument. The client follows the Modern IRC Client Protocol, and IRCv3 where a server supports
//! it. Only the registration is sent before the server has accepted it.
//!
//! Invariants: what is shown is safe for a terminal; every map and queue has a limit, documented
//! with it; a password is sent to the server only.
//!
//! Absent: DCC, and anything else that one program asks another to do.

mod about;
mod batches;
mod catchup;
pub mod commands;
mod conversation;
mod events;
mod file_state;
mod files;
mod folding;
mod handshake;
mod history;
mod incoming;
mod input;
mod lookup;
mod messages;
mod moderation;
mod numbers;
mod numerics;
mod outgoing;
mod pace;
mod people;
mod registration;
mod rooms;
mod sasl;
mod scram;
mod sent_messages;
mod server_info;
#[cfg(test)]
mod tests;

use super::complete::Vocabulary;
use super::display::{DisplayItem, Event, EventKind};
use super::options::{Bell, LoginMethod};
use super::{Notice, Severity};
use crate::wire::clean::clean;
use crate::wire::irc::{Fit, Limits, LineWriter, Message};
use batches::Batches;
use catchup::Missed;
pub use file_state::FileRequest;
use file_state::Files;
use folding::Hide;
pub use handshake::Login;
use handshake::{Logins, Registration};
pub use input::is_local;
use jiff::Timestamp;
use numbers::Numbers;
use pace::Pace;
use rooms::JoinedRooms;
use sent_messages::SentMessages;
use server_info::ServerInfo;
use zeroize::Zeroizing;

/// Rows of one reply that are shown.
const ROWS_SHOWN: usize = 100;

/// The user's options, from the command line.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// The nick.
    pub nick: String,
    /// The server's password, for PASS.
    pub password: Option<Zeroizing<String>>,
    /// An account to log in to, by SASL.
    pub account: Option<Login>,
    /// How to log in.
    pub sasl: LoginMethod,
    /// The server has offered SCRAM before: a login must not be weaker now.
    pub scram_seen: bool,
    /// The connection is by TLS.
    pub tls: bool,
    /// Rooms to enter at first, each with its key behind a space if it has one.
    pub rooms: Vec<String>,
    /// A person uses a terminal: history is shown, and a rejected command is not fatal.
    pub person: bool,
    /// A number, for an unused nick.
    pub seed: u32,
    /// Random text without a comma: the beginning of nonces.
    pub nonce: String,
}

/// Why the registration failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrationFailure {
    pub kind: FailureKind,
    pub why: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureKind {
    /// The server has rejected the client, and may accept it later.
    Rejected,
    /// It has banned the client, or the password is wrong: another try would do no good.
    Denied,
    /// It wants its password, which the person is asked for.
    Password,
    /// It is not an IRC server.
    NotIrc,
    /// A chatloop server, which has detected plain lines: the registration arrived later than its
    /// detection timeout (`--greeting-delay`). Another try may be in time.
    TooLate,
    /// It is for TLS only, at this port (IRCv3 sts).
    TlsOnly(u16),
    /// It claims that a login succeeded but does not know the password: it is not trusted with more.
    Impostor,
}

/// A line from the server, and what it belongs to.
struct Line<'m> {
    message: &'m Message<'m>,
    /// Its parameters, and the last of them.
    words: &'m [&'m str],
    text: &'m str,
    /// The label of the command that it replies to.
    label: Option<String>,
    /// The batch that it is in.
    batch: Option<String>,
    /// Whether it is part of a reply with history.
    past: bool,
}

/// The session with one server.
#[derive(Default)]
pub struct IrcSession {
    connect_options: ConnectOptions,
    server: ServerInfo,
    /// `None` once registered.
    registration: Option<Registration>,
    /// Why the registration has failed.
    pub failure: Option<RegistrationFailure>,
    /// Was registered before: rooms and the rest are those of the last connection.
    was_in: bool,
    /// This connection's welcome is over.
    welcomed: bool,
    nick: String,
    /// `user@host`, as others see it, if that is known.
    address: Option<String>,
    /// The nick to take back when it is free again.
    regain: Option<String>,
    logins: Logins,
    /// For how many seconds the server asks for TLS, if it does.
    sts_news: Option<u64>,
    rooms: JoinedRooms,
    /// The serial number of the last PART.
    parting: u64,
    missed: Missed,
    pace: Pace,
    /// What is sent before anything queued: answers to PING, and the registration.
    urgent: Vec<u8>,
    sent: SentMessages,
    batches: Batches,
    numbers: Numbers,
    files: Files,
    /// The latest server time.
    newest: Option<Timestamp>,
    /// Lines of the message of the day so far, and whether it was requested.
    motd: (usize, bool),
    /// Rows of the answer that may still be shown.
    rows_left: usize,
    /// When the last CTCP requests were answered.
    answered: Vec<Timestamp>,
    ignored: Vec<String>,
    last_private: Option<String>,
    /// The nick that lines go to instead of the room: `/query`.
    query: Option<String>,
    hide: Hide,
    bell: Bell,
    /// A command failed, or a message was not delivered.
    pub failed: bool,
    /// Messages of a script may not have been delivered.
    pub lost: bool,
    /// The server has banned the client: it is not to come back.
    pub banned: bool,
    /// The server's password has been typed: it is time to connect again.
    pub reconnects: bool,
    quit: bool,
    now: Timestamp,
    shown: Vec<DisplayItem>,
    /// The words for Tab completion.
    pub vocabulary: Vocabulary,
    pub show_numbers: bool,
}

/// The session; `None` with `--plain`.
pub type Irc = Option<IrcSession>;

impl IrcSession {
    /// A session that is not connected yet.
    pub fn new(connect_options: ConnectOptions, bell: Bell) -> IrcSession {
        let commands = commands::all().map(commands::Command::name).collect();
        let login = connect_options.account.clone();
        let scram_seen = connect_options.scram_seen;
        IrcSession {
            nick: connect_options.nick.clone(),
            logins: Logins { current: login, scram_seen, ..Logins::default() },
            rows_left: ROWS_SHOWN,
            bell,
            vocabulary: Vocabulary::with(commands),
            connect_options,
            ..IrcSession::default()
        }
    }

    /// The user's nick.
    pub fn nick(&self) -> &str {
        &self.nick
    }

    /// The current room.
    pub fn room(&self) -> Option<&str> {
        self.rooms.current.as_deref().filter(|_| self.welcomed)
    }

    /// The room or nick that lines go to.
    pub fn destination(&self) -> Option<&str> {
        self.query.as_deref().filter(|_| self.welcomed).or(self.room())
    }

    /// The items to show.
    pub fn take_shown(&mut self) -> Vec<DisplayItem> {
        std::mem::take(&mut self.shown)
    }

    /// The bytes to send.
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.urgent);
        if self.registration.is_none() {
            self.pace.take(&mut out);
        }
        out
    }

    /// Whether the server has sent anything that an IRC server sends.
    pub fn has_answered(&self) -> bool {
        self.registration.as_ref().is_none_or(|registration| registration.answered)
    }

    /// Whether messages can be sent: registered, all requested rooms joined or rejected, and all
    /// left rooms left. Before that, a message might go to the wrong room.
    pub fn is_settled(&self) -> bool {
        self.welcomed && self.rooms.joining.is_empty() && self.pace.taken >= self.parting
    }

    /// What the server owes: the PING that it did not respond, or 0 for a login, and how much it has
    /// confirmed so far. It changes with every step, and is `None` when nothing is owed.
    pub fn owed(&self) -> Option<(u64, u64)> {
        let login = self.logins.exchange.as_ref().map(|_| 0);
        Some((self.pace.token.or(login)?, self.sent.confirmed))
    }

    /// Whether the server has accepted everything.
    pub fn is_idle(&self) -> bool {
        self.is_settled() && self.pace.is_idle() && self.may_go_on()
    }

    /// Whether a script should hand over no more for now: something has to be finished first, or the
    /// line would have to wait here, where it would be lost with the connection.
    pub fn is_full(&self) -> bool {
        self.pace.is_full() || !self.may_go_on()
    }

    /// Whether no file is on its way, and no login: what follows is said under its name.
    fn may_go_on(&self) -> bool {
        self.files.is_idle() && self.logins.exchange.is_none()
    }

    /// Whether these lines can be sent now.
    ///
    /// # Errors
    /// The reason, as a message.
    pub fn can_send(&self, lines: &[String]) -> Result<(), String> {
        if !self.welcomed {
            return Err("the server has not accepted the connection yet".to_owned());
        }
        if !self.pace.has_room_for(lines.len()) {
            let waiting = self.waiting();
            return Err(format!("the server is slow: {waiting} lines are waiting to be sent"));
        }
        let asked = self.rooms.joining.iter().map(|it| &it.room);
        let waits = asked.into_iter().find(|room| match &self.rooms.current {
            Some(current) => self.server.same(room, current),
            None => true,
        });
        match waits {
            Some(room) if lines.iter().any(|line| !line.starts_with(['/', '@'])) => {
                Err(format!("you are not in {room} yet"))
            }
            _ => Ok(()),
        }
    }

    /// Lines that wait for the server.
    pub fn waiting(&self) -> usize {
        self.pace.waiting()
    }

    /// Whether the last typed line was `/quit`.
    pub fn has_quit(&self) -> bool {
        self.quit
    }

    /// The next connection is by TLS, to a server that has offered SCRAM before, or not.
    pub fn is_secured(&mut self, scram_seen: bool) {
        self.connect_options.tls = true;
        self.logins.scram_seen |= scram_seen;
    }

    /// Whether a server has accepted the client before.
    pub fn was_in(&self) -> bool {
        self.was_in
    }

    /// The connection is lost: unconfirmed messages may not have been received. If it was never
    /// registered, the reason.
    pub fn disconnected(&mut self) -> Option<String> {
        if self.connect_options.person {
            self.sent.connection_lost();
        } else {
            for text in self.sent.give_up() {
                self.lost = true;
                self.notice(Severity::Error, format!("possibly not delivered: {text}"));
            }
        }
        self.forget_upload_answer();
        if self.welcomed {
            self.missed.since = self.newest.or(Some(self.now));
        }
        self.welcomed = false;
        if self.was_in {
            return None;
        }
        let why = "the server closed the connection";
        if self.has_answered() {
            self.rejected(why)
        } else {
            self.not_irc(why)
        }
        self.failure.take().map(|failure| failure.why)
    }

    /// Quits: the bytes to send, if the server does not know yet.
    pub fn quit(&mut self) -> Vec<u8> {
        if self.quit || self.registration.is_some() {
            return Vec::new();
        }
        self.quit = true;
        self.line("QUIT", &[], None).unwrap_or_default()
    }

    fn show_text(&mut self, text: impl AsRef<str>) {
        let text = clean(text.as_ref().as_bytes()).into_owned();
        self.shown.push(DisplayItem::ServerText(text));
    }

    fn notice(&mut self, severity: Severity, text: impl AsRef<str>) {
        let text = clean(text.as_ref().as_bytes()).into_owned();
        self.shown.push(DisplayItem::Notice(Notice { severity, text }));
    }

    fn note(&mut self, text: impl AsRef<str>) {
        self.notice(Severity::Note, text);
    }

    /// A command failed.
    fn fail(&mut self, text: impl AsRef<str>) {
        self.failed = true;
        let text = text.as_ref();
        self.event(Event::new(EventKind::Error, None, "", text.to_owned()).with_text(text));
    }

    /// One line for the server. A `None` in place of the line: it would be cut.
    fn line(&self, command: &str, words: &[&str], text: Option<&str>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let limits = Limits { body: self.server.line_length(), ..Limits::FROM_CLIENT };
        let fit = LineWriter::new(&mut out, limits).command(command).middles(words).ending(text);
        (fit == Fit::Whole).then_some(out)
    }

    /// Queues a line for the server.
    fn queue(&mut self, command: &str, words: &[&str], text: Option<&str>) {
        match self.line(command, words, text) {
            Some(line) => {
                self.pace.push(line);
            }
            None => self.fail("too long for one line on this server"),
        }
    }

    /// Sends a line that waits for nothing.
    fn send_now(&mut self, command: &str, words: &[&str], text: Option<&str>) {
        if let Some(line) = self.line(command, words, text) {
            self.urgent.extend_from_slice(&line);
        }
    }

    fn is_me(&self, nick: &str) -> bool {
        self.server.same(nick, &self.nick)
    }
}
