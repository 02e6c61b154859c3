//! Questions of tests to the exchange, and pretences.

use super::Exchange;
use crate::server::address::Via;
use crate::server::connection::Connection;
use crate::server::stats::Stats;

impl Exchange {
    /// What all rooms hold.
    pub(in crate::server) fn room_usage(&self) -> crate::chat::RoomUsage {
        self.engine.hub().room_usage(None)
    }

    pub(in crate::server) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// All connections look as if they came from another machine.
    #[cfg_attr(
        not(any(feature = "tls", feature = "web")),
        expect(dead_code, reason = "asked for by the tests of TLS and files")
    )]
    pub(in crate::server) fn pretend_remote(&mut self) {
        for token in self.net.tokens() {
            if let Some(connection) = self.net.connection(token) {
                connection.address =
                    connection.address.relayed([192, 0, 2, 1].into(), None, Via::Direct);
            }
        }
    }

    /// Users online, connections, and the longest send queue.
    pub(in crate::server) fn census(&self) -> (usize, usize, usize) {
        let queues = self.net.connections().map(Connection::queued);
        (self.engine.hub().sessions().count(), self.net.len(), queues.max().unwrap_or(0))
    }
}
