//! Sending messages: to rooms, to users, as replies.
//!
//! A message to a room costs the hub the same for any number of members: it only looks at the users
//! that it mentions and those who ignore its sender.

use super::applying::Applying;
use super::checks::checked_text;
use super::messages::{Found, find};
use crate::chat::api::{
    Command, Decision, DirectMessage, Event, RoomMessage, SendMessage, Tagging,
};
use crate::chat::log::Change;
use crate::chat::model::{
    Audience, Caseless, Continuations, Flag, Identity, Kind, Name, Quoted, RecordId, Reference,
    Refusal, Result, SessionId, limits, require,
};
use crate::chat::state::{Hub, Member, Private, Room, User, note_partner};
use std::sync::Arc;

/// The content of a message.
pub(super) struct MessageBody {
    pub(super) kind: Kind,
    pub(super) text: Arc<str>,
    pub(super) tags: Option<Arc<str>>,
    pub(super) continuations: Option<Continuations>,
}

/// A message to a room from a plain-text client.
fn line_in(room: Name, kind: Kind, text: Arc<str>, reply_to: Option<Reference>) -> Change {
    Change::Say { room, kind, text, reply_to, tags: None, status: None, continuations: None }
}

/// A direct message from a plain-text client.
fn line_to(to: Name, kind: Kind, text: Arc<str>) -> Change {
    Change::Tell { to, kind, text, tags: None, continuations: None }
}

impl Hub {
    /// Commands that send something. A client of IRC sends with tags and more
    /// ([`Command::SendMessage`]), a plain one does not.
    pub(super) fn decide_sending(&self, user: &User, command: Command) -> Result<Decision> {
        let change = match command {
            Command::Say(name, kind, text) => {
                let room = self.may_speak(user, &name)?.name.clone();
                line_in(room, kind, checked_text(text)?, None)
            }
            Command::Tell(nick, kind, text) => {
                let to = self.may_tell(Some(user), &nick)?;
                line_to(to, kind, checked_text(text)?)
            }
            Command::SendMessage(message) => return self.decide_message(user, *message),
            Command::Tag(tagging) => return self.decide_tagging(user, *tagging),
            Command::Answer(text) => {
                let nick = user.extras().correspondent.clone().ok_or(Refusal::NobodyToAnswer)?;
                let to = self.may_tell(Some(user), nick.as_str())?;
                line_to(to, Kind::Message, checked_text(text)?)
            }
            Command::Reply(name, pick, text) => {
                let room = self.may_speak(user, &name)?;
                let text = checked_text(text)?;
                match find(room, &pick)? {
                    Found::Here(reference) => {
                        line_in(room.name.clone(), Kind::Message, text, Some(reference))
                    }
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

    fn decide_message(&self, user: &User, message: SendMessage) -> Result<Decision> {
        if !message.to.starts_with('#') {
            let (to, text) = (self.may_tell(Some(user), &message.to)?, checked_text(message.text)?);
            let SendMessage { kind, tags, continuations, .. } = message;
            return Ok(Decision::Change(Change::Tell { to, kind, text, tags, continuations }));
        }
        let room = self.may_speak(user, &message.to)?;
        let is_request = message.kind != Kind::Action && message.text.starts_with('\u{1}');
        require(!is_request || !room.modes.has(Flag::NoCtcp), || {
            Refusal::NoCtcp(room.name.clone())
        })?;
        checked_text(Arc::clone(&message.text))?;
        // A reply to an unknown message is sent anyway: its tags may come from elsewhere.
        let reply_to = match message.reply.as_ref().and_then(|pick| find(room, pick).ok()) {
            Some(Found::Here(reference)) => Some(reference),
            Some(Found::Elsewhere(lookup, missing)) => {
                let then = Box::new(Command::SendMessage(Box::new(message)));
                return Ok(Decision::Lookup { lookup, then, missing });
            }
            None => None,
        };
        let room = room.name.clone();
        let SendMessage { kind, text, tags, status, continuations, .. } = message;
        let change = Change::Say { room, kind, text, reply_to, tags, status, continuations };
        Ok(Decision::Change(change))
    }

    fn decide_tagging(&self, user: &User, tagging: Tagging) -> Result<Decision> {
        let Tagging { to, tags, status, reaction } = &tagging;
        if !to.starts_with('#') {
            let (to, tags) = (self.may_tell(Some(user), to)?, Arc::clone(tags));
            return Ok(Decision::Change(Change::Tag { to, tags, status: None }));
        }
        let room = self.may_speak(user, to)?;
        // Other clients receive all tags, including what the hub does not accept as a reaction.
        let fits = |text: &str| {
            !text.is_empty()
                && text.len() <= limits::REACTION_LENGTH
                && !text.contains(char::is_control)
        };
        let member = room.member(user.identity.session).is_some();
        let reaction =
            reaction.as_ref().filter(|(_, text, _)| member && status.is_none() && fits(text));
        let found = reaction.and_then(|(pick, ..)| find(room, pick).ok());
        let (name, tags) = (room.name.clone(), Arc::clone(tags));
        Ok(match (found, reaction) {
            (Some(Found::Here(message)), Some((_, text, on))) => Decision::Change(Change::React {
                room: name,
                message,
                text: Arc::clone(text),
                on: *on,
                tags: Some(tags),
            }),
            (Some(Found::Elsewhere(lookup, missing)), _) => Decision::Lookup {
                lookup,
                then: Box::new(Command::Tag(Box::new(tagging))),
                missing,
            },
            _ => Decision::Change(Change::Tag { to: name, tags, status: *status }),
        })
    }

    /// Whether `user` may send messages to a room, as a member or not.
    pub(in crate::chat) fn may_speak(&self, user: &User, name: &str) -> Result<&Room> {
        let room = self.visible_room(user, name)?;
        self.may_be_heard(user, room).map(|()| room)
    }

    /// The session with this nick, or those that are logged in to the account of this name.
    fn sessions_called(&self, name: &Name) -> Vec<SessionId> {
        match self.session_of(name.as_str()) {
            Some(session) => vec![session],
            None => self.accounts.get(name).map_or(Vec::new(), |account| account.sessions.clone()),
        }
    }

    /// The recipient that `to` refers to: a connected user, or an account whose mailbox is not
    /// full.
    fn may_tell(&self, from: Option<&User>, to: &str) -> Result<Name> {
        if let Some(user) = self.users.called(to) {
            return Ok(user.identity.nick.clone());
        }
        let account = self.accounts.get(&Caseless(to));
        let account = account.ok_or_else(|| Refusal::NoSuchNick(Name::new(to)))?;
        if account.mail_is_full() {
            return Err(Refusal::MailFull(account.name.clone()));
        }
        if from.is_some_and(|from| account.mail_is_full_for(from.identity.host())) {
            return Err(Refusal::MailShare(account.name.clone()));
        }
        Ok(account.name.clone())
    }

    /// A message to a room: gives it its number, and tells the members. Those whom it concerns,
    /// because it mentions them or answers them, are told so each; users who ignore the author, and
    /// those without the `status` that it is for, are not told at all.
    pub(super) fn say(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        MessageBody { kind, text, tags, continuations }: MessageBody,
        reply_to: Option<Reference>,
        status: Option<char>,
    ) -> Result<()> {
        let user = self.origin(at)?;
        self.may_speak(user, name.as_str())?;
        let who = Arc::clone(&user.identity);
        let Some(room) = self.rooms.get_mut(name) else { return Ok(()) };
        if let Some(user) = self.users.get(&at.origin) {
            room.note_silenced(user);
        }
        let reply = reply_to.as_ref().map(|reference| room.quote(reference));
        let number = match status {
            None => room.remember(at.id, &who, reply_to.map(|it| it.root), &text, at.time),
            Some(_) => 0,
        };
        let left_out = left_out(room, status, at.origin);
        let room_name = room.name.clone();
        let ignorers = self.ignorers_of(&who);
        let mut marked = self.mentions(&text, &room_name, &who);
        if let Some(author) = reply.as_ref().and_then(|it| self.session_of(it.from.as_str()))
            && self.may_be_marked(author, &room_name, &who, &marked)
        {
            marked.push(author);
        }
        marked.retain(|session| !ignorers.contains(session) && !left_out.contains(session));
        let message = RoomMessage {
            id: at.id,
            time: at.time,
            room: room_name.clone(),
            number,
            who,
            kind,
            text,
            reply,
            mention: false,
            tags,
            status,
            continuations,
        };
        let mut except = ignorers;
        except.extend(left_out);
        except.extend_from_slice(&marked);
        except.sort_unstable();
        except.dedup();
        let to_marked =
            (!marked.is_empty()).then(|| RoomMessage { mention: true, ..message.clone() });
        let audience = Audience::Room { room: room_name, from: Some(at.origin), except };
        at.tell(audience, Event::RoomMessage(Box::new(message)));
        if let Some(message) = to_marked {
            for session in marked {
                at.tell(Audience::One(session), Event::RoomMessage(Box::new(message.clone())));
            }
        }
        Ok(())
    }

    /// A direct message: to the sessions of its recipient that do not ignore the author, and into
    /// the mail of an account that no one is logged in to.
    pub(super) fn tell(
        &mut self,
        at: &mut Applying<'_>,
        to: Name,
        MessageBody { kind, text, tags, continuations }: MessageBody,
    ) -> Result<()> {
        let who = Arc::clone(&self.origin(at)?.identity);
        self.may_tell(None, to.as_str())?;
        let ignorers = self.ignorers_of(&who);
        let mut recipients = self.sessions_called(&to);
        let waits = recipients.is_empty();
        let away =
            recipients.first().and_then(|session| self.users.get(session)?.extras().away.clone());
        let mut account = match recipients.first() {
            Some(session) => self.users.get(session).and_then(|user| user.identity.account.clone()),
            None => Some(to.clone()),
        };
        recipients.retain(|session| !ignorers.contains(session));
        if recipients.is_empty() && !waits {
            // A user who ignores the sender does not find the message in their history either.
            account = None;
        }
        if waits && let Some(account) = self.accounts.get_mut(&to) {
            account.keep_mail(at.id, who.host());
        }
        for session in &recipients {
            if let Some(user) = self.users.get_mut(session) {
                user.extras_mut().correspondent = Some(who.nick.clone());
            }
        }
        self.note_partners(at, &who, &to, account.as_ref(), recipients.first().copied());
        let (id, time, session) = (at.id, at.time, recipients.first().copied());
        let message = DirectMessage {
            id,
            time,
            who,
            to,
            account,
            session,
            kind,
            text,
            waits,
            away,
            tags,
            continuations,
        };
        let audience = Audience::Private { to: recipients, from: at.origin };
        at.tell(audience, Event::DirectMessage(Box::new(message)));
        Ok(())
    }

    /// Remembers the direct message partners, and which messages can be deleted.
    fn note_partners(
        &mut self,
        at: &Applying<'_>,
        who: &Identity,
        to: &Name,
        account: Option<&Name>,
        recipient: Option<SessionId>,
    ) {
        for (account, peer) in [(who.account.as_ref(), to), (account, &who.nick)] {
            if let Some(account) = account.and_then(|name| self.accounts.get_mut(name)) {
                note_partner(&mut account.partners, peer, at.time);
            }
        }
        // A guest's conversations are its session's.
        let recipient = recipient.map(|recipient| (recipient, &who.nick));
        for (session, peer) in std::iter::once((who.session, to)).chain(recipient) {
            if let Some(user) = self.users.get_mut(&session)
                && user.identity.account.is_none()
            {
                note_partner(&mut user.extras_mut().partners, peer, at.time);
            }
        }
        let (session, account) = (Some(who.session), who.account.clone());
        if self.private.len() == limits::RECENT_PRIVATE {
            // One sender does not push out the messages of others.
            let own = |it: &Private| {
                it.session == session || (account.is_some() && it.account == account)
            };
            let most = limits::RECENT_PRIVATE_PER_USER;
            let many = self.private.iter().filter(|it| own(it)).count() >= most;
            let oldest = self.private.iter().position(|it| many && own(it));
            self.private.remove(oldest.unwrap_or(0));
        }
        self.private.push_back(Private { id: at.id, session, account, to: to.clone() });
    }

    /// One of the last private messages that `user` sent to `to`.
    pub(super) fn own_private(&self, user: &User, to: &str, id: RecordId) -> Result<Name> {
        let found = self.private.iter().rfind(|private| private.id == id && private.to == *to);
        let own = found.filter(|found| {
            let by_account = found.account.is_some() && found.account == user.identity.account;
            by_account || found.session == Some(user.identity.session)
        });
        // That others have written to someone is not told.
        own.map(|it| it.to.clone()).ok_or_else(|| Refusal::NoSuchMessage(Name::new(to), 0))
    }

    /// The author of a direct message deletes it.
    pub(super) fn take_back(
        &mut self,
        at: &mut Applying<'_>,
        to: &Name,
        id: RecordId,
        reason: Option<Arc<str>>,
    ) -> Result<()> {
        let user = self.origin(at)?;
        self.own_private(user, to.as_str(), id)?;
        let who = Arc::clone(&user.identity);
        self.private.retain(|private| private.id != id);
        let from = who.nick.clone();
        let message = Box::new(Quoted { id, number: 0, root: id, from, text: None });
        let recipients = self.sessions_called(to);
        let event = Event::Deleted { who, room: to.clone(), message, reason };
        at.tell(Audience::Private { to: recipients, from: at.origin }, event);
        Ok(())
    }

    /// A message that has tags only (TAGMSG): typing notifications, reactions to unknown messages.
    pub(super) fn tag(
        &mut self,
        at: &mut Applying<'_>,
        to: Name,
        tags: Arc<str>,
        status: Option<char>,
    ) -> Result<()> {
        let user = self.origin(at)?;
        let who = Arc::clone(&user.identity);
        let mut ignorers = self.ignorers_of(&who);
        let mut account = None;
        let audience = if to.as_str().starts_with('#') {
            let room = self.may_speak(user, to.as_str())?;
            ignorers.extend(left_out(room, status, at.origin));
            ignorers.sort_unstable();
            ignorers.dedup();
            Audience::Room { room: to.clone(), from: Some(at.origin), except: ignorers }
        } else {
            let receives = |it: &&User| !ignorers.contains(&it.identity.session);
            let recipient = self.users.called(to.as_str()).filter(receives).map(|it| &it.identity);
            account = recipient.and_then(|it| it.account.clone());
            let to = recipient.map(|it| it.session).into_iter().collect();
            Audience::Private { to, from: at.origin }
        };
        at.tell(audience, Event::Tagged { who, to, status, account, tags });
        Ok(())
    }
}

/// The members without this status, who do not receive the message.
fn left_out(room: &Room, status: Option<char>, origin: SessionId) -> Vec<SessionId> {
    let Some(status) = status else { return Vec::new() };
    let lacks = |member: &Member| !(member.op || (status == '+' && member.voice));
    let others = room.members.iter().filter(|(session, _)| **session != origin);
    others.filter(|(_, member)| lacks(member)).map(|(session, _)| *session).collect()
}
