//! A peer's dialect, [`plain`] or [`irc`]: its lines become commands to the chat, the chat's events
//! become its bytes.
//!
//! Pure: a session is fed lines and events, and never sees a socket. What all peers of one
//! [`Format`] are told of an event is the same bytes, so it is rendered once for all of them.

pub mod irc;
pub mod plain;
pub mod refusal_text;
mod time;

pub use plain::{Bell, Style, Theme};

use crate::chat::{Event, Stamp, Viewpoint};

/// How a peer is spoken to. Peers of the same format share every rendered line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Lines, clean or in the looks of the classic course project.
    Plain(Theme),
    /// IRC, with the capabilities that change lines.
    Irc(irc::RenderCaps),
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
            Format::Plain(look) => plain::render(look, event, viewpoint, out),
            Format::Irc(look) => irc::render(look, stamp, event, out),
        }
    }
}

/// One peer's side of the conversation, in its dialect.
pub enum Dialect {
    /// Nothing tells yet which it is; a plain one, if nothing ever will.
    Undecided(plain::Session),
    /// Lines, and the server's password has yet to be given; so many tries are left.
    Locked(plain::Session, u8),
    /// Lines.
    Plain(plain::Session),
    /// IRC. Boxed: it is larger, and a plain peer should not pay for it.
    Irc(Box<irc::Session>),
}

impl Dialect {
    /// How the peer wants lines that many hear.
    pub fn format(&self) -> Format {
        match self {
            Dialect::Undecided(plain) | Dialect::Locked(plain, _) | Dialect::Plain(plain) => {
                Format::Plain(plain.look())
            }
            Dialect::Irc(irc) => Format::Irc(irc.look()),
        }
    }

    /// Tells the session what its peer is told.
    pub fn heard(&mut self, event: &Event, viewpoint: Viewpoint) {
        if let Dialect::Plain(plain) = self {
            plain.heard(event, viewpoint);
        }
    }

    /// The IRC session, if that is its dialect.
    pub fn irc(&mut self) -> Option<&mut irc::Session> {
        match self {
            Dialect::Irc(irc) => Some(irc),
            _ => None,
        }
    }
}
