//! The state of the chat: everyone who is online, and everything they agreed on.
//!
//! The hub is serializable as it is: that is its snapshot. It is changed by the rules only
//! ([`Hub::apply`](crate::chat::Hub::apply)).

use super::accounts::Accounts;
use super::guest_numbers::GuestNumbers;
use super::initials::Initials;
use super::room::{Room, RoomUsage};
use super::rooms::Rooms;
use super::server_ban::ServerBan;
use super::table::Table;
use super::user::User;
use super::users::Users;
use crate::chat::log::StoredFile;
use crate::chat::model::{
    Audience, Caseless, Flag, Moment, Name, Origin, RecordId, SessionId, SessionSet, Viewpoint,
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// Everyone who is there, and everything they agreed on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hub {
    pub(in crate::chat) last: Option<RecordId>,
    pub(in crate::chat) users: Users,
    pub(in crate::chat) guests: GuestNumbers,
    pub(in crate::chat) initials: Initials,
    pub(in crate::chat) rooms: Rooms,
    /// Since when rooms wait for members that a restart has disconnected: the time of the first
    /// record after it, because the one of the restart may be the last one's before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::chat) rooms_wait: Option<Moment>,
    pub(in crate::chat) accounts: Accounts,
    /// Reverse index from certificate to the account that knows it.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub(in crate::chat) certificates: Table<Arc<str>, Name>,
    /// Reverse index from nick to the users who ignore it, because every message needs it.
    pub(in crate::chat) ignorers: Table<Name, Vec<SessionId>>,
    pub(in crate::chat) server_bans: Vec<ServerBan>,
    /// The uploaded files. At most `limits::FILES`.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub(in crate::chat) files: Table<Arc<str>, StoredFile>,
    /// The last private messages, so that their authors can take them back. At most
    /// `limits::RECENT_PRIVATE`.
    #[serde(default)]
    pub(in crate::chat) private: VecDeque<Private>,
}

/// What [`Hub::recall`] needs to know of a message: its text, and who reacted with what.
pub type Recalled = (Arc<str>, Vec<(Name, Arc<str>)>);

/// A private message without its text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Private {
    pub(in crate::chat) id: RecordId,
    /// The sender; `None` once their node has restarted, because its numbers are reused.
    pub(in crate::chat) session: Option<SessionId>,
    pub(in crate::chat) account: Option<Name>,
    pub(in crate::chat) to: Name,
}

impl Default for Hub {
    fn default() -> Hub {
        Hub::new()
    }
}

impl Hub {
    /// An empty chat with the lobby.
    pub fn new() -> Hub {
        let lobby = Name::lobby();
        let mut room = Room::new(lobby.clone(), RecordId(0), Moment(0));
        room.kept = true;
        Hub {
            last: None,
            users: Users::from(Table::default()),
            guests: GuestNumbers::default(),
            initials: Initials::default(),
            rooms: Table::from_iter([(lobby, room)]).into(),
            rooms_wait: None,
            accounts: Accounts::from(Table::default()),
            certificates: Table::default(),
            ignorers: Table::default(),
            server_bans: Vec::new(),
            files: Table::default(),
            private: VecDeque::new(),
        }
    }

    /// Lets `work` see the state without the texts and reactions of messages: a snapshot has none, so
    /// that a deletion need not write it anew. The texts are gone for good; they have no influence
    /// on the state. [`recall`](Hub::recall) brings them back.
    pub fn without_texts<T>(&mut self, work: impl FnOnce(&Hub) -> T) -> T {
        let none: Arc<str> = "".into();
        let mut reactions = Vec::new();
        for room in self.rooms.values_mut() {
            for (place, recent) in room.recent.iter_mut().enumerate() {
                recent.text = Arc::clone(&none);
                if !recent.reactions.is_empty() {
                    reactions.push((
                        room.name.clone(),
                        place,
                        std::mem::take(&mut recent.reactions),
                    ));
                }
            }
        }
        let done = work(self);
        for (room, place, reactions) in reactions {
            let room = self.rooms.get_mut(&room);
            if let Some(recent) = room.and_then(|room| room.recent.get_mut(place)) {
                recent.reactions = reactions;
            }
        }
        done
    }

    /// Brings back the texts and reactions of recent messages. A message that is not found was
    /// forgotten.
    ///
    /// # Errors
    /// The first one of `find`.
    pub fn recall<E>(
        &mut self,
        mut find: impl FnMut(RecordId) -> Result<Option<Recalled>, E>,
    ) -> Result<(), E> {
        for room in self.rooms.values_mut() {
            for mut recent in std::mem::take(&mut room.recent) {
                if let Some((text, reactions)) = find(recent.reference.id)? {
                    recent.length = text.len() as u32;
                    (recent.text, recent.reactions) = (text, reactions);
                    room.recent.push_back(recent);
                }
            }
        }
        self.rooms.weigh_all();
        Ok(())
    }

    /// What the rooms that one origin has created hold in memory, or all rooms.
    pub fn room_usage(&self, origin: Option<Origin>) -> RoomUsage {
        self.rooms.usage(origin)
    }

    /// The memory for rooms.
    pub fn room_memory(&self) -> usize {
        self.rooms.memory()
    }

    pub fn set_room_memory(&mut self, bytes: usize) {
        self.rooms.set_memory(bytes);
    }

    /// How many accounts there are.
    pub fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// Whether the metadata and read markers of all accounts together use up their memory.
    pub fn accounts_are_full(&self) -> bool {
        self.accounts.are_full()
    }

    /// That memory.
    pub fn account_memory(&self) -> usize {
        self.accounts.memory()
    }

    pub fn set_account_memory(&mut self, bytes: usize) {
        self.accounts.set_memory(bytes);
    }

    pub fn online(&self) -> usize {
        self.users.len()
    }

    /// Everyone who is online, for delivery.
    pub fn sessions(&self) -> impl ExactSizeIterator<Item = SessionId> + '_ {
        self.users.keys().copied()
    }

    /// The user of a session.
    pub fn user(&self, session: SessionId) -> Option<&User> {
        self.users.get(&session)
    }

    /// The session with this nick.
    pub fn session_of(&self, nick: &str) -> Option<SessionId> {
        self.users.called(nick).map(|user| user.identity.session)
    }

    /// One room, by any spelling of its name.
    pub fn room(&self, name: &str) -> Option<&Room> {
        self.rooms.get(&Caseless(name))
    }

    /// All rooms.
    pub fn rooms(&self) -> impl ExactSizeIterator<Item = &Room> + '_ {
        self.rooms.values()
    }

    /// Everyone.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &User> + '_ {
        self.users.values()
    }

    /// The direct message partners of a user's account or session, with the time of the last
    /// message.
    pub fn partners<'h>(&'h self, user: &'h User) -> &'h [(Name, Moment)] {
        match &user.identity.account {
            Some(account) => self.accounts.get(account).map_or(&[], |account| &account.partners),
            None => &user.extras().partners,
        }
    }

    pub fn has_account(&self, name: &str) -> bool {
        self.accounts.contains_key(&Caseless(name))
    }

    /// The members of a room, for delivery; empty if there is no such room.
    pub fn room_members(&self, name: &str) -> impl Iterator<Item = SessionId> + '_ {
        self.room(name).into_iter().flat_map(Room::sessions)
    }

    /// The last record applied: where a replay continues.
    pub fn last(&self) -> Option<RecordId> {
        self.last
    }

    /// Whether `user` may know that the room exists.
    pub fn sees(&self, user: &User, room: &Room) -> bool {
        !room.modes.has(Flag::Secret)
            || room.members.contains_key(&user.identity.session)
            || user.is_operator()
    }

    /// Calls `each` for every recipient of an event, once.
    pub fn recipients(&self, audience: &Audience, mut each: impl FnMut(SessionId, Viewpoint)) {
        match audience {
            Audience::One(session) => each(*session, Viewpoint::Observer),
            Audience::Private { to, from } => {
                for session in to.iter().filter(|session| *session != from) {
                    each(*session, Viewpoint::Observer);
                }
                each(*from, Viewpoint::Actor);
            }
            Audience::Room { room, from, except } => {
                for session in self.rooms.get(room).into_iter().flat_map(Room::sessions) {
                    if Some(session) != *from && except.binary_search(&session).is_err() {
                        each(session, Viewpoint::Observer);
                    }
                }
                if let Some(from) = from {
                    each(*from, Viewpoint::Actor);
                }
            }
            Audience::Peers { rooms, from } => {
                let mut seen = SessionSet::default();
                let members = rooms.iter().filter_map(|name| self.rooms.get(name));
                for session in members.flat_map(Room::sessions) {
                    // A member of the only room is seen once.
                    if Some(session) != *from && (rooms.len() == 1 || seen.insert(session)) {
                        each(session, Viewpoint::Observer);
                    }
                }
                if let Some(from) = from {
                    each(*from, Viewpoint::Actor);
                }
            }
            Audience::All => {
                for session in self.sessions() {
                    each(session, Viewpoint::Observer);
                }
            }
        }
    }
}
