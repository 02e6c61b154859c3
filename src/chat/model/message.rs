//! What a message is, and how another refers to it.

use super::ids::RecordId;
use super::name::Name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The manner in which something is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// As a person speaks.
    #[default]
    Message,
    /// `/me` does something (CTCP ACTION).
    Action,
    /// By a program, not to be answered by another (IRC's NOTICE).
    Notice,
}

/// Where in a text of several lines one line goes on that came as two: bytes from the start, rising.
/// An IRC client cuts a long line in places that it likes, and others are shown the same ones. A
/// number that is no place in the text is nothing.
pub type Joints = Arc<[u32]>;

/// A message that another record is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reference {
    /// Its id.
    pub id: RecordId,
    /// Its number in its room.
    pub number: u64,
    /// The first message of the thread it is in: itself, if it answers none.
    pub root: RecordId,
    /// Who said it.
    pub from: Name,
    /// The account that said it.
    #[serde(default)]
    pub account: Option<Name>,
}

/// The message that another answers, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Quoted {
    /// Its id.
    pub id: RecordId,
    /// Its number.
    pub number: u64,
    /// The first message of the thread.
    pub root: RecordId,
    /// Who said it.
    pub from: Name,
    /// What it said, if it is among the recent ones and was not deleted. Whole: a session shows
    /// what it has space for.
    #[serde(default)]
    pub text: Option<Arc<str>>,
}
