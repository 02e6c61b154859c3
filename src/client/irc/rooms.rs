//! The rooms of this client, and their members.
//!
//! Bounds: `MAX_ROOMS`; of a room's members the first `MAX_MEMBERS` are kept by name, up to `MAX_NAMES`. Of a larger
//! room only the count at the join is known: a user who quits without being known might have been
//! in any room.

use super::catchup::{MAX_WAITING, RoomLog};
use super::folding::{Folded, Hide};
use super::server_info::ServerInfo;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// Rooms that are followed.
pub const MAX_ROOMS: usize = 200;
/// Members of one room that are known by name.
pub const MAX_MEMBERS: usize = 2_000;
/// Bytes of their names: no server's nicks are that long.
const MAX_NAMES: usize = 64 * MAX_MEMBERS;
/// Bytes of a member's prefix.
const MAX_PREFIX: usize = 8;

/// A member of a room.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Member {
    pub nick: String,
    /// `@`, `+`, or with multi-prefix several, the highest first.
    pub prefix: String,
}

/// A room.
#[derive(Debug, Default)]
pub(super) struct JoinedRoom {
    /// Its name, as the server writes it.
    pub name: String,
    /// The key it was joined with.
    pub key: Option<Zeroizing<String>>,
    pub topic: Option<String>,
    /// Joined on this connection.
    pub inside: bool,
    pub log: RoomLog,
    /// By folded nick.
    members: HashMap<String, Member>,
    /// Bytes of their names.
    names: usize,
    /// The number of members that are not known by name.
    unknown: usize,
    /// Names are arriving, until RPL_ENDOFNAMES.
    pub naming: bool,
    /// Rejoined after a loss: the join is not shown.
    pub quiet: bool,
    /// The names were requested: they are to be shown.
    pub asked_names: bool,
    /// `/hide` of this room, and what is folded.
    pub hide: Option<Hide>,
    pub folded: Folded,
}

impl JoinedRoom {
    /// Forgets the members: another connection, or a new list of names.
    pub fn forget_members(&mut self) {
        self.members = HashMap::new();
        (self.names, self.unknown) = (0, 0);
    }

    /// This nick is a member.
    pub fn add(&mut self, server: &ServerInfo, nick: &str, prefix: &str) {
        let folded = server.fold(nick).into_owned();
        let prefix: String = prefix.chars().take(MAX_PREFIX).collect();
        if let Some(known) = self.members.get_mut(&folded) {
            *known = Member { nick: nick.to_owned(), prefix };
        } else if self.members.len() < MAX_MEMBERS && self.names + folded.len() <= MAX_NAMES {
            self.names += folded.len();
            self.members.insert(folded, Member { nick: nick.to_owned(), prefix });
        } else {
            self.unknown += 1;
        }
    }

    pub fn has(&self, server: &ServerInfo, nick: &str) -> bool {
        self.members.contains_key(server.fold(nick).as_ref())
    }

    /// This nick is no longer a member; whether it was known as one.
    pub fn remove(&mut self, server: &ServerInfo, nick: &str) -> bool {
        self.take(server, nick).is_some()
    }

    fn take(&mut self, server: &ServerInfo, nick: &str) -> Option<Member> {
        let (folded, member) = self.members.remove_entry(server.fold(nick).as_ref())?;
        self.names -= folded.len();
        Some(member)
    }

    /// A member's nick was changed.
    pub fn rename(&mut self, server: &ServerInfo, before: &str, nick: &str) {
        if let Some(member) = self.take(server, before) {
            self.add(server, nick, &member.prefix);
        }
    }

    /// A member gains or loses a prefix.
    pub fn mark(&mut self, server: &ServerInfo, nick: &str, mark: char, on: bool) {
        let Some(member) = self.members.get_mut(server.fold(nick).as_ref()) else { return };
        member.prefix.retain(|it| it != mark);
        if on {
            let rank = |it: char| server.prefixes().find(it);
            let place = member.prefix.find(|it| rank(it) > rank(mark));
            member.prefix.insert(place.unwrap_or(member.prefix.len()), mark);
        }
    }

    /// The number of members, if known.
    pub fn count(&self) -> Option<usize> {
        (self.unknown == 0).then_some(self.members.len())
    }

    /// The number of names.
    pub fn named(&self) -> usize {
        self.members.len() + self.unknown
    }

    /// The first `most` by rank and name, with their prefix, and how many more there are.
    pub fn names(&self, server: &ServerInfo, most: usize) -> (Vec<String>, usize) {
        let rank = |member: &Member| {
            let mark = member.prefix.chars().next();
            mark.and_then(|mark| server.prefixes().find(mark)).unwrap_or(usize::MAX)
        };
        let mut all: Vec<&Member> = self.members.values().collect();
        all.sort_by_cached_key(|member| (rank(member), member.nick.to_lowercase()));
        let shown = all.iter().take(most).map(|member| {
            let mark: String = member.prefix.chars().take(1).collect();
            format!("{mark}{}", member.nick)
        });
        let shown: Vec<String> = shown.collect();
        let more = self.named() - shown.len();
        (shown, more)
    }
}

/// A join that is not answered yet.
#[derive(Debug)]
pub(super) struct Joining {
    pub room: String,
    pub key: Option<Zeroizing<String>>,
    /// Its serial number in the [`Pace`](super::pace::Pace).
    pub serial: u64,
    /// A PING behind it was answered, and another one sent.
    pub waited: bool,
}

/// All rooms.
#[derive(Debug, Default)]
pub(super) struct JoinedRooms {
    pub all: Vec<JoinedRoom>,
    /// The one that messages go to.
    pub current: Option<String>,
    /// Joins that are not answered yet.
    pub joining: Vec<Joining>,
}

impl JoinedRooms {
    /// The room of a name.
    pub fn get(&mut self, server: &ServerInfo, name: &str) -> Option<&mut JoinedRoom> {
        self.all.iter_mut().find(|room| server.same(&room.name, name))
    }

    /// The room of a name, a new one if need be; `None` if there are too many.
    pub fn enter(&mut self, server: &ServerInfo, name: &str) -> Option<&mut JoinedRoom> {
        let known = self.all.iter().position(|room| server.same(&room.name, name));
        if known.is_none() && self.all.len() < MAX_ROOMS {
            self.all.push(JoinedRoom { name: name.to_owned(), ..JoinedRoom::default() });
        }
        let place = known.unwrap_or(self.all.len().checked_sub(1)?);
        self.all.get_mut(place).filter(|room| server.same(&room.name, name))
    }

    /// Bytes that are left for messages that wait for the end of a catch-up.
    pub fn left_to_wait(&self) -> usize {
        let waiting: usize = self.all.iter().map(|room| room.log.waiting()).sum();
        MAX_WAITING.saturating_sub(waiting)
    }

    /// Removes one.
    pub fn leave(&mut self, server: &ServerInfo, name: &str) {
        self.all.retain(|room| !server.same(&room.name, name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_go_and_rise() {
        let server = ServerInfo::new();
        let mut room = JoinedRoom::default();
        for (nick, prefix) in [("bob", ""), ("Alice", "@"), ("carol", "+")] {
            room.add(&server, nick, prefix);
        }
        assert_eq!(room.names(&server, 2), (vec!["@Alice".to_owned(), "+carol".to_owned()], 1));
        room.rename(&server, "ALICE", "al");
        room.mark(&server, "al", '+', true);
        room.mark(&server, "carol", '@', true);
        room.mark(&server, "carol", '+', false);
        assert_eq!(room.members["al"].prefix, "@+");
        assert_eq!(room.members["carol"].prefix, "@");
        assert!(room.remove(&server, "Bob") && !room.remove(&server, "bob"));
        assert_eq!(room.count(), Some(2));
    }

    #[test]
    fn a_large_room_is_kept_in_part() {
        let server = ServerInfo::new();
        let mut room = JoinedRoom::default();
        (0..10_000).for_each(|number| room.add(&server, &format!("n{number}"), ""));
        assert_eq!((room.members.len(), room.named(), room.count()), (MAX_MEMBERS, 10_000, None));
        room.forget_members();
        let long = "n".repeat(250);
        (0..1_000).for_each(|number| room.add(&server, &format!("{number}{long}"), ""));
        assert!(room.members.len() < 520 && room.named() == 1_000, "{}", room.members.len());
        (0..1_000).for_each(|number| {
            room.remove(&server, &format!("{number}{long}"));
        });
        assert_eq!((room.members.len(), room.names), (0, 0));
        let mut rooms = JoinedRooms::default();
        for number in 0..2 * MAX_ROOMS {
            let entered = rooms.enter(&server, &format!("#{number}"));
            assert_eq!(entered.is_some(), number < MAX_ROOMS);
        }
        assert!(rooms.enter(&server, "#0").is_some());
    }
}
