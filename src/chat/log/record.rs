//! The record: one for every change of the chat, in one order for all.
//!
//! Variants and fields are names in a journal that outlives this program: they may be added to
//! (new fields with `#[serde(default)]`), never renamed. A plain password is in none of them.
//!
//! A record is what a user was allowed to do at the time of the decision; the hub checks again when
//! it applies it, because other records came in between. So the index of messages is fed with what
//! the hub made of a record ([`Effect::entries`](crate::chat::Effect::entries)), not with the record: a
//! rejected message was never sent.

use super::stored_file::StoredFile;
use crate::chat::model::{
    Continuations, Flag, Kind, Metadata, ModeChange, Moment, Name, PasswordHash, RecordId,
    Reference, ScramKeys, SessionId, UserMode, host_of,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One change, as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the order.
    pub id: RecordId,
    /// The record's time.
    pub time: Moment,
    /// The acting session.
    pub origin: SessionId,
    pub change: Change,
}

/// A change. "The origin" is the record's [`origin`](Record::origin).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A node has started, and its previous sessions are over. Rooms keep the ops who were logged
    /// in.
    Restarted { node: u16 },
    /// The origin has connected.
    Enter(Box<Entry>),
    /// The origin has disconnected.
    Leave { departure: QuitReason },
    /// The origin takes another name.
    Nick { nick: Name },
    /// The origin is away, or back: without a message.
    Away { message: Option<Arc<str>> },
    /// The origin ignores a user, or stops doing so.
    Ignore { nick: Name, on: bool },
    /// The origin joins a room, which is created if it does not exist.
    Join {
        room: Name,
        /// If it is created and the origin is logged in, it stays without members, until it lapses.
        #[serde(default, skip_serializing_if = "is_false")]
        registers: bool,
        /// The modes of the room that it creates, if they are not the usual ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        modes: Option<BTreeSet<Flag>>,
    },
    /// A registered room is deleted if no one has been in it since a moment. From no session.
    Lapse { room: Name, before: Moment },
    /// The origin leaves a room.
    Part { room: Name, reason: Option<Arc<str>> },
    /// The origin sets a topic; empty clears it.
    Topic { room: Name, text: Arc<str> },
    /// The origin invites a user.
    Invite {
        room: Name,
        nick: Name,
        /// Whether that opens the room, or is a message only. In records of earlier versions every
        /// invitation did.
        #[serde(default = "yes", skip_serializing_if = "is_true")]
        opens: bool,
    },
    /// The origin gives a room another name.
    RenameRoom { room: Name, to: Name, reason: Option<Arc<str>> },
    /// A server operator keeps a room alive without members, or no longer.
    Keep { room: Name, on: bool },
    /// The origin sends a message to a room.
    Say {
        room: Name,
        /// In which manner.
        kind: Kind,
        /// One line, or several separated by newlines. It is sanitised when it is shown on a
        /// terminal.
        text: Arc<str>,
        /// The message that it replies to.
        reply_to: Option<Reference>,
        /// Client-only IRC tags, as received.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tags: Option<Arc<str>>,
        /// Only to those who have at least this: `@` op, `+` voice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<char>,
        /// Where a split line continues: see [`Continuations`].
        #[serde(rename = "joints", default, skip_serializing_if = "Option::is_none")]
        continuations: Option<Continuations>,
    },
    /// The origin sends a direct message to a user or account.
    Tell {
        to: Name,
        /// In which manner.
        kind: Kind,
        /// The line, or lines.
        text: Arc<str>,
        /// Client-only IRC tags, as received.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tags: Option<Arc<str>>,
        /// Where a split line continues: see [`Continuations`].
        #[serde(rename = "joints", default, skip_serializing_if = "Option::is_none")]
        continuations: Option<Continuations>,
    },
    /// The origin sends tags without a text, which are not stored.
    Tag {
        /// To which room or nick.
        to: Name,
        /// The tags, as received.
        tags: Arc<str>,
        /// Only to those who have at least this: `@` op, `+` voice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<char>,
    },
    /// The origin reacts to a message, or takes it back.
    React {
        room: Name,
        /// To which.
        message: Reference,
        /// With what.
        text: Arc<str>,
        on: bool,
        /// Client-only IRC tags, as received, if it was sent with any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tags: Option<Arc<str>>,
    },
    /// A message gets another text. The journal replaces the old one everywhere, in the record
    /// that brought it, too.
    Edit { room: Name, message: Reference, text: Arc<str> },
    /// A message is deleted. The journal erases its text everywhere, in the record that brought
    /// it and in those that edited it, too.
    Delete {
        room: Name,
        message: Reference,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
    },
    /// The origin deletes a direct message it has sent.
    TakeBack {
        to: Name,
        id: RecordId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
    },
    /// The origin has another real name.
    RealName { text: Arc<str> },
    /// The origin changes its own user modes.
    UserModes { changes: Vec<(UserMode, bool)> },
    /// A server operator sends a message to the users who have set `w`.
    Wallops { text: Arc<str> },
    /// The origin sets metadata of a user or a room: one key, or all of them; without a value it
    /// removes it.
    Metadata { target: Name, key: Option<Arc<str>>, value: Option<Arc<str>> },
    /// The origin has read a room, or what a nick has sent, until the message of this time.
    ReadMarker { target: Name, time: Moment },
    /// The origin's nick becomes an account.
    Register {
        /// Its name.
        account: Name,
        /// The password's hash.
        hash: PasswordHash,
        /// The SCRAM keys of the password.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scram: Option<ScramKeys>,
    },
    /// The origin has logged in to an account.
    Login {
        account: Name,
        /// As of which record it was proved ([`Claim`](crate::chat::model::Claim)). Records of earlier
        /// versions do not say so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        as_of: Option<RecordId>,
    },
    /// The origin has failed to log in to this account (`?` and four digits if there is none), from this
    /// address. No longer written, but old records have it.
    LoginFailed { account: Name, host: Arc<str> },
    /// The origin no longer acts for its account.
    Logout {
        /// It also gives up the account's nick. Records of earlier versions do not say so, and mean
        /// what they meant.
        #[serde(default, skip_serializing_if = "is_false")]
        renames: bool,
    },
    /// The origin's account gets another password.
    Password {
        /// Its name.
        account: Name,
        /// The new password's hash.
        hash: PasswordHash,
        /// The SCRAM keys of the new password.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scram: Option<ScramKeys>,
        /// The account's other sessions are logged out. Not so in records of earlier versions.
        #[serde(default, skip_serializing_if = "is_false")]
        alone: bool,
    },
    /// An account gets a password from a server operator, or from the command line of a server that
    /// does not run: then the origin is no session. Its sessions are logged out.
    AccountSet {
        /// Its name.
        account: Name,
        /// The password's hash.
        hash: PasswordHash,
        /// The SCRAM keys of the password.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scram: Option<ScramKeys>,
        /// The account is made by this.
        new: bool,
    },
    /// A server operator deletes an account, and if `erases`, everything that it has written. The
    /// journal erases the texts everywhere.
    AccountDeleted { account: Name, erases: bool },
    /// A session, perhaps not yet registered, has logged in with the password of an account that
    /// had no SCRAM keys because it was created by an older version. The password fitted this hash: if
    /// the account has another one by now, these are the keys of an old password.
    ScramKeys { account: Name, hash: PasswordHash, keys: ScramKeys },
    /// The origin's account knows one more certificate, or one less, by its SHA-256 in lower case
    /// hexadecimal digits.
    Certificate { fingerprint: Arc<str>, on: bool },
    /// The origin changes modes of a room, in this order.
    Modes { room: Name, changes: Vec<ModeChange> },
    /// The origin puts a member out.
    Kick { room: Name, nick: Name, reason: Option<Arc<str>> },
    /// The origin has become a server operator, by this name.
    Oper { name: Arc<str> },
    /// A server operator disconnects a user.
    Kill { nick: Name, reason: Option<Arc<str>> },
    /// A server operator keeps an address or account out, until then or permanently.
    Ban { target: BanTarget, reason: Option<Arc<str>>, until: Option<Moment> },
    /// A server operator lifts a ban.
    Unban { target: BanTarget },
    /// A server operator sends a message to all users.
    Announce { text: Arc<str> },
    /// A file was uploaded, and its bytes are kept. Its origin is the upload's connection, which is
    /// no user.
    Upload { file: Box<StoredFile> },
    /// A file is deleted: by the origin, or by the server because it is too old.
    DeleteFile { id: Arc<str> },
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_true(value: &bool) -> bool {
    *value
}

fn yes() -> bool {
    true
}

impl Change {
    /// The room whose memory the change may take or free, and whether that is more than one new
    /// message.
    pub fn weighs_on(&self) -> Option<(&Name, bool)> {
        match self {
            Change::Say { room, .. } => Some((room, false)),
            Change::Join { room, .. }
            | Change::Topic { room, .. }
            | Change::React { room, .. }
            | Change::Edit { room, .. }
            | Change::Delete { room, .. }
            | Change::Modes { room, .. } => Some((room, true)),
            Change::Metadata { target, .. } => Some((target, true)),
            // The lobby counts as well, but no one has created it; a new name is as long as the
            // last one, about; and a room that is gone is no longer counted. The tests count all
            // rooms anew after each command, so a change that is missing above is found.
            _ => None,
        }
    }

    /// Whether it adds a text to a room that stays there: a topic, a mask, metadata.
    pub fn adds_to_room(&self) -> bool {
        match self {
            Change::Topic { text, .. } => !text.is_empty(),
            Change::Modes { changes, .. } => changes.iter().any(ModeChange::adds_mask),
            Change::Metadata { target, value, .. } => {
                value.is_some() && target.as_str().starts_with('#')
            }
            _ => false,
        }
    }

    /// The approximate number of bytes that it takes to store or deliver: its text and some
    /// overhead.
    pub fn size(&self) -> usize {
        /// Names, numbers, and the text around a message.
        const REST: usize = 64;
        let text = match self {
            // Every line carries its sender, and some carry nothing else.
            Change::Say { text, continuations, .. } | Change::Tell { text, continuations, .. } => {
                // Nearly every text is one line, and that is seen sooner than counted.
                let ends = memchr::memchr(b'\n', text.as_bytes())
                    .map_or(0, |_| memchr::memchr_iter(b'\n', text.as_bytes()).count());
                text.len()
                    + REST
                        * (ends
                            + continuations.as_ref().map_or(0, |continuations| continuations.len()))
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

/// A user who connects.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// The peer's address and port: what the classic style shows until a name is taken.
    pub label: Arc<str>,
    /// The requested nick (an IRC client registers with one). Without one, or if it is no longer
    /// available, the user becomes a guest: check [`Hub::nick_is_free`](crate::chat::Hub::nick_is_free)
    /// first.
    pub nick: Option<Name>,
    /// The user name that an IRC client gives.
    pub username: Option<Arc<str>>,
    /// The real name that an IRC client gives.
    pub realname: Option<Arc<str>>,
    /// The account it logged in to before registering.
    pub account: Option<Name>,
    /// As of which record that was proved. Records of earlier versions do not say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<RecordId>,
    /// Whether it starts in the lobby.
    pub lobby: bool,
    /// Whether the lobby's bans and modes apply to that. Records of earlier versions do not say so.
    #[serde(skip_serializing_if = "is_false")]
    pub restricted: bool,
    /// Whether it is the operator console.
    pub console: bool,
    /// Whether to reject it rather than connect it under another name.
    pub named_only: bool,
    /// Its initial metadata.
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

/// How a user quit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuitReason {
    /// The user quit or closed the connection.
    Quit,
    /// Left with this message.
    #[serde(rename = "said")]
    Message(Arc<str>),
    /// The connection failed or was dropped by the server: the reason.
    Error(String),
    /// A server operator disconnected the user: who, and why.
    Killed(Arc<str>),
}

/// The target of a server ban.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BanTarget {
    /// Addresses, with `*` and `?`.
    Address(String),
    /// An account.
    Account(Name),
}
