//! Grammars: bytes in, frames out, and back. Pure and incremental; no sockets, no clock.
//!
//! - [`mod@line`]: bytes to lines, however they are split;
//! - [`irc`]: IRC's lines and messages;
//! - [`clean`]: what a stranger sent, made harmless for a terminal;
//! - [`scram`]: the messages of SCRAM.

pub mod address;
pub mod clean;
pub mod irc;
pub mod line;
pub mod scram;
