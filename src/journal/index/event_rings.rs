//! Events in memory: rings next to the rings of messages.
//!
//! Invariants: bounded per ring like messages, and in total by [`limits::MEMORY_EVENTS`] and
//! [`limits::MEMORY_EVENT_BYTES`]; the oldest are dropped, and so are those that are too old.
//! Everything in a ring is in `order`; `order` may contain more, for events already removed, and
//! their bytes count until they leave it: at the latest when it is twice as long.

use super::ring::{Ring, between, position_in};
use super::span::{Position, Span, position_of_event};
use crate::chat::{HistoryEvent, Moment, RecordId, Target};
use crate::journal::age::Age;
use crate::journal::limits;
use std::collections::{HashMap, VecDeque};

/// So many entries are not looked through for those of events already removed.
const FEW: usize = 1024;

/// The events of all rooms and conversations.
pub(super) struct EventRings {
    rings: HashMap<Ring, VecDeque<HistoryEvent>>,
    /// All of them in order of arrival.
    order: VecDeque<Entry>,
    /// With so many entries it is compacted.
    compact_at: usize,
    bytes: usize,
    per_ring: usize,
    age: Option<Age>,
}

struct Entry {
    ring: Ring,
    position: u64,
    time: Moment,
    bytes: usize,
}

impl EventRings {
    pub(super) fn new(per_ring: usize, age: Option<Age>) -> EventRings {
        let (rings, order) = (HashMap::new(), VecDeque::new());
        EventRings { rings, order, compact_at: FEW, bytes: 0, per_ring, age }
    }

    pub(super) fn add(&mut self, target: &Target, event: &HistoryEvent) {
        let (position, time) = (position_of_event(event), event.stamp.time);
        let bytes = size_of::<Entry>() + size_of::<HistoryEvent>() + event.bytes();
        if self.order.len() >= self.compact_at {
            self.compact();
        }
        for ring in Ring::all(target, &event.who.nick, event.who.account.as_ref()) {
            if matches!(ring, Ring::Mail(_)) {
                continue;
            }
            let kept = self.rings.entry(ring.clone()).or_default();
            if kept.back().is_some_and(|last| position_of_event(last) == position) {
                continue;
            }
            kept.push_back(event.clone());
            if kept.len() > self.per_ring {
                kept.pop_front();
            }
            self.bytes += bytes;
            self.order.push_back(Entry { ring, position, time, bytes });
        }
        let since = self.age.as_mut().map_or(i64::MIN, |age| age.oldest(time).0);
        while self.order.len() > limits::MEMORY_EVENTS
            || self.bytes > limits::MEMORY_EVENT_BYTES
            || self.order.front().is_some_and(|entry| entry.time.0 < since)
        {
            self.forget_oldest();
        }
    }

    /// Drops the entries of events that are no longer in their ring: a busy room has its newest only.
    /// Each event pays for one entry, because there are twice as many before the next time.
    fn compact(&mut self) {
        self.order.retain(|entry| {
            let oldest = self.rings.get(&entry.ring).and_then(VecDeque::front);
            let is_kept = oldest.is_some_and(|it| position_of_event(it) <= entry.position);
            if !is_kept {
                self.bytes -= entry.bytes;
            }
            is_kept
        });
        self.compact_at = FEW.max(2 * self.order.len());
        self.order.shrink_to(self.compact_at);
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.order.pop_front() else { return };
        self.bytes -= oldest.bytes;
        let Some(kept) = self.rings.get_mut(&oldest.ring) else { return };
        kept.pop_front_if(|event| position_of_event(event) == oldest.position);
        if kept.is_empty() {
            self.rings.remove(&oldest.ring);
        }
    }

    /// A message was deleted, and its events with it.
    pub(super) fn forget_about(&mut self, ring: &Ring, message: RecordId) {
        if let Some(kept) = self.rings.get_mut(ring) {
            kept.retain(|event| event.about() != Some(message));
        }
    }

    /// A room has another name; what there was under that is forgotten.
    pub(super) fn rename(&mut self, before: &Ring, after: &Ring) {
        let kept = self.rings.remove(before);
        self.rings.remove(after);
        for entry in self.order.iter_mut().filter(|entry| entry.ring == *before) {
            entry.ring = after.clone();
        }
        if let Some(kept) = kept {
            self.rings.insert(after.clone(), kept);
        }
    }

    /// The events of a ring that are in a span, from the requested end, oldest first.
    pub(super) fn span(&self, ring: &Ring, span: &Span) -> Vec<HistoryEvent> {
        let Some(kept) = self.rings.get(ring) else { return Vec::new() };
        let inside = between(kept, (span.after, span.before), position_of_event);
        span.take(inside.cloned())
    }

    /// The position of a time in a ring.
    pub(super) fn locate(&self, ring: &Ring, time: Moment) -> Position {
        let Some(kept) = self.rings.get(ring) else { return Position::END };
        position_in(kept, |event| event.stamp.time.cmp(&time), position_of_event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Identity, IrcNames, Name, SessionId, Stamp, StoredEvent};
    use std::sync::Arc;

    #[test]
    fn entries_of_events_that_their_ring_has_dropped_do_not_pile_up() {
        let who = Arc::new(Identity {
            session: SessionId(1),
            nick: Name::new("alice"),
            named: true,
            label: "127.0.0.1:1".into(),
            names: IrcNames::default(),
            account: None,
            bot: false,
        });
        let room = Target::Room(Name::new("#busy"));
        let mut events = EventRings::new(10, None);
        for id in 1..=5 * FEW {
            let stamp = Stamp { id: RecordId(id as u64), part: 0, time: Moment(id as i64) };
            let what = StoredEvent::Joined { op: false };
            events.add(&room, &HistoryEvent { stamp, who: Arc::clone(&who), what });
            assert!(events.order.len() <= FEW);
        }
        assert_eq!(events.bytes, events.order.iter().map(|entry| entry.bytes).sum::<usize>());
        assert_eq!(events.rings.values().next().map(VecDeque::len), Some(10));
    }
}
