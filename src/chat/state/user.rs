//! One connected user.
//!
//! The identity is in [`identity`](crate::chat::Identity), and what belongs to an account is in
//! `accounts`, which outlives the session. The rest is here and lasts for the session.

use super::room_list::RoomList;
use crate::chat::model::{Identity, Metadata, Moment, Name, ReadMarkers, RecordId, UserMode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A connected user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct User {
    pub identity: Arc<Identity>,
    /// The time of connecting.
    pub since: Moment,
    /// The time of the user's last record.
    pub last: Moment,
    /// The rooms they are in, in the order of joining.
    pub(in crate::chat) rooms: RoomList,
    /// How often the identity has changed.
    #[serde(default)]
    pub(in crate::chat) name_changes: u32,
    /// What most users do not need: thousands of idle users do not pay for it.
    pub(in crate::chat) extras: Option<Box<Extras>>,
}

/// The rarely used part of a user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::chat) struct Extras {
    pub(in crate::chat) away: Option<Arc<str>>,
    /// The name by which they are server operator.
    pub(in crate::chat) operator: Option<Arc<str>>,
    pub(in crate::chat) ignores: Vec<Name>,
    /// Rooms that an operator's invitation opens for them, each with the record that created it.
    pub(in crate::chat) invites: Vec<(Name, RecordId)>,
    /// The sender of the last direct message.
    pub(in crate::chat) correspondent: Option<Name>,
    /// Not to be found by who shares no room with them.
    #[serde(default)]
    pub(in crate::chat) invisible: bool,
    #[serde(default)]
    pub(in crate::chat) wallops: bool,
    /// The direct message partners of a user without an account and the time of the last message.
    /// At most `limits::PARTNERS_PER_ACCOUNT`.
    #[serde(default)]
    pub(in crate::chat) partners: Vec<(Name, Moment)>,
    /// A guest's metadata; a user who is logged in has the account's.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub(in crate::chat) metadata: Metadata,
    /// A guest's read markers; a user who is logged in has the account's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::chat) markers: ReadMarkers,
}

impl Extras {
    const NONE: Extras = Extras {
        away: None,
        operator: None,
        ignores: Vec::new(),
        invites: Vec::new(),
        correspondent: None,
        invisible: false,
        wallops: false,
        partners: Vec::new(),
        metadata: Metadata::new(),
        markers: Vec::new(),
    };
}

impl User {
    /// The identity, to change it. Earlier messages keep the old one.
    pub(in crate::chat) fn identity_mut(&mut self) -> &mut Identity {
        self.name_changes = self.name_changes.wrapping_add(1);
        Arc::make_mut(&mut self.identity)
    }

    pub(in crate::chat) fn extras(&self) -> &Extras {
        static NONE: Extras = Extras::NONE;
        self.extras.as_deref().unwrap_or(&NONE)
    }

    pub(in crate::chat) fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_with(|| Box::new(Extras::NONE))
    }

    pub fn away(&self) -> Option<&Arc<str>> {
        self.extras().away.as_ref()
    }

    pub fn is_operator(&self) -> bool {
        self.operator().is_some()
    }

    /// By which name they are a server operator.
    pub fn operator(&self) -> Option<&Arc<str>> {
        self.extras().operator.as_ref()
    }

    /// Whether the user has this mode.
    pub fn is(&self, mode: UserMode) -> bool {
        match mode {
            UserMode::Invisible => self.extras().invisible,
            UserMode::Wallops => self.extras().wallops,
            UserMode::Bot => self.identity.bot,
            UserMode::Operator => self.is_operator(),
        }
    }

    /// The rooms that an invitation opens for them, each with the record that created it.
    pub fn invites(&self) -> &[(Name, RecordId)] {
        &self.extras().invites
    }

    /// The rooms they are in.
    pub fn rooms(&self) -> &[Name] {
        &self.rooms
    }
}
