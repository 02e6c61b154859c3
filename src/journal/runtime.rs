//! What the program provides to a journal on disk: a wake-up, the time, and whether to use threads.

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
    /// Whether writing and reading happen in the caller's thread: in
    /// [`Journal::end_turn`](super::Journal::end_turn) and
    /// [`Journal::query`](super::Journal::query), without a wake-up. For tests and the simulation,
    /// which need one order of everything; the event loop would block on the disk.
    pub inline: bool,
}
