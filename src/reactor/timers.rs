//! Deadlines: what is due, and when the loop must wake next.
//!
//! One ordered map keyed by (deadline, number): timers of the same instant are due in the order in
//! which they were armed.
//!
//! Rejected: a timing wheel. It arms in constant time, but the map's logarithm is invisible beside
//! the system call that follows, and its first key answers "how long may the wait last".

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Names an armed timer, to cancel it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimerId {
    deadline: Instant,
    number: u64,
}

/// Deadlines, and what is to be done at each. `K` names it: a small value, not a callback.
///
/// ```
/// use chatloop_reactor::Timers;
/// use std::time::{Duration, Instant};
/// let start = Instant::now();
/// let mut timers = Timers::new();
/// timers.arm(start + Duration::from_secs(5), "five");
/// let two = timers.arm(start + Duration::from_secs(2), "two");
/// timers.cancel(two);
/// assert_eq!(timers.pop_due(start), None);
/// assert_eq!(timers.pop_due(start + Duration::from_secs(5)), Some("five"));
/// ```
pub struct Timers<K> {
    armed: BTreeMap<TimerId, K>,
    next_number: u64,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Timers { armed: BTreeMap::new(), next_number: 0 }
    }
}

impl<K> Timers<K> {
    /// No timers.
    pub fn new() -> Timers<K> {
        Timers::default()
    }

    /// `what` becomes due at `deadline`.
    pub fn arm(&mut self, deadline: Instant, what: K) -> TimerId {
        let id = TimerId { deadline, number: self.next_number };
        self.next_number += 1;
        self.armed.insert(id, what);
        id
    }

    /// Cancels a timer; `None` if it was due or cancelled before.
    pub fn cancel(&mut self, id: TimerId) -> Option<K> {
        self.armed.remove(&id)
    }

    /// The earliest timer that is due at `now`. Call it until it gives `None`, with the same
    /// `now`. What a handler arms in the meantime for `now` or before is due at once, so a handler
    /// must arm for later than that, or the calls never end.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        let first = self.armed.first_entry()?;
        if first.key().deadline > now { None } else { Some(first.remove()) }
    }

    /// When the earliest timer is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.armed.first_key_value().map(|(id, _)| id.deadline)
    }

    /// How many are armed.
    pub fn len(&self) -> usize {
        self.armed.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.armed.is_empty()
    }

    /// All of them in the order in which they will be due.
    pub fn iter(&self) -> impl Iterator<Item = (Instant, &K)> {
        self.armed.iter().map(|(id, what)| (id.deadline, what))
    }

    /// How long a wait that begins at `now` may last; `None`: without limit. At the end of a turn that
    /// is `clock.now() + clock.spent()`, for the turn's own time is that of its beginning.
    pub fn time_left(&self, now: Instant) -> Option<Duration> {
        self.next_deadline().map(|deadline| deadline.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_in_order_of_deadline_then_of_arming() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = Timers::new();
        for (seconds, name) in [(3, 'c'), (1, 'a'), (1, 'b'), (9, 'z')] {
            timers.arm(at(seconds), name);
        }
        assert_eq!(timers.time_left(start), Some(Duration::from_secs(1)));
        assert_eq!(timers.pop_due(at(0)), None);
        let due: Vec<char> = std::iter::from_fn(|| timers.pop_due(at(3))).collect();
        assert_eq!(due, ['a', 'b', 'c']);
        assert_eq!(timers.time_left(at(10)), Some(Duration::ZERO));
    }

    #[test]
    fn a_cancelled_timer_is_never_due() {
        let start = Instant::now();
        let mut timers = Timers::new();
        let id = timers.arm(start, 1);
        assert_eq!(timers.cancel(id), Some(1));
        assert_eq!(timers.cancel(id), None);
        assert_eq!(timers.pop_due(start), None);
        assert_eq!(timers.next_deadline(), None);
    }
}
