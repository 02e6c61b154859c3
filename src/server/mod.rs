//! The one place where all meet: sockets, dialects, the chat and its journal.
//!
//! | file | subject |
//! |---|---|
//! | [`turn`] | in which order does everything happen? Read this first |
//! | `accept`, `start` | who is accepted? |
//! | `net`, `connection`, `gate`, `deferred` | what is kept of a client, and when may its next line be taken? |
//! | `intake` | how does a line come out of an inbox, and what does it cost? |
//! | `exchange` | what is done for a peer, and what follows from what it did? |
//! | `engine` | how does a command become a record, and a record effects? |
//! | `broadcast` | how is everyone told? |
//! | `worker`, `scram`, `random`, `password` | what is too slow for the loop? |
//! | `limits`, `config`, `reload` | what can be set, and how fast may a client send? |
//! | `operator`, `console`, `transcript`, `outlet`, `log`, `audit` | what is shown at the terminal? |
//! | `shutdown`, `trim` | when does it end, and when does memory go back? |
//!
//! One turn, always in this order:
//!
//! ```text
//! wait ─▶ accept and read ─▶ commands ─▶ timers ─▶ journal ─▶ apply ─▶ flush ─▶ reap
//!         bytes to inboxes   inboxes to            records    hub to   one      sockets
//!                            records,              that are   out-     write    are
//!                            answers               committed  boxes    each     closed
//! ```

mod accept;
mod audit;
mod broadcast;
pub mod config;
mod connection;
mod console;
mod deferred;
mod engine;
mod exchange;
mod gate;
mod intake;
mod limits;
mod log;
mod net;
mod operator;
mod outlet;
pub mod password;
mod random;
mod reload;
mod scram;
mod shutdown;
mod start;
#[cfg(test)]
mod tests;
mod transcript;
mod trim;
pub mod turn;
mod worker;

pub use crate::journal::{JournalError, export, import};
pub use config::Config;
pub use log::Log;
pub use shutdown::Ending;
pub use start::StartError;
pub use turn::Server;
