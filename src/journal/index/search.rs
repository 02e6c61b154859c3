//! A search in the index in memory: every text is compared, in steps of bounded work, because it
//! runs in the loop. A search that has done all its work ends where it is, and tells where that is.
//!
//! Rejected: an index of words. It would be as large as the texts, and every message would pay for
//! what few ask.

use super::message_rings::MessageRings;
use super::query::{Answer, wanted};
use super::ring::Ring;
use super::search_spans::SearchSpans;
use super::span::{self, Position};
use crate::chat::{Name, Point, Query, RecordId, Scope, StoredMessage, Target};
use crate::journal::limits;
use crate::journal::words::{SearchWords, normalized};
use std::collections::HashMap;
use std::convert::Infallible;

/// A search that has not ended.
pub(super) struct Search {
    words: SearchWords,
    from: Option<Name>,
    /// The rooms, and since when each is this room.
    rooms: HashMap<Name, RecordId>,
    spans: SearchSpans,
    bytes: usize,
    work: usize,
}

impl Search {
    /// `None` if the query is not a search.
    pub(super) fn new(index: &MessageRings, query: &Query) -> Option<Search> {
        let Scope::Search { rooms, words, from } = &query.scope else { return None };
        let locate = |point| {
            // A number means something in one room only.
            let position = match (point, &rooms[..]) {
                (Point::Number(_), rooms) if rooms.len() != 1 => Position::NONE,
                _ => rooms.iter().fold(Position::END, |position, room| {
                    let ring = Ring::Room(room.name.clone());
                    position.and(index.locate(&ring, room.since, point))
                }),
            };
            Ok::<Position, Infallible>(position)
        };
        let Ok(mut spans) = span::spans(query.range, wanted(query), index.last(), locate);
        let words = SearchWords::new(words);
        spans.retain(|_| words.len() > 0);
        Some(Search {
            words,
            from: from.clone(),
            rooms: rooms.iter().map(|room| (room.name.clone(), room.since)).collect(),
            spans: SearchSpans::new(&spans, rooms),
            bytes: 0,
            work: 0,
        })
    }

    /// Goes on for as long as there is a share of this turn. The answer, once there is one.
    pub(super) fn step(&mut self, index: &MessageRings, share: &mut usize) -> Option<Answer> {
        while let Some(span) = self.spans.next() {
            if *share == 0 {
                return None;
            }
            let mut inside = index.messages(span.ids());
            let next = if span.newest { inside.next_back() } else { inside.next() };
            let Some(message) = next.filter(|_| self.spans.in_span.len() < span.limit) else {
                self.spans.end_span();
                continue;
            };
            let work = self.examine(index, message);
            *share = share.saturating_sub(work);
            self.work += work;
            self.spans.advance(span::position_of(message.id, 0));
            if self.work > limits::MEMORY_SEARCH || self.bytes > limits::ANSWER_BYTES {
                self.spans.end_span();
                return Some(Answer::Partial(self.spans.take_found(), message.id));
            }
        }
        Some(Answer::Past(self.spans.answer(), Vec::new()))
    }

    /// Takes a message if it is wanted. Returns how much work that was.
    fn examine(&mut self, index: &MessageRings, message: &StoredMessage) -> usize {
        let Target::Room(room) = &message.target else { return limits::MEMORY_OVERHEAD };
        let there = self.rooms.get(room).is_some_and(|since| message.id >= *since);
        let by = self.from.as_ref();
        let by = by.is_none_or(|by| message.from == *by || message.account.as_ref() == Some(by));
        if !there || !by {
            return limits::MEMORY_OVERHEAD;
        }
        let text = normalized(&message.text);
        if self.words.are_in(&text) {
            let message = index.shown(message);
            self.bytes += message.bytes();
            self.spans.in_span.push(message);
        }
        limits::MEMORY_OVERHEAD + text.len() * self.words.len()
    }
}
