//! The state of the chat, and the two functions that move it.
//!
//! [`Hub::decide`] looks at a wish and says what is to be done; it changes nothing.
//! [`Hub::apply`] changes the state as a record says; nothing else does. Between the two the
//! journal has written the record down, and others' records may have come in: what matters is
//! checked in both, and what is no longer possible is refused by an effect.
//!
//! Invariants: effects come in the order in which they are to be told; nobody is told of what
//! happened before they came or after they left; the same records give the same state and effects
//! on every machine (no clock, no chance, no iteration in hash order). A record whose id is not
//! above the last one has been applied already and changes nothing, so a snapshot and the records
//! around it may overlap.
//!
//! The hub is serializable as it is: that is its snapshot. The families of changes are in the
//! files `presence`, `rooms`, `renaming`, `words`, `messages`, `accounts`, `scram`, `moderation`,
//! `administration`, `metadata` and `markers`.

use super::accounts::Account;
use super::administration::ServerBan;
use super::audience::Audience;
use super::command::{Command, Decision};
use super::effect::{Effect, Event, Stamp};
use super::mentions::Initials;
use super::name::{Caseless, Name};
use super::presence::GuestNumbers;
use super::record::{Change, Moment, Record, RecordId, SessionId};
use super::refusal::Refusal;
use super::room::Room;
use super::throttle::Throttle;
use super::user::User;
use super::words::MessageBody;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Everyone who is there, and everything they agreed on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hub {
    pub(super) last: Option<RecordId>,
    #[serde(with = "indexmap::map::serde_seq")]
    pub(super) users: IndexMap<SessionId, User>,
    #[serde(with = "indexmap::map::serde_seq")]
    pub(super) nicks: IndexMap<Name, SessionId>,
    pub(super) guests: GuestNumbers,
    pub(super) initials: Initials,
    #[serde(with = "indexmap::map::serde_seq")]
    pub(super) rooms: IndexMap<Name, Room>,
    #[serde(with = "indexmap::map::serde_seq")]
    pub(super) accounts: IndexMap<Name, Account>,
    /// Who ignores a nick: asked once for every message, so it is turned around here.
    #[serde(with = "indexmap::map::serde_seq")]
    pub(super) ignorers: IndexMap<Name, Vec<SessionId>>,
    pub(super) throttle: Throttle,
    pub(super) server_bans: Vec<ServerBan>,
    /// The last private messages, so that their authors can take them back. At most
    /// [`limits::RECENT_PRIVATE`](super::limits::RECENT_PRIVATE).
    #[serde(default)]
    pub(super) private: VecDeque<Private>,
}

/// A private message without its text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Private {
    pub(super) id: RecordId,
    /// Who said it; `None` once their node has restarted, for then others get its numbers.
    pub(super) session: Option<SessionId>,
    pub(super) account: Option<Name>,
    pub(super) to: Name,
}

/// A record that is being applied, and what follows from it so far.
pub(super) struct Applying<'a> {
    pub(super) id: RecordId,
    pub(super) time: Moment,
    pub(super) origin: SessionId,
    /// How many different things it has led to.
    parts: u16,
    effects: &'a mut Vec<Effect>,
}

impl Applying<'_> {
    pub(super) fn tell(&mut self, audience: Audience, event: Event) {
        let before = self.effects.last().filter(|_| self.parts > 0);
        if !before.is_some_and(|effect| effect.event == event) {
            self.parts = self.parts.saturating_add(1);
        }
        let stamp = Stamp { id: self.id, part: self.parts - 1, time: self.time };
        self.effects.push(Effect { stamp, audience, event });
    }

    pub(super) fn tell_origin(&mut self, event: Event) {
        self.tell(Audience::One(self.origin), event);
    }

    pub(super) fn tell_room(&mut self, room: &Name, event: Event) {
        let audience =
            Audience::Room { room: room.clone(), from: Some(self.origin), except: Vec::new() };
        self.tell(audience, event);
    }
}

impl Default for Hub {
    fn default() -> Hub {
        Hub::new()
    }
}

impl Hub {
    /// A chat with nobody in it: there is the lobby, which stays.
    pub fn new() -> Hub {
        let lobby = Name::lobby();
        let mut room = Room::new(lobby.clone(), RecordId(0), Moment(0));
        room.kept = true;
        Hub {
            last: None,
            users: IndexMap::new(),
            nicks: IndexMap::new(),
            guests: GuestNumbers::default(),
            initials: Initials::default(),
            rooms: IndexMap::from([(lobby, room)]),
            accounts: IndexMap::new(),
            ignorers: IndexMap::new(),
            throttle: Throttle::default(),
            server_bans: Vec::new(),
            private: VecDeque::new(),
        }
    }

    /// How many are online.
    pub fn online(&self) -> usize {
        self.users.len()
    }

    /// Everyone who is online, for delivery.
    pub fn sessions(&self) -> impl ExactSizeIterator<Item = SessionId> + '_ {
        self.users.keys().copied()
    }

    /// One person; `None` if the session is not in the chat.
    pub fn user(&self, session: SessionId) -> Option<&User> {
        self.users.get(&session)
    }

    /// Who has a nick now.
    pub fn session_of(&self, nick: &str) -> Option<SessionId> {
        self.nicks.get(&Caseless(nick)).copied()
    }

    /// One room, by any spelling of its name.
    pub fn room(&self, name: &str) -> Option<&Room> {
        self.rooms.get(&Caseless(name))
    }

    /// All rooms.
    pub fn rooms(&self) -> impl ExactSizeIterator<Item = &Room> + '_ {
        self.rooms.values()
    }

    /// Everyone.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &User> + '_ {
        self.users.values()
    }

    /// Whom somebody has spoken with in private, and when last: by account, or without one in this
    /// session.
    pub fn partners<'h>(&'h self, user: &'h User) -> &'h [(Name, Moment)] {
        match &user.identity.account {
            Some(account) => self.accounts.get(account).map_or(&[], |account| &account.partners),
            None => &user.extras().partners,
        }
    }

    /// Whether there is an account of this name.
    pub fn has_account(&self, name: &str) -> bool {
        self.accounts.contains_key(&Caseless(name))
    }

    /// The members of a room, for delivery; none if there is no such room.
    pub fn room_members(&self, name: &str) -> impl Iterator<Item = SessionId> + '_ {
        self.room(name).into_iter().flat_map(Room::sessions)
    }

    /// The last record that was applied: where a replay goes on.
    pub fn last(&self) -> Option<RecordId> {
        self.last
    }

    /// What is to be done about a wish of `session`? `now` decides what depends on time: bans
    /// that have run out, logins that come too fast.
    pub fn decide(&self, session: SessionId, command: Command, now: Moment) -> Decision {
        let decided = match self.users.get(&session) {
            Some(user) => self.decide_for(user, command, now),
            None => Err(Refusal::NotHere),
        };
        decided.unwrap_or_else(Decision::Refuse)
    }

    fn decide_for(&self, user: &User, command: Command, now: Moment) -> Result<Decision, Refusal> {
        match command {
            Command::Nick(_)
            | Command::Away(_)
            | Command::RealName(_)
            | Command::UserModes(_)
            | Command::Ignore(..)
            | Command::Ignored => self.decide_presence(user, command),
            Command::Join(..)
            | Command::Part(..)
            | Command::SetTopic(..)
            | Command::Invite(..)
            | Command::RenameRoom(..)
            | Command::Keep(..) => self.decide_room(user, command),
            Command::Say(..)
            | Command::Tell(..)
            | Command::SendMessage(_)
            | Command::Tag(..)
            | Command::Redact(..)
            | Command::Answer(_)
            | Command::Reply(..)
            | Command::React(..)
            | Command::Edit(..)
            | Command::Delete(..) => self.decide_words(user, command),
            Command::SetMetadata(..) | Command::ClearMetadata(_) => {
                self.decide_metadata(user, command)
            }
            Command::MarkRead(target, time) => self.decide_mark_read(&target, time),
            Command::Register(_) | Command::Login(..) | Command::Logout | Command::Password(..) => {
                self.decide_account(user, command, now)
            }
            Command::SetModes(..) | Command::Kick(..) => self.decide_moderation(user, command),
            Command::Oper(..)
            | Command::Kill(..)
            | Command::ServerBan(..)
            | Command::ServerUnban(_)
            | Command::ServerBans
            | Command::Announce(_)
            | Command::Wallops(_)
            | Command::Connections => self.decide_administration(user, command, now),
            Command::Rooms
            | Command::Who(_)
            | Command::Whois(_)
            | Command::Topic(_)
            | Command::Thread(..)
            | Command::History(..)
            | Command::PrivateHistory(..)
            | Command::Playback(..)
            | Command::Search(..)
            | Command::Modes(_)
            | Command::Bans(_) => self.answer(user, command, now),
        }
    }

    /// Changes the state as `record` says and adds to `effects` what is to be told of it. A record
    /// of somebody who is not in (it was written down before its origin's leaving was) changes
    /// nothing.
    pub fn apply(&mut self, record: Record, effects: &mut Vec<Effect>) {
        if self.last.is_some_and(|last| record.id <= last) {
            return;
        }
        self.last = Some(record.id);
        let Record { id, time, origin, change } = record;
        let mut at = Applying { id, time, origin, parts: 0, effects };
        let refused = match change {
            Change::Restarted { node } => {
                self.restarted(node);
                Ok(())
            }
            Change::Enter(entry) => {
                match self.enter(&mut at, entry) {
                    Ok(()) => {}
                    Err(refusal) => at.tell_origin(Event::Refused(refusal)),
                }
                Ok(())
            }
            Change::LoginFailed { account, host } => {
                self.throttle.failed(&account, &host, time);
                // Who has not come in yet (SASL) is told by its session.
                if self.users.contains_key(&origin) { Err(Refusal::WrongPassword) } else { Ok(()) }
            }
            Change::ScramKeys { account, hash, keys } => {
                self.learn_scram_keys(&account, &hash, keys);
                Ok(())
            }
            change => match self.users.get_mut(&origin) {
                Some(user) => {
                    user.last = time;
                    self.apply_for(&mut at, change)
                }
                None => Ok(()),
            },
        };
        if let Err(refusal) = refused {
            at.tell_origin(Event::Refused(refusal));
        }
    }

    /// Applies what only somebody who is in can do.
    fn apply_for(&mut self, at: &mut Applying<'_>, change: Change) -> Result<(), Refusal> {
        match change {
            // They came before it was known who does it.
            Change::Restarted { .. }
            | Change::Enter(_)
            | Change::LoginFailed { .. }
            | Change::ScramKeys { .. } => Ok(()),
            Change::Leave { departure } => {
                self.leave(at, at.origin, departure);
                Ok(())
            }
            Change::Nick { nick } => self.rename(at, nick),
            Change::Away { message } => self.away(at, message),
            Change::Ignore { nick, on } => self.ignore(at, nick, on),
            Change::Join { room } => self.join(at, room),
            Change::Part { room, reason } => self.part(at, &room, reason),
            Change::Topic { room, text } => self.topic(at, &room, text),
            Change::Invite { room, nick } => self.invite(at, &room, &nick),
            Change::RenameRoom { room, to, reason } => self.rename_room(at, &room, to, reason),
            Change::Keep { room, on } => self.keep(at, &room, on),
            Change::Say { room, kind, text, reply_to, tags, status, joints } => {
                let words = MessageBody { kind, text, tags, joints };
                self.say(at, &room, words, reply_to, status)
            }
            Change::Tell { to, kind, text, tags, joints } => {
                self.tell(at, to, MessageBody { kind, text, tags, joints })
            }
            Change::Tag { to, tags, status } => self.tag(at, to, tags, status),
            Change::RealName { text } => self.real_name(at, text),
            Change::UserModes { changes } => self.user_modes(at, changes),
            Change::Wallops { text } => self.wallops(at, text),
            Change::React { room, message, text, on, tags } => {
                self.react(at, &room, message, (text, on, tags))
            }
            Change::Edit { room, message, text } => self.edit(at, &room, message, text),
            Change::Delete { room, message, reason } => self.delete(at, &room, message, reason),
            Change::TakeBack { to, id, reason } => self.take_back(at, &to, id, reason),
            Change::Metadata { target, key, value } => self.metadata(at, &target, key, value),
            Change::ReadMarker { target, time } => self.mark_read(at, target, time),
            Change::Register { account, hash, scram } => self.register(at, account, hash, scram),
            Change::Login { account } => self.login(at, account),
            Change::Logout => self.logout(at),
            Change::Password { account, hash, scram } => self.password(at, &account, hash, scram),
            Change::Modes { room, changes } => self.set_modes(at, &room, changes),
            Change::Kick { room, nick, reason } => self.kick(at, &room, &nick, reason),
            Change::Oper { name } => self.oper(at, name),
            Change::Kill { nick, reason } => self.kill(at, &nick, reason),
            Change::Ban { target, reason, until } => self.server_ban(at, target, reason, until),
            Change::Unban { target } => self.server_unban(at, target),
            Change::Announce { text } => self.announce(at, text),
        }
    }

    /// The origin of a record. It is in: [`apply`](Hub::apply) has looked.
    pub(super) fn origin(&self, at: &Applying<'_>) -> Result<&User, Refusal> {
        self.users.get(&at.origin).ok_or(Refusal::NotHere)
    }

    /// A room that `user` may know of.
    pub(super) fn visible_room(&self, user: &User, name: &str) -> Result<&Room, Refusal> {
        self.room(name)
            .filter(|room| self.sees(user, room))
            .ok_or_else(|| Refusal::NoSuchRoom(Name::new(name)))
    }

    /// A room that `user` is in.
    pub(super) fn own_room(&self, user: &User, name: &str) -> Result<&Room, Refusal> {
        let room = self.visible_room(user, name)?;
        if room.members.contains_key(&user.identity.session) {
            Ok(room)
        } else {
            Err(Refusal::NotInRoom(room.name.clone()))
        }
    }

    /// Whether `user` may know that the room is there.
    pub fn sees(&self, user: &User, room: &Room) -> bool {
        !room.modes.has(super::modes::Flag::Secret)
            || room.members.contains_key(&user.identity.session)
            || user.is_operator()
    }

    /// Whether `user` may moderate the room: its ops, and server operators.
    pub fn moderates(&self, user: &User, room: &Room) -> Result<(), Refusal> {
        let op = room.members.get(&user.identity.session).is_some_and(|member| member.op);
        if op || user.is_operator() { Ok(()) } else { Err(Refusal::NotOp(room.name.clone())) }
    }
}
