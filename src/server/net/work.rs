//! The cost of a connection's lines, and what the next one waits for.

use super::Net;
use crate::chat::work::Cost;
use crate::server::limits::Pace;
use chatloop_reactor::Token;

impl Net {
    /// How fast a client may talk whose pace is limited.
    pub(in crate::server) fn pace(&self) -> Pace {
        self.queues.bounds.pace
    }

    /// Work was done for a connection: its flood limit and its origin pay. `unfinished`, if it was a
    /// record or a question that had been waiting.
    pub(in crate::server) fn charge(&mut self, token: Token, cost: Cost, unfinished: bool) {
        #[cfg(test)]
        {
            self.numbers.charged += cost;
        }
        let Some(connection) = self.connections.get_mut(token) else { return };
        connection.gate.charge(cost, self.queues.bounds.pace, self.clock.now());
        if unfinished {
            self.queues.input.charge_unfinished(connection.share, cost);
        } else {
            self.queues.input.charge(connection.share, cost);
        }
    }

    /// Another limit of unfinished work is in force.
    pub(in crate::server) fn limit_work(&mut self, token: Token, limit: Option<Cost>) {
        if let Some(connection) = self.connections.get_mut(token) {
            self.queues.input.set_limit(connection.share, limit);
        }
    }

    /// Whether records are saved now, so that those on their way count against their origins.
    pub(in crate::server) fn set_saving(&mut self, saving: bool) {
        self.queues.input.set_limits(saving);
    }

    /// How many connections have input to look at.
    pub(in crate::server) fn waiting_inputs(&self) -> usize {
        self.queues.input.waiting()
    }

    /// The bytes in the inbox of a connection.
    pub(in crate::server) fn inbox_len(&self, token: Token) -> usize {
        self.connections.get(token).map_or(0, |connection| connection.io.inbox.len())
    }

    /// Why its next line waits, as a set.
    pub(in crate::server) fn reasons(&self, token: Token) -> u8 {
        self.connections.get(token).map_or(0, |connection| connection.gate.reasons())
    }
}
