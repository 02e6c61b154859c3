//! The thread that writes: everything it finds in its queue in one transaction.
//!
//! A panic counts as a failed commit: what is in hand is rejected, and the thread continues with a
//! hub from the file.

use super::writer::{Batch, Writer};
use crate::journal::limits;
use crate::journal::log::proposal::Proposal;
use crate::journal::runtime::Wake;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

pub(super) enum Job {
    Commit(Vec<Proposal>),
    /// Write a snapshot and exit.
    Close,
}

pub(super) struct WriterThread {
    writer: Writer,
    jobs: Receiver<Job>,
    batches: Sender<Batch>,
    wake: Wake,
}

impl WriterThread {
    /// With the loop's ends of its queues.
    pub(super) fn new(writer: Writer, wake: &Wake) -> (WriterThread, Sender<Job>, Receiver<Batch>) {
        let (tell, jobs) = channel();
        let (batches, written) = channel();
        (WriterThread { writer, jobs, batches, wake: Arc::clone(wake) }, tell, written)
    }

    pub(super) fn run(mut self) {
        while self.panics(WriterThread::serve) {
            self.panics(|it| {
                let batch = it.writer.panicked();
                it.send(batch);
            });
        }
    }

    /// Whether `work` panicked. That may leave the transaction incomplete, which is rolled back,
    /// and the hub, which is restored.
    fn panics(&mut self, work: impl FnOnce(&mut WriterThread)) -> bool {
        catch_unwind(AssertUnwindSafe(|| work(self))).is_err()
    }

    /// Runs until the loop closes the journal or exits.
    fn serve(&mut self) {
        while self.round(self.writer.due_in()).is_some() {}
    }

    /// What a simulation has it do in place of a thread.
    #[cfg(feature = "simulation")]
    pub(super) fn step(&mut self) -> bool {
        self.round(Duration::ZERO).unwrap_or(false)
    }

    /// Waits at most so long for work, and does it: whether something was handed back. `None` if the
    /// loop has closed the journal or exited.
    fn round(&mut self, wait: Duration) -> Option<bool> {
        let (written, close) = match self.jobs.recv_timeout(wait) {
            Ok(Job::Commit(first)) => {
                let (proposals, close) = self.all_queued(first);
                (Some(self.writer.write(proposals)), close)
            }
            Ok(Job::Close) => (None, true),
            Err(RecvTimeoutError::Timeout) => (None, false),
            // Dropped, not closed.
            Err(RecvTimeoutError::Disconnected) => return None,
        };
        let has_written = written.is_some();
        written.into_iter().for_each(|batch| self.send(batch));
        if close {
            let last = self.writer.finish();
            self.send(last);
            return None;
        }
        let news = self.writer.maintain();
        let has_news = news.is_some();
        news.into_iter().for_each(|batch| self.send(batch));
        Some(has_written || has_news)
    }

    /// `proposals` and everything else queued so far, and whether to close afterwards.
    fn all_queued(&mut self, mut proposals: Vec<Proposal>) -> (Vec<Proposal>, bool) {
        while proposals.len() < limits::PENDING_RECORDS {
            match self.jobs.try_recv() {
                Ok(Job::Commit(more)) => proposals.extend(more),
                Ok(Job::Close) => return (proposals, true),
                Err(_) => break,
            }
        }
        (proposals, false)
    }

    fn send(&self, batch: Batch) {
        // If the loop has exited, no one waits for it.
        if self.batches.send(batch).is_ok() {
            (self.wake)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::Store;
    use super::*;
    use crate::chat::{Change, Kind, Moment, Name, QuitReason, SessionId};
    use crate::journal::error::Health;
    use crate::journal::limits::Limits;
    use crate::journal::log::proposal::ProposalId;
    use crate::journal::runtime::TimeSource;
    use std::time::Instant;

    struct Fixed(Instant);

    impl TimeSource for Fixed {
        fn instant(&self) -> Instant {
            self.0
        }
    }

    fn proposal(id: u64, change: Change) -> Proposal {
        Proposal { id: ProposalId(id), time: Moment(1), origin: SessionId(1), change }
    }

    fn message(id: u64) -> Proposal {
        let say = Change::Say {
            room: Name::lobby(),
            kind: Kind::Message,
            text: "hello".into(),
            reply_to: None,
            tags: None,
            status: None,
            continuations: None,
        };
        proposal(id, say)
    }

    #[test]
    fn a_panic_rejects_what_is_in_hand_until_it_is_time_to_try_again() {
        let scratch = crate::scratch::Scratch::new("writer");
        let limits = Limits::default();
        let opened = Store::open(&scratch.0, &limits).unwrap();
        let writer = Writer::new(opened, &limits, Arc::new(Fixed(Instant::now())));
        // The first batch is handed back by a wake that panics.
        let wakes = std::sync::atomic::AtomicUsize::new(0);
        let wake: Wake = Arc::new(move || {
            let first = wakes.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            assert!(!first, "in the middle of it");
        });
        let leave = || Change::Leave { departure: QuitReason::Quit };
        let (thread, tell, written) = WriterThread::new(writer, &wake);
        tell.send(Job::Commit(vec![message(1)])).unwrap();
        let more = tell.clone();
        let sender = std::thread::spawn(move || {
            let first = written.recv().unwrap();
            let failed = written.recv().unwrap();
            more.send(Job::Commit(vec![message(2), proposal(3, leave())])).unwrap();
            more.send(Job::Close).unwrap();
            (first, failed, written.recv().unwrap())
        });
        thread.run();
        let (first, failed, last) = sender.join().unwrap();
        let committed = |batch: &Batch| -> Vec<u64> {
            batch.committed.iter().map(|it| it.proposal.unwrap().0).collect()
        };
        assert_eq!((committed(&first), first.health), (vec![1], Health::Good));
        assert!(
            matches!(failed.health, Health::Failing { reason, .. } if reason.contains("failed"))
        );
        // The clock stands still, so it is not yet time to try again.
        assert_eq!(committed(&last), [3]);
        let rejected: Vec<u64> = last.rejected.iter().map(|it| it.proposal.id.0).collect();
        assert_eq!(rejected, [2]);
        let (again, ..) = Store::open(&scratch.0, &limits).unwrap();
        assert_eq!(again.at.last.0, 2, "the end saves what has passed");
    }
}
