//! Opening the file: the lock, the permissions, the state at the last record.
//!
//! Invariant: one process writes. The lock is on a file of its own, so that a reader (an export, a
//! backup) is not kept out, and the system lifts it when the process ends, however that happens.

use super::super::error::JournalError;
use super::super::limits::{Durability, Limits};
use super::schema;
use crate::chat::{Hub, Moment, Record, RecordId, SessionId};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const FILE: &str = "chatloop.db";
const LOCK: &str = "chatloop.lock";

/// Prepared statements kept per connection: all there are.
const STATEMENTS: usize = 64;

/// What a restart gets back.
pub struct Restored {
    /// The state after the last record.
    pub hub: Hub,
    /// Records that were replayed on top of the snapshot.
    pub replayed: u64,
}

/// An open journal, before its threads start.
pub(in crate::journal) struct Opened {
    pub(in crate::journal) path: PathBuf,
    pub(in crate::journal) lock: File,
    pub(in crate::journal) connection: Connection,
    pub(in crate::journal) hub: Hub,
    pub(in crate::journal) last: u64,
    pub(in crate::journal) time: Moment,
    pub(in crate::journal) replayed: u64,
    pub(in crate::journal) stale: bool,
}

/// What an error of the database means for the one who runs the server.
pub(in crate::journal) fn classify(path: &Path, error: rusqlite::Error) -> JournalError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            JournalError::Corrupt { path, detail: error.to_string() }
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => JournalError::ReadOnly { path },
        Some(ErrorCode::DiskFull) => JournalError::Full { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::Locked { path },
        _ => JournalError::Database { path, source: error },
    }
}

fn make_private(directory: &Path) -> Result<File, JournalError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| JournalError::Directory { path, source }
    };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed(directory))?;
    let open = |name: &str| {
        let path = directory.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed(&path))?;
        // The file may be older than this rule. SQLite gives its log the same permissions.
        file.set_permissions(Permissions::from_mode(0o600)).map_err(failed(&path))?;
        Ok(file)
    };
    let lock = open(LOCK)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(JournalError::Locked { path: directory.to_owned() });
        }
        Err(TryLockError::Error(source)) => return Err(failed(&directory.join(LOCK))(source)),
    }
    open(FILE)?;
    Ok(lock)
}

/// Opens or makes the journal in `directory`.
pub(in crate::journal) fn open(directory: &Path, limits: &Limits) -> Result<Opened, JournalError> {
    let lock = make_private(directory)?;
    let path = directory.join(FILE);
    let failed = |error| classify(&path, error);
    let mut connection = Connection::open(&path).map_err(failed)?;
    prepare(&connection, limits).map_err(failed)?;
    schema::migrate(&mut connection, &path)?;
    let state = restore(&connection, &path)?;
    let State { hub, last, time, replayed, stale } = state;
    Ok(Opened { path, lock, connection, hub, last, time, replayed, stale })
}

fn prepare(connection: &Connection, limits: &Limits) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match limits.durability {
        Durability::Process => "NORMAL",
        Durability::Power => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    if let Some(size) = limits.file_size {
        let page: u64 = connection.pragma_query_value(None, "page_size", |row| {
            row.get::<_, i64>(0).map(i64::unsigned_abs)
        })?;
        let pages = i64::try_from(size / page.max(1)).unwrap_or(i64::MAX).max(1);
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(())
}

/// A second connection, for questions; works beside a running server.
pub(in crate::journal) fn open_reader(path: &Path) -> Result<Connection, JournalError> {
    if !path.exists() {
        return Err(JournalError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| classify(path, error))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Where the file of a directory is.
pub(in crate::journal) fn file_in(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// The state after the last record.
pub(in crate::journal) struct State {
    pub(in crate::journal) hub: Hub,
    pub(in crate::journal) last: u64,
    pub(in crate::journal) time: Moment,
    replayed: u64,
    stale: bool,
}

pub(in crate::journal) fn restore(
    connection: &Connection,
    path: &Path,
) -> Result<State, JournalError> {
    let failed = |error| classify(path, error);
    let broken = |what: String| JournalError::Corrupt { path: path.to_owned(), detail: what };
    let snapshot = connection
        .query_row("SELECT record, time, stale, hub FROM snapshot", [], |row| {
            let hub: String = row.get(3)?;
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?, hub))
        })
        .optional()
        .map_err(failed)?;
    let mut state = match snapshot {
        None => {
            State { hub: Hub::new(), last: 0, time: Moment::default(), replayed: 0, stale: false }
        }
        Some((record, time, stale, hub)) => State {
            hub: serde_json::from_str(&hub)
                .map_err(|error| broken(format!("snapshot: {error}")))?,
            last: record.cast_unsigned(),
            time: Moment(time),
            replayed: 0,
            stale,
        },
    };
    let mut statement = connection
        .prepare("SELECT id, time, origin, change FROM record WHERE id > ?1 ORDER BY id")
        .map_err(failed)?;
    let mut rows = statement.query([state.last.cast_signed()]).map_err(failed)?;
    let mut effects = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let column = |number| row.get::<_, i64>(number).map_err(failed);
        let (id, time, origin) = (column(0)?, column(1)?, column(2)?);
        let change: String = row.get(3).map_err(failed)?;
        let change = serde_json::from_str(&change)
            .map_err(|error| broken(format!("record {id}: {error}")))?;
        let record = Record {
            id: RecordId(id.cast_unsigned()),
            time: Moment(time),
            origin: SessionId(origin.cast_unsigned()),
            change,
        };
        state.last = record.id.0;
        state.time = record.time;
        state.replayed += 1;
        // What follows from it is in the tables already: both were kept together.
        state.hub.apply(record, &mut effects);
        effects.clear();
    }
    Ok(state)
}
