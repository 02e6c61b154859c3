//! The queries that wait for a thread: everyone in turn, and history before searches.
//!
//! A search may take a second of a thread, and a user who joins sees nothing while the room's
//! history is awaited; so a search is cut into slices and has its own thread, which helps out
//! when no search is waiting, and a replay that waits too long is given up.

use super::search::Search;
use crate::chat::{Name, RecordId};
use crate::journal::index::fair_queue::FairQueue;
use crate::journal::index::query::{HistoryQuery, QueryId};
use crate::journal::limits;
use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A query that waits, and the last record that its answer may contain.
pub(super) struct Job {
    pub(super) id: QueryId,
    pub(super) query: HistoryQuery,
    pub(super) upto: RecordId,
    /// Where a search stands that has begun.
    pub(super) search: Option<Search>,
}

/// What a thread does next.
pub(super) enum Next {
    Answer(Name, Box<Job>),
    GiveUp(QueryId),
}

pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    history: FairQueue<Job>,
    searches: FairQueue<Job>,
    /// All that wait.
    len: usize,
    /// Replays in order of arrival, and those of them that wait. Which of both is larger does not
    /// matter: what is only in `arrived` has been answered.
    arrived: VecDeque<(Instant, QueryId)>,
    replays: HashSet<QueryId>,
    closed: bool,
}

impl Queue {
    pub(super) fn new() -> Queue {
        Queue { state: Mutex::default(), changed: Condvar::new() }
    }

    /// Nothing panics while it holds the lock; if something did, the queues are whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a query. If too many wait, the one that gives way is returned: the newest of the asker
    /// with most of them, perhaps this one.
    pub(super) fn push(&self, asker: Name, job: Job, now: Instant) -> Option<QueryId> {
        let mut state = self.lock();
        state.len += 1;
        if matches!(job.query, HistoryQuery::Replay(_)) {
            state.arrived.push_back((now, job.id));
            state.replays.insert(job.id);
        }
        state.queue_for(&job).push(asker, job);
        let gone = if state.len > limits::PENDING_QUERIES { state.give_way() } else { None };
        drop(state);
        self.changed.notify_all();
        gone
    }

    /// Puts a search back that has had its slice.
    pub(super) fn put_back(&self, asker: Name, job: Job) {
        let mut state = self.lock();
        state.len += 1;
        state.queue_for(&job).put_back(asker, job);
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits for something to do; `None` once the queue is closed.
    pub(super) fn next(&self, searches: bool, now: impl Fn() -> Instant) -> Option<Next> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(next) = state.next(searches, now()) {
                return Some(next);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(feature = "simulation")]
impl Queue {
    /// What is next, without a wait.
    pub(super) fn try_next(&self, searches: bool, now: Instant) -> Option<Next> {
        self.lock().next(searches, now)
    }
}

impl State {
    fn queue_for(&mut self, job: &Job) -> &mut FairQueue<Job> {
        if job.query.is_search() { &mut self.searches } else { &mut self.history }
    }

    fn give_way(&mut self) -> Option<QueryId> {
        let searches = self.searches.longest().0 > self.history.longest().0;
        let queue = if searches { &mut self.searches } else { &mut self.history };
        let id = queue.give_way(|job| !job.query.is_mail())?.id;
        self.replays.remove(&id);
        self.len -= 1;
        Some(id)
    }

    fn next(&mut self, searches: bool, now: Instant) -> Option<Next> {
        let late = |arrived: Instant| now.duration_since(arrived) > limits::REPLAY_TIMEOUT;
        while let Some((arrived, id)) = self.arrived.front().copied()
            && (late(arrived) || !self.replays.contains(&id))
        {
            self.arrived.pop_front();
            if self.replays.remove(&id) {
                return Some(Next::GiveUp(id));
            }
        }
        loop {
            let search = if searches { self.searches.pop() } else { None };
            let (asker, job) = search.or_else(|| self.history.pop())?;
            self.len -= 1;
            let given_up =
                matches!(job.query, HistoryQuery::Replay(_)) && !self.replays.remove(&job.id);
            if !given_up {
                return Some(Next::Answer(asker, Box::new(job)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::query::Room;
    use crate::chat::{Query, Range, Scope};
    use std::time::Duration;

    fn job(id: u64, query: fn(Query) -> HistoryQuery, search: bool) -> Job {
        let room = Room { name: Name::lobby(), since: RecordId(0) };
        let scope = if search {
            Scope::Search { rooms: vec![room], words: "a".into(), from: None }
        } else {
            Scope::Room(room)
        };
        let query = query(Query { scope, range: Range::Latest, limit: None, events: false });
        Job { id: QueryId(id), query, upto: RecordId(9), search: None }
    }

    fn id(next: Option<Next>) -> (u64, bool) {
        match next.expect("not closed") {
            Next::Answer(_, job) => (job.id.0, true),
            Next::GiveUp(id) => (id.0, false),
        }
    }

    #[test]
    fn history_waits_for_no_search_and_everyone_is_served_in_turn() {
        let (queue, now) = (Queue::new(), Instant::now());
        for number in 0..10 {
            queue.push(Name::new("mallory"), job(number, HistoryQuery::Past, true), now);
        }
        for number in 10..20 {
            queue.push(Name::new("mallory"), job(number, HistoryQuery::Past, false), now);
        }
        queue.push(Name::new("alice"), job(20, HistoryQuery::Past, false), now);
        let next = |searches| id(queue.next(searches, || now)).0;
        assert_eq!([next(false), next(false), next(false)], [10, 20, 11]);
        assert_eq!([next(true), next(true)], [0, 1]);
        queue.close();
        assert!(queue.next(true, || now).is_none());
    }

    #[test]
    fn one_asker_does_not_take_all_the_places() {
        let (queue, now) = (Queue::new(), Instant::now());
        let most = limits::PENDING_QUERIES as u64;
        for number in 0..most {
            let gone =
                queue.push(Name::new("mallory"), job(number, HistoryQuery::Replay, false), now);
            assert_eq!(gone, None);
        }
        let ask = |asker, id| queue.push(Name::new(asker), job(id, HistoryQuery::Past, false), now);
        assert_eq!(ask("alice", most), Some(QueryId(most - 1)));
        assert_eq!(ask("mallory", most + 1), Some(QueryId(most + 1)), "its own newest");
        assert_eq!(queue.lock().len, limits::PENDING_QUERIES);
    }

    #[test]
    fn a_replay_that_has_waited_too_long_is_given_up_once_and_before_anything_else() {
        let (queue, now) = (Queue::new(), Instant::now());
        queue.push(Name::new("mallory"), job(1, HistoryQuery::Past, false), now);
        queue.push(Name::new("alice"), job(2, HistoryQuery::Replay, false), now);
        queue.push(Name::new("bob"), job(3, HistoryQuery::Replay, false), now);
        assert_eq!(id(queue.next(false, || now)), (1, true));
        assert_eq!(id(queue.next(false, || now)), (2, true));
        let late = now + limits::REPLAY_TIMEOUT + Duration::from_millis(1);
        queue.push(Name::new("carol"), job(4, HistoryQuery::Past, false), late);
        assert_eq!(id(queue.next(false, || late)), (3, false));
        assert_eq!(id(queue.next(false, || late)), (4, true));
        queue.push(Name::new("bob"), job(5, HistoryQuery::Past, false), late);
        assert_eq!(id(queue.next(true, || late)), (5, true));
    }
}
