//! A terminal and the line that is being typed on it: raw mode, keys, the editor, the screen.
//!
//! | file | subject |
//! |---|---|
//! | `raw` | raw mode, restored on every way out |
//! | `keys` | decoding of a terminal's bytes into keys |
//! | `editor` | the edited line |
//! | `history` | the lines sent before |
//! | `search` | incremental search through the sent lines |
//! | `text` | graphemes and their columns |
//! | `wrap` | a line wrapped at its spaces |
//! | `screen` | the edited row on the screen, and messages above it |
//! | `line_console` | all of these together, as both programs use them |
//!
//! Everything except `raw` is pure: bytes and keys in, bytes and outcomes out, no clock and no
//! descriptor. There is no read loop in here: a program waits for its terminal together with its
//! sockets, reads once, and feeds the bytes.
//!
//! Absent: the alternate screen (messages stay in the terminal's scrollback), the mouse, and
//! terminfo: the few sequences used here are supported by every current terminal, except TERM=dumb,
//! which callers treat as not a terminal.

mod editor;
mod history;
mod keys;
mod line_console;
pub mod raw;
mod screen;
mod search;
mod text;
mod wrap;

pub use keys::MAX_PASTE;
pub use line_console::{ConsoleEvent, ConsoleOptions, LineConsole, Mask};
pub use screen::styled;
