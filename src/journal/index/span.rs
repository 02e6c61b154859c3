//! Spans of history: the common order of messages and events, and the part that an answer contains.

use crate::chat::{HistoryEvent, Point, Range, RecordId, StoredMessage};
use crate::journal::limits;

/// Truncates an answer to the byte limit; `newest` says which end to keep.
pub(super) fn truncate(
    messages: &mut Vec<StoredMessage>,
    events: &mut Vec<HistoryEvent>,
    newest: bool,
) {
    let all = messages.len();
    let mut bytes = 0;
    let mut fits = |message: &StoredMessage| {
        bytes += message.text.len();
        bytes <= limits::ANSWER_TEXT
    };
    if newest {
        let kept = messages.iter().rev().take_while(|message| fits(message)).count();
        messages.drain(..messages.len() - kept);
    } else {
        let kept = messages.iter().take_while(|message| fits(message)).count();
        messages.truncate(kept);
    }
    if messages.len() < all {
        // No gap within the result.
        let end = if newest { messages.first() } else { messages.last() };
        let end = end.map(|message| message.id);
        events.retain(|event| end.is_some_and(|end| (event.stamp.id > end) == newest));
    }
}

/// Keeps `limit` messages and events in total, from the requested end.
pub(super) fn merge(
    messages: &mut Vec<StoredMessage>,
    events: &mut Vec<HistoryEvent>,
    limit: usize,
    newest: bool,
) {
    let (mut some, mut others) = (messages.len(), events.len());
    while some + others > limit {
        // Which of the two is farther away.
        let at = |at_end: usize, at_start: usize| if newest { at_start } else { at_end };
        let message = messages.get(at(some.wrapping_sub(1), messages.len() - some));
        let event = events.get(at(others.wrapping_sub(1), events.len() - others));
        let message = message.map(|it| position_of(it.id, 0)).filter(|_| some > 0);
        let event = event.map(position_of_event).filter(|_| others > 0);
        let message_is_farther = match (message, event) {
            (Some(message), Some(event)) => (message < event) == newest,
            (message, _) => message.is_some(),
        };
        *(if message_is_farther { &mut some } else { &mut others }) -= 1;
    }
    if newest {
        messages.drain(..messages.len() - some);
        events.drain(..events.len() - others);
    } else {
        messages.truncate(some);
        events.truncate(others);
    }
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
        Range::After(point) => {
            vec![Span { after: locate(point)?.last, newest: false, ..whole }]
        }
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
