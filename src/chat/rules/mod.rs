//! The rules: what a user may do, and what it changes: `impl Hub`, one file per family of commands.
//!
//! [`Hub::decide`] decides a command and changes nothing. [`Hub::apply`] changes the state
//! according to a record, and nothing else does. In between, the journal commits the record, and
//! other records may be applied first: conditions are checked in both places, and what is no longer
//! possible is rejected by an effect.
//!
//! Invariants: effects are in delivery order; users receive nothing from before they joined or
//! after they left; the same records give the same state and effects on every machine (no clock, no
//! randomness, no iteration in hash order). A record whose id is not above the last one has already
//! been applied and changes nothing, so a snapshot may overlap with the records around it.

mod accounts;
mod administration;
mod applying;
mod certificates;
mod checks;
mod files;
mod listing;
mod managed_accounts;
mod mentions;
mod messages;
mod metadata;
mod moderation;
mod presence;
mod questions;
mod read_markers;
mod renaming;
mod rooms;
mod scram;
mod sending;
mod silence;

pub use self::files::FileUsage;

use self::applying::Applying;
use self::sending::MessageBody;
use crate::chat::api::{Command, Decision, Effect, Event};
use crate::chat::log::{Change, Record};
use crate::chat::model::{Moment, Name, Refusal, Result, SessionId};
use crate::chat::state::{Hub, Room, User};

impl Hub {
    /// Decides a command of `session`. `now` determines what depends on time: expired bans, delays
    /// after failed logins.
    pub fn decide(&self, session: SessionId, command: Command, now: Moment) -> Decision {
        let decided = match self.users.get(&session) {
            Some(user) => self.decide_for(user, command, now),
            None => Err(Refusal::NotHere),
        };
        decided.unwrap_or_else(Decision::Refuse)
    }

    fn decide_for(&self, user: &User, command: Command, now: Moment) -> Result<Decision> {
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
            | Command::Edit(..) => self.decide_sending(user, command),
            Command::SetMetadata(..) | Command::ClearMetadata(_) => {
                self.decide_metadata(user, command)
            }
            Command::MarkRead(target, time) => self.decide_mark_read(user, &target, time),
            Command::Register(_)
            | Command::Login(..)
            | Command::Logout
            | Command::Password(..)
            | Command::SetAccount(..)
            | Command::DeleteAccount(..) => self.decide_account(user, command, now),
            Command::Certificate(..) | Command::Certificates => {
                self.decide_certificate(user, command)
            }
            Command::DeleteFile(id) => self.decide_delete_file(user, &id),
            Command::SetModes(..) | Command::Kick(..) => self.decide_moderation(user, command),
            Command::Oper(..)
            | Command::Kill(..)
            | Command::ServerBan(..)
            | Command::ServerUnban(_)
            | Command::Announce(_)
            | Command::Wallops(_) => self.decide_administration(user, command, now),
            Command::List(_)
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

    /// Changes the state according to `record` and appends the resulting events to `effects`. A
    /// record from a session that is not connected (it was recorded before its quit) changes
    /// nothing.
    pub fn apply(&mut self, record: Record, effects: &mut Vec<Effect>) {
        if self.last.is_some_and(|last| record.id <= last) {
            return;
        }
        self.last = Some(record.id);
        let start = effects.len();
        // These check by themselves who is silenced and who ignores them: most records are of this kind.
        let is_message =
            matches!(record.change, Change::Say { .. } | Change::Tell { .. } | Change::Tag { .. });
        let silenced_before = self.silenced_before(record.origin, &record.change);
        let mut at = Applying::new(&record, effects);
        let Record { time, origin, change, .. } = record;
        self.end_waiting(time);
        let weighed = change.weighs_on().map(|(room, texts)| (room.clone(), texts));
        let refused = match change {
            Change::Restarted { node } => {
                self.restarted(node, time);
                Ok(())
            }
            Change::Enter(entry) => self.enter(&mut at, *entry),
            // Of an earlier version, which recorded wrong passwords.
            Change::LoginFailed { .. } => Ok(()),
            Change::ScramKeys { account, hash, keys } => {
                self.learn_scram_keys(&account, &hash, keys);
                Ok(())
            }
            Change::Upload { file } => {
                self.add_file(*file);
                Ok(())
            }
            Change::DeleteFile { id } => {
                self.delete_file(&mut at, &id);
                Ok(())
            }
            Change::AccountSet { account, hash, scram, new } => {
                self.set_account(&mut at, account, (hash, scram), new)
            }
            Change::Lapse { room, before } => {
                self.lapse(&mut at, &room, before);
                Ok(())
            }
            Change::AccountDeleted { account, erases } => {
                self.delete_account(&mut at, &account, erases)
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
        if let Some((room, texts)) = weighed {
            self.rooms.weigh(&room, texts);
        }
        self.accounts.weigh_changed();
        if !is_message {
            self.hush(effects.get_mut(start..).unwrap_or_default(), &silenced_before);
        }
    }

    /// Applies a record whose origin has to be connected.
    fn apply_for(&mut self, at: &mut Applying<'_>, change: Change) -> Result<()> {
        match change {
            // Handled before the origin was looked up.
            Change::Restarted { .. }
            | Change::Enter(_)
            | Change::LoginFailed { .. }
            | Change::ScramKeys { .. }
            | Change::Upload { .. }
            | Change::DeleteFile { .. }
            | Change::AccountSet { .. }
            | Change::AccountDeleted { .. }
            | Change::Lapse { .. } => Ok(()),
            Change::Leave { departure } => {
                self.leave(at, at.origin, departure);
                Ok(())
            }
            Change::Nick { nick } => self.rename(at, nick),
            Change::Away { message } => self.away(at, message),
            Change::Ignore { nick, on } => self.ignore(at, nick, on),
            Change::Join { room, registers, modes } => self.join(at, room, registers, modes),
            Change::Part { room, reason } => self.part(at, &room, reason),
            Change::Topic { room, text } => self.topic(at, &room, text),
            Change::Invite { room, nick, opens } => self.invite(at, &room, &nick, opens),
            Change::RenameRoom { room, to, reason } => self.rename_room(at, &room, to, reason),
            Change::Keep { room, on } => self.keep(at, &room, on),
            Change::Say { room, kind, text, reply_to, tags, status, continuations } => {
                let words = MessageBody { kind, text, tags, continuations };
                self.say(at, &room, words, reply_to, status)
            }
            Change::Tell { to, kind, text, tags, continuations } => {
                self.tell(at, to, MessageBody { kind, text, tags, continuations })
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
            Change::Login { account, as_of } => self.login(at, account, as_of),
            Change::Logout { renames } => self.logout(at, renames),
            Change::Password { account, hash, scram, alone } => {
                self.password(at, &account, (hash, scram), alone)
            }
            Change::Certificate { fingerprint, on } => self.certificate(at, fingerprint, on),
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
    fn origin(&self, at: &Applying<'_>) -> Result<&User> {
        self.users.get(&at.origin).ok_or(Refusal::NotHere)
    }

    /// A room that `user` may know of.
    fn visible_room(&self, user: &User, name: &str) -> Result<&Room> {
        self.room(name)
            .filter(|room| self.sees(user, room))
            .ok_or_else(|| Refusal::NoSuchRoom(Name::new(name)))
    }

    /// A room that `user` is in.
    fn own_room(&self, user: &User, name: &str) -> Result<&Room> {
        let room = self.visible_room(user, name)?;
        if room.members.contains_key(&user.identity.session) {
            Ok(room)
        } else {
            Err(Refusal::NotInRoom(room.name.clone()))
        }
    }

    /// Whether `user` may moderate the room: its ops and server operators.
    pub fn moderates(&self, user: &User, room: &Room) -> Result<()> {
        let op = room.members.get(&user.identity.session).is_some_and(|member| member.op);
        if op || user.is_operator() { Ok(()) } else { Err(Refusal::NotOp(room.name.clone())) }
    }
}
