//! What is written down: one record for every change of the chat, in one order for all.

/// One connected participant, named by whoever runs the sockets. The number means nothing here;
/// it is never used again for somebody else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SessionId(pub u64);

/// The place of a record in the order of all records: rises by one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RecordId(pub u64);

/// A moment, in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(pub i64);

/// One change, as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its place in the order.
    pub id: RecordId,
    /// When it was written down.
    pub time: Moment,
    /// Whose doing it was.
    pub origin: SessionId,
    /// What changed.
    pub change: Change,
}

/// What can change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// The origin has come in.
    Enter {
        /// What others see until a name is taken: the peer's address and port.
        label: String,
    },
    /// The origin has gone.
    Leave {
        /// How.
        departure: Departure,
    },
    /// The origin has said one line, harmless and without its end.
    Say {
        /// The line.
        text: String,
    },
}

/// How somebody left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Departure {
    /// Said goodbye, or closed the connection in good order.
    Quit,
    /// The connection broke, or the server had to drop it: why, in a few words.
    Error(String),
}
