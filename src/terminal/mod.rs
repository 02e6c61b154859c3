//! A terminal and the line that is being typed on it: raw mode, keys, the editor, the screen.
//!
//! | file | its question |
//! |---|---|
//! | [`raw`] | how is the terminal made ours, and given back on every way out? |
//! | [`keys`] | which keys do these bytes mean? |
//! | [`editor`] | what do keys do to the line? |
//! | [`history`] | which lines were sent before? |
//! | [`search`] | which of them did the person mean? |
//! | [`text`] | where do graphemes begin, and how many columns do they take? |
//! | [`screen`] | which bytes put the line on the screen, and messages above it? |
//! | [`line_console`] | all of these together, as both programs use them |
//!
//! Everything but [`raw`] is pure: bytes and keys in, bytes and outcomes out, no clock and no
//! descriptor. There is no read loop in here: a program waits for its terminal together with its
//! sockets, reads once, and feeds what it got.
//!
//! Deliberately absent: the alternate screen (what was said stays in the terminal's own
//! scrollback), the mouse, and terminfo: the few sequences used here are understood by everything
//! that calls itself a terminal today, except TERM=dumb, which callers treat as no terminal.

mod editor;
mod history;
mod keys;
mod line_console;
pub mod raw;
mod screen;
mod search;
mod text;

pub use keys::MAX_PASTE;
pub use line_console::{ConsoleEvent, ConsoleOptions, LineConsole};
pub use screen::styled;
