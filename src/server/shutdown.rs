//! The end of the server: a graceful shutdown of a second at most, or an immediate one.
//!
//! A second request to stop is meant: then it ends at once. What was committed stays committed
//! either way, since the journal is closed in both.

use super::connection::Phase;
use super::net::{Net, TimerKind};
use chatloop_reactor::{Interest, Poller, Signal, Signals, Token};
use log::info;
use std::io;
use std::time::Duration;

/// How long a graceful shutdown may take to send what is queued.
const GRACE: Duration = Duration::from_secs(1);

/// How the server ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Gracefully, on request.
    Orderly,
    /// At once, on a second request.
    Hasty,
    /// While messages could not be saved.
    Unsaved,
}

/// The signals, and what was decided upon them.
pub(super) struct Shutdown {
    signals: Signals,
    stopping: bool,
    ending: Option<Ending>,
}

impl Shutdown {
    pub(super) fn new(signals: Signals) -> Shutdown {
        Shutdown { signals, stopping: false, ending: None }
    }

    /// Watches for them with another poller, too.
    pub(super) fn watch(&self, poller: &mut Poller, token: Token) -> io::Result<()> {
        poller.add(&self.signals, token, Interest::READ)
    }

    /// The signals that have come.
    pub(super) fn signals(&mut self) -> Vec<Signal> {
        self.signals.drain().into_iter().collect()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// A request to stop; whether it is the first, so that clients are to be notified.
    pub(super) fn begin(&mut self, signal: Signal, net: &mut Net) -> bool {
        if std::mem::replace(&mut self.stopping, true) {
            self.ending = Some(Ending::Hasty);
            return false;
        }
        let clients = match net.len() {
            1 => "1 client".to_owned(),
            count => format!("{count} clients"),
        };
        info!("{signal:?}: shutting down; notifying {clients}");
        net.after(GRACE, TimerKind::Shutdown);
        true
    }

    /// It is over when all clients have received what was queued for them.
    pub(super) fn end_turn(&mut self, net: &Net) {
        if self.stopping && self.ending.is_none() {
            let done = |phase| matches!(phase, Phase::Lingering | Phase::Gone);
            if net.connections().all(|connection| done(connection.life.phase)) {
                self.ending = Some(Ending::Orderly);
            }
        }
    }

    /// It has lasted long enough.
    pub(super) fn timer(&mut self) {
        info!("some clients did not receive the farewell within {GRACE:?}");
        self.ending = Some(Ending::Orderly);
    }
}
