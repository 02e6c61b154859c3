//! A way out of the process that must not stop the loop: stdout and stderr.
//!
//! Either may be a terminal that was stopped with Ctrl-S, or a pipe that is not being read, and a
//! write to it would then block the whole chat. Rejected: non-blocking mode, because that flag
//! belongs to the open file, which the shell and other programs share. So a separate thread writes,
//! from a bounded queue. What does not fit is counted by the caller, and never waited for.
//!
//! An error is not the end: a disk that is full has space again one day, and a pipe may get another
//! reader. What cannot be written is counted, and once a second the count is written instead, as a
//! line that says how many lines are missing; when that succeeds, the output goes on.

use chatloop_reactor::Clock;
use log::{error, warn};
use std::io::{self, ErrorKind, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// Pieces that may wait.
const QUEUE: usize = 1024;

/// How long the program waits at exit for the last pieces to be written.
const LAST_WAIT: Duration = Duration::from_millis(300);

/// How long after an error it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What is written, and what is said about lines of it that are missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Content {
    Transcript,
    Log,
    /// Frames, of which the next one repairs what is missing.
    Console,
}

impl Content {
    fn name(self) -> &'static str {
        match self {
            Content::Transcript => "transcript",
            Content::Log => "log",
            Content::Console => "console",
        }
    }

    /// The line in place of those that are missing.
    pub(super) fn note(self, lines: u64, why: &str) -> String {
        match self {
            Content::Transcript => format!("* {lines} lines are missing here: {why}\n"),
            Content::Log => format!("{lines} log lines dropped here: {why}\n"),
            Content::Console => String::new(),
        }
    }
}

/// A piece that was not accepted, because too many wait. Here it is back.
pub(super) struct Full(pub(super) Vec<u8>);

/// The loop's end of an output.
pub(super) struct Outlet {
    queue: SyncSender<Vec<u8>>,
    done: Receiver<()>,
}

impl Outlet {
    /// Starts a thread that writes to what `open` returns, which must not buffer.
    ///
    /// # Errors
    /// What the system said when it had no thread to give.
    pub(super) fn start<W: Write>(
        content: Content,
        open: impl FnOnce() -> W + Send + 'static,
    ) -> io::Result<Outlet> {
        let (queue, pieces) = sync_channel::<Vec<u8>>(QUEUE);
        let (tell_done, done) = sync_channel(1);
        let write_all = move || {
            Pen { content, writer: open(), clock: Clock::system(), trouble: None }.run(&pieces);
            let _ = tell_done.send(());
        };
        std::thread::Builder::new().name(content.name().to_owned()).spawn(write_all)?;
        Ok(Outlet { queue, done })
    }

    /// Hands a piece over.
    pub(super) fn send(&self, piece: Vec<u8>) -> Result<(), Full> {
        self.queue.try_send(piece).map_err(|error| match error {
            // The thread ends when this is dropped, not before.
            TrySendError::Full(piece) | TrySendError::Disconnected(piece) => Full(piece),
        })
    }

    /// Waits a moment for the last pieces to be taken; whether they were.
    pub(super) fn finish(self) -> bool {
        let Outlet { queue, done } = self;
        drop(queue);
        done.recv_timeout(LAST_WAIT).is_ok()
    }
}

/// The thread's end.
struct Pen<W> {
    content: Content,
    writer: W,
    clock: Clock,
    trouble: Option<Trouble>,
}

/// The output cannot be written.
struct Trouble {
    /// Lines that are missing so far.
    missing: u64,
    why: String,
    retry_at: Instant,
    /// What has been written ends in the middle of a line.
    cut: bool,
}

impl<W: Write> Pen<W> {
    fn run(mut self, pieces: &Receiver<Vec<u8>>) {
        loop {
            self.clock.tick();
            let now = self.clock.now();
            let wait = self.trouble.as_ref().map(|it| it.retry_at.saturating_duration_since(now));
            let piece = match wait {
                None => pieces.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => pieces.recv_timeout(wait),
            };
            self.clock.tick();
            match piece {
                Ok(piece) => self.take(&piece),
                Err(RecvTimeoutError::Timeout) => self.take(b""),
                Err(RecvTimeoutError::Disconnected) => {
                    self.repaired(); // a last attempt to say what is missing
                    return;
                }
            }
        }
    }

    /// Writes a piece, or counts its lines.
    fn take(&mut self, piece: &[u8]) {
        let now = self.clock.now();
        if self.trouble.as_ref().is_some_and(|it| now < it.retry_at) || !self.repaired() {
            if let Some(trouble) = &mut self.trouble {
                trouble.missing += lines(piece);
            }
            return;
        }
        if let Err((written, error)) = self.write(piece) {
            let rest = &piece[written..];
            self.trouble = Some(Trouble {
                missing: lines(rest),
                why: error.to_string(),
                retry_at: now + RETRY,
                cut: written > 0 && piece[written - 1] != b'\n',
            });
            // The log cannot tell of itself.
            if self.content == Content::Transcript {
                error!("the transcript cannot be written, trying again every second: {error}");
            }
        }
    }

    /// Writes in place of what is missing how much that is; whether nothing is in the way any more.
    fn repaired(&mut self) -> bool {
        let Some(trouble) = &self.trouble else { return true };
        let mut note = if trouble.cut { "\n".to_owned() } else { String::new() };
        note += &self.content.note(trouble.missing, &trouble.why);
        let outcome = self.write(note.as_bytes());
        let Some(trouble) = &mut self.trouble else { return true };
        if let Err((written, error)) = outcome {
            trouble.cut |= written > 0;
            (trouble.why, trouble.retry_at) = (error.to_string(), self.clock.now() + RETRY);
            return false;
        }
        if self.content == Content::Transcript {
            warn!("the transcript is written again: {} lines are missing", trouble.missing);
        }
        self.trouble = None;
        true
    }

    /// Writes all of it; or how much was written, and what is wrong.
    fn write(&mut self, piece: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut written = 0;
        while written < piece.len() {
            match self.writer.write(&piece[written..]) {
                Ok(0) => return Err((written, ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        Ok(())
    }
}

/// Stdout without the buffer of the standard library, which would write what failed a second time.
pub(super) fn stdout() -> Box<dyn Write> {
    use std::os::fd::AsFd;
    match io::stdout().as_fd().try_clone_to_owned() {
        Ok(descriptor) => Box::new(std::fs::File::from(descriptor)),
        Err(_) => Box::new(io::stdout()),
    }
}

pub(super) fn lines(piece: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', piece).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatloop_reactor::TimeControl;
    use std::sync::{Arc, Mutex};
    use std::time::SystemTime;

    /// A disk with so many bytes left.
    #[derive(Clone)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Disk {
        fn new(space: usize) -> Disk {
            Disk(Arc::new(Mutex::new((Vec::new(), space))))
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
        }

        fn add_space(&self, bytes: usize) {
            self.0.lock().unwrap().1 += bytes;
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (text, space) = &mut *self.0.lock().unwrap();
            let count = bytes.len().min(*space);
            if count == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            text.extend_from_slice(&bytes[..count]);
            *space -= count;
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn pen(content: Content, disk: &Disk) -> (Pen<Disk>, TimeControl) {
        let (clock, time) = Clock::manual(SystemTime::UNIX_EPOCH);
        (Pen { content, writer: disk.clone(), clock, trouble: None }, time)
    }

    #[test]
    fn what_a_full_disk_did_not_take_is_counted_and_the_output_goes_on() {
        let disk = Disk::new(8);
        let (mut pen, time) = pen(Content::Log, &disk);
        pen.take(b"one\n");
        pen.take(b"two two\nthree\n");
        pen.take(b"four\n");
        assert_eq!(disk.text(), "one\ntwo ");
        disk.add_space(1_000);
        pen.take(b"five\n");
        assert_eq!(disk.text(), "one\ntwo ", "not before a second has passed");
        time.advance(RETRY);
        pen.clock.tick();
        pen.take(b"six\n");
        let full = io::Error::from(ErrorKind::StorageFull);
        let all = format!("one\ntwo \n4 log lines dropped here: {full}\nsix\n");
        assert_eq!(disk.text(), all);
        pen.take(b"seven\n");
        assert_eq!(disk.text(), all + "seven\n");
    }

    #[test]
    fn an_output_in_trouble_is_tried_once_a_second_also_when_nothing_comes() {
        let disk = Disk::new(0);
        let (mut pen, time) = pen(Content::Transcript, &disk);
        pen.take(b"lost\n");
        for _ in 0..3 {
            time.advance(RETRY);
            pen.clock.tick();
            pen.take(b"");
        }
        let missing = |pen: &Pen<Disk>| pen.trouble.as_ref().map(|it| it.missing);
        assert_eq!((missing(&pen), disk.text().as_str()), (Some(1), ""));
        disk.add_space(1_000);
        time.advance(RETRY);
        pen.clock.tick();
        pen.take(b"");
        assert_eq!(missing(&pen), None);
        assert!(disk.text().starts_with("* 1 lines are missing here: "), "{}", disk.text());
    }
}
