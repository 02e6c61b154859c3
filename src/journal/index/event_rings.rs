//! Events of rooms in memory: a ring per room, next to the rings of messages.
//!
//! Invariants: bounded per room like messages, and in total by [`limits::MEMORY_EVENTS`]; the
//! oldest are dropped, and so are those that are too old. Everything in a ring is in `order`;
//! `order` may contain more, for events already removed.

use super::ring::Ring;
use super::span::{NOWHERE, Position, Span, position_of_event};
use crate::chat::{HistoryEvent, Moment, RecordId, Target};
use crate::journal::limits;
use std::collections::{HashMap, VecDeque};

/// The events of all rooms.
pub(super) struct EventRings {
    rings: HashMap<Ring, VecDeque<(Target, HistoryEvent)>>,
    /// All of them in order of arrival.
    order: VecDeque<(Ring, u64, Moment)>,
    per_room: usize,
    age: Option<i64>,
}

impl EventRings {
    pub(super) fn new(per_room: usize, age: Option<i64>) -> EventRings {
        EventRings { rings: HashMap::new(), order: VecDeque::new(), per_room, age }
    }

    pub(super) fn add(&mut self, target: Target, event: HistoryEvent) {
        let Some(ring) = Ring::of(&target, event.who.account.as_ref()) else { return };
        let (place, time) = (position_of_event(&event), event.stamp.time);
        let kept = self.rings.entry(ring.clone()).or_default();
        kept.push_back((target, event));
        if kept.len() > self.per_room {
            kept.pop_front();
        }
        self.order.push_back((ring, place, time));
        let since = self.age.map_or(i64::MIN, |age| time.0.saturating_sub(age));
        while self.order.len() > limits::MEMORY_EVENTS
            || self.order.front().is_some_and(|(_, _, time)| time.0 < since)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((ring, oldest, _)) = self.order.pop_front() else { return };
        let Some(kept) = self.rings.get_mut(&ring) else { return };
        kept.pop_front_if(|(_, event)| position_of_event(event) == oldest);
        if kept.is_empty() {
            self.rings.remove(&ring);
        }
    }

    /// A message was deleted, and its events with it.
    pub(super) fn forget_about(&mut self, ring: &Ring, message: RecordId) {
        if let Some(kept) = self.rings.get_mut(ring) {
            kept.retain(|(_, event)| event.about() != Some(message));
        }
    }

    /// A room has another name; what there was under that is forgotten.
    pub(super) fn rename(&mut self, before: &Ring, after: &Ring) {
        let kept = self.rings.remove(before);
        self.rings.remove(after);
        self.order.retain(|(ring, ..)| ring != after || before == after);
        for (ring, ..) in self.order.iter_mut().filter(|(ring, ..)| ring == before) {
            *ring = after.clone();
        }
        if let Some(kept) = kept {
            self.rings.insert(after.clone(), kept);
        }
    }

    /// The events of a ring that are in a span and fit, from the requested end, oldest first.
    pub(super) fn span(
        &self,
        ring: &Ring,
        span: &Span,
        fits: impl Fn(&Target, &HistoryEvent) -> bool,
    ) -> Vec<HistoryEvent> {
        let inside = |(target, event): &&(Target, HistoryEvent)| {
            let place = position_of_event(event);
            place > span.after && place < span.before && fits(target, event)
        };
        let all = self.rings.get(ring).into_iter().flatten();
        let found = |(_, event): &(Target, HistoryEvent)| event.clone();
        if span.newest {
            let mut newest: Vec<HistoryEvent> =
                all.rev().filter(inside).take(span.limit).map(found).collect();
            newest.reverse();
            newest
        } else {
            all.filter(inside).take(span.limit).map(found).collect()
        }
    }

    /// The position of a time in a ring.
    pub(super) fn locate(&self, ring: &Ring, time: Moment) -> Position {
        let all = || self.rings.get(ring).into_iter().flatten().map(|(_, event)| event);
        let first = all().find(|event| event.stamp.time >= time);
        let next = all().find(|event| event.stamp.time > time);
        let last = next.map_or(NOWHERE, |next| position_of_event(next) - 1);
        Position { first: first.map_or(NOWHERE, position_of_event), last }
    }
}
