//! Which messages the index in memory stores together: those of a room, or direct messages.

use crate::chat::{Name, Target};

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Ring {
    Room(Name),
    Private,
}

impl Ring {
    /// The ring for a message from this account; `None` if it can never be queried.
    pub(super) fn of(target: &Target, from: Option<&Name>) -> Option<Ring> {
        match target {
            Target::Room(room) => Some(Ring::Room(room.clone())),
            Target::Private { account: None, .. } if from.is_none() => None,
            Target::Private { .. } => Some(Ring::Private),
        }
    }
}
