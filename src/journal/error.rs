//! Errors of a data directory, with messages that say what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a data directory cannot be opened, read or filled.
#[derive(Debug)]
pub enum JournalError {
    /// The directory or a file in it cannot be created or opened.
    Directory { path: PathBuf, source: io::Error },
    /// Another server uses the directory.
    Locked { path: PathBuf },
    /// Another program holds the lock of the file.
    Busy { path: PathBuf },
    /// The file is no longer the one that was opened: what is written to it is lost.
    Moved { path: PathBuf },
    /// Another process has written to the file, or it cannot be read any more: what is in memory no
    /// longer agrees with it, and only a restart can tell which is right.
    Diverged { path: PathBuf, detail: String },
    /// The file has nearly reached its configured size.
    Limit { path: PathBuf },
    /// The thread that writes has panicked.
    Panicked,
    /// The file can be read but not written.
    ReadOnly { path: PathBuf },
    /// The disk, or the configured size of the file, is full.
    Full {
        /// The file without space.
        path: PathBuf,
    },
    /// The file is damaged or not a chatloop database.
    Corrupt { path: PathBuf, detail: String },
    /// A newer version has written the file.
    Newer {
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema that is known here.
        known: u32,
    },
    /// There is no database to export from.
    Missing { path: PathBuf },
    /// A backup goes to a new directory.
    Exists { path: PathBuf },
    /// A backup would be copied into itself.
    Inside { path: PathBuf },
    /// There is no such room to export.
    NoRoom { room: String },
    /// A file of a backup cannot be read or written.
    Copy { path: PathBuf, source: io::Error },
    /// An import wants an empty journal.
    NotEmpty { path: PathBuf },
    /// A line of an import cannot be taken. Nothing of the import was kept.
    Line {
        /// The line, counted from 1.
        number: u64,
        detail: String,
    },
    /// This build keeps nothing on disk.
    NoDisk,
    /// Reading or writing the exported lines failed.
    Stream(io::Error),
    /// Another database error.
    Database { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::Directory { path, source } => {
                write!(f, "cannot use data directory '{}': {source}", path.display())
            }
            JournalError::Locked { path } => write!(
                f,
                "another server is using data directory '{}'; stop it, or use another directory",
                path.display()
            ),
            JournalError::Busy { path } => {
                write!(
                    f,
                    "another program has locked '{}'; stop it, or wait for it",
                    path.display()
                )
            }
            JournalError::Moved { path } => write!(
                f,
                "'{}' has been deleted or replaced while the server uses it; put the same file back \
                 (Linux still has it in /proc/PID/fd), or restart the server",
                path.display()
            ),
            JournalError::Diverged { path, detail } => write!(
                f,
                "'{}' does not agree with the running server ({detail}); restart the server",
                path.display()
            ),
            JournalError::Limit { path } => write!(
                f,
                "'{}' has nearly reached --max-data: messages are rejected, deletions and accounts \
                 are still saved; delete history (--keep-days, --keep-messages), or raise the limit",
                path.display()
            ),
            JournalError::Panicked => f.write_str("the database writer has failed (see above)"),
            JournalError::ReadOnly { path } => {
                write!(f, "'{}' cannot be written; change its owner or permissions", path.display())
            }
            JournalError::Full { path } => {
                write!(f, "no space left for '{}'; free some, or raise --max-data", path.display())
            }
            JournalError::Corrupt { path, detail } => write!(
                f,
                "'{}' is damaged or not a chatloop database ({detail}); restore a backup, or move \
                 the file away to start with an empty one",
                path.display()
            ),
            JournalError::Newer { path, found, known } => write!(
                f,
                "'{}' was written by a newer version (schema {found}, known is {known}); update \
                 this program",
                path.display()
            ),
            other => other.of_transfers(f),
        }
    }
}

impl JournalError {
    /// Those of exports, imports and backups.
    fn of_transfers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::Missing { path } => {
                write!(f, "no database in '{}'", path.display())
            }
            JournalError::Exists { path } => {
                write!(f, "'{}' exists already; a backup goes to a new directory", path.display())
            }
            JournalError::Inside { path } => write!(
                f,
                "'{}' is in the data directory; a backup goes to a directory elsewhere",
                path.display()
            ),
            JournalError::NoRoom { room } => write!(f, "no such room: {room}"),
            JournalError::Copy { path, source } => {
                write!(f, "cannot read or write '{}': {source}", path.display())
            }
            JournalError::NotEmpty { path } => write!(
                f,
                "data directory '{}' is not empty; import or restore into a new one",
                path.display()
            ),
            JournalError::Line { number, detail } => {
                write!(f, "line {number}: {detail}; nothing was imported")
            }
            JournalError::NoDisk => f.write_str(
                "this program was built without the feature 'disk', which --data needs: build it with \
                 'cargo build --features disk'",
            ),
            JournalError::Stream(source) => write!(f, "cannot transfer the lines: {source}"),
            JournalError::Database { path, source } => {
                write!(f, "database '{}' failed: {source}", path.display())
            }
            // The function above has told all others.
            _ => Ok(()),
        }
    }
}

// Without a source: the text of the cause stands in its own.
impl std::error::Error for JournalError {}

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
    /// and quitting take effect and are saved later; everything else waits a while or is rejected.
    Failing {
        /// For everyone, in a few words.
        reason: Arc<str>,
        /// For the operator: what is wrong, and what to do.
        detail: Arc<str>,
    },
}
