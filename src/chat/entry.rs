//! What of a chat is worth searching later: messages, as the journal keeps them for history.
//!
//! The hub, not the record, says what a message is: it gives the number, and it leaves out what it
//! refused. The journal takes [`Effect::entries`] of every effect, in order, and answers
//! [`Query`](super::Query)s from what it has taken.

use super::effect::{DirectMessage, Effect, Event, Quoted};
use super::happened::HistoryEvent;
use super::identity::Identity;
use super::name::Name;
use super::record::{Joints, Kind, Moment, RecordId, SessionId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A message that was delivered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Its id: rises with time, and is never used twice.
    pub id: RecordId,
    /// When.
    pub time: Moment,
    /// Where, or to whom.
    pub target: Target,
    /// Its number in its room; 0 for a private one.
    pub number: u64,
    /// Who.
    pub from: Name,
    /// By which account.
    pub account: Option<Name>,
    /// IRC's user name, if the author gave one.
    #[serde(default)]
    pub username: Option<Arc<str>>,
    /// From which address, without the port; `None` in what was kept before this was.
    #[serde(default)]
    pub host: Option<Arc<str>>,
    /// Whether by a program, by its own word.
    #[serde(default)]
    pub bot: bool,
    /// How.
    pub kind: Kind,
    /// What.
    pub text: Arc<str>,
    /// IRC's tags between clients, as they came.
    #[serde(default)]
    pub tags: Option<Arc<str>>,
    /// Where a line goes on that came as two.
    #[serde(default)]
    pub joints: Option<Joints>,
    /// What it answers. When handed back, its text is what that message says now.
    pub reply: Option<Quoted>,
    /// Whether its text was changed.
    #[serde(default)]
    pub edited: bool,
    /// What people put on it, and how many of them.
    #[serde(default)]
    pub reactions: Vec<(Arc<str>, u32)>,
}

impl StoredMessage {
    /// Nothing yet, said by somebody.
    fn by(who: &Identity) -> StoredMessage {
        StoredMessage {
            id: RecordId(0),
            time: Moment(0),
            target: Target::Room(Name::lobby()),
            number: 0,
            from: who.nick.clone(),
            account: who.account.clone(),
            username: who.username.clone(),
            host: Some(who.host().into()),
            bot: who.bot,
            kind: Kind::Message,
            text: "".into(),
            tags: None,
            joints: None,
            reply: None,
            edited: false,
            reactions: Vec::new(),
        }
    }

    /// Who said it, as they were then.
    pub fn author(&self) -> Identity {
        Identity {
            session: SessionId::default(),
            nick: self.from.clone(),
            named: true,
            // With a port, for an IPv6 address has colons of its own.
            label: self.host.as_ref().map(|host| format!("{host}:0").into()).unwrap_or_default(),
            username: self.username.clone(),
            realname: None,
            account: self.account.clone(),
            bot: self.bot,
        }
    }
}

/// Where something was said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// In a room.
    Room(Name),
    /// To one person.
    Private {
        /// Whom.
        to: Name,
        /// Their account, without which nobody can ask for it later.
        account: Option<Name>,
    },
}

/// One change of what the journal keeps for history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryUpdate<'a> {
    /// A new message.
    Add(StoredMessage),
    /// Another text for a message.
    Edit(RecordId, &'a Arc<str>),
    /// A message to be forgotten.
    Delete(RecordId),
    /// A reaction to a message, by whom, put on or taken off.
    React(RecordId, &'a Name, &'a Arc<str>, bool),
    /// A room is called otherwise from here on: what it was called, what it is called. What there
    /// was of an earlier room of the new name is out of everyone's reach.
    Rename(&'a Name, &'a Name),
    /// Something private that one without an account has said or heard: from whom to whom. It is
    /// for those sessions only, as long as they last.
    Guests(&'a DirectMessage, Box<StoredMessage>),
    /// A session is over.
    Over(SessionId),
    /// Something that is no message, and in which rooms or between whom.
    HistoryEvent(Vec<Target>, HistoryEvent),
}

impl Effect {
    /// What the journal has to do for this effect: nothing, for most.
    pub fn entries(&self) -> impl Iterator<Item = HistoryUpdate<'_>> {
        let happened = self.happened();
        let happened =
            happened.map(|(places, happened)| HistoryUpdate::HistoryEvent(places, happened));
        self.event.entry().into_iter().chain(self.event.of_guests()).chain(happened)
    }
}

/// Something private, as it is kept.
fn logged(told: &DirectMessage) -> StoredMessage {
    StoredMessage {
        id: told.id,
        time: told.time,
        target: Target::Private { to: told.to.clone(), account: told.account.clone() },
        kind: told.kind,
        text: Arc::clone(&told.text),
        tags: told.tags.clone(),
        joints: told.joints.clone(),
        ..StoredMessage::by(&told.who)
    }
}

impl DirectMessage {
    /// Whose it is that have no account: who said it, who heard it.
    pub fn guests(&self) -> (Option<SessionId>, Option<SessionId>) {
        let from = Some(self.who.session).filter(|_| self.who.account.is_none());
        (from, self.session.filter(|_| self.account.is_none()))
    }
}

impl Event {
    /// What it changes among what guests have said in private.
    fn of_guests(&self) -> Option<HistoryUpdate<'_>> {
        match self {
            Event::DirectMessage(told) if told.guests() != (None, None) => {
                Some(HistoryUpdate::Guests(told, Box::new(logged(told))))
            }
            Event::Left { who, .. } => Some(HistoryUpdate::Over(who.session)),
            _ => None,
        }
    }

    /// What it changes among the messages. The copy of a line that marks a mention is none of the
    /// journal's business.
    fn entry(&self) -> Option<HistoryUpdate<'_>> {
        match self {
            Event::RoomMessage(said) if !said.mention && said.status.is_none() => {
                Some(HistoryUpdate::Add(StoredMessage {
                    id: said.id,
                    time: said.time,
                    target: Target::Room(said.room.clone()),
                    number: said.number,
                    kind: said.kind,
                    text: Arc::clone(&said.text),
                    tags: said.tags.clone(),
                    joints: said.joints.clone(),
                    // The quotation is looked up when it is shown: it may be deleted by then.
                    reply: said
                        .reply
                        .as_deref()
                        .map(|reply| Quoted { text: None, ..reply.clone() }),
                    ..StoredMessage::by(&said.who)
                }))
            }
            Event::DirectMessage(told) => Some(HistoryUpdate::Add(logged(told))),
            Event::Edited { message, text, .. } => Some(HistoryUpdate::Edit(message.id, text)),
            Event::Deleted { message, .. } => Some(HistoryUpdate::Delete(message.id)),
            Event::Reacted { message, who, text, on, .. } => {
                Some(HistoryUpdate::React(message.id, &who.nick, text, *on))
            }
            Event::RoomRenamed { before, room, .. } => Some(HistoryUpdate::Rename(before, room)),
            _ => None,
        }
    }
}
