//! When does memory go back to the system?
//!
//! In a burst (a thousand people join a room at once) the outboxes hold megabytes for a moment, and
//! the allocator keeps them for ever: a crowd that is in has cost three times of what it needs. So
//! when much was allocated for messages and no more is, what is free is given back, once. A server
//! that is busy evenly writes on the same chunks again and again and never comes here.

use super::turn::{Due, Server};
use crate::reactor::memory;
use std::time::Duration;

/// Bytes of chunks, allocated and not written on again, that make a burst.
const BURST: u64 = 4 * 1024 * 1024;

/// How long it must be calm.
const CALM: Duration = Duration::from_millis(250);

/// Whether there has been a burst.
#[derive(Default)]
pub(super) struct Burst {
    /// Bytes allocated up to the last look.
    seen: u64,
    /// There was one, and a timer waits for its end.
    watched: bool,
}

impl Server {
    /// Notices the beginning of a burst; at the end of a turn.
    pub(super) fn watch_for_burst(&mut self) {
        if !self.burst.watched && self.delivery.allocated() - self.burst.seen > BURST {
            self.burst.watched = true;
            self.timers.arm(self.now + CALM, Due::Calm);
        }
    }

    /// Gives memory back if it has been calm since the last look; else looks again later.
    pub(super) fn after_burst(&mut self) {
        let allocated = self.delivery.allocated();
        let lately = allocated - std::mem::replace(&mut self.burst.seen, allocated);
        if lately > BURST {
            self.timers.arm(self.now + CALM, Due::Calm);
        } else {
            self.burst.watched = false;
            memory::trim();
        }
    }
}
