//! The thread that makes turns of a loop's events and writes them: as text, or for Perfetto.

use super::event::{Event, FIXED, NO_CLIENT, News, Phase, REASONS, ReadOutcome};
use super::{Chrome, Entry, Turn};
use log::error;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

/// Above so many connections that were written all they had, a turn's text has their sum alone; and
/// so many of those that were ready are named.
const SHOWN: usize = 16;

/// The form of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum TraceFormat {
    /// Lines for people, and for chatloop-lab trace
    Text,
    /// JSON for Perfetto (ui.perfetto.dev): the last ten seconds, written at the end
    Chrome,
}

/// The thread's end: makes turns of events and writes them.
pub(super) struct Pen<W: Write> {
    out: W,
    format: TraceFormat,
    /// What is written in front of each turn.
    before: &'static str,
    chrome: Chrome,
    turn: Turn,
    /// Events are missing: what is left of their turn is no turn.
    skips: bool,
    /// How much of the turn its phases have taken so far.
    spent: u64,
    /// Connections that were written all they had, and the bytes.
    whole: Vec<(u32, u32)>,
    /// What was ready.
    ready: Vec<String>,
    names: HashMap<u32, Arc<str>>,
    /// Those told last: memory of the send queues, and timers.
    totals: (u64, u32),
}

impl<W: Write> Pen<W> {
    pub(super) fn new(out: W, format: TraceFormat, before: &'static str) -> Pen<W> {
        Pen {
            out,
            format,
            before,
            chrome: Chrome::default(),
            turn: Turn::default(),
            skips: true,
            spent: 0,
            whole: Vec::new(),
            ready: Vec::new(),
            names: HashMap::new(),
            totals: (0, 0),
        }
    }

    pub(super) fn run(mut self, batches: &Receiver<News>, path: &Path) {
        if let Err(error) = self.write_all(batches) {
            error!("the trace ends here: {}: {error}", path.display());
        }
    }

    fn write_all(&mut self, batches: &Receiver<News>) -> io::Result<()> {
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

    fn take(&mut self, news: News) -> io::Result<()> {
        if news.lost > 0 {
            self.turn = Turn::default();
            self.whole.clear();
            self.ready.clear();
            self.add("lost", None, format!("{} events before this turn", news.lost));
            self.skips = true;
        }
        let mut notes = news.notes.into_iter().peekable();
        for (number, event) in (news.first..).zip(news.events) {
            while let Some(note) = notes.next_if(|note| note.before <= number) {
                if note.is_name {
                    self.names.insert(note.client, note.text);
                } else if !self.skips {
                    self.add("text", Some(note.client), format!("{:?}", note.text));
                }
            }
            self.take_event(event)?;
        }
        let names = notes.filter(|note| note.is_name);
        self.names.extend(names.map(|note| (note.client, note.text)));
        Ok(())
    }

    fn take_event(&mut self, event: Event) -> io::Result<()> {
        if !self.ready.is_empty() && !matches!(event, Event::Ready { .. }) {
            self.sum_up_ready();
        }
        match event {
            Event::Turn { number, began, ready } => {
                let entries = std::mem::take(&mut self.turn.entries);
                self.turn = Turn { number, began, ready, entries, ..Turn::default() };
                self.spent = 0;
                self.skips = false;
            }
            _ if self.skips => {}
            Event::Waited { time } => self.turn.waited = time,
            Event::Ready { client, read, write, hangup } => {
                let how = [(read, "read"), (write, "write"), (hangup, "hangup")];
                let how: Vec<&str> = how.iter().filter(|(is, _)| *is).map(|(_, it)| *it).collect();
                self.ready.push(format!("{} {}", self.name(client), how.join("+")));
            }
            Event::Phase { phase, spent } => {
                if phase == Phase::Flush {
                    self.sum_up();
                }
                let length = spent.saturating_sub(self.spent);
                self.spent = spent;
                self.turn.phases.push((phase.name().to_owned(), length));
                if phase.ends_turn() {
                    return self.write_turn();
                }
            }
            Event::Written { client, bytes, left: 0 } => self.whole.push((client, bytes)),
            event => self.describe(event),
        }
        Ok(())
    }

    /// Adds the entry of what happened on a connection.
    fn describe(&mut self, event: Event) {
        let client = event.client().filter(|client| *client != NO_CLIENT);
        let (what, detail) = match event {
            Event::Accepted { .. } => ("accept", String::new()),
            Event::Read { bytes, outcome, .. } => ("read", came(bytes, outcome)),
            Event::Lines { lines, bytes, .. } => {
                ("lines", format!("{lines} line{}, {bytes} bytes", plural(lines)))
            }
            Event::Waits { reasons, bytes, .. } => {
                let reasons = REASONS.iter().enumerate().filter(|(bit, _)| reasons >> bit & 1 == 1);
                let reasons: Vec<&str> = reasons.map(|(_, reason)| *reason).collect();
                ("waits", format!("{bytes} bytes wait for {}", reasons.join(" and ")))
            }
            Event::Record { id, .. } => ("record", format!("number {id}")),
            Event::Run { events, clients, bytes, .. } => {
                let (of, to) = (plural(events), plural(clients));
                ("run", format!("{events} event{of} for {clients} connection{to}, {bytes} bytes"))
            }
            Event::Written { bytes, left, .. } => ("write", format!("{bytes} bytes, {left} left")),
            Event::Watch { read, write, .. } => {
                let text = match (read, write) {
                    (true, true) => "read, write",
                    (true, false) => "read",
                    (false, true) => "write",
                    (false, false) => "nothing",
                };
                ("watch", text.to_owned())
            }
            Event::Timer { .. } => ("timer", String::new()),
            Event::Closed { .. } => ("close", String::new()),
            Event::Fault { what, .. } => ("fault", what.name().to_owned()),
            Event::Totals { queued, timers } => {
                if std::mem::replace(&mut self.totals, (queued, timers)) == (queued, timers) {
                    return;
                }
                let s = plural(timers);
                ("total", format!("{queued} bytes held by the send queues, {timers} timer{s}"))
            }
            // For the page: the text has the bytes that are left.
            Event::Queue { .. }
            | Event::Turn { .. }
            | Event::Waited { .. }
            | Event::Ready { .. }
            | Event::Phase { .. } => return,
        };
        self.add(what, client, detail);
        if let Event::Closed { client } = event {
            self.names.remove(&client);
        }
    }

    /// What a descriptor is called: a connection by its number, too.
    fn name(&self, client: u32) -> String {
        let name = self.names.get(&client).map_or("?", |name| name);
        if client < FIXED { format!("{client} {name}") } else { name.to_owned() }
    }

    fn add(&mut self, what: &str, client: Option<u32>, detail: String) {
        let connection = client
            .map(|client| (client, self.names.get(&client).map_or("?", |name| name).to_owned()));
        self.turn.entries.push(Entry { what: what.to_owned(), connection, detail });
    }

    /// What was ready: the first of them by name.
    fn sum_up_ready(&mut self) {
        let mut ready = std::mem::take(&mut self.ready);
        let more = ready.len().saturating_sub(SHOWN);
        if more > 0 {
            ready.truncate(SHOWN);
            ready.push(format!("{more} more"));
        }
        self.add("ready", None, ready.join(", "));
    }

    /// The connections that were written all they had: each, or the sum of many.
    fn sum_up(&mut self) {
        let whole = std::mem::take(&mut self.whole);
        if self.format == TraceFormat::Chrome || whole.len() <= SHOWN {
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
            TraceFormat::Text => write!(self.out, "{}{turn}", self.before)?,
        }
        Ok(())
    }
}

/// What a read has found.
fn came(bytes: u32, outcome: ReadOutcome) -> String {
    match outcome {
        ReadOutcome::Bytes => format!("{bytes} bytes"),
        ReadOutcome::Full => format!("{bytes} bytes, the inbox is full"),
        ReadOutcome::Nothing => "nothing (EAGAIN): readiness is a hint".to_owned(),
        ReadOutcome::Ended => "the end of the input".to_owned(),
    }
}

/// The end of a noun behind a count.
fn plural(count: impl Into<u64>) -> &'static str {
    if count.into() == 1 { "" } else { "s" }
}
