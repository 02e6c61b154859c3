//! What the operator sees of the chat on stdout.
//!
//! stdout may be a terminal that somebody has stopped with Ctrl-S, or a pipe that nobody reads,
//! and a write to it would then block the whole chat. It cannot be made non-blocking either: that
//! flag belongs to the open file, which the shell and other programs share. So a thread of its own
//! writes, from a bounded queue; what does not fit is counted and said, never waited for.

use crate::chat::{Event, Perspective};
use crate::session::{Format, Look};
use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Turns whose lines may wait for stdout.
const QUEUE: usize = 1024;

/// Bytes of one turn's lines; more are left out.
const MOST_PER_TURN: usize = 64 * 1024;

/// How long the end of the server waits for stdout to take the last lines.
const LAST_WAIT: Duration = Duration::from_millis(300);

struct Writer {
    queue: SyncSender<Vec<u8>>,
    done: Receiver<()>,
    _thread: JoinHandle<()>,
}

/// The transcript of the chat.
pub(super) struct Transcript {
    writer: Option<Writer>,
    lines: Vec<u8>,
    left_out: u64,
}

impl Transcript {
    /// No transcript.
    pub(super) fn silent() -> Transcript {
        Transcript { writer: None, lines: Vec::new(), left_out: 0 }
    }

    /// A transcript on stdout. Without a thread to be had there is none.
    pub(super) fn on_stdout() -> Transcript {
        let (queue, lines) = sync_channel::<Vec<u8>>(QUEUE);
        let (tell_done, done) = sync_channel(1);
        let write_all = move || {
            let mut stdout = std::io::stdout().lock();
            for turn in lines {
                // A closed stdout is no reason to stop the chat.
                if stdout.write_all(&turn).and_then(|()| stdout.flush()).is_err() {
                    break;
                }
            }
            let _ = tell_done.send(());
        };
        let thread = std::thread::Builder::new().name("transcript".into()).spawn(write_all);
        let writer = thread.ok().map(|thread| Writer { queue, done, _thread: thread });
        Transcript { writer, ..Transcript::silent() }
    }

    /// Adds what happened.
    pub(super) fn say(&mut self, event: &Event) {
        if self.writer.is_none() {
            return;
        }
        if self.lines.len() > MOST_PER_TURN {
            self.left_out += 1;
            return;
        }
        Format::Plain(Look::default()).render(event, Perspective::Other, &mut self.lines);
    }

    /// Hands this turn's lines to the thread.
    pub(super) fn end_turn(&mut self) {
        let Some(writer) = &self.writer else { return };
        if self.lines.is_empty() {
            return;
        }
        if self.left_out > 0 {
            // Writing to a Vec cannot fail.
            let _ =
                writeln!(self.lines, "* {} lines are missing here: stdout is slow", self.left_out);
        }
        match writer.queue.try_send(std::mem::take(&mut self.lines)) {
            Ok(()) => self.left_out = 0,
            Err(TrySendError::Full(lines)) => {
                self.left_out += memchr::memchr_iter(b'\n', &lines).count() as u64;
            }
            Err(TrySendError::Disconnected(_)) => self.writer = None,
        }
    }

    /// Waits a moment for the last lines to be written.
    pub(super) fn finish(&mut self) {
        if let Some(Writer { queue, done, .. }) = self.writer.take() {
            drop(queue);
            let _ = done.recv_timeout(LAST_WAIT);
        }
    }
}
