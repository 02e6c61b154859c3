//! Sessions, records and moments: the numbers that everything else is named by.

use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// One connected session, numbered by the owner of the sockets. The top 16 bits are the node; the
/// rest has no meaning here. It is not reused before the node restarts and records that
/// (`Change::Restarted`).
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SessionId(pub u64);

impl SessionId {
    /// The node whose session it is.
    pub fn node(self) -> u16 {
        // The shift leaves sixteen bits.
        (self.0 >> 48) as u16
    }
}

/// Sessions that have been seen. For membership only: its order means nothing.
pub type SessionSet = HashSet<SessionId, BuildHasherDefault<SessionHasher>>;

/// What is known of some sessions. Its order means nothing, either.
pub type SessionMap<V> = HashMap<SessionId, V, BuildHasherDefault<SessionHasher>>;

/// Hashes the numbers of sessions: the server draws them, so no one can choose ones that collide,
/// and a hash that withstands that takes ten times as long.
#[derive(Default)]
pub struct SessionHasher(u64);

impl Hasher for SessionHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // The golden ratio spreads neighbours; the upper half is the better one.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The place of a record in the order of all records: rises by one. A message has the id of the
/// record that brought it.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RecordId(pub u64);

/// A moment, in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

/// The part of a record that an event results from, and its time: the same for all recipients.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// The record.
    pub id: RecordId,
    /// The index, from 0, among the events that result from the record: one ban may disconnect many
    /// users. An event that different recipients receive in different forms counts once.
    pub part: u16,
    /// The record's time.
    pub time: Moment,
}
