//! The index in memory: queries are answered at once, and searches do a share of each turn's work.

use super::fair_queue::FairQueue;
use super::message_rings::MessageRings;
use super::query::{Answer, HistoryQuery, QueryId};
use super::search::Search;
use super::store::Store;
use crate::chat::{HistoryUpdate, Name};
use crate::journal::limits::{self, Limits};
use std::collections::VecDeque;

pub(in crate::journal) struct MemoryIndex {
    messages: MessageRings,
    searches: FairQueue<(QueryId, Search)>,
    answers: VecDeque<(QueryId, Answer)>,
    /// The work that searches may still do in this turn.
    share: usize,
}

impl MemoryIndex {
    pub(in crate::journal) fn new(limits: &Limits) -> MemoryIndex {
        MemoryIndex {
            messages: MessageRings::new(limits),
            searches: FairQueue::default(),
            answers: VecDeque::new(),
            share: limits::MEMORY_SEARCH_SHARE,
        }
    }

    /// Goes on with searches, each asker's in turn, for as long as this turn has a share for them.
    fn search(&mut self) {
        while self.share > 0
            && let Some((asker, (id, mut search))) = self.searches.pop()
        {
            let mut step = self.share.min(limits::MEMORY_SEARCH_STEP);
            self.share -= step;
            match search.step(&self.messages, &mut step) {
                Some(answer) => self.answers.push_back((id, answer)),
                None => self.searches.put_back(asker, (id, search)),
            }
            self.share += step;
        }
    }
}

impl Store for MemoryIndex {
    fn archive(&mut self, update: HistoryUpdate<'_>) {
        self.messages.archive(update);
    }

    fn query(
        &mut self,
        id: QueryId,
        asker: Name,
        query: HistoryQuery,
    ) -> Option<(QueryId, Answer)> {
        let query = match query {
            HistoryQuery::Past(query) | HistoryQuery::Replay(query) => query,
            HistoryQuery::Find(lookup) => {
                let (found, reactions) = self.messages.find(&lookup).unzip();
                return Some((id, Answer::Found(found, reactions.unwrap_or_default())));
            }
        };
        let Some(search) = Search::new(&self.messages, &query) else {
            let (messages, events) = self.messages.past(&query);
            return Some((id, Answer::Past(messages, events)));
        };
        self.searches.push(asker, (id, search));
        self.search();
        None
    }

    fn next_answer(&mut self) -> Option<(QueryId, Answer)> {
        self.answers.pop_front()
    }

    fn work(&mut self) {
        self.share = limits::MEMORY_SEARCH_SHARE;
        self.search();
    }

    fn has_news(&self) -> bool {
        !self.answers.is_empty() || !self.searches.is_empty()
    }
}
