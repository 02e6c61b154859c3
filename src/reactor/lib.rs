//! A small readiness loop: descriptors, readiness, time and bytes, and no protocol.
//!
//! A program writes its own loop over these parts. There are no callbacks, so the order of a turn
//! is visible in the program itself:
//!
//! - [`poller`]: which descriptors are ready (epoll, kqueue, poll, select under one contract);
//!   [`registration`] tells it changes only;
//! - [`slab`]: [`Token`]s with a generation, so that a stale report reaches no one;
//! - [`clock`] and [`timers`]: the time of the turn, and the deadlines;
//! - [`mod@waker`] and [`signals`]: other threads and signals, as descriptors;
//! - [`listener`], [`connector`], [`transport`], [`stream`], [`layer`]: sockets, every error with a
//!   meaning;
//! - [`buffer`]: bounded bytes in, shared bytes out;
//! - [`fault`]: what rarely happens, on purpose; [`dice`]: numbers that a seed decides;
//! - [`trace`]: what the loop has done, for those who watch it;
//! - `simulated` (feature `simulation`): a network inside the process, for tests;
//! - [`descriptors`] and [`memory`]: what the process may hold, and gives back.
//!
//! `examples/echo.rs` is the smallest complete loop, `examples/relay.rs` the next larger one, and
//! `docs/TOUR.md` in the repository leads from there through these modules.

#![warn(missing_docs)]

#[cfg(all(feature = "kqueue-stand-in", not(debug_assertions)))]
compile_error!("kqueue-stand-in is for tests: it has no place in a release build");

pub mod buffer;
pub mod clock;
pub mod connector;
pub mod descriptors;
pub mod dice;
pub mod fault;
pub mod layer;
pub mod listener;
pub mod memory;
pub mod poller;
pub mod registration;
#[cfg(test)]
#[path = "../../tests/common/scratch.rs"]
mod scratch;
pub mod signals;
#[cfg(feature = "simulation")]
pub mod simulated;
pub mod slab;
pub mod stream;
pub mod timers;
pub mod trace;
pub mod transport;
pub mod waker;

pub use buffer::chunk::{ChunkWriter, Segment};
pub use buffer::held::Held;
pub use buffer::inbox::Inbox;
pub use buffer::outbox::{Outbox, Written};
pub use clock::{Clock, TimeControl};
pub use connector::Connector;
pub use layer::{Layer, OVERHEAD};
pub use listener::{Accepted, Listener};
pub use poller::{Backend, Interest, Poller, Readiness};
pub use registration::Registration;
pub use signals::{Signal, Signals};
pub use slab::{Slab, Token};
pub use stream::{Received, Stream};
pub use timers::{TimerId, Timers};
pub use transport::Transport;
pub use waker::{WakeReceiver, Waker, waker};
