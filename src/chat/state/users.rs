//! All users, found by session and by nick.
//!
//! The index of nicks holds sessions only: the text of a nick is in its user's identity, and thousands
//! of idle users do not pay for it twice. So a nick is changed here and nowhere else.

use super::indexed::Indexed;
use super::table::Table;
use super::user::User;
use crate::chat::model::{Caseless, Name, SessionId};
use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};

/// All users.
pub type Users = Indexed<SessionId, User, ByNick>;

#[derive(Clone, Default)]
pub struct ByNick {
    sessions: HashTable<SessionId>,
    /// Nicks are chosen by strangers, so they are hashed with a secret key.
    hashing: RandomState,
}

impl From<Table<SessionId, User>> for Users {
    fn from(table: Table<SessionId, User>) -> Users {
        let mut users = Users { table, index: ByNick::default() };
        let sessions: Vec<SessionId> = users.table.keys().copied().collect();
        sessions.into_iter().for_each(|session| users.add_nick(session));
        users
    }
}

impl Users {
    /// The user with this nick, in any spelling.
    pub fn called(&self, nick: &str) -> Option<&User> {
        let user = |session: &SessionId| self.table.get(session);
        let is_it = |session: &SessionId| user(session).is_some_and(|it| it.identity.nick == *nick);
        let hash = self.index.hashing.hash_one(Caseless(nick));
        user(self.index.sessions.find(hash, is_it)?)
    }

    /// Whether each user is found by their nick: no two have the same.
    pub fn have_different_nicks(&self) -> bool {
        self.index.sessions.len() == self.table.len()
    }

    pub fn get_mut(&mut self, session: &SessionId) -> Option<&mut User> {
        self.table.get_mut(session)
    }

    pub fn values_mut(&mut self) -> indexmap::map::ValuesMut<'_, SessionId, User> {
        self.table.values_mut()
    }

    /// Adds a user, whose session and nick are free.
    pub fn insert(&mut self, user: User) {
        let session = user.identity.session;
        self.table.insert(session, user);
        self.add_nick(session);
    }

    pub fn swap_remove(&mut self, session: &SessionId) -> Option<User> {
        self.forget_nick(session);
        self.table.swap_remove(session)
    }

    /// Gives a user the nick that they have chosen, which is free.
    pub fn rename(&mut self, session: &SessionId, nick: Name) {
        self.forget_nick(session);
        if let Some(user) = self.table.get_mut(session) {
            let identity = user.identity_mut();
            (identity.nick, identity.named) = (nick, true);
            self.add_nick(*session);
        }
    }

    fn add_nick(&mut self, session: SessionId) {
        let Users { table, index: ByNick { sessions, hashing } } = self;
        let nick_of = |session: &SessionId| table.get(session).map(|user| &user.identity.nick);
        let hash = |session: &SessionId| nick_of(session).map_or(0, |nick| hashing.hash_one(nick));
        let has_same = |other: &SessionId| nick_of(other) == nick_of(&session);
        let own = hash(&session);
        if sessions.find(own, has_same).is_none() {
            sessions.insert_unique(own, session, hash);
        }
    }

    fn forget_nick(&mut self, session: &SessionId) {
        let Some(user) = self.table.get(session) else { return };
        let hash = self.index.hashing.hash_one(&user.identity.nick);
        if let Ok(entry) = self.index.sessions.find_entry(hash, |it| it == session) {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::model::{Identity, IrcNames, Moment};
    use crate::chat::state::RoomList;
    use std::sync::Arc;

    fn user(session: u64, nick: &str) -> User {
        let identity = Arc::new(Identity {
            session: SessionId(session),
            nick: Name::new(nick),
            named: true,
            label: "127.0.0.1:1".into(),
            names: IrcNames::default(),
            account: None,
            bot: false,
        });
        let (since, rooms) = (Moment(0), RoomList::default());
        User { identity, since, last: since, rooms, name_changes: 0, extras: None }
    }

    #[test]
    fn a_user_is_found_by_the_nick_of_today_in_any_spelling() {
        let mut users = Users::from(Table::default());
        (1..100).for_each(|number| users.insert(user(number, &format!("user{number}"))));
        let found = |users: &Users, nick| users.called(nick).map(|it| it.identity.session.0);
        assert_eq!((found(&users, "USER7"), found(&users, "user100")), (Some(7), None));
        users.rename(&SessionId(7), Name::new("bob"));
        assert_eq!((found(&users, "user7"), found(&users, "Bob")), (None, Some(7)));
        users.rename(&SessionId(7), Name::new("BOB"));
        assert_eq!(found(&users, "bob"), Some(7));
        users.swap_remove(&SessionId(1));
        assert_eq!((found(&users, "user1"), found(&users, "user99")), (None, Some(99)));
        assert!(users.have_different_nicks());
    }

    #[test]
    fn two_users_with_one_nick_are_noticed() {
        let pair = [user(1, "bob"), user(2, "Bob")];
        let table: Table<SessionId, User> =
            pair.into_iter().map(|user| (user.identity.session, user)).collect();
        assert!(!Users::from(table).have_different_nicks());
    }
}
