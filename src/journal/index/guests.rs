//! Direct messages of users without an account, for as long as their session lasts, so that a
//! client can show its own conversations.
//!
//! In memory with every journal, including the one on disk: the messages belong to a session and
//! not to a name, and a later user of the name must not see them. They are deleted with the
//! session.
//!
//! Invariants: at most [`limits::GUEST_MESSAGES`] per session and [`limits::ALL_GUEST_MESSAGES`] in
//! total, the oldest are dropped; everything in a ring is in `order`, which may contain more, for
//! messages already removed.

use super::query::wanted;
use super::ring::{between, position_in};
use super::span::{self, NOWHERE, Position, position_of};
use crate::chat::{
    DirectMessage, HistoryUpdate, Name, Point, Query, RecordId, Scope, SessionId, StoredMessage,
    Target,
};
use crate::journal::limits;
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;

/// The conversations of all who are there.
#[derive(Default)]
pub(in crate::journal) struct Guests {
    rings: HashMap<SessionId, VecDeque<Kept>>,
    order: VecDeque<(SessionId, RecordId)>,
    /// The size of all in the rings.
    bytes: usize,
}

struct Kept {
    message: Arc<StoredMessage>,
    /// The other user's session, if connected.
    other: Option<SessionId>,
    /// Whether the ring's owner sent it.
    own: bool,
}

impl Kept {
    fn is_with(&self, peer: &Name, session: Option<SessionId>) -> bool {
        let name = match &self.message.target {
            Target::Private { to, .. } if self.own => to,
            _ => &self.message.from,
        };
        name == peer || (session.is_some() && self.other == session)
    }

    fn bytes(&self) -> usize {
        size_of::<StoredMessage>() + self.message.bytes()
    }

    /// As it is returned: a message without a recipient is to the owner.
    fn shown(&self) -> StoredMessage {
        let mut message = StoredMessage::clone(&self.message);
        if !self.own {
            message.target = Target::Private { to: Name::new(""), account: None };
        }
        message
    }
}

impl Guests {
    /// Takes in what concerns it.
    pub(in crate::journal) fn archive(&mut self, entry: &HistoryUpdate<'_>) {
        match entry {
            HistoryUpdate::Guests(told, message) => self.add(told, message),
            HistoryUpdate::Over(session) => self.forget(*session),
            HistoryUpdate::Delete(id) => self.delete(*id),
            _ => {}
        }
    }

    fn add(&mut self, told: &DirectMessage, message: &StoredMessage) {
        let (from, to) = told.guests();
        let message = Arc::new(message.clone());
        if let Some(owner) = from {
            let message = Arc::clone(&message);
            self.keep(owner, Kept { message, other: told.session, own: true });
        }
        // A user who writes to themselves has it once.
        if let Some(owner) = to.filter(|to| Some(*to) != from) {
            self.keep(owner, Kept { message, other: Some(told.who.session), own: false });
        }
    }

    fn keep(&mut self, owner: SessionId, kept: Kept) {
        self.order.push_back((owner, kept.message.id));
        self.bytes += kept.bytes();
        let ring = self.rings.entry(owner).or_default();
        ring.push_back(kept);
        if ring.len() > limits::GUEST_MESSAGES {
            self.bytes -= ring.pop_front().map_or(0, |kept| kept.bytes());
        }
        while self.order.len() > limits::ALL_GUEST_MESSAGES || self.bytes > limits::ALL_GUEST_BYTES
        {
            let Some((owner, oldest)) = self.order.pop_front() else { break };
            let Some(ring) = self.rings.get_mut(&owner) else { continue };
            let gone = ring.pop_front_if(|kept| kept.message.id == oldest);
            self.bytes -= gone.map_or(0, |kept| kept.bytes());
        }
    }

    /// A session is over.
    fn forget(&mut self, session: SessionId) {
        // Its entries in the order are left behind and skipped later: many sessions may quit at
        // once.
        for kept in self.rings.remove(&session).into_iter().flatten() {
            self.bytes -= kept.bytes();
        }
    }

    /// A message was deleted.
    fn delete(&mut self, id: RecordId) {
        for ring in self.rings.values_mut() {
            if let Ok(place) = ring.binary_search_by_key(&id, |kept| kept.message.id) {
                self.bytes -= ring.remove(place).map_or(0, |kept| kept.bytes());
            }
        }
    }

    /// Answers a query; `None` if it is not for a guest.
    pub(in crate::journal) fn past(&self, query: &Query) -> Option<Vec<StoredMessage>> {
        let Scope::Session { session, peer, other } = &query.scope else { return None };
        let locate = |point| Ok::<Position, Infallible>(self.locate(*session, point));
        let upto = RecordId(NOWHERE);
        let Ok(spans) = span::spans(query.range, wanted(query), upto, locate);
        let newest = spans.first().is_some_and(|span| span.newest);
        let mut entries = Vec::new();
        if let Some(ring) = self.rings.get(session) {
            for span in &spans {
                let inside = between(ring, span.ids(), |kept| kept.message.id.0);
                let found = span.take(inside.filter(|kept| kept.is_with(peer, *other)));
                entries.extend(found.into_iter().map(Kept::shown));
            }
        }
        span::merge(&mut entries, &mut Vec::new(), usize::MAX, newest);
        Some(entries)
    }

    fn locate(&self, session: SessionId, point: Point) -> Position {
        let time = match point {
            Point::Id(id) => return Position::of(id, 0),
            Point::Part(id, part) => return Position::of(id, part),
            // These messages have no numbers: nothing is before, nothing is after.
            Point::Number(_) => return Position::NONE,
            Point::Time(time) => time,
        };
        let Some(ring) = self.rings.get(&session) else { return Position::END };
        let compare = |kept: &Kept| kept.message.time.cmp(&time);
        position_in(ring, compare, |kept| position_of(kept.message.id, 0))
    }
}
