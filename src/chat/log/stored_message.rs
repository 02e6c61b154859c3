//! What of a chat is worth searching later: messages, as the journal keeps them for history.
//!
//! The hub, not the record, says what a message is: it gives the number, and it leaves out what it
//! refused. The journal takes [`Effect::entries`] of every effect, in order, and answers
//! [`Query`](super::Query)s from what it has taken.

use crate::chat::model::identity::Identity;
use crate::chat::model::ids::{Moment, RecordId, SessionId};
use crate::chat::model::message::{Joints, Kind, Quoted};
use crate::chat::model::name::Name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A message that was delivered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Its id: rises with time, and is never used twice.
    pub id: RecordId,
    /// When.
    pub time: Moment,
    /// Where, or to whom.
    pub target: Target,
    /// Its number in its room; 0 for a private one.
    pub number: u64,
    /// Who.
    pub from: Name,
    /// By which account.
    pub account: Option<Name>,
    /// IRC's user name, if the author gave one.
    #[serde(default)]
    pub username: Option<Arc<str>>,
    /// From which address, without the port; `None` in what was kept before this was.
    #[serde(default)]
    pub host: Option<Arc<str>>,
    /// Whether by a program, by its own word.
    #[serde(default)]
    pub bot: bool,
    /// How.
    pub kind: Kind,
    /// What.
    pub text: Arc<str>,
    /// IRC's tags between clients, as they came.
    #[serde(default)]
    pub tags: Option<Arc<str>>,
    /// Where a line goes on that came as two.
    #[serde(default)]
    pub joints: Option<Joints>,
    /// What it answers. When handed back, its text is what that message says now.
    pub reply: Option<Quoted>,
    /// Whether its text was changed.
    #[serde(default)]
    pub edited: bool,
    /// What people put on it, and how many of them.
    #[serde(default)]
    pub reactions: Vec<(Arc<str>, u32)>,
}

impl StoredMessage {
    /// Nothing yet, said by somebody.
    pub(in crate::chat) fn by(who: &Identity) -> StoredMessage {
        StoredMessage {
            id: RecordId(0),
            time: Moment(0),
            target: Target::Room(Name::lobby()),
            number: 0,
            from: who.nick.clone(),
            account: who.account.clone(),
            username: who.username.clone(),
            host: Some(who.host().into()),
            bot: who.bot,
            kind: Kind::Message,
            text: "".into(),
            tags: None,
            joints: None,
            reply: None,
            edited: false,
            reactions: Vec::new(),
        }
    }

    /// Who said it, as they were then.
    pub fn author(&self) -> Identity {
        Identity {
            session: SessionId::default(),
            nick: self.from.clone(),
            named: true,
            // With a port, for an IPv6 address has colons of its own.
            label: self.host.as_ref().map(|host| format!("{host}:0").into()).unwrap_or_default(),
            username: self.username.clone(),
            realname: None,
            account: self.account.clone(),
            bot: self.bot,
        }
    }
}

/// Where something was said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// In a room.
    Room(Name),
    /// To one person.
    Private {
        /// Whom.
        to: Name,
        /// Their account, without which nobody can ask for it later.
        account: Option<Name>,
    },
}
