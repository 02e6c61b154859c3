//! The journal on disk, as the loop sees it: queues to and from two threads.
//!
//! | file | subject |
//! |---|---|
//! | `open` | is this directory ours, and what state does it hold? |
//! | `schema` | which tables are there, and how do old files become new ones? |
//! | `writer` | how do records get to the disk? |
//! | `index` | which rows does a record become? |
//! | `chores` | what is tidied up between the records? |
//! | `reader` | how is a question answered? |
//! | `events` | what happened besides what was said? |
//!
//! The writer has a hub of its own and applies every record to it, in the transaction that keeps
//! the record. So messages are indexed, and deleted ones erased, together with the record, and a
//! snapshot costs the loop nothing. The other way, to let the loop hand its effects back, was
//! rejected: between commit and apply the index would lag, and a crash there had to be repaired.
//! The price is a second copy of the state (texts are shared).

mod chores;
mod events;
pub(super) mod index;
pub(super) mod open;
pub(super) mod reader;
pub(super) mod schema;
pub(super) mod writer;

pub use open::Restored;

use super::Wake;
use super::error::{Health, JournalError};
use super::guests::Guests;
use super::limits::{self, Limits};
use super::question::{Answer, Question};
use crate::chat::{Change, HistoryUpdate, Moment, Record, RecordId, SessionId};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use writer::{Job, Written};

/// Why a question has no answer, if there is nobody to find one.
const READER_ENDED: &str = "the thread that reads it has ended";

/// The loop's end of a journal on disk.
pub struct Disk {
    last: u64,
    time: Moment,
    turn: Vec<Record>,
    refused: Vec<Record>,
    /// Appended and not handed back.
    pending: usize,
    /// Their size.
    pending_bytes: usize,
    health: Health,
    jobs: Option<Sender<Job>>,
    written: Option<Receiver<Written>>,
    questions: Option<SyncSender<(u64, Question, RecordId)>>,
    answers: Option<Receiver<(u64, Answer)>>,
    /// Answers that no disk was asked for: of guests, and that there is no room for a question.
    at_hand: VecDeque<(u64, Answer)>,
    /// What belongs to sessions, and is on no disk.
    guests: Guests,
    /// The last message, or thing that happened, that has been told.
    told: RecordId,
    threads: Vec<JoinHandle<()>>,
}

impl Disk {
    pub(super) fn open(
        directory: &Path,
        limits: &Limits,
        wake: Wake,
    ) -> Result<(Disk, Restored), JournalError> {
        let opened = open::open(directory, limits)?;
        let mut reading = open::open_reader(&opened.path)?;
        let (jobs, jobs_out) = mpsc::channel();
        let (written_in, written) = mpsc::channel();
        let (questions, questions_out) = mpsc::sync_channel(limits::PENDING_QUESTIONS);
        let (answers_in, answers) = mpsc::sync_channel(limits::WAITING_ANSWERS);
        let restored = Restored { hub: opened.hub.clone(), replayed: opened.replayed };
        let (last, time) = (opened.last, opened.time);
        let path = opened.path.clone();
        let failed = |source| JournalError::Directory { path: path.clone(), source };
        let writer = writer::Writer::new(opened, limits, Arc::clone(&wake), written_in);
        let name = |name: &str| thread::Builder::new().name(name.into());
        let write = name("journal-write").spawn(move || writer.run(&jobs_out));
        let read = name("journal-read")
            .spawn(move || reader::run(&mut reading, &questions_out, &answers_in, &*wake));
        let threads = vec![write.map_err(failed)?, read.map_err(failed)?];
        let disk = Disk {
            last,
            time,
            turn: Vec::new(),
            refused: Vec::new(),
            pending: 0,
            pending_bytes: 0,
            health: Health::Good,
            jobs: Some(jobs),
            written: Some(written),
            questions: Some(questions),
            answers: Some(answers),
            at_hand: VecDeque::new(),
            guests: Guests::default(),
            told: RecordId(last),
            threads,
        };
        Ok((disk, restored))
    }

    pub(super) fn append(&mut self, time: Moment, origin: SessionId, change: Change) -> RecordId {
        self.last += 1;
        self.time = self.time.max(time);
        self.pending += 1;
        self.pending_bytes += change.size();
        let id = RecordId(self.last);
        self.turn.push(Record { id, time: self.time, origin, change });
        id
    }

    pub(super) fn end_turn(&mut self) {
        if self.turn.is_empty() {
            return;
        }
        let turn = std::mem::take(&mut self.turn);
        let sent = match &self.jobs {
            Some(jobs) => jobs.send(Job::Records(turn)).map_err(|unsent| unsent.0),
            None => Err(Job::Records(turn)),
        };
        if let Err(Job::Records(turn)) = sent {
            self.lost(turn);
        }
    }

    /// The writer has ended, which it never should: not even a panic ends it.
    fn lost(&mut self, records: Vec<Record>) {
        self.health = Health::ReadOnly("the journal's thread has ended".to_owned());
        self.no_longer_pending(&records);
        self.refused.extend(records);
    }

    pub(super) fn has_room(&self) -> bool {
        self.pending < limits::PENDING_RECORDS && self.pending_bytes < limits::PENDING_BYTES
    }

    fn no_longer_pending(&mut self, records: &[Record]) {
        let bytes: usize = records.iter().map(|record| record.change.size()).sum();
        self.pending = self.pending.saturating_sub(records.len());
        self.pending_bytes = self.pending_bytes.saturating_sub(bytes);
    }

    pub(super) fn take_kept(&mut self, kept: &mut Vec<Record>) {
        while let Some(Ok(batch)) = self.written.as_ref().map(Receiver::try_recv) {
            self.no_longer_pending(&batch.kept);
            self.no_longer_pending(&batch.refused);
            kept.extend(batch.kept);
            self.refused.extend(batch.refused);
            if let Some(reason) = batch.failure {
                self.health = Health::ReadOnly(reason);
            }
        }
    }

    pub(super) fn take_refused(&mut self, refused: &mut Vec<Record>) {
        refused.append(&mut self.refused);
    }

    pub(super) fn archive(&mut self, entry: &HistoryUpdate<'_>) {
        self.guests.archive(entry);
        match entry {
            HistoryUpdate::Add(logged) => self.told = logged.id,
            HistoryUpdate::HistoryEvent(_, happened) => self.told = happened.stamp.id,
            _ => {}
        }
    }

    pub(super) fn has_news(&self) -> bool {
        // What was appended after the end of a turn goes on its way in the next: there must be one.
        !self.turn.is_empty() || !self.at_hand.is_empty() || !self.refused.is_empty()
    }

    pub(super) fn ask(&mut self, ticket: u64, question: Question) {
        if let Question::Past(query) = &question
            && let Some(entries) = self.guests.past(query)
        {
            self.at_hand.push_back((ticket, Answer::Past(entries, Vec::new())));
            return;
        }
        let told = self.told;
        let send = |to: &SyncSender<_>| match to.try_send((ticket, question, told)) {
            Ok(()) => None,
            Err(TrySendError::Full(_)) => {
                Some("too many questions about the past are waiting; try again")
            }
            Err(TrySendError::Disconnected(_)) => Some(READER_ENDED),
        };
        if let Some(why) = self.questions.as_ref().map_or(Some(READER_ENDED), send) {
            self.at_hand.push_back((ticket, Answer::Failed(why.to_owned())));
        }
    }

    pub(super) fn next_answer(&mut self) -> Option<(u64, Answer)> {
        if let Some(answer) = self.at_hand.pop_front() {
            return Some(answer);
        }
        self.answers.as_ref()?.try_recv().ok()
    }

    pub(super) fn health(&self) -> Health {
        self.health.clone()
    }

    pub(super) fn close(mut self) {
        self.end_turn();
        if let Some(jobs) = &self.jobs {
            // If the writer is gone there is nothing to close.
            let _ = jobs.send(Job::Close);
        }
    }
}

impl Drop for Disk {
    /// Ends the threads. Without `close` what is queued is still written, but no
    /// snapshot: as after a crash.
    fn drop(&mut self) {
        (self.jobs, self.written, self.questions, self.answers) = (None, None, None, None);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}
