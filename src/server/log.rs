//! The log: one line an event, to stderr or a file, by a thread that may be kept waiting.
//!
//! What stderr does not take in time, or not at all, is counted, and the count is the first thing
//! written when it takes something again.
//!
//! `--log` decides how much is logged by all of the program, and may change while it runs; where
//! it is not given, `RUST_LOG` decides, module by module if it likes.

use super::config::{Config, LogLevel};
use super::outlet::{Content, Full, Outlet};
use crate::wire::clean::clean_text;
use log::{LevelFilter, Metadata, Record};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// In [`LEVEL`]: RUST_LOG decides.
const BY_ENVIRONMENT: u8 = u8::MAX;

/// The level of `--log` as a number, 0 for off. Static, as the logger itself has to be.
static LEVEL: AtomicU8 = AtomicU8::new(BY_ENVIRONMENT);

/// Lines that wait for the console to print them; `None` while they go to stderr.
static HELD: Mutex<Option<Vec<u8>>> = Mutex::new(None);

/// Bytes of lines that wait for the console; what is more is left out.
const MOST_HELD: usize = 64 * 1024;

/// The log goes to a file.
static TO_FILE: AtomicBool = AtomicBool::new(false);

/// The file is to be opened anew: another program may have moved it away.
static REOPEN: AtomicBool = AtomicBool::new(false);

/// Opens the log's file anew before its next line, if it goes to one.
pub(super) fn reopen() {
    REOPEN.store(true, Ordering::Relaxed);
}

/// The log's file.
#[derive(Clone)]
struct LogFile {
    path: PathBuf,
    file: Arc<File>,
    /// It could not be opened anew, and that has been told.
    stale: bool,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<LogFile> {
        let options = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let named = |error| io::Error::other(format!("--log-file {}: {error}", path.display()));
        Ok(LogFile { path: path.to_owned(), file: Arc::new(options.map_err(named)?), stale: false })
    }
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if REOPEN.swap(false, Ordering::Relaxed) {
            match LogFile::open(&self.path) {
                Ok(opened) => *self = opened,
                // The old file takes it; the next line tries again.
                Err(why) => {
                    if !std::mem::replace(&mut self.stale, true) {
                        // If that fails, too, there is nowhere left to report it.
                        let _ = writeln!(
                            io::stderr(),
                            "chatloop-server: {why}; the log goes on in the old file"
                        );
                    }
                    REOPEN.store(true, Ordering::Relaxed);
                }
            }
        }
        (&*self.file).write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the log is written to the terminal, if stderr is one.
pub(super) fn is_on_stderr() -> bool {
    !TO_FILE.load(Ordering::Relaxed)
}

/// Keeps the log going. Call [`finish`](Log::finish) at the end, or its last lines may be lost.
pub struct Log {
    outlet: Arc<Mutex<Option<Outlet>>>,
    /// Where it goes, unless to stderr.
    file: Option<LogFile>,
}

/// What the loggers write their lines to.
#[derive(Clone)]
struct Line {
    outlet: Arc<Mutex<Option<Outlet>>>,
    left_out: u64,
}

impl Write for Line {
    /// The logger writes each event with one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(held) = &mut *HELD.lock().unwrap_or_else(PoisonError::into_inner) {
            if held.len() < MOST_HELD {
                held.extend_from_slice(line);
            }
            return Ok(line.len());
        }
        let outlet = self.outlet.lock().unwrap_or_else(PoisonError::into_inner);
        let mut piece = Vec::with_capacity(line.len());
        if self.left_out > 0 {
            piece.extend(Content::Log.note(self.left_out, "stderr is slow").into_bytes());
        }
        piece.extend_from_slice(line);
        match outlet.as_ref().map(|outlet| outlet.send(piece)) {
            Some(Ok(())) => self.left_out = 0,
            Some(Err(Full(_))) => self.left_out += 1,
            None => {}
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lets events through as `LEVEL` says.
struct Gate {
    by_environment: env_logger::Logger,
    all: env_logger::Logger,
}

impl Gate {
    fn chosen(&self) -> Result<LevelFilter, &env_logger::Logger> {
        match LEVEL.load(Ordering::Relaxed) {
            BY_ENVIRONMENT => Err(&self.by_environment),
            number => Ok(LevelFilter::iter().nth(number.into()).unwrap_or(LevelFilter::Info)),
        }
    }
}

impl log::Log for Gate {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match self.chosen() {
            Ok(filter) => metadata.level() <= filter,
            Err(logger) => logger.enabled(metadata),
        }
    }

    /// The one way into the log: what a line repeats of a stranger's text obeys no terminal.
    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let text = record.args().to_string();
        let logger = self.chosen().err().unwrap_or(&self.all);
        logger.log(
            &Record::builder()
                .metadata(record.metadata().clone())
                .module_path(record.module_path())
                .args(format_args!("{}", clean_text(&text)))
                .build(),
        );
    }

    fn flush(&self) {}
}

/// The way to the file, or else to stderr.
fn outlet_to(file: Option<LogFile>) -> io::Result<Outlet> {
    match file {
        Some(file) => Outlet::start(Content::Log, move || file),
        None => Outlet::start(Content::Log, io::stderr),
    }
}

impl Log {
    /// Starts the log as `--log` or RUST_LOG say, once in a process.
    ///
    /// # Errors
    /// What the system said when it had no thread to give, or no file.
    pub fn start(config: &Config) -> io::Result<Log> {
        let file = config.boot.log_file.as_deref().map(LogFile::open).transpose()?;
        TO_FILE.store(file.is_some(), Ordering::Relaxed);
        let outlet = Arc::new(Mutex::new(Some(outlet_to(file.clone())?)));
        let line = Line { outlet: Arc::clone(&outlet), left_out: 0 };
        let logger = || {
            let mut builder = env_logger::Builder::new();
            let target = env_logger::Target::Pipe(Box::new(line.clone()));
            builder.format_target(false).target(target);
            builder
        };
        let by_environment = logger().filter_level(LevelFilter::Info).parse_default_env().build();
        let all = logger().filter_level(LevelFilter::Trace).build();
        // Fails if this process has a logger already: that one stays.
        let _ = log::set_boxed_logger(Box::new(Gate { by_environment, all }));
        set_level(config.log);
        Ok(Log { outlet, file })
    }

    /// Writes one line that is no event, whatever the log's level: it answers the operator. Beside a
    /// log in a file, it is told on stderr, too.
    pub fn say(&self, text: &str) {
        let text = clean_text(text);
        if self.file.is_some() {
            eprintln!("{text}");
        }
        let outlet = self.outlet.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outlet) = outlet.as_ref() {
            // Full: there is no one to tell that to.
            let _ = outlet.send(format!("{text}\n").into_bytes());
        }
    }

    /// Waits a moment for what has been said to be taken: a console must not paint its row before
    /// the lines that belong above it.
    pub fn settle(&self) {
        let mut outlet = self.outlet.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = outlet.take() {
            old.finish();
            // Without another thread to be had there is no log.
            *outlet = outlet_to(self.file.clone()).ok();
        }
    }

    /// Waits a moment for the last lines to be taken.
    pub fn finish(self) {
        let outlet = self.outlet.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(outlet) = outlet {
            outlet.finish();
        }
    }
}

/// From here on this much is logged; without a level, what RUST_LOG says.
pub(super) fn set_level(level: Option<LogLevel>) {
    let number = level.map_or(BY_ENVIRONMENT, |level| level.filter() as u8);
    LEVEL.store(number, Ordering::Relaxed);
    log::set_max_level(level.map_or(LevelFilter::Trace, LogLevel::filter));
}

/// While this exists, the lines of the log wait for the console instead of going to stderr, where
/// they would be written across the line that is being typed.
pub(super) struct LogHold(());

impl LogHold {
    /// From here on they wait.
    pub(super) fn start() -> LogHold {
        *HELD.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
        LogHold(())
    }

    /// Those that wait, each with its end.
    pub(super) fn take(&self) -> Vec<u8> {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Drop for LogHold {
    fn drop(&mut self) {
        let left = HELD.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        if !left.is_empty() {
            // The console has ended by a panic. No one is left to be told of an error.
            let _ = io::stderr().write_all(&left);
        }
    }
}
