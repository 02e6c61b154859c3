//! How does the server stop? Everyone gets a goodbye and what they are owed, for a second at most.
//!
//! A second request to stop is meant: then it ends at once. What was kept stays kept either way, since
//! the journal is closed in both.

use super::connection::{Connection, Phase};
use super::turn::{Due, Server};
use crate::journal::{Journal, Limits};
use crate::reactor::{Signal, Token};
use log::{error, info};
use std::time::Duration;

/// How long an orderly stop may take to send what is queued.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// How the server ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// In order, on request.
    Orderly,
    /// At once, on a second request.
    Hasty,
}

impl Server {
    /// A first request to stop is an orderly end; a second one is meant.
    pub(super) fn stop(&mut self, signal: Signal) {
        if std::mem::replace(&mut self.stopping, true) {
            self.ending = Some(Ending::Hasty);
            return;
        }
        info!("{signal:?}: stopping; {} clients get a goodbye", self.connections.len());
        for listener in self.listeners.drain(..) {
            if let Err(error) = self.poller.remove(&listener) {
                error!("cannot stop watching a listener: {error}");
            }
        }
        for token in self.connections.tokens() {
            self.end_of_waiting(token);
            self.say_last(token, "the server is shutting down, goodbye");
            self.start_draining(token);
        }
        self.timers.arm(self.now + STOP_PATIENCE, Due::StopNow);
    }

    /// The stop is over when everyone has got what they were owed.
    pub(super) fn end_if_drained(&mut self) {
        let owed = |(_, connection): (Token, &Connection)| {
            !matches!(connection.phase, Phase::Lingering | Phase::Gone)
        };
        if self.stopping && self.ending.is_none() && !self.connections.iter().any(owed) {
            self.ending = Some(Ending::Orderly);
        }
    }

    /// Closes what is left. What clients said last is read first: to close a socket with unread
    /// input would send a reset, which may overtake the goodbye.
    pub(super) fn close_all(&mut self) {
        for token in self.connections.tokens() {
            if let Some(mut connection) = self.connections.remove(token) {
                let _ = connection.transport.read(&mut self.scratch);
            }
        }
        let nothing = Journal::memory(&Limits::default());
        std::mem::replace(&mut self.journal, nothing).close();
        self.close_console();
        self.transcript.finish();
        info!(
            "stopped after {} turns, {} bytes in, {} bytes out",
            self.turns, self.bytes_in, self.bytes_out
        );
    }

    /// The orderly stop has lasted long enough.
    pub(super) fn stop_now(&mut self) {
        info!("some clients did not take their goodbye within {STOP_PATIENCE:?}");
        self.ending = Some(Ending::Orderly);
    }
}
