//! `/metrics`: who may read them, and where their numbers are.

use super::Exchange;
use crate::server::metrics::Metrics;
use crate::session::{Action, http};
use chatloop_reactor::Token;
use std::collections::BTreeMap;

impl Exchange {
    /// The answer to a scrape.
    pub(super) fn scrape(&mut self, token: Token, open_metrics: bool, head_only: bool) -> Action {
        let allowed = self.net.connection(token).is_some_and(|connection| {
            let ip = connection.address.ip();
            let allowed = &self.live.config().metrics_from;
            connection.address.is_loopback() || allowed.iter().any(|it| it.contains(ip))
        });
        let text = allowed.then(|| self.metrics().encode(open_metrics));
        http::scraped(text, head_only, self.net.moment())
    }

    fn metrics(&self) -> Metrics {
        let mut connections = BTreeMap::new();
        for connection in self.net.connections() {
            let tls = connection.is_encrypted();
            *connections.entry((connection.session.name(), tls)).or_default() += 1;
        }
        let hub = self.engine.hub();
        let numbers = self.net.numbers();
        let (files, file_bytes) = hub.files_kept();
        Metrics {
            connections: connections.into_iter().collect(),
            users: hub.online() as u64,
            rooms: hub.rooms().len() as u64,
            send_queue_bytes: self.net.send_memory().0 as u64,
            received_bytes: numbers.received_bytes,
            sent_bytes: numbers.sent_bytes,
            limits: self.stats.named().collect(),
            deliveries: numbers.deliveries,
            files,
            file_bytes,
            transfers: self.transfers.numbers(),
            unsaved_records: self.engine.pending(),
            save_lag: self.engine.lag(self.net.now()).as_secs_f64(),
            turns: numbers.turns.read(),
            lags: numbers.lags.read(),
            commits: self.engine.commits().read(),
        }
    }
}
