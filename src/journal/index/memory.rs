//! The index in memory: the last messages of every room in rings.
//!
//! Invariants: bounded per room, in number, and in bytes of text in total (the oldest are dropped
//! first); everything in a ring is in `messages` and vice versa. Queries are answered in the loop:
//! a search examines at most [`limits::MEMORY_SCAN`] messages. The hash map is only used for
//! lookups, never iterated.

use super::event_rings::EventRings;
use super::query::{Answer, HistoryQuery, search_words, wanted};
use super::ring::Ring;
use super::span::{self, NOWHERE, Position, Span, position_of};
use crate::chat::{
    HistoryEvent, HistoryUpdate, Lookup, Name, Point, Query, RecordId, Reference, Scope,
    StoredMessage, Target, query,
};
use crate::journal::limits::{self, Limits};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;

pub(super) struct MemoryIndex {
    per_room: usize,
    age: Option<i64>,
    messages: BTreeMap<RecordId, Stored>,
    rings: HashMap<Ring, VecDeque<RecordId>>,
    /// Bytes of all messages.
    text: usize,
    events: EventRings,
}

struct Stored {
    message: StoredMessage,
    reactions: Vec<(Name, Arc<str>)>,
}

impl Stored {
    fn root(&self) -> RecordId {
        self.message.reply.as_ref().map_or(self.message.id, |reply| reply.root)
    }
}

impl MemoryIndex {
    pub(super) fn new(limits: &Limits) -> MemoryIndex {
        let per_room = limits.per_room.unwrap_or(limits::MEMORY_PER_ROOM);
        let per_room = usize::try_from(per_room).unwrap_or(usize::MAX).min(limits::MEMORY_MESSAGES);
        let age = limits.age.map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        MemoryIndex {
            per_room,
            age,
            messages: BTreeMap::new(),
            rings: HashMap::new(),
            text: 0,
            events: EventRings::new(per_room, age),
        }
    }

    pub(super) fn archive(&mut self, update: HistoryUpdate<'_>) {
        match update {
            HistoryUpdate::Guests(..) | HistoryUpdate::Over(_) => {}
            HistoryUpdate::Add(message) => self.add(message),
            HistoryUpdate::Edit(id, text) => {
                if let Some(stored) = self.messages.get_mut(&id) {
                    self.text = self.text - stored.message.text.len() + text.len();
                    stored.message.text = Arc::clone(text);
                    (stored.message.continuations, stored.message.edited) = (None, true);
                }
            }
            HistoryUpdate::Delete(id) => {
                if let Some(Stored { message, .. }) = self.messages.get(&id)
                    && let Some(ring) = Ring::of(&message.target, message.account.as_ref())
                {
                    self.events.forget_about(&ring, id);
                }
                self.remove(id);
            }
            HistoryUpdate::Rename(before, room) => self.rename(before, room),
            HistoryUpdate::HistoryEvent(places, event) => {
                for place in places {
                    self.events.add(place, event.clone());
                }
            }
            HistoryUpdate::React(id, nick, text, on) => {
                if let Some(stored) = self.messages.get_mut(&id) {
                    stored.reactions.retain(|(who, what)| who != nick || what != text);
                    if on {
                        stored.reactions.push((nick.clone(), Arc::clone(text)));
                    }
                }
            }
        }
    }

    fn add(&mut self, message: StoredMessage) {
        let Some(ring) = Ring::of(&message.target, message.account.as_ref()) else { return };
        let bound = match ring {
            Ring::Room(_) => self.per_room,
            Ring::Private => limits::MEMORY_MESSAGES,
        };
        let (id, time) = (message.id, message.time);
        self.text += message.text.len();
        self.messages.insert(id, Stored { message, reactions: Vec::new() });
        let ring = self.rings.entry(ring).or_default();
        ring.push_back(id);
        let over = if ring.len() > bound { ring.front().copied() } else { None };
        if let Some(oldest) = over {
            self.remove(oldest);
        }
        while let Some((&oldest, stored)) = self.messages.first_key_value() {
            let old =
                self.age.is_some_and(|age| stored.message.time.0 < time.0.saturating_sub(age));
            let full =
                self.messages.len() > limits::MEMORY_MESSAGES || self.text > limits::MEMORY_TEXT;
            if !old && !full {
                break;
            }
            self.remove(oldest);
        }
    }

    fn remove(&mut self, id: RecordId) {
        let Some(stored) = self.messages.remove(&id) else { return };
        self.text -= stored.message.text.len();
        let ring = match stored.message.target {
            Target::Room(room) => Ring::Room(room),
            Target::Private { .. } => Ring::Private,
        };
        let Some(ids) = self.rings.get_mut(&ring) else { return };
        if let Ok(place) = ids.binary_search(&id) {
            ids.remove(place);
        }
        if ids.is_empty() {
            self.rings.remove(&ring);
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
        for id in &ids {
            if let Some(stored) = self.messages.get_mut(id) {
                stored.message.target = Target::Room(room.clone());
            }
        }
        self.rings.insert(new, ids);
    }

    pub(super) fn answer(&self, query: &HistoryQuery) -> Answer {
        match query {
            HistoryQuery::Past(query) => {
                let (messages, events) = self.past(query);
                Answer::Past(messages, events)
            }
            HistoryQuery::Find(lookup) => Answer::Found(self.find(lookup)),
        }
    }

    fn find(&self, lookup: &Lookup) -> Option<Reference> {
        let fits = |stored: &&Stored| match lookup.message {
            Point::Id(id) => stored.message.id == id,
            Point::Number(number) => stored.message.number == number,
            Point::Time(_) | Point::Part(..) => false,
        };
        let stored = self.room(&lookup.room).find(fits)?;
        let message = &stored.message;
        Some(Reference {
            id: message.id,
            number: message.number,
            root: stored.root(),
            from: message.from.clone(),
            account: message.account.clone(),
        })
    }

    fn past(&self, query: &Query) -> (Vec<StoredMessage>, Vec<HistoryEvent>) {
        let ring = match &query.scope {
            Scope::Room(room) => Some(Ring::Room(room.name.clone())),
            Scope::Private { .. } => Some(Ring::Private),
            _ => None,
        };
        let ring = ring.filter(|_| query.events);
        let locate = |point| {
            let place = self.locate(&query.scope, point);
            Ok::<Position, Infallible>(match (point, &ring) {
                (Point::Time(time), Some(ring)) => place.and(self.events.locate(ring, time)),
                _ => place,
            })
        };
        let Ok(spans) = span::spans(query.range, wanted(query), RecordId(NOWHERE), locate);
        let newest = spans.first().is_some_and(|span| span.newest);
        let (mut messages, mut events) = (Vec::new(), Vec::new());
        for span in &spans {
            let found = self.span(&query.scope, span);
            let mut some: Vec<StoredMessage> = found.into_iter().map(|it| self.shown(it)).collect();
            let mut others = ring.as_ref().map_or(Vec::new(), |ring| {
                self.events.span(ring, span, |target, it| shows(&query.scope, target, it))
            });
            span::merge(&mut some, &mut others, span.limit, span.newest);
            messages.append(&mut some);
            events.append(&mut others);
        }
        span::truncate(&mut messages, &mut events, newest);
        (messages, events)
    }

    fn locate(&self, scope: &Scope, point: Point) -> Position {
        let room = match scope {
            Scope::Room(room) | Scope::Thread { room, .. } => Some(room),
            Scope::Search { rooms, .. } if rooms.len() == 1 => rooms.first(),
            _ => None,
        };
        let number = |stored: &Stored| (stored.message.number, position_of(stored.message.id, 0));
        let key = match (point, room) {
            (Point::Id(id), _) => return Position::of(id, 0),
            (Point::Part(id, part), _) => return Position::of(id, part),
            (Point::Number(wanted), Some(room)) => {
                let numbers = self.room(room).map(number);
                return place(numbers, &wanted);
            }
            // These messages have no numbers: nothing is before, nothing is after.
            (Point::Number(_), None) => return Position::NONE,
            (Point::Time(time), _) => time,
        };
        let time = |it: &Stored| (it.message.time, position_of(it.message.id, 0));
        place(self.messages.values().map(time), &key)
    }

    fn span(&self, scope: &Scope, span: &Span) -> Vec<&Stored> {
        let (after, before) = span.ids();
        let inside = |stored: &&Stored| stored.message.id.0 > after && stored.message.id.0 < before;
        let all: Vec<&Stored> = match scope {
            Scope::Room(room) => self.room(room).filter(inside).collect(),
            Scope::Thread { room, root } => {
                self.room(room).filter(inside).filter(|stored| stored.root() == *root).collect()
            }
            Scope::Mail { account, since } => self
                .ring(&Ring::Private)
                .filter(inside)
                .filter(|stored| stored.message.id >= *since && said_to(&stored.message, account))
                .collect(),
            Scope::Session { .. } => Vec::new(),
            Scope::Private { account, peer } => self
                .ring(&Ring::Private)
                .filter(inside)
                .filter(|stored| between(&stored.message, account, peer))
                .collect(),
            Scope::Search { rooms, words, from } => {
                let words: Vec<String> = search_words(words).collect();
                let mut all: Vec<&Stored> =
                    rooms.iter().flat_map(|room| self.room(room)).filter(inside).collect();
                all.sort_unstable_by_key(|stored| stored.message.id);
                all.drain(..all.len().saturating_sub(limits::MEMORY_SCAN));
                all.retain(|stored| matches(&stored.message, &words, from.as_ref()));
                all
            }
        };
        let over = all.len().saturating_sub(span.limit);
        if span.newest { all[over..].to_vec() } else { all[..all.len() - over].to_vec() }
    }

    fn ring<'a>(&'a self, ring: &Ring) -> impl Iterator<Item = &'a Stored> + use<'a> {
        let ids = self.rings.get(ring).into_iter().flatten();
        ids.filter_map(|id| self.messages.get(id))
    }

    fn room<'a>(&'a self, room: &query::Room) -> impl Iterator<Item = &'a Stored> + use<'a> {
        let since = room.since;
        self.ring(&Ring::Room(room.name.clone())).filter(move |stored| stored.message.id >= since)
    }

    /// A message as it is returned: with the message it replies to and its reactions.
    fn shown(&self, stored: &Stored) -> StoredMessage {
        let mut message = stored.message.clone();
        if let Some(reply) = &mut message.reply {
            reply.text = self.messages.get(&reply.id).map(|it| Arc::clone(&it.message.text));
        }
        for (_, text) in &stored.reactions {
            match message.reactions.iter_mut().find(|(known, _)| known == text) {
                Some((_, count)) => *count += 1,
                None => message.reactions.push((Arc::clone(text), 1)),
            }
        }
        message
    }
}

/// The position of `wanted` among rising keys.
fn place<K: Ord>(keys: impl Iterator<Item = (K, u64)>, wanted: &K) -> Position {
    let mut found = Position::END;
    for (key, place) in keys {
        if key >= *wanted {
            found.first = found.first.min(place);
        }
        if key > *wanted {
            found.last = place - 1;
            break;
        }
    }
    found
}

fn said_to(message: &StoredMessage, wanted: &Name) -> bool {
    matches!(&message.target, Target::Private { account: Some(account), .. } if account == wanted)
}

fn between(message: &StoredMessage, owner: &Name, peer: &Name) -> bool {
    said_between(&message.target, &message.from, message.account.as_ref(), owner, peer)
}

fn said_between(
    target: &Target,
    from: &Name,
    by: Option<&Name>,
    owner: &Name,
    peer: &Name,
) -> bool {
    let Target::Private { to, account } = target else { return false };
    let from_peer = from == peer || by == Some(peer);
    let to_peer = to == peer || account.as_ref() == Some(peer);
    (account.as_ref() == Some(owner) && from_peer) || (by == Some(owner) && to_peer)
}

/// Whether a scope contains an event with this target.
fn shows(scope: &Scope, target: &Target, event: &HistoryEvent) -> bool {
    let who = &event.who;
    match scope {
        Scope::Room(room) => event.stamp.id >= room.since,
        Scope::Private { account, peer } => {
            said_between(target, &who.nick, who.account.as_ref(), account, peer)
        }
        _ => false,
    }
}

fn matches(message: &StoredMessage, words: &[String], from: Option<&Name>) -> bool {
    let by =
        from.is_none_or(|from| message.from == *from || message.account.as_ref() == Some(from));
    if !by || words.is_empty() {
        return false;
    }
    let said: Vec<String> = search_words(&message.text).collect();
    words.iter().all(|word| said.contains(word))
}
