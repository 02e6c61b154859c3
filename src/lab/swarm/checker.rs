//! Classification of deliveries: found messages in, counts and latencies out.

use super::options::{Echo, Options};
use crate::lab::connections::Handler;
use crate::lab::ledger::{Account, Ledger, Receipt};
use crate::lab::payload::{Format, Found, Stamp};
use hdrhistogram::Histogram;
use std::io;
use std::time::Instant;

/// The longest latency recorded, in microseconds: one hour.
const LONGEST_LATENCY: u64 = 3_600_000_000;

/// Every member and every message of a run, and what became of them.
pub struct Checker {
    /// The senders first, in the order of their numbers, then the other clients, the idle and the
    /// slow ones.
    pub members: Vec<Member>,
    pub format: Format,
    pub ledger: Ledger,
    echo: Echo,
    /// The send times in the messages count from here.
    epoch: Instant,
    /// Microseconds from sent to received, one value per delivery.
    pub latency: Histogram<u64>,
    /// Deliveries to awaited members.
    pub deliveries: u64,
    pub echoes: u64,
    /// The time of the last new delivery.
    pub last_delivery: Instant,
    /// Connected, and welcome if that is waited for.
    pub connected: usize,
    /// Connections that were open and have been lost: of slow readers, and of all others.
    pub slow_dropped: usize,
    pub lost: usize,
    pub refused: Option<io::Error>,
    /// The receivers that a message waits for.
    pub awaited: u32,
}

/// One simulated user in the room.
pub struct Member {
    pub account: Account,
    /// It reads nothing until the others are done.
    pub slow: bool,
    /// It has received a probe, so it is in the room.
    pub present: bool,
    /// Its connection was lost.
    pub gone: bool,
}

impl Checker {
    pub fn new(format: Format, options: &Options) -> Checker {
        let latency = Histogram::new_with_bounds(1, LONGEST_LATENCY, 3);
        let now = Instant::now();
        let fast = options.clients + options.idle;
        let member = |number| {
            let slow = number >= fast;
            let hears_itself = options.echo == Echo::Expect || number >= options.talkers();
            let account = match number {
                _ if slow => Account::new().not_awaited(),
                _ if hears_itself => Account::new(),
                _ => Account::new().without_own(number),
            };
            Member { account, slow, present: false, gone: false }
        };
        Checker {
            members: (0..options.connections() as u32).map(member).collect(),
            format,
            ledger: Ledger::new(options.talkers(), options.listeners() > 0),
            echo: options.echo,
            epoch: now,
            latency: latency.expect("1 to an hour with three digits is within its bounds"),
            deliveries: 0,
            echoes: 0,
            last_delivery: now,
            connected: 0,
            slow_dropped: 0,
            lost: 0,
            refused: None,
            awaited: fast,
        }
    }

    /// Microseconds from the epoch to `moment`.
    pub fn micros(&self, moment: Instant) -> u64 {
        moment.saturating_duration_since(self.epoch).as_micros() as u64
    }

    /// Appends the next message, after `prefix`, to `line`.
    pub fn next(&mut self, micros: u64, receivers: u32, prefix: &str, line: &mut Vec<u8>) {
        let stamp = self.ledger.send(micros, receivers);
        line.extend_from_slice(prefix.as_bytes());
        self.format.encode(stamp, line);
    }

    /// Appends a probe.
    pub fn probe(&self, sender: u32, now: Instant, prefix: &str, line: &mut Vec<u8>) {
        line.extend_from_slice(prefix.as_bytes());
        let micros = self.micros(now);
        self.format.encode(Stamp { sender, sequence: Stamp::PROBE, micros }, line);
    }

    /// The number of errors.
    pub fn faults(&self, one_order: bool) -> u64 {
        let faults = self.ledger.faults;
        let crossed = if one_order { faults.crossed } else { 0 };
        let echoes = if self.echo == Echo::Forbid { self.echoes } else { 0 };
        faults.lost + faults.duplicated + faults.reordered + faults.corrupted + crossed + echoes
    }
}

impl Handler for Checker {
    fn received(&mut self, place: usize, bytes: &[u8], now: Instant) -> usize {
        let micros = self.micros(now);
        let Checker { format, ledger, latency, deliveries, echoes, last_delivery, .. } = self;
        let Member { account, slow, present, .. } = &mut self.members[place];
        format.scan(bytes, false, |found| match found {
            Found::Corrupted => ledger.faults.corrupted += 1,
            Found::Message(Stamp { sequence: Stamp::PROBE, .. }) => *present = true,
            Found::Message(stamp) => match ledger.receive(account, &stamp) {
                Receipt::Fresh => {
                    *last_delivery = now;
                    if !*slow {
                        *deliveries += 1;
                        latency.saturating_record(micros.saturating_sub(stamp.micros).max(1));
                    }
                }
                Receipt::Echo => *echoes += 1,
                Receipt::Nothing => {}
            },
        })
    }

    fn ready(&mut self, _place: usize) {
        self.connected += 1;
    }

    fn refused(&mut self, error: io::Error) {
        self.refused.get_or_insert(error);
    }

    fn lost(&mut self, place: usize) {
        let member = &mut self.members[place];
        member.gone = true;
        if member.slow {
            self.slow_dropped += 1;
        } else {
            self.lost += 1;
            self.awaited -= 1;
            self.ledger.stop_waiting_for(&mut member.account);
        }
    }
}
