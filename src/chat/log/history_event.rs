//! Events of a room that are kept for history besides messages: joins, parts, renames, topics,
//! modes.
//!
//! They are shown only on request ([`Query::events`](crate::chat::Query)). Room keys are not stored,
//! since a changed key is no longer relevant.

use super::record::QuitReason;
use crate::chat::model::{Identity, ModeChange, Name, RecordId, Stamp, limits};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HistoryEvent {
    pub stamp: Stamp,
    /// The acting user, as of then.
    pub who: Arc<Identity>,
    pub what: StoredEvent,
}

/// What happened. The names are part of the record format: variants may be added, not renamed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoredEvent {
    /// The user joined the room, perhaps as its op.
    Joined { op: bool },
    /// The user left the room.
    Parted { reason: Option<Arc<str>> },
    /// The user quit.
    Left { departure: QuitReason },
    /// The user kicked another one.
    Kicked { target: Name, reason: Option<Arc<str>> },
    /// They took another name.
    Renamed { nick: Name },
    /// They set the topic; an empty one for none.
    TopicSet { text: Arc<str> },
    /// They gave the room another name than `before`.
    RoomRenamed { before: Name, room: Name, reason: Option<Arc<str>> },
    /// They changed modes: the changes that took effect.
    ModesSet { changes: Vec<ModeChange> },
    /// They reacted to a message.
    Reacted {
        /// To which.
        message: RecordId,
        /// With what.
        text: Arc<str>,
        /// Or took it back.
        on: bool,
        /// Client-only IRC tags, if it was sent with any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tags: Option<Arc<str>>,
    },
    /// The user sent tags without a text to a room or nick and asked to keep them.
    Tagged { to: Name, tags: Arc<str> },
}

impl HistoryEvent {
    /// Its size: everything that a peer can make longer. A record's events share the sender.
    pub fn bytes(&self) -> usize {
        let text = |text: &Option<Arc<str>>| text.as_ref().map_or(0, |text| text.len());
        let own = match &self.what {
            StoredEvent::Joined { .. } | StoredEvent::Renamed { .. } => 0,
            StoredEvent::Parted { reason } | StoredEvent::Kicked { reason, .. } => text(reason),
            StoredEvent::Left { departure } => match departure {
                QuitReason::Quit => 0,
                QuitReason::Message(reason) | QuitReason::Killed(reason) => reason.len(),
                QuitReason::Error(reason) => reason.len(),
            },
            StoredEvent::TopicSet { text } => text.len(),
            StoredEvent::RoomRenamed { reason, .. } => limits::ROOM_LENGTH + text(reason),
            StoredEvent::ModesSet { changes } => changes.len() * limits::MASK_LENGTH,
            StoredEvent::Reacted { text: reaction, tags, .. } => reaction.len() + text(tags),
            StoredEvent::Tagged { tags, .. } => limits::ROOM_LENGTH + tags.len(),
        };
        own + limits::NICK_LENGTH + self.who.label.len()
    }

    /// The message that it is about, and is forgotten with.
    pub fn about(&self) -> Option<RecordId> {
        match &self.what {
            StoredEvent::Reacted { message, .. } => Some(*message),
            _ => None,
        }
    }
}
