//! Which modes have a room and a person, and what are their letters?
//!
//! Who may change them is decided in `moderation` and `presence`. The names of the variants are in
//! the journal, as those of a record are: never renamed. Absent: how a dialect writes them down.

use super::name::Name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A room's switches and bounds.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Modes {
    /// The switches that are on.
    pub flags: BTreeSet<Flag>,
    /// The word to know.
    pub key: Option<Arc<str>>,
    /// How many may be in.
    pub limit: Option<u32>,
}

impl Modes {
    /// Whether a switch is on.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }
}

/// One change of a room's modes; the letters are IRC's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeChange {
    /// A switch.
    Flag(Flag, bool),
    /// `k`: a word to know; `None` takes it off.
    Key(Option<Arc<str>>),
    /// `l`: how many may be in; `None` takes it off.
    Limit(Option<u32>),
    /// `b`: a mask, on or off the list.
    Ban(String, bool),
    /// `e`: a mask whom no ban keeps out.
    Except(String, bool),
    /// `I`: a mask who needs no invitation.
    Invitable(String, bool),
    /// `o`: a member may moderate.
    Op(Name, bool),
    /// `v`: a member may speak when the room is moderated.
    Voice(Name, bool),
}

/// A switch of a room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// `i`: only who is invited gets in.
    InviteOnly,
    /// `t`: only ops set the topic.
    TopicLocked,
    /// `m`: only ops and the voiced speak.
    Moderated,
    /// `n`: only members speak.
    NoExternal,
    /// `s`: others do not see the room.
    Secret,
}

impl Flag {
    /// All of them.
    pub const ALL: [Flag; 5] =
        [Flag::InviteOnly, Flag::Moderated, Flag::NoExternal, Flag::Secret, Flag::TopicLocked];

    /// Its letter in IRC.
    pub fn letter(self) -> char {
        match self {
            Flag::InviteOnly => 'i',
            Flag::TopicLocked => 't',
            Flag::Moderated => 'm',
            Flag::NoExternal => 'n',
            Flag::Secret => 's',
        }
    }
}

/// What somebody is, by their own word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserMode {
    /// `i`: not to be found by who shares no room with them.
    Invisible,
    /// `w`: wants to hear the operators' words.
    Wallops,
    /// `B`: a program.
    Bot,
    /// `o`: a server operator; can only be given up.
    Operator,
}

impl UserMode {
    /// All of them, in the order of their letters.
    pub const ALL: [UserMode; 4] =
        [UserMode::Bot, UserMode::Invisible, UserMode::Operator, UserMode::Wallops];

    /// Its letter in IRC.
    pub fn letter(self) -> char {
        match self {
            UserMode::Invisible => 'i',
            UserMode::Wallops => 'w',
            UserMode::Bot => 'B',
            UserMode::Operator => 'o',
        }
    }
}
