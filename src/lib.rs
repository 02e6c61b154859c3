//! chatloop: a multi-user TCP chat whose event loop you can watch.
//!
//! The house has seven foundations that know nothing of each other and three floors over them;
//! `tests/layering/` holds the arrows.
//!
//! | module | what lives there |
//! |---|---|
//! | [`chatloop_reactor`] | descriptors, readiness, timers, signals, inbound and outbound buffers |
//! | [`chat`] | what a chat is: users, records, effects; no sockets, no clock |
//! | [`wire`] | grammars: bytes to lines, IRC's messages, SCRAM's, text made harmless |
//! | `terminal` | raw mode, keys, the line editor |
//! | [`tls`] | TLS as a layer over a connection |
//! | [`trace`] | what a loop has done, for those who watch it |
//! | [`session`] | a peer's dialect, plain or IRC: lines to chat commands, effects to bytes |
//! | [`journal`] | keeps records in order and hands them back |
//! | [`settings`] | flags, variables and a file, for every program |
//! | `files` | the bytes of uploaded files (feature `web`) |
//! | [`client`] | the terminal client, in IRC or plain lines: socket and stdin in one loop |
//! | [`lab`] | the load generator and behaviour checker |
//! | `simulation` | the whole server under one seed (feature `simulation`) |
//! | [`server`] | where all meet: the turn, connections, delivery, configuration |

pub mod chat;
pub mod client;
#[cfg(feature = "web")]
pub mod files;
pub mod journal;
#[cfg(feature = "lab")]
pub mod lab;
#[cfg(test)]
#[path = "../tests/common/scratch.rs"]
mod scratch;
pub mod server;
pub mod session;
pub mod settings;
#[cfg(feature = "simulation")]
pub mod simulation;
mod terminal;
pub mod tls;
pub mod trace;
pub mod wire;
