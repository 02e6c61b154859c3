//! The recipients of an event, and each one's viewpoint.
//!
//! An audience is a description, not a list: a message in a room of ten thousand members names the
//! room, and the delivery iterates over the members in place.

use super::ids::SessionId;
use super::name::Name;

/// The recipients of an event, for [`Hub::recipients`](crate::chat::Hub::recipients).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Audience {
    /// One session.
    One(SessionId),
    /// One user (all of their sessions; none if it is stored until the account's owner logs in), and the
    /// session that sent it.
    Private { to: Vec<SessionId>, from: SessionId },
    /// The members of a room but for some, in rising order; and the acting session, which receives it
    /// from its own viewpoint, member or not.
    Room { room: Name, from: Option<SessionId>, except: Vec<SessionId> },
    /// Everyone who is in one of these rooms, once.
    Peers { rooms: Vec<Name>, from: Option<SessionId> },
    /// Everyone.
    All,
}

impl Audience {
    /// No one but the acting session, `who` if it is not in here.
    pub fn acting_alone(&self, who: SessionId) -> Audience {
        let from = match self {
            Audience::Private { from, .. } => Some(*from),
            Audience::Room { from, .. } | Audience::Peers { from, .. } => *from,
            Audience::One(_) | Audience::All => None,
        };
        Audience::Private { to: Vec::new(), from: from.unwrap_or(who) }
    }
}

/// From where an event is seen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Viewpoint {
    /// Another user acted.
    Observer,
    /// The recipient acted.
    Actor,
}
