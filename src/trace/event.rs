//! The events of a turn: small, of one size, and the bytes that a page is sent of each.

use chatloop_reactor::fault::Injected;
use chatloop_reactor::{Interest, Outbox, Readiness, Token};
use std::sync::Arc;
use std::time::Duration;

/// A part of a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Phase {
    Read,
    Commands,
    Timers,
    Journal,
    Answers,
    Flush,
    Reap,
    Show,
}

impl Phase {
    /// In the order of a turn; `Show` is the client's last one.
    #[cfg(test)]
    pub const ALL: [Phase; 8] = [
        Phase::Read,
        Phase::Commands,
        Phase::Timers,
        Phase::Journal,
        Phase::Answers,
        Phase::Flush,
        Phase::Reap,
        Phase::Show,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Phase::Read => "read",
            Phase::Commands => "commands",
            Phase::Timers => "timers",
            Phase::Journal => "journal",
            Phase::Answers => "answers",
            Phase::Flush => "flush",
            Phase::Reap => "reap",
            Phase::Show => "show",
        }
    }

    /// Whether a turn is over with it.
    pub(super) fn ends_turn(self) -> bool {
        matches!(self, Phase::Reap | Phase::Show)
    }
}

/// What a read was good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ReadOutcome {
    Bytes,
    /// Bytes, and the inbox has no room for more.
    Full,
    /// It was ready to be read, and nothing was there.
    Nothing,
    /// The end of the input.
    Ended,
}

/// Why the next line of a connection waits, by the bits of a set.
pub const REASONS: [&str; 7] = [
    "its own records to be saved",
    "the answer to its last command",
    "its send queue: it does not read",
    "its flood limit",
    "the disk, which is behind with its upload",
    "other work of its address",
    "the next turn: its share of this one is used",
];

/// A part of what waits for a peer: which chunk, and how many bytes of it in units of 64.
pub type Slice = (u16, u16);

/// Slices of one event, and events of one connection.
const SLICES: usize = 4;
const PARTS: usize = 4;

/// What happened. Connections by the number of their slot.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A turn began so many nanoseconds after the trace; how long the loop had waited is in the
    /// next event.
    Turn { number: u64, began: u64, ready: u32 },
    /// How long the loop has waited.
    Waited { time: u64 },
    /// The poller has reported a descriptor.
    Ready { client: u32, read: bool, write: bool, hangup: bool },
    /// A phase ended, so many nanoseconds after the turn began.
    Phase { phase: Phase, spent: u64 },
    /// A connection was accepted.
    Accepted { client: u32 },
    /// Bytes were read; so many are in the inbox from here on.
    Read { client: u32, bytes: u32, inbox: u32, outcome: ReadOutcome },
    /// Lines were taken out of an inbox, and so many bytes are left in it.
    Lines { client: u32, lines: u32, bytes: u32, inbox: u32 },
    /// The next line of a connection waits: a set of reasons, and the bytes of its inbox.
    Waits { client: u32, reasons: u8, bytes: u32 },
    /// A record of a connection was applied.
    Record { client: u32, id: u64 },
    /// Events of a room, rendered once for each format and queued for so many connections.
    Run { events: u32, clients: u32, bytes: u32, chunk: u16 },
    /// Bytes were written to a socket, and so many are left to be sent.
    Written { client: u32, bytes: u32, left: u32 },
    /// What waits for a connection after the write, from the front, in so many parts.
    Queue { client: u32, part: u8, slices: [Slice; SLICES] },
    /// The poller is asked for something else.
    Watch { client: u32, read: bool, write: bool },
    /// A timer of a connection was due.
    Timer { client: u32 },
    /// A connection was closed.
    Closed { client: u32 },
    /// What there is at the end of a turn: the memory behind all send queues, and the timers.
    Totals { queued: u64, timers: u32 },
    /// A fault was injected (`--fault`).
    Fault { client: u32, what: Injected },
}

const _: () = assert!(size_of::<Event>() <= 24, "one event costs the loop a copy of this size");

/// Connections have lower numbers: from here on they are those of [`Token::fixed`].
pub(super) const FIXED: u32 = Token::fixed(0).slot() as u32;

/// The connection of a fault that concerns none.
pub const NO_CLIENT: u32 = u32::MAX;

/// A count within an event.
pub fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The number that stands for a connection.
pub fn number(token: Token) -> u32 {
    small(token.slot())
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Event {
    pub fn ready(ready: Readiness) -> Event {
        let Readiness { token, readable, writable, hangup } = ready;
        Event::Ready { client: number(token), read: readable, write: writable, hangup }
    }

    /// What the poller is asked for.
    pub fn watch(token: Token, interest: Interest) -> Event {
        Event::Watch { client: number(token), read: interest.readable, write: interest.writable }
    }

    /// What waits for a connection.
    pub fn queue(token: Token, outbox: &Outbox) -> impl Iterator<Item = Event> {
        let mut segments = outbox.iter().peekable();
        (0..PARTS as u8).map_while(move |part| {
            segments.peek()?;
            let mut slices = [(0, 0); SLICES];
            for (slice, segment) in slices.iter_mut().zip(&mut segments) {
                let units = u16::try_from(segment.len().div_ceil(64)).unwrap_or(u16::MAX);
                *slice = (segment.chunk() as u16, units);
            }
            Some(Event::Queue { client: number(token), part, slices })
        })
    }

    /// The connection that it is about.
    pub(super) fn client(&self) -> Option<u32> {
        match self {
            Event::Turn { .. }
            | Event::Waited { .. }
            | Event::Phase { .. }
            | Event::Run { .. }
            | Event::Totals { .. } => None,
            event => Some(event.row().client),
        }
    }

    /// As a [`Row`].
    pub fn row(&self) -> Row {
        let bits =
            |bits: [bool; 3]| bits.iter().rev().fold(0, |all, bit| all << 1 | u8::from(*bit));
        let row = |kind, client| Row { kind, client, ..Row::default() };
        match *self {
            Event::Turn { number, began, ready } => {
                Row { x: number, y: began, ..row(RowKind::Turn, ready) }
            }
            Event::Waited { time } => Row { x: time, ..row(RowKind::Waited, 0) },
            Event::Phase { phase, spent } => {
                Row { a: phase as u8, x: spent, ..row(RowKind::Phase, 0) }
            }
            Event::Accepted { client } => row(RowKind::Accepted, client),
            Event::Read { client, bytes, inbox, outcome } => Row {
                a: outcome as u8,
                x: bytes.into(),
                y: inbox.into(),
                ..row(RowKind::Read, client)
            },
            Event::Lines { client, lines, bytes, inbox } => {
                let b = u16::try_from(lines).unwrap_or(u16::MAX);
                Row { b, x: bytes.into(), y: inbox.into(), ..row(RowKind::Lines, client) }
            }
            Event::Record { client, id } => Row { x: id, ..row(RowKind::Record, client) },
            Event::Run { events, clients, bytes, chunk } => {
                Row { b: chunk, x: events.into(), y: bytes.into(), ..row(RowKind::Run, clients) }
            }
            Event::Written { client, bytes, left } => {
                Row { x: bytes.into(), y: left.into(), ..row(RowKind::Written, client) }
            }
            Event::Watch { client, read, write } => {
                Row { a: bits([read, write, false]), ..row(RowKind::Watch, client) }
            }
            Event::Timer { client } => row(RowKind::Timer, client),
            Event::Closed { client } => row(RowKind::Closed, client),
            Event::Waits { client, reasons, bytes } => {
                Row { a: reasons, x: bytes.into(), ..row(RowKind::Waits, client) }
            }
            Event::Queue { client, part, slices } => {
                let two = |at: usize| {
                    let word = |(chunk, units): Slice| u64::from(chunk) | u64::from(units) << 16;
                    word(slices[at]) | word(slices[at + 1]) << 32
                };
                Row { a: part, x: two(0), y: two(2), ..row(RowKind::Queue, client) }
            }
            Event::Ready { client, read, write, hangup } => {
                Row { a: bits([read, write, hangup]), ..row(RowKind::Ready, client) }
            }
            Event::Totals { queued, timers } => {
                Row { x: queued, y: timers.into(), ..row(RowKind::Totals, 0) }
            }
            Event::Fault { client, what } => Row { a: what as u8, ..row(RowKind::Fault, client) },
        }
    }
}

/// A text that belongs to the event of this number and those after it.
#[derive(Clone, Debug)]
pub struct Note {
    pub before: u64,
    pub client: u32,
    pub text: Arc<str>,
    /// It is what the connection is called from here on, and not a message.
    pub is_name: bool,
}

/// What was read of the ring.
pub struct News {
    /// Events that were overwritten before they could be read.
    pub lost: u64,
    /// Names are missing, too.
    pub lost_notes: bool,
    /// The number of the first event.
    pub first: u64,
    pub events: Vec<Event>,
    pub notes: Vec<Note>,
}

/// What a [`Row`] is about. `src/session/web/loop-model.js` has the same numbers and names.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u8)]
pub enum RowKind {
    // An `Event`, of the same name.
    #[default]
    Turn = 1,
    Waited,
    Phase,
    Accepted,
    Read,
    Lines,
    Record,
    Run,
    Written,
    Watch,
    Timer,
    Closed,
    Waits,
    Queue,
    Ready,
    Fault,
    Totals,
    /// Events were overwritten before the page had them; `x`: how many.
    Lost = 32,
    /// What holds for a connection; `a`: its interest, `b`: why its next line waits, `x` and `y`: the
    /// bytes of its inbox and of its send queue.
    State,
    /// What a connection is called, as a text behind the row.
    Name,
    /// The text of a message, behind the row.
    Text,
    /// The states of all connections follow.
    Snapshot = 40,
    /// The time (`x`), and how many timers (`client`) and connections (`y`) there are.
    Now,
    /// A timer: when it is due (`x`), whose it is, and what it is for, as a text behind the row.
    Deadline,
    /// Whether the loop waits for a step (`a`).
    Held,
    /// The first row: whether there are steps (`a`), the version (`b`), and the limits of an inbox
    /// (`client`) and of a send queue, soft (`x`) and hard (`y`).
    Hello = 48,
}

#[cfg(test)]
impl RowKind {
    pub const ALL: [RowKind; 26] = {
        use RowKind::*;
        [
            Turn, Waited, Phase, Accepted, Read, Lines, Record, Run, Written, Watch, Timer, Closed,
            Waits, Queue, Ready, Fault, Totals, Lost, State, Name, Text, Snapshot, Now, Deadline,
            Held, Hello,
        ]
    };
}

/// What a page is sent of one thing: 24 bytes, little-endian. What the fields mean depends on the
/// kind: see [`Event::row`] and [`RowKind`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Row {
    pub kind: RowKind,
    pub a: u8,
    pub b: u16,
    pub client: u32,
    pub x: u64,
    pub y: u64,
}

/// The size of a [`Row`] on its way.
pub const ROW: usize = 24;

impl Row {
    pub fn write(&self, out: &mut Vec<u8>) {
        let Row { kind, a, b, client, x, y } = self;
        out.extend([*kind as u8, *a]);
        out.extend(b.to_le_bytes());
        out.extend(client.to_le_bytes());
        out.extend(x.to_le_bytes());
        out.extend(y.to_le_bytes());
    }

    /// A row that a text follows, in as many rows as it takes.
    pub fn write_text(&self, text: &str, out: &mut Vec<u8>) {
        Row { b: text.len().min(usize::from(u16::MAX)) as u16, ..*self }.write(out);
        let start = out.len();
        out.extend_from_slice(&text.as_bytes()[..text.len().min(usize::from(u16::MAX))]);
        let length = (out.len() - start).next_multiple_of(ROW);
        out.resize(start + length, 0);
    }
}
