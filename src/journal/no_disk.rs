//! The journal on disk of a build without the feature `disk`: it cannot be opened, and the error says
//! which feature is missing.
//!
//! It stands in for `log::sqlite`, `index::sqlite` and `transfer`. No value of its types exists, so
//! the compiler removes the arms that would use one.

use super::error::{Health, JournalError};
use super::index::query::{Answer, HistoryQuery, QueryId};
use super::limits::Limits;
use super::log::proposal::{Committed, Proposal};
use super::runtime::Runtime;
use crate::chat::{HistoryUpdate, Hub, Name, RecordId};
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

pub(super) enum SqliteLog {}

impl SqliteLog {
    pub(super) fn open(
        _: &Path,
        _: &Limits,
        _: &Runtime,
    ) -> Result<(SqliteLog, PathBuf, Hub), JournalError> {
        Err(JournalError::NoDisk)
    }

    pub(super) fn propose(&mut self, _: Proposal) {
        match *self {}
    }

    pub(super) fn end_turn(&mut self) {
        match *self {}
    }

    pub(super) fn has_room(&self) -> bool {
        match *self {}
    }

    pub(super) fn has_news(&self) -> bool {
        match *self {}
    }

    pub(super) fn take_committed(&mut self, _: &mut Vec<Committed>) {
        match *self {}
    }

    pub(super) fn take_rejected(&mut self, _: &mut Vec<Proposal>) {
        match *self {}
    }

    pub(super) fn health(&self) -> Health {
        match *self {}
    }

    pub(super) fn close(self) {
        match self {}
    }
}

pub(super) enum SqliteIndex {}

impl SqliteIndex {
    pub(super) fn open(_: &Path, _: RecordId, _: &Runtime) -> Result<SqliteIndex, JournalError> {
        Err(JournalError::NoDisk)
    }

    pub(super) fn archive(&mut self, _: &HistoryUpdate<'_>) {
        match *self {}
    }

    pub(super) fn query(&mut self, _: QueryId, _: HistoryQuery) -> Option<Answer> {
        match *self {}
    }

    pub(super) fn next_answer(&mut self) -> Option<(QueryId, Answer)> {
        match *self {}
    }
}

pub struct Imported {
    pub messages: u64,
}

pub fn export(_: &Path, _: Option<&Name>, _: &mut impl Write) -> Result<u64, JournalError> {
    Err(JournalError::NoDisk)
}

pub fn import(_: &Path, _: &mut impl BufRead) -> Result<Imported, JournalError> {
    Err(JournalError::NoDisk)
}
