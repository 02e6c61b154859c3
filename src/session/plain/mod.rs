//! The dialect of `nc`: lines in, lines out.
//!
//! Two styles. *Plain* writes clean lines, fit for a script: no escapes. *Classic* looks as the
//! select-server course project does, for its Python clients: each line begins with `\r` so that
//! it overwrites the waiting prompt, in bold blue (coming), red (leaving) or purple (chat), and
//! the colour is reset after the newline.
//!
//! What a plain line is, is told by how it begins:
//!
//! | begins with | is |
//! |---|---|
//! | `[nick]: ` | said in the lobby; with `#room ` in front if it was in another room, and then the number after `/numbers on` |
//! | `*[` or `*#` | the same, and it mentions the hearer |
//! | `[nick -> you]: ` | said to the hearer alone |
//! | `- ` | past: number, date, time, then as it was said |
//! | `* ` | the server's own words |
//!
//! The session remembers how lines are to look and which room is current. It never holds a
//! password: those go into a [`Secret`](crate::chat::Secret) as they are read, and lines that
//! look like a misspelt login are not said (`secrets`).

mod answers;
mod arguments;
mod commands;
mod parsers;
mod render;
mod secrets;
#[cfg(test)]
mod tests;

pub use commands::help;
pub use render::{render, render_notice, users};

use super::action::Action;
use super::detect;
use super::frame::{Body, Frame};
use crate::chat::{Command, Entry, Event, Kind, Moment, Name, Secret, Viewpoint};
use crate::wire::clean::clean;
use crate::wire::line::{LineReader, Step};
use arguments::Line;
use std::time::Duration;

/// How long the password may take.
const PASSWORD_TIMEOUT: Duration = Duration::from_secs(30);

/// How many lines may be something else.
const PASSWORD_TRIES: u8 = 3;

const PASSWORD_QUESTION: &str = "this server requires a password: /pass PASSWORD";

/// The looks of the lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Style {
    /// Clean lines.
    #[default]
    Plain,
    /// As the course project's clients expect them.
    Classic,
}

/// When a line rings the terminal's bell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Bell {
    /// Never.
    #[default]
    Off,
    /// When somebody writes to this person alone.
    Private,
    /// When somebody mentions them, too.
    Mention,
    /// Whenever something is said.
    All,
}

/// How lines are to look for one peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Theme {
    /// The style.
    pub style: Style,
    /// Whether messages show their numbers.
    pub numbers: bool,
    /// When to ring.
    pub bell: Bell,
}

/// How far a peer has come on its way into the chat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It may still turn out to speak something else.
    Undecided,
    /// The server's password has yet to be given; so many tries are left. Until then the peer is
    /// told nothing: not whether the server is full, who is there or what it is called.
    Locked(u8),
    /// Its lines go to the chat.
    Open,
}

/// One peer's side of the conversation.
#[derive(Clone, Debug)]
pub struct Session {
    lines: LineReader,
    stage: Stage,
    look: Theme,
    /// The room that words go to; `None` is the one joined last.
    chosen: Option<Name>,
    /// Nothing has been typed but what IRC clients begin with.
    opening: bool,
}

impl Session {
    /// A peer that has just come in.
    pub fn new(style: Style) -> Session {
        Session {
            lines: LineReader::new(),
            stage: Stage::Undecided,
            look: Theme { style, ..Theme::default() },
            chosen: Some(Name::lobby()),
            opening: true,
        }
    }

    /// How it wants its lines: may change with every line it sends.
    pub fn theme(&self) -> Theme {
        self.look
    }

    /// Whether its first bytes are still to tell the protocol.
    pub(super) fn is_undecided(&self) -> bool {
        self.stage == Stage::Undecided
    }

    /// Whether it has yet to give the password.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self.stage, Stage::Locked(_))
    }

    /// It speaks plain lines: it enters the chat, or is asked for the password.
    pub(super) fn begin(&mut self, has_password: bool, actions: &mut Vec<Action>) {
        if has_password {
            self.stage = Stage::Locked(PASSWORD_TRIES);
            actions.push(Action::AwaitRegistration(PASSWORD_TIMEOUT));
            actions.push(tell(PASSWORD_QUESTION));
        } else {
            actions.push(self.enter());
        }
    }

    fn enter(&mut self) -> Action {
        self.stage = Stage::Open;
        Action::Enter(Box::new(Entry { lobby: true, ..Entry::default() }))
    }

    /// The next line of `input`.
    pub(super) fn next<'i>(&mut self, input: &'i [u8], longest: usize, ended: bool) -> Frame<'i> {
        let mut skipped = 0;
        loop {
            let rest = &input[skipped..];
            let (used, body) = match self.lines.step(rest, longest, ended) {
                Step::Skipped { used } => {
                    skipped += used;
                    continue;
                }
                Step::Incomplete => (0, None),
                Step::TooLong { used } => (used, Some(Body::TooLong(None))),
                Step::Line { bytes, used } => (used, Some(Body::Line(bytes))),
            };
            let pipelined = match body {
                Some(Body::Line(line)) => is_message(line) || self.is_locked(),
                _ => true,
            };
            return Frame { used: skipped + used, pipelined, body };
        }
    }

    /// Understands one line, without its end: the password, or [`parse`](Session::parse)d.
    pub(super) fn take(
        &mut self,
        line: &[u8],
        rooms: &[Name],
        now: Moment,
        password: Option<&Secret>,
    ) -> Option<Action> {
        match self.stage {
            Stage::Locked(tries) => Some(self.take_password(line, tries, password)),
            Stage::Undecided | Stage::Open => self.parse(line, rooms, now),
        }
    }

    fn take_password(&mut self, line: &[u8], tries: u8, password: Option<&Secret>) -> Action {
        let line = std::str::from_utf8(line).unwrap_or_default().trim_end();
        let given = line.strip_prefix("/pass ").map(|word| Secret::new(word.trim_start()));
        if given.is_some() && given.as_ref() == password {
            return self.enter();
        }
        if line == "/quit" {
            return Action::Leave { words: None, farewell: "goodbye".to_owned() };
        }
        if tries == 1 {
            return without_password();
        }
        self.stage = Stage::Locked(tries - 1);
        let wrong = if given.is_some() { "wrong password; " } else { "" };
        tell(&format!("{wrong}{PASSWORD_QUESTION}"))
    }

    /// Understands one line, without its end. `rooms` are those that the peer is in, in the order
    /// of joining; `now` is what "an hour ago" counts from.
    pub fn parse(&mut self, line: &[u8], rooms: &[Name], now: Moment) -> Option<Action> {
        if line.is_empty() {
            return match self.look.style {
                Style::Plain => None,
                Style::Classic => Some(quit(None)),
            };
        }
        let text = clean(line);
        self.opening &= is_irc_opening(&text);
        if self.opening {
            return Some(tell(
                "not sent: this looks like IRC, but came too late to be taken for it; reconnect, or try /help",
            ));
        }
        let understood = if let Some(rest) = text.strip_prefix('/')
            && !rest.starts_with('/')
        {
            commands::parse(self, rest, rooms, now)
        } else if text.starts_with("@#") {
            self.elsewhere(&text)
        } else {
            let text = if text.starts_with("//") { &text[1..] } else { &*text };
            secrets::check(text).and_then(|()| self.say(rooms, Kind::Message, text))
        };
        Some(understood.unwrap_or_else(|wrong| Action::Tell(vec![wrong])))
    }

    /// Tells the session what its peer is told: a room that it joins becomes the current one, and
    /// one that it leaves no longer is.
    pub fn heard(&mut self, event: &Event, viewpoint: Viewpoint) {
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

    /// The current room.
    pub fn current<'a>(&self, rooms: &'a [Name]) -> Option<&'a Name> {
        let chosen = self.chosen.as_ref();
        chosen.and_then(|chosen| rooms.iter().find(|room| *room == chosen)).or(rooms.last())
    }

    fn say(&mut self, rooms: &[Name], kind: Kind, text: &str) -> Result<Action, String> {
        let room = self.current(rooms).ok_or("you are in no room; /join #room enters one")?;
        // Who was put out while typing must not say to others what was meant for that room.
        if let Some(lost) = self.chosen.take_if(|chosen| chosen != room) {
            return Err(format!(
                "not said: you are no longer in {lost}; your words go to {room} now"
            ));
        }
        Ok(Action::Do(Command::Say(room.shared(), kind, text.into())))
    }

    /// `@#room text` says something elsewhere.
    fn elsewhere(&self, text: &str) -> Result<Action, String> {
        let mut line = Line::new(&text[1..]);
        let room = line.word().unwrap_or_default();
        let text = line.rest();
        if text.is_empty() {
            return Err(format!("nothing to say in {room}; form: @#room text"));
        }
        secrets::check(text)?;
        Ok(Action::Do(Command::Say(room.into(), Kind::Message, text.into())))
    }
}

/// Whether a line says something; all others are commands.
pub fn is_message(line: &[u8]) -> bool {
    !line.starts_with(b"/") || line.starts_with(b"//")
}

/// One line that is shown to the peer alone.
fn tell(text: &str) -> Action {
    Action::Tell(vec![text.to_owned()])
}

/// Leaves the chat, perhaps with a message to the others.
fn quit(words: Option<&str>) -> Action {
    Action::Leave { words: words.map(Into::into), farewell: "goodbye".to_owned() }
}

/// The end of a peer that did not give the password.
pub(super) fn without_password() -> Action {
    Action::Leave { words: None, farewell: "goodbye: a password is required".to_owned() }
}

/// The farewell of a peer that has taken too long to give the password.
pub(super) fn password_timeout() -> String {
    format!("goodbye: no password within {} s", PASSWORD_TIMEOUT.as_secs())
}

/// Whether an IRC client begins so. A slow one is taken for a plain peer; what it sends then, a
/// password perhaps, must not be shown to others. `/say` says it all the same.
fn is_irc_opening(text: &str) -> bool {
    detect::is_irc_opening(text) || detect::may_hold_password(text)
}
