//! Which `guestN` are free.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which `guestN` are free: the smallest one is given first, so that names stay short.
///
/// Bounded by the most guests there ever were at a time; numbers at the upper end that are free
/// again are forgotten.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(in crate::chat) struct GuestNumbers {
    /// Below `next`.
    free: BTreeSet<u32>,
    /// How many were given at a time so far.
    next: u32,
}

impl GuestNumbers {
    pub(in crate::chat) fn take(&mut self) -> u32 {
        self.free.pop_first().unwrap_or_else(|| {
            self.next = self.next.saturating_add(1);
            self.next
        })
    }

    pub(in crate::chat) fn give_back(&mut self, number: u32) {
        self.free.insert(number);
        while self.next > 0 && self.free.last() == Some(&self.next) {
            self.free.pop_last();
            self.next -= 1;
        }
    }
}
