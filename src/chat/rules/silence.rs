//! Silence: users whose words may not reach a room, by whatever way.
//!
//! A ban or a mute holds for the sessions that it has hit until it is lifted: the room remembers
//! them by session when they leave, log in or out, and they take no other nick while they are in.
//! What a silenced user wrote is taken out of everything that is told to the room ([`Hub::hush`]),
//! in one place, behind all commands; so is what an ignored user wrote, for those who ignore them.
//! Commands that are nothing but words are rejected before that, because an error says why.
//!
//! Rejected: to leave the words to those of the user's rooms where they may speak. A quit is told to
//! everyone once, whatever rooms they share.
//! Known limit: a nick and a room's name are words, too, and are told with a JOIN; and a ban by a nick
//! pattern that is set while a user is elsewhere does not hold for the nick they come back with.

use super::applying::Applying;
use crate::chat::api::{Effect, Event};
use crate::chat::log::Change;
use crate::chat::model::{Audience, Flag, Identity, Mask, Name, Refusal, Result, SessionId};
use crate::chat::state::{Hub, Room, User};

impl Hub {
    /// Whether the words of `user` may reach a room, as a member's or not.
    pub(super) fn may_be_heard(&self, user: &User, room: &Room) -> Result<()> {
        let refused = |refusal: fn(Name) -> Refusal| Err(refusal(room.name.clone()));
        match room.member(user.identity.session) {
            Some(member) if member.op || member.voice || user.is_operator() => Ok(()),
            Some(_) if room.silences(user) => refused(match room.bans(&user.identity, false) {
                true => Refusal::Banned,
                false => Refusal::Muted,
            }),
            None if room.modes.has(Flag::NoExternal) => refused(Refusal::NotInRoom),
            None if room.silences(user) => refused(Refusal::Banned),
            _ if room.modes.has(Flag::Moderated) => refused(Refusal::Moderated),
            _ => Ok(()),
        }
    }

    /// Whether `user` may take a nick: it would be told to all of their rooms. A newcomer may take
    /// the first one where only voiced members speak.
    pub(super) fn may_be_renamed(&self, user: &User, nick: &Name) -> Result<()> {
        let rooms = user.rooms().iter().filter_map(|name| self.rooms.get(name));
        for room in rooms {
            match self.may_be_heard(user, room) {
                Err(Refusal::Moderated(_)) if !user.identity.named => {}
                Err(_) => return Err(Refusal::SilencedNick(nick.clone(), room.name.clone())),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// The rooms of the origin's where it is silenced, if the change takes it out of them.
    pub(super) fn silenced_before(&self, origin: SessionId, change: &Change) -> Vec<Name> {
        let mut left = match change {
            Change::Part { room, .. } => vec![room.clone()],
            Change::Leave { .. } => {
                self.users.get(&origin).map(|user| user.rooms().to_vec()).unwrap_or_default()
            }
            _ => return Vec::new(),
        };
        left.retain(|name| self.is_silenced_in(origin, name));
        left
    }

    fn is_silenced_in(&self, session: SessionId, name: &Name) -> bool {
        let Some(room) = self.rooms.get(name).filter(|room| room.may_silence()) else {
            return false;
        };
        let user = self.users.get(&session).filter(|_| room.member(session).is_some());
        user.is_some_and(|user| self.may_be_heard(user, room).is_err())
    }

    /// Takes words out of the effects of a record: all that a silenced user wrote, and for those who
    /// ignore a user what that user wrote.
    pub(super) fn hush(&self, effects: &mut [Effect], silenced_before: &[Name]) {
        for effect in effects {
            let Some(who) = effect.event.author() else { continue };
            if self.is_silenced(who, &effect.audience, silenced_before) {
                match effect.event.hushed() {
                    Some(event) => effect.event = event,
                    None => effect.audience = effect.audience.acting_alone(who.session),
                }
                continue;
            }
            if !self.ignorers.is_empty() {
                let mut hushed = self.ignorers_of(who);
                hushed.retain(|session| self.receives(&effect.audience, *session));
                effect.hushed = hushed;
            }
        }
    }

    fn is_silenced(&self, who: &Identity, audience: &Audience, before: &[Name]) -> bool {
        let rooms = match audience {
            Audience::Room { room, .. } => std::slice::from_ref(room),
            Audience::Peers { rooms, .. } => rooms,
            _ => return false,
        };
        rooms.iter().any(|room| before.contains(room) || self.is_silenced_in(who.session, room))
    }

    fn receives(&self, audience: &Audience, session: SessionId) -> bool {
        let is_in =
            |name: &Name| self.rooms.get(name).is_some_and(|it| it.member(session).is_some());
        match audience {
            Audience::One(one) => *one == session,
            Audience::Private { to, .. } => to.contains(&session),
            Audience::Room { room, except, .. } => is_in(room) && !except.contains(&session),
            Audience::Peers { rooms, .. } => rooms.iter().any(is_in),
            Audience::All => true,
        }
    }

    /// A user leaves a room, or is going to be called something else: the bans and mutes that hit
    /// them go on doing so.
    pub(super) fn keep_silent(&mut self, session: SessionId, name: &Name) {
        let Some(user) = self.users.get(&session) else { return };
        let Some(room) = self.rooms.get_mut(name) else { return };
        if room.silences(user) {
            room.forget_hits(|session| self.users.contains_key(&session));
            room.note_hits(&user.identity);
            self.rooms.weigh(name, true);
        }
    }

    /// [`keep_silent`](Hub::keep_silent) in all rooms of the origin.
    pub(super) fn keep_silent_everywhere(&mut self, at: &Applying<'_>) {
        let rooms = self.users.get(&at.origin).map_or(Vec::new(), |user| user.rooms().to_vec());
        for room in rooms {
            self.keep_silent(at.origin, &room);
        }
    }

    /// A mask has been put on a room's ban list: if it names someone who is there, it holds for
    /// their sessions, and what they were invited to is closed.
    pub(super) fn strike(&mut self, name: &Name, mask: &Mask) {
        let sessions = match mask.named() {
            Some(account) if mask.account => {
                self.accounts.get(&Name::new(account)).map_or(&[][..], |it| &it.sessions)
            }
            Some(nick) => self
                .users
                .called(nick)
                .map_or(&[][..], |user| std::slice::from_ref(&user.identity.session)),
            None => &[],
        };
        let Some(room) = self.rooms.get_mut(name) else { return };
        room.forget_hits(|session| self.users.contains_key(&session));
        for session in sessions {
            room.note_hit(*session, mask);
        }
        if mask.mutes {
            return;
        }
        let since = room.since;
        for user in self.users.values_mut() {
            let is_this = |(room, opened): &(Name, _)| room == name && *opened == since;
            if user.invites().iter().any(is_this) && mask.matches(&user.identity) {
                user.extras_mut().invites.retain(|invite| !is_this(invite));
            }
        }
    }

    /// A user who is ignored by nick has another one: the ignoring goes along.
    pub(super) fn follow_ignored(&mut self, before: &Identity, nick: &Name) {
        // Ignored by account: under any nick.
        if self.ignorers.is_empty() || before.account.as_ref() == Some(&before.nick) {
            return;
        }
        let Some(sessions) = self.ignorers.swap_remove(&before.nick) else { return };
        for session in sessions {
            let Some(user) = self.users.get_mut(&session) else { continue };
            let ignores = &mut user.extras_mut().ignores;
            ignores.retain(|name| *name != before.nick && name != nick);
            ignores.push(nick.clone());
            let others = self.ignorers.get_or_insert_with(nick.clone(), Vec::new);
            if !others.contains(&session) {
                others.push(session);
            }
        }
    }

    /// Whether a session is not to be told what a user in this room has written.
    pub fn is_hushed_for(&self, session: SessionId, user: &User, room: &Name) -> bool {
        self.is_ignored_by(&user.identity, session)
            || self.is_silenced_in(user.identity.session, room)
    }

    pub fn is_ignored_by(&self, who: &Identity, session: SessionId) -> bool {
        !self.ignorers.is_empty() && self.ignorers_of(who).contains(&session)
    }

    /// What a session is shown of history without asking leaves out whom it ignores.
    pub fn leave_out_ignored(&self, session: SessionId, past: &mut Event) {
        let ignores = self.users.get(&session).map_or(&[][..], |user| &user.extras().ignores);
        if let Event::Past(past) = past
            && !ignores.is_empty()
        {
            let is_ignored = |name: &Name| ignores.contains(name);
            let before = past.entries.len();
            past.entries
                .retain(|it| !is_ignored(&it.from) && !it.account.as_ref().is_some_and(is_ignored));
            let ignored = before - past.entries.len();
            past.total = past.total.map(|total| total.saturating_sub(ignored));
        }
    }
}
