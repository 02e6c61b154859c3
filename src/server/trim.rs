//! Memory back to the system after a burst.
//!
//! In a burst (a thousand people join a room at once) the outboxes hold megabytes for a moment, and
//! the allocator keeps them permanently: a crowd that is in has cost three times what it needs. So
//! when much was allocated for messages and no more is, what is free is given back, once. A server
//! that is busy evenly writes on the same chunks again and again and never comes here.

use super::net::{Net, TimerKind};
use crate::reactor::memory;
use std::time::Duration;

/// Bytes of chunks, allocated and not written on again, that make a burst.
const BURST: u64 = 4 * 1024 * 1024;

/// How long it must be calm.
const CALM: Duration = Duration::from_millis(250);

/// Whether there has been a burst.
#[derive(Default)]
pub(super) struct MemoryTrim {
    /// Bytes allocated up to the last look.
    seen: u64,
    /// There was one, and a timer waits for its end.
    watched: bool,
}

impl MemoryTrim {
    /// Notices the beginning of a burst; `allocated` is what was allocated for messages so far.
    pub(super) fn end_turn(&mut self, allocated: u64, net: &mut Net) {
        if !self.watched && allocated - self.seen > BURST {
            self.watched = true;
            net.after(CALM, TimerKind::Trim);
        }
    }

    /// Gives memory back if it has been calm since the last look; else looks again later.
    pub(super) fn timer(&mut self, allocated: u64, net: &mut Net) {
        let lately = allocated - std::mem::replace(&mut self.seen, allocated);
        if lately > BURST {
            net.after(CALM, TimerKind::Trim);
        } else {
            self.watched = false;
            memory::trim();
        }
    }
}
