//! The state of one plain peer: its protocol stage, its theme, its current room.

use super::arguments::Fault;
use super::theme::{Style, Theme};
use crate::chat::{Claim, Command, Entry, Event, Kind, Listing, Name, Secret, Viewpoint};
use crate::session::action::{Action, Proof};
use crate::session::detect::{self, Detect, Protocol};
use crate::session::frame::{Body, Frame, Needs, PasswordAnswer};
use crate::wire::frame::{Framer, LineKind, Step};
use crate::wire::telnet;
use std::collections::VecDeque;
use std::time::Duration;

/// How long the password may take.
const PASSWORD_TIMEOUT: Duration = Duration::from_secs(30);

const PASSWORD_TRIES: u8 = 3;

const PASSWORD_QUESTION: &str = "this server requires a password: /pass PASSWORD";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The protocol is not detected yet.
    Undecided,
    /// The server's password is missing; the tries left. Until then the peer is told nothing: not
    /// whether the server is full, who is there or what it is called.
    Locked(u8),
    /// It has to log in to an account first (`--require-account`).
    LoggedOut { tries: u8, registers: bool },
    /// Its lines go to the chat.
    Open,
}

/// One peer's side of the conversation. It never holds a password.
#[derive(Clone, Debug)]
pub struct Session {
    framer: Framer,
    stage: Stage,
    protocol: Protocol,
    theme: Theme,
    /// The room that messages go to; `None` is the one joined last.
    chosen: Option<Name>,
    /// All lines so far were those that an IRC client begins with.
    opening: bool,
    /// Where the next pages of its answers begin. Boxed: most of the time there are none.
    #[expect(clippy::box_collection, reason = "a pointer in each idle client, not four words")]
    more: Option<Box<VecDeque<Listing>>>,
}

impl Session {
    /// A peer that has sent nothing yet.
    pub fn new(style: Style, protocol: Protocol) -> Session {
        Session {
            framer: Framer::default(),
            stage: Stage::Undecided,
            protocol,
            theme: Theme { style, ..Theme::default() },
            chosen: Some(Name::lobby()),
            opening: true,
            more: None,
        }
    }

    /// May change with every line it sends.
    pub fn theme(&self) -> Theme {
        self.theme
    }

    pub(super) fn theme_mut(&mut self) -> &mut Theme {
        &mut self.theme
    }

    /// What the server speaks.
    pub(in crate::session) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether its first bytes are still to tell the protocol.
    pub(in crate::session) fn is_undecided(&self) -> bool {
        self.stage == Stage::Undecided
    }

    /// Whether it has yet to give a password: the server's, or an account's.
    pub(in crate::session) fn is_locked(&self) -> bool {
        matches!(self.stage, Stage::Locked(_) | Stage::LoggedOut { .. })
    }

    /// Whether it has entered the chat.
    pub(in crate::session) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// It speaks plain lines: it enters the chat, or is asked for the password.
    pub(in crate::session) fn begin(&mut self, needs: Needs, actions: &mut Vec<Action>) {
        if needs.password {
            self.stage = Stage::Locked(PASSWORD_TRIES);
            actions.push(Action::AwaitRegistration(PASSWORD_TIMEOUT));
            actions.push(tell(PASSWORD_QUESTION));
        } else {
            self.log_in_or_enter(needs, actions);
        }
    }

    fn log_in_or_enter(&mut self, needs: Needs, actions: &mut Vec<Action>) {
        if needs.account {
            self.stage = Stage::LoggedOut { tries: PASSWORD_TRIES, registers: needs.registers };
            actions.push(Action::AwaitRegistration(PASSWORD_TIMEOUT));
            actions.push(tell(&login_question(needs.registers)));
        } else {
            actions.push(self.enter(None));
        }
    }

    fn enter(&mut self, claim: Option<Claim>) -> Action {
        self.stage = Stage::Open;
        let as_of = claim.as_ref().map(|claim| claim.as_of);
        let account = claim.map(|claim| claim.account);
        let nick = account.clone();
        Action::Enter(Box::new(Entry {
            lobby: true,
            restricted: true,
            account,
            as_of,
            nick,
            ..Entry::default()
        }))
    }

    /// The next line of `input`.
    pub(in crate::session) fn next<'i>(
        &mut self,
        input: &'i [u8],
        longest: usize,
        ended: bool,
    ) -> Frame<'i> {
        if self.more.is_some() {
            return Frame { used: 0, pipelined: false, body: Some(Body::More) };
        }
        let (used, body) = match self.framer.next_or_last(input, LineKind::Typed(longest), ended) {
            Step::Incomplete { used } => (used, None),
            Step::TooLong { used, .. } => (used, Some(Body::TooLong(None))),
            // Slow, and a program all the same: the line is for the session that comes now.
            Step::Line { bytes, .. }
                if self.opening
                    && let Some(protocol) = detect::detect_late(bytes)
                    && (protocol, self.protocol) != (Detect::Irc, Protocol::Plain) =>
            {
                (0, Some(Body::Opening(protocol)))
            }
            Step::Line { bytes, used } => (used, Some(Body::Line(bytes))),
        };
        let pipelined = match body {
            Some(Body::Line(line)) => {
                is_message(&line[telnet::leading(line)..]) || self.is_locked()
            }
            _ => true,
        };
        Frame { used, pipelined, body }
    }

    /// Asks for the next page of its answer.
    pub(in crate::session) fn more(&mut self) -> Option<Action> {
        let more = self.more.as_mut().and_then(|more| more.pop_front());
        self.more.take_if(|more| more.is_empty());
        more.map(|more| Action::Do(Command::List(Box::new(more))))
    }

    /// The line that [`next`](Session::next) found has been taken.
    pub(in crate::session) fn taken(&mut self, too_long: bool) {
        self.framer.taken(too_long);
    }

    /// A line of a peer that has yet to give the password.
    pub(super) fn take_password(&mut self, line: &[u8]) -> Action {
        let line = std::str::from_utf8(line).unwrap_or_default().trim();
        let mut words = line.split_whitespace();
        let command = words.next().unwrap_or_default();
        let rest = line[command.len()..].trim_start();
        let registers = matches!(self.stage, Stage::LoggedOut { registers: true, .. });
        match (command.to_ascii_lowercase().as_str(), words.next(), words.next(), words.next()) {
            ("/quit" | "/exit" | "/bye", ..) => quit(None),
            ("/pass", Some(_), ..) if matches!(self.stage, Stage::Locked(_)) => {
                Action::Unlock(Secret::new(rest))
            }
            ("/login" | "/identify", Some(name), Some(password), None)
                if matches!(self.stage, Stage::LoggedOut { .. }) =>
            {
                Action::Prove(Proof::Password(name.into(), Secret::new(password)))
            }
            ("/register", Some(name), Some(password), None) if registers => {
                Action::RegisterEarly(name.into(), Secret::new(password))
            }
            _ => self.ask_again(""),
        }
    }

    /// What came of the password that it has given.
    pub(in crate::session) fn unlocked(
        &mut self,
        answer: PasswordAnswer,
        needs: Needs,
        actions: &mut Vec<Action>,
    ) {
        match answer {
            PasswordAnswer::Right => self.log_in_or_enter(needs, actions),
            PasswordAnswer::Wrong => actions.push(self.ask_again("wrong password; ")),
            PasswordAnswer::TooEarly(seconds) => {
                let farewell =
                    format!("goodbye: too many wrong passwords; try again in {seconds} s");
                actions.push(Action::Leave { words: None, farewell });
            }
        }
    }

    /// What came of its login; `None` if nothing did.
    pub(in crate::session) fn proved(&mut self, claim: Option<Claim>) -> Option<Action> {
        match (self.stage, claim) {
            (Stage::LoggedOut { .. }, Some(claim)) => Some(self.enter(Some(claim))),
            (Stage::LoggedOut { .. }, None) => Some(self.ask_again("you are not logged in; ")),
            _ => None,
        }
    }

    fn ask_again(&mut self, wrong: &str) -> Action {
        match self.stage {
            Stage::Locked(tries) if tries > 1 => {
                self.stage = Stage::Locked(tries - 1);
                tell(&format!("{wrong}{PASSWORD_QUESTION}"))
            }
            Stage::LoggedOut { tries, registers } if tries > 1 => {
                self.stage = Stage::LoggedOut { tries: tries - 1, registers };
                tell(&format!("{wrong}{}", login_question(registers)))
            }
            _ => without_password(),
        }
    }

    /// Whether it has sent nothing but lines of which `is_opening` holds, this one included.
    pub(super) fn is_opening(&mut self, is_opening: impl FnOnce() -> bool) -> bool {
        self.opening = self.opening && is_opening();
        self.opening
    }

    /// Notes what its peer is told: a room that it joins becomes the current one, and one that it
    /// leaves no longer is.
    pub fn observe(&mut self, event: &Event, viewpoint: Viewpoint) {
        if let Some(more) = event.more() {
            self.more.get_or_insert_default().push_back(more.clone());
        }
        match (event, viewpoint) {
            (Event::Joined { room, .. }, Viewpoint::Actor) => self.chosen = Some(room.clone()),
            (Event::Parted { room, .. }, Viewpoint::Actor)
                if self.chosen.as_ref() == Some(room) =>
            {
                self.chosen = None;
            }
            (Event::RoomRenamed { before, room, .. }, _)
                if self.chosen.as_ref() == Some(before) =>
            {
                self.chosen = Some(room.clone());
            }
            _ => {}
        }
    }

    pub(super) fn choose(&mut self, room: Name) {
        self.chosen = Some(room);
    }

    /// The room that messages go to.
    pub fn current<'a>(&self, rooms: &'a [Name]) -> Option<&'a Name> {
        let chosen = self.chosen.as_ref();
        chosen.and_then(|chosen| rooms.iter().find(|room| *room == chosen)).or(rooms.last())
    }

    /// Sends a message to the current room.
    pub(super) fn send(&mut self, rooms: &[Name], kind: Kind, text: &str) -> Result<Action, Fault> {
        let none = "you are not in any room (try /join #room)";
        let room = self.current(rooms).ok_or_else(|| Fault::Other(none.to_owned()))?;
        // A user kicked while typing must not send to another room what was meant for that one.
        if let Some(lost) = self.chosen.take_if(|chosen| chosen != room) {
            return Err(Fault::Other(format!(
                "not sent: you are no longer in {lost} (your messages now go to {room})"
            )));
        }
        Ok(Action::Do(Command::Say(room.shared(), kind, text.into())))
    }
}

fn login_question(registers: bool) -> String {
    let or_register = if registers { ", or /register NAME PASSWORD" } else { "" };
    format!("this server requires an account: /login NAME PASSWORD{or_register}")
}

/// Whether a line is a message; all others are commands.
pub fn is_message(line: &[u8]) -> bool {
    !line.starts_with(b"/") || line.starts_with(b"//")
}

/// One line that is shown to the peer alone.
pub(super) fn tell(text: &str) -> Action {
    Action::Tell(vec![text.to_owned()])
}

/// Leaves the chat, perhaps with a message to the others.
pub(super) fn quit(message: Option<&str>) -> Action {
    Action::Leave { words: message.map(Into::into), farewell: "goodbye".to_owned() }
}

/// The end of a peer that did not give the password.
pub(in crate::session) fn without_password() -> Action {
    Action::Leave { words: None, farewell: "goodbye: a password is required".to_owned() }
}

/// The farewell of a peer that has taken too long to give the password.
pub(in crate::session) fn password_timeout() -> String {
    format!("goodbye: no password within {} s", PASSWORD_TIMEOUT.as_secs())
}
