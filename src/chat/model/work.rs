//! The cost of requests: the one currency for work.
//!
//! A cost is an estimated time in nanoseconds, added up by the loops that do the work: tables charge
//! for every walk over them, `glob` for every step, the writers for every byte. So a
//! command that forgets to report what it costs does not exist: it would have to loop over nothing.
//! The asker pays: the flood limit of the connection, the share of its origin, the turn.
//!
//! Counted rather than measured: the same lines cost the same on every machine, in a test, and
//! however busy the neighbours are. The rates were calibrated by timing each loop over 2,000 users
//! in a release build; what is true within a factor of three is exact enough to be fair.
//!
//! The meter belongs to the thread. Rejected: a meter handed through every function, because the
//! ones that forget it are those that this is for. Nothing reads it but the loop that shares out
//! the work, so the rules stay pure: no decision depends on it.

use std::cell::Cell;
use std::ops::{Add, AddAssign};
use std::time::Duration;

/// A line is taken in, parsed and decided.
pub const LINE: Cost = Cost(1_000);
/// A record is written down, applied and settled.
pub const RECORD: Cost = Cost(2_000);
/// A row of a table is looked at.
pub const ROW: Cost = Cost(15);
/// A step of matching a mask.
pub const STEP: Cost = Cost(2);
/// A byte is rendered, queued and written.
pub const BYTE: Cost = Cost(2);
/// A connection is told something: its outbox is touched.
pub const TOLD: Cost = Cost(60);
/// A TLS handshake is answered, which takes a signature.
pub const HANDSHAKE: Cost = Cost(150_000);
/// A password is hashed. The connection pays for it, but not its origin: the worker's queue is
/// shared among the origins, and the loop goes on meanwhile.
pub const HASH: Cost = Cost(20_000_000);

/// An estimated time, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Cost(pub u64);

impl Cost {
    /// So many of the same.
    pub fn times(self, count: usize) -> Cost {
        Cost(self.0.saturating_mul(count as u64))
    }
}

impl Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        *self = *self + other;
    }
}

impl From<Cost> for Duration {
    fn from(cost: Cost) -> Duration {
        Duration::from_nanos(cost.0)
    }
}

thread_local! {
    static METER: Cell<u64> = const { Cell::new(0) };
}

/// Charges the client that is being served.
#[inline]
pub fn charge(cost: Cost) {
    METER.with(|meter| meter.set(meter.get().wrapping_add(cost.0)));
}

/// What has been charged since it was last asked.
pub fn take() -> Cost {
    METER.with(|meter| Cost(meter.replace(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_charged_is_taken_once() {
        take();
        charge(ROW.times(3));
        charge(BYTE);
        assert_eq!(take(), Cost(3 * ROW.0 + BYTE.0));
        assert_eq!(take(), Cost(0));
    }
}
