//! The lab: programs that put a chat server under load and check what it does.
//!
//! | file | subject |
//! |---|---|
//! | `payload` | the format of test messages, and how to find them in a stream of bytes |
//! | `ledger` | which receiver has received what: lost, duplicated, reordered |
//! | [`swarm`] | thousands of clients in one loop: `chatloop-lab swarm` |
//! | [`storm`] | what do two honest users notice of an attack? `chatloop-lab storm` |
//! | [`trace`] | where did the time of a server's turns go? `chatloop-lab trace` |
//! | `connections` | how do thousands of connections live in one loop? |
//! | `websocket` | how do lines become frames, and frames lines? (`no_websocket` without the feature `web`) |
//! | `welcome` | when is a connection let in? |
//! | `target` | which server, and how many connections to it are possible? |
//! | `process` | what has a process used of CPU and memory? |
//!
//! The first two are pure: no sockets and no clock. So the checks themselves are tested against every
//! kind of bad server without one being there.
//!
//! Absent: any knowledge of a server's protocol, but for the attack lines of [`storm`], which know
//! chatloop's commands. Otherwise the lab sends lines and looks for its own lines
//! in what comes back, so that it can be pointed at any line server.

mod connections;
mod ledger;
#[cfg(not(feature = "web"))]
mod no_websocket;
mod payload;
mod process;
pub mod storm;
pub mod swarm;
mod target;
#[cfg(test)]
mod tests;
pub mod trace;
#[cfg(feature = "web")]
mod websocket;
mod welcome;

#[cfg(feature = "simulation")]
pub(crate) use websocket::WebSocket;

pub use crate::settings::{document, with_documents};
