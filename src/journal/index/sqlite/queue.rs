//! The queries that wait for a thread: everyone in turn, and history before searches.
//!
//! A search may take a second of a thread, and a user who joins sees nothing while the room's
//! history is awaited; so a search is cut into slices and has a thread of its own, which helps out
//! when no search is waiting, and a replay that waits too long is given up.

use crate::chat::{Name, RecordId};
use crate::journal::index::fair_queue::FairQueue;
use crate::journal::index::query::{HistoryQuery, QueryId};
use crate::journal::limits;
use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::search::Search;

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
        let state = State {
            history: FairQueue::new(),
            searches: FairQueue::new(),
            len: 0,
            arrived: VecDeque::new(),
            replays: HashSet::new(),
            closed: false,
        };
        Queue { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Nothing panics while it holds the lock; if something did, the queues are whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a query. `false` if too many wait.
    pub(super) fn push(&self, asker: Name, job: Job, now: Instant) -> bool {
        let mut state = self.lock();
        if state.len >= limits::PENDING_QUERIES {
            return false;
        }
        state.len += 1;
        if matches!(job.query, HistoryQuery::Replay(_)) {
            state.arrived.push_back((now, job.id));
            state.replays.insert(job.id);
        }
        state.queue_for(&job).push(asker, job);
        drop(state);
        self.changed.notify_all();
        true
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

impl State {
    fn queue_for(&mut self, job: &Job) -> &mut FairQueue<Job> {
        if job.query.is_search() { &mut self.searches } else { &mut self.history }
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
            let given_up = matches!(job.query, HistoryQuery::Replay(_)) && !self.replays.remove(&job.id);
            if !given_up {
                return Some(Next::Answer(asker, Box::new(job)));
            }
        }
    }
}
