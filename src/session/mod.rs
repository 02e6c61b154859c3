//! A peer's dialect: its lines become requests to the chat, the chat's events become its bytes.
//!
//! Pure: a session is fed lines and events, and never sees a socket. What all peers of one
//! [`Format`] are told of an event is the same bytes, so it is rendered once for all of them.

pub mod plain;

pub use plain::Style;

/// How a peer is spoken to. Peers of the same format share every rendered line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Lines, clean or in the looks of the classic course project.
    Plain(Style),
}

impl Format {
    /// How many formats there are, for tables indexed by [`index`](Format::index).
    pub const COUNT: usize = 2;

    /// A small number of its own.
    pub const fn index(self) -> usize {
        match self {
            Format::Plain(Style::Plain) => 0,
            Format::Plain(Style::Classic) => 1,
        }
    }

    /// Adds the bytes that tell `event` to `out`.
    pub fn render(self, event: &crate::chat::Event, out: &mut Vec<u8>) {
        match self {
            Format::Plain(style) => plain::render(style, event, out),
        }
    }

    /// Adds one line that is the server's own word to one peer: help, a refusal, a goodbye.
    pub fn render_notice(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Format::Plain(style) => plain::render_notice(style, text, out),
        }
    }
}
