//! What is written down: one record for every change of the chat, in one order for all.
//!
//! Variants and fields are names in a journal that outlives this program: they may be added to
//! (new fields with `#[serde(default)]`), never renamed. A plain password is in none of them.
//!
//! A record is what somebody was allowed to do when it was decided; the hub looks again when it
//! applies it, because others' records came in between. So the journal's index of messages is fed
//! with what the hub made of a record ([`Effect::entries`](super::Effect::entries)), not with the
//! record: what was refused was never said.

use crate::chat::model::identity::host_of;
use crate::chat::model::ids::{Moment, RecordId, SessionId};
use crate::chat::model::message::{Joints, Kind, Reference};
use crate::chat::model::metadata::Metadata;
use crate::chat::model::modes::{ModeChange, UserMode};
use crate::chat::model::name::Name;
use crate::chat::model::secret::{PasswordHash, ScramKeys};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One change, as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the order.
    pub id: RecordId,
    /// When it was written down.
    pub time: Moment,
    /// Whose doing it was.
    pub origin: SessionId,
    /// What changed.
    pub change: Change,
}

/// What can change. "The origin" is the record's [`origin`](Record::origin).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A node has started: its sessions of before are over. Rooms wait for their people.
    Restarted {
        /// Which one.
        node: u16,
    },
    /// The origin has come in.
    Enter(Entry),
    /// The origin has gone.
    Leave {
        /// How.
        departure: QuitReason,
    },
    /// The origin takes a name.
    Nick {
        /// The new one.
        nick: Name,
    },
    /// The origin is away, or back.
    Away {
        /// Why; `None` is back.
        message: Option<Arc<str>>,
    },
    /// The origin ignores somebody, or no longer.
    Ignore {
        /// Whom.
        nick: Name,
        /// Whether.
        on: bool,
    },
    /// The origin enters a room, and opens it if there is none.
    Join {
        /// Which.
        room: Name,
    },
    /// The origin leaves a room.
    Part {
        /// Which.
        room: Name,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// The origin sets a topic; empty clears it.
    Topic {
        /// Where.
        room: Name,
        /// To what.
        text: Arc<str>,
    },
    /// The origin invites somebody.
    Invite {
        /// Where to.
        room: Name,
        /// Whom.
        nick: Name,
    },
    /// The origin gives a room another name.
    RenameRoom {
        /// Which.
        room: Name,
        /// The new one.
        to: Name,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// A server operator keeps a room alive without members, or no longer.
    Keep {
        /// Which.
        room: Name,
        /// Whether.
        on: bool,
    },
    /// The origin says something in a room.
    Say {
        /// Where.
        room: Name,
        /// In which manner.
        kind: Kind,
        /// One line without its end, or several with a newline between each two. Who shows it on
        /// a terminal makes it harmless.
        text: Arc<str>,
        /// The message it answers.
        reply_to: Option<Reference>,
        /// IRC's tags between clients, as they came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tags: Option<Arc<str>>,
        /// Only to those who have at least this: `@` op, `+` voice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<char>,
        /// Where in the text a line went on that came in several: see [`Joints`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        joints: Option<Joints>,
    },
    /// The origin says something to one person or account.
    Tell {
        /// Whom.
        to: Name,
        /// In which manner.
        kind: Kind,
        /// The line, or lines.
        text: Arc<str>,
        /// IRC's tags between clients, as they came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tags: Option<Arc<str>>,
        /// Where in the text a line went on that came in several: see [`Joints`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        joints: Option<Joints>,
    },
    /// The origin sends tags without a text, which nobody keeps.
    Tag {
        /// To which room or nick.
        to: Name,
        /// The tags, as they came.
        tags: Arc<str>,
        /// Only to those who have at least this: `@` op, `+` voice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<char>,
    },
    /// The origin reacts to a message, or takes it back.
    React {
        /// Where.
        room: Name,
        /// To which.
        message: Reference,
        /// With what.
        text: Arc<str>,
        /// Whether.
        on: bool,
        /// IRC's tags between clients, as they came, if that is how.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tags: Option<Arc<str>>,
    },
    /// A message gets another text. The journal replaces the old one everywhere, in the record
    /// that brought it, too.
    Edit {
        /// Where.
        room: Name,
        /// Which.
        message: Reference,
        /// The new text.
        text: Arc<str>,
    },
    /// A message is deleted. The journal erases its text everywhere, in the record that brought
    /// it and in those that edited it, too.
    Delete {
        /// Where.
        room: Name,
        /// Which.
        message: Reference,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
    },
    /// The origin takes back what it said to one person.
    TakeBack {
        /// To whom.
        to: Name,
        /// Which.
        id: RecordId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
    },
    /// The origin has another real name.
    RealName {
        /// The new one.
        text: Arc<str>,
    },
    /// The origin changes what it is itself.
    UserModes {
        /// What, and whether.
        changes: Vec<(UserMode, bool)>,
    },
    /// A server operator says something to those who want to hear it.
    Wallops {
        /// What.
        text: Arc<str>,
    },
    /// The origin says something of a person or a room, for programs to read.
    Metadata {
        /// Which room or nick.
        target: Name,
        /// Under which key; `None` is all of them.
        key: Option<Arc<str>>,
        /// What; `None` removes it.
        value: Option<Arc<str>>,
    },
    /// The origin has read until here.
    ReadMarker {
        /// In which room, or of which nick.
        target: Name,
        /// The time of the last message that was read.
        time: Moment,
    },
    /// The origin's nick becomes an account.
    Register {
        /// Its name.
        account: Name,
        /// The password's hash.
        hash: PasswordHash,
        /// What SCRAM needs of the password.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scram: Option<ScramKeys>,
    },
    /// The origin has proved to own an account.
    Login {
        /// Which.
        account: Name,
    },
    /// The origin has proved nothing.
    LoginFailed {
        /// Which account it named; `?` and four digits if there is none of that name.
        account: Name,
        /// From which address.
        host: Arc<str>,
    },
    /// The origin no longer acts for its account.
    Logout,
    /// The origin's account gets another password.
    Password {
        /// Its name.
        account: Name,
        /// The new password's hash.
        hash: PasswordHash,
        /// What SCRAM needs of the new password.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scram: Option<ScramKeys>,
    },
    /// Somebody, who may not have come in yet, has shown the password of an account that had no
    /// keys for SCRAM: it was made before there were any.
    ScramKeys {
        /// Its name.
        account: Name,
        /// The hash that the password fitted. If the account has another one by now, these are
        /// the keys of an old password.
        hash: PasswordHash,
        /// The keys.
        keys: ScramKeys,
    },
    /// The origin changes modes of a room.
    Modes {
        /// Which.
        room: Name,
        /// How, in this order.
        changes: Vec<ModeChange>,
    },
    /// The origin puts a member out.
    Kick {
        /// From which room.
        room: Name,
        /// Whom.
        nick: Name,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// The origin has proved to be a server operator.
    Oper {
        /// By which name.
        name: Arc<str>,
    },
    /// A server operator ends somebody's session.
    Kill {
        /// Whose.
        nick: Name,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// A server operator keeps an address or account out.
    Ban {
        /// Which.
        target: BanTarget,
        /// Why.
        reason: Option<Arc<str>>,
        /// Until when; `None` is for ever.
        until: Option<Moment>,
    },
    /// A server operator lifts a ban.
    Unban {
        /// Whose.
        target: BanTarget,
    },
    /// A server operator says something to everyone.
    Announce {
        /// What.
        text: Arc<str>,
    },
}

impl Change {
    /// About how many bytes it takes to keep or to tell: its text, and a little for the rest.
    pub fn size(&self) -> usize {
        /// Names, numbers, and what is said around a text.
        const REST: usize = 64;
        let text = match self {
            // Every line bears who says it, and some bear no more.
            Change::Say { text, joints, .. } | Change::Tell { text, joints, .. } => {
                let ends = memchr::memchr_iter(b'\n', text.as_bytes()).count();
                text.len() + REST * (ends + joints.as_ref().map_or(0, |joints| joints.len()))
            }
            Change::Edit { text, .. } | Change::Topic { text, .. } | Change::Announce { text } => {
                text.len()
            }
            Change::Metadata { value: Some(value), .. } => value.len(),
            _ => 0,
        };
        text + REST
    }
}

/// Who comes in, and how.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// The peer's address and port: what the classic style shows until a name is taken.
    pub label: Arc<str>,
    /// The name it wants (an IRC client registers with one). If it has none, or cannot have this
    /// one by now, it is a guest: ask [`Hub::nick_is_free`](super::Hub::nick_is_free) before.
    pub nick: Option<Name>,
    /// The user name that an IRC client gives.
    pub username: Option<Arc<str>>,
    /// The real name that an IRC client gives.
    pub realname: Option<Arc<str>>,
    /// The account it has proved to own before it came in.
    pub account: Option<Name>,
    /// Whether it starts in the lobby.
    pub lobby: bool,
    /// Whether it is the console of the server's operator.
    pub console: bool,
    /// Whether it would rather not come in than under another name.
    pub named_only: bool,
    /// What it has said of itself for programs.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl Entry {
    /// The address without the port and without an IPv6 address's brackets; the whole label if
    /// it has no port.
    pub fn host(&self) -> &str {
        host_of(&self.label)
    }
}

/// How somebody left.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuitReason {
    /// Said goodbye, or closed the connection in good order.
    Quit,
    /// Left with this message.
    #[serde(rename = "said")]
    Message(Arc<str>),
    /// The connection broke, or the server had to drop it: why, in a few words.
    Error(String),
    /// A server operator ended it: who, and why.
    Killed(Arc<str>),
}

/// Whom a server-wide ban keeps out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BanTarget {
    /// Addresses, with `*` and `?`.
    Address(String),
    /// An account.
    Account(Name),
}
