//! The open file, as used by the writer and by maintenance: connection, names, and the state at the
//! last record in the file.

use super::restore::{State, restore};
use crate::chat::Hub;
use crate::journal::database::open::{Database, open};
use crate::journal::error::JournalError;
use crate::journal::index::sqlite::tables::Names;
use crate::journal::limits::Limits;
use crate::journal::log::numbering::Numbering;
use std::path::Path;

pub(super) struct Store {
    pub database: Database,
    pub names: Names,
    pub hub: Hub,
    /// The last record in the file.
    pub at: Numbering,
}

impl Store {
    /// Also: how many records were replayed on top of the snapshot, and whether that holds a text
    /// that is erased since.
    pub fn open(directory: &Path, limits: &Limits) -> Result<(Store, u64, bool), JournalError> {
        let database = open(directory, limits)?;
        let state = restore(&database.connection, &database.path)?;
        let State { mut hub, at, replayed, stale } = state;
        hub.set_room_memory(limits.room_memory);
        hub.set_account_memory(limits.account_memory);
        Ok((Store { database, names: Names::default(), hub, at }, replayed, stale))
    }
}
