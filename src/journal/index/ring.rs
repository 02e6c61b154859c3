//! The messages and events that the index in memory stores together: those of a room, of two users, or
//! those sent to one account. These are the keys that the index on disk has, too, so that no query
//! examines messages of others.

use super::span::{NOWHERE, Position};
use crate::chat::{Name, Scope, Target};
use std::cmp::Ordering;
use std::collections::VecDeque;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Ring {
    Room(Name),
    /// An account, and the nick or account of the other user.
    Private(Name, Name),
    /// Direct messages to an account, from anyone.
    Mail(Name),
}

impl Ring {
    /// The rings of a message or event from this nick and account, some perhaps twice; none if it
    /// can never be queried.
    pub(super) fn all(
        target: &Target,
        from: &Name,
        by: Option<&Name>,
    ) -> impl Iterator<Item = Ring> + use<> {
        let private = |owner: Option<&Name>, peer: Option<&Name>| {
            owner.zip(peer).map(|(owner, peer)| Ring::Private(owner.clone(), peer.clone()))
        };
        let rings = match target {
            Target::Room(room) => [Some(Ring::Room(room.clone())), None, None, None, None],
            Target::Private { to, account } => {
                let owner = account.as_ref();
                let mail = owner.cloned().map(Ring::Mail);
                let sent = [private(by, Some(to)), private(by, owner)];
                [
                    private(owner, Some(from)),
                    private(owner, by),
                    sent[0].clone(),
                    sent[1].clone(),
                    mail,
                ]
            }
        };
        rings.into_iter().flatten()
    }

    /// Whether it is for the owner of this account alone.
    pub(super) fn is_of(&self, account: &Name) -> bool {
        matches!(self, Ring::Private(owner, _) | Ring::Mail(owner) if owner == account)
    }

    /// The ring that contains everything of a scope; a search may need several.
    pub(super) fn of(scope: &Scope) -> Option<Ring> {
        match scope {
            Scope::Room(room) | Scope::Thread { room, .. } => Some(Ring::Room(room.name.clone())),
            Scope::Mail { account, .. } => Some(Ring::Mail(account.clone())),
            Scope::Private { account, peer } => Some(Ring::Private(account.clone(), peer.clone())),
            Scope::Session { .. } | Scope::Search { .. } => None,
        }
    }
}

/// The position of a point in a ring, by binary search, because ids, numbers and times rise
/// together: `compare` tells where an element stands beside the point.
pub(super) fn position_in<T>(
    ring: &VecDeque<T>,
    compare: impl Fn(&T) -> Ordering,
    position: impl Fn(&T) -> u64,
) -> Position {
    let at = |place: usize| ring.get(place).map(&position);
    let first = at(ring.partition_point(|it| compare(it).is_lt())).unwrap_or(NOWHERE);
    let next = at(ring.partition_point(|it| compare(it).is_le()));
    Position { first, last: next.map_or(NOWHERE, |next| next - 1) }
}

/// The elements of a ring between two positions, both exclusive.
pub(super) fn between<T>(
    ring: &VecDeque<T>,
    (after, before): (u64, u64),
    position: impl Fn(&T) -> u64,
) -> impl DoubleEndedIterator<Item = &T> {
    let start = ring.partition_point(|it| position(it) <= after);
    let end = ring.partition_point(|it| position(it) < before);
    ring.range(start.min(end)..end)
}
