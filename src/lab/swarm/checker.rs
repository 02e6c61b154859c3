//! Classification of deliveries: found messages in, counts and latencies out.

use super::options::{Echo, Options};
use crate::lab::ledger::{Account, Ledger, Receipt};
use crate::lab::payload::{Format, Found, Stamp};
use hdrhistogram::Histogram;
use std::time::Instant;

/// The longest latency recorded, in microseconds: one hour.
const LONGEST_LATENCY: u64 = 3_600_000_000;

/// Every message of a run, and what became of it.
pub struct Checker {
    pub format: Format,
    pub ledger: Ledger,
    echo: Echo,
    /// The send times in the messages count from here.
    epoch: Instant,
    /// Microseconds from sent to received, one value per delivery.
    pub latency: Histogram<u64>,
    /// Deliveries to awaited members.
    pub deliveries: u64,
    pub slow_deliveries: u64,
    pub echoes: u64,
    /// The time of the last new delivery.
    pub last_delivery: Instant,
}

/// The part of a member that the checker changes.
pub struct Listener {
    pub account: Account,
    /// It reads nothing until the others are done.
    pub slow: bool,
    /// It has received a probe, so it is in the room.
    pub present: bool,
}

impl Checker {
    pub fn new(format: Format, options: &Options) -> Checker {
        let latency = Histogram::new_with_bounds(1, LONGEST_LATENCY, 3);
        let now = Instant::now();
        Checker {
            format,
            ledger: Ledger::new(options.talkers(), options.listeners() > 0),
            echo: options.echo,
            epoch: now,
            latency: latency.expect("1 to an hour with three digits is within its bounds"),
            deliveries: 0,
            slow_deliveries: 0,
            echoes: 0,
            last_delivery: now,
        }
    }

    /// Microseconds from the epoch to `moment`.
    pub fn micros(&self, moment: Instant) -> u64 {
        moment.saturating_duration_since(self.epoch).as_micros() as u64
    }

    /// Judges what `listener` received at `now`; returns how many bytes are done with.
    pub fn receive(&mut self, listener: &mut Listener, bytes: &[u8], now: Instant) -> usize {
        let micros = self.micros(now);
        let Checker { format, ledger, latency, .. } = self;
        let (mut fresh, mut echoes) = (0, 0);
        let done = format.scan(bytes, false, |found| match found {
            Found::Corrupted => ledger.corrupted(),
            Found::Message(stamp) if stamp.is_probe() => listener.present = true,
            Found::Message(stamp) => match ledger.receive(&mut listener.account, &stamp) {
                Receipt::Fresh => {
                    fresh += 1;
                    if !listener.slow {
                        latency.saturating_record(micros.saturating_sub(stamp.micros).max(1));
                    }
                }
                Receipt::Echo => echoes += 1,
                Receipt::Nothing => {}
            },
        });
        self.echoes += echoes;
        if fresh > 0 {
            self.last_delivery = now;
            if listener.slow {
                self.slow_deliveries += fresh;
            } else {
                self.deliveries += fresh;
            }
        }
        done
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
        let faults = self.ledger.faults();
        let crossed = if one_order { faults.crossed } else { 0 };
        let echoes = if self.echo == Echo::Forbid { self.echoes } else { 0 };
        faults.lost + faults.duplicated + faults.reordered + faults.corrupted + crossed + echoes
    }
}
