//! What can be asked of a journal, and what comes back.

use super::limits;
use crate::chat::limits::{HISTORY_DEFAULT, HISTORY_LINES};
use crate::chat::{HistoryEvent, Lookup, Point, Query, Range, RecordId, Reference, StoredMessage};

/// A question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// Which messages?
    Past(Query),
    /// Is there such a message?
    Find(Lookup),
}

/// What the journal answers.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// Messages, oldest first, and what happened besides if that was asked, oldest first.
    Past(Vec<StoredMessage>, Vec<HistoryEvent>),
    /// A message, if there is one.
    Found(Option<Reference>),
    /// Why there is no answer.
    Failed(String),
}

/// How many messages a query wants, within what one answer may hold.
pub(super) fn wanted(query: &Query) -> usize {
    query.limit.unwrap_or(HISTORY_DEFAULT).min(HISTORY_LINES) as usize
}

/// Cuts an answer down to the bytes it may hold; `newest` says which end is worth more.
pub(super) fn cut(
    entries: &mut Vec<StoredMessage>,
    happened: &mut Vec<HistoryEvent>,
    newest: bool,
) {
    let all = entries.len();
    let mut bytes = 0;
    let mut fits = |entry: &StoredMessage| {
        bytes += entry.text.len();
        bytes <= limits::ANSWER_TEXT
    };
    if newest {
        let kept = entries.iter().rev().take_while(|entry| fits(entry)).count();
        entries.drain(..entries.len() - kept);
    } else {
        let kept = entries.iter().take_while(|entry| fits(entry)).count();
        entries.truncate(kept);
    }
    if entries.len() < all {
        // No gap between what is shown.
        let end = if newest { entries.first() } else { entries.last() };
        let end = end.map(|entry| entry.id);
        happened.retain(|it| end.is_some_and(|end| (it.stamp.id > end) == newest));
    }
}

/// Keeps as many messages and happenings together as are wanted, from the end that is.
pub(super) fn nearest(
    entries: &mut Vec<StoredMessage>,
    happened: &mut Vec<HistoryEvent>,
    limit: usize,
    newest: bool,
) {
    let (mut said, mut done) = (entries.len(), happened.len());
    while said + done > limit {
        // Which of the two is further off?
        let place = |at_end: usize, at_start: usize| if newest { at_start } else { at_end };
        let last_said = place(said.wrapping_sub(1), entries.len() - said);
        let last_done = place(done.wrapping_sub(1), happened.len() - done);
        let one = entries.get(last_said).map(|entry| place_of(entry.id, 0)).filter(|_| said > 0);
        let other = happened.get(last_done).map(|it| place_of(it.stamp.id, it.stamp.part));
        let other = other.filter(|_| done > 0);
        let said_is_far = match (one, other) {
            (Some(one), Some(other)) => (one < other) == newest,
            (one, _) => one.is_some(),
        };
        *(if said_is_far { &mut said } else { &mut done }) -= 1;
    }
    if newest {
        entries.drain(..entries.len() - said);
        happened.drain(..happened.len() - done);
    } else {
        entries.truncate(said);
        happened.truncate(done);
    }
}

/// A stretch of places, both ends exclusive, and which end of it is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    pub(super) after: u64,
    pub(super) before: u64,
    pub(super) newest: bool,
    pub(super) limit: usize,
}

/// Everything has a place in one order: a record's id, and which of its parts it is. A message is
/// the first part of its record.
pub(super) fn place_of(id: RecordId, part: u16) -> u64 {
    (id.0.min(NO_ID >> PART_BITS) << PART_BITS) | u64::from(part)
}

/// The record that a place is of.
pub(super) fn record_of(place: u64) -> u64 {
    place >> PART_BITS
}

const PART_BITS: u32 = u16::BITS;

impl Stretch {
    /// The same in ids, of whole records.
    pub(super) fn ids(&self) -> (u64, u64) {
        (record_of(self.after), self.before.div_ceil(1 << PART_BITS))
    }
}

/// Where a point is among the places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// The first place at or after the point; [`NO_ID`] if there is none.
    pub(super) first: u64,
    /// The last place that is not after the point: one below the first that is; [`NO_ID`] if
    /// none is.
    pub(super) last: u64,
}

/// Above every id and every place; fits a database's signed integer.
pub(super) const NO_ID: u64 = i64::MAX as u64;

impl Place {
    pub(super) fn of(id: RecordId, part: u16) -> Place {
        let place = place_of(id, part);
        Place { first: place, last: place }
    }

    /// Where the same point is among two kinds of things.
    pub(super) fn and(self, other: Place) -> Place {
        Place { first: self.first.min(other.first), last: self.last.min(other.last) }
    }
}

/// Turns a range into one stretch, or two that touch, of places up to the record `upto`, oldest
/// first.
pub(super) fn stretches<E>(
    range: Range,
    limit: usize,
    upto: RecordId,
    mut locate: impl FnMut(Point) -> Result<Place, E>,
) -> Result<Vec<Stretch>, E> {
    let end = place_of(RecordId(upto.0.saturating_add(1)), 0);
    let whole = Stretch { after: 0, before: end, newest: true, limit };
    let before = |place: Place| Stretch { before: place.first.min(end), ..whole };
    Ok(match range {
        Range::Latest => vec![whole],
        Range::Before(point) => vec![before(locate(point)?)],
        Range::After(point) => {
            vec![Stretch { after: locate(point)?.last, newest: false, ..whole }]
        }
        Range::Around(point) => {
            let place = locate(point)?;
            let first = Stretch { limit: limit / 2, ..before(place) };
            let after = place.first.saturating_sub(1);
            vec![first, Stretch { after, newest: false, limit: limit - limit / 2, ..whole }]
        }
        Range::Between(one, other) => {
            let (one, other) = (locate(one)?, locate(other)?);
            // Asked for backwards, it is the other end that is wanted.
            let newest = one.first > other.first;
            let (low, high) = if newest { (other, one) } else { (one, other) };
            vec![Stretch { after: low.last, newest, ..before(high) }]
        }
    })
}

/// The words of a text as a search sees them: runs of letters and digits, in lower case.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    let runs = text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty());
    runs.map(str::to_lowercase)
}
