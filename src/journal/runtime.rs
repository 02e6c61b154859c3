//! The surroundings that a program provides to a journal on disk: a wake-up, the time, and where its threads run.

use std::sync::Arc;
use std::time::Instant;

/// Called from the journal's threads when there is something to take.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// The time for waits, as the program provides it: monotonic. A trait of this room, because it may
/// not import the reactor's clock. The date comes with the proposals.
pub trait TimeSource: Send + Sync {
    fn instant(&self) -> Instant;
}

#[derive(Clone)]
pub struct Runtime {
    pub wake: Wake,
    pub time: Arc<dyn TimeSource>,
    pub threads: Threads,
}

/// Where writing and reading happen.
#[derive(Clone)]
pub enum Threads {
    /// On threads of the system.
    System,
    /// In the caller's thread: in [`Journal::end_turn`](super::Journal::end_turn) and
    /// [`Journal::query`](super::Journal::query), without a wake-up. For programs and tests without
    /// an event loop, which would block on the disk.
    Inline,
    /// In steps, when a simulation takes them.
    #[cfg(feature = "simulation")]
    Steps(Steps),
}

/// Takes over the work of a thread. Each call of that does one piece of it without waiting, and tells
/// whether the loop has been woken for it.
#[cfg(feature = "simulation")]
pub type Steps = std::rc::Rc<dyn Fn(Box<dyn FnMut() -> bool>)>;
