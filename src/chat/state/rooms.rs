//! All rooms, and what they hold in memory: altogether, and those that one origin has created.
//!
//! A room belongs to the origin of its creator as long as it exists, no matter who has joined since. What
//! a room holds is weighed when a record about it has been applied, in one place
//! ([`Hub::apply`](crate::chat::Hub::apply)), so no command has to count.
//!
//! The recent messages of all rooms share what topics, masks and metadata leave of the memory for
//! rooms; the oldest give way. The journal has them, so nothing is lost but time.

use super::indexed::Indexed;
use super::room::{Recent, Registration, Room, RoomUsage};
use super::table::Table;
use crate::chat::model::{Moment, Name, Origin, RecordId};
use std::collections::BTreeMap;

/// The memory for rooms, unless it is configured.
const MEMORY: usize = 64 * 1024 * 1024;

/// All rooms.
pub type Rooms = Indexed<Name, Room, Holdings>;

#[derive(Clone, Default)]
pub struct Holdings {
    all: RoomUsage,
    by_origin: BTreeMap<Origin, RoomUsage>,
    /// How many rooms each account has registered.
    by_account: BTreeMap<Name, usize>,
    memory: usize,
}

impl From<Table<Name, Room>> for Rooms {
    fn from(table: Table<Name, Room>) -> Rooms {
        let mut rooms = Rooms { table, index: Holdings { memory: MEMORY, ..Holdings::default() } };
        rooms.weigh_all();
        rooms
    }
}

impl Rooms {
    /// What all rooms hold, and those of one origin.
    pub fn usage(&self, origin: Option<Origin>) -> RoomUsage {
        match origin {
            None => self.index.all,
            Some(origin) => self.index.by_origin.get(&origin).copied().unwrap_or_default(),
        }
    }

    pub fn memory(&self) -> usize {
        self.index.memory
    }

    pub fn set_memory(&mut self, bytes: usize) {
        self.index.memory = bytes;
    }

    pub fn get_mut(&mut self, name: &Name) -> Option<&mut Room> {
        self.table.get_mut(name)
    }

    pub fn values_mut(&mut self) -> indexmap::map::ValuesMut<'_, Name, Room> {
        self.table.values_mut()
    }

    /// The room of this name, created if there is none.
    pub fn get_or_insert_with(
        &mut self,
        name: &Name,
        make: impl FnOnce() -> Room,
    ) -> Option<&mut Room> {
        if !self.table.contains_key(name) {
            self.insert(name.clone(), make());
        }
        self.table.get_mut(name)
    }

    /// Adds a room, whose name is free.
    pub fn insert(&mut self, name: Name, mut room: Room) {
        room.weigh();
        room.counted = room.usage;
        self.count(room.opener, room.counted, RoomUsage::add);
        self.count_registration(&room, 1);
        self.table.insert(name, room);
    }

    pub fn swap_remove(&mut self, name: &Name) -> Option<Room> {
        let room = self.table.swap_remove(name)?;
        self.count(room.opener, room.counted, RoomUsage::remove);
        self.count_registration(&room, -1);
        Some(room)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&Room) -> bool) {
        self.table.retain(|_, room| keep(room));
        self.weigh_all();
    }

    fn count(
        &mut self,
        opener: Option<Origin>,
        usage: RoomUsage,
        change: impl Fn(&mut RoomUsage, RoomUsage),
    ) {
        change(&mut self.index.all, usage);
        let Some(origin) = opener else { return };
        let of_origin = self.index.by_origin.entry(origin).or_default();
        change(of_origin, usage);
        if of_origin.rooms == 0 {
            self.index.by_origin.remove(&origin);
        }
    }

    /// A record about a room has been applied: counts what it holds now, and makes room. `again`,
    /// unless there is at most one message more.
    pub fn weigh(&mut self, name: &Name, again: bool) {
        if let Some(room) = self.table.get_mut(name) {
            if again {
                room.weigh();
            }
            let (opener, after) = (room.opener, room.usage);
            let before = std::mem::replace(&mut room.counted, after);
            if after != before {
                self.count(opener, after, RoomUsage::add);
                self.count(opener, before, RoomUsage::remove);
            }
        }
        if self.index.all.recent > self.recent_memory() {
            self.forget_recent();
        }
    }

    pub fn weigh_all(&mut self) {
        (self.index.all, self.index.by_origin) = (RoomUsage::default(), BTreeMap::new());
        self.index.by_account = BTreeMap::new();
        for by in self.table.values().filter_map(|room| room.registration.as_ref()?.by.as_ref()) {
            *self.index.by_account.entry(by.clone()).or_default() += 1;
        }
        let mut usage = Vec::new();
        for room in self.table.values_mut() {
            room.weigh();
            room.counted = room.usage;
            usage.push((room.opener, room.usage));
        }
        usage.into_iter().for_each(|(opener, usage)| self.count(opener, usage, RoomUsage::add));
    }

    /// Whether the counts are those of a recount.
    #[cfg(test)]
    pub fn is_counted(&self) -> bool {
        let mut again = self.clone();
        again.weigh_all();
        (again.index.all, &again.index.by_origin, &again.index.by_account)
            == (self.index.all, &self.index.by_origin, &self.index.by_account)
    }

    fn count_registration(&mut self, room: &Room, change: isize) {
        let Some(by) = room.registration.as_ref().and_then(|it| it.by.clone()) else { return };
        let count = self.index.by_account.entry(by.clone()).or_default();
        *count = count.saturating_add_signed(change);
        if *count == 0 {
            self.index.by_account.remove(&by);
        }
    }

    /// How many rooms an account has registered.
    pub fn registered_by(&self, account: &Name) -> usize {
        self.index.by_account.get(account).copied().unwrap_or_default()
    }

    /// Registers a room, or ends that.
    pub fn set_registration(&mut self, name: &Name, to: Option<Registration>) {
        let Some(mut room) = self.swap_remove(name) else { return };
        room.registration = to;
        self.insert(name.clone(), room);
    }

    /// Someone is in a room, or was until now.
    pub fn note_presence(&mut self, name: &Name, now: Moment) {
        let room = self.table.get_mut(name);
        if let Some(registration) = room.and_then(|room| room.registration.as_mut()) {
            registration.seen = now;
        }
    }

    /// An account is deleted: it is op in no room, its rooms are no one's, and what it has written
    /// since `erased_since` is no longer recent.
    pub fn forget_account(&mut self, account: &Name, erased_since: Option<RecordId>) {
        for room in self.table.values_mut() {
            room.ops.retain(|op| op != account);
            if let Some(registration) = &mut room.registration {
                registration.by = registration.by.take().filter(|by| by != account);
            }
            let wrote = |recent: &Recent| recent.reference.account.as_ref() == Some(account);
            if let Some(since) = erased_since {
                room.recent.retain(|recent| !wrote(recent) || recent.reference.id < since);
            }
        }
        self.weigh_all();
    }

    fn recent_memory(&self) -> usize {
        self.index.memory.saturating_sub(self.index.all.texts).max(self.index.memory / 4)
    }

    /// Forgets the oldest recent messages of all rooms, a quarter of what there may be: the next
    /// walk over all of them is a long way off.
    fn forget_recent(&mut self) {
        let excess = self.index.all.recent.saturating_sub(self.recent_memory() / 4 * 3);
        let of_room = |room: &Room| room.recent_weights().collect::<Vec<(RecordId, usize)>>();
        let mut recent: Vec<(RecordId, usize)> = self.table.values().flat_map(of_room).collect();
        recent.sort_unstable();
        let mut freed = 0;
        let kept = recent.iter().find(|(_, bytes)| {
            freed += bytes;
            freed > excess
        });
        let oldest = kept.map_or(RecordId(u64::MAX), |(id, _)| *id);
        for room in self.table.values_mut() {
            room.forget_before(oldest);
        }
        self.weigh_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::model::{Identity, IrcNames, SessionId};
    use std::sync::Arc;

    #[test]
    fn the_oldest_recent_messages_of_all_rooms_give_way() {
        let mut rooms = Rooms::from(Table::default());
        rooms.set_memory(100_000);
        let who = Identity {
            session: SessionId(1),
            nick: Name::new("bob"),
            named: true,
            label: "127.0.0.1:1".into(),
            names: IrcNames::new(None, None),
            account: None,
            bot: false,
        };
        let names = ["#a", "#b", "#c"].map(Name::new);
        for name in &names {
            let room = Room::new(name.clone(), RecordId(0), Moment(0));
            rooms.insert(name.clone(), room);
        }
        let text: Arc<str> = "t".repeat(2_000).into();
        for id in 1..=300 {
            let name = &names[id as usize % 3];
            let room = rooms.get_mut(name).unwrap();
            room.remember(RecordId(id), &who, None, &text, Moment(0));
            rooms.weigh(name, false);
            assert!(rooms.usage(None).recent <= 100_000);
        }
        let kept = rooms.values().flat_map(Room::recent_weights).map(|(id, _)| id.0);
        let mut kept: Vec<u64> = kept.collect();
        kept.sort_unstable();
        assert!((30..50).contains(&kept.len()), "{kept:?}");
        assert!(kept.iter().copied().eq(301 - kept.len() as u64..=300), "{kept:?}");
    }
}
