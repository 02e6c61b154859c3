//! Uploaded files: their bytes, on a thread of their own.
//!
//! | file | subject |
//! |---|---|
//! | this one | the thread: what it is asked, what it reports |
//! | `directory` | files in a directory: half ones are never seen |
//!
//! Bytes are hashed and written as they come. The caller bounds what is on its way: the thread
//! takes what it is given. Rejected: a thread for each upload, which would write more at a time and
//! finish nothing sooner; confessed: a slow disk that syncs one file keeps the others waiting.

mod directory;

use directory::{Directory, piece};
use pbkdf2::sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Identifies a transfer for the caller.
pub type Transfer = u64;

/// What the thread is to do.
pub enum Command {
    /// An upload of the file with this id begins.
    Begin(Transfer, Arc<str>),
    /// Its next bytes.
    Write(Transfer, Vec<u8>),
    /// It has come in full.
    Finish(Transfer),
    /// It is given up; what has come of it is removed.
    Abort(Transfer),
    Read {
        transfer: Transfer,
        id: Arc<str>,
        offset: u64,
        length: usize,
    },
    Remove(Arc<str>),
}

/// What the thread has done.
#[derive(Debug)]
pub enum Report {
    /// So many bytes are written.
    Written(Transfer, usize),
    /// The file is whole, on disk, and under its id.
    Kept { transfer: Transfer, id: Arc<str>, size: u64, sha256: String },
    /// Nothing of the upload is left.
    Failed(Transfer, io::Error),
    /// What was to be read; less at the end of the file.
    Read(Transfer, Vec<u8>),
    /// The file cannot be read.
    Unreadable(Transfer, io::Error),
}

/// The files, for the loop.
pub struct Store {
    commands: Sender<Command>,
    reports: Receiver<Report>,
}

impl Store {
    /// Starts the thread, which calls `wake` for each report. It removes everything from the
    /// directory whose id is not `known` first. Without a directory it keeps files in memory.
    ///
    /// # Errors
    /// The directory cannot be made or read, or there can be no thread.
    pub fn start(
        directory: Option<&Path>,
        known: HashSet<Arc<str>>,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<Store> {
        let (store, mut thread) = Store::new(directory, known, wake)?;
        let work = move || {
            while let Ok(command) = thread.commands.recv() {
                thread.carry_out(command);
            }
        };
        std::thread::Builder::new().name("files".into()).spawn(work)?;
        Ok(store)
    }

    /// The same without a thread: each call of what is returned carries out one command, if there is
    /// one, and tells whether it has called `wake`.
    ///
    /// # Errors
    /// The directory cannot be made or read.
    #[cfg(feature = "simulation")]
    pub fn in_steps(
        directory: Option<&Path>,
        known: HashSet<Arc<str>>,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<(Store, Box<dyn FnMut() -> bool>)> {
        let (store, mut thread) = Store::new(directory, known, wake)?;
        let step = move || {
            let command = thread.commands.try_recv();
            command.is_ok_and(|command| thread.carry_out(command))
        };
        Ok((store, Box::new(step)))
    }

    fn new<W: Fn()>(
        directory: Option<&Path>,
        known: HashSet<Arc<str>>,
        wake: W,
    ) -> io::Result<(Store, Thread<W>)> {
        let place = match directory {
            Some(directory) => Place::Directory(Directory::open(directory, &known)?),
            None => Place::Memory(BTreeMap::new()),
        };
        let (tell, commands) = channel();
        let (report, reports) = channel();
        let thread = Thread { place, uploads: BTreeMap::new(), commands, report, wake };
        Ok((Store { commands: tell, reports }, thread))
    }

    /// The next report, if there is one.
    pub fn next_report(&self) -> Option<Report> {
        self.reports.try_recv().ok()
    }

    /// The thread lives as long as the loop, unless it has panicked: then transfers stall and are
    /// given up.
    pub fn send(&self, command: Command) {
        let _ = self.commands.send(command);
    }
}

enum Place {
    Directory(Directory),
    /// Without a data directory. What bounds these is counted by the caller, which lets them in.
    Memory(BTreeMap<Arc<str>, Box<[u8]>>),
}

/// An upload that is being written.
struct Upload {
    id: Arc<str>,
    writing: Writing,
    hash: Sha256,
    size: u64,
}

enum Writing {
    File(directory::Part),
    Memory(Vec<u8>),
}

struct Thread<W> {
    place: Place,
    uploads: BTreeMap<Transfer, Upload>,
    commands: Receiver<Command>,
    report: Sender<Report>,
    wake: W,
}

impl<W: Fn()> Thread<W> {
    /// Whether there was something to report.
    fn carry_out(&mut self, command: Command) -> bool {
        let Some(done) = self.obey(command) else { return false };
        // If the loop has ended, no one waits for it, and there are no more commands.
        let _ = self.report.send(done);
        (self.wake)();
        true
    }

    fn obey(&mut self, command: Command) -> Option<Report> {
        match command {
            Command::Begin(transfer, id) => self.begin(transfer, id).err(),
            Command::Write(transfer, bytes) => Some(self.write(transfer, &bytes)),
            Command::Finish(transfer) => self.finish(transfer),
            Command::Abort(transfer) => {
                self.uploads.remove(&transfer);
                None
            }
            Command::Read { transfer, id, offset, length } => {
                let bytes = match &self.place {
                    Place::Directory(directory) => directory.read(&id, offset, length),
                    Place::Memory(files) => {
                        let file = files.get(&id).ok_or_else(|| io::ErrorKind::NotFound.into());
                        file.and_then(|file| piece(io::Cursor::new(file), offset, length))
                    }
                };
                Some(match bytes {
                    Ok(bytes) => Report::Read(transfer, bytes),
                    Err(error) => Report::Unreadable(transfer, error),
                })
            }
            Command::Remove(id) => {
                match &mut self.place {
                    Place::Directory(directory) => directory.remove(&id),
                    Place::Memory(files) => drop(files.remove(&id)),
                }
                None
            }
        }
    }

    fn begin(&mut self, transfer: Transfer, id: Arc<str>) -> Result<(), Report> {
        let writing = match &self.place {
            Place::Directory(directory) => directory.begin(&id).map(Writing::File),
            Place::Memory(_) => Ok(Writing::Memory(Vec::new())),
        };
        let writing = writing.map_err(|error| Report::Failed(transfer, error))?;
        self.uploads.insert(transfer, Upload { id, writing, hash: Sha256::new(), size: 0 });
        Ok(())
    }

    /// What comes after a failure is dropped, and reported as written: its sender may go on waiting.
    fn write(&mut self, transfer: Transfer, bytes: &[u8]) -> Report {
        let Some(upload) = self.uploads.get_mut(&transfer) else {
            return Report::Written(transfer, bytes.len());
        };
        let written = match &mut upload.writing {
            Writing::File(part) => part.write(bytes),
            Writing::Memory(held) => {
                held.extend_from_slice(bytes);
                Ok(())
            }
        };
        if let Err(error) = written {
            self.uploads.remove(&transfer);
            return Report::Failed(transfer, error);
        }
        upload.hash.update(bytes);
        upload.size += bytes.len() as u64;
        Report::Written(transfer, bytes.len())
    }

    fn finish(&mut self, transfer: Transfer) -> Option<Report> {
        let Upload { id, writing, hash, size } = self.uploads.remove(&transfer)?;
        let kept = match (writing, &mut self.place) {
            (Writing::File(part), Place::Directory(directory)) => directory.keep(part, &id),
            (Writing::Memory(bytes), Place::Memory(files)) => {
                files.insert(Arc::clone(&id), bytes.into());
                Ok(())
            }
            // Both are made from the same place.
            (Writing::File(_), Place::Memory(_)) | (Writing::Memory(_), Place::Directory(_)) => {
                return None;
            }
        };
        Some(match kept {
            Ok(()) => {
                let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                Report::Kept { transfer, id, size, sha256 }
            }
            Err(error) => Report::Failed(transfer, error),
        })
    }
}

/// Where files lie in a data directory.
pub fn directory_in(data: &Path) -> PathBuf {
    data.join("files")
}

#[cfg(test)]
mod tests;
