//! Kinds of messages, and references between them.

use super::ids::RecordId;
use super::name::Name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The kind of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An ordinary message.
    #[default]
    Message,
    /// `/me` does something (CTCP ACTION).
    Action,
    /// A message that programs do not reply to (IRC's NOTICE).
    Notice,
}

/// Where a line of a multiline text continues one that the client split: byte offsets into the
/// text, rising. An IRC client splits a long line where it likes, and others receive it split in
/// the same places. An offset outside the text is ignored.
pub type Continuations = Arc<[u32]>;

/// A message that another record is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reference {
    /// Its id.
    pub id: RecordId,
    /// Its number in its room.
    pub number: u64,
    /// The first message of its thread: itself, if it is not a reply.
    pub root: RecordId,
    pub from: Name,
    /// The sender's account.
    #[serde(default)]
    pub account: Option<Name>,
}

/// The message that a reply refers to, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Quoted {
    /// Its id.
    pub id: RecordId,
    /// Its number.
    pub number: u64,
    /// The first message of the thread.
    pub root: RecordId,
    pub from: Name,
    /// Its text, if it is recent and has not been deleted; untruncated, since each session has its
    /// own limit.
    #[serde(default)]
    pub text: Option<Arc<str>>,
}
