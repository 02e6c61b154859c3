//! The reactor: everything that touches a descriptor, and nothing that knows what it is for.
//!
//! A program writes its own loop over these parts; there are no callbacks, so the order of a turn
//! is visible in the program itself:
//!
//! - [`poller`]: which descriptors are ready (epoll, kqueue, poll, select behind one contract);
//! - [`slab`]: [`Token`]s with a generation, so that a stale event finds nobody;
//! - [`timers`]: one ordered map of deadlines;
//! - [`waker`]: how another thread ends a wait;
//! - [`signals`]: signals as bytes in a pipe;
//! - [`listener`], [`connector`], [`stream`]: sockets, every error given a meaning;
//! - [`inbox`], [`chunk`], [`outbox`]: bounded bytes in, shared bytes out;
//! - [`descriptors`]: how many descriptors the process may hold.

pub mod poller;
pub mod slab;

pub use poller::{Backend, Event, Interest, Poller};
pub use slab::{Slab, Token};
