//! What the index in memory keeps together: a room, or everything private.

use crate::chat::{Name, Target};

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Ring {
    Room(Name),
    Private,
}

impl Ring {
    /// Where something from this account goes; `None` if nobody could ever ask for it.
    pub(super) fn of(target: &Target, from: Option<&Name>) -> Option<Ring> {
        match target {
            Target::Room(room) => Some(Ring::Room(room.clone())),
            Target::Private { account: None, .. } if from.is_none() => None,
            Target::Private { .. } => Some(Ring::Private),
        }
    }
}
