//! Entering and leaving rooms, and what a room is about.

use super::applying::Applying;
use super::checks::{checked_reason, fits, operates};
use crate::chat::api::{Command, Decision, Event};
use crate::chat::log::Change;
use crate::chat::model::{
    Audience, Field, Flag, Identity, Moment, Name, Origin, Refusal, Result, SessionId, Topic,
    below, limits, require,
};
use crate::chat::state::{Hub, Member, Registration, Room, User};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Hub {
    pub(super) fn decide_room(&self, user: &User, command: Command) -> Result<Decision> {
        let change = match command {
            Command::Join(name, key) => {
                let room = Name::room(&name).map_err(|fault| Refusal::BadRoom(name, fault))?;
                self.may_join(user, &room)?;
                let wanted = self.rooms.get(&room).and_then(|room| room.modes.key.as_ref());
                let exempt = user.is_operator() || self.invited(user, &room);
                // Only here: a key that a user has tried is not recorded.
                if wanted.is_some_and(|wanted| key.as_ref() != Some(wanted)) && !exempt {
                    return Err(Refusal::WrongKey(room));
                }
                Change::Join { room, registers: false, modes: None }
            }
            Command::Part(name, reason) => {
                let room = self.own_room(user, &name)?.name.clone();
                Change::Part { room, reason: checked_reason(reason)? }
            }
            Command::SetTopic(name, text) => {
                let room = self.may_set_topic(user, &name)?;
                self.may_be_heard(user, room)?;
                fits(Field::Topic, &text, limits::TOPIC_LENGTH)?;
                Change::Topic { room: room.name.clone(), text }
            }
            Command::Invite(nick, name) => {
                let room = self.may_invite(user, &name, &nick)?;
                // A member cannot open what an operator has closed.
                let opens = self.moderates(user, room).is_ok();
                Change::Invite { room: room.name.clone(), nick: Name::new(&nick), opens }
            }
            Command::RenameRoom(name, to, reason) => {
                return self.decide_rename(user, &name, to, reason);
            }
            Command::Keep(name, on) => {
                operates(user)?;
                let room = self.room(&name).ok_or_else(|| Refusal::NoSuchRoom(Name::new(&name)))?;
                Change::Keep { room: room.name.clone(), on }
            }
            _ => return Err(Refusal::NotHere),
        };
        Ok(Decision::Change(change))
    }

    /// Checks everything that prevents a join except the key.
    fn may_join(&self, user: &User, name: &Name) -> Result<()> {
        below(user.rooms.len(), limits::ROOMS_PER_USER, Refusal::TooManyRooms)?;
        let Some(room) = self.rooms.get(name) else {
            return require(self.rooms.len() < limits::ROOMS, || Refusal::ServerFull);
        };
        let refused = |refusal: fn(Name) -> Refusal| Err(refusal(room.name.clone()));
        if room.members.contains_key(&user.identity.session) {
            return refused(Refusal::AlreadyIn);
        }
        // An operator's invitation overrides every restriction; a server operator needs none.
        if user.is_operator() || self.invited(user, name) {
            return Ok(());
        }
        let invitable = || room.invitables.iter().any(|ban| ban.mask.matches(&user.identity));
        match room.modes.limit {
            _ if room.bans(&user.identity, false) => refused(Refusal::Banned),
            _ if room.modes.has(Flag::InviteOnly) && !invitable() => refused(Refusal::InviteOnly),
            Some(limit) if room.members.len() >= limit as usize => {
                Err(Refusal::RoomFull(room.name.clone(), limit))
            }
            _ => Ok(()),
        }
    }

    /// Whether a newcomer, who has no key, may start in a room.
    pub(super) fn may_start_in(&self, who: &Identity, name: &Name) -> Result<()> {
        let user = self.users.get(&who.session).ok_or(Refusal::NotHere)?;
        self.may_join(user, name)?;
        let has_key = |room: &Room| room.modes.key.is_some();
        if self.rooms.get(name).is_some_and(has_key) && !user.is_operator() {
            return Err(Refusal::WrongKey(name.clone()));
        }
        Ok(())
    }

    fn invited(&self, user: &User, name: &Name) -> bool {
        let since = self.rooms.get(name).map(|room| room.since);
        user.extras()
            .invites
            .iter()
            .any(|(invited, opened)| invited == name && Some(*opened) == since)
    }

    pub(super) fn join(
        &mut self,
        at: &mut Applying<'_>,
        name: Name,
        registers: bool,
        modes: Option<BTreeSet<Flag>>,
    ) -> Result<()> {
        self.may_join(self.origin(at)?, &name)?;
        let op = self.add_member(at, &name, registers);
        if let Some(flags) = modes
            && let Some(room) = self.rooms.get_mut(&name).filter(|room| room.since == at.id)
        {
            room.modes.flags = flags;
        }
        let Some(room) = self.rooms.get(&name) else { return Ok(()) };
        let event = Event::Joined {
            who: Arc::clone(&self.origin(at)?.identity),
            room: room.name.clone(),
            members: room.members.len(),
            topic: room.topic.clone(),
            op,
            away: self.origin(at)?.away().cloned(),
        };
        at.tell_room(&room.name, event);
        self.replay_room(at, &name);
        Ok(())
    }

    /// Adds the origin to a room, which is created if it does not exist; returns whether it is op.
    pub(super) fn add_member(&mut self, at: &Applying<'_>, name: &Name, registers: bool) -> bool {
        let Some(user) = self.users.get_mut(&at.origin) else { return false };
        let mut opened = false;
        let room = self.rooms.get_or_insert_with(name, || {
            opened = true;
            let mut room = Room::new(name.clone(), at.id, at.time);
            room.opener = Origin::of_host(user.identity.host());
            let by = user.identity.account.clone().filter(|_| registers);
            room.registration = by.map(|by| Registration { by: Some(by), seen: at.time });
            room
        });
        let Some(room) = room else { return false };
        let known =
            user.identity.account.as_ref().is_some_and(|account| room.ops.contains(account));
        // After a restart there may be no known op left; then the first member to return becomes
        // op.
        let first_back = room.waiting && room.members.is_empty() && room.ops.is_empty();
        let first_back = first_back && !room.kept && room.registration.is_none();
        let op = opened || known || first_back;
        room.waiting = false;
        let (silenced, judged) = (room.silences(user), room.judgement(user));
        room.members.insert(at.origin, Member { op, voice: false, silenced, judged });
        if opened && let Some(account) = &user.identity.account {
            room.ops.push(account.clone());
        }
        user.rooms.push(room.name.clone());
        if !user.extras().invites.is_empty() {
            user.extras_mut().invites.retain(|(invited, _)| invited != name);
        }
        op
    }

    /// Removes a session from a room's members; deletes the room if there is no reason to keep it.
    pub(super) fn remove_member(&mut self, session: SessionId, name: &Name, now: Moment) {
        self.rooms.note_presence(name, now);
        if let Some(room) = self.rooms.get_mut(name) {
            room.members.swap_remove(&session);
            if !room.lives() {
                self.rooms.swap_remove(name);
            }
        }
    }

    /// Takes a session out of a room on both sides.
    pub(super) fn take_out(&mut self, session: SessionId, name: &Name, now: Moment) {
        self.keep_silent(session, name);
        if let Some(user) = self.users.get_mut(&session) {
            user.rooms.remove(name);
        }
        self.remove_member(session, name, now);
    }

    pub(super) fn part(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        reason: Option<Arc<str>>,
    ) -> Result<()> {
        let user = self.origin(at)?;
        let (who, room) =
            (Arc::clone(&user.identity), self.own_room(user, name.as_str())?.name.clone());
        self.take_out(at.origin, &room, at.time);
        at.tell_room(&room, Event::Parted { who, room: room.clone(), reason });
        Ok(())
    }

    fn may_set_topic(&self, user: &User, name: &str) -> Result<&Room> {
        let room = self.own_room(user, name)?;
        if room.modes.has(Flag::TopicLocked) {
            self.moderates(user, room)?;
        }
        Ok(room)
    }

    pub(super) fn topic(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        text: Arc<str>,
    ) -> Result<()> {
        let user = self.origin(at)?;
        self.may_set_topic(user, name.as_str())?;
        let who = Arc::clone(&user.identity);
        let topic = Topic { text, by: who.nick.clone(), time: at.time };
        let Some(room) = self.rooms.get_mut(name) else { return Ok(()) };
        room.topic = (!topic.text.is_empty()).then(|| topic.clone());
        let room = room.name.clone();
        at.tell_room(&room, Event::TopicSet { who, room: room.clone(), topic });
        Ok(())
    }

    fn may_invite(&self, user: &User, name: &str, nick: &str) -> Result<&Room> {
        let room = self.own_room(user, name)?;
        if room.modes.has(Flag::InviteOnly) {
            self.moderates(user, room)?;
        }
        let guest = self.session_of(nick).ok_or_else(|| Refusal::NoSuchNick(Name::new(nick)))?;
        if room.members.contains_key(&guest) {
            return Err(Refusal::TheyAreIn(Name::new(nick), room.name.clone()));
        }
        Ok(room)
    }

    pub(super) fn invite(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        nick: &Name,
        opens: bool,
    ) -> Result<()> {
        let user = self.origin(at)?;
        let room = self.may_invite(user, name.as_str(), nick.as_str())?;
        let (room, since, who) = (room.name.clone(), room.since, Arc::clone(&user.identity));
        let Some(guest) = self.session_of(nick.as_str()) else { return Ok(()) };
        let ignored = self.ignorers_of(&who).contains(&guest);
        // One operator does not push out the invitations of others.
        let own = |(name, since): &(Name, _)| {
            let room = self.rooms.get(name).filter(|room| room.since == *since);
            room.is_none_or(|room| self.moderates(user, room).is_ok())
        };
        let invites = self.users.get(&guest).map_or(&[][..], |guest| guest.invites());
        let full = invites.len() >= limits::INVITES_PER_USER;
        let oldest = || full.then(|| invites.iter().position(own).unwrap_or(0));
        let before = invites.iter().position(|(invited, _)| *invited == room).or_else(oldest);
        let Some(target) = self.users.get_mut(&guest) else { return Ok(()) };
        let nick = target.identity.nick.clone();
        if opens {
            let invites = &mut target.extras_mut().invites;
            before.map(|place| invites.remove(place));
            invites.push((room.clone(), since));
        }
        let to = if ignored { Vec::new() } else { vec![guest] };
        let audience = Audience::Private { to, from: at.origin };
        let seen =
            Event::InviteSeen { who: Arc::clone(&who), room: room.clone(), nick: nick.clone() };
        let members = Audience::Room { room: room.clone(), from: None, except: vec![at.origin] };
        at.tell(audience, Event::Invited { who, room, nick });
        at.tell(members, seen);
        Ok(())
    }

    pub(super) fn keep(&mut self, at: &mut Applying<'_>, name: &Name, on: bool) -> Result<()> {
        // The lobby is where everyone starts; it cannot be deleted.
        let on = on || *name == Name::lobby();
        let Some(room) = self.rooms.get_mut(name) else {
            return Err(Refusal::NoSuchRoom(name.clone()));
        };
        room.kept = on;
        if !on {
            self.rooms.set_registration(name, None);
        }
        let Some(room) = self.rooms.get(name) else { return Ok(()) };
        at.tell_origin(Event::Kept { room: room.name.clone(), on });
        if !room.lives() {
            self.rooms.swap_remove(name);
        }
        Ok(())
    }

    /// The registered rooms in which no one has been since `before`.
    pub fn abandoned_rooms(&self, before: Moment) -> Vec<Name> {
        let abandoned = |room: &&Room| is_abandoned(room, before);
        self.rooms.values().filter(abandoned).map(|room| room.name.clone()).collect()
    }

    /// How many rooms an account has registered.
    pub fn rooms_of(&self, account: &Name) -> usize {
        self.rooms.registered_by(account)
    }

    pub(super) fn lapse(&mut self, at: &mut Applying<'_>, name: &Name, before: Moment) {
        let abandoned = self.rooms.get(name).filter(|room| is_abandoned(room, before));
        let Some(room) = abandoned.map(|room| room.name.clone()) else { return };
        self.rooms.swap_remove(&room);
        at.tell_origin(Event::Kept { room, on: false });
    }
}

fn is_abandoned(room: &Room, before: Moment) -> bool {
    let since = room.registration.as_ref().map(|registration| registration.seen);
    since.is_some_and(|seen| seen < before) && room.members.is_empty() && !room.kept
}
