//! What is known of one person who is there?
//!
//! Who they are is in [`identity`](super::Identity), and what belongs to an account in `accounts`: it
//! stays when they leave. The rest is here and ends with the session.

use crate::chat::model::identity::Identity;
use crate::chat::model::ids::{Moment, RecordId};
use crate::chat::model::metadata::Metadata;
use crate::chat::model::modes::UserMode;
use crate::chat::model::name::Name;
use crate::chat::model::read_markers::ReadMarkers;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One person who is there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct User {
    /// Who they are.
    pub identity: Arc<Identity>,
    /// When they came.
    pub since: Moment,
    /// When they last did something that was written down.
    pub last: Moment,
    /// The rooms they are in, in the order of joining.
    pub(in crate::chat) rooms: Vec<Name>,
    /// What most people have nothing of: idle thousands do not pay for it.
    pub(in crate::chat) extras: Option<Box<Extras>>,
}

/// What few have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::chat) struct Extras {
    /// Why they are away.
    pub(in crate::chat) away: Option<Arc<str>>,
    /// The name by which they are server operator.
    pub(in crate::chat) operator: Option<Arc<str>>,
    pub(in crate::chat) ignores: Vec<Name>,
    /// Rooms they may enter in spite of `+i`, each with the record that opened it.
    pub(in crate::chat) invites: Vec<(Name, RecordId)>,
    /// Who wrote to them last.
    pub(in crate::chat) correspondent: Option<Name>,
    /// Not to be found by who shares no room with them.
    #[serde(default)]
    pub(in crate::chat) invisible: bool,
    /// Wants to hear operators.
    #[serde(default)]
    pub(in crate::chat) wallops: bool,
    /// With whom they have spoken in private while they had no account, and when last. At most
    /// [`limits::PARTNERS_PER_ACCOUNT`](super::limits::PARTNERS_PER_ACCOUNT).
    #[serde(default)]
    pub(in crate::chat) partners: Vec<(Name, Moment)>,
    /// What a guest says of themselves; who is logged in has the account's.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub(in crate::chat) metadata: Metadata,
    /// How far a guest has read; who is logged in has the account's.
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
    pub(in crate::chat) fn extras(&self) -> &Extras {
        static NONE: Extras = Extras::NONE;
        self.extras.as_deref().unwrap_or(&NONE)
    }

    pub(in crate::chat) fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_with(|| Box::new(Extras::NONE))
    }

    /// Why they are away.
    pub fn away(&self) -> Option<&Arc<str>> {
        self.extras().away.as_ref()
    }

    /// Whether they are server operator.
    pub fn is_operator(&self) -> bool {
        self.extras().operator.is_some()
    }

    /// What they are by their own word.
    pub fn is(&self, mode: UserMode) -> bool {
        match mode {
            UserMode::Invisible => self.extras().invisible,
            UserMode::Wallops => self.extras().wallops,
            UserMode::Bot => self.identity.bot,
            UserMode::Operator => self.is_operator(),
        }
    }

    /// The rooms that they are invited to, each with the record that opened it.
    pub fn invites(&self) -> &[(Name, RecordId)] {
        &self.extras().invites
    }

    /// The rooms they are in.
    pub fn rooms(&self) -> &[Name] {
        &self.rooms
    }
}
