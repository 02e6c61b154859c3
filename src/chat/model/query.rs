//! Questions that only the journal can answer. The hub has checked that the asker may see the
//! answer; it holds itself nothing but the last few messages of every room.

use super::ids::{Moment, RecordId, SessionId};
use super::name::Name;
use std::sync::Arc;

/// A question for past messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// Among which.
    pub scope: Scope,
    /// Which of them.
    pub range: Range,
    /// How many at most; `None` leaves it to the server (`--history-on-join`).
    pub limit: Option<u32>,
    /// Whether what happened besides is wanted, too. Then it counts like messages.
    pub events: bool,
}

/// Among which messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Those of one room. Not from before it was opened: what was said in an earlier room of that
    /// name was said to other people.
    Room(Room),
    /// One thread of a room: a message and all that answer it or its answers.
    Thread {
        /// Where.
        room: Room,
        /// The first message.
        root: RecordId,
    },
    /// What was said to an account while nobody was there.
    Mail {
        /// Whose.
        account: Name,
        /// The first of it. What was said to the account from there on all waits.
        since: RecordId,
    },
    /// What an account and somebody said to each other.
    Private {
        /// Whose.
        account: Name,
        /// With whom.
        peer: Name,
    },
    /// What a session without an account and somebody said to each other since it came.
    Session {
        /// Whose.
        session: SessionId,
        /// With whom, by the name they had then.
        peer: Name,
        /// Or who has that name now, whatever they were called then.
        other: Option<SessionId>,
    },
    /// Messages that hold all of these words, in any of these rooms.
    Search {
        /// Where.
        rooms: Vec<Room>,
        /// The words.
        words: Arc<str>,
        /// Said by this nick or account.
        from: Option<Name>,
    },
}

/// A room and since when it is this room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Room {
    /// Its name.
    pub name: Name,
    /// The record that opened it.
    pub since: RecordId,
}

/// Which messages of a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    /// The last ones.
    Latest,
    /// The last ones before a point.
    Before(Point),
    /// The first ones after a point.
    After(Point),
    /// Some on both sides of a point, and what is there.
    Around(Point),
    /// The first ones between two points.
    Between(Point, Point),
}

/// A point in a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// A message, by its id.
    Id(RecordId),
    /// A thing that followed from a record, among others: see [`Stamp`](super::Stamp).
    Part(RecordId, u16),
    /// A message, by its number in the room.
    Number(u64),
    /// A moment.
    Time(Moment),
}

/// A message that is not among the recent ones: is there such a one? The answer is a
/// [`Reference`](super::Reference) or nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lookup {
    /// Where.
    pub room: Room,
    /// Which; a [`Point::Time`] finds nothing.
    pub message: Point,
}
