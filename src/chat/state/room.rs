//! One room: its members, its modes, and its most recent messages.

use super::table::Table;
use super::user::User;
use crate::chat::model::work::{self, ROW};
use crate::chat::model::{
    Flag, Identity, Mask, Metadata, Modes, Moment, Name, Origin, Quoted, RecordId, Reference,
    SessionId, Topic,
};
use crate::chat::model::{limits, query};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// What an entry of a list takes in memory beside its text, about.
const ITEM: usize = 64;

/// What rooms hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RoomUsage {
    pub rooms: usize,
    /// Bytes of topics, masks, metadata and names.
    pub texts: usize,
    /// Bytes of recent messages and reactions.
    pub recent: usize,
}

impl RoomUsage {
    pub(super) fn add(&mut self, other: RoomUsage) {
        self.rooms += other.rooms;
        self.texts += other.texts;
        self.recent += other.recent;
    }

    pub(super) fn remove(&mut self, other: RoomUsage) {
        self.rooms -= other.rooms;
        self.texts -= other.texts;
        self.recent -= other.recent;
    }
}

/// A user's membership in a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Member {
    /// May moderate.
    pub op: bool,
    /// Whether the member may speak while the room is moderated.
    pub voice: bool,
    /// Whether a ban or mute matches this member, as of `judged`.
    pub(in crate::chat) silenced: bool,
    /// How often the masks of the room and the names of the member had changed when the masks were
    /// last matched. Both only rise, so an equal sum says that neither has changed since.
    #[serde(default)]
    pub(in crate::chat) judged: u32,
}

/// A mask on the ban list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ban {
    pub mask: Mask,
    pub by: Name,
    pub time: Moment,
}

/// One of the last messages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::chat) struct Recent {
    pub(in crate::chat) reference: Reference,
    /// The sender's session, while it lasts: the only way to recognise a guest.
    pub(in crate::chat) session: Option<SessionId>,
    pub(in crate::chat) text: Arc<str>,
    /// The bytes of the text, also where a snapshot has left it out.
    #[serde(default)]
    pub(in crate::chat) length: u32,
    pub(in crate::chat) reactions: Vec<(Name, Arc<str>)>,
}

impl Recent {
    /// What it takes in memory, about.
    fn weight(&self) -> usize {
        let reactions = self.reactions.iter().map(|(_, text)| ITEM + text.len()).sum::<usize>();
        size_of::<Recent>() + self.length as usize + reactions
    }
}

/// That a room stays without members.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registration {
    /// The account that created the room; `None` once that is deleted.
    pub(in crate::chat) by: Option<Name>,
    /// When someone was last known to be in it.
    pub(in crate::chat) seen: Moment,
}

/// A room.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Room {
    /// Its name, as spelled by its creator.
    pub name: Name,
    /// The record that created it.
    pub since: RecordId,
    /// The time of its creation.
    pub created: Moment,
    /// The origin of its creator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opener: Option<Origin>,
    /// What it takes in memory, and how much of that is in the count of all rooms.
    #[serde(skip)]
    pub(super) usage: RoomUsage,
    #[serde(skip)]
    pub(super) counted: RoomUsage,
    /// Its topic.
    pub topic: Option<Topic>,
    /// Its modes.
    pub modes: Modes,
    /// Lives without members.
    pub kept: bool,
    /// It is a user's who was logged in when they created it: it lives without members, until it
    /// lapses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::chat) registration: Option<Registration>,
    /// In one array, because a broadcast iterates over it; looked up like a map, because everything
    /// else does. Removal swaps the last member into the gap, which is constant time; the order of
    /// members has no meaning.
    pub(in crate::chat) members: Table<SessionId, Member>,
    /// Whether its members were disconnected by a restart: it is kept until they return, for an hour
    /// at most, or until the next restart.
    pub(in crate::chat) waiting: bool,
    pub(in crate::chat) bans: Vec<Ban>,
    /// How often the bans and their exceptions have changed.
    #[serde(default)]
    pub(in crate::chat) mask_changes: u32,
    /// Sessions that a ban or mute has hit, whatever they are called by now, and its mask: until it
    /// is lifted. At most [`limits::HITS_PER_ROOM`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::chat) hits: Vec<(SessionId, Mask)>,
    /// Masks exempt from bans.
    #[serde(default)]
    pub(in crate::chat) excepts: Vec<Ban>,
    /// Masks that need no invitation.
    #[serde(default)]
    pub(in crate::chat) invitables: Vec<Ban>,
    /// Accounts that are op when they join.
    pub(in crate::chat) ops: Vec<Name>,
    /// The number of its last message.
    pub(in crate::chat) last_number: u64,
    pub(in crate::chat) recent: VecDeque<Recent>,
    /// The time of the last message.
    #[serde(default)]
    pub last_said: Option<Moment>,
    /// The time of the last rename.
    #[serde(default)]
    pub(in crate::chat) renamed: Option<Moment>,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub(in crate::chat) metadata: Metadata,
}

impl Room {
    /// An empty room.
    pub(in crate::chat) fn new(name: Name, since: RecordId, created: Moment) -> Room {
        Room { name, since, created, modes: Modes::usual(), ..Room::default() }
    }

    /// The members' sessions, for delivery.
    pub fn sessions(&self) -> impl ExactSizeIterator<Item = SessionId> + '_ {
        self.members.keys().copied()
    }

    /// How many members it has.
    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    pub fn member(&self, session: SessionId) -> Option<Member> {
        self.members.get(&session).copied()
    }

    /// The masks of a list: `b` bans, `e` exceptions, `I` invite exceptions.
    pub fn masks(&self, letter: char) -> &[Ban] {
        match letter {
            'e' => &self.excepts,
            'I' => &self.invitables,
            _ => &self.bans,
        }
    }

    /// The room as the journal identifies it.
    pub(in crate::chat) fn for_query(&self) -> query::Room {
        query::Room { name: self.name.clone(), since: self.since }
    }

    /// Whether it is to be kept.
    pub(in crate::chat) fn lives(&self) -> bool {
        self.kept || self.waiting || self.registration.is_some() || !self.members.is_empty()
    }

    /// Whether a mask in the ban list matches this user; `mutes` includes those that only mute.
    pub(in crate::chat) fn bans(&self, who: &Identity, mutes: bool) -> bool {
        let counts = |mask: &Mask| mutes || !mask.mutes;
        work::charge(ROW.times(self.hits.len()));
        let hit = |(session, mask): &(_, Mask)| *session == who.session && counts(mask);
        let banned = self.hits.iter().any(hit)
            || self.bans.iter().any(|ban| counts(&ban.mask) && ban.mask.matches(who));
        banned && !self.excepts.iter().any(|ban| ban.mask.matches(who))
    }

    /// Notes which masks of the ban list hit a user.
    pub(in crate::chat) fn note_hits(&mut self, who: &Identity) {
        let hits = self.bans.iter().map(|ban| &ban.mask).filter(|mask| mask.matches(who));
        for mask in hits.cloned().collect::<Vec<Mask>>() {
            self.note_hit(who.session, &mask);
        }
    }

    pub(in crate::chat) fn note_hit(&mut self, session: SessionId, mask: &Mask) {
        let known = |(hit, by): &(SessionId, Mask)| *hit == session && by == mask;
        if self.hits.iter().any(known) {
            return;
        }
        if self.hits.len() == limits::HITS_PER_ROOM {
            self.hits.remove(0);
        }
        self.hits.push((session, mask.clone()));
    }

    /// Before others are noted: those who have gone leave room.
    pub(in crate::chat) fn forget_hits(&mut self, is_there: impl Fn(SessionId) -> bool) {
        if self.hits.len() == limits::HITS_PER_ROOM {
            self.hits.retain(|(session, _)| is_there(*session));
        }
    }

    /// What [`Member::judged`] is compared with.
    pub(in crate::chat) fn judgement(&self, user: &User) -> u32 {
        self.mask_changes.wrapping_add(user.name_changes)
    }

    /// Whether a ban or mute matches a user, member or not.
    ///
    /// Masks are matched when the user speaks and something has changed since they last spoke.
    /// Rejected: to match them for all members when a ban changes, and in all rooms when a name
    /// does. One line with thirteen bans held a room of 250 up for 110 ms.
    pub(in crate::chat) fn silences(&self, user: &User) -> bool {
        if self.bans.is_empty() {
            return false;
        }
        match self.members.get(&user.identity.session) {
            Some(member) if member.judged == self.judgement(user) => member.silenced,
            _ => self.bans(&user.identity, true),
        }
    }

    /// Whether anyone may be silent in it. Asked first, because most rooms silence no one, and every
    /// event is told to a room.
    pub(in crate::chat) fn may_silence(&self) -> bool {
        !self.bans.is_empty() || self.modes.has(Flag::Moderated)
    }

    /// Remembers whether a member is silenced: who speaks much is not matched for each message.
    pub(in crate::chat) fn note_silenced(&mut self, user: &User) {
        let (silenced, judged) = (self.silences(user), self.judgement(user));
        if let Some(member) = self.members.get_mut(&user.identity.session) {
            (member.silenced, member.judged) = (silenced, judged);
        }
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
            let oldest = self.recent.pop_front();
            self.usage.recent -= oldest.map_or(0, |recent| recent.weight()).min(self.usage.recent);
        }
        let recent = Recent {
            reference: Reference {
                id,
                number: self.last_number,
                root: root.unwrap_or(id),
                from: who.nick.clone(),
                account: who.account.clone(),
            },
            session: Some(who.session),
            text: Arc::clone(text),
            length: text.len() as u32,
            reactions: Vec::new(),
        };
        self.usage.recent += recent.weight();
        self.recent.push_back(recent);
        self.last_number
    }

    /// Counts what it holds. A new message has been counted by [`remember`](Room::remember).
    pub(super) fn weigh(&mut self) {
        let topic = self.topic.as_ref().map_or(0, |topic| topic.text.len());
        let masks = self.bans.iter().chain(&self.excepts).chain(&self.invitables);
        let masks = masks.map(|ban| &ban.mask).chain(self.hits.iter().map(|(_, mask)| mask));
        let masks = masks.map(|mask| 2 * ITEM + mask.bytes()).sum::<usize>();
        let metadata = self.metadata.iter();
        let metadata = metadata.map(|(key, value)| 2 * ITEM + key.len() + value.len());
        let rest = size_of::<Room>() + self.name.as_str().len() + ITEM * self.ops.len();
        self.usage = RoomUsage {
            rooms: 1,
            texts: rest + topic + masks + metadata.sum::<usize>(),
            recent: self.recent.iter().map(Recent::weight).sum(),
        };
    }

    /// The recent messages, and what each takes in memory.
    pub(super) fn recent_weights(&self) -> impl Iterator<Item = (RecordId, usize)> + '_ {
        self.recent.iter().map(|recent| (recent.reference.id, recent.weight()))
    }

    /// Forgets recent messages older than this one; the journal still has them.
    pub(super) fn forget_before(&mut self, oldest: RecordId) {
        let count = self.recent.partition_point(|recent| recent.reference.id < oldest);
        if count > 0 {
            self.recent.drain(..count);
            self.recent.shrink_to_fit();
        }
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

    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}
