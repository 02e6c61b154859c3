//! The modes of rooms and users, and their letters.
//!
//! Permission to change them is decided in `moderation` and `presence`. The names of the variants
//! are part of the record format and are never renamed. Absent: how a protocol writes them.

use super::name::Name;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A room's switches and bounds.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Modes {
    /// The switches that are on.
    pub flags: BTreeSet<Flag>,
    /// The key required to join.
    pub key: Option<Arc<str>>,
    /// The maximum number of members.
    pub limit: Option<u32>,
}

impl Modes {
    /// What rooms usually want: `+nt`.
    pub fn usual() -> Modes {
        let flags = BTreeSet::from([Flag::NoExternal, Flag::TopicLocked]);
        Modes { flags, ..Modes::default() }
    }

    /// Whether a flag is set.
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
    /// `k`: the key; `None` removes it.
    Key(Option<Arc<str>>),
    /// `l`: how many may be in; `None` takes it off.
    Limit(Option<u32>),
    /// `b`: a mask, on or off the list.
    Ban(String, bool),
    /// `e`: a mask that is exempt from bans.
    Except(String, bool),
    /// `I`: a mask who needs no invitation.
    Invitable(String, bool),
    /// `o`: a member may moderate.
    Op(Name, bool),
    /// `v`: a member may speak while the room is moderated.
    Voice(Name, bool),
}

impl ModeChange {
    /// Whether it adds a mask to a list.
    pub fn adds_mask(&self) -> bool {
        use ModeChange::{Ban, Except, Invitable};
        matches!(self, Ban(_, true) | Except(_, true) | Invitable(_, true))
    }

    /// Whether it sets or unsets its mode, the mode's letter, and the argument.
    pub fn parts(&self) -> (bool, char, Option<Cow<'_, str>>) {
        match self {
            ModeChange::Flag(flag, on) => (*on, flag.letter(), None),
            ModeChange::Key(key) => (key.is_some(), 'k', key.as_deref().map(Cow::from)),
            ModeChange::Limit(limit) => {
                (limit.is_some(), 'l', limit.map(|limit| limit.to_string().into()))
            }
            ModeChange::Ban(mask, on) => (*on, 'b', Some(mask.into())),
            ModeChange::Except(mask, on) => (*on, 'e', Some(mask.into())),
            ModeChange::Invitable(mask, on) => (*on, 'I', Some(mask.into())),
            ModeChange::Op(nick, on) => (*on, 'o', Some(nick.as_str().into())),
            ModeChange::Voice(nick, on) => (*on, 'v', Some(nick.as_str().into())),
        }
    }
}

/// `+k sesame`, as IRC writes it.
impl fmt::Display for ModeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (on, letter, argument) = self.parts();
        write!(f, "{}{letter}", if on { '+' } else { '-' })?;
        argument.map_or(Ok(()), |argument| write!(f, " {argument}"))
    }
}

/// A switch of a room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// `i`: only who is invited gets in.
    InviteOnly,
    /// `t`: only ops set the topic.
    TopicLocked,
    /// `m`: only ops and voiced members can speak.
    Moderated,
    /// `n`: only members can speak.
    NoExternal,
    /// `s`: others do not see the room.
    Secret,
    /// `C`: no requests between clients (CTCP).
    NoCtcp,
}

impl Flag {
    /// All of them.
    pub const ALL: [Flag; 6] = [
        Flag::NoCtcp,
        Flag::InviteOnly,
        Flag::Moderated,
        Flag::NoExternal,
        Flag::Secret,
        Flag::TopicLocked,
    ];

    /// Its letter in IRC.
    pub fn letter(self) -> char {
        match self {
            Flag::InviteOnly => 'i',
            Flag::TopicLocked => 't',
            Flag::Moderated => 'm',
            Flag::NoExternal => 'n',
            Flag::Secret => 's',
            Flag::NoCtcp => 'C',
        }
    }
}

/// A mode that a user sets on themselves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserMode {
    /// `i`: not to be found by who shares no room with them.
    Invisible,
    /// `w`: receives WALLOPS.
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
