//! Writing: one transaction for all proposals at hand, with the rows of the index that follow.
//!
//! Invariants: a record is handed back after the transaction that contains it, in order, once. The
//! exception is presence while nothing can be written: it is handed back at once, and the hub here,
//! which contains it, is saved as a snapshot before anything else. A proposal that is not in the
//! file and not in that snapshot is not in the hub either.
//!
//! So a failed transaction, which has taken the hub along, takes it back: the hub is restored from
//! the file. Rejected: a copy of the hub before each transaction, which costs every commit what now
//! a failure costs. Known limit: where even that fails, because the file cannot be read either, only a
//! restart helps; what happened to presence in the meantime is in no history.

use super::maintenance::Maintenance;
use super::restore::restore;
use super::store::Store;
use super::trouble::{Fate, Retry, Trouble, Waiting};
use crate::chat::{Change, Effect, HistoryUpdate};
use crate::journal::database::classify::classify;
use crate::journal::database::json;
use crate::journal::error::{Health, JournalError};
use crate::journal::index::sqlite::tables::{Names, Tables};
use crate::journal::limits::{self, Limits};
use crate::journal::log::numbering::Numbering;
use crate::journal::log::proposal::{Committed, Proposal, Rejected};
use crate::journal::runtime::TimeSource;
use rusqlite::{Result, Transaction, TransactionBehavior, params};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// The outcome of proposals.
pub(super) struct Batch {
    pub(super) committed: Vec<Committed>,
    pub(super) rejected: Vec<Rejected>,
    /// Whether records are saved, as of this batch.
    pub(super) health: Health,
}

pub(super) struct Writer {
    store: Store,
    maintenance: Maintenance,
    time: Arc<dyn TimeSource>,
    /// The last record handed back.
    numbering: Numbering,
    /// Taken and not handed back, in order.
    in_hand: Vec<Proposal>,
    rejected: Vec<Rejected>,
    effects: Vec<Effect>,
    /// Bytes of the file above which history does not grow.
    most: Option<u64>,
    /// It is above that.
    full: Option<Trouble>,
    trouble: Option<Trouble>,
    /// It can be written again, which is reported at this time.
    settling: Option<(Trouble, Instant)>,
    retry: Retry,
    /// The hub contains records whose transaction is open or has failed.
    hub_is_ahead: bool,
    /// The hub contains records that were handed back and are not in the file.
    unkept: bool,
    /// The hub and the file do not agree, and never will.
    lost: bool,
}

impl Writer {
    pub(super) fn new(
        (store, replayed, stale): (Store, u64, bool),
        limits: &Limits,
        time: Arc<dyn TimeSource>,
    ) -> Writer {
        let numbering = store.at;
        Writer {
            maintenance: Maintenance::new(
                limits,
                (replayed, stale),
                numbering.time,
                Arc::clone(&time),
            ),
            retry: Retry::new(time.instant()),
            store,
            time,
            numbering,
            in_hand: Vec::new(),
            rejected: Vec::new(),
            effects: Vec::new(),
            most: limits.file_size.map(|size| size - size / limits::RESERVE),
            full: None,
            trouble: None,
            settling: None,
            hub_is_ahead: false,
            unkept: false,
            lost: false,
        }
    }

    /// Commits proposals, with those that have been waiting; or lets them wait, or rejects them.
    pub(super) fn write(&mut self, proposals: Vec<Proposal>) -> Batch {
        self.in_hand.extend(proposals);
        let messages_wait = self.trouble.as_ref().is_some_and(|it| it.deadline().is_some());
        let would_be_rejected =
            !messages_wait && self.in_hand.iter().any(|it| !it.may_pass_unkept());
        let early = would_be_rejected && self.is_past(self.retry.at_the_earliest());
        if early || self.is_due() {
            self.attempt();
        }
        self.hand_back()
    }

    /// The time until [`maintain`](Writer::maintain) has something to do.
    pub(super) fn due_in(&self) -> Duration {
        match &self.trouble {
            Some(_) if self.lost => limits::RETENTION_EVERY,
            Some(_) => self.retry.at().saturating_duration_since(self.time.instant()),
            None => {
                let settled = self.settling.as_ref().map(|(_, at)| *at);
                let settled = settled.map(|at| at.saturating_duration_since(self.time.instant()));
                self.maintenance.due_in().min(settled.unwrap_or(Duration::MAX))
            }
        }
    }

    /// Tries again to write, if that is due, or executes one step of maintenance. Returns a batch if
    /// there is something to tell.
    pub(super) fn maintain(&mut self) -> Option<Batch> {
        if self.trouble.is_some() {
            if !self.is_due() {
                return None;
            }
            self.attempt();
            return Some(self.hand_back());
        }
        let outcome = self.try_to_maintain();
        if let Err(error) = &outcome {
            self.failed(error);
        }
        let now = self.time.instant();
        let settled = self.settling.take_if(|(_, at)| *at <= now).is_some();
        (settled || outcome.is_err()).then(|| self.hand_back())
    }

    /// Leaves a snapshot for a quick start. What still cannot be written now is rejected.
    pub(super) fn finish(&mut self) -> Batch {
        if self.trouble.is_some() && !self.lost {
            self.attempt();
        }
        if self.trouble.is_none()
            && let Err(error) = self.maintenance.finish(&mut self.store)
        {
            // All records are in the file: the next start takes longer, no more.
            log::warn!("no snapshot at the end: {}", classify(&self.store.database.path, error));
        }
        self.settling = None;
        self.sort_out(false)
    }

    /// The thread has panicked: what it had in hand may be the reason, and is rejected.
    pub(super) fn panicked(&mut self) -> Batch {
        // Where the hub may be half modified there is nothing to restore unsaved presence from.
        (self.lost, self.hub_is_ahead) = (self.lost || self.unkept, true);
        self.failed(&JournalError::Panicked);
        self.hand_back()
    }

    fn is_due(&self) -> bool {
        self.trouble.is_none() || self.is_past(self.retry.at())
    }

    fn is_past(&self, time: Instant) -> bool {
        !self.lost && self.time.instant() >= time
    }

    /// Writes what is in hand, and what is left of a trouble.
    fn attempt(&mut self) {
        match self.try_to_write() {
            Ok(()) => {
                let settled = self.time.instant() + limits::SETTLED;
                let over = self.trouble.take().map(|trouble| (trouble, settled));
                self.settling = over.or(self.settling.take());
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &JournalError) {
        // It may contain numbers of names that were taken back.
        self.store.names = Names::default();
        let worse = if self.hub_is_ahead { self.restore_hub().err() } else { None };
        let error = worse.as_ref().unwrap_or(error);
        let now = self.time.instant();
        let since = self.trouble.as_ref().map_or(now, |trouble| trouble.since);
        let trouble = Trouble::new(error, since);
        self.retry.failed(now, trouble.deadline());
        self.trouble = Some(trouble);
    }

    /// Takes the hub back to the last record in the file. There are no unkept ones, because they are
    /// saved before anything else is written.
    fn restore_hub(&mut self) -> std::result::Result<(), JournalError> {
        let path = self.store.database.path.clone();
        let diverged = |detail| JournalError::Diverged { path: path.clone(), detail };
        let state = restore(&self.store.database.connection, &path)
            .map_err(|error| diverged(error.to_string()))
            .and_then(|state| match state.at.last {
                _ if self.lost => Err(diverged("presence could not be saved".to_owned())),
                last if last == self.store.at.last => Ok(state),
                _ => Err(diverged("another process has written to it".to_owned())),
            });
        self.lost = state.is_err();
        self.store.hub = state?.hub;
        self.hub_is_ahead = false;
        Ok(())
    }

    /// What is in hand has been written, or passes, waits or is rejected.
    fn hand_back(&mut self) -> Batch {
        let deadline = self.trouble.as_ref().and_then(Trouble::deadline);
        self.sort_out(deadline.is_some_and(|deadline| self.time.instant() < deadline))
    }

    fn sort_out(&mut self, messages_wait: bool) -> Batch {
        let mut committed = Vec::new();
        let mut waiting = Waiting::new(messages_wait);
        let settling = self.settling.as_ref().map(|(trouble, _)| trouble);
        let troubles = self.trouble.as_ref().or(settling).or(self.full.as_ref());
        let health = troubles.map_or(Health::Good, |trouble| trouble.health.clone());
        let in_hand = std::mem::take(&mut self.in_hand);
        match &health {
            Health::Failing { reason, .. } if self.trouble.is_some() => {
                for proposal in in_hand {
                    match waiting.fate(&proposal) {
                        Fate::Passes => committed.push(self.pass(proposal)),
                        Fate::Waits => self.in_hand.push(proposal),
                        Fate::Rejected => {
                            let reason = Arc::clone(reason);
                            self.rejected.push(Rejected { proposal, reason });
                        }
                    }
                }
            }
            _ => committed.extend(in_hand.into_iter().map(|it| self.numbering.take(it))),
        }
        Batch { committed, rejected: std::mem::take(&mut self.rejected), health }
    }

    /// Lets a change take effect that is saved later.
    fn pass(&mut self, proposal: Proposal) -> Committed {
        let committed = self.numbering.take(proposal);
        if !self.lost {
            self.unkept = true;
            self.store.at = self.numbering;
            self.store.hub.apply(committed.record.clone(), &mut self.effects);
            self.effects.clear();
        }
        committed
    }

    fn try_to_maintain(&mut self) -> std::result::Result<(), JournalError> {
        self.store.database.check_place()?;
        let stepped = self.maintenance.step(&mut self.store);
        stepped.map_err(|error| classify(&self.store.database.path, error))
    }

    fn try_to_write(&mut self) -> std::result::Result<(), JournalError> {
        self.store.database.check_place()?;
        if self.trouble.as_ref().is_some_and(|trouble| trouble.disk) {
            self.store.database.check_space()?;
        }
        self.leave_out_growth()?;
        let path = self.store.database.path.clone();
        let failed = |error| classify(&path, error);
        // Without anything at hand, the snapshot is what shows whether it can be written again.
        if self.unkept || self.trouble.is_some() && self.in_hand.is_empty() {
            self.maintenance.snapshot(&mut self.store).map_err(failed)?;
            self.unkept = false;
        }
        if self.in_hand.is_empty() {
            return Ok(());
        }
        self.commit().map_err(failed)
    }

    /// Rejects what would use the last of the space that the file may have.
    fn leave_out_growth(&mut self) -> std::result::Result<(), JournalError> {
        let Some(most) = self.most else { return Ok(()) };
        let database = &self.store.database;
        let mut used = database.used().map_err(|error| classify(&database.path, error))?;
        let limit = JournalError::Limit { path: database.path.clone() };
        // A little below it, once it was reached: or it would be reached with every other message.
        let most = if self.full.is_some() { most - most / 20 } else { most };
        let is_full = used >= most;
        for proposal in std::mem::take(&mut self.in_hand) {
            // About: the record, the message, its terms in the index of words.
            used = used.saturating_add(4 * proposal.change.size() as u64);
            if proposal.grows_history() && used >= most {
                let reason = limit.reason();
                self.rejected.push(Rejected { proposal, reason });
            } else {
                self.in_hand.push(proposal);
            }
        }
        let now = self.time.instant();
        let has_rejected = !self.rejected.is_empty();
        self.full = (is_full || has_rejected).then(|| Trouble::new(&limit, now));
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        let Store { database, names, hub, at } = &mut self.store;
        // At once for writing, so that the lock of another process is met before the hub is changed.
        // Rolled back if dropped early.
        let begin = TransactionBehavior::Immediate;
        let transaction = Transaction::new_unchecked(&database.connection, begin)?;
        let mut bytes = 0;
        let mut erased = false;
        let mut numbering = self.numbering;
        let sql = "INSERT INTO record (id, time, origin, about, change)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut insert = transaction.prepare_cached(sql)?;
        let mut tables = Tables::new(&transaction, names);
        self.hub_is_ahead = true;
        for proposal in &self.in_hand {
            let Committed { record, .. } = numbering.next(proposal.clone());
            let change = json(&record.change)?;
            bytes += change.len();
            insert.execute(params![
                record.id.0.cast_signed(),
                record.time.0,
                record.origin.0.cast_signed(),
                erasable(&record.change),
                change
            ])?;
            let id = record.id;
            numbering = Numbering::at(&record);
            hub.apply(record, &mut self.effects);
            for effect in self.effects.drain(..) {
                for update in effect.entries() {
                    // Events are as many as users like, and not worth the last of the space.
                    if self.full.is_some() && matches!(update, HistoryUpdate::HistoryEvent(..)) {
                        continue;
                    }
                    erased |= tables.archive(id, update)?;
                }
            }
        }
        drop((insert, tables));
        transaction.commit()?;
        self.hub_is_ahead = false;
        *at = numbering;
        self.maintenance.written(self.in_hand.len() as u64, bytes as u64, erased);
        Ok(())
    }
}

/// The message that a record is about, if the record holds a text that an erasure must find: its
/// id for an edit, the negative id for a reaction.
fn erasable(change: &Change) -> Option<i64> {
    match change {
        Change::Edit { message, .. } => Some(message.id.0.cast_signed()),
        Change::React { message, .. } => Some(-message.id.0.cast_signed()),
        _ => None,
    }
}
