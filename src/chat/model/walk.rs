//! A walk over keys in their order that may be interrupted for as long as need be: the cursor of every
//! long answer.
//!
//! A key that is there from beginning to end is met once, whatever comes and goes in between.
//!
//! Rejected: a copy of all keys, which an asker that does not read would make the server hold; a place
//! in the table, because removals move entries; an ordered index of users, because every connection
//! would pay for it. So a few keys are looked up ahead, and each time that takes a walk over all.

use std::collections::{BinaryHeap, VecDeque};

/// Keys looked up ahead.
const AHEAD: usize = 512;

/// How far a walk has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Walk<K> {
    last: Option<K>,
    ahead: VecDeque<K>,
    ended: bool,
}

impl<K> Default for Walk<K> {
    fn default() -> Walk<K> {
        Walk { last: None, ahead: VecDeque::new(), ended: false }
    }
}

impl<K: Ord + Clone> Walk<K> {
    /// Whether it has not begun.
    pub fn is_new(&self) -> bool {
        self.last.is_none() && !self.ended
    }

    /// The next key of `all`, which are asked for from time to time, in any order.
    pub fn next<I: IntoIterator<Item = K>>(&mut self, all: impl FnOnce() -> I) -> Option<K> {
        if self.ahead.is_empty() && !self.ended {
            self.look_ahead(all());
        }
        self.ahead.pop_front()
    }

    fn look_ahead(&mut self, all: impl IntoIterator<Item = K>) {
        let mut nearest: BinaryHeap<K> = BinaryHeap::new();
        for key in all {
            if self.last.as_ref().is_some_and(|last| key <= *last) {
                continue;
            }
            if nearest.len() < AHEAD {
                nearest.push(key);
            } else if let Some(mut farthest) = nearest.peek_mut()
                && key < *farthest
            {
                *farthest = key;
            }
        }
        self.ended = nearest.len() < AHEAD;
        self.ahead = nearest.into_sorted_vec().into();
        self.last = self.ahead.back().cloned().or(self.last.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn it_meets_each_key_once_and_in_order() {
        let all = || (0..2_000).rev();
        let mut walk = Walk::default();
        assert!(std::iter::from_fn(|| walk.next(all)).eq(0..2_000));
        assert_eq!(walk.next(all), None);
    }

    proptest! {
        #[test]
        fn what_is_there_all_the_time_is_met_once_whatever_else_comes_and_goes(
            changes in proptest::collection::vec((0..3_000_u32, any::<bool>()), 0..1_500),
        ) {
            let stays = |key: &u32| key.is_multiple_of(3);
            let mut keys: BTreeSet<u32> = (0..3_000).collect();
            let (mut walk, mut met) = (Walk::default(), Vec::new());
            let mut changes = changes.into_iter().filter(|(key, _)| !stays(key));
            while let Some(key) = walk.next(|| keys.clone()) {
                met.push(key);
                match changes.next() {
                    Some((key, true)) => drop(keys.insert(key)),
                    Some((key, false)) => drop(keys.remove(&key)),
                    None => {}
                }
            }
            prop_assert!(met.is_sorted_by(|one, other| one < other));
            prop_assert!(met.into_iter().filter(stays).eq((0..3_000).filter(stays)));
        }
    }
}
