//! The ring that a loop writes what it does to, and the readers that it is handed to between turns.
//!
//! Every station notes what it has done, one event for each connection and phase and never one for
//! each delivery. At the end of a turn what is new is handed to the thread that makes text of it
//! (`pen`), and to the pages that are open. If one of them is slow, the ring goes on and the reader is
//! told how many events are missing. Switched off, an event costs one look at a flag.
//!
//! A descriptor may be hidden: that of a page that watches. Nothing is noted of it, and a turn that
//! was for hidden descriptors alone does not count.
//!
//! Limits: an event has the time of its turn, only phases are measured. Message texts are in a trace
//! only where they are asked for: it is pasted into homework.

use super::event::{Event, NO_CLIENT, News, Note, Phase, nanoseconds, number, small};
use super::pen::{Pen, TraceFormat};
use super::probes;
use chatloop_reactor::fault::Faults;
use chatloop_reactor::trace::{Reader, Ring};
use chatloop_reactor::{Clock, Readiness, Token};
use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Events that the ring holds: 1.5 MB.
const EVENTS: usize = 65_536;

/// Notes that are held beside it, each of at most [`LONGEST_NOTE`] bytes.
const NOTES: usize = 8_192;
const LONGEST_NOTE: usize = 240;

/// Turns that may wait for the thread.
const BATCHES: usize = 64;

/// How far someone has read.
#[derive(Clone, Copy, Default, Debug)]
pub struct Position {
    events: Reader,
    notes: Reader,
}

/// A handle to the trace of a loop. All handles lead to the same one.
#[derive(Clone)]
pub struct Trace(Rc<Inner>);

struct Inner {
    /// Events of this turn are noted.
    on: Cell<bool>,
    /// The file is to be written, from the next turn on.
    wanted: Cell<bool>,
    /// This turn is for the file, too: a whole one, or none of it.
    writing: Cell<bool>,
    /// Viewers: pages at `/loop` that read.
    viewers: Cell<usize>,
    texts: bool,
    began: Instant,
    ring: RefCell<Ring<Event>>,
    notes: RefCell<Ring<Note>>,
    position: Cell<Position>,
    /// Read from the ring, and not yet accepted by the thread.
    waiting: Cell<Option<News>>,
    thread: RefCell<Option<(SyncSender<News>, JoinHandle<()>)>>,
    hidden: RefCell<Vec<Token>>,
    /// Turns so far that were not hidden.
    turns: Cell<u64>,
    /// When the last of them ended, if hidden ones have followed it.
    ended: Cell<Option<Instant>>,
    faults: Option<Rc<Faults>>,
}

/// A new file, or the same one emptied, that others cannot read: a trace has nicks, addresses, and perhaps
/// what people say.
///
/// # Errors
/// What the system says.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

impl Trace {
    /// A trace to a file, or to stdout (`-`), which is on at once; without one it stays off until a
    /// page reads.
    ///
    /// # Errors
    /// The file cannot be written, or the system has no thread to give.
    pub fn start(
        target: Option<(&Path, TraceFormat)>,
        texts: bool,
        faults: Option<Rc<Faults>>,
        clock: &Clock,
    ) -> io::Result<Trace> {
        let thread = match target {
            None => None,
            Some((path, format)) => {
                let (out, before): (Box<dyn Write + Send>, &str) = match path.to_str() {
                    // In place of the console's prompt, which is painted again behind it.
                    Some("-") if io::stdout().is_terminal() => (Box::new(io::stdout()), "\r\x1b[K"),
                    Some("-") => (Box::new(io::stdout()), ""),
                    _ => (Box::new(create(path)?), ""),
                };
                let (queue, batches) = sync_channel(BATCHES);
                let path = path.to_owned();
                let write =
                    move || Pen::new(BufWriter::new(out), format, before).run(&batches, &path);
                Some((queue, std::thread::Builder::new().name("trace".to_owned()).spawn(write)?))
            }
        };
        Ok(Trace(Rc::new(Inner {
            on: Cell::new(thread.is_some()),
            wanted: Cell::new(thread.is_some()),
            writing: Cell::new(thread.is_some()),
            viewers: Cell::new(0),
            texts,
            began: clock.now(),
            ring: RefCell::new(Ring::new(EVENTS)),
            notes: RefCell::new(Ring::new(NOTES)),
            position: Cell::default(),
            waiting: Cell::new(None),
            thread: RefCell::new(thread),
            hidden: RefCell::default(),
            turns: Cell::new(0),
            ended: Cell::new(None),
            faults,
        })))
    }

    /// A program's trace to the file of its `--trace`, as text.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn to_file(path: &Path, clock: &Clock) -> io::Result<Trace> {
        let trace = Trace::start(Some((path, TraceFormat::Text)), false, None, clock);
        trace.map_err(|error| {
            io::Error::new(error.kind(), format!("--trace: cannot write the file: {error}"))
        })
    }

    /// A trace that stays off.
    pub fn off(clock: &Clock) -> Trace {
        match Trace::start(None, false, None, clock) {
            Ok(trace) => trace,
            Err(_) => unreachable!("nothing is opened"),
        }
    }

    /// Notes an event, if the trace is on.
    #[inline]
    pub fn note(&self, event: impl FnOnce() -> Event) {
        if self.0.on.get() {
            self.push(event());
        }
    }

    /// The same of any number of events.
    #[inline]
    pub fn note_all<E: IntoIterator<Item = Event>>(&self, events: impl FnOnce() -> E) {
        if self.0.on.get() {
            events().into_iter().for_each(|event| self.push(event));
        }
    }

    #[cold]
    fn push(&self, event: Event) {
        let client = event.client();
        let hides = |client| self.0.hidden.borrow().iter().any(|it| number(*it) == client);
        if client.is_some_and(hides) {
            return self.forget_faults();
        }
        let client = client.unwrap_or(NO_CLIENT);
        let faults = self.0.faults.iter().flat_map(|faults| faults.take());
        let faults = faults.map(|what| Event::Fault { client, what });
        let mut ring = self.0.ring.borrow_mut();
        for event in faults.chain([event]) {
            probes::pass(&event);
            ring.push(event);
        }
    }

    /// What has failed on purpose until now was on a hidden descriptor, and is noted nowhere.
    pub fn forget_faults(&self) {
        if let Some(faults) = &self.0.faults {
            faults.take();
        }
    }

    /// Nothing fails on purpose from here on.
    #[cfg(feature = "simulation")]
    pub fn stop_faults(&self) {
        if let Some(faults) = &self.0.faults {
            faults.stop();
        }
    }

    /// A connection has this name from here on.
    #[inline]
    pub fn label(&self, token: Token, name: impl FnOnce() -> String) {
        if self.0.on.get() || self.0.wanted.get() {
            // A name of several words would be two columns of the text.
            self.add_note(token, name().replace(char::is_whitespace, "_"), true);
        }
    }

    /// A message that the next event is about, sanitised, if texts are wanted.
    #[inline]
    pub fn text(&self, token: Token, text: impl FnOnce() -> Option<String>) {
        if self.0.on.get()
            && self.0.texts
            && let Some(text) = text()
        {
            self.add_note(token, text, false);
        }
    }

    #[cold]
    fn add_note(&self, token: Token, mut text: String, is_name: bool) {
        text.truncate(text.floor_char_boundary(LONGEST_NOTE));
        let (before, client) = (self.0.ring.borrow().pushed(), number(token));
        self.0.notes.borrow_mut().push(Note { before, client, text: text.into(), is_name });
    }

    /// Whether everything that is ready is hidden.
    pub fn hides(&self, ready: &[Readiness]) -> bool {
        let hidden = self.0.hidden.borrow();
        !hidden.is_empty()
            && !ready.is_empty()
            && ready.iter().all(|ready| hidden.contains(&ready.token))
    }

    /// Whether nothing is noted of this one.
    pub fn is_hidden(&self, token: Token) -> bool {
        self.0.hidden.borrow().contains(&token)
    }

    /// Nothing is noted of this descriptor from here on.
    pub fn hide(&self, token: Token) {
        self.0.hidden.borrow_mut().push(token);
    }

    /// It is gone, or an ordinary one again.
    pub fn show(&self, token: Token) {
        self.0.hidden.borrow_mut().retain(|hidden| *hidden != token);
    }

    /// The wait is over and a turn begins, unless it is for hidden descriptors alone. `slept` is when
    /// the wait began.
    #[inline]
    pub fn begin_turn(&self, clock: &Clock, slept: Instant, ready: &[Readiness]) {
        self.0.turns.set(self.0.turns.get() + 1);
        if self.0.writing.get() != self.0.wanted.get() {
            self.begin_or_end_writing();
        }
        let waited = || nanoseconds(clock.now().saturating_duration_since(slept));
        let is_probed = probes::turn(self.0.turns.get(), waited, ready.len());
        if self.0.wanted.get() || self.0.viewers.get() > 0 || is_probed {
            self.note_turn(clock, slept, ready);
        } else {
            self.0.on.set(false);
        }
    }

    #[cold]
    fn begin_or_end_writing(&self) {
        let wanted = self.0.wanted.get();
        if !self.0.writing.replace(wanted) {
            let events = Reader::from_here(&self.0.ring.borrow());
            self.0.position.set(Position { events, ..self.0.position.get() });
        }
    }

    #[cold]
    fn note_turn(&self, clock: &Clock, slept: Instant, ready: &[Readiness]) {
        self.0.on.set(true);
        let slept = self.0.ended.take().unwrap_or(slept);
        let number = self.0.turns.get();
        let began = nanoseconds(clock.now().saturating_duration_since(self.0.began));
        let hidden = self.0.hidden.borrow();
        let shown = || ready.iter().filter(|ready| !hidden.contains(&ready.token));
        self.push(Event::Turn { number, began, ready: small(shown().count()) });
        let waited = clock.now().saturating_duration_since(slept);
        self.push(Event::Waited { time: nanoseconds(waited) });
        shown().for_each(|ready| self.push(Event::ready(*ready)));
    }

    /// What happens until the next turn begins is hidden.
    pub fn begin_hidden(&self, slept: Instant) {
        self.0.on.set(false);
        self.0.ended.set(self.0.ended.get().or(Some(slept)));
    }

    /// A phase has ended.
    #[inline]
    pub fn phase(&self, phase: Phase, clock: &Clock) {
        self.note(|| Event::Phase { phase, spent: nanoseconds(clock.spent()) });
    }

    /// Hands what is new to the thread. As long as that has not kept up one batch waits, and what
    /// comes after it stays in the ring: no event is copied twice.
    #[inline]
    pub fn end_turn(&self) {
        if self.0.on.get() && self.0.writing.get() {
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
                    self.0.wanted.set(false);
                    *thread = None;
                    return;
                }
            }
        }
    }

    /// What the thread has not got yet: the batch that waits, then what the ring has beyond it.
    fn batches(&self) -> impl Iterator<Item = News> {
        let Inner { position, waiting, .. } = &*self.0;
        let unread = move || {
            let mut ahead = position.get();
            let news = self.read(&mut ahead, EVENTS);
            position.set(ahead);
            news
        };
        let unread = self.0.writing.get().then_some(unread);
        waiting.take().into_iter().chain(unread.into_iter().map(|unread| unread()))
    }

    /// What is new since `position`, the newest `most` events of it.
    pub fn read(&self, position: &mut Position, most: usize) -> News {
        let (ring, notes) = (self.0.ring.borrow(), self.0.notes.borrow());
        let (lost, events) = position.events.read_newest(&ring, most);
        let (lost_notes, notes) = position.notes.read(&notes);
        let first = ring.pushed() - events.len() as u64;
        News { lost, lost_notes: lost_notes > 0, first, events, notes }
    }

    /// Whether there is something new since `position`.
    pub fn has_news(&self, position: &Position) -> bool {
        position.events.is_behind(&self.0.ring.borrow())
    }

    /// One more viewer reads from here on.
    pub fn add_viewer(&self) -> Position {
        self.0.viewers.set(self.0.viewers.get() + 1);
        self.0.ended.set(None);
        self.here()
    }

    fn here(&self) -> Position {
        Position {
            events: Reader::from_here(&self.0.ring.borrow()),
            notes: Reader::from_here(&self.0.notes.borrow()),
        }
    }

    pub fn remove_viewer(&self) {
        self.0.viewers.set(self.0.viewers.get().saturating_sub(1));
    }

    /// Nanoseconds between the trace's beginning and `when`, negative before it.
    pub fn since_began(&self, when: Instant) -> i64 {
        let far = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        match when.checked_duration_since(self.0.began) {
            Some(time) => far(time),
            None => -far(self.0.began - when),
        }
    }

    /// Whether the events of this turn are noted.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.0.on.get()
    }

    /// Whether the file is written.
    pub fn is_wanted(&self) -> bool {
        self.0.wanted.get()
    }

    /// Switches the file, from the next turn on; whether there is one. Names are taken in at once.
    pub fn switch(&self, on: bool) -> bool {
        let exists = self.0.thread.borrow().is_some();
        if on && !self.0.writing.get() {
            self.0.position.set(self.here());
        }
        self.0.wanted.set(on && exists);
        exists
    }

    /// Waits until all of it is written.
    pub fn finish(&self) {
        if let Some((queue, thread)) = self.0.thread.take() {
            // If it has ended, there is no one to write the rest.
            let _ = self.batches().try_for_each(|batch| queue.send(batch));
            drop(queue);
            let _ = thread.join();
        }
    }
}
