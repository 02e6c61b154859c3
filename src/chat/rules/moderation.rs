//! The commands of ops: modes, bans, kicks.

use super::applying::Applying;
use super::checks::checked_reason;
use crate::chat::api::{Command, Decision, Event};
use crate::chat::log::Change;
use crate::chat::model::{
    Audience, Caseless, Mask, ModeChange, Name, Origin, Refusal, Result, SessionId, below, limits,
    require,
};
use crate::chat::state::{Ban, Hub, Room, User};
use std::sync::Arc;

impl Hub {
    pub(super) fn decide_moderation(&self, user: &User, command: Command) -> Result<Decision> {
        match command {
            Command::SetModes(name, mut changes) => {
                let room = self.visible_room(user, &name)?;
                self.moderates(user, room)?;
                let most = limits::MODES_PER_COMMAND;
                require(changes.len() <= most, || Refusal::TooManyModes(most))?;
                for change in &mut changes {
                    self.check_mode(room, change)?;
                }
                Ok(Decision::Change(Change::Modes { room: room.name.clone(), changes }))
            }
            Command::Kick(name, nick, reason) => {
                let room = self.visible_room(user, &name)?;
                self.moderates(user, room)?;
                let nick = Name::new(&nick);
                self.member_called(room, &nick)?;
                let (room, reason) = (room.name.clone(), checked_reason(reason)?);
                Ok(Decision::Change(Change::Kick { room, nick, reason }))
            }
            _ => Err(Refusal::NotHere),
        }
    }

    /// The session of a member, by nick.
    fn member_called(&self, room: &Room, nick: &Name) -> Result<SessionId> {
        let session = self.session_of(nick.as_str());
        let session = session.ok_or_else(|| Refusal::NoSuchNick(nick.clone()))?;
        if room.members.contains_key(&session) {
            Ok(session)
        } else {
            Err(Refusal::TheyAreNotIn(nick.clone(), room.name.clone()))
        }
    }

    /// Checks one mode change, and completes a mask as it will be listed.
    fn check_mode(&self, room: &Room, change: &mut ModeChange) -> Result<()> {
        match change {
            ModeChange::Flag(..) | ModeChange::Key(None) | ModeChange::Limit(_) => Ok(()),
            ModeChange::Key(Some(key)) => {
                let wrong = |c: char| c.is_whitespace() || c.is_control() || c == ',';
                let fits = (1..=limits::KEY_LENGTH).contains(&key.len());
                require(fits && !key.contains(wrong), || Refusal::BadKey)
            }
            ModeChange::Op(nick, _) | ModeChange::Voice(nick, _) => {
                self.member_called(room, nick).map(|_| ())
            }
            ModeChange::Except(text, on) => check_mask(text, *on, &room.excepts),
            ModeChange::Invitable(text, on) => check_mask(text, *on, &room.invitables),
            ModeChange::Ban(text, on) => {
                let listed = |mask: &Mask| room.bans.iter().any(|ban| ban.mask == *mask);
                let mut persons = self.masks_of_person(text).into_iter().flatten();
                let mask = parsed(text)?;
                let mask = persons.find(|it| *on || listed(it)).unwrap_or(mask);
                require(*on || listed(&mask), || Refusal::NoSuchBan(text.as_str().into()))?;
                if *on && !listed(&mask) {
                    below(room.bans.len(), limits::BANS_PER_ROOM, Refusal::TooManyBans)?;
                }
                *text = mask.to_string();
                Ok(())
            }
        }
    }

    /// A nick means the person: the masks of the account, which stays banned under another nick, and
    /// of the address, unless it is this machine's, whose users share one.
    fn masks_of_person(&self, text: &str) -> [Option<Mask>; 2] {
        let (mutes, nick) = text.strip_prefix("m:").map_or(("", text), |nick| ("m:", nick));
        let user = self.session_of(nick).and_then(|session| self.user(session));
        let account = match user {
            Some(user) => user.identity.account.clone(),
            None => self.accounts.get(&Caseless(nick)).map(|_| Name::new(nick)),
        };
        let is_shared = |host: &&str| Origin::of_host(host).is_none_or(|it| it.is_loopback());
        let host = user.map(|user| user.identity.host()).filter(|host| !is_shared(host));
        [
            account.and_then(|account| Mask::parse(&format!("{mutes}a:{account}"))),
            host.and_then(|host| Mask::parse(&format!("{mutes}*!*@{host}"))),
        ]
    }

    pub(super) fn set_modes(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        changes: Vec<ModeChange>,
    ) -> Result<()> {
        let user = self.origin(at)?;
        let room = self.visible_room(user, name.as_str())?;
        self.moderates(user, room)?;
        let (who, room) = (Arc::clone(&user.identity), room.name.clone());
        let mut done = Vec::new();
        let mut refused = Vec::new();
        for change in changes {
            match self.set_mode(at, name, &who.nick, &change) {
                Ok(true) => done.push(change),
                Ok(false) => {}
                Err(refusal) => refused.push(refusal),
            }
        }
        let changed_nothing = done.is_empty();
        if !changed_nothing {
            at.tell_room(&room, Event::ModesSet { who, room: room.clone(), changes: done });
        }
        let idle = changed_nothing && refused.is_empty();
        for refusal in refused.into_iter().chain(idle.then_some(Refusal::NothingChanged(room))) {
            at.tell_origin(Event::Refused(refusal));
        }
        Ok(())
    }

    /// Makes one change; whether it made a difference.
    fn set_mode(
        &mut self,
        at: &Applying<'_>,
        name: &Name,
        by: &Name,
        change: &ModeChange,
    ) -> Result<bool> {
        let no_room = || Refusal::NoSuchRoom(name.clone());
        let target = match change {
            ModeChange::Op(nick, _) | ModeChange::Voice(nick, _) => {
                let room = self.rooms.get(name).ok_or_else(no_room)?;
                Some(self.member_called(room, nick)?)
            }
            _ => None,
        };
        let account = target
            .and_then(|session| self.users.get(&session))
            .and_then(|user| user.identity.account.clone());
        let room = self.rooms.get_mut(name).ok_or_else(no_room)?;
        let member = target.and_then(|session| room.members.get_mut(&session));
        Ok(match (change, member) {
            (ModeChange::Flag(flag, true), _) => room.modes.flags.insert(*flag),
            (ModeChange::Flag(flag, false), _) => room.modes.flags.remove(flag),
            (ModeChange::Key(key), _) => {
                std::mem::replace(&mut room.modes.key, key.clone()) != *key
            }
            (ModeChange::Limit(limit), _) => {
                let limit = limit.filter(|&limit| limit > 0);
                std::mem::replace(&mut room.modes.limit, limit) != limit
            }
            (ModeChange::Voice(_, on), Some(member)) => {
                std::mem::replace(&mut member.voice, *on) != *on
            }
            (ModeChange::Op(_, on), Some(member)) => {
                let changed = std::mem::replace(&mut member.op, *on) != *on;
                if let Some(account) = account {
                    room.ops.retain(|known| *known != account);
                    if *on && room.ops.len() < limits::OPS_PER_ROOM {
                        room.ops.push(account);
                    }
                }
                changed
            }
            (ModeChange::Op(..) | ModeChange::Voice(..), None) => false,
            (ModeChange::Except(text, on) | ModeChange::Invitable(text, on), _) => {
                let ban = Ban { mask: parsed(text)?, by: by.clone(), time: at.time };
                let excepts = matches!(change, ModeChange::Except(..));
                let list = if excepts { &mut room.excepts } else { &mut room.invitables };
                let changed = set_mask(list, ban, *on)?;
                if excepts && changed {
                    room.mask_changes = room.mask_changes.wrapping_add(1);
                }
                changed
            }
            (ModeChange::Ban(text, on), _) => {
                let ban = Ban { mask: parsed(text)?, by: by.clone(), time: at.time };
                let mask = ban.mask.clone();
                let changed = set_mask(&mut room.bans, ban, *on)?;
                room.mask_changes = room.mask_changes.wrapping_add(u32::from(changed));
                match (changed, on) {
                    (true, true) => self.strike(name, &mask),
                    (true, false) => room.hits.retain(|(_, by)| *by != mask),
                    (false, _) => {}
                }
                changed
            }
        })
    }

    pub(super) fn kick(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        nick: &Name,
        reason: Option<Arc<str>>,
    ) -> Result<()> {
        let user = self.origin(at)?;
        let room = self.visible_room(user, name.as_str())?;
        self.moderates(user, room)?;
        let session = self.member_called(room, nick)?;
        let Some(target) = self.users.get(&session) else { return Ok(()) };
        let (who, target) = (Arc::clone(&user.identity), Arc::clone(&target.identity));
        let room = room.name.clone();
        self.take_out(session, &room, at.time);
        let event = Event::Kicked { who, room: room.clone(), target, reason };
        at.tell_room(&room, event.clone());
        if session != at.origin {
            at.tell(Audience::One(session), event);
        }
        Ok(())
    }
}

fn parsed(mask: &str) -> Result<Mask> {
    Mask::parse(mask).ok_or_else(|| Refusal::BadMask(mask.into()))
}

/// Checks a mask that is to be put on a list, and completes it as it will be listed.
fn check_mask(text: &mut String, on: bool, list: &[Ban]) -> Result<()> {
    let mask = parsed(text)?;
    if on && !list.iter().any(|ban| ban.mask == mask) {
        below(list.len(), limits::BANS_PER_ROOM, Refusal::TooManyBans)?;
    }
    *text = mask.to_string();
    Ok(())
}

/// Puts a mask on a list or takes it off; whether that made a difference.
fn set_mask(list: &mut Vec<Ban>, ban: Ban, on: bool) -> Result<bool> {
    match (list.iter().position(|other| other.mask == ban.mask), on) {
        (Some(_), true) | (None, false) => Ok(false),
        (Some(place), false) => {
            list.remove(place);
            Ok(true)
        }
        (None, true) => {
            below(list.len(), limits::BANS_PER_ROOM, Refusal::TooManyBans)?;
            list.push(ban);
            Ok(true)
        }
    }
}
