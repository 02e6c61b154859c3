//! What the loop does, for whoever watches it: events of the turn, written by a thread of its own.
//!
//! Every station notes what it has done, one event for each connection and phase and never one for
//! each delivery, in a [`Ring`]. At the end of a turn what is new is handed to the thread that makes
//! text of it. If that is slow, the ring goes on and the trace says how many events are missing.
//! Switched off, an event costs one look at a flag.
//!
//! Limits: an event has the time of its turn, only phases are measured. Message texts are never in
//! a trace: it is pasted into homework.

use crate::wire::trace::{Chrome, Entry, Turn};
use chatloop_reactor::trace::{Reader, Ring};
use chatloop_reactor::{Clock, Interest, Token};
use log::error;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Events that the ring holds: 1.5 MB.
const EVENTS: usize = 65_536;

/// Turns that may wait for the thread.
const BATCHES: usize = 64;

/// Above so many connections that were written all they had, a turn's text has their sum alone.
const WRITES_SHOWN: u64 = 16;

/// The form of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum TraceFormat {
    /// Lines for people, and for chatloop-lab trace
    Text,
    /// JSON for Perfetto (ui.perfetto.dev): the last ten seconds, written at the end
    Chrome,
}

/// A part of the turn.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Read,
    Commands,
    Timers,
    Journal,
    Answers,
    Flush,
    Reap,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Phase::Read => "read",
            Phase::Commands => "commands",
            Phase::Timers => "timers",
            Phase::Journal => "journal",
            Phase::Answers => "answers",
            Phase::Flush => "flush",
            Phase::Reap => "reap",
        }
    }
}

/// What happened. Connections by the number of their slot.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A turn began so many nanoseconds after the trace; how long the loop had waited is in the
    /// next event.
    Turn {
        number: u64,
        began: u64,
        ready: u32,
    },
    Waited {
        time: u64,
    },
    /// A phase ended, so many nanoseconds after the turn began.
    Phase {
        phase: Phase,
        spent: u64,
    },
    Accepted {
        client: u32,
    },
    Read {
        client: u32,
        bytes: u32,
        outcome: ReadOutcome,
    },
    Lines {
        client: u32,
        lines: u32,
        bytes: u32,
    },
    Record {
        client: u32,
        id: u64,
    },
    /// Events of a room, rendered once for each format and queued for so many connections.
    Run {
        events: u32,
        clients: u32,
    },
    Written {
        client: u32,
        bytes: u32,
        left: u32,
    },
    Watch {
        client: u32,
        read: bool,
        write: bool,
    },
    Timer {
        client: u32,
    },
    Closed {
        client: u32,
    },
}

const _: () = assert!(size_of::<Event>() <= 24, "one event costs the loop a copy of this size");

/// What a read was good for.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReadOutcome {
    Bytes,
    /// Bytes, and the inbox has no room for more.
    Full,
    /// It was ready to be read, and nothing was there.
    Nothing,
    /// The end of the input.
    Ended,
}

/// A name that a connection has from an event on.
struct Label {
    before: u64,
    client: u32,
    name: String,
}

/// What a turn has added.
struct Batch {
    lost: u64,
    /// The number of the first event.
    first: u64,
    events: Vec<Event>,
    labels: Vec<Label>,
}

/// A handle to the trace of the loop. All handles lead to the same one.
#[derive(Clone)]
pub(super) struct Trace(Rc<Inner>);

struct Inner {
    on: Cell<bool>,
    began: Instant,
    ring: RefCell<Ring<Event>>,
    reader: Cell<Reader>,
    labels: RefCell<Vec<Label>>,
    /// Read from the ring, and not yet accepted by the thread.
    waiting: Cell<Option<Batch>>,
    thread: RefCell<Option<(SyncSender<Batch>, JoinHandle<()>)>>,
}

impl Trace {
    /// A trace to a file, or to stdout (`-`), which is on at once; without one it stays off.
    ///
    /// # Errors
    /// The file cannot be written, or the system has no thread to give.
    pub(super) fn start(target: Option<(&Path, TraceFormat)>, clock: &Clock) -> io::Result<Trace> {
        let thread = match target {
            None => None,
            Some((path, format)) => {
                let out: Box<dyn Write + Send> = match path.to_str() {
                    Some("-") => Box::new(io::stdout()),
                    _ => Box::new(File::create(path)?),
                };
                let (queue, batches) = sync_channel(BATCHES);
                let path = path.to_owned();
                let write = move || Pen::new(BufWriter::new(out), format).run(&batches, &path);
                Some((queue, std::thread::Builder::new().name("trace".to_owned()).spawn(write)?))
            }
        };
        Ok(Trace(Rc::new(Inner {
            on: Cell::new(thread.is_some()),
            began: clock.now(),
            ring: RefCell::new(Ring::new(EVENTS)),
            reader: Cell::new(Reader::default()),
            labels: RefCell::new(Vec::new()),
            waiting: Cell::new(None),
            thread: RefCell::new(thread),
        })))
    }

    /// Notes an event, if the trace is on.
    #[inline]
    pub(super) fn note(&self, event: impl FnOnce() -> Event) {
        if self.0.on.get() {
            self.push(event());
        }
    }

    #[cold]
    fn push(&self, event: Event) {
        self.0.ring.borrow_mut().push(event);
    }

    /// A connection has this name from here on.
    #[inline]
    pub(super) fn label(&self, token: Token, name: impl FnOnce() -> String) {
        if self.0.on.get() {
            // A name of several words would be two columns of the text.
            let name = name().replace(char::is_whitespace, "_");
            let label =
                Label { before: self.0.ring.borrow().pushed(), client: number(token), name };
            self.0.labels.borrow_mut().push(label);
        }
    }

    /// The wait is over and a turn begins.
    pub(super) fn turn(&self, clock: &Clock, number: u64, waited: Duration, ready: usize) {
        self.note(|| {
            let began = nanoseconds(clock.now() - self.0.began);
            Event::Turn { number, began, ready: small(ready) }
        });
        self.note(|| Event::Waited { time: nanoseconds(waited) });
    }

    /// A phase has ended.
    #[inline]
    pub(super) fn phase(&self, phase: Phase, clock: &Clock) {
        self.note(|| Event::Phase { phase, spent: nanoseconds(clock.spent()) });
    }

    /// Hands what is new to the thread. As long as that has not kept up one batch waits, and what
    /// comes after it stays in the ring: no event is copied twice.
    pub(super) fn end_turn(&self) {
        if self.0.on.get() {
            self.hand_over();
        }
    }

    #[cold]
    fn hand_over(&self) {
        let mut thread = self.0.thread.borrow_mut();
        let Some((queue, _)) = &*thread else { return };
        for batch in self.batches() {
            match queue.try_send(batch) {
                Ok(()) => {}
                Err(TrySendError::Full(batch)) => return self.0.waiting.set(Some(batch)),
                // It could not write, and has said so.
                Err(TrySendError::Disconnected(_)) => {
                    self.0.on.set(false);
                    *thread = None;
                    return;
                }
            }
        }
    }

    /// What the thread has not got yet: the batch that waits, then what the ring has beyond it.
    fn batches(&self) -> impl Iterator<Item = Batch> {
        let Inner { ring, reader, labels, waiting, .. } = &*self.0;
        let unread = move || {
            let ring = ring.borrow();
            let mut ahead = reader.get();
            let (lost, events) = ahead.read(&ring);
            reader.set(ahead);
            let first = ring.pushed() - events.len() as u64;
            Batch { lost, first, events, labels: labels.take() }
        };
        waiting.take().into_iter().chain(std::iter::once_with(unread))
    }

    /// Whether events are noted.
    pub(super) fn is_on(&self) -> bool {
        self.0.on.get()
    }

    /// Switches it; whether there is one.
    pub(super) fn switch(&self, on: bool) -> bool {
        let exists = self.0.thread.borrow().is_some();
        self.0.on.set(on && exists);
        exists
    }

    /// Waits until all of it is written.
    pub(super) fn finish(&self) {
        if let Some((queue, thread)) = self.0.thread.take() {
            // If it has ended, there is no one to write the rest.
            let _ = self.batches().try_for_each(|batch| queue.send(batch));
            drop(queue);
            let _ = thread.join();
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A count within an event.
pub(super) fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The number that stands for a connection.
pub(super) fn number(token: Token) -> u32 {
    small(token.slot())
}

/// What the poller is asked for.
pub(super) fn watch(token: Token, interest: Interest) -> Event {
    Event::Watch { client: number(token), read: interest.readable, write: interest.writable }
}

/// The thread's end: makes turns of events and writes them.
struct Pen<W: Write> {
    out: W,
    format: TraceFormat,
    chrome: Chrome,
    turn: Turn,
    /// Events are missing: what is left of their turn is no turn.
    skips: bool,
    /// How much of the turn its phases have taken so far.
    spent: u64,
    /// Connections that were written all they had, and the bytes.
    whole: Vec<(u32, u32)>,
    names: HashMap<u32, String>,
}

impl<W: Write> Pen<W> {
    fn new(out: W, format: TraceFormat) -> Pen<W> {
        Pen {
            out,
            format,
            chrome: Chrome::default(),
            turn: Turn::default(),
            skips: true,
            spent: 0,
            whole: Vec::new(),
            names: HashMap::new(),
        }
    }

    fn run(mut self, batches: &Receiver<Batch>, path: &Path) {
        if let Err(error) = self.write_all(batches) {
            error!("the trace ends here: {}: {error}", path.display());
        }
    }

    fn write_all(&mut self, batches: &Receiver<Batch>) -> io::Result<()> {
        for batch in batches {
            self.take(batch)?;
            if self.format == TraceFormat::Text {
                self.out.flush()?;
            }
        }
        if self.format == TraceFormat::Chrome {
            self.chrome.write(&mut self.out)?;
        }
        self.out.flush()
    }

    fn take(&mut self, batch: Batch) -> io::Result<()> {
        if batch.lost > 0 {
            self.turn = Turn::default();
            self.whole.clear();
            self.add("lost", None, format!("{} events before this turn", batch.lost));
            self.skips = true;
        }
        let mut labels = batch.labels.into_iter().peekable();
        for (number, event) in (batch.first..).zip(batch.events) {
            while let Some(label) = labels.next_if(|label| label.before <= number) {
                self.names.insert(label.client, label.name);
            }
            self.take_event(event)?;
        }
        self.names.extend(labels.map(|label| (label.client, label.name)));
        Ok(())
    }

    fn take_event(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Turn { number, began, ready } => {
                let entries = std::mem::take(&mut self.turn.entries);
                self.turn = Turn { number, began, ready, entries, ..Turn::default() };
                self.spent = 0;
                self.skips = false;
            }
            _ if self.skips => {}
            Event::Waited { time } => self.turn.waited = time,
            Event::Phase { phase, spent } => {
                if matches!(phase, Phase::Flush) {
                    self.sum_up();
                }
                let length = spent.saturating_sub(self.spent);
                self.spent = spent;
                self.turn.phases.push((phase.name().to_owned(), length));
                if matches!(phase, Phase::Reap) {
                    return self.write_turn();
                }
            }
            Event::Accepted { client } => self.add("accept", Some(client), String::new()),
            Event::Read { client, bytes, outcome } => {
                let detail = match outcome {
                    ReadOutcome::Bytes => format!("{bytes} bytes"),
                    ReadOutcome::Full => format!("{bytes} bytes, the inbox is full"),
                    ReadOutcome::Nothing => "nothing (EAGAIN): readiness is a hint".to_owned(),
                    ReadOutcome::Ended => "the end of the input".to_owned(),
                };
                self.add("read", Some(client), detail);
            }
            Event::Lines { client, lines, bytes } => {
                let s = if lines == 1 { "" } else { "s" };
                self.add("lines", Some(client), format!("{lines} line{s}, {bytes} bytes"));
            }
            Event::Record { client, id } => {
                self.add("record", Some(client), format!("number {id}"))
            }
            Event::Run { events, clients } => {
                self.add("run", None, format!("{events} events for {clients} connections"));
            }
            Event::Written { client, bytes, left: 0 } => self.whole.push((client, bytes)),
            Event::Written { client, bytes, left } => {
                self.add("write", Some(client), format!("{bytes} bytes, {left} left"));
            }
            Event::Watch { client, read, write } => {
                let text = match (read, write) {
                    (true, true) => "read, write",
                    (true, false) => "read",
                    (false, true) => "write",
                    (false, false) => "nothing",
                };
                self.add("watch", Some(client), text.to_owned());
            }
            Event::Timer { client } => self.add("timer", Some(client), String::new()),
            Event::Closed { client } => {
                self.add("close", Some(client), String::new());
                self.names.remove(&client);
            }
        }
        Ok(())
    }

    fn add(&mut self, what: &str, client: Option<u32>, detail: String) {
        let connection = client.map(|client| {
            (client, self.names.get(&client).cloned().unwrap_or_else(|| "?".to_owned()))
        });
        self.turn.entries.push(Entry { what: what.to_owned(), connection, detail });
    }

    /// The connections that were written all they had: each, or the sum of many.
    fn sum_up(&mut self) {
        let whole = std::mem::take(&mut self.whole);
        if self.format == TraceFormat::Chrome || whole.len() as u64 <= WRITES_SHOWN {
            for (client, bytes) in whole {
                self.add("write", Some(client), format!("{bytes} bytes"));
            }
            return;
        }
        let bytes: u64 = whole.iter().map(|(_, bytes)| u64::from(*bytes)).sum();
        self.add("write", None, format!("{bytes} bytes to {} connections", whole.len()));
    }

    fn write_turn(&mut self) -> io::Result<()> {
        let turn = std::mem::take(&mut self.turn);
        match self.format {
            TraceFormat::Chrome => self.chrome.add(turn),
            TraceFormat::Text => write!(self.out, "{turn}")?,
        }
        Ok(())
    }
}
