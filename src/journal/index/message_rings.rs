//! Messages in memory: the last ones in rings, and with them the events.
//!
//! Invariants: bounded per ring, and in number and bytes in total (the oldest are dropped first);
//! everything in a ring is in `messages`, and each message is in its rings, unless a ring of mail
//! has dropped it. A query examines its own ring only; a search, which examines every text, goes in
//! steps instead. The hash map is only used for lookups, never iterated.

use super::event_rings::EventRings;
use super::ring::{Ring, between, position_in};
use super::span::{self, NOWHERE, Position, Span, position_of};
use crate::chat::limits::{MAIL_PER_ACCOUNT, REACTIONS_PER_MESSAGE, REACTIONS_PER_USER};
use crate::chat::{
    HistoryEvent, HistoryUpdate, Lookup, Name, Point, Query, RecordId, Reference, Scope,
    StoredMessage, Target,
};
use crate::journal::age::Age;
use crate::journal::limits::{self, Limits};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;

pub(super) struct MessageRings {
    per_ring: usize,
    age: Option<Age>,
    messages: BTreeMap<RecordId, Stored>,
    rings: HashMap<Ring, VecDeque<RecordId>>,
    most_bytes: usize,
    /// The size of all messages.
    bytes: usize,
    events: EventRings,
}

/// A message; in it the counts of its reactions.
struct Stored {
    message: StoredMessage,
    reactions: Vec<(Name, Arc<str>)>,
}

impl Stored {
    fn root(&self) -> RecordId {
        self.message.reply.as_ref().map_or(self.message.id, |reply| reply.root)
    }

    fn rings(&self) -> impl Iterator<Item = Ring> + use<> {
        let message = &self.message;
        Ring::all(&message.target, &message.from, message.account.as_ref())
    }

    fn bytes(&self) -> usize {
        let reactions = self.reactions.len() * size_of::<(Name, Arc<str>)>();
        size_of::<Stored>() + limits::MEMORY_OVERHEAD + self.message.bytes() + reactions
    }

    /// Whatever the age of a message, it has no more than so many reactions, and so many of one user.
    fn react(&mut self, nick: &Name, text: &Arc<str>, on: bool) {
        self.reactions.retain(|(who, what)| who != nick || what != text);
        let own = self.reactions.iter().filter(|(who, _)| who == nick).count();
        if on && self.reactions.len() < REACTIONS_PER_MESSAGE && own < REACTIONS_PER_USER {
            self.reactions.push((nick.clone(), Arc::clone(text)));
        }
        let counts = &mut self.message.reactions;
        counts.clear();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (_, text) in &self.reactions {
            let place = *places.entry(text).or_insert(counts.len());
            match counts.get_mut(place) {
                Some((_, count)) => *count += 1,
                None => counts.push((Arc::clone(text), 1)),
            }
        }
    }
}

impl MessageRings {
    pub(super) fn new(limits: &Limits) -> MessageRings {
        let per_ring = limits.per_room.unwrap_or(limits::MEMORY_PER_ROOM);
        let per_ring = usize::try_from(per_ring).unwrap_or(usize::MAX).min(limits::MEMORY_MESSAGES);
        let age = limits.age.map(|age| Age::new(age, None));
        MessageRings {
            per_ring,
            age: age.clone(),
            most_bytes: limits.memory,
            messages: BTreeMap::new(),
            rings: HashMap::new(),
            bytes: 0,
            events: EventRings::new(per_ring, age),
        }
    }

    pub(super) fn archive(&mut self, update: HistoryUpdate<'_>) {
        match update {
            HistoryUpdate::Guests(..) | HistoryUpdate::Over(_) => {}
            HistoryUpdate::Forget { account, since } => self.forget(account, since),
            HistoryUpdate::Add(message) => self.add(message),
            HistoryUpdate::Edit(id, text) => self.change(id, |stored| {
                stored.message.text = Arc::clone(text);
                (stored.message.continuations, stored.message.edited) = (None, true);
            }),
            HistoryUpdate::Delete(id) => {
                let rings = self.messages.get(&id).map(Stored::rings);
                for ring in rings.into_iter().flatten() {
                    self.events.forget_about(&ring, id);
                }
                self.remove(id);
            }
            HistoryUpdate::Rename(before, room) => self.rename(before, room),
            HistoryUpdate::HistoryEvent(places, event) => {
                for place in &places {
                    self.events.add(place, &event);
                }
            }
            HistoryUpdate::React(id, nick, text, on) => {
                self.change(id, |stored| stored.react(nick, text, on));
            }
        }
    }

    fn add(&mut self, message: StoredMessage) {
        let (id, time) = (message.id, message.time);
        let stored = Stored { message, reactions: Vec::new() };
        let mut over = None;
        let mut is_in_a_ring = false;
        for ring in stored.rings() {
            is_in_a_ring = true;
            let mail = matches!(ring, Ring::Mail(_));
            let ids = self.rings.entry(ring).or_default();
            if ids.back() != Some(&id) {
                ids.push_back(id);
            }
            // Mail that is pending is the newest, and it has its own bound; what is older
            // stays in the conversations.
            if mail && ids.len() > MAIL_PER_ACCOUNT as usize {
                ids.pop_front();
            } else if !mail && ids.len() > self.per_ring {
                over = ids.front().copied();
            }
        }
        if !is_in_a_ring {
            return;
        }
        self.bytes += stored.bytes();
        self.messages.insert(id, stored);
        over.into_iter().for_each(|oldest| self.remove(oldest));
        let since = self.age.as_mut().map_or(i64::MIN, |age| age.oldest(time).0);
        while self.messages.first_key_value().is_some_and(|(_, it)| it.message.time.0 < since) {
            self.remove_oldest();
        }
        self.trim();
    }

    /// Changes a message, also its size.
    fn change(&mut self, id: RecordId, change: impl FnOnce(&mut Stored)) {
        let Some(stored) = self.messages.get_mut(&id) else { return };
        self.bytes -= stored.bytes();
        change(stored);
        self.bytes += stored.bytes();
        self.trim();
    }

    fn trim(&mut self) {
        while self.messages.len() > limits::MEMORY_MESSAGES || self.bytes > self.most_bytes {
            self.remove_oldest();
        }
    }

    fn remove_oldest(&mut self) {
        let oldest = self.messages.first_key_value().map(|(&id, _)| id);
        oldest.into_iter().for_each(|id| self.remove(id));
    }

    fn remove(&mut self, id: RecordId) {
        let Some(stored) = self.messages.remove(&id) else { return };
        self.bytes -= stored.bytes();
        for ring in stored.rings() {
            let Some(ids) = self.rings.get_mut(&ring) else { continue };
            if let Ok(place) = ids.binary_search(&id) {
                ids.remove(place);
            }
            if ids.is_empty() {
                self.rings.remove(&ring);
            }
        }
    }

    /// An account was deleted: nothing is its mail or one of its conversations any more. What it has
    /// written from `since` on is removed, and so is what no one can read now.
    fn forget(&mut self, account: &Name, since: Option<RecordId>) {
        self.rings.retain(|ring, _| !ring.is_of(account));
        let is_erased = |id: &RecordId, stored: &Stored| {
            stored.message.account.as_ref() == Some(account)
                && since.is_some_and(|since| *id >= since)
        };
        let is_readable =
            |stored: &Stored| stored.rings().any(|ring| self.rings.contains_key(&ring));
        let gone = self.messages.iter().filter(|(id, it)| is_erased(id, it) || !is_readable(it));
        for id in gone.map(|(&id, _)| id).collect::<Vec<RecordId>>() {
            self.remove(id);
        }
    }

    fn rename(&mut self, before: &Name, room: &Name) {
        let (old, new) = (Ring::Room(before.clone()), Ring::Room(room.clone()));
        let ids = self.rings.remove(&old);
        for id in self.rings.get(&new).cloned().unwrap_or_default() {
            self.remove(id);
        }
        self.events.rename(&old, &new);
        let Some(ids) = ids else { return };
        for &id in &ids {
            self.change(id, |stored| stored.message.target = Target::Room(room.clone()));
        }
        self.rings.insert(new, ids);
    }

    /// The last message.
    pub(super) fn last(&self) -> RecordId {
        self.messages.last_key_value().map_or(RecordId(0), |(&id, _)| id)
    }

    /// The message, and whose reactions it has.
    pub(super) fn find(&self, lookup: &Lookup) -> Option<(Reference, Vec<Name>)> {
        let ring = Ring::Room(lookup.room.name.clone());
        let id = match lookup.message {
            Point::Id(id) => id,
            Point::Number(_) => {
                let position = self.locate(&ring, lookup.room.since, lookup.message);
                RecordId(span::record_of(position.first))
            }
            Point::Time(_) | Point::Part(..) => return None,
        };
        let stored = self.messages.get(&id).filter(|_| id >= lookup.room.since)?;
        let numbered = match lookup.message {
            Point::Number(number) => stored.message.number == number,
            _ => true,
        };
        let there = matches!(&stored.message.target, Target::Room(it) if *it == lookup.room.name);
        let nicks = || stored.reactions.iter().map(|(nick, _)| nick.clone()).collect();
        (numbered && there).then(|| (reference(stored), nicks()))
    }

    pub(super) fn past(&self, query: &Query) -> (Vec<StoredMessage>, Vec<HistoryEvent>) {
        let Some(ring) = Ring::of(&query.scope) else { return Default::default() };
        let since = match &query.scope {
            Scope::Room(room) | Scope::Thread { room, .. } => room.since,
            Scope::Mail { since, .. } => *since,
            _ => RecordId(0),
        };
        let with_events =
            query.events && matches!(query.scope, Scope::Room(_) | Scope::Private { .. });
        let locate = |point| {
            let position = self.locate(&ring, since, point);
            Ok::<Position, Infallible>(match point {
                Point::Time(time) if with_events => position.and(self.events.locate(&ring, time)),
                _ => position,
            })
        };
        let Ok(past) = span::past(query, RecordId(NOWHERE), locate, |span| {
            let span = span.since(since);
            let events = if with_events { self.events.span(&ring, &span) } else { Vec::new() };
            Ok((self.span(&ring, &query.scope, &span), events))
        });
        past
    }

    /// The position of a point in a ring. Messages between two have no numbers: nothing is before
    /// one, nothing is after it.
    pub(super) fn locate(&self, ring: &Ring, since: RecordId, point: Point) -> Position {
        match point {
            Point::Id(id) => return Position::of(id, 0),
            Point::Part(id, part) => return Position::of(id, part),
            Point::Number(_) if !matches!(ring, Ring::Room(_)) => return Position::NONE,
            Point::Number(_) | Point::Time(_) => {}
        }
        let Some(ids) = self.rings.get(ring) else { return Position::END };
        let compare = |id: &RecordId| match (self.messages.get(id), point) {
            _ if *id < since => Ordering::Less,
            (Some(stored), Point::Number(number)) => stored.message.number.cmp(&number),
            (Some(stored), Point::Time(time)) => stored.message.time.cmp(&time),
            _ => Ordering::Greater,
        };
        position_in(ids, compare, |&id| position_of(id, 0))
    }

    fn span(&self, ring: &Ring, scope: &Scope, span: &Span) -> Vec<StoredMessage> {
        let Some(ids) = self.rings.get(ring) else { return Vec::new() };
        let stored = between(ids, span.ids(), |id| id.0).filter_map(|id| self.messages.get(id));
        let fits = |stored: &&Stored| match scope {
            Scope::Thread { root, .. } => stored.root() == *root,
            _ => true,
        };
        let found = span.take(stored.filter(fits));
        found.into_iter().map(|stored| self.shown(&stored.message)).collect()
    }

    /// A message as it is returned: with the message it replies to.
    pub(super) fn shown(&self, message: &StoredMessage) -> StoredMessage {
        let mut message = message.clone();
        if let Some(reply) = &mut message.reply {
            reply.text = self.messages.get(&reply.id).map(|it| Arc::clone(&it.message.text));
        }
        message
    }

    /// The messages of all rooms between two ids, both exclusive.
    pub(super) fn messages(
        &self,
        (after, before): (u64, u64),
    ) -> impl DoubleEndedIterator<Item = &StoredMessage> {
        let start = RecordId(after.saturating_add(1).min(before));
        self.messages.range(start..RecordId(before)).map(|(_, stored)| &stored.message)
    }
}

fn reference(stored: &Stored) -> Reference {
    let message = &stored.message;
    Reference {
        id: message.id,
        number: message.number,
        root: stored.root(),
        from: message.from.clone(),
        account: message.account.clone(),
    }
}
