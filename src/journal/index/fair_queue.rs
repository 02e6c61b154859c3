//! A queue that serves those who wait in it in turn, however much each of them has put into it.

use crate::chat::Name;
use std::collections::{HashMap, VecDeque};

/// Queues by asker: an origin, or an account on loopback. The hash map is only used for lookups.
pub(super) struct FairQueue<T> {
    /// Those whose queue is not empty; the first is next.
    turns: VecDeque<Name>,
    queues: HashMap<Name, VecDeque<T>>,
}

impl<T> Default for FairQueue<T> {
    fn default() -> FairQueue<T> {
        FairQueue { turns: VecDeque::new(), queues: HashMap::new() }
    }
}

impl<T> FairQueue<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Adds something behind everything else of its asker.
    pub(super) fn push(&mut self, asker: Name, item: T) {
        self.queue(asker).push_back(item);
    }

    /// Puts something back that is not done: its asker goes on with it at the next turn.
    pub(super) fn put_back(&mut self, asker: Name, item: T) {
        self.queue(asker).push_front(item);
    }

    fn queue(&mut self, asker: Name) -> &mut VecDeque<T> {
        let queue = self.queues.entry(asker.clone()).or_default();
        if queue.is_empty() {
            self.turns.push_back(asker);
        }
        queue
    }

    /// The most that one asker has in it, and who that is.
    #[cfg(any(feature = "disk", test))]
    pub(super) fn longest(&self) -> (usize, Option<&Name>) {
        let length = |asker: &Name| self.queues.get(asker).map_or(0, VecDeque::len);
        let each = self.turns.iter().map(|asker| (length(asker), Some(asker)));
        each.max_by_key(|(length, _)| *length).unwrap_or_default()
    }

    /// Takes out the newest thing of the asker with most in it, of those that `may` be.
    #[cfg(any(feature = "disk", test))]
    pub(super) fn give_way(&mut self, may: impl Fn(&T) -> bool) -> Option<T> {
        let asker = self.longest().1?.clone();
        let queue = self.queues.get_mut(&asker)?;
        let item = queue.iter().rposition(may).and_then(|place| queue.remove(place));
        if queue.is_empty() {
            self.queues.remove(&asker);
            self.turns.retain(|other| *other != asker);
        }
        item
    }

    /// The next thing of the asker whose turn it is.
    pub(super) fn pop(&mut self) -> Option<(Name, T)> {
        let asker = self.turns.pop_front()?;
        let queue = self.queues.get_mut(&asker)?;
        let item = queue.pop_front()?;
        if queue.is_empty() {
            self.queues.remove(&asker);
        } else {
            self.turns.push_back(asker.clone());
        }
        Some((asker, item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_once_waits_for_one_turn_of_each_other_and_not_for_their_queues() {
        let mut queue = FairQueue::default();
        for number in 0..100 {
            queue.push(Name::new("mallory"), number);
        }
        assert_eq!(queue.pop(), Some((Name::new("mallory"), 0)));
        queue.put_back(Name::new("mallory"), 0);
        queue.push(Name::new("alice"), 1_000);
        let next: Vec<i32> = std::iter::from_fn(|| queue.pop()).take(3).map(|it| it.1).collect();
        assert_eq!(next, [0, 1_000, 1]);
        assert_eq!(std::iter::from_fn(|| queue.pop()).count(), 98);
        assert!(queue.is_empty());
    }

    #[test]
    fn whoever_has_most_gives_way() {
        let mut queue = FairQueue::default();
        for number in 0..3 {
            queue.push(Name::new("mallory"), number);
        }
        queue.push(Name::new("alice"), 10);
        let gone: Vec<_> = (0..5).map(|_| queue.give_way(|_| true)).collect();
        // Of two who have as much, the one whose turn comes later.
        assert_eq!(gone, [Some(2), Some(1), Some(10), Some(0), None]);
        assert!(queue.is_empty() && queue.pop().is_none());
        (1..4).for_each(|number| queue.push(Name::new("alice"), number));
        let gone: Vec<_> = (0..3).map(|_| queue.give_way(|number| number % 2 == 1)).collect();
        assert_eq!(gone, [Some(3), Some(1), None], "what may not be given up stays");
    }
}
