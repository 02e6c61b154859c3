//! Spans of history: the common order of messages and events, and the part that an answer contains.

use super::query::wanted;
use crate::chat::{HistoryEvent, Point, Query, Range, RecordId, StoredMessage};
use crate::journal::limits;

/// Keeps `limit` messages and events in total, and as many bytes as an answer may have, from the
/// requested end.
pub(super) fn merge(
    messages: &mut Vec<StoredMessage>,
    events: &mut Vec<HistoryEvent>,
    limit: usize,
    newest: bool,
) {
    let (mut some, mut others, mut bytes) = (0, 0, 0);
    while some + others < limit {
        let message = from_end(messages, some, newest);
        let event = from_end(events, others, newest);
        let message_is_next = match (message, event) {
            (Some(message), Some(event)) => {
                (position_of(message.id, 0) > position_of_event(event)) == newest
            }
            (message, _) => message.is_some(),
        };
        let of_event = event.map_or(usize::MAX, HistoryEvent::bytes);
        let next = message.filter(|_| message_is_next).map_or(of_event, StoredMessage::bytes);
        bytes = next.saturating_add(bytes);
        if bytes > limits::ANSWER_BYTES {
            break;
        }
        *(if message_is_next { &mut some } else { &mut others }) += 1;
    }
    keep(messages, some, newest);
    keep(events, others, newest);
}

fn from_end<T>(all: &[T], place: usize, newest: bool) -> Option<&T> {
    all.get(if newest { all.len().wrapping_sub(place + 1) } else { place })
}

fn keep<T>(all: &mut Vec<T>, count: usize, newest: bool) {
    if newest {
        all.drain(..all.len() - count);
    } else {
        all.truncate(count);
    }
}

/// What a query asks for: an index locates points, and reads what a span of it contains, oldest first.
pub(super) fn past<E>(
    query: &Query,
    upto: RecordId,
    locate: impl FnMut(Point) -> Result<Position, E>,
    mut read: impl FnMut(&Span) -> Result<(Vec<StoredMessage>, Vec<HistoryEvent>), E>,
) -> Result<(Vec<StoredMessage>, Vec<HistoryEvent>), E> {
    let spans = spans(query.range, wanted(query), upto, locate)?;
    let newest = spans.first().is_some_and(|span| span.newest);
    let (mut messages, mut events) = (Vec::new(), Vec::new());
    for span in &spans {
        let (mut some, mut others) = read(span)?;
        merge(&mut some, &mut others, span.limit, span.newest);
        messages.append(&mut some);
        events.append(&mut others);
    }
    merge(&mut messages, &mut events, usize::MAX, newest);
    Ok((messages, events))
}

/// A range of positions, both ends exclusive, and the end to start from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) after: u64,
    pub(super) before: u64,
    pub(super) newest: bool,
    pub(super) limit: usize,
}

/// Everything has a position in one order: a record's id, and which of its parts it is. A message
/// is the first part of its record.
pub(super) fn position_of(id: RecordId, part: u16) -> u64 {
    (id.0.min(NOWHERE >> PART_BITS) << PART_BITS) | u64::from(part)
}

pub(super) fn position_of_event(event: &HistoryEvent) -> u64 {
    position_of(event.stamp.id, event.stamp.part)
}

/// The record that a position is of.
pub(super) fn record_of(position: u64) -> u64 {
    position >> PART_BITS
}

const PART_BITS: u32 = u16::BITS;

impl Span {
    /// The same in ids, of whole records.
    pub(super) fn ids(&self) -> (u64, u64) {
        (record_of(self.after), self.before.div_ceil(1 << PART_BITS))
    }

    /// Without what is from before the record `since`.
    pub(super) fn since(self, since: RecordId) -> Span {
        Span { after: self.after.max(position_of(since, 0).saturating_sub(1)), ..self }
    }

    /// As many as it wants of what is inside it, oldest first.
    pub(super) fn take<T>(&self, inside: impl DoubleEndedIterator<Item = T>) -> Vec<T> {
        if !self.newest {
            return inside.take(self.limit).collect();
        }
        let mut newest: Vec<T> = inside.rev().take(self.limit).collect();
        newest.reverse();
        newest
    }
}

/// The position of a point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    /// The first position at or after the point; [`NOWHERE`] if there is none.
    pub(super) first: u64,
    /// The last position that is not after the point: one below the first that is; [`NOWHERE`] if
    /// none is.
    pub(super) last: u64,
}

/// Above every id and every position; fits a database's signed integer.
pub(super) const NOWHERE: u64 = i64::MAX as u64;

impl Position {
    /// After everything.
    pub(super) const END: Position = Position { first: NOWHERE, last: NOWHERE };
    /// Of a number where nothing has one: nothing is before it, nothing is after it.
    pub(super) const NONE: Position = Position { first: 0, last: NOWHERE };

    pub(super) fn of(id: RecordId, part: u16) -> Position {
        let position = position_of(id, part);
        Position { first: position, last: position }
    }

    /// The position of the same point in the union of two sequences.
    pub(super) fn and(self, other: Position) -> Position {
        Position { first: self.first.min(other.first), last: self.last.min(other.last) }
    }
}

/// Turns a range into one span, or two that touch, of positions up to the record `upto`, oldest
/// first.
pub(super) fn spans<E>(
    range: Range,
    limit: usize,
    upto: RecordId,
    mut locate: impl FnMut(Point) -> Result<Position, E>,
) -> Result<Vec<Span>, E> {
    let end = position_of(RecordId(upto.0.saturating_add(1)), 0);
    let whole = Span { after: 0, before: end, newest: true, limit };
    let before = |position: Position| Span { before: position.first.min(end), ..whole };
    Ok(match range {
        Range::Latest => vec![whole],
        Range::Before(point) => vec![before(locate(point)?)],
        Range::After(point) => vec![Span { after: locate(point)?.last, newest: false, ..whole }],
        Range::Around(point) => {
            let position = locate(point)?;
            let first = Span { limit: limit / 2, ..before(position) };
            let after = position.first.saturating_sub(1);
            vec![first, Span { after, newest: false, limit: limit - limit / 2, ..whole }]
        }
        Range::Between(one, other) => {
            let (one, other) = (locate(one)?, locate(other)?);
            // Reversed, it starts from the other end.
            let newest = one.first > other.first;
            let (low, high) = if newest { (other, one) } else { (one, other) };
            vec![Span { after: low.last, newest, ..before(high) }]
        }
    })
}
