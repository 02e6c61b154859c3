//! Presence: coming, going, and under which name.

use super::applying::Applying;
use super::checks::{checked_reason, fits};
use crate::chat::api::{Command, Decision, Event};
use crate::chat::log::{Change, Entry, QuitReason};
use crate::chat::model::{
    Audience, Field, Identity, IrcNames, Moment, Name, Query, Range, Refusal, Result, Scope,
    SessionId, UserMode, below, guest_number, limits, require,
};
use crate::chat::state::{Account, Hub, Room, RoomList, User};
use std::sync::Arc;

impl Hub {
    pub(super) fn decide_presence(&self, user: &User, command: Command) -> Result<Decision> {
        match command {
            Command::Nick(text) => {
                let nick = Name::nick(&text).map_err(|fault| Refusal::BadNick(text, fault))?;
                if user.identity.nick.as_str() == nick.as_str() {
                    return Err(Refusal::SameNick(nick));
                }
                self.nick_is_free(user.identity.session, user.identity.account.as_ref(), &nick)?;
                // Not when it is applied: records of earlier versions mean what they meant.
                self.may_be_renamed(user, &nick)?;
                Ok(Decision::Change(Change::Nick { nick }))
            }
            Command::Away(message) => {
                Ok(Decision::Change(Change::Away { message: checked_reason(message)? }))
            }
            Command::Ignore(text, on) => {
                let nick = Name::new(&text);
                require(nick != user.identity.nick, || Refusal::Oneself)?;
                let ignores = &user.extras().ignores;
                if on {
                    let known =
                        self.session_of(&text).is_some() || self.accounts.contains_key(&nick);
                    require(known, || Refusal::NoSuchNick(nick.clone()))?;
                    below(ignores.len(), limits::IGNORES_PER_USER, Refusal::TooManyIgnored)?;
                } else {
                    require(ignores.contains(&nick), || Refusal::NotIgnored(nick.clone()))?;
                }
                Ok(Decision::Change(Change::Ignore { nick, on }))
            }
            Command::RealName(text) => {
                fits(Field::RealName, &text, limits::REAL_NAME_LENGTH)?;
                Ok(Decision::Change(Change::RealName { text }))
            }
            Command::UserModes(mut changes) => {
                changes.retain(|(mode, on)| !(*mode == UserMode::Operator && *on));
                Ok(Decision::Change(Change::UserModes { changes }))
            }
            _ => Ok(Decision::Reply(Event::Ignored(user.extras().ignores.clone()))),
        }
    }

    /// Whether a session logged in to `account` may use `nick`: it is not in use, and not another
    /// user's account.
    pub fn nick_is_free(
        &self,
        session: SessionId,
        account: Option<&Name>,
        nick: &Name,
    ) -> Result<()> {
        if self.accounts.contains_key(nick) && account != Some(nick) {
            return Err(Refusal::NickReserved(nick.clone()));
        }
        match self.session_of(nick.as_str()) {
            Some(holder) if holder != session => Err(Refusal::NickInUse(nick.clone())),
            _ => Ok(()),
        }
    }

    /// All sessions of a node end at once, without events: their connections are gone.
    pub(super) fn restarted(&mut self, node: u16, now: Moment) {
        // A room without members since the previous restart has waited long enough.
        self.rooms
            .retain(|room| room.kept || room.registration.is_some() || !room.members.is_empty());
        let gone: Vec<SessionId> =
            self.users.keys().copied().filter(|session| session.node() == node).collect();
        let mut lighter = Vec::new();
        for room in self.rooms.values_mut() {
            for recent in &mut room.recent {
                recent.session = recent.session.filter(|session| session.node() != node);
            }
            let all_gone = room.members.keys().all(|session| session.node() == node);
            room.waiting = all_gone && !room.members.is_empty();
            if !room.hits.is_empty() {
                room.hits.retain(|(session, _)| session.node() != node);
                lighter.push(room.name.clone());
            }
        }
        lighter.iter().for_each(|room| self.rooms.weigh(room, true));
        self.rooms_wait = Some(Moment(i64::MAX));
        for private in &mut self.private {
            private.session = private.session.filter(|session| session.node() != node);
        }
        for session in gone {
            self.forget(session, now);
        }
    }

    /// Rooms that have waited for an hour are deleted.
    pub(super) fn end_waiting(&mut self, now: Moment) {
        let Some(since) = &mut self.rooms_wait else { return };
        *since = now.min(*since);
        if now.0.saturating_sub(since.0) >= limits::ROOMS_WAIT {
            self.rooms_wait = None;
            self.rooms.values_mut().for_each(|room| room.waiting = false);
            self.rooms.retain(Room::lives);
        }
    }

    pub(super) fn enter(&mut self, at: &mut Applying<'_>, mut entry: Entry) -> Result<()> {
        // A session that enters twice: the owner of the sockets has not recorded the quit.
        if self.users.contains_key(&at.origin) {
            self.leave(at, at.origin, QuitReason::Quit);
        }
        let as_of = entry.as_of.unwrap_or(at.id);
        let fits = |account: &Account| account.admits(as_of).is_ok();
        let account = entry.account.take();
        let account = account.filter(|name| self.accounts.get(name).is_some_and(fits));
        let nick = self.entry_nick(at.origin, account.as_ref(), &entry)?;
        let (lobby, restricted) = (entry.lobby, entry.restricted);
        let metadata = std::mem::take(&mut entry.metadata);
        self.add_user(at, nick, entry);
        if let Some(name) = &account {
            self.attach_account(at.origin, name, at.time);
        }
        self.enter_metadata(at, metadata);
        self.welcome(at, lobby, restricted)?;
        if let Some(account) = account {
            self.replay_mail(at, account);
        }
        Ok(())
    }

    /// The nick that a newcomer wants and can have; `None` makes a guest.
    fn entry_nick(
        &self,
        session: SessionId,
        account: Option<&Name>,
        entry: &Entry,
    ) -> Result<Option<Name>> {
        let Some(nick) = &entry.nick else { return Ok(None) };
        match self.nick_is_free(session, account, nick) {
            Ok(()) => Ok(Some(nick.clone())),
            Err(refusal) if entry.named_only => Err(refusal),
            Err(_) => Ok(None),
        }
    }

    /// Puts the origin into the users and the indices of names.
    fn add_user(&mut self, at: &Applying<'_>, nick: Option<Name>, entry: Entry) {
        let named = nick.is_some();
        let nick = nick.unwrap_or_else(|| Name::guest(self.guests.take()));
        let identity = Arc::new(Identity {
            session: at.origin,
            nick: nick.clone(),
            named,
            label: (*entry.label).into(),
            names: IrcNames::new(entry.username, entry.realname),
            account: None,
            bot: false,
        });
        self.initials.add(&nick);
        let (since, last, rooms) = (at.time, at.time, RoomList::default());
        let mut user = User { identity, since, last, rooms, name_changes: 0, extras: None };
        if entry.console {
            user.extras_mut().operator = Some("console".into());
        }
        self.users.insert(user);
    }

    /// Tells the origin who it is, and the lobby, if it starts there, who has come.
    fn welcome(&mut self, at: &mut Applying<'_>, into_lobby: bool, restricted: bool) -> Result<()> {
        let (who, online) = (Arc::clone(&self.origin(at)?.identity), self.online());
        at.tell_origin(Event::Welcome { who: Arc::clone(&who), online });
        if into_lobby {
            let lobby = Name::lobby();
            if restricted {
                self.may_start_in(&who, &lobby)?;
            }
            self.add_member(at, &lobby, false);
            at.tell_room(&lobby, Event::Entered { who, online });
            self.replay_room(at, &lobby);
        }
        Ok(())
    }

    /// Asks the journal for the last lines of a room, for the origin.
    pub(super) fn replay_room(&self, at: &mut Applying<'_>, room: &Name) {
        let Some(room) = self.rooms.get(room) else { return };
        if room.last_number > 0 {
            let scope = Scope::Room(room.for_query());
            let query = Query { scope, range: Range::Latest, limit: None, events: false };
            at.tell_origin(Event::ReplayHistory(Box::new(query)));
        }
    }

    /// A user quits. Everyone who shared a room with them is notified.
    pub(super) fn leave(&mut self, at: &mut Applying<'_>, session: SessionId, why: QuitReason) {
        let Some(user) = self.forget(session, at.time) else { return };
        let mut rooms = user.rooms.to_vec();
        rooms.retain(|room| self.rooms.contains_key(room));
        let online = self.online();
        // Clients that monitor the user are notified too, even if no one else is.
        let event = Event::Left { who: user.identity, departure: why, online };
        at.tell(Audience::Peers { rooms, from: None }, event);
    }

    /// Removes a session from the users and all indexes. Rooms with no reason to be kept are
    /// deleted.
    fn forget(&mut self, session: SessionId, now: Moment) -> Option<User> {
        let user = self.users.swap_remove(&session)?;
        self.free_nick(&user.identity.nick);
        for name in user.rooms.iter() {
            self.remove_member(session, name, now);
        }
        for nick in &user.extras().ignores {
            self.stop_ignoring(session, nick);
        }
        if let Some(account) = &user.identity.account {
            self.detach_account(session, account, now);
        }
        Some(user)
    }

    fn free_nick(&mut self, nick: &Name) {
        self.initials.remove(nick);
        if let Some(number) = guest_number(nick.as_str()) {
            self.guests.release(number);
        }
    }

    pub(super) fn rename(&mut self, at: &mut Applying<'_>, nick: Name) -> Result<()> {
        let before = Arc::clone(&self.origin(at)?.identity);
        self.nick_is_free(at.origin, before.account.as_ref(), &nick)?;
        self.follow_ignored(&before, &nick);
        self.free_nick(&before.nick);
        self.initials.add(&nick);
        self.users.rename(&at.origin, nick);
        let user = self.origin(at)?;
        let (who, rooms) = (Arc::clone(&user.identity), user.rooms.to_vec());
        let audience = Audience::Peers { rooms, from: Some(at.origin) };
        at.tell(audience, Event::Renamed { who, before });
        Ok(())
    }

    /// The origin loses its nick and gets a guest's.
    pub(super) fn become_guest(&mut self, at: &mut Applying<'_>) -> Result<()> {
        let number = self.guests.take();
        let mut renamed = self.rename(at, Name::guest(number));
        if renamed.is_ok() {
            let user = self.users.get_mut(&at.origin).ok_or(Refusal::NotHere);
            renamed = user.map(|user| user.identity_mut().named = false);
        } else {
            self.guests.release(number);
        }
        renamed
    }

    pub(super) fn away(&mut self, at: &mut Applying<'_>, message: Option<Arc<str>>) -> Result<()> {
        let Some(user) = self.users.get_mut(&at.origin) else { return Err(Refusal::NotHere) };
        if user.extras().away == message {
            // A repeated away message is not announced.
            let event = Event::Away { who: Arc::clone(&user.identity), message };
            at.tell(Audience::Private { to: Vec::new(), from: at.origin }, event);
            return Ok(());
        }
        user.extras_mut().away.clone_from(&message);
        let audience = Audience::Peers { rooms: user.rooms.to_vec(), from: Some(at.origin) };
        at.tell(audience, Event::Away { who: Arc::clone(&user.identity), message });
        Ok(())
    }

    pub(super) fn real_name(&mut self, at: &mut Applying<'_>, text: Arc<str>) -> Result<()> {
        let Some(user) = self.users.get_mut(&at.origin) else { return Err(Refusal::NotHere) };
        let identity = user.identity_mut();
        identity.names = IrcNames::new(identity.names.username().cloned(), Some(text));
        let audience = Audience::Peers { rooms: user.rooms.to_vec(), from: Some(at.origin) };
        at.tell(audience, Event::RealName { who: Arc::clone(&user.identity) });
        Ok(())
    }

    pub(super) fn user_modes(
        &mut self,
        at: &mut Applying<'_>,
        changes: Vec<(UserMode, bool)>,
    ) -> Result<()> {
        let Some(user) = self.users.get_mut(&at.origin) else { return Err(Refusal::NotHere) };
        let mut done = Vec::new();
        for (mode, on) in changes {
            if user.is(mode) == on {
                continue;
            }
            match mode {
                UserMode::Invisible => user.extras_mut().invisible = on,
                UserMode::Wallops => user.extras_mut().wallops = on,
                UserMode::Bot => user.identity_mut().bot = on,
                UserMode::Operator if !on => user.extras_mut().operator = None,
                UserMode::Operator => continue,
            }
            done.push((mode, on));
        }
        if !done.is_empty() {
            at.tell_origin(Event::UserModes { who: Arc::clone(&user.identity), changes: done });
        }
        Ok(())
    }

    pub(super) fn ignore(&mut self, at: &mut Applying<'_>, nick: Name, on: bool) -> Result<()> {
        let Some(user) = self.users.get_mut(&at.origin) else { return Err(Refusal::NotHere) };
        let has = user.extras().ignores.contains(&nick);
        if on && !has {
            let ignores = &mut user.extras_mut().ignores;
            below(ignores.len(), limits::IGNORES_PER_USER, Refusal::TooManyIgnored)?;
            ignores.push(nick.clone());
            self.ignorers.get_or_insert_with(nick.clone(), Vec::new).push(at.origin);
        } else if !on && has {
            user.extras_mut().ignores.retain(|ignored| *ignored != nick);
            self.stop_ignoring(at.origin, &nick);
        }
        at.tell_origin(Event::Ignoring { nick, on });
        Ok(())
    }

    fn stop_ignoring(&mut self, session: SessionId, nick: &Name) {
        if let Some(sessions) = self.ignorers.get_mut(nick) {
            sessions.retain(|ignorer| *ignorer != session);
            if sessions.is_empty() {
                self.ignorers.swap_remove(nick);
            }
        }
    }

    /// The sessions that ignore a user, each once, in rising order. Empty, without even a lookup,
    /// if no one ignores anyone.
    ///
    /// A record may rename its author behind an event that still has the old nick, and the ignoring
    /// goes along with the new one: a user counts as ignored as they are in `who` and as they are now.
    pub(super) fn ignorers_of(&self, who: &Identity) -> Vec<SessionId> {
        if self.ignorers.is_empty() {
            return Vec::new();
        }
        let now = self.users.get(&who.session).map(|user| &*user.identity);
        let mut names = Vec::with_capacity(4);
        for identity in std::iter::once(who).chain(now) {
            names.push(&identity.nick);
            names.extend(&identity.account);
        }
        // Users never ignore themselves, even if another session of theirs has a nick that they
        // ignore.
        let sessions = names.into_iter().filter_map(|name| self.ignorers.get(name));
        let sessions = sessions.flatten().copied();
        let mut sessions: Vec<SessionId> =
            sessions.filter(|session| *session != who.session).collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }
}
