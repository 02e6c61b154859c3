//! Writing: one transaction for all proposals at hand, with the rows of the index that follow.
//!
//! Invariants: a record is handed back after the transaction that contains it, in order, once.
//! After a failed commit nothing more is written: the hub here is ahead of the file, and only a
//! restart reconciles them.

use super::maintenance::Maintenance;
use super::store::Store;
use crate::chat::{Change, Effect};
use crate::journal::database::json;
use crate::journal::index::sqlite::tables;
use crate::journal::limits::Limits;
use crate::journal::log::numbering::Numbering;
use crate::journal::log::proposal::{Committed, Proposal};
use crate::journal::runtime::TimeSource;
use rusqlite::{Result, params};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

/// The outcome of proposals.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) committed: Vec<Committed>,
    pub(super) rejected: Vec<Proposal>,
    /// Why nothing more will be committed.
    pub(super) failure: Option<String>,
}

pub(super) struct Writer {
    store: Store,
    maintenance: Maintenance,
    numbering: Numbering,
    failure: Option<String>,
    /// Taken and not handed back.
    in_hand: Vec<Proposal>,
    effects: Vec<Effect>,
}

impl Writer {
    pub(super) fn new(
        (store, replayed, stale): (Store, u64, bool),
        limits: &Limits,
        time: Arc<dyn TimeSource>,
    ) -> Writer {
        let (last, last_time) = store.last;
        Writer {
            store,
            maintenance: Maintenance::new(limits, replayed, stale, time),
            numbering: Numbering { last, time: last_time },
            failure: None,
            in_hand: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Commits proposals, or rejects them.
    pub(super) fn write(&mut self, proposals: Vec<Proposal>) -> Batch {
        self.in_hand = proposals;
        if self.failure.is_none()
            && let Err(error) = self.commit()
        {
            self.fail(error);
        }
        self.hand_back()
    }

    /// The first failure is the one that counts. The loop logs it.
    pub(super) fn fail(&mut self, error: impl Display) {
        self.failure.get_or_insert_with(|| error.to_string());
    }

    /// The current batch: committed; or, once the writer has failed, committed if it need not be
    /// stored and rejected otherwise.
    pub(super) fn hand_back(&mut self) -> Batch {
        let mut batch = Batch { failure: self.failure.clone(), ..Batch::default() };
        for proposal in self.in_hand.drain(..) {
            if self.failure.is_none() || proposal.may_pass_unkept() {
                batch.committed.push(self.numbering.commit(proposal));
            } else {
                batch.rejected.push(proposal);
            }
        }
        batch
    }

    /// The time until [`maintain`](Writer::maintain) has something to do.
    pub(super) fn maintenance_due(&self) -> Option<Duration> {
        self.failure.is_none().then(|| self.maintenance.due_in())
    }

    /// Executes one step of maintenance; returns a batch if that failed.
    pub(super) fn maintain(&mut self) -> Option<Batch> {
        self.maintained(Maintenance::step)
    }

    /// Leaves a snapshot for a quick start.
    pub(super) fn finish(&mut self) -> Option<Batch> {
        self.maintained(Maintenance::finish)
    }

    fn maintained(
        &mut self,
        work: impl FnOnce(&mut Maintenance, &mut Store) -> Result<()>,
    ) -> Option<Batch> {
        if self.failure.is_some() {
            return None;
        }
        let error = work(&mut self.maintenance, &mut self.store).err()?;
        self.fail(error);
        Some(self.hand_back())
    }

    fn commit(&mut self) -> Result<()> {
        let Store { database, names, hub, last } = &mut self.store;
        // Rolled back if dropped early.
        let transaction = database.connection.unchecked_transaction()?;
        let mut bytes = 0;
        let mut erased = false;
        let mut numbering = self.numbering;
        for proposal in &self.in_hand {
            let Committed { record, .. } = numbering.commit(proposal.clone());
            let change = json(&record.change)?;
            bytes += change.len();
            let sql = "INSERT INTO record (id, time, origin, about, change)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            transaction.prepare_cached(sql)?.execute(params![
                record.id.0.cast_signed(),
                record.time.0,
                record.origin.0.cast_signed(),
                erasable(&record.change),
                change
            ])?;
            let id = record.id;
            *last = (id, record.time);
            hub.apply(record, &mut self.effects);
            for effect in self.effects.drain(..) {
                for update in effect.entries() {
                    erased |= tables::archive(&transaction, names, id, update)?;
                }
            }
        }
        transaction.commit()?;
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
