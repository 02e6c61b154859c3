//! Memory back to the system after a burst.
//!
//! In a burst (a thousand simultaneous joins) the outboxes briefly hold megabytes, and the
//! allocator keeps them permanently: the memory use would stay at three times what is needed. So
//! when much was sent and no more is, free memory is returned to the system, once. What counts is
//! what was sent, too, and not only the chunks: one chunk in the send queues of thousands needs
//! far more memory for the queues than for itself. And so does input that waited, when it is given back:
//! clients may leave long after they sent it.

use super::net::{Net, TimerKind};
use chatloop_reactor::Held;
use std::time::Duration;

/// Bytes of chunks, allocated and not reused, bytes sent, and bytes of input given back, that together count
/// as a burst.
const BURST: u64 = 4 * 1024 * 1024;

/// How long the server must be calm.
const CALM: Duration = Duration::from_millis(100);

/// Whether there has been a burst.
#[derive(Default)]
pub(super) struct MemoryTrim {
    /// Bytes of all kinds at the last check.
    seen: u64,
    /// Bytes of input that were held at the end of the last turn, and that have been given back so far.
    held: u64,
    given_back: u64,
    /// A burst has been seen, and a timer waits for its end.
    watched: bool,
}

impl MemoryTrim {
    /// Notices the beginning of a burst; `allocated` is what was allocated for messages so far.
    pub(super) fn end_turn(&mut self, allocated: u64, net: &mut Net) {
        let held = Held::all() as u64;
        self.given_back += self.held.saturating_sub(held);
        self.held = held;
        let moved = self.moved(allocated, net);
        if !self.watched && moved - self.seen > BURST {
            self.watched = true;
            net.after(CALM, TimerKind::Trim);
        }
    }

    /// Whether the server has been calm since the last check, so that memory is to go back;
    /// otherwise checks again later.
    pub(super) fn timer(&mut self, allocated: u64, net: &mut Net) -> bool {
        let moved = self.moved(allocated, net);
        let lately = moved - std::mem::replace(&mut self.seen, moved);
        self.watched = lately > BURST;
        if self.watched {
            net.after(CALM, TimerKind::Trim);
        }
        !self.watched
    }

    fn moved(&self, allocated: u64, net: &Net) -> u64 {
        allocated + net.numbers().sent_bytes + self.given_back
    }
}
