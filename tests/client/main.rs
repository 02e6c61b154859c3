//! The client as people and scripts meet it: the real program, a real pseudo-terminal, real
//! sockets, and a screen to look at.

#![allow(clippy::unwrap_used)] // a test that cannot go on should say where

mod bot;
#[cfg(feature = "web")]
mod files;
mod irc;
mod irc_script;
mod irc_server;
mod line_server;
mod plain;
mod pty;
mod real_server;
#[path = "../common/scratch.rs"]
mod scratch;
mod script;
#[path = "../common/session.rs"]
mod session;
mod start;
mod terminal;
#[cfg(feature = "tls")]
mod tls;
