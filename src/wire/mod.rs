//! Grammars: bytes in, frames out, and back. Pure and incremental; no sockets, no clock.
//!
//! - [`frame`]: lines in a stream of bytes, whatever pieces they arrive in;
//! - [`irc`]: IRC's lines and messages;
//! - `http`: the head of a request, and responses (feature `web`);
//! - [`clean`]: what a stranger sent, made harmless for a terminal;
//! - [`scram`]: the messages of SCRAM;
//! - [`address`], [`seconds`]: a server's address and a time, as people write them on a command line.

pub mod address;
pub mod clean;
pub mod frame;
#[cfg(feature = "web")]
pub mod http;
pub mod irc;
pub mod scram;
pub mod seconds;
