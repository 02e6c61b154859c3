//! What follows from a record: who is to hear of what.

use super::record::{Departure, SessionId};
use std::sync::Arc;

/// One thing to tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effect {
    /// Whom.
    pub audience: Audience,
    /// What.
    pub event: Event,
}

/// Who hears of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// One session.
    One(SessionId),
    /// Everyone in the room but this one.
    AllBut(SessionId),
}

/// What happened, in the hub's terms; a session finds the words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// To somebody who has just come in.
    Welcome {
        /// How many are online, the newcomer included.
        online: usize,
    },
    /// Somebody else came in.
    Entered {
        /// Who.
        label: Arc<str>,
        /// How many are online now.
        online: usize,
    },
    /// Somebody else left.
    Left {
        /// Who.
        label: Arc<str>,
        /// How.
        departure: Departure,
        /// How many remain.
        online: usize,
    },
    /// Somebody else said something.
    Said {
        /// Who.
        label: Arc<str>,
        /// The line.
        text: String,
    },
}
