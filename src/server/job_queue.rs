//! Jobs that wait for a thread: a queue for each origin, taken from in turn.
//!
//! In one queue for all, two addresses with two hundred connections each kept everyone else from
//! logging in. Taken in turn, a login waits for one job of each other origin, however many that has.
//!
//! Bounds: [`WAITING`] in all, and of slow jobs [`WAITING_PER_ORIGIN`], or [`WAITING_LOCALLY`] for an
//! address of this machine and the console: scripts that log in together are at home there. Without
//! the second bound, two origins would fill the first.

use crate::chat::Origin;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Jobs that may wait.
pub(super) const WAITING: usize = 256;
/// Slow jobs of one origin that may wait.
const WAITING_PER_ORIGIN: usize = 2;
/// The same for an address of this machine.
const WAITING_LOCALLY: usize = 64;

struct Lane<J> {
    origin: Option<Origin>,
    jobs: VecDeque<(J, bool)>,
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

    /// Adds a job; `false` if too many wait already.
    pub(super) fn push(&self, origin: Option<Origin>, slow: bool, job: J) -> bool {
        let mut queue = self.lock();
        if queue.waiting >= WAITING || queue.closed {
            return false;
        }
        let local = origin.is_none_or(Origin::is_loopback);
        let most = if local { WAITING_LOCALLY } else { WAITING_PER_ORIGIN };
        match queue.lanes.iter_mut().find(|lane| lane.origin == origin) {
            Some(lane) => {
                let slow_jobs = lane.jobs.iter().filter(|(_, slow)| *slow).count();
                if slow && slow_jobs >= most {
                    return false;
                }
                lane.jobs.push_back((job, slow));
            }
            None => queue.lanes.push_back(Lane { origin, jobs: VecDeque::from([(job, slow)]) }),
        }
        queue.waiting += 1;
        self.changed.notify_one();
        true
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
        let (job, _) = lane.jobs.pop_front()?;
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
            assert!(queue.push(origin(1), false, job));
        }
        for job in ["b1", "b2"] {
            assert!(queue.push(origin(2), true, job));
        }
        assert!(queue.push(None, true, "console"));
        let order: Vec<&str> = (0..7).filter_map(|_| queue.pop(None)).collect();
        assert_eq!(order, ["a1", "b1", "console", "a2", "b2", "a3", "a4"]);
        assert_eq!(queue.pop(Some(Duration::ZERO)), None);
        queue.close();
        assert_eq!(queue.pop(None), None);
        assert!(!queue.push(None, false, "late"));
    }

    #[test]
    fn one_origin_has_two_slow_jobs_waiting_and_all_together_have_a_bound() {
        let queue = JobQueue::new();
        let pushed = |origin, slow| (0..400).take_while(|_| queue.push(origin, slow, ())).count();
        assert_eq!(pushed(origin(1), true), 2);
        assert_eq!(pushed(origin(2), true), 2);
        assert!(queue.push(origin(2), false, ()), "a step of SCRAM costs next to nothing");
        let loopback = |number| Some(Origin::V4([127, 0, 0, number]));
        assert_eq!(pushed(loopback(1), true), WAITING_LOCALLY);
        assert_eq!(pushed(loopback(2), true), WAITING_LOCALLY);
        assert!(queue.push(origin(4), true, ()), "there is room for others");
        assert_eq!(pushed(origin(5), false), WAITING - 2 * WAITING_LOCALLY - 6);
        assert!(!queue.push(origin(3), true, ()));
        queue.pop(None);
        assert!(queue.push(origin(3), true, ()));
    }
}
