//! Jobs that wait for a thread: a queue for each origin, taken from in turn.
//!
//! In one queue for all, two addresses with two hundred connections each kept everyone else from
//! logging in. Taken in turn, a login waits for one job of each other origin, however many that has.
//!
//! One bound, [`WAITING`], for all together, and it is shared as the thread is: when it is reached,
//! the newest job of the origin that has most waiting gives way. So a school that is alone may fill
//! the queue, and leaves room for newcomers. Rejected: two waiting jobs for each origin, which
//! turned a class away that logs in at nine, and which a hundred origins still filled.
//! Known limit: a thousand origins that guess at once make a login wait for a thousand jobs.

use crate::chat::Origin;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Jobs that may wait.
const WAITING: usize = 256;

struct Lane<J> {
    origin: Option<Origin>,
    jobs: VecDeque<J>,
}

struct Lanes<J> {
    /// Those with jobs, the next one first.
    lanes: VecDeque<Lane<J>>,
    waiting: usize,
    closed: bool,
}

/// The queue, shared by the loop and the thread.
pub(super) struct JobQueue<J> {
    lanes: Mutex<Lanes<J>>,
    changed: Condvar,
}

impl<J> JobQueue<J> {
    pub(super) fn new() -> JobQueue<J> {
        let lanes = Lanes { lanes: VecDeque::new(), waiting: 0, closed: false };
        JobQueue { lanes: Mutex::new(lanes), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Lanes<J>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job. The one that gives way for it is returned: the newest of the origin that has most
    /// waiting, perhaps this one.
    pub(super) fn push(&self, origin: Option<Origin>, job: J) -> Option<J> {
        let mut queue = self.lock();
        if queue.closed {
            return Some(job);
        }
        match queue.lanes.iter_mut().find(|lane| lane.origin == origin) {
            Some(lane) => lane.jobs.push_back(job),
            None => queue.lanes.push_back(Lane { origin, jobs: VecDeque::from([job]) }),
        }
        queue.waiting += 1;
        self.changed.notify_one();
        if queue.waiting <= WAITING {
            return None;
        }
        // Of several, the last one: it has been served last.
        let fullest = queue.lanes.iter_mut().max_by_key(|lane| lane.jobs.len())?;
        let job = fullest.jobs.pop_back();
        queue.lanes.retain(|lane| !lane.jobs.is_empty());
        queue.waiting -= 1;
        job
    }

    /// The next job, of another origin than the last if there is one. Waits for it, at most for
    /// `limit`: then, and at the end, `None`.
    pub(super) fn pop(&self, limit: Option<Duration>) -> Option<J> {
        let mut queue = self.lock();
        while queue.waiting == 0 && !queue.closed {
            queue = match limit {
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(limit) => {
                    let waited = self.changed.wait_timeout(queue, limit);
                    let (queue, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() && queue.waiting == 0 {
                        return None;
                    }
                    queue
                }
            };
        }
        if queue.closed {
            return None;
        }
        let mut lane = queue.lanes.pop_front()?;
        let job = lane.jobs.pop_front()?;
        queue.waiting -= 1;
        if !lane.jobs.is_empty() {
            queue.lanes.push_back(lane);
        }
        Some(job)
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(number: u8) -> Option<Origin> {
        Some(Origin::V4([192, 0, 2, number]))
    }

    #[test]
    fn origins_are_served_in_turn_and_each_in_its_order() {
        let queue = JobQueue::new();
        for job in ["a1", "a2", "a3", "a4"] {
            assert_eq!(queue.push(origin(1), job), None);
        }
        for job in ["b1", "b2"] {
            assert_eq!(queue.push(origin(2), job), None);
        }
        assert_eq!(queue.push(None, "console"), None);
        let order: Vec<&str> = (0..7).filter_map(|_| queue.pop(None)).collect();
        assert_eq!(order, ["a1", "b1", "console", "a2", "b2", "a3", "a4"]);
        assert_eq!(queue.pop(Some(Duration::ZERO)), None);
        queue.close();
        assert_eq!(queue.pop(None), None);
        assert_eq!(queue.push(None, "late"), Some("late"));
    }

    #[test]
    fn an_origin_may_fill_the_queue_until_another_comes() {
        let queue = JobQueue::new();
        for job in 0..WAITING {
            assert_eq!(queue.push(origin(1), (1, job)), None);
        }
        assert_eq!(queue.push(origin(1), (1, 999)), Some((1, 999)), "its own newest");
        for job in 0..WAITING / 2 {
            assert_eq!(queue.push(origin(2), (2, job)), Some((1, WAITING - 1 - job)));
        }
        assert_eq!(queue.push(origin(2), (2, 999)), Some((2, 999)), "both have as many");
        // However many there are, the one that has none waiting is let in, and comes third.
        assert!(queue.push(origin(3), (3, 0)).is_some_and(|(whose, _)| whose != 3));
        let order: Vec<u8> = (0..3).filter_map(|_| queue.pop(None)).map(|job| job.0).collect();
        assert_eq!(order, [1, 2, 3]);
    }
}
