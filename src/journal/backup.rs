//! A copy of a data directory while a server uses it, and back.
//!
//! The database is copied by SQLite's backup interface in one read transaction, which holds up no
//! writer. Everything else in the directory (uploaded files, a certificate) is copied after it, file
//! by file: what the database names is there by then, and never changes.
//!
//! A backup is complete or is not there: it is made in `DIR.partial` and renamed at the end. A
//! restore puts the database into its place last, so that one that was interrupted can be repeated.

use super::database::classify::classify;
use super::database::{open, schema};
use super::error::JournalError;
use super::log::sqlite::restore::restore as restore_state;
use crate::chat::Hub;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Copies the data directory `directory` to `to`, which must not exist.
///
/// # Errors
/// What is wrong with one of them.
pub fn backup(directory: &Path, to: &Path) -> Result<(), JournalError> {
    let path = open::file_in(directory);
    let source = open::open_reader(&path)?;
    if schema::version(&source, &path)? == 0 {
        return Err(JournalError::Missing { path });
    }
    if to.symlink_metadata().is_ok() {
        return Err(JournalError::Exists { path: to.to_owned() });
    }
    check_outside(to, directory)?;
    let partial = with_suffix(to, "partial");
    DirBuilder::new().mode(0o700).create(&partial).map_err(failed(&partial))?;
    let made = copy_database(&source, &open::file_in(&partial))
        .and_then(|()| copy_rest(directory, &partial).map_err(failed(directory)))
        .and_then(|()| fs::rename(&partial, to).map_err(failed(to)))
        .and_then(|()| sync_parent(to).map_err(failed(to)));
    if made.is_err() {
        // What is left is worth nothing. If that fails too, the next backup names it.
        let _ = fs::remove_dir_all(&partial);
    }
    made
}

/// Puts a backup into the empty (or new) data directory `directory`; what it holds then.
///
/// # Errors
/// It is no backup, the directory is in use or not empty, or a file cannot be copied.
pub fn restore(from: &Path, directory: &Path) -> Result<Hub, JournalError> {
    let path = open::file_in(from);
    let source = open::open_reader(&path)?;
    let broken = |detail: String| JournalError::Corrupt { path: path.clone(), detail };
    if schema::version(&source, &path)? == 0 {
        return Err(JournalError::Missing { path });
    }
    let found = source.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    let found: String = found.map_err(|error| classify(&path, error))?;
    if found != "ok" {
        return Err(broken(found));
    }
    let hub = restore_state(&source, &path)?.hub;
    hub.check().map_err(broken)?;
    check_outside(directory, from)?;
    let _lock = open::make_private(directory)?;
    let place = open::file_in(directory);
    // Opening has created it if there was none.
    if fs::metadata(&place).map_err(failed(&place))?.len() > 0 {
        return Err(JournalError::NotEmpty { path: directory.to_owned() });
    }
    copy_rest(from, directory).map_err(failed(directory))?;
    let partial = with_suffix(&place, "partial");
    let _ = fs::remove_file(&partial);
    copy_database(&source, &partial)?;
    fs::rename(&partial, &place).map_err(failed(&place))?;
    sync_parent(&place).map_err(failed(&place))?;
    Ok(hub)
}

/// Checks that what is going to be copied to `to` is not copied into itself.
fn check_outside(to: &Path, copied: &Path) -> Result<(), JournalError> {
    let copied = copied.canonicalize().map_err(failed(copied))?;
    // The last directories may not be there yet.
    let known = to.ancestors().map(or_here).find_map(|there| there.canonicalize().ok());
    match known {
        Some(known) if known.starts_with(copied) => {
            Err(JournalError::Inside { path: to.to_owned() })
        }
        _ => Ok(()),
    }
}

/// What an error of the system means for this path.
fn failed(path: &Path) -> impl FnOnce(io::Error) -> JournalError + use<> {
    let path = path.to_owned();
    move |source| JournalError::Copy { path, source }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    // Without a slash at its end, as completion leaves it.
    let mut name = path.components().as_path().as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn copy_database(source: &Connection, to: &Path) -> Result<(), JournalError> {
    let unfit = |error| classify(to, error);
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(failed(to))?;
    let mut target = Connection::open(to).map_err(unfit)?;
    let backup = Backup::new(source, &mut target).map_err(unfit)?;
    // All pages at once: a second step would find that a writer has been there, and begin again.
    if backup.step(-1).map_err(unfit)? != StepResult::Done {
        return Err(JournalError::Busy { path: to.to_owned() });
    }
    drop(backup);
    // One file, without a log beside it.
    target.pragma_update(None, "journal_mode", "DELETE").map_err(unfit)?;
    target.close().map_err(|(_, error)| unfit(error))?;
    File::open(to).and_then(|file| file.sync_all()).map_err(failed(to))
}

/// Copies what is not the database's.
fn copy_rest(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(b"chatloop.") {
            copy(&entry.path(), &to.join(name))?;
        }
    }
    Ok(())
}

/// Copies a file, or a directory and what is in it. A link leads out of the directory: it stays.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let kind = match fs::symlink_metadata(from) {
        // It was an upload under way, or has been deleted since.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?.file_type(),
    };
    if kind.is_dir() {
        match DirBuilder::new().mode(0o700).create(to) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else if kind.is_file() {
        let mut source = match File::open(from) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let mut target =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
        io::copy(&mut source, &mut target)?;
        target.sync_all()?;
    }
    Ok(())
}

fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(or_here(path.parent().unwrap_or(path)))?.sync_all()
}

/// Where a relative path begins.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
