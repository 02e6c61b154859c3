//! The server: where sockets, sessions, the chat and the journal meet.
//!
//! | file | subject |
//! |---|---|
//! | [`turn`] | the loop and its order; read this first |
//! | `accept`, `admission`, `origins`, `start` | listening, accepting, and how many of one origin |
//! | `net`, `connection`, `gate`, `deferred` | connections, and when their next line may be taken |
//! | `intake` | lines out of inboxes, and what they cost |
//! | `exchange` | performing actions, applying records |
//! | `engine` | the hub and the journal |
//! | `broadcast` | delivery to one peer and to many |
//! | `worker`, `scram`, `random` | passwords, on a separate thread |
//! | `password`, `passwd` | passwords from the command line |
//! | `guesses`, `registrations`, `job_queue`, `hashing` | who may try one, whose turn it is, how it is hashed |
//! | `limits`, `stats`, `config`, `reload` | configuration, limits, and what these have done |
//! | `operator`, `console`, `transcript`, `outlet`, `log`, `audit` | the operator's terminal and the log |
//! | `metrics`, `times` | the server's numbers, for Prometheus |
//! | `service` | what a service manager is told |
//! | `transfers`, `upload_tokens` | files on their way up and down |
//! | `shutdown`, `trim` | shutting down, and returning memory |
//! | `trace` | what each turn has done, for whoever watches it |
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
mod admission;
mod audit;
mod broadcast;
pub mod config;
mod connection;
mod console;
mod deferred;
mod engine;
mod exchange;
mod export;
mod gate;
mod guesses;
mod hashing;
mod intake;
mod job_queue;
mod limits;
mod log;
mod looks;
#[cfg(feature = "web")]
mod metrics;
mod net;
mod operator;
mod origins;
mod outlet;
#[cfg(feature = "web")]
mod pages;
mod passwd;
pub mod password;
mod random;
mod registrations;
mod reload;
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

pub use crate::journal::{JournalError, backup, import, restore};
pub use config::Config;
pub use export::{Export, export};
pub use log::Log;
pub use passwd::set_password;
pub use shutdown::Ending;
pub use start::StartError;
pub use turn::Server;
