//! The lab: programs that put a chat server under load and check what it does.
//!
//! | module | subject |
//! |---|---|
//! | [`payload`] | the format of test messages, and how to find them in a stream of bytes |
//! | [`ledger`] | which receiver has received what: lost, duplicated, reordered |
//! | [`swarm`] | thousands of clients in one loop: `chatloop-lab swarm` |
//! | [`storm`] | what do two honest users notice of an attack? `chatloop-lab storm` |
//! | [`process`] | what has a process used of CPU and memory? |
//!
//! The first two are pure: no sockets and no clock. So the checks themselves are tested against every
//! kind of bad server without one being there.
//!
//! Absent: any knowledge of a server's protocol, but for the attack lines of [`storm`], which know
//! chatloop's commands. Otherwise the lab sends lines and looks for its own lines
//! in what comes back, so that it can be pointed at any line server.

pub mod ledger;
pub mod payload;
pub mod process;
pub mod storm;
pub mod swarm;
#[cfg(test)]
mod testing;
