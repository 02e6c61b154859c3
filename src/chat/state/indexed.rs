//! A table with what follows from it: indexes and counts, which are neither stored nor compared.

use super::table::Table;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::Hash;
use std::ops::Deref;

/// A table that is read like any other, and changed only by what keeps its index up to date.
#[derive(Clone)]
pub struct Indexed<K: Hash + Eq, V, I> {
    pub(super) table: Table<K, V>,
    pub(super) index: I,
}

impl<K: Hash + Eq, V, I> Deref for Indexed<K, V, I> {
    type Target = Table<K, V>;

    fn deref(&self) -> &Table<K, V> {
        &self.table
    }
}

impl<K: Hash + Eq + fmt::Debug, V: fmt::Debug, I> fmt::Debug for Indexed<K, V, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table.fmt(f)
    }
}

impl<K: Hash + Eq, V: PartialEq, I> PartialEq for Indexed<K, V, I> {
    fn eq(&self, other: &Self) -> bool {
        self.table == other.table
    }
}

impl<K: Hash + Eq + Serialize, V: Serialize, I> Serialize for Indexed<K, V, I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.table.serialize(serializer)
    }
}

impl<'de, K: Hash + Eq + Deserialize<'de>, V: Deserialize<'de>, I> Deserialize<'de>
    for Indexed<K, V, I>
where
    Self: From<Table<K, V>>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Table::deserialize(deserializer).map(Self::from)
    }
}
