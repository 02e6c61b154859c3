//! Sessions, records and moments: the numbers that everything else is named by.

use serde::{Deserialize, Serialize};

/// One connected participant, named by whoever runs the sockets. The top 16 bits name the node;
/// the rest means nothing here. It is not used again for somebody else before the node restarts
/// and says so ([`Change::Restarted`]).
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

/// Which happening of which record, and when: the same for all who hear of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// The record.
    pub id: RecordId,
    /// Which of the things that follow from it, counted from 0: one ban may put many people out.
    /// What is told twice, to some in another way, is one thing.
    pub part: u16,
    /// When it was written down.
    pub time: Moment,
}
