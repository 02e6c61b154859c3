//! A way out of the process that must not stop the loop: stdout and stderr.
//!
//! Either may be a terminal that was stopped with Ctrl-S, or a pipe that is not being read, and a
//! write to it would then block the whole chat. Rejected: non-blocking mode, because that flag
//! belongs to the open file, which the shell and other programs share. So a separate thread writes,
//! from a bounded queue. What does not fit is counted by the caller, and never waited for.

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// Pieces that may wait.
const QUEUE: usize = 1024;

/// How long the program waits at exit for the last pieces to be written.
const LAST_WAIT: Duration = Duration::from_millis(300);

/// Why a piece was not accepted.
pub(super) enum Refused {
    /// Too many wait. Here it is back.
    Full(Vec<u8>),
    /// The other end is closed permanently.
    Closed,
}

/// The loop's end of an output.
pub(super) struct Outlet {
    queue: SyncSender<Vec<u8>>,
    done: Receiver<()>,
}

impl Outlet {
    /// Starts a thread called `name` that writes to what `open` returns.
    ///
    /// # Errors
    /// What the system said when it had no thread to give.
    pub(super) fn start<W: Write>(
        name: &str,
        open: impl FnOnce() -> W + Send + 'static,
    ) -> std::io::Result<Outlet> {
        let (queue, pieces) = sync_channel::<Vec<u8>>(QUEUE);
        let (tell_done, done) = sync_channel(1);
        let write_all = move || {
            let mut writer = open();
            for piece in pieces {
                // A closed output does not stop the chat.
                if writer.write_all(&piece).and_then(|()| writer.flush()).is_err() {
                    break;
                }
            }
            let _ = tell_done.send(());
        };
        std::thread::Builder::new().name(name.to_owned()).spawn(write_all)?;
        Ok(Outlet { queue, done })
    }

    /// Hands a piece over.
    pub(super) fn send(&self, piece: Vec<u8>) -> Result<(), Refused> {
        self.queue.try_send(piece).map_err(|error| match error {
            TrySendError::Full(piece) => Refused::Full(piece),
            TrySendError::Disconnected(_) => Refused::Closed,
        })
    }

    /// Waits a moment for the last pieces to be taken; whether they were.
    pub(super) fn finish(self) -> bool {
        let Outlet { queue, done } = self;
        drop(queue);
        done.recv_timeout(LAST_WAIT).is_ok()
    }
}
