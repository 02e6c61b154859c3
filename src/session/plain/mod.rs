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

use crate::chat::{Command, Event, Kind, Moment, Name, Viewpoint};
use crate::wire::clean::clean;
use arguments::Line;
use std::sync::Arc;

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

/// What a line asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Nothing.
    Nothing,
    /// This, of the chat.
    Do(Command),
    /// To be told these lines, nobody else: help, a setting, what is wrong with the line.
    Tell(Vec<String>),
    /// Goodbye, perhaps with words.
    Quit(Option<Arc<str>>),
}

/// One peer's side of the conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
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
            look: Theme { style, ..Theme::default() },
            chosen: Some(Name::lobby()),
            opening: true,
        }
    }

    /// How it wants its lines: may change with every line it sends.
    pub fn look(&self) -> Theme {
        self.look
    }

    /// Understands one line, without its end. `rooms` are those that the peer is in, in the order
    /// of joining; `now` is what "an hour ago" counts from.
    pub fn parse(&mut self, line: &[u8], rooms: &[Name], now: Moment) -> Request {
        if line.is_empty() {
            return match self.look.style {
                Style::Plain => Request::Nothing,
                Style::Classic => Request::Quit(None),
            };
        }
        let text = clean(line);
        self.opening &= is_irc_opening(&text);
        if self.opening {
            return Request::Tell(vec![
                "not said: that is IRC, and came too late for it; connect again, or say /help"
                    .to_owned(),
            ]);
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
        understood.unwrap_or_else(|wrong| Request::Tell(vec![wrong]))
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

    fn say(&mut self, rooms: &[Name], kind: Kind, text: &str) -> Result<Request, String> {
        let room = self.current(rooms).ok_or("you are in no room; /join #room enters one")?;
        // Who was put out while typing must not say to others what was meant for that room.
        if let Some(lost) = self.chosen.take_if(|chosen| chosen != room) {
            return Err(format!(
                "not said: you are no longer in {lost}; your words go to {room} now"
            ));
        }
        Ok(Request::Do(Command::Say(room.shared(), kind, text.into())))
    }

    /// `@#room text` says something elsewhere.
    fn elsewhere(&self, text: &str) -> Result<Request, String> {
        let mut line = Line::new(&text[1..]);
        let room = line.word().unwrap_or_default();
        let text = line.rest();
        if text.is_empty() {
            return Err(format!("nothing to say in {room}; form: @#room text"));
        }
        secrets::check(text)?;
        Ok(Request::Do(Command::Say(room.into(), Kind::Message, text.into())))
    }
}

/// Whether an IRC client begins so. One that is slow is taken for a plain peer, and what it says
/// then, a password with `PASS` perhaps, is nobody's business. `/say` says it all the same.
fn is_irc_opening(text: &str) -> bool {
    let word = text.split_once(' ').map(|(word, _)| word);
    matches!(word, Some("CAP" | "PASS" | "NICK" | "USER"))
}
