//! Who hears of an event, and from where do they see it?
//!
//! An audience is a description, not a list: a message in a room of ten thousand names the room, and
//! whoever delivers it walks the members where they stand.

use super::ids::SessionId;
use super::name::Name;

/// Who hears of an event. [`Hub::recipients`](super::Hub::recipients) walks it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Audience {
    /// One session.
    One(SessionId),
    /// One session, if any, and the one that spoke to it.
    Private {
        /// Who hears it: none if it waits for its owner.
        to: Vec<SessionId>,
        /// Who said it.
        from: SessionId,
    },
    /// The members of a room.
    Room {
        /// Which.
        room: Name,
        /// Who did it: hears of it from its own perspective, member or not.
        from: Option<SessionId>,
        /// Members who do not hear it this way, in rising order.
        except: Vec<SessionId>,
    },
    /// Everyone who is in one of these rooms, once.
    Peers {
        /// Which rooms.
        rooms: Vec<Name>,
        /// Who did it.
        from: Option<SessionId>,
    },
    /// Everyone.
    All,
}

/// From where an event is seen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Viewpoint {
    /// Somebody else did it.
    Observer,
    /// The hearer did it.
    Actor,
}
