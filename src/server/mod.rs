//! The server: where sockets, sessions, the chat and the journal meet.
//!
//! | file | subject |
//! |---|---|
//! | [`turn`] | the loop and its order; read this first |
//! | `start`, `accept`, `address`, `admission`, `origins` | listening, accepting, and how many of one origin |
//! | `net`, `connection`, `gate`, `deferred` | connections, and when their next line may be taken |
//! | `intake`, `shares`, `stint` | lines out of inboxes: what they cost, whose is next, how long a turn takes some |
//! | `exchange` | performing actions, applying records |
//! | `engine` | the hub and the journal |
//! | `broadcast` | delivery to one peer and to many |
//! | `worker`, `scram`, `random` | passwords, on a separate thread |
//! | `password`, `passwd` | passwords from the command line |
//! | `guesses`, `registrations`, `job_queue`, `hashing` | who may try one, whose turn it is, how it is hashed |
//! | `config`, `reload`, `limits`, `stats`, `expiry` | configuration, limits, and what these have done |
//! | `operator`, `console`, `transcript`, `outlet`, `log`, `audit` | the operator's terminal and the log |
//! | `metrics`, `times` | the server's numbers, for Prometheus |
//! | `service` | what a service manager is told |
//! | `transfers`, `upload_tokens` | files on their way up and down |
//! | `loop_viewers`, `stepping` | pages that watch the loop, and its step mode |
//! | `shutdown`, `trim` | shutting down, and returning memory |
//! | `export` | `chatloop-server export` at a terminal |
//! | `restore` | `chatloop-server restore`, and what of a backup is missing |
//! | `simulated` | the same server, turned by a simulation |
//!
//! One turn, always in this order:
//!
//! ```text
//! wait ─▶ read ─────▶ commands ─▶ timers ─▶ journal ────▶ answers ─▶ flush ─▶ reap
//!         accept;     inboxes to            commit;       of the     one      sockets
//!         bytes to    records,              apply: hub    journal    write    are
//!         inboxes     answers               to outboxes              each     closed
//! ```

mod accept;
mod address;
mod admission;
mod audit;
mod broadcast;
pub mod config;
mod connection;
mod console;
mod deferred;
mod engine;
mod exchange;
mod expiry;
mod export;
mod gate;
mod guesses;
mod hashing;
mod intake;
mod job_queue;
mod limits;
mod log;
#[cfg(feature = "web")]
mod loop_viewers;
#[cfg(feature = "web")]
mod metrics;
mod net;
mod operator;
mod origins;
mod outlet;
mod passwd;
pub mod password;
mod random;
mod registrations;
mod reload;
mod restore;
mod scram;
mod service;
mod shares;
mod shutdown;
#[cfg(feature = "simulation")]
pub mod simulated;
mod start;
mod stats;
mod stepping;
mod stint;
#[cfg(test)]
mod tests;
mod times;
mod transcript;
#[cfg(feature = "web")]
mod transfers;
mod trim;
pub mod turn;
#[cfg(feature = "web")]
mod upload_tokens;
mod worker;

pub use crate::journal::{JournalError, backup, import};
pub use config::Config;
pub use export::{Export, export};
pub use log::Log;
pub use passwd::set_password;
pub use restore::restore;
pub use shutdown::Ending;
pub use start::StartError;
pub use turn::Server;
