//! Opening the file: the lock, the permissions, the settings of SQLite.
//!
//! Invariant: one process writes. The lock is on a separate file, so that readers (an export, a
//! backup) are not excluded, and the system releases it when the process exits for any reason.

use super::classify::classify;
use super::schema;
use crate::journal::error::JournalError;
use crate::journal::limits::{self, Durability, Limits};
use rusqlite::{Connection, OpenFlags};
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const FILE: &str = "chatloop.db";
const LOCK: &str = "chatloop.lock";

/// Prepared statements kept per connection: all there are.
const STATEMENTS: usize = 64;

/// An open file with the current schema, locked for writing.
pub(in crate::journal) struct Database {
    pub(in crate::journal) path: PathBuf,
    pub(in crate::journal) connection: Connection,
    /// Held for as long as anything may be written.
    lock: File,
    /// The files that were opened: path, device, inode.
    files: Vec<(PathBuf, u64, u64)>,
}

impl Database {
    /// Checks that the files are still where they were opened. What is written to a deleted file
    /// succeeds, and is gone with the process; and without the lock file a second server may write.
    pub(in crate::journal) fn check_place(&self) -> Result<(), JournalError> {
        for (path, device, inode) in &self.files {
            let found = std::fs::metadata(path);
            if !found.is_ok_and(|it| (it.dev(), it.ino()) == (*device, *inode)) {
                return Err(JournalError::Moved { path: path.clone() });
            }
        }
        Ok(())
    }

    /// Checks that there is space again. On a disk that is full a small record may find the last of
    /// it, which proves nothing for the next.
    pub(in crate::journal) fn check_space(&self) -> Result<(), JournalError> {
        let path = self.path.with_extension("space");
        let written = std::fs::write(&path, vec![0xa5; limits::SPACE]);
        // There is nothing to lose in it.
        let _ = std::fs::remove_file(&path);
        written.map_err(|source| match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                JournalError::Full { path: self.path.clone() }
            }
            _ => JournalError::Directory { path, source },
        })
    }

    /// Bytes of the file that are in use.
    pub(in crate::journal) fn used(&self) -> rusqlite::Result<u64> {
        let read = |name: &str| {
            self.connection
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0).map(i64::unsigned_abs))
        };
        let used = read("page_count")?.saturating_sub(read("freelist_count")?);
        Ok(used.saturating_mul(read("page_size")?))
    }
}

impl Drop for Database {
    /// Lifts the lock, also from a copy of the descriptor that a child process may have for the
    /// moment between its birth and its program.
    fn drop(&mut self) {
        // If this fails, closing the file does it.
        let _ = self.lock.unlock();
    }
}

pub(in crate::journal) fn make_private(directory: &Path) -> Result<File, JournalError> {
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

/// Opens or creates the file in `directory`.
pub(in crate::journal) fn open(
    directory: &Path,
    limits: &Limits,
) -> Result<Database, JournalError> {
    let lock = make_private(directory)?;
    let path = directory.join(FILE);
    let failed = |error| classify(&path, error);
    let mut connection = Connection::open(&path).map_err(failed)?;
    prepare(&connection, limits).map_err(failed)?;
    schema::migrate(&mut connection, &path)?;
    connection.busy_timeout(limits::LOCK_WAIT).map_err(failed)?;
    let log = path.with_extension("db-wal");
    let files = [path.clone(), directory.join(LOCK), log];
    let files = files.into_iter().filter_map(|path| {
        let found = std::fs::metadata(&path).ok()?;
        Some((path, found.dev(), found.ino()))
    });
    let files = files.collect();
    Ok(Database { path, connection, lock, files })
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

/// A second connection, for queries; works while a server is running.
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

/// The file in a data directory.
pub(in crate::journal) fn file_in(directory: &Path) -> PathBuf {
    directory.join(FILE)
}
