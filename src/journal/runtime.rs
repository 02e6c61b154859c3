//! What a journal on disk is given by the program it runs in: a wake, the time, threads or none.

use crate::chat::Moment;
use std::sync::Arc;
use std::time::Instant;

/// Called from the journal's threads when there is something to take.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// The time, as the program tells it. A trait of this room, because the reactor's clock is not to
/// be known here.
pub trait TimeSource: Send + Sync {
    fn instant(&self) -> Instant;
    fn moment(&self) -> Moment;
}

#[derive(Clone)]
pub struct Runtime {
    pub wake: Wake,
    pub time: Arc<dyn TimeSource>,
    /// Whether writing and reading happen in the caller's thread: in
    /// [`Journal::end_turn`](super::Journal::end_turn) and
    /// [`Journal::query`](super::Journal::query), without a wake. For tests and the simulation, which
    /// need one order of everything; the loop would wait for the disk.
    pub inline: bool,
}
