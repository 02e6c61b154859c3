//! Counters of the limits: how often each was exceeded, by name.
//!
//! A limit that is exceeded is told to one peer and perhaps to the log; the operator wants to
//! know how often. Every part that enforces a limit has a handle and counts here; `/stats` and
//! STATS show the counters that are not zero. A new limit is one row of the table.
//!
//! Rejected: gauges (clients, bytes) in here, too. They would be kept twice, by their owner and
//! here, and the second copy would be wrong one day; `/stats` asks the owners.

use std::cell::Cell;
use std::rc::Rc;

macro_rules! counters {
    ($($name:ident $text:literal;)*) => {
        /// What is counted.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Counter { $($name),* }

        impl Counter {
            /// All of them, in the order in which they are shown, with their texts.
            const ALL: &[(Counter, &str)] = &[$((Counter::$name, $text)),*];

            /// Their names, in the same order.
            #[cfg(feature = "web")]
            const NAMES: &[&str] = &[$(stringify!($name)),*];
        }
    };
}

counters! {
    Full "clients rejected because the server was full (--max-clients)";
    PerAddress "clients rejected for their address's count (--max-per-address)";
    Connects "clients rejected for connecting too often (--connect-limit)";
    Untold "clients rejected without a word because too many were being rejected";
    Banned "clients rejected by a server ban";
    OriginRooms "rooms rejected for their number from one address (--origin-rooms)";
    RoomsPerAccount "rooms not registered for their number from one account (--rooms-per-account)";
    RoomTexts "topics, masks and metadata rejected for their memory (--room-memory)";
    MaxAccounts "accounts not registered for the number of all (--max-accounts)";
    AccountMemory "metadata and read markers rejected for their memory (--account-memory)";
    LongLine "lines rejected for their length (--max-line)";
    Flood "clients slowed down (--flood-limit)";
    OriginWork "times that an address waited for its own unfinished work (--origin-work)";
    Idle "clients disconnected for silence (--idle-timeout)";
    SendQueue "clients disconnected for their send queue (--outbox-hard)";
    SendQueues "clients disconnected for the send queues of all together (--outbox-all)";
    Input "clients disconnected for the input of all together (--inbox-all)";
    Stalled "clients disconnected for not reading (--stall-timeout)";
    Handshakes "TLS handshakes that failed, or took too long (--tls-timeout)";
    Unencrypted "clients rejected for not using TLS (--tls-only)";
    Relays "clients rejected for what their proxy said (--proxy-from, --webirc-password)";
    Requests "HTTP requests answered with an error";
    LoopPages "pages that the loop was not shown to for their number (--loop-pages)";
    Transfers "uploads and downloads rejected because too many were in progress (--max-transfers)";
    SlowTransfers "uploads and downloads given up for being too slow, or for an address with fewer";
    FileSize "uploads rejected for their size (--file-max)";
    FileQuota "uploads rejected for the files of their owner (--files-per-account, --files-per-address)";
    FilesAll "uploads rejected because no room was left for files (--files-all)";
    UploadRights "uploads rejected for want of a login, a valid token or a right";
    UnwrittenFiles "uploads that could not be written to disk";
    Guesses "logins delayed after wrong passwords";
    NotSaved "changes rejected because they could not be saved (--data, --max-data)";
    Searches "searches ended before they were through";
    Replays "users who joined without history because it took too long";
    Queries "history queries that failed or took too long";
    Registrations "accounts not registered for their address's count (--register-limit)";
    Registration "accounts not registered (--registration)";
    NoAccount "clients rejected for not logging in (--require-account)";
    Logins "logins rejected because too many were in progress";
}

/// A handle to the counters. All handles lead to the same ones: the loop has one thread.
#[derive(Clone)]
pub(super) struct Stats {
    counts: Rc<[Cell<u64>]>,
}

impl Default for Stats {
    fn default() -> Stats {
        Stats { counts: Counter::ALL.iter().map(|_| Cell::new(0)).collect() }
    }
}

impl Stats {
    /// A limit has struck.
    pub(super) fn count(&self, counter: Counter) {
        if let Some(count) = self.counts.get(counter as usize) {
            count.set(count.get() + 1);
        }
    }

    /// All counters by name, as metrics write names: `per_address`.
    #[cfg(feature = "web")]
    pub(super) fn named(&self) -> impl Iterator<Item = (String, u64)> {
        let named = Counter::NAMES.iter().zip(self.counts.iter());
        named.map(|(name, count)| {
            let mut label = String::new();
            for letter in name.chars() {
                if letter.is_ascii_uppercase() && !label.is_empty() {
                    label.push('_');
                }
                label.push(letter.to_ascii_lowercase());
            }
            (label, count.get())
        })
    }

    /// The counters that are not zero, a line each.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let counted = Counter::ALL.iter().zip(self.counts.iter());
        let struck = counted.filter(|(_, count)| count.get() > 0);
        struck.map(|((_, text), count)| format!("{text}: {}", count.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_handle_counts_in_the_same_place() {
        let stats = Stats::default();
        let other = stats.clone();
        assert_eq!(stats.lines().count(), 0);
        other.count(Counter::Logins);
        other.count(Counter::Logins);
        stats.count(Counter::Full);
        let lines: Vec<String> = stats.lines().collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].ends_with("(--max-clients): 1") && lines[1].ends_with(": 2"), "{lines:?}");
    }
    #[cfg(feature = "web")]
    #[test]
    fn a_counter_is_named_as_metrics_are() {
        let stats = Stats::default();
        stats.count(Counter::PerAddress);
        let counted: Vec<_> = stats.named().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [("per_address".to_owned(), 1)]);
    }
}
