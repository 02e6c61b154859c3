//! A record that is being applied, and the effects that follow from it.

use crate::chat::api::{Effect, Event};
use crate::chat::log::Record;
use crate::chat::model::{Audience, Moment, Name, RecordId, SessionId, Stamp};

/// A record that is being applied, and what follows from it so far.
pub(super) struct Applying<'a> {
    pub(super) id: RecordId,
    pub(super) time: Moment,
    pub(super) origin: SessionId,
    /// The number of events so far.
    parts: u16,
    effects: &'a mut Vec<Effect>,
}

impl<'a> Applying<'a> {
    pub(super) fn new(record: &Record, effects: &'a mut Vec<Effect>) -> Applying<'a> {
        Applying { id: record.id, time: record.time, origin: record.origin, parts: 0, effects }
    }

    pub(super) fn tell(&mut self, audience: Audience, event: Event) {
        let before = self.effects.last().filter(|_| self.parts > 0);
        if !before.is_some_and(|effect| effect.event == event) {
            self.parts = self.parts.saturating_add(1);
        }
        let stamp = Stamp { id: self.id, part: self.parts - 1, time: self.time };
        self.effects.push(Effect { stamp, audience, event, hushed: Vec::new() });
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
