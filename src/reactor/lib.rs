//! The reactor: everything that touches a descriptor, and nothing that knows what it is for.
//!
//! A program writes its own loop over these parts; there are no callbacks, so the order of a turn
//! is visible in the program itself:
//!
//! - [`poller`]: which descriptors are ready (epoll, kqueue, poll, select behind one contract);
//! - [`slab`]: [`Token`]s with a generation, so that a stale event finds no connection;
//! - [`timers`]: one ordered map of deadlines;
//! - [`mod@waker`]: how another thread ends a wait;
//! - [`signals`]: signals as bytes in a pipe;
//! - [`listener`], [`connector`], [`stream`]: sockets, every error given a meaning;
//! - [`inbox`], [`chunk`], [`outbox`]: bounded bytes in, shared bytes out;
//! - [`descriptors`]: how many descriptors the process may hold;
//! - [`memory`]: returns free memory to the system.

#![warn(missing_docs)]

#[cfg(all(feature = "kqueue-stand-in", not(debug_assertions)))]
compile_error!("kqueue-stand-in is for tests: it has no place in a release build");

pub mod chunk;
pub mod clock;
pub mod connector;
pub mod descriptors;
pub mod inbox;
pub mod listener;
pub mod memory;
pub mod outbox;
pub mod poller;
pub mod registration;
pub mod signals;
pub mod slab;
pub mod stream;
pub mod timers;
pub mod transport;
pub mod waker;

pub use chunk::{ChunkWriter, Segment};
pub use clock::{Clock, TimeControl};
pub use connector::Connector;
pub use inbox::Inbox;
pub use listener::{Accepted, Listener};
pub use outbox::{Outbox, Written};
pub use poller::{Backend, Interest, Poller, Readiness};
pub use registration::Registration;
pub use signals::{Signal, Signals};
pub use slab::{Slab, Token};
pub use stream::{Received, Stream};
pub use timers::{TimerId, Timers};
pub use transport::Transport;
pub use waker::{WakeReceiver, Waker, waker};
