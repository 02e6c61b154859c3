//! A ring of small events that a loop writes as it acts and others read.
//!
//! A loop that waits for its watchers is no longer the loop that was to be watched. So the
//! writer never waits: a ring of fixed size is overwritten, and a [`Reader`] that is too slow loses
//! the oldest events and is told how many.
//!
//! Rejected: a channel that holds one event each. It costs an atomic operation per event, where a
//! ring costs a copy of a few bytes; and what it drops when it is full is the newest.

/// Events in the order in which they were [pushed](Ring::push); the oldest give way.
///
/// ```
/// use chatloop_reactor::trace::{Reader, Ring};
/// let mut ring = Ring::new(2);
/// let mut reader = Reader::default();
/// ring.push("read");
/// assert_eq!(reader.read(&ring), (0, vec!["read"]));
/// for event in ["one", "two", "three"] {
///     ring.push(event);
/// }
/// assert_eq!(reader.read(&ring), (1, vec!["two", "three"])); // one was lost
/// assert_eq!(reader.read(&ring), (0, vec![]));
/// ```
#[derive(Debug)]
pub struct Ring<E> {
    /// Filled up to its capacity, then overwritten from the beginning.
    events: Vec<E>,
    capacity: usize,
    /// Events ever pushed.
    pushed: u64,
}

impl<E> Ring<E> {
    /// A ring for this many events, at least one. Its memory is allocated as it fills.
    pub fn new(capacity: usize) -> Ring<E> {
        Ring { events: Vec::new(), capacity: capacity.max(1), pushed: 0 }
    }

    /// Adds an event, in place of the oldest if the ring is full.
    pub fn push(&mut self, event: E) {
        let place = self.place(self.pushed);
        match self.events.get_mut(place) {
            Some(old) => *old = event,
            None => self.events.push(event),
        }
        self.pushed += 1;
    }

    /// How many events were ever pushed: the number of the next one, counted from 0.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    fn place(&self, number: u64) -> usize {
        (number % self.capacity as u64) as usize
    }
}

/// How far someone has read a [`Ring`]. A new one begins with the oldest event that is there.
#[derive(Clone, Copy, Default, Debug)]
pub struct Reader {
    next: u64,
}

impl Reader {
    /// The events since the last call, oldest first, after the number of those that were
    /// overwritten before they could be read.
    pub fn read<E: Clone>(&mut self, ring: &Ring<E>) -> (u64, Vec<E>) {
        self.read_newest(ring, ring.capacity)
    }

    /// The same of the newest `most` at the most: older ones count as lost.
    pub fn read_newest<E: Clone>(&mut self, ring: &Ring<E>, most: usize) -> (u64, Vec<E>) {
        let oldest = ring.pushed.saturating_sub(ring.capacity.min(most) as u64);
        let lost = oldest.saturating_sub(self.next);
        let numbers = self.next.max(oldest)..ring.pushed;
        let events = numbers.map(|number| ring.events[ring.place(number)].clone()).collect();
        self.next = ring.pushed;
        (lost, events)
    }

    /// Whether there is something to read.
    pub fn is_behind<E>(&self, ring: &Ring<E>) -> bool {
        self.next < ring.pushed
    }

    /// A reader of what is pushed from here on.
    pub fn from_here<E>(ring: &Ring<E>) -> Reader {
        Reader { next: ring.pushed }
    }
}
