//! One room: its members, its modes, and the last few messages said in it.

use crate::chat::model::identity::Identity;
use crate::chat::model::ids::{Moment, RecordId, SessionId};
use crate::chat::model::mask::Mask;
use crate::chat::model::message::{Quoted, Reference};
use crate::chat::model::metadata::Metadata;
use crate::chat::model::modes::{Flag, Modes};
use crate::chat::model::name::Name;
use crate::chat::model::topic::Topic;
use crate::chat::model::{limits, query};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// What somebody is in a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Member {
    /// May moderate.
    pub op: bool,
    /// May speak when the room is moderated.
    pub voice: bool,
    /// A ban or mute means this member. Worked out when bans or names change, so that nobody
    /// matches masks for every message.
    pub(in crate::chat) silenced: bool,
}

/// A mask on the ban list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ban {
    /// Whom it means.
    pub mask: Mask,
    /// Who set it.
    pub by: Name,
    /// When.
    pub time: Moment,
}

/// One of the last messages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::chat) struct Recent {
    pub(in crate::chat) reference: Reference,
    /// Whose session said it, while that session lasts: a guest has no other proof.
    pub(in crate::chat) session: Option<SessionId>,
    pub(in crate::chat) text: Arc<str>,
    pub(in crate::chat) reactions: Vec<(Name, Arc<str>)>,
}

/// A room.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Room {
    /// Its name, as whoever opened it spelled it.
    pub name: Name,
    /// The record that opened it.
    pub since: RecordId,
    /// When that was.
    pub created: Moment,
    /// Its topic.
    pub topic: Option<Topic>,
    /// Its modes.
    pub modes: Modes,
    /// Lives without members.
    pub kept: bool,
    /// In one array, because a broadcast walks it; looked up like a map, because everything else
    /// does. Leaving swaps the last one into the gap: constant time, and the order of members is
    /// nobody's business.
    #[serde(with = "indexmap::map::serde_seq")]
    pub(in crate::chat) members: IndexMap<SessionId, Member>,
    /// Its people were cut off by a restart: it lives until they come back, or until the next one.
    pub(in crate::chat) waiting: bool,
    pub(in crate::chat) bans: Vec<Ban>,
    /// Whom no ban keeps out.
    #[serde(default)]
    pub(in crate::chat) excepts: Vec<Ban>,
    /// Who needs no invitation.
    #[serde(default)]
    pub(in crate::chat) invitables: Vec<Ban>,
    /// Accounts that get op when they come.
    pub(in crate::chat) ops: Vec<Name>,
    /// The number of its last message.
    pub(in crate::chat) last_number: u64,
    pub(in crate::chat) recent: VecDeque<Recent>,
    /// When something was last said in it.
    #[serde(default)]
    pub last_said: Option<Moment>,
    /// When it got the name that it has, if it had another before.
    #[serde(default)]
    pub(in crate::chat) renamed: Option<Moment>,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub(in crate::chat) metadata: Metadata,
}

impl Room {
    /// An empty room, with the modes that rooms usually want: `+nt`.
    pub(in crate::chat) fn new(name: Name, since: RecordId, created: Moment) -> Room {
        Room {
            name,
            since,
            created,
            topic: None,
            modes: Modes {
                flags: BTreeSet::from([Flag::NoExternal, Flag::TopicLocked]),
                ..Modes::default()
            },
            kept: false,
            members: IndexMap::new(),
            waiting: false,
            bans: Vec::new(),
            excepts: Vec::new(),
            invitables: Vec::new(),
            ops: Vec::new(),
            last_number: 0,
            recent: VecDeque::new(),
            last_said: None,
            renamed: None,
            metadata: Metadata::new(),
        }
    }

    /// Who is in, for delivery.
    pub fn sessions(&self) -> impl ExactSizeIterator<Item = SessionId> + '_ {
        self.members.keys().copied()
    }

    /// Who is in, and as what.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (SessionId, Member)> + '_ {
        self.members.iter().map(|(&session, &member)| (session, member))
    }

    /// What a session is in the room; `None` if it is not in.
    pub fn member(&self, session: SessionId) -> Option<Member> {
        self.members.get(&session).copied()
    }

    /// The masks of a list: bans `b`, those whom none keeps out `e`, who needs no invitation `I`.
    pub fn masks(&self, letter: char) -> &[Ban] {
        match letter {
            'e' => &self.excepts,
            'I' => &self.invitables,
            _ => &self.bans,
        }
    }

    /// How the journal knows it.
    pub(in crate::chat) fn for_query(&self) -> query::Room {
        query::Room { name: self.name.clone(), since: self.since }
    }

    /// Whether it has a reason to be there.
    pub(in crate::chat) fn lives(&self) -> bool {
        self.kept || self.waiting || !self.members.is_empty()
    }

    /// Whether a mask of the ban list means this person; `mutes` asks for those, too, that only
    /// silence.
    pub(in crate::chat) fn bans(&self, who: &Identity, mutes: bool) -> bool {
        self.bans.iter().any(|ban| (mutes || !ban.mask.mutes) && ban.mask.matches(who))
            && !self.excepts.iter().any(|ban| ban.mask.matches(who))
    }

    /// Takes a message into the recent ones and gives its number.
    pub(in crate::chat) fn remember(
        &mut self,
        id: RecordId,
        who: &Identity,
        root: Option<RecordId>,
        text: &Arc<str>,
        time: Moment,
    ) -> u64 {
        self.last_number += 1;
        self.last_said = Some(time);
        if self.recent.len() == limits::RECENT_PER_ROOM {
            self.recent.pop_front();
        }
        self.recent.push_back(Recent {
            reference: Reference {
                id,
                number: self.last_number,
                root: root.unwrap_or(id),
                from: who.nick.clone(),
                account: who.account.clone(),
            },
            session: Some(who.session),
            text: Arc::clone(text),
            reactions: Vec::new(),
        });
        self.last_number
    }

    /// One of the recent messages. Ids rise, so this is a binary search.
    pub(in crate::chat) fn recent(&self, id: RecordId) -> Option<&Recent> {
        let place = self.recent.binary_search_by_key(&id, |recent| recent.reference.id).ok()?;
        self.recent.get(place)
    }

    /// The same, to change it.
    pub(in crate::chat) fn recent_mut(&mut self, id: RecordId) -> Option<&mut Recent> {
        let place = self.recent.binary_search_by_key(&id, |recent| recent.reference.id).ok()?;
        self.recent.get_mut(place)
    }

    /// A message as others see it quoted.
    pub(in crate::chat) fn quote(&self, reference: &Reference) -> Box<Quoted> {
        Box::new(Quoted {
            id: reference.id,
            number: reference.number,
            root: reference.root,
            from: reference.from.clone(),
            text: self.recent(reference.id).map(|recent| Arc::clone(&recent.text)),
        })
    }

    /// What is said of it.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}
