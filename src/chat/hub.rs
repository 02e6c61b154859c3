//! The state of the chat, and the one function that changes it.
//!
//! Invariant: effects come in the order in which they are to be told; nobody is told of what
//! happened before they came or after they left.

use super::effect::{Audience, Effect, Event};
use super::record::{Change, Record, SessionId};
use indexmap::IndexMap;
use std::sync::Arc;

/// Everyone who is there.
#[derive(Default)]
pub struct Hub {
    /// In one array, because a broadcast walks it; looked up like a map, because everything else
    /// does. Leaving swaps the last one into the gap: constant time, and the order of members is
    /// nobody's business.
    members: IndexMap<SessionId, Member>,
}

struct Member {
    label: Arc<str>,
}

impl Hub {
    /// An empty chat.
    pub fn new() -> Hub {
        Hub::default()
    }

    /// How many are in.
    pub fn online(&self) -> usize {
        self.members.len()
    }

    /// The members, for delivery.
    pub fn members(&self) -> impl ExactSizeIterator<Item = SessionId> + '_ {
        self.members.keys().copied()
    }

    /// What the members are called.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = &str> {
        self.members.values().map(|member| &*member.label)
    }

    /// What one member is called; `None` if it is not in.
    pub fn label(&self, session: SessionId) -> Option<&Arc<str>> {
        self.members.get(&session).map(|member| &member.label)
    }

    /// Changes the state as `record` says and adds to `effects` what is to be told of it. A record
    /// of somebody who is not in (it was written down before its origin's leaving was) changes
    /// nothing.
    pub fn apply(&mut self, record: Record, effects: &mut Vec<Effect>) {
        let origin = record.origin;
        let others = Audience::AllBut(origin);
        match record.change {
            Change::Enter { label } => {
                let label: Arc<str> = label.into();
                self.members.insert(origin, Member { label: Arc::clone(&label) });
                let online = self.online();
                let welcome = Event::Welcome { online };
                effects.push(Effect { audience: Audience::One(origin), event: welcome });
                let event = Event::Entered { label, online };
                effects.push(Effect { audience: others, event });
            }
            Change::Leave { departure } => {
                let Some(member) = self.members.swap_remove(&origin) else { return };
                let online = self.online();
                let event = Event::Left { label: member.label, departure, online };
                effects.push(Effect { audience: others, event });
            }
            Change::Say { text } => {
                let Some(member) = self.members.get(&origin) else { return };
                let event = Event::Said { label: Arc::clone(&member.label), text };
                effects.push(Effect { audience: others, event });
            }
        }
    }
}
