//! Errors of a data directory, with messages that say what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a data directory cannot be opened, read or filled.
#[derive(Debug)]
pub enum JournalError {
    /// The directory or a file in it cannot be created or opened.
    Directory { path: PathBuf, source: io::Error },
    /// Another server uses the directory.
    Locked { path: PathBuf },
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
            JournalError::ReadOnly { path } => {
                write!(f, "'{}' cannot be written; change its owner or permissions", path.display())
            }
            JournalError::Full { path } => write!(
                f,
                "no space left for '{}'; free some, or raise its configured size",
                path.display()
            ),
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
            JournalError::Missing { path } => {
                write!(f, "no database in '{}'", path.display())
            }
            JournalError::NotEmpty { path } => write!(
                f,
                "data directory '{}' is not empty; import into a new one",
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
        }
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            JournalError::Directory { source, .. } | JournalError::Stream(source) => Some(source),
            JournalError::Database { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}

/// Whether the journal still accepts records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// It does.
    Good,
    /// A commit failed, for this reason. Queries are still answered; connecting and quitting are
    /// allowed but not stored; everything else is rejected. A restart tries again.
    ReadOnly(String),
}
