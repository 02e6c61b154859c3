//! The log: one line an event, to stderr, by a thread that may be kept waiting.
//!
//! What stderr does not take in time is counted, and the count is the first thing written when it
//! takes something again.

use super::config::Config;
use super::outlet::{Outlet, Refused};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the log going. Call [`finish`](Log::finish) at the end, or its last lines may be lost.
pub struct Log {
    outlet: Arc<Mutex<Option<Outlet>>>,
}

/// What the logger writes its lines to.
struct Line {
    outlet: Arc<Mutex<Option<Outlet>>>,
    left_out: u64,
}

impl Write for Line {
    /// The logger writes each event with one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut outlet = self.outlet.lock().unwrap_or_else(PoisonError::into_inner);
        let mut piece = Vec::with_capacity(line.len());
        if self.left_out > 0 {
            writeln!(piece, "{} lines of the log are missing here: stderr is slow", self.left_out)?;
        }
        piece.extend_from_slice(line);
        match outlet.as_ref().map(|outlet| outlet.send(piece)) {
            Some(Ok(())) => self.left_out = 0,
            Some(Err(Refused::Full(_))) => self.left_out += 1,
            Some(Err(Refused::Closed)) => *outlet = None,
            None => {}
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Starts the log as `--log` or RUST_LOG say, once in a process.
    ///
    /// # Errors
    /// What the system said when it had no thread to give.
    pub fn start(config: &Config) -> io::Result<Log> {
        let outlet = Arc::new(Mutex::new(Some(Outlet::start("log", io::stderr)?)));
        let line = Line { outlet: Arc::clone(&outlet), left_out: 0 };
        let mut log = env_logger::Builder::new();
        log.filter_level(log::LevelFilter::Info).parse_default_env();
        if let Some(level) = config.log {
            log.filter_level(level.filter());
        }
        log.format_target(false).target(env_logger::Target::Pipe(Box::new(line))).init();
        Ok(Log { outlet })
    }

    /// Writes one line that is no event, whatever the log's level: it answers the operator.
    pub fn say(&self, text: &str) {
        let outlet = self.outlet.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outlet) = outlet.as_ref() {
            // Full or closed: there is nobody to tell that to.
            let _ = outlet.send(format!("{text}\n").into_bytes());
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
