//! The pages of an answer about history: where each ends.
//!
//! An answer may have a megabyte. Its asker is sent the first page, and what is kept of the others is
//! where they end; each is looked up again when the one before it has been taken. So an answer costs
//! a few bytes a page while its asker does not read, and no asker is dropped for what it has asked.
//!
//! Rejected: the messages themselves, which hundreds of askers that do not read would make the server
//! hold; and a cursor alone, because an answer that starts from the newest message would not know
//! where its first page begins, and each page would be read with everything behind it.

use crate::chat::model::{Point, Query, Range, RecordId};
use std::collections::VecDeque;

/// Bytes of a page, more or less a message.
const PAGE: usize = 16 * 1024;

/// Bytes of a line beside the texts in it, about.
const LINE: usize = 96;

/// The place of a message or an event in the common order: its record, and which part of it.
pub(in crate::chat) type Place = (RecordId, u16);

/// One page: the last place on it, and how many messages and events it has.
type Page = (Place, u32);

/// What of an answer has not been shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rest {
    query: Query,
    /// The last place that has been shown.
    after: Place,
    pages: VecDeque<Page>,
}

impl Rest {
    /// Divides an answer, of which this is where everything is and how large: the last place on its
    /// first page, and the pages behind it, if there are any.
    pub(in crate::chat) fn divide(
        query: &Query,
        parts: impl IntoIterator<Item = (Place, usize)>,
    ) -> Option<(Place, Rest)> {
        let mut pages: VecDeque<Page> = VecDeque::new();
        let mut bytes = 0;
        for (place, size) in parts {
            match pages.back_mut() {
                Some((end, count)) if bytes < PAGE => (*end, *count) = (place, *count + 1),
                _ => {
                    pages.push_back((place, 1));
                    bytes = 0;
                }
            }
            bytes += LINE + size;
        }
        let (after, _) = pages.pop_front().filter(|_| !pages.is_empty())?;
        Some((after, Rest { query: query.clone(), after, pages }))
    }

    /// What was asked.
    pub(in crate::chat) fn query(&self) -> &Query {
        &self.query
    }

    /// The query for the next page, and what is left behind it.
    pub(in crate::chat) fn next(mut self) -> (Query, Option<Box<Rest>>) {
        let (end, count) = self.pages.pop_front().unwrap_or((self.after, 1));
        let point = |(id, part)| Point::Part(id, part);
        let range = Range::Between(point(self.after), point((end.0, end.1.saturating_add(1))));
        let query = Query { range, limit: Some(count), ..self.query.clone() };
        self.after = end;
        (query, (!self.pages.is_empty()).then(|| Box::new(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::model::{Name, Scope, query::Room};

    fn query() -> Query {
        let room = Room { name: Name::lobby(), since: RecordId(0) };
        Query { scope: Scope::Room(room), range: Range::Latest, limit: Some(500), events: false }
    }

    #[test]
    fn what_fits_one_page_is_not_divided() {
        let parts = (1..=20).map(|id| ((RecordId(id), 0), 100));
        assert_eq!(Rest::divide(&query(), parts), None);
        assert_eq!(Rest::divide(&query(), []), None);
    }

    #[test]
    fn pages_follow_each_other_and_have_everything() {
        let all: Vec<(Place, usize)> =
            (1..=500).map(|number| ((RecordId(number / 2), (number % 2) as u16), 900)).collect();
        let (mut after, rest) = Rest::divide(&query(), all.iter().copied()).unwrap();
        let mut shown = all.partition_point(|(place, _)| *place <= after);
        let mut rest = Some(Box::new(rest));
        while let Some(left) = rest {
            let (query, more) = left.next();
            let Range::Between(Point::Part(id, part), Point::Part(end, behind)) = query.range
            else {
                panic!("{query:?}")
            };
            assert_eq!((id, part), after, "where the page before it ended");
            after = (end, behind - 1);
            let on_page = all.partition_point(|(place, _)| *place <= after) - shown;
            assert_eq!(query.limit, Some(on_page as u32));
            assert!(on_page * (900 + LINE) < PAGE + 2 * 900, "{on_page}");
            (shown, rest) = (shown + on_page, more);
        }
        assert_eq!(shown, all.len());
    }
}
