//! What of a room's life, besides what is said in it, is worth keeping for those who look back:
//! who came and went, what it was called and about.
//!
//! Only who asks for it is shown it ([`Query::events`](super::Query)). Room keys are not in it: a
//! key that was changed is nobody's business any more.

use super::record::QuitReason;
use crate::chat::model::identity::Identity;
use crate::chat::model::ids::{RecordId, Stamp};
use crate::chat::model::modes::ModeChange;
use crate::chat::model::name::Name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
}
