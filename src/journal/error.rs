//! Errors of a data directory, with messages that say what to do.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;

/// Why a data directory cannot be opened, read or filled.
#[derive(Error, Debug)]
pub enum JournalError {
    /// The directory or a file in it cannot be created or opened.
    #[error("cannot use data directory '{path}': {source}")]
    Directory { path: PathBuf, source: io::Error },
    /// Another server uses the directory.
    #[error("another server is using data directory '{path}'; stop it, or use another directory")]
    Locked { path: PathBuf },
    /// Another program holds the lock of the file.
    #[error("another program has locked '{path}'; stop it, or wait for it")]
    Busy { path: PathBuf },
    /// The file is no longer the one that was opened: what is written to it is lost.
    #[error(
        "'{path}' has been deleted or replaced while the server uses it; put the same file back \
         (Linux still has it in /proc/PID/fd), or restart the server"
    )]
    Moved { path: PathBuf },
    /// Another process has written to the file, or it cannot be read any more: what is in memory no
    /// longer agrees with it, and only a restart can tell which is right.
    #[error("'{path}' does not agree with the running server ({detail}); restart the server")]
    Diverged { path: PathBuf, detail: String },
    /// The file has nearly reached its configured size.
    #[error(
        "'{path}' has nearly reached --max-data: messages are rejected, deletions and accounts \
         are still saved; delete history (--keep-days, --keep-messages), or raise the limit"
    )]
    Limit { path: PathBuf },
    /// The thread that writes has panicked.
    #[error("the database writer has failed (see above)")]
    Panicked,
    /// The file can be read but not written.
    #[error("'{path}' cannot be written; change its owner or permissions")]
    ReadOnly { path: PathBuf },
    /// The disk, or the configured size of the file, is full.
    #[error("no space left for '{path}'; free some, or raise --max-data")]
    Full { path: PathBuf },
    /// The file is damaged or not a chatloop database.
    #[error(
        "'{path}' is damaged or not a chatloop database ({detail}); restore a backup, or move the \
         file away to start with an empty one"
    )]
    Corrupt { path: PathBuf, detail: String },
    /// A newer version has written the file: its schema, and the newest one that is known here.
    #[error(
        "'{path}' was written by a newer version (schema {found}, known is {known}); update this \
         program"
    )]
    Newer { path: PathBuf, found: u32, known: u32 },
    /// There is no database to read.
    #[error("there is no database '{path}'")]
    Missing { path: PathBuf },
    /// A backup goes to a new directory.
    #[error("'{path}' exists already; a backup goes to a new directory")]
    Exists { path: PathBuf },
    /// A directory would be copied into itself.
    #[error("'{path}' is in the directory that is to be copied; choose one elsewhere")]
    Inside { path: PathBuf },
    /// There is no such room to export.
    #[error("no such room: {room}")]
    NoRoom { room: String },
    /// A file of a backup cannot be read or written.
    #[error("cannot read or write '{path}': {source}")]
    Copy { path: PathBuf, source: io::Error },
    /// An import wants an empty journal.
    #[error("data directory '{path}' is not empty; import or restore into a new one")]
    NotEmpty { path: PathBuf },
    /// A line of an import, counted from 1, cannot be taken. Nothing of the import was kept.
    #[error("line {number}: {detail}; nothing was imported")]
    Line { number: u64, detail: String },
    /// This build keeps nothing on disk.
    #[error(
        "this program was built without the feature 'disk', which --data needs: build it with \
         'cargo build --features disk'"
    )]
    NoDisk,
    /// Reading or writing the exported lines failed.
    #[error("cannot transfer the lines: {0}")]
    Stream(io::Error),
    /// Another database error.
    #[error("database '{path}' failed: {source}")]
    Database { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
}

impl JournalError {
    /// The same in a few words, without a path: for the users whose messages are not saved.
    #[cfg_attr(not(feature = "disk"), expect(dead_code, reason = "memory keeps everything"))]
    pub(super) fn reason(&self) -> Arc<str> {
        match self {
            JournalError::Busy { .. } => "another program has locked the database".into(),
            JournalError::Moved { .. } => "the database file has been deleted or replaced".into(),
            JournalError::Limit { .. } => "the database is full (--max-data)".into(),
            JournalError::Full { .. } => "the disk is full".into(),
            JournalError::Corrupt { .. } => "the database is damaged".into(),
            JournalError::Diverged { .. } | JournalError::Panicked => {
                "the database writer has failed (see the server's log)".into()
            }
            JournalError::ReadOnly { .. } => "the database cannot be written".into(),
            JournalError::Database { source, .. } => source.to_string().into(),
            other => other.to_string().into(),
        }
    }
}

/// Whether the journal saves records now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// It does.
    Good,
    /// It does not, and tries again until it does. Meanwhile queries are answered; connecting, joining
    /// and quitting take effect and are saved later; everything else waits a while or is rejected. The
    /// reason is for everyone, in a few words; the detail tells the operator what is wrong, and what to
    /// do.
    Failing { reason: Arc<str>, detail: Arc<str> },
}
