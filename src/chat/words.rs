//! Saying something: in rooms, to one person, in answer to something said.
//!
//! A message in a room costs the hub the same however many members it has: nobody is looked at but
//! those whom its words name, and those who ignore its author.

use super::command::{Command, Decision, Pick};
use super::effect::{Audience, Event, Identity, Said, Told};
use super::hub::{Applying, Hub, User};
use super::limits;
use super::name::{Caseless, Name};
use super::query::{Lookup, Point};
use super::record::{Change, Flag, Kind, Reference, SessionId};
use super::refusal::{Field, Refusal};
use super::room::Room;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How many nicks begin with which letter. Most words begin like no nick at all, and need not be
/// looked up to know that they name nobody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Initials(Vec<u32>);

impl Default for Initials {
    fn default() -> Initials {
        Initials(vec![0; 256])
    }
}

impl Initials {
    fn slot(&mut self, nick: &str) -> Option<&mut u32> {
        let first = nick.as_bytes().first()?.to_ascii_lowercase();
        self.0.get_mut(usize::from(first))
    }

    pub(super) fn add(&mut self, nick: &Name) {
        if let Some(count) = self.slot(nick.as_str()) {
            *count += 1;
        }
    }

    pub(super) fn remove(&mut self, nick: &Name) {
        if let Some(count) = self.slot(nick.as_str()) {
            *count = count.saturating_sub(1);
        }
    }

    fn begins_a_nick(&self, word: &str) -> bool {
        let first = word.as_bytes().first().map(u8::to_ascii_lowercase);
        first.and_then(|first| self.0.get(usize::from(first))).is_some_and(|&count| count > 0)
    }
}

/// The runs of bytes that could be nicks. Letters beyond ASCII belong to a run, so that the end of
/// a foreign word is not taken for a name.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let part = |c: char| c.is_ascii_alphanumeric() || "[]\\`_^{|}-".contains(c) || !c.is_ascii();
    text.split(move |c: char| !part(c))
        .filter(|word| !word.is_empty() && word.len() <= limits::NICK_LENGTH + 4)
}

/// What a command about a message comes to.
enum Found {
    Here(Reference),
    Elsewhere(Lookup, Refusal),
}

impl Hub {
    pub(super) fn decide_words(&self, user: &User, command: Command) -> Result<Decision, Refusal> {
        let change = match command {
            Command::Say(name, kind, text) => {
                let room = self.may_speak(user, &name)?.name.clone();
                Change::Say { room, kind, text: checked_text(text)?, reply_to: None }
            }
            Command::Tell(nick, kind, text) => {
                let to = self.may_tell(&nick)?;
                Change::Tell { to, kind, text: checked_text(text)? }
            }
            Command::Answer(text) => {
                let nick = user.extras().correspondent.clone().ok_or(Refusal::NobodyToAnswer)?;
                let to = self.may_tell(nick.as_str())?;
                Change::Tell { to, kind: Kind::Message, text: checked_text(text)? }
            }
            Command::Reply(name, pick, text) => {
                let room = self.may_speak(user, &name)?;
                let text = checked_text(text)?;
                match find(room, &pick)? {
                    Found::Here(reference) => Change::Say {
                        room: room.name.clone(),
                        kind: Kind::Message,
                        text,
                        reply_to: Some(reference),
                    },
                    Found::Elsewhere(lookup, missing) => {
                        let then = Box::new(Command::Reply(name, pick, text));
                        return Ok(Decision::Lookup { lookup, then, missing });
                    }
                }
            }
            other => return self.decide_about_message(user, other),
        };
        Ok(Decision::Change(change))
    }

    fn decide_about_message(&self, user: &User, command: Command) -> Result<Decision, Refusal> {
        let (name, pick) = match &command {
            Command::React(name, pick, text, _) => {
                if text.is_empty() {
                    return Err(Refusal::Missing(Field::Reaction));
                }
                if text.len() > limits::REACTION_LENGTH {
                    return Err(Refusal::TooLong(Field::Reaction, limits::REACTION_LENGTH));
                }
                (name, pick)
            }
            Command::Edit(name, pick, text) => {
                checked_text(Arc::clone(text))?;
                (name, pick)
            }
            Command::Delete(name, pick) => (name, pick),
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
                Change::React { room: room_name, message, text, on }
            }
            Command::Edit(_, _, text) => {
                self.may_speak(user, room_name.as_str())?;
                self.may_change(user, room, &message, false)?;
                Change::Edit { room: room_name, message, text }
            }
            _ => {
                self.may_change(user, room, &message, true)?;
                Change::Delete { room: room_name, message }
            }
        };
        Ok(Decision::Change(change))
    }

    /// Whether `user` may speak in a room, member or not.
    fn may_speak(&self, user: &User, name: &str) -> Result<&Room, Refusal> {
        let room = self.visible_room(user, name)?;
        let refused = |refusal: fn(Name) -> Refusal| Err(refusal(room.name.clone()));
        match room.members.get(&user.identity.session) {
            Some(member) if member.op || member.voice || user.is_operator() => Ok(room),
            Some(member) if member.silenced => refused(Refusal::Muted),
            None if room.modes.has(Flag::NoExternal) => refused(Refusal::NotInRoom),
            None if room.bans(&user.identity, true) => refused(Refusal::Banned),
            _ if room.modes.has(Flag::Moderated) => refused(Refusal::Moderated),
            _ => Ok(room),
        }
    }

    /// Whom `to` means: somebody who is there, or an account whose mail has room.
    fn may_tell(&self, to: &str) -> Result<Name, Refusal> {
        if let Some((nick, _)) = self.nicks.get_key_value(&Caseless(to)) {
            return Ok(nick.clone());
        }
        match self.accounts.get(&Caseless(to)) {
            None => Err(Refusal::NoSuchNick(Name::new(to))),
            Some(account) if account.mail_is_full() => Err(Refusal::MailFull(account.name.clone())),
            Some(account) => Ok(account.name.clone()),
        }
    }

    /// Whether `user` may change a message: one's own, by session or by account; ops may `delete`
    /// any.
    fn may_change(
        &self,
        user: &User,
        room: &Room,
        message: &Reference,
        delete: bool,
    ) -> Result<(), Refusal> {
        let by_session = room.recent(message.id).and_then(|recent| recent.session);
        let by_account = message.account.is_some() && message.account == user.identity.account;
        if by_account || by_session == Some(user.identity.session) {
            return Ok(());
        }
        if delete && self.moderates(user, room).is_ok() {
            return Ok(());
        }
        Err(Refusal::NotYours(message.number))
    }

    pub(super) fn say(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        kind: Kind,
        text: Arc<str>,
        reply_to: Option<Reference>,
    ) -> Result<(), Refusal> {
        let user = self.origin(at)?;
        self.may_speak(user, name.as_str())?;
        let who = Arc::clone(&user.identity);
        let Some(room) = self.rooms.get_mut(name) else { return Ok(()) };
        let reply = reply_to.as_ref().map(|reference| room.quote(reference));
        let number = room.remember(at.id, &who, reply_to.map(|reference| reference.root), &text);
        let room_name = room.name.clone();
        let ignorers = self.ignorers_of(&who);
        let mut marked = self.mentions(&text, &room_name, &who);
        if let Some(author) = reply.as_ref().and_then(|reply| self.nicks.get(&reply.from))
            && self.may_be_marked(*author, &room_name, &who, &marked)
        {
            marked.push(*author);
        }
        marked.retain(|session| !ignorers.contains(session));
        let said = Said {
            id: at.id,
            time: at.time,
            room: room_name.clone(),
            number,
            who,
            kind,
            text,
            reply,
            mention: false,
        };
        let mut except = ignorers;
        except.extend_from_slice(&marked);
        except.sort_unstable();
        let marked_said = (!marked.is_empty()).then(|| Said { mention: true, ..said.clone() });
        let audience = Audience::Room { room: room_name, from: Some(at.origin), except };
        at.tell(audience, Event::Said(Box::new(said)));
        if let Some(said) = marked_said {
            for session in marked {
                at.tell(Audience::One(session), Event::Said(Box::new(said.clone())));
            }
        }
        Ok(())
    }

    /// The members of a room whom a text names.
    fn mentions(&self, text: &str, room: &Name, author: &Identity) -> Vec<SessionId> {
        let mut marked = Vec::new();
        for word in words(text).filter(|word| !word.is_empty()) {
            let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c.is_ascii());
            for spelling in [word, bare] {
                if !self.initials.begins_a_nick(spelling) {
                    continue;
                }
                if let Some(session) = self.session_of(spelling)
                    && self.may_be_marked(session, room, author, &marked)
                {
                    marked.push(session);
                    break;
                }
            }
            if marked.len() == limits::MENTIONS_PER_MESSAGE {
                break;
            }
        }
        marked
    }

    fn may_be_marked(
        &self,
        session: SessionId,
        room: &Name,
        author: &Identity,
        marked: &[SessionId],
    ) -> bool {
        session != author.session
            && !marked.contains(&session)
            && self.rooms.get(room).is_some_and(|room| room.members.contains_key(&session))
    }

    pub(super) fn tell(
        &mut self,
        at: &mut Applying<'_>,
        to: Name,
        kind: Kind,
        text: Arc<str>,
    ) -> Result<(), Refusal> {
        let who = Arc::clone(&self.origin(at)?.identity);
        self.may_tell(to.as_str())?;
        let ignorers = self.ignorers_of(&who);
        let mut hearers: Vec<SessionId> = match self.nicks.get(&to) {
            Some(&session) => vec![session],
            None => self.accounts.get(&to).map_or(Vec::new(), |account| account.sessions.clone()),
        };
        let waits = hearers.is_empty();
        let away =
            hearers.first().and_then(|session| self.users.get(session)?.extras().away.clone());
        let mut account = match hearers.first() {
            Some(session) => self.users.get(session).and_then(|user| user.identity.account.clone()),
            None => Some(to.clone()),
        };
        hearers.retain(|session| !ignorers.contains(session));
        if hearers.is_empty() && !waits {
            // Who ignores somebody does not find it in their history, either.
            account = None;
        }
        if waits && let Some(account) = self.accounts.get_mut(&to) {
            account.keep_mail(at.id);
        }
        for session in &hearers {
            if let Some(user) = self.users.get_mut(session) {
                user.extras_mut().correspondent = Some(who.nick.clone());
            }
        }
        let (id, time) = (at.id, at.time);
        let told = Told { id, time, who, to, account, kind, text, waits, away };
        let audience = Audience::Private { to: hearers, from: at.origin };
        at.tell(audience, Event::Told(Box::new(told)));
        Ok(())
    }

    pub(super) fn react(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        message: Reference,
        text: Arc<str>,
        on: bool,
    ) -> Result<(), Refusal> {
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
            if !on {
                recent.reactions.retain(|reaction| !mine(reaction));
            } else if recent.reactions.len() >= limits::REACTIONS_PER_MESSAGE {
                return Err(Refusal::TooManyReactions(limits::REACTIONS_PER_MESSAGE));
            } else {
                recent.reactions.push((who.nick.clone(), Arc::clone(&text)));
            }
        }
        let (room, message) = (room.name.clone(), room.quote(&message));
        let event = Event::Reacted { id: at.id, who, room: room.clone(), message, text, on };
        self.tell_listeners(at, &room, event);
        Ok(())
    }

    pub(super) fn edit(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        message: Reference,
        text: Arc<str>,
    ) -> Result<(), Refusal> {
        let user = self.origin(at)?;
        let room = self.own_room(user, name.as_str())?;
        still_there(room, &message)?;
        self.may_change(user, room, &message, false)?;
        let who = Arc::clone(&user.identity);
        let Some(room) = self.rooms.get_mut(name) else { return Ok(()) };
        let (room_name, quoted) = (room.name.clone(), room.quote(&message));
        if let Some(recent) = room.recent_mut(message.id) {
            recent.text = Arc::clone(&text);
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
    ) -> Result<(), Refusal> {
        let user = self.origin(at)?;
        let room = self.own_room(user, name.as_str())?;
        still_there(room, &message)?;
        self.may_change(user, room, &message, true)?;
        let who = Arc::clone(&user.identity);
        let Some(room) = self.rooms.get_mut(name) else { return Ok(()) };
        room.recent.retain(|recent| recent.reference.id != message.id);
        let (room_name, message) = (room.name.clone(), room.quote(&message));
        at.tell_room(&room_name, Event::Deleted { who, room: room_name.clone(), message });
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

/// Which message is meant: one of the recent ones, or one that the journal has to look for.
fn find(room: &Room, pick: &Pick) -> Result<Found, Refusal> {
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
            if number == 0 || number > room.last_number || deleted {
                return Err(missing(number));
            }
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

/// Refuses if a message was deleted after it had been found.
fn still_there(room: &Room, message: &Reference) -> Result<(), Refusal> {
    let newer = room.recent.front().is_some_and(|oldest| message.id > oldest.reference.id);
    if newer && room.recent(message.id).is_none() {
        return Err(Refusal::NoSuchMessage(room.name.clone(), message.number));
    }
    Ok(())
}

/// Finds a message for [`super::questions`], by the same rules.
pub(super) fn find_for_question(
    room: &Room,
    pick: &Pick,
) -> Result<Result<Reference, (Lookup, Refusal)>, Refusal> {
    Ok(match find(room, pick)? {
        Found::Here(reference) => Ok(reference),
        Found::Elsewhere(lookup, missing) => Err((lookup, missing)),
    })
}

fn checked_text(text: Arc<str>) -> Result<Arc<str>, Refusal> {
    if text.is_empty() {
        return Err(Refusal::Missing(Field::Text));
    }
    if text.len() > limits::TEXT_LENGTH {
        return Err(Refusal::TooLong(Field::Text, limits::TEXT_LENGTH));
    }
    Ok(text)
}
