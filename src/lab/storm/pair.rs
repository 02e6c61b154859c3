//! The messages between two honest users: sent when, arrived after how long, lost or duplicated.
//!
//! The two take turns at a fixed rate, whatever arrives. So a server that stands still for a second
//! shows a hundred late messages and not a single one, and the percentiles mean what they say.
//! Pure: the caller has the clock and the sockets.

use crate::lab::payload::{Found, Stamp};
use std::time::{Duration, Instant};

/// The honest pair has the first two places.
pub const PAIR: usize = 2;

/// One message, by when it was due and what became of it.
struct Message {
    due: Instant,
    latency: Option<Duration>,
    copies: u32,
}

/// All messages of one row, in the order of sending.
#[derive(Default)]
pub struct Ledger {
    messages: Vec<Message>,
}

/// What a part of the messages came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Of those that arrived, in ascending order.
    pub latencies: Vec<Duration>,
    pub lost: u64,
    pub duplicated: u64,
}

impl Ledger {
    /// Adds a message that is due to be sent at `due`; even ones are from the first of the two.
    pub fn send(&mut self, due: Instant) -> Stamp {
        let sequence = self.messages.len() as u32;
        self.messages.push(Message { due, latency: None, copies: 0 });
        Stamp { sender: sequence % 2, sequence, micros: 0 }
    }

    /// Notes what user `listener` has received.
    pub fn receive(&mut self, listener: u32, found: Found, now: Instant) {
        // A corrupted message is not the one that was sent, so that one stays lost.
        let Found::Message(stamp) = found else { return };
        if stamp.sender == listener || stamp.sequence % 2 != stamp.sender {
            return;
        }
        if let Some(message) = self.messages.get_mut(stamp.sequence as usize) {
            message.copies += 1;
            message.latency.get_or_insert(now.saturating_duration_since(message.due));
        }
    }

    /// How many were sent.
    pub fn sent(&self) -> usize {
        self.messages.len()
    }

    /// Whether some message has not arrived.
    pub fn is_waiting(&self) -> bool {
        self.messages.iter().any(|message| message.latency.is_none())
    }

    /// Those sent in a range of places.
    pub fn summary(&self, range: std::ops::Range<usize>) -> Summary {
        let messages = &self.messages[range];
        let mut latencies: Vec<_> = messages.iter().filter_map(|it| it.latency).collect();
        latencies.sort_unstable();
        Summary {
            lost: (messages.len() - latencies.len()) as u64,
            duplicated: messages.iter().map(|it| u64::from(it.copies.saturating_sub(1))).sum(),
            latencies,
        }
    }
}

impl Summary {
    /// The latency that `percent` of 100 messages do not exceed; `None` if none arrived.
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.latencies.len() * percent).div_ceil(100).max(1);
        self.latencies.get(rank - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn latency_counts_from_when_a_message_was_due() {
        let (mut ledger, start) = (Ledger::default(), Instant::now());
        for place in 0..100_u32 {
            let stamp = ledger.send(start + MILLI * place);
            ledger.receive(
                1 - stamp.sender,
                Found::Message(stamp),
                start + MILLI * (2 * place + 1),
            );
        }
        assert!(!ledger.is_waiting());
        let summary = ledger.summary(0..100);
        assert_eq!((summary.lost, summary.duplicated), (0, 0));
        assert_eq!(summary.percentile(50), Some(MILLI * 50));
        assert_eq!(summary.percentile(99), Some(MILLI * 99));
        assert_eq!(summary.percentile(100), Some(MILLI * 100));
        assert_eq!(ledger.summary(0..10).percentile(99), Some(MILLI * 10));
    }

    #[test]
    fn lost_and_duplicated_messages_are_counted_where_they_were_sent() {
        let (mut ledger, now) = (Ledger::default(), Instant::now());
        let stamps: Vec<Stamp> = (0..4).map(|_| ledger.send(now)).collect();
        for stamp in [stamps[0], stamps[1], stamps[1], stamps[1], stamps[3]] {
            ledger.receive(1 - stamp.sender, Found::Message(stamp), now);
        }
        ledger.receive(1, Found::Corrupted, now);
        assert!(ledger.is_waiting());
        let (first, second) = (ledger.summary(0..2), ledger.summary(2..4));
        assert_eq!((first.lost, first.duplicated), (0, 2));
        assert_eq!((second.lost, second.duplicated), (1, 0));
        assert_eq!(ledger.summary(2..3).percentile(99), None);
    }

    #[test]
    fn an_echo_and_a_stranger_are_not_deliveries() {
        let (mut ledger, now) = (Ledger::default(), Instant::now());
        let own = ledger.send(now);
        ledger.receive(own.sender, Found::Message(own), now);
        ledger.receive(1, Found::Message(Stamp { sequence: 8, ..own }), now);
        ledger.receive(0, Found::Message(Stamp { sender: 1, ..own }), now);
        assert_eq!(ledger.summary(0..1).lost, 1);
    }
}
