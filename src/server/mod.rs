//! The one place where all meet: sockets, dialects, the chat and its journal.
//!
//! - [`config`]: what can be set;
//! - [`turn`]: the loop; read this first;
//! - `start`, `accept`, `input`, `requests`, `apply`, `delivery`, `output`: the stations of a turn;
//! - `greeting`, `gate`, `irc`, `sasl`: which dialect a client speaks, whether it knows the password, and what
//!   is special about IRC's;
//! - `worker`: what is too slow for the loop; `scram`: the arithmetic of one kind of login;
//! - `connection`: what is kept of one client; `memory`: what is free goes back after a burst;
//! - `limits`: who may come in and how fast they may talk;
//! - `transcript`, `log`: what the operator sees, by way of an `outlet` that may be slow;
//! - `console`, `operator`: the operator in the chat; `audit`: what the log says of moderation;
//! - `reload`: SIGHUP; `stop`: everyone gets a goodbye; [`password`]: hashes for operators.
//!
//! One turn, always in this order:
//!
//! ```text
//! wait ─▶ accept and read ─▶ commands ─▶ timers ─▶ journal ─▶ apply ─▶ flush ─▶ reap
//!         bytes to inboxes   inboxes to            records    hub to   one      sockets
//!                            records,              that are   out-     write    are
//!                            answers               kept       boxes    each     closed
//! ```

mod accept;
mod apply;
mod audit;
pub mod config;
mod connection;
mod console;
mod delivery;
mod gate;
mod greeting;
mod input;
mod irc;
mod limits;
mod log;
mod memory;
mod operator;
mod outlet;
mod output;
pub mod password;
mod reload;
mod requests;
mod sasl;
mod scram;
mod start;
mod stop;
mod transcript;
pub mod turn;
mod worker;

pub use crate::journal::{JournalError, export, import};
pub use config::Config;
pub use log::Log;
pub use start::StartError;
pub use stop::Ending;
pub use turn::Server;
