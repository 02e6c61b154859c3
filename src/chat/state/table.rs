//! A map whose walks are paid for.
//!
//! Looking something up is free. A walk over a table is charged for all of it when the walk
//! begins, so a loop that ends early costs as much as one that does not: what is to be found has an
//! index. There is no other way to walk, so no command can forget to pay.
//!
//! Sessions are looked up several times for each message. Their numbers are this server's own, so no
//! stranger can choose them to collide, and they are hashed by a multiplication. Names are chosen by
//! strangers: they are hashed with a secret key, by the standard library's hasher.

use crate::chat::model::work::{self, ROW};
use indexmap::{Equivalent, IndexMap};
use serde::{Deserialize, Serialize};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};

/// A map in the order of insertion, but for removals: the last entry fills the gap.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Table<K: Hash + Eq, V>(
    #[serde(
        with = "indexmap::map::serde_seq",
        bound(
            serialize = "K: Serialize, V: Serialize",
            deserialize = "K: Deserialize<'de>, V: Deserialize<'de>"
        )
    )]
    IndexMap<K, V, KeyHashing>,
);

/// How keys are hashed: see above.
#[derive(Clone, Default, Debug)]
struct KeyHashing(RandomState);

impl BuildHasher for KeyHashing {
    type Hasher = KeyHasher;

    #[inline]
    fn build_hasher(&self) -> KeyHasher {
        KeyHasher { number: 0, has_bytes: false, keyed: self.0.build_hasher() }
    }
}

/// A hash of a number of this server's, or of bytes that may be anyone's.
struct KeyHasher {
    number: u64,
    has_bytes: bool,
    keyed: DefaultHasher,
}

impl Hasher for KeyHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.has_bytes = true;
        self.keyed.write(bytes);
    }

    /// Both halves of the product: the low bits of a token are its place, the high ones what tells
    /// its users apart.
    #[inline]
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.number ^ number) * 0x9e37_79b9_7f4a_7c15;
        self.number = product as u64 ^ (product >> 64) as u64;
    }

    #[inline]
    fn finish(&self) -> u64 {
        if self.has_bytes { self.number ^ self.keyed.finish() } else { self.number }
    }
}

impl<K: Hash + Eq, V> Default for Table<K, V> {
    fn default() -> Table<K, V> {
        Table(IndexMap::default())
    }
}

/// Looking up and changing: as fast for many entries as for one.
impl<K: Hash + Eq, V> Table<K, V> {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<&V> {
        self.0.get(key)
    }

    pub fn get_mut<Q: Hash + Equivalent<K> + ?Sized>(&mut self, key: &Q) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    pub fn contains_key<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> bool {
        self.0.contains_key(key)
    }

    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// The entry of a key, made if there is none.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.0.entry(key).or_insert_with(make)
    }

    pub fn swap_remove<Q: Hash + Equivalent<K> + ?Sized>(&mut self, key: &Q) -> Option<V> {
        self.0.swap_remove(key)
    }
}

/// Walks, which are charged for.
impl<K: Hash + Eq, V> Table<K, V> {
    fn charge(&self) {
        work::charge(ROW.times(self.0.len()));
    }

    pub fn iter(&self) -> indexmap::map::Iter<'_, K, V> {
        self.charge();
        self.0.iter()
    }

    pub fn keys(&self) -> indexmap::map::Keys<'_, K, V> {
        self.charge();
        self.0.keys()
    }

    pub fn values(&self) -> indexmap::map::Values<'_, K, V> {
        self.charge();
        self.0.values()
    }

    pub fn values_mut(&mut self) -> indexmap::map::ValuesMut<'_, K, V> {
        self.charge();
        self.0.values_mut()
    }

    pub fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        self.charge();
        self.0.retain(keep);
    }
}

impl<K: Hash + Eq, V> FromIterator<(K, V)> for Table<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Table<K, V> {
        Table(entries.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_is_paid_for_and_a_lookup_is_not() {
        let mut table: Table<u32, u32> = (0..100).map(|number| (number, number)).collect();
        work::take();
        assert_eq!((table.get(&7), table.contains_key(&200)), (Some(&7), false));
        assert_eq!(work::take(), work::Cost(0));
        assert_eq!(table.values().find(|value| **value == 0), Some(&0));
        assert_eq!(work::take(), ROW.times(100));
        table.retain(|key, _| *key < 50);
        assert_eq!((work::take(), table.len()), (ROW.times(100), 50));
    }
}
