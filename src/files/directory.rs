//! Files in a directory: written beside their place, synced, and renamed into it, so that a file
//! under its id is always whole, also after a crash.

use log::warn;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The end of the name of a file that is being written.
const PART: &str = "part";

/// Bytes that are written before the disk is waited for. Without it, a large file is all in the
/// system's memory when it ends, and while that is written, the database waits for the disk, too.
const UNSYNCED: usize = 8 << 20;

pub(super) struct Directory(PathBuf);

/// A file that is being written. It is removed when it is dropped.
pub(super) struct Part {
    file: File,
    path: PathBuf,
    unsynced: usize,
}

impl Part {
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.unsynced += bytes.len();
        if self.unsynced < UNSYNCED {
            return Ok(());
        }
        self.unsynced = 0;
        self.file.sync_data()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Not there if it was renamed.
        let _ = fs::remove_file(&self.path);
    }
}

/// So many bytes of a file, fewer at its end.
pub(super) fn piece(mut file: impl Read + Seek, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::with_capacity(length);
    file.take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Directory {
    /// Makes it, if need be, and removes what no id in `known` has a claim to: half uploads, and
    /// whole ones whose record was not committed before the server ended.
    pub(super) fn open(path: &Path, known: &HashSet<Arc<str>>) -> io::Result<Directory> {
        fs::create_dir_all(path)?;
        let (mut found, mut removed) = (0, 0);
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(|name| known.contains(name)) {
                found += 1;
            } else if entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
        if removed > 0 {
            log::info!("removed unfinished uploads from {}: {removed}", path.display());
        }
        if found < known.len() {
            let missing = known.len() - found;
            warn!("{missing} uploaded files are missing in {}", path.display());
        }
        Ok(Directory(path.to_owned()))
    }

    pub(super) fn begin(&self, id: &str) -> io::Result<Part> {
        let path = self.0.join(id).with_extension(PART);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Part { file, path, unsynced: 0 })
    }

    pub(super) fn keep(&self, part: Part, id: &str) -> io::Result<()> {
        part.file.sync_all()?;
        fs::rename(&part.path, self.0.join(id))?;
        File::open(&self.0)?.sync_all()
    }

    pub(super) fn read(&self, id: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        piece(File::open(self.0.join(id))?, offset, length)
    }

    pub(super) fn remove(&self, id: &str) {
        let path = self.0.join(id);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            warn!("cannot remove {}: {error}", path.display());
        }
    }
}
