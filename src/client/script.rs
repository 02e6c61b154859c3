//! A shell script's side of the client: lines in on standard input, lines out on standard output.
//!
//! No escape sequences, no prompt, no editing; notices go to standard error. Standard input may be
//! a file, a pipe, /dev/null or closed. Both streams may be shared with other programs, so neither
//! is made non-blocking: one read follows each readiness, and one write, of at most
//! [`PIECE`] bytes, which is what POSIX lets a writable pipe take without waiting. So a slow
//! reader of our output does not keep us from reading our input, and two programs that pipe into
//! each other through a client do not deadlock.
//!
//! In plain lines the bytes are sent as they come. In IRC each line is taken as if it were typed,
//! once the server has accepted the registration, and only as fast as the server takes it: what is
//! still here when the connection is lost is sent over the next one.
//!
//! Bounds: `MAX_LINE`, and as much again of input that has been read ahead; input is read only while less than [`SEND_SOFT`] waits to be sent, the socket only
//! while less than [`OUTPUT_SOFT`] waits to be written.

use super::display::{DisplayItem, EventKind};
use super::event_loop::{INPUT, OUTPUT};
use super::irc::Irc;
use super::link::{Link, SEND_SOFT};
use super::options::Options;
use super::paint::Painter;
use super::plain::SentLines;
use super::{Notice, Severity, startup};
use crate::terminal::raw::{WRITE_WITHOUT_WAIT, unbuffered};
use crate::wire::clean::without_mark;
use chatloop_reactor::{Backend, Interest, Poller, Registration};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Bytes waiting to be written above which nothing more is read from the server.
pub const OUTPUT_SOFT: usize = 64 * 1024;

/// Bytes of one write to standard output.
pub const PIECE: usize = WRITE_WITHOUT_WAIT;

/// Bytes of one line of a script in IRC. A longer one is split.
const MAX_LINE: usize = 64 * 1024;

/// Standard input and output of a script.
pub struct Script {
    input: File,
    output: File,
    input_registration: Registration,
    output_registration: Registration,
    input_begun: bool,
    input_ended: bool,
    /// It could not be read to its end.
    pub input_failed: bool,
    output_closed: bool,
    sent: SentLines,
    /// Bytes to be written.
    pending: VecDeque<u8>,
    pub painter: Painter,
    /// The style of errors on standard error.
    red: &'static str,
    json: bool,
    quiet: bool,
    literal: bool,
    /// In IRC, the beginning of a line of input.
    begun: Vec<u8>,
    /// Files to upload in place of input.
    uploads: VecDeque<PathBuf>,
}

impl Script {
    /// On this process's standard input and output.
    ///
    /// # Errors
    /// There were no descriptors left.
    pub fn new(timestamps: bool, red: &'static str, options: &Options) -> io::Result<Script> {
        Ok(Script {
            input: unbuffered(io::stdin())?,
            output: unbuffered(io::stdout())?,
            input_registration: Registration::new(INPUT),
            output_registration: Registration::new(OUTPUT),
            input_begun: false,
            input_ended: !options.upload.is_empty(),
            input_failed: false,
            output_closed: false,
            sent: SentLines::default(),
            pending: VecDeque::new(),
            painter: Painter::new(false, timestamps),
            red,
            json: options.json,
            quiet: options.quiet || !options.upload.is_empty(),
            literal: options.literal,
            begun: Vec::new(),
            uploads: options.upload.iter().cloned().collect(),
        })
    }

    /// Whether standard input has been read to its end, and in IRC the server has taken all of it.
    pub fn has_sent_all(&self, irc: &Irc) -> bool {
        let taken = irc.as_ref().is_none_or(|session| session.is_idle());
        self.input_ended && self.begun.is_empty() && self.uploads.is_empty() && taken
    }

    /// Whether standard output was closed by its reader.
    pub fn output_closed(&self) -> bool {
        self.output_closed
    }

    pub fn has_quit(&self, irc: &Irc) -> bool {
        self.sent.quit || irc.as_ref().is_some_and(|session| session.has_quit())
    }

    /// Whether more lines from the server are accepted.
    pub fn is_listening(&self) -> bool {
        self.pending.len() < OUTPUT_SOFT
    }

    /// The server has closed the connection. That may be its response to the last line, while the
    /// end of the input is still unread; so check for it, without blocking.
    pub fn look_for_end_of_input(&mut self) {
        let mut events = Vec::new();
        let ready = Poller::new(Backend::Poll).and_then(|mut poller| {
            poller.add(&self.input, INPUT, Interest::READ)?;
            poller.wait(&mut events, Some(Duration::ZERO))
        });
        if ready.is_ok() && !events.is_empty() && matches!(self.input.read(&mut [0]), Ok(0)) {
            self.input_ended = true;
        }
    }

    /// Standard input is ready: read once and send it.
    pub fn input_ready(&mut self, scratch: &mut [u8], link: &mut Link, irc: &mut Irc) {
        match self.input.read(scratch) {
            Ok(0) => self.end_input(link, irc),
            Ok(count) => {
                let first = !std::mem::replace(&mut self.input_begun, true);
                let bytes = &scratch[..count];
                let bytes = if first { without_mark(bytes) } else { bytes };
                if irc.is_some() {
                    self.begun.extend_from_slice(bytes);
                    return self.type_lines(irc);
                }
                self.sent.follow(bytes);
                link.send(bytes);
            }
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => {}
                _ => {
                    let text = format!("could not read standard input: {error}");
                    startup::to_stderr(&Notice::error(text), self.red);
                    self.input_failed = true;
                    self.end_input(link, irc);
                }
            },
        }
    }

    /// A last line without a newline is completed: the server would wait for the rest of it.
    fn end_input(&mut self, link: &mut Link, irc: &mut Irc) {
        self.input_ended = true;
        if !self.begun.is_empty() {
            self.begun.push(b'\n');
            self.type_lines(irc);
        }
        if self.sent.inside_line {
            self.sent.follow(b"\n");
            link.send(b"\n");
        }
    }

    /// Takes whole lines as if typed, up to one that joins or leaves a room: what follows belongs
    /// to the room that is current then, and waits for the server's answer.
    fn type_lines(&mut self, irc: &mut Irc) {
        let Some(session) = irc else { return };
        let now = self.painter.now.timestamp();
        while session.is_settled()
            && !session.is_full()
            && let Some(file) = self.uploads.pop_front()
        {
            session.upload_file(file, now);
        }
        let begun = std::mem::take(&mut self.begun);
        let mut rest = &begun[..];
        while ((session.is_settled() && !session.is_full()) || session.has_quit())
            && let Some(end) = memchr::memchr(b'\n', rest).or_else(|| longest_piece(rest))
        {
            let line = String::from_utf8_lossy(&rest[..end]);
            let line = line.trim_end_matches('\r');
            if !self.literal && session.must_wait(line) {
                break;
            }
            rest = rest[end..].strip_prefix(b"\n").unwrap_or(&rest[end..]);
            if line.trim().is_empty() || session.has_quit() {
                continue;
            }
            if self.literal { session.said(line, now) } else { session.typed(&[line], now) }
        }
        self.begun = rest.to_vec();
        self.show(session.take_shown());
    }

    /// Standard output is writable or closed: writes once.
    ///
    /// # Errors
    /// A full disk, for example. A closed pipe is no error.
    pub fn output_ready(&mut self, hangup: bool) -> io::Result<()> {
        let (front, _) = self.pending.as_slices();
        match self.output.write(&front[..front.len().min(PIECE)]) {
            Ok(count) => drop(self.pending.drain(..count)),
            Err(error) => self.output_failed(error)?,
        }
        // Writing nothing to a closed pipe succeeds; only the poller knows.
        self.output_closed |= hangup && self.pending.is_empty();
        Ok(())
    }

    fn output_failed(&mut self, error: io::Error) -> io::Result<()> {
        match error.kind() {
            io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => Ok(()),
            io::ErrorKind::BrokenPipe => {
                self.output_closed = true;
                self.pending.clear();
                Ok(())
            }
            kind => {
                let text = format!("could not write to standard output: {error}");
                Err(io::Error::new(kind, text))
            }
        }
    }

    /// A line from the server.
    pub fn line(&mut self, line: &[u8], irc: &mut Irc) {
        if self.output_closed && irc.is_none() {
            return;
        }
        let Some(session) = irc else {
            return self.show(vec![DisplayItem::Line(line.to_owned())]);
        };
        session.receive(line, self.painter.now.timestamp());
        self.refresh(irc);
    }

    /// Shows what the session has to show, and goes on with the input.
    pub fn refresh(&mut self, irc: &mut Irc) {
        let Some(session) = irc else { return };
        self.show(session.take_shown());
        if !self.begun.is_empty() || !self.uploads.is_empty() {
            self.type_lines(irc);
        }
    }

    /// Queues items for standard output; the client's own errors go to standard error.
    pub fn show(&mut self, items: Vec<DisplayItem>) {
        for item in items {
            match &item {
                DisplayItem::Notice(notice) if notice.severity == Severity::Note => {}
                DisplayItem::Notice(notice) => startup::to_stderr(notice, self.red),
                DisplayItem::Event(event) if self.quiet && event.kind == EventKind::Error => {
                    startup::to_stderr(&Notice::error(&event.shown), self.red);
                }
                _ if self.output_closed || self.quiet => {}
                // A script knows what it has sent; a program wants the ids.
                DisplayItem::Message(message)
                    if message.own && message.room.is_some() && !message.past && !self.json => {}
                _ if self.json => {
                    let object = super::json::object(&item, self.painter.now.timestamp());
                    object.iter().for_each(|object| self.push_line(object.as_bytes()));
                }
                _ => {
                    let lines = self.painter.item(&item, false, None);
                    if !lines.is_empty()
                        && let Some(day) = self.painter.day_line()
                    {
                        self.push_line(day.as_bytes());
                    }
                    lines.iter().for_each(|line| self.push_line(line));
                }
            }
        }
    }

    /// Queues a line for standard output.
    pub fn push_line(&mut self, line: &[u8]) {
        self.pending.extend(line);
        self.pending.push_back(b'\n');
    }

    /// Registers the current interest with the poller.
    ///
    /// # Errors
    /// The poller's.
    pub fn update(&mut self, poller: &mut Poller, link: &Link, irc: &Irc) -> io::Result<()> {
        let ready = irc.as_ref().is_none_or(|session| {
            session.is_settled() && self.begun.len() <= MAX_LINE && !session.has_quit()
        });
        let reads = !self.input_ended && link.is_up() && link.unsent() < SEND_SOFT && ready;
        // While it is not read it is not watched: a pipe whose writer has gone reports a hangup at
        // every wait, and the loop would spin.
        if reads {
            self.input_registration.set(poller, &self.input, Interest::READ)?;
        } else {
            self.input_registration.clear(poller, &self.input)?;
        }
        if self.output_closed {
            return self.output_registration.clear(poller, &self.output);
        }
        let writes = if self.pending.is_empty() { Interest::NONE } else { Interest::WRITE };
        self.output_registration.set(poller, &self.output, writes)
    }

    /// Writes the rest, blocking: there is nothing else left to do.
    ///
    /// # Errors
    /// A full disk, for example. A closed pipe is no error.
    pub fn finish(&mut self) -> io::Result<()> {
        let written = self.output.write_all(self.pending.make_contiguous());
        written.or_else(|error| self.output_failed(error))
    }
}

/// Where a line that is too long is split: not inside a character.
fn longest_piece(line: &[u8]) -> Option<usize> {
    let starts = |at: &usize| line[*at] & 0xc0 != 0x80;
    (line.len() > MAX_LINE).then(|| (MAX_LINE - 3..=MAX_LINE).rfind(starts).unwrap_or(MAX_LINE))
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINE, longest_piece};

    #[test]
    fn an_endless_line_is_split_between_characters() {
        for (letter, piece) in [("x", MAX_LINE), ("日", MAX_LINE - 1), ("👋a", MAX_LINE - 1)] {
            assert_eq!(
                longest_piece(letter.repeat(MAX_LINE + 1).as_bytes()),
                Some(piece),
                "{letter}"
            );
        }
        assert_eq!(longest_piece(&[0x80; MAX_LINE + 1]), Some(MAX_LINE));
        assert_eq!(longest_piece(&[b'x'; MAX_LINE]), None);
    }
}
