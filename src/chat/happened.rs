//! What of a room's life, besides what is said in it, is worth keeping for those who look back:
//! who came and went, what it was called and about.
//!
//! Only who asks for it is shown it ([`Query::events`](super::Query)). Room keys are not in it: a
//! key that was changed is nobody's business any more.

use super::audience::Audience;
use super::effect::{Effect, Event, Quoted, Stamp};
use super::entry::Target;
use super::identity::Identity;
use super::modes::ModeChange;
use super::name::Name;
use super::record::{QuitReason, RecordId};
use super::room::Topic;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The tag by which an IRC client asks that tags without a text are kept.
const PERSIST: &str = "+draft/persist";

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// When, and as which part of which record.
    pub stamp: Stamp,
    /// Whose doing it was, as they were then.
    pub who: Arc<Identity>,
    /// What.
    pub what: StoredEvent,
}

/// What happened. Names in a journal that outlives this program: may be added to, not renamed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoredEvent {
    /// They came into the room.
    Joined {
        /// As its op.
        op: bool,
    },
    /// They left the room.
    Parted {
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// They left the chat.
    Left {
        /// How.
        departure: QuitReason,
    },
    /// They put somebody out.
    Kicked {
        /// Whom.
        target: Name,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// They took another name.
    Renamed {
        /// Which.
        nick: Name,
    },
    /// They set the topic.
    TopicSet {
        /// To what; empty for none.
        text: Arc<str>,
    },
    /// They gave the room another name.
    RoomRenamed {
        /// What it was called.
        before: Name,
        /// What it was called then.
        room: Name,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// They changed modes.
    ModesSet {
        /// What took effect.
        changes: Vec<ModeChange>,
    },
    /// They reacted to a message.
    Reacted {
        /// To which.
        message: RecordId,
        /// With what.
        text: Arc<str>,
        /// Or took it back.
        on: bool,
        /// IRC's tags, if it came as such.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tags: Option<Arc<str>>,
    },
    /// They sent tags without a text, and asked that those be kept.
    Tagged {
        /// To which room or nick.
        to: Name,
        /// The tags.
        tags: Arc<str>,
    },
}

impl HistoryEvent {
    /// The message that it is about, and is forgotten with.
    pub fn about(&self) -> Option<RecordId> {
        match &self.what {
            StoredEvent::Reacted { message, .. } => Some(*message),
            _ => None,
        }
    }

    /// The event that it was, in a room of this name; without what only those who were there
    /// needed to know.
    pub fn event(&self, room: &Name) -> Event {
        let (who, room) = (Arc::clone(&self.who), room.clone());
        match self.what.clone() {
            StoredEvent::Joined { op } => {
                Event::Joined { who, room, members: 0, topic: None, op, away: None }
            }
            StoredEvent::Parted { reason } => Event::Parted { who, room, reason },
            StoredEvent::Left { departure } => Event::Left { who, departure, online: 0 },
            StoredEvent::Kicked { target, reason } => {
                let target = Arc::new(Identity { nick: target, ..Identity::clone(&who) });
                Event::Kicked { who, room, target, reason }
            }
            StoredEvent::Renamed { nick } => {
                let now = Arc::new(Identity { nick, ..Identity::clone(&who) });
                Event::Renamed { who: now, before: who }
            }
            StoredEvent::TopicSet { text } => {
                let topic = Topic { text, by: who.nick.clone(), time: self.stamp.time };
                Event::TopicSet { who, room, topic }
            }
            StoredEvent::RoomRenamed { before, room, reason } => {
                Event::RoomRenamed { who, before, room, reason }
            }
            StoredEvent::ModesSet { changes } => Event::ModesSet { who, room, changes },
            StoredEvent::Reacted { message, text, on, tags } => {
                let from = Name::new("");
                let message = Quoted { id: message, number: 0, root: message, from, text: None };
                Event::Reacted { who, room, message: Box::new(message), text, on, tags }
            }
            StoredEvent::Tagged { to, tags } => {
                Event::Tagged { who, to, status: None, account: None, tags }
            }
        }
    }
}

impl Effect {
    /// What happened and is to be kept, and in which rooms or between whom; `None` for most.
    pub(super) fn happened(&self) -> Option<(Vec<Target>, HistoryEvent)> {
        let (who, what) = what(&self.event)?;
        let places = match (&self.event, &self.audience) {
            (Event::Tagged { to, account, .. }, Audience::Private { .. }) => {
                vec![Target::Private { to: to.clone(), account: account.clone() }]
            }
            (_, Audience::Room { room, .. }) => vec![Target::Room(room.clone())],
            (_, Audience::Peers { rooms, .. }) => rooms.iter().cloned().map(Target::Room).collect(),
            // The same is told to a room.
            _ => return None,
        };
        Some((places, HistoryEvent { stamp: self.stamp, who: Arc::clone(who), what }))
    }
}

fn what(event: &Event) -> Option<(&Arc<Identity>, StoredEvent)> {
    Some(match event {
        Event::Entered { who, .. } => (who, StoredEvent::Joined { op: false }),
        Event::Joined { who, op, .. } => (who, StoredEvent::Joined { op: *op }),
        Event::Parted { who, reason, .. } => (who, StoredEvent::Parted { reason: reason.clone() }),
        Event::Left { who, departure, .. } => {
            (who, StoredEvent::Left { departure: departure.clone() })
        }
        Event::Kicked { who, target, reason, .. } => {
            let (target, reason) = (target.nick.clone(), reason.clone());
            (who, StoredEvent::Kicked { target, reason })
        }
        Event::Renamed { who, before } => (before, StoredEvent::Renamed { nick: who.nick.clone() }),
        Event::TopicSet { who, topic, .. } => {
            (who, StoredEvent::TopicSet { text: Arc::clone(&topic.text) })
        }
        Event::RoomRenamed { who, before, room, reason } => {
            let (before, room, reason) = (before.clone(), room.clone(), reason.clone());
            (who, StoredEvent::RoomRenamed { before, room, reason })
        }
        Event::ModesSet { who, changes, .. } => {
            let keyless = |change: &ModeChange| match change {
                ModeChange::Key(Some(_)) => ModeChange::Key(Some("*".into())),
                change => change.clone(),
            };
            (who, StoredEvent::ModesSet { changes: changes.iter().map(keyless).collect() })
        }
        Event::Reacted { who, message, text, on, tags, .. } => {
            let (message, text) = (message.id, Arc::clone(text));
            (who, StoredEvent::Reacted { message, text, on: *on, tags: tags.clone() })
        }
        Event::Tagged { who, to, tags, status: None, .. } if wants_to_be_kept(tags) => {
            (who, StoredEvent::Tagged { to: to.clone(), tags: Arc::clone(tags) })
        }
        _ => return None,
    })
}

fn wants_to_be_kept(tags: &str) -> bool {
    tags.split(';').any(|tag| tag.split('=').next() == Some(PERSIST))
}
