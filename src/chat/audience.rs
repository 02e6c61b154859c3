//! Who hears of an event, and from where do they see it?
//!
//! An audience is a description, not a list: a message in a room of ten thousand names the room, and
//! whoever delivers it walks the members where they stand.

use super::hub::Hub;
use super::name::Name;
use super::record::SessionId;
use super::room::Room;

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

impl Hub {
    /// Calls `each` for everyone who is to hear of an event. Allocates nothing.
    pub fn recipients(&self, audience: &Audience, mut each: impl FnMut(SessionId, Viewpoint)) {
        match audience {
            Audience::One(session) => each(*session, Viewpoint::Observer),
            Audience::Private { to, from } => {
                for session in to.iter().filter(|session| *session != from) {
                    each(*session, Viewpoint::Observer);
                }
                each(*from, Viewpoint::Actor);
            }
            Audience::Room { room, from, except } => {
                for session in self.rooms.get(room).into_iter().flat_map(Room::sessions) {
                    if Some(session) != *from && except.binary_search(&session).is_err() {
                        each(session, Viewpoint::Observer);
                    }
                }
                if let Some(from) = from {
                    each(*from, Viewpoint::Actor);
                }
            }
            Audience::Peers { rooms, from } => {
                for (place, name) in rooms.iter().enumerate() {
                    let seen = |session: SessionId| {
                        let before = rooms[..place].iter().filter_map(|name| self.rooms.get(name));
                        before.into_iter().any(|room| room.members.contains_key(&session))
                    };
                    for session in self.rooms.get(name).into_iter().flat_map(Room::sessions) {
                        if Some(session) != *from && (place == 0 || !seen(session)) {
                            each(session, Viewpoint::Observer);
                        }
                    }
                }
                if let Some(from) = from {
                    each(*from, Viewpoint::Actor);
                }
            }
            Audience::All => {
                for session in self.sessions() {
                    each(session, Viewpoint::Observer);
                }
            }
        }
    }
}
