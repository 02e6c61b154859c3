//! What can be asked of a journal, and what comes back.

use super::limits;
use crate::chat::limits::{HISTORY_DEFAULT, HISTORY_LINES};
use crate::chat::{Logged, Lookup, Point, Query, Range, RecordId, Reference};

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
    /// Messages, oldest first.
    Past(Vec<Logged>),
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
pub(super) fn cut(entries: &mut Vec<Logged>, newest: bool) {
    let mut bytes = 0;
    let mut fits = |entry: &Logged| {
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
}

/// A stretch of ids, both ends exclusive, and which end of it is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    pub(super) after: u64,
    pub(super) before: u64,
    pub(super) newest: bool,
    pub(super) limit: usize,
}

/// Where a point is among the ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// The first id at or after the point; [`NO_ID`] if there is none.
    pub(super) first: u64,
    /// The last id at or before the point; 0 if there is none.
    pub(super) last: u64,
}

/// Above every id; fits a database's signed integer.
pub(super) const NO_ID: u64 = i64::MAX as u64;

impl Place {
    pub(super) fn of(id: RecordId) -> Place {
        Place { first: id.0, last: id.0 }
    }
}

/// Turns a range into one stretch, or two that touch, of ids up to `upto`, oldest first.
pub(super) fn stretches<E>(
    range: Range,
    limit: usize,
    upto: RecordId,
    mut locate: impl FnMut(Point) -> Result<Place, E>,
) -> Result<Vec<Stretch>, E> {
    let end = upto.0.saturating_add(1).min(NO_ID);
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
