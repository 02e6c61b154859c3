//! USDT probes: the trace for bpftrace, SystemTap, gdb and perf, in a server that runs already.
//!
//! A probe is a `nop` and a note in the executable of where its arguments are; a tracer puts a
//! breakpoint there. The provider is `chatloop`, and there is one for each event, by the name that the
//! event has in the text of a trace. `scripts/loop.bt` reads them.
//!
//! Attached to [`turn`], a tracer switches the noting of events on for as long as it is there, so
//! someone who wants others has to attach to this one, too. The others cost nothing until then: they are
//! passed where an event is put into the ring.
//!
//! Limits: Linux; numbers only, so a connection is the number of its slot.

use super::event::Event;
use probe::{probe, probe_lazy};

/// A turn begins: its number, how many nanoseconds the loop has waited, and how many descriptors are
/// ready. Whether a tracer is attached.
#[inline]
pub(super) fn turn(number: u64, waited: impl FnOnce() -> u64, ready: usize) -> bool {
    probe_lazy!(chatloop, turn, number, waited(), ready)
}

/// Passes the probe of an event.
pub(super) fn pass(event: &Event) {
    match *event {
        // Its probe has been passed: that decides whether there are events.
        Event::Turn { .. } | Event::Waited { .. } => {}
        // Of which connections it consists, `write` tells.
        Event::Queue { .. } => {}
        Event::Ready { client, read, write, hangup } => {
            probe!(chatloop, ready, client, read, write, hangup);
        }
        Event::Phase { phase, spent } => probe!(chatloop, phase, phase, spent),
        Event::Accepted { client } => probe!(chatloop, accept, client),
        Event::Read { client, bytes, inbox, outcome } => {
            probe!(chatloop, read, client, bytes, inbox, outcome);
        }
        Event::Lines { client, lines, bytes, inbox } => {
            probe!(chatloop, lines, client, lines, bytes, inbox);
        }
        Event::Waits { client, reasons, bytes } => probe!(chatloop, waits, client, reasons, bytes),
        Event::Record { client, id } => probe!(chatloop, record, client, id),
        Event::Run { events, clients, bytes, .. } => probe!(chatloop, run, events, clients, bytes),
        Event::Written { client, bytes, left } => probe!(chatloop, write, client, bytes, left),
        Event::Watch { client, read, write } => probe!(chatloop, watch, client, read, write),
        Event::Timer { client } => probe!(chatloop, timer, client),
        Event::Closed { client } => probe!(chatloop, close, client),
        Event::Totals { queued, timers } => probe!(chatloop, total, queued, timers),
        Event::Fault { client, what } => probe!(chatloop, fault, client, what),
    }
}
