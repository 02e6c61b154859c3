//! History updates: what the journal stores for an effect, and how a stored event is turned back
//! into one.
//!
//! A stored message comes from the hub, not from the record: the hub assigns the number and leaves
//! out rejected messages. The journal takes [`Effect::entries`] of every effect, in order, and
//! answers [`Query`](crate::chat::Query)s from them. Room keys are not stored.

use super::effect::{AccountChange, DirectMessage, Effect, Event};
use crate::chat::log::{HistoryEvent, StoredEvent, StoredMessage, Target};
use crate::chat::model::{
    Audience, Identity, ModeChange, Name, Quoted, RecordId, SessionId, Topic,
};
use std::sync::Arc;

/// The tag with which an IRC client asks to store tags without a text.
const PERSIST: &str = "+draft/persist";

/// One change of what the journal keeps for history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryUpdate<'a> {
    /// A new message.
    Add(StoredMessage),
    /// Another text for a message.
    Edit(RecordId, &'a Arc<str>),
    /// A message to be forgotten.
    Delete(RecordId),
    /// A reaction to a message, by a user, added or removed.
    React(RecordId, &'a Name, &'a Arc<str>, bool),
    /// A room has been renamed: the old and the new name. History of an earlier room with the new
    /// name becomes inaccessible.
    Rename(&'a Name, &'a Name),
    /// A direct message to or from a user without an account: from whom to whom. It is available to
    /// these sessions only, while they last.
    Guests(&'a DirectMessage, Box<StoredMessage>),
    /// A session is over.
    Over(SessionId),
    /// An account was deleted: its conversations are no one's, and if it was made by `since`,
    /// everything that it has written is erased.
    Forget { account: &'a Name, since: Option<RecordId> },
    /// An event other than a message, and the rooms or users it concerns.
    HistoryEvent(Vec<Target>, HistoryEvent),
}

impl Effect {
    /// The history updates for this effect: none for most.
    pub fn entries(&self) -> impl Iterator<Item = HistoryUpdate<'_>> {
        let happened = self.happened();
        let happened =
            happened.map(|(places, happened)| HistoryUpdate::HistoryEvent(places, happened));
        self.event.entry().into_iter().chain(self.event.of_guests()).chain(happened)
    }
}

impl DirectMessage {
    /// The sender and the recipient without an account.
    pub fn guests(&self) -> (Option<SessionId>, Option<SessionId>) {
        let from = Some(self.who.session).filter(|_| self.who.account.is_none());
        (from, self.session.filter(|_| self.account.is_none()))
    }
}

impl Event {
    /// The update of guests' direct messages.
    fn of_guests(&self) -> Option<HistoryUpdate<'_>> {
        match self {
            Event::DirectMessage(told) if told.guests() != (None, None) => {
                Some(HistoryUpdate::Guests(told, Box::new(stored(told))))
            }
            Event::Left { who, .. } => Some(HistoryUpdate::Over(who.session)),
            _ => None,
        }
    }

    /// The update of messages. The copy of a line that marks a mention is not stored.
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
                    continuations: said.continuations.clone(),
                    // The quotation is looked up when it is shown: it may be deleted by then.
                    reply: said
                        .reply
                        .as_deref()
                        .map(|reply| Quoted { text: None, ..reply.clone() }),
                    ..StoredMessage::by(&said.who)
                }))
            }
            Event::DirectMessage(told) => Some(HistoryUpdate::Add(stored(told))),
            Event::Edited { message, text, .. } => Some(HistoryUpdate::Edit(message.id, text)),
            Event::Deleted { message, .. } => Some(HistoryUpdate::Delete(message.id)),
            Event::Reacted { message, who, text, on, .. } => {
                Some(HistoryUpdate::React(message.id, &who.nick, text, *on))
            }
            Event::AccountManaged { account, what: AccountChange::Deleted { erases, since } } => {
                Some(HistoryUpdate::Forget { account, since: erases.then_some(*since) })
            }
            Event::RoomRenamed { before, room, .. } => Some(HistoryUpdate::Rename(before, room)),
            _ => None,
        }
    }
}

/// Something private, as it is kept.
fn stored(told: &DirectMessage) -> StoredMessage {
    StoredMessage {
        id: told.id,
        time: told.time,
        target: Target::Private { to: told.to.clone(), account: told.account.clone() },
        kind: told.kind,
        text: Arc::clone(&told.text),
        tags: told.tags.clone(),
        continuations: told.continuations.clone(),
        ..StoredMessage::by(&told.who)
    }
}

impl HistoryEvent {
    /// The event that it was, in a room of this name; without what only those who were there
    /// needed to know.
    pub fn event(&self, room: &Name) -> Event {
        let (who, room) = (Arc::clone(&self.who), room.clone());
        match self.what.clone() {
            StoredEvent::Joined { op } => {
                Event::Joined { who, room, members: 0, topic: None, op, away: None }
            }
            StoredEvent::Parted { reason } => Event::Parted { who, room, reason },
            StoredEvent::Left { departure } => Event::Left { who, departure, online: 0 },
            StoredEvent::Kicked { target, reason } => {
                let target = Arc::new(Identity { nick: target, ..Identity::clone(&who) });
                Event::Kicked { who, room, target, reason }
            }
            StoredEvent::Renamed { nick } => {
                let now = Arc::new(Identity { nick, ..Identity::clone(&who) });
                Event::Renamed { who: now, before: who }
            }
            StoredEvent::TopicSet { text } => {
                let topic = Topic { text, by: who.nick.clone(), time: self.stamp.time };
                Event::TopicSet { who, room, topic }
            }
            StoredEvent::RoomRenamed { before, room, reason } => {
                Event::RoomRenamed { who, before, room, reason }
            }
            StoredEvent::ModesSet { changes } => Event::ModesSet { who, room, changes },
            StoredEvent::Reacted { message, text, on, tags } => {
                let from = Name::new("");
                let message = Quoted { id: message, number: 0, root: message, from, text: None };
                Event::Reacted { who, room, message: Box::new(message), text, on, tags }
            }
            StoredEvent::Tagged { to, tags } => {
                Event::Tagged { who, to, status: None, account: None, tags }
            }
        }
    }
}

impl Effect {
    /// The event to store, and the rooms or users it concerns; `None` for most.
    pub(in crate::chat) fn happened(&self) -> Option<(Vec<Target>, HistoryEvent)> {
        let (who, what) = what(&self.event)?;
        let places = match (&self.event, &self.audience) {
            (Event::Tagged { to, account, .. }, Audience::Private { .. }) => {
                vec![Target::Private { to: to.clone(), account: account.clone() }]
            }
            (_, Audience::Room { room, .. }) => vec![Target::Room(room.clone())],
            (_, Audience::Peers { rooms, .. }) => rooms.iter().cloned().map(Target::Room).collect(),
            // The same event has a room as its audience.
            _ => return None,
        };
        Some((places, HistoryEvent { stamp: self.stamp, who: Arc::clone(who), what }))
    }
}

fn what(event: &Event) -> Option<(&Arc<Identity>, StoredEvent)> {
    Some(match event {
        Event::Entered { who, .. } => (who, StoredEvent::Joined { op: false }),
        Event::Joined { who, op, .. } => (who, StoredEvent::Joined { op: *op }),
        Event::Parted { who, reason, .. } => (who, StoredEvent::Parted { reason: reason.clone() }),
        Event::Left { who, departure, .. } => {
            (who, StoredEvent::Left { departure: departure.clone() })
        }
        Event::Kicked { who, target, reason, .. } => {
            let (target, reason) = (target.nick.clone(), reason.clone());
            (who, StoredEvent::Kicked { target, reason })
        }
        Event::Renamed { who, before } => (before, StoredEvent::Renamed { nick: who.nick.clone() }),
        Event::TopicSet { who, topic, .. } => {
            (who, StoredEvent::TopicSet { text: Arc::clone(&topic.text) })
        }
        Event::RoomRenamed { who, before, room, reason } => {
            let (before, room, reason) = (before.clone(), room.clone(), reason.clone());
            (who, StoredEvent::RoomRenamed { before, room, reason })
        }
        Event::ModesSet { who, changes, .. } => {
            let keyless = |change: &ModeChange| match change {
                ModeChange::Key(Some(_)) => ModeChange::Key(Some("*".into())),
                change => change.clone(),
            };
            (who, StoredEvent::ModesSet { changes: changes.iter().map(keyless).collect() })
        }
        Event::Reacted { who, message, text, on, tags, .. } => {
            let (message, text) = (message.id, Arc::clone(text));
            (who, StoredEvent::Reacted { message, text, on: *on, tags: tags.clone() })
        }
        Event::Tagged { who, to, tags, status: None, .. } if wants_to_be_kept(tags) => {
            (who, StoredEvent::Tagged { to: to.clone(), tags: Arc::clone(tags) })
        }
        _ => return None,
    })
}

fn wants_to_be_kept(tags: &str) -> bool {
    tags.split(';').any(|tag| tag.split('=').next() == Some(PERSIST))
}
