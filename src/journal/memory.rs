//! The journal in memory: records are handed back as they came, and the last messages of every
//! room are kept in rings for those who ask.
//!
//! Invariants: bounded per room, in number and in bytes of text altogether (the oldest of all gives
//! way); what is in a ring is in `messages`, and the other way round. Questions are answered in the
//! loop: a search looks at no more than [`limits::MEMORY_SCAN`] messages.

use super::guests::Guests;
use super::happenings::Happenings;
use super::limits::{self, Limits};
use super::question::{self, Answer, Place, Question, Stretch};
use crate::chat::{
    Change, HistoryEvent, HistoryUpdate, Lookup, Moment, Name, Point, Query, Record, RecordId,
    Reference, Scope, SessionId, StoredMessage, Target, query,
};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;

/// Numbers records and hands them back in the same turn; remembers what was said lately.
pub struct Memory {
    appended: Vec<Record>,
    answers: VecDeque<(u64, Answer)>,
    last: u64,
    time: Moment,
    per_room: usize,
    age: Option<i64>,
    messages: BTreeMap<RecordId, Stored>,
    rings: HashMap<Ring, VecDeque<RecordId>>,
    text: usize,
    happenings: Happenings,
    guests: Guests,
}

/// What is kept together.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Ring {
    Room(Name),
    Private,
}

impl Ring {
    /// Where something from this account goes; `None` if nobody could ever ask for it.
    pub(super) fn of(target: &Target, from: Option<&Name>) -> Option<Ring> {
        match target {
            Target::Room(room) => Some(Ring::Room(room.clone())),
            Target::Private { account: None, .. } if from.is_none() => None,
            Target::Private { .. } => Some(Ring::Private),
        }
    }
}

struct Stored {
    logged: StoredMessage,
    reactions: Vec<(Name, Arc<str>)>,
}

impl Stored {
    fn root(&self) -> RecordId {
        self.logged.reply.as_ref().map_or(self.logged.id, |reply| reply.root)
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::with(&Limits::default())
    }
}

impl Memory {
    /// An empty journal; its first record is number 1.
    pub fn new() -> Memory {
        Memory::default()
    }

    pub(super) fn with(limits: &Limits) -> Memory {
        let per_room = limits.per_room.unwrap_or(limits::MEMORY_PER_ROOM);
        let per_room = usize::try_from(per_room).unwrap_or(usize::MAX).min(limits::MEMORY_MESSAGES);
        let age = limits.age.map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        Memory {
            appended: Vec::new(),
            answers: VecDeque::new(),
            last: 0,
            time: Moment::default(),
            per_room,
            age,
            messages: BTreeMap::new(),
            rings: HashMap::new(),
            text: 0,
            happenings: Happenings::new(per_room, age),
            guests: Guests::default(),
        }
    }

    pub(super) fn append(&mut self, time: Moment, origin: SessionId, change: Change) -> RecordId {
        self.last += 1;
        self.time = self.time.max(time);
        let id = RecordId(self.last);
        self.appended.push(Record { id, time: self.time, origin, change });
        id
    }

    pub(super) fn has_news(&self) -> bool {
        !self.appended.is_empty() || !self.answers.is_empty()
    }

    pub(super) fn take_kept(&mut self, kept: &mut Vec<Record>) {
        kept.append(&mut self.appended);
    }

    pub(super) fn next_answer(&mut self) -> Option<(u64, Answer)> {
        self.answers.pop_front()
    }

    pub(super) fn archive(&mut self, entry: HistoryUpdate<'_>) {
        self.guests.archive(&entry);
        match entry {
            HistoryUpdate::Guests(..) | HistoryUpdate::Over(_) => {}
            HistoryUpdate::Add(logged) => self.add(logged),
            HistoryUpdate::Edit(id, text) => {
                if let Some(stored) = self.messages.get_mut(&id) {
                    self.text = self.text - stored.logged.text.len() + text.len();
                    stored.logged.text = Arc::clone(text);
                    (stored.logged.joints, stored.logged.edited) = (None, true);
                }
            }
            HistoryUpdate::Delete(id) => {
                if let Some(Stored { logged, .. }) = self.messages.get(&id)
                    && let Some(ring) = Ring::of(&logged.target, logged.account.as_ref())
                {
                    self.happenings.forget_about(&ring, id);
                }
                self.remove(id);
            }
            HistoryUpdate::Rename(before, room) => self.rename(before, room),
            HistoryUpdate::HistoryEvent(places, happened) => {
                for place in places {
                    self.happenings.add(place, happened.clone());
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

    fn add(&mut self, logged: StoredMessage) {
        let Some(ring) = Ring::of(&logged.target, logged.account.as_ref()) else { return };
        let bound = match ring {
            Ring::Room(_) => self.per_room,
            Ring::Private => limits::MEMORY_MESSAGES,
        };
        let (id, time) = (logged.id, logged.time);
        self.text += logged.text.len();
        self.messages.insert(id, Stored { logged, reactions: Vec::new() });
        let ring = self.rings.entry(ring).or_default();
        ring.push_back(id);
        let over = if ring.len() > bound { ring.front().copied() } else { None };
        if let Some(oldest) = over {
            self.remove(oldest);
        }
        while let Some((&oldest, stored)) = self.messages.first_key_value() {
            let old = self.age.is_some_and(|age| stored.logged.time.0 < time.0.saturating_sub(age));
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
        self.text -= stored.logged.text.len();
        let ring = match stored.logged.target {
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
        self.happenings.rename(&old, &new);
        let Some(ids) = ids else { return };
        for id in &ids {
            if let Some(stored) = self.messages.get_mut(id) {
                stored.logged.target = Target::Room(room.clone());
            }
        }
        self.rings.insert(new, ids);
    }

    pub(super) fn ask(&mut self, ticket: u64, question: Question) {
        let answer = match question {
            Question::Past(query) if matches!(query.scope, Scope::Session { .. }) => {
                Answer::Past(self.guests.past(&query).unwrap_or_default(), Vec::new())
            }
            Question::Past(query) => {
                let (entries, happened) = self.past(&query);
                Answer::Past(entries, happened)
            }
            Question::Find(lookup) => Answer::Found(self.find(&lookup)),
        };
        self.answers.push_back((ticket, answer));
    }

    fn find(&self, lookup: &Lookup) -> Option<Reference> {
        let fits = |stored: &&Stored| match lookup.message {
            Point::Id(id) => stored.logged.id == id,
            Point::Number(number) => stored.logged.number == number,
            Point::Time(_) | Point::Part(..) => false,
        };
        let stored = self.room(&lookup.room).find(fits)?;
        let logged = &stored.logged;
        Some(Reference {
            id: logged.id,
            number: logged.number,
            root: stored.root(),
            from: logged.from.clone(),
            account: logged.account.clone(),
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
            Ok::<Place, Infallible>(match (point, &ring) {
                (Point::Time(time), Some(ring)) => place.and(self.happenings.locate(ring, time)),
                _ => place,
            })
        };
        let Ok(stretches) = question::stretches(
            query.range,
            question::wanted(query),
            RecordId(question::NO_ID),
            locate,
        );
        let newest = stretches.first().is_some_and(|stretch| stretch.newest);
        let (mut entries, mut happened) = (Vec::new(), Vec::new());
        for stretch in &stretches {
            let found = self.stretch(&query.scope, stretch);
            let mut said: Vec<StoredMessage> = found.into_iter().map(|it| self.shown(it)).collect();
            let mut done = ring.as_ref().map_or(Vec::new(), |ring| {
                self.happenings.stretch(ring, stretch, |target, it| shows(&query.scope, target, it))
            });
            question::nearest(&mut said, &mut done, stretch.limit, stretch.newest);
            entries.append(&mut said);
            happened.append(&mut done);
        }
        question::cut(&mut entries, &mut happened, newest);
        (entries, happened)
    }

    fn locate(&self, scope: &Scope, point: Point) -> Place {
        let room = match scope {
            Scope::Room(room) | Scope::Thread { room, .. } => Some(room),
            Scope::Search { rooms, .. } if rooms.len() == 1 => rooms.first(),
            _ => None,
        };
        let number =
            |stored: &Stored| (stored.logged.number, question::place_of(stored.logged.id, 0));
        let key = match (point, room) {
            (Point::Id(id), _) => return Place::of(id, 0),
            (Point::Part(id, part), _) => return Place::of(id, part),
            (Point::Number(wanted), Some(room)) => {
                let numbers = self.room(room).map(number);
                return place(numbers, &wanted);
            }
            // There are no numbers in it: nothing is before, nothing is after.
            (Point::Number(_), None) => return Place { first: 0, last: question::NO_ID },
            (Point::Time(time), _) => time,
        };
        let time = |it: &Stored| (it.logged.time, question::place_of(it.logged.id, 0));
        place(self.messages.values().map(time), &key)
    }

    fn stretch(&self, scope: &Scope, stretch: &Stretch) -> Vec<&Stored> {
        let (after, before) = stretch.ids();
        let inside = |stored: &&Stored| stored.logged.id.0 > after && stored.logged.id.0 < before;
        let all: Vec<&Stored> = match scope {
            Scope::Room(room) => self.room(room).filter(inside).collect(),
            Scope::Thread { room, root } => {
                self.room(room).filter(inside).filter(|stored| stored.root() == *root).collect()
            }
            Scope::Mail { account, since } => self
                .ring(&Ring::Private)
                .filter(inside)
                .filter(|stored| stored.logged.id >= *since && said_to(&stored.logged, account))
                .collect(),
            Scope::Session { .. } => Vec::new(),
            Scope::Private { account, peer } => self
                .ring(&Ring::Private)
                .filter(inside)
                .filter(|stored| between(&stored.logged, account, peer))
                .collect(),
            Scope::Search { rooms, words, from } => {
                let words: Vec<String> = question::words(words).collect();
                let mut all: Vec<&Stored> =
                    rooms.iter().flat_map(|room| self.room(room)).filter(inside).collect();
                all.sort_unstable_by_key(|stored| stored.logged.id);
                all.drain(..all.len().saturating_sub(limits::MEMORY_SCAN));
                all.retain(|stored| matches(&stored.logged, &words, from.as_ref()));
                all
            }
        };
        let over = all.len().saturating_sub(stretch.limit);
        if stretch.newest { all[over..].to_vec() } else { all[..all.len() - over].to_vec() }
    }

    fn ring<'a>(&'a self, ring: &Ring) -> impl Iterator<Item = &'a Stored> + use<'a> {
        let ids = self.rings.get(ring).into_iter().flatten();
        ids.filter_map(|id| self.messages.get(id))
    }

    fn room<'a>(&'a self, room: &query::Room) -> impl Iterator<Item = &'a Stored> + use<'a> {
        let since = room.since;
        self.ring(&Ring::Room(room.name.clone())).filter(move |stored| stored.logged.id >= since)
    }

    /// A message as it is handed back: with what it answers and what was put on it.
    fn shown(&self, stored: &Stored) -> StoredMessage {
        let mut logged = stored.logged.clone();
        if let Some(reply) = &mut logged.reply {
            reply.text = self.messages.get(&reply.id).map(|it| Arc::clone(&it.logged.text));
        }
        for (_, text) in &stored.reactions {
            match logged.reactions.iter_mut().find(|(known, _)| known == text) {
                Some((_, count)) => *count += 1,
                None => logged.reactions.push((Arc::clone(text), 1)),
            }
        }
        logged
    }
}

/// Where `wanted` is among keys that rise with the places.
fn place<K: Ord>(keys: impl Iterator<Item = (K, u64)>, wanted: &K) -> Place {
    let mut found = Place { first: question::NO_ID, last: question::NO_ID };
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

fn said_to(logged: &StoredMessage, wanted: &Name) -> bool {
    matches!(&logged.target, Target::Private { account: Some(account), .. } if account == wanted)
}

fn between(logged: &StoredMessage, owner: &Name, peer: &Name) -> bool {
    said_between(&logged.target, &logged.from, logged.account.as_ref(), owner, peer)
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

/// Whether a scope holds something that happened.
fn shows(scope: &Scope, target: &Target, happened: &HistoryEvent) -> bool {
    let who = &happened.who;
    match scope {
        Scope::Room(room) => happened.stamp.id >= room.since,
        Scope::Private { account, peer } => {
            said_between(target, &who.nick, who.account.as_ref(), account, peer)
        }
        _ => false,
    }
}

fn matches(logged: &StoredMessage, words: &[String], from: Option<&Name>) -> bool {
    let by = from.is_none_or(|from| logged.from == *from || logged.account.as_ref() == Some(from));
    if !by || words.is_empty() {
        return false;
    }
    let said: Vec<String> = question::words(&logged.text).collect();
    words.iter().all(|word| said.contains(word))
}
