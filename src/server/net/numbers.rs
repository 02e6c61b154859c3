//! Counters of all connections: plain integers, read at a scrape and at the end.

use crate::server::times::Times;

/// Since the start.
#[derive(Default)]
pub(in crate::server) struct Numbers {
    pub(in crate::server) turns: Times,
    /// How late timers were.
    pub(in crate::server) lags: Times,
    /// Events of rooms that were queued for their members.
    pub(in crate::server) deliveries: u64,
    pub(in crate::server) received_bytes: u64,
    pub(in crate::server) sent_bytes: u64,
    /// What all work has cost.
    #[cfg(test)]
    pub(in crate::server) charged: crate::chat::work::Cost,
}
