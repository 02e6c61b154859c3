//! Queries that only the journal can answer. The hub has checked that the client may see the
//! result; it keeps only the most recent messages of each room itself.

use super::ids::{Moment, RecordId, SessionId};
use super::name::Name;
use std::sync::Arc;

/// A query for history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// Among which.
    pub scope: Scope,
    pub range: Range,
    /// The most messages to return; `None` for the server's default (`--history-on-join`).
    pub limit: Option<u32>,
    /// Whether events other than messages are included; they count like messages.
    pub events: bool,
}

/// Among which messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The messages of one room, since its creation: an earlier room of the same name had other
    /// members.
    Room(Room),
    /// One thread of a room: a message, the root, with all its replies, and their replies.
    Thread { room: Room, root: RecordId },
    /// Direct messages to an account while its owner was offline: from the first pending message on,
    /// every one is pending.
    Mail { account: Name, since: RecordId },
    /// The direct messages between an account and another user.
    Private { account: Name, peer: Name },
    /// The direct messages of a session without an account, since it connected, with another user: of
    /// this name at the time, or the session that has the name now, whatever its name was then.
    Session { session: SessionId, peer: Name, other: Option<SessionId> },
    /// Messages that contain all of these words, in any of these rooms, said by this nick or account.
    Search { rooms: Vec<Room>, words: Arc<str>, from: Option<Name> },
}

/// A room and since when it is this room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Room {
    /// Its name.
    pub name: Name,
    /// The record that created it.
    pub since: RecordId,
}

/// The part of a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    /// The last ones.
    Latest,
    /// The last ones before a point.
    Before(Point),
    /// The first ones after a point.
    After(Point),
    /// Some on both sides of a point, including the message at the point.
    Around(Point),
    /// The first ones between two points.
    Between(Point, Point),
}

/// A point in a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// A message, by its id.
    Id(RecordId),
    /// One of the events that result from a record: see [`Stamp`](super::Stamp).
    Part(RecordId, u16),
    /// A message, by its number in the room.
    Number(u64),
    /// A moment.
    Time(Moment),
}

/// Whether an older message exists. The result is a [`Reference`](super::Reference) or nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lookup {
    pub room: Room,
    /// The message; a [`Point::Time`] finds nothing.
    pub message: Point,
}
