//! One client: its socket, its buffers, and where it stands on the way from coming to going.
//!
//! ```text
//!          /quit, idle            left, farewell said       outbox empty          peer closes,
//!   Open ───────────────▶ Leaving ──────────────────▶ Draining ─────────▶ Lingering ─────────▶ Gone
//!     │                                                  ▲  we shut our half   a second passes  ▲
//!     ├──────────────────────────────────────────────────┘                                      │
//!     │    refused, server stops                                                                │
//!     └─────────────────────────────────────────────────────────────────────────────────────────┘
//!          connection broke, peer closed, hard limit
//! ```
//!
//! Invariant: what the poller is asked for is a pure function of this state
//! ([`Connection::interest`]); nobody switches interest by hand.

use super::limits::TokenBucket;
use crate::chat::{Change, QuitReason};
use crate::reactor::{Inbox, Interest, Outbox, Segment, TimerId, Transport};
use crate::session::{Dialect, Format};
use crate::wire::line::LineReader;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// Where a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Taking part.
    Open,
    /// Nothing more is taken from it; its leaving is written down and not yet in force.
    Leaving,
    /// Out of the chat; what it is owed is still sent.
    Draining,
    /// Our half is closed; what still arrives is thrown away until the peer closes, too.
    ///
    /// Why not just `close`? Because closing a socket with unread input makes the system send a
    /// reset, and a reset may destroy the goodbye that is still on its way to the peer.
    Lingering,
    /// To be taken out by the reaper.
    Gone,
}

/// Bounds of one connection's buffers, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) outbox_soft: usize,
    pub(super) outbox_hard: usize,
    pub(super) inbox: usize,
}

/// Records of one origin that are written down and not yet in force.
///
/// Words may follow words without waiting: a pasted book must not need one commit a line. But a
/// command is decided by the state that the lines before it have made, and words by where the
/// commands before them have led.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct PendingRecords {
    words: u32,
    others: u32,
}

impl PendingRecords {
    fn count(&mut self, change: &Change) -> &mut u32 {
        if matches!(change, Change::Say { .. }) { &mut self.words } else { &mut self.others }
    }

    /// One more is written down.
    pub(super) fn add(&mut self, change: &Change) {
        *self.count(change) += 1;
    }

    /// One of them is about to be applied.
    pub(super) fn remove(&mut self, change: &Change) {
        let count = self.count(change);
        *count = count.saturating_sub(1);
    }

    /// Whether a line may be understood and decided now; one of `words` may follow words.
    pub(super) fn allows(&self, words: bool) -> bool {
        self.others == 0 && (words || self.words == 0)
    }

    /// The same for a line of a plain peer: what does not begin like a command is words.
    pub(super) fn allows_line(&self, line: &[u8]) -> bool {
        self.allows(!line.starts_with(b"/") || line.starts_with(b"//"))
    }

    /// Whether nothing is to come of what was decided.
    pub(super) fn is_empty(&self) -> bool {
        self.others == 0 && self.words == 0
    }
}

/// Lines that wait behind answers of the journal, each answer with what came after its question.
#[derive(Default)]
struct Held {
    sections: VecDeque<Section>,
    bytes: usize,
}

/// The ticket of an answer that never comes: the journal's begin with 1.
const NO_TICKET: u64 = 0;

/// One answer that is awaited, and what has to follow it.
struct Section {
    ticket: u64,
    answer: Option<Segment>,
    /// Whether the answer is here; it may be here and be nothing.
    answered: bool,
    after: Vec<Segment>,
}

impl Held {
    /// Adds a segment behind everything.
    fn push(&mut self, segment: &Segment) {
        self.bytes += segment.len();
        if let Some(section) = self.sections.back_mut()
            && !section.after.last_mut().is_some_and(|last| last.merge(segment))
        {
            section.after.push(segment.clone());
        }
    }
}

/// How a connection ends. Apart and boxed: most of a connection's life there is nothing of it.
#[derive(Default)]
pub(super) struct Parting {
    /// Why it goes, if not in good order.
    pub(super) fault: Option<String>,
    /// Its own last words.
    pub(super) said: Option<Arc<str>>,
    /// The last it is to be told.
    pub(super) farewell: Option<String>,
}

/// Everything the server keeps of one client. Ten thousand of them wait in silence, so what is
/// rare stands in a box of its own.
pub(super) struct Connection {
    pub(super) transport: Transport,
    pub(super) address: SocketAddr,
    /// What its peer has chosen: looks, current room.
    pub(super) session: Dialect,
    /// The channel of its format in the delivery.
    pub(super) channel: usize,
    /// Lines that wait behind an answer of the journal.
    held: Option<Box<Held>>,
    /// Its lines wait until the journal or the worker has answered.
    pub(super) waits_for_answer: bool,
    pub(super) phase: Phase,
    /// What the poller was last asked for; `None` if it does not watch this one any more.
    pub(super) registered: Option<Interest>,
    pub(super) inbox: Inbox,
    pub(super) lines: LineReader,
    pub(super) outbox: Outbox,
    /// The peer has sent its last byte. It may still be listening.
    pub(super) input_ended: bool,
    /// Its input has ended and it was told so: from here on it only listens.
    pub(super) half_closed: bool,
    /// Nothing can be sent to it any more. What it sent before is still read, without the poller.
    pub(super) hung_up: bool,
    /// Whether the hub knows it: an `Enter` was written down and no `Leave` yet.
    pub(super) entered: bool,
    /// Whether it counts among the clients of its address.
    pub(super) counted: bool,
    /// Records of this origin that are written down and not yet applied.
    pub(super) pending: PendingRecords,
    /// A line of it waits until they are applied.
    pub(super) waits_for_records: bool,
    /// Its lines wait until the flood limit lets them.
    pub(super) flood: Option<TokenBucket>,
    pub(super) flood_warned: bool,
    pub(super) flood_wait: bool,
    /// Its lines wait until its outbox has been drained below the soft limit.
    pub(super) waits_for_outbox: bool,
    /// It is in the list of those to be flushed.
    pub(super) in_flush_list: bool,
    /// It is in the list of those whose input is to be looked at.
    pub(super) in_input_list: bool,
    /// The run that is being delivered leaves out something for it.
    pub(super) has_gap: bool,
    /// The one timer it has: idle while open, the end of patience while lingering.
    pub(super) timer: Option<TimerId>,
    pub(super) last_heard: Instant,
    /// Probes of an ended input so far, for their growing distance.
    pub(super) probes: u8,
    /// How it ends, once that is known.
    pub(super) parting: Option<Box<Parting>>,
}

impl Connection {
    pub(super) fn new(
        transport: Transport,
        address: SocketAddr,
        session: Dialect,
        channel: usize,
        flood: Option<TokenBucket>,
        now: Instant,
    ) -> Connection {
        Connection {
            transport,
            address,
            session,
            channel,
            held: None,
            waits_for_answer: false,
            phase: Phase::Open,
            registered: Some(Interest::READ),
            inbox: Inbox::new(),
            lines: LineReader::new(),
            outbox: Outbox::new(),
            input_ended: false,
            half_closed: false,
            hung_up: false,
            entered: false,
            counted: false,
            pending: PendingRecords::default(),
            waits_for_records: false,
            flood,
            flood_warned: false,
            flood_wait: false,
            waits_for_outbox: false,
            in_flush_list: false,
            in_input_list: false,
            has_gap: false,
            timer: None,
            last_heard: now,
            probes: 0,
            parting: None,
        }
    }

    /// What the poller is to be asked for: readable unless paused, ended or gone; writable only
    /// while the outbox holds something that a direct write could not get rid of.
    pub(super) fn interest(&self, bounds: &Bounds) -> Interest {
        let readable = match self.phase {
            Phase::Open => {
                !self.input_ended && self.inbox.room(bounds.inbox) > 0 && !self.paused(bounds)
            }
            Phase::Lingering => !self.input_ended,
            Phase::Leaving | Phase::Draining | Phase::Gone => false,
        };
        Interest { readable, writable: !self.outbox.is_empty() && self.phase != Phase::Gone }
    }

    /// Its own lines wait because it does not read what it is owed.
    pub(super) fn paused(&self, bounds: &Bounds) -> bool {
        self.outbox.len() > bounds.outbox_soft
    }

    /// Queues bytes for it. `false` if that takes its backlog over the hard limit.
    pub(super) fn queue(&mut self, segment: &Segment, bounds: &Bounds) -> bool {
        if matches!(self.phase, Phase::Lingering | Phase::Gone) {
            return true;
        }
        match &mut self.held {
            Some(held) => held.push(segment),
            None => self.outbox.push(segment),
        }
        self.owed() <= bounds.outbox_hard
    }

    /// How many bytes it is owed, those that wait behind an answer among them.
    pub(super) fn owed(&self) -> usize {
        self.outbox.len() + self.held.as_ref().map_or(0, |held| held.bytes)
    }

    /// From here on lines wait for the answer with this ticket, which has to come before them.
    pub(super) fn hold(&mut self, ticket: u64) {
        let section = Section { ticket, answer: None, answered: false, after: Vec::new() };
        self.held.get_or_insert_default().sections.push_back(section);
    }

    /// Keeps a line until it is known whether it is for this one.
    pub(super) fn put_aside(&mut self, segment: &Segment) {
        if self.held.is_none() {
            self.hold(NO_TICKET);
        }
        if let Some(held) = &mut self.held {
            held.push(segment);
        }
    }

    /// The lines put aside so far.
    pub(super) fn take_aside(&mut self) -> Vec<Segment> {
        let held = self.held.take();
        held.map_or_else(Vec::new, |held| {
            held.sections.into_iter().flat_map(|section| section.after).collect()
        })
    }

    /// Whether anything waits behind an answer.
    pub(super) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Whether lines wait for the answer with this ticket.
    pub(super) fn awaits(&self, ticket: u64) -> bool {
        let mut sections = self.held.iter().flat_map(|held| &held.sections);
        sections.any(|section| section.ticket == ticket && !section.answered)
    }

    /// An answer is here, or will not come: what waited for it goes to the outbox, as far as no
    /// earlier answer is awaited.
    pub(super) fn release(&mut self, ticket: u64, answer: Option<Segment>) {
        let Some(held) = &mut self.held else { return };
        if let Some(section) = held.sections.iter_mut().find(|section| section.ticket == ticket) {
            held.bytes += answer.as_ref().map_or(0, Segment::len);
            (section.answer, section.answered) = (answer, true);
        }
        while held.sections.front().is_some_and(|section| section.answered) {
            let Some(section) = held.sections.pop_front() else { break };
            for segment in section.answer.iter().chain(&section.after) {
                held.bytes -= segment.len();
                self.outbox.push(segment);
            }
        }
        if held.sections.is_empty() {
            self.held = None;
        }
    }

    /// How its lines look.
    pub(super) fn format(&self) -> Format {
        self.session.format()
    }

    /// How the others are told that it left.
    pub(super) fn departure(&mut self) -> QuitReason {
        let Some(parting) = &mut self.parting else { return QuitReason::Quit };
        match (parting.fault.take(), parting.said.take()) {
            (Some(reason), _) => QuitReason::Error(reason),
            (None, Some(words)) => QuitReason::Message(words),
            (None, None) => QuitReason::Quit,
        }
    }

    /// Something went wrong with it; the first fault is the one that is told.
    pub(super) fn blame(&mut self, reason: impl FnOnce() -> String) {
        self.parting.get_or_insert_default().fault.get_or_insert_with(reason);
    }
}
