//! A peer's dialect: its lines become commands to the chat, the chat's events become its bytes.
//!
//! Pure: a session is fed lines and events, and never sees a socket. What all peers of one
//! [`Format`] are told of an event is the same bytes, so it is rendered once for all of them.

pub mod plain;

pub use plain::{Bell, Look, Style};

use crate::chat::{Event, Perspective};

/// How a peer is spoken to. Peers of the same format share every rendered line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Lines, clean or in the looks of the classic course project.
    Plain(Look),
}

impl Format {
    /// How many formats a line to many can have, for tables indexed by [`index`](Format::index).
    pub const COUNT: usize = Look::COUNT;

    /// One format for each index, in order.
    pub const ALL: [Format; Format::COUNT] = {
        let mut all = [Format::Plain(Look::from_index(0)); Format::COUNT];
        let mut index = 0;
        while index < Format::COUNT {
            all[index] = Format::Plain(Look::from_index(index));
            index += 1;
        }
        all
    };

    /// A small number. Formats with the same number render what many hear alike; what one alone
    /// hears may differ in whether it rings.
    pub const fn index(self) -> usize {
        match self {
            Format::Plain(look) => look.index(),
        }
    }

    /// Adds the bytes that tell `event` to `out`: none, if it is not worth telling.
    pub fn render(self, event: &Event, perspective: Perspective, out: &mut Vec<u8>) {
        match self {
            Format::Plain(look) => plain::render(look, event, perspective, out),
        }
    }

    /// Adds one line that is the server's own word to one peer: help, a refusal, a goodbye.
    pub fn render_notice(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Format::Plain(look) => plain::render_notice(look, text, out),
        }
    }
}
