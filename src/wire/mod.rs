//! Grammars: bytes in, frames out, and back. Pure and incremental; no sockets, no clock.
//!
//! - [`frame`]: lines in a stream of bytes, whatever pieces they arrive in;
//! - [`irc`]: IRC's lines and messages;
//! - `http`, `http_body`: the head of a request, its body, and responses (feature `web`);
//! - [`clean`]: what a stranger sent, made harmless for a terminal;
//! - [`plural`]: a count with what is counted;
//! - `websocket`: WebSocket frames (feature `web`);
//! - [`proxy`]: what a proxy writes before its client's first byte;
//! - [`sasl`]: messages in pieces of base64, to log in;
//! - [`scram`]: the messages of SCRAM;
//! - [`secrets`]: texts that look like a command with a password;
//! - [`telnet`]: the commands of a terminal program between the lines of a person;
//! - [`address`], [`seconds`]: a server's address and a time, as people write them on a command line.

pub mod address;
pub mod clean;
pub mod frame;
#[cfg(feature = "web")]
pub mod http;
#[cfg(feature = "web")]
pub mod http_body;
pub mod irc;
pub mod plural;
pub mod proxy;
pub mod sasl;
pub mod scram;
pub mod seconds;
pub mod secrets;
pub mod telnet;
#[cfg(feature = "web")]
pub mod websocket;
