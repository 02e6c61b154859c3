//! Available guest numbers.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The available numbers N for `guestN`; the smallest is used first, so that names stay short.
///
/// Its size is bounded by the largest number of guests at any time; available numbers at the upper
/// end are dropped.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct GuestNumbers {
    /// Below `next`.
    free: BTreeSet<u32>,
    /// The first number never used.
    next: u32,
}

impl GuestNumbers {
    pub fn take(&mut self) -> u32 {
        self.free.pop_first().unwrap_or_else(|| {
            self.next = self.next.saturating_add(1);
            self.next
        })
    }

    pub fn release(&mut self, number: u32) {
        self.free.insert(number);
        while self.next > 0 && self.free.last() == Some(&self.next) {
            self.free.pop_last();
            self.next -= 1;
        }
    }
}
