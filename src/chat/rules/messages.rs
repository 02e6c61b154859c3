//! Commands about existing messages: find, reply, edit, delete, react.
//!
//! The most recent messages of each room are in memory. For an older one, the journal is queried,
//! and the command is decided again with the result.

use super::applying::Applying;
use super::checks::{checked_reason, checked_text, fits, given};
use crate::chat::api::{Command, Decision, Event, Pick};
use crate::chat::log::Change;
use crate::chat::model::{
    Audience, Field, Lookup, Name, Point, Reference, Refusal, Result, below, limits, require,
};
use crate::chat::state::{Hub, Room, User};
use std::sync::Arc;

/// The result of looking for a message.
pub(super) enum Found {
    Here(Reference),
    Elsewhere(Lookup, Refusal),
}

impl Hub {
    pub(super) fn decide_about_message(&self, user: &User, command: Command) -> Result<Decision> {
        if let Command::Redact(to, Pick::Id(id), reason) = &command
            && !to.starts_with('#')
        {
            let to = self.own_private(user, to, *id)?;
            let reason = checked_reason(Some(Arc::clone(reason)))?;
            return Ok(Decision::Change(Change::TakeBack { to, id: *id, reason }));
        }
        let (name, pick) = match &command {
            Command::React(name, pick, text, _) => {
                given(Field::Reaction, text)?;
                fits(Field::Reaction, text, limits::REACTION_LENGTH)?;
                (name, pick)
            }
            Command::Edit(name, pick, text) => {
                checked_text(Arc::clone(text))?;
                (name, pick)
            }
            Command::Redact(name, pick, _) => (name, pick),
            _ => return Err(Refusal::NotHere),
        };
        let room = self.own_room(user, name)?;
        let message = match find(room, pick)? {
            Found::Here(message) => message,
            Found::Elsewhere(lookup, missing) => {
                return Ok(Decision::Lookup { lookup, then: Box::new(command), missing });
            }
        };
        let room_name = room.name.clone();
        let change = match command {
            Command::React(_, _, text, on) => {
                self.may_speak(user, room_name.as_str())?;
                Change::React { room: room_name, message, text, on, tags: None }
            }
            Command::Edit(_, _, text) => {
                self.may_speak(user, room_name.as_str())?;
                self.may_change(user, room, &message, false)?;
                Change::Edit { room: room_name, message, text }
            }
            Command::Redact(_, _, reason) => {
                self.may_change(user, room, &message, true)?;
                Change::Delete { room: room_name, message, reason: checked_reason(Some(reason))? }
            }
            _ => return Err(Refusal::NotHere),
        };
        Ok(Decision::Change(change))
    }

    /// Whether `user` may change a message: their own, by session or by account; ops may `delete`
    /// any.
    fn may_change(
        &self,
        user: &User,
        room: &Room,
        message: &Reference,
        delete: bool,
    ) -> Result<()> {
        let by_session = room.recent(message.id).and_then(|recent| recent.session);
        let account = user.identity.account.as_ref();
        let by_account = self.wrote(account, message.account.as_ref(), message.id);
        if by_account || by_session == Some(user.identity.session) {
            return Ok(());
        }
        if delete && self.moderates(user, room).is_ok() {
            return Ok(());
        }
        Err(Refusal::NotYours(message.number))
    }

    pub(super) fn react(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        message: Reference,
        (text, on, tags): (Arc<str>, bool, Option<Arc<str>>),
    ) -> Result<()> {
        let user = self.origin(at)?;
        self.own_room(user, name.as_str())?;
        let who = Arc::clone(&user.identity);
        let Some(room) = self.rooms.get_mut(name) else { return Ok(()) };
        still_there(room, &message)?;
        if let Some(recent) = room.recent_mut(message.id) {
            let mine = |(nick, reaction): &(Name, Arc<str>)| *nick == who.nick && *reaction == text;
            if recent.reactions.iter().any(mine) == on {
                return Ok(());
            }
            if on {
                let own = recent.reactions.iter().filter(|(nick, _)| *nick == who.nick).count();
                below(own, limits::REACTIONS_PER_USER, Refusal::TooManyReactions)?;
                let (count, most) = (recent.reactions.len(), limits::REACTIONS_PER_MESSAGE);
                below(count, most, Refusal::TooManyReactions)?;
                recent.reactions.push((who.nick.clone(), Arc::clone(&text)));
            } else {
                recent.reactions.retain(|reaction| !mine(reaction));
            }
        }
        let (room, message) = (room.name.clone(), room.quote(&message));
        let event = Event::Reacted { who, room: room.clone(), message, text, on, tags };
        self.tell_listeners(at, &room, event);
        Ok(())
    }

    pub(super) fn edit(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        message: Reference,
        text: Arc<str>,
    ) -> Result<()> {
        let user = self.origin(at)?;
        let room = self.own_room(user, name.as_str())?;
        still_there(room, &message)?;
        self.may_change(user, room, &message, false)?;
        let who = Arc::clone(&user.identity);
        let Some(room) = self.rooms.get_mut(name) else { return Ok(()) };
        let (room_name, quoted) = (room.name.clone(), room.quote(&message));
        if let Some(recent) = room.recent_mut(message.id) {
            (recent.text, recent.length) = (Arc::clone(&text), text.len() as u32);
        }
        let event = Event::Edited { who, room: room_name.clone(), message: quoted, text };
        self.tell_listeners(at, &room_name, event);
        Ok(())
    }

    pub(super) fn delete(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        message: Reference,
        reason: Option<Arc<str>>,
    ) -> Result<()> {
        let user = self.origin(at)?;
        let room = self.own_room(user, name.as_str())?;
        still_there(room, &message)?;
        self.may_change(user, room, &message, true)?;
        let who = Arc::clone(&user.identity);
        let Some(room) = self.rooms.get_mut(name) else { return Ok(()) };
        room.recent.retain(|recent| recent.reference.id != message.id);
        let (room_name, message) = (room.name.clone(), room.quote(&message));
        let event = Event::Deleted { who, room: room_name.clone(), message, reason };
        at.tell_room(&room_name, event);
        Ok(())
    }

    /// Tells a room, but not those who ignore the origin.
    fn tell_listeners(&self, at: &mut Applying<'_>, room: &Name, event: Event) {
        let who = self.users.get(&at.origin).map(|user| Arc::clone(&user.identity));
        let mut except = who.map_or(Vec::new(), |who| self.ignorers_of(&who));
        except.sort_unstable();
        let audience = Audience::Room { room: room.clone(), from: Some(at.origin), except };
        at.tell(audience, event);
    }
}

/// The message referred to: a recent one, or one that the journal has to look up.
pub(super) fn find(room: &Room, pick: &Pick) -> Result<Found> {
    let missing = |number| Refusal::NoSuchMessage(room.name.clone(), number);
    let here = |place: usize| room.recent.get(place).map(|recent| recent.reference.clone());
    let oldest = room.recent.front().map(|recent| &recent.reference);
    let point = match *pick {
        Pick::Found(ref reference) => return Ok(Found::Here(reference.clone())),
        Pick::Number(number) => {
            let found = room.recent.binary_search_by_key(&number, |recent| recent.reference.number);
            if let Some(reference) = found.ok().and_then(here) {
                return Ok(Found::Here(reference));
            }
            // Not given yet; or it would be here, had it not been deleted.
            let deleted = oldest.is_some_and(|oldest| number > oldest.number);
            require((1..=room.last_number).contains(&number) && !deleted, || missing(number))?;
            Point::Number(number)
        }
        Pick::Id(id) => {
            if let Some(recent) = room.recent(id) {
                return Ok(Found::Here(recent.reference.clone()));
            }
            if id < room.since || oldest.is_some_and(|oldest| id > oldest.id) {
                return Err(missing(0));
            }
            Point::Id(id)
        }
    };
    let number = if let Point::Number(number) = point { number } else { 0 };
    let lookup = Lookup { room: room.for_query(), message: point };
    Ok(Found::Elsewhere(lookup, missing(number)))
}

/// Rejects a message that was deleted after it had been found.
fn still_there(room: &Room, message: &Reference) -> Result<()> {
    let newer = room.recent.front().is_some_and(|oldest| message.id > oldest.reference.id);
    let there = !newer || room.recent(message.id).is_some();
    require(there, || Refusal::NoSuchMessage(room.name.clone(), message.number))
}
