//! The memory behind the input of all connections together.
//!
//! One connection is bounded: it is not read beyond 64 KiB while its lines wait, and TLS, a WebSocket
//! and a multiline message keep what has not come in full within bounds of their own. Thousands of
//! them, of many origins, are not: each may fill those. So the memory behind all of it ([`Held`]), with the
//! record that TLS has encrypted and the socket has not taken, has a budget (`--inbox-all`). Above it the
//! connections with the most input are dropped, those of the origin that has most of it first, until an
//! eighth of the budget is free again: to find them, all are looked at.
//!
//! Rejected: to read less of each. A request's head and a WebSocket's frame have to fit, so a quarter
//! of the memory would be needed still.

use super::Net;
use crate::chat::Origin;
use crate::server::config::Bytes;
use crate::server::connection::Phase;
use crate::server::stats::Counter;
use chatloop_reactor::{Held, Token};
use log::warn;
use std::cmp::Reverse;
use std::collections::BTreeMap;

impl Net {
    /// Prepares the connections to be dropped whose input is too much for the budget.
    pub(in crate::server) fn drop_input(&mut self) -> Vec<Token> {
        let limit = self.queues.bounds.inbox_all;
        if Held::all() <= limit {
            return Vec::new();
        }
        // Without those that are gone: they take theirs along at the end of the turn.
        let there = self.connections.iter().filter(|(_, it)| it.life.phase != Phase::Gone);
        let held = there.map(|(token, it)| (it.address.origin(), it.held(), token));
        let mut held: Vec<_> = held.filter(|(_, input, _)| *input > 0).collect();
        let mut sums: BTreeMap<Origin, usize> = BTreeMap::new();
        held.iter().for_each(|(origin, input, _)| *sums.entry(*origin).or_default() += input);
        let all: usize = sums.values().sum();
        let mut excess = if all > limit { all - limit + limit / 8 } else { 0 };
        held.sort_by_key(|(origin, input, _)| (Reverse(sums[origin]), *origin, Reverse(*input)));
        let largest = held.first().map(|(origin, ..)| *origin);
        let mut dropped = Vec::new();
        for (_, input, token) in held {
            if excess == 0 {
                break;
            }
            if let Some(connection) = self.connections.get_mut(token) {
                excess = excess.saturating_sub(input);
                connection.discard_output();
                connection.life.blame(|| "input and TLS of all exceeded --inbox-all".to_owned());
                self.stats.count(Counter::Input);
                dropped.push(token);
            }
        }
        // One line: there may be thousands of origins.
        if let Some(origin) = largest.filter(|_| !dropped.is_empty()) {
            warn!(
                "clients dropped: {}, those of {origin} first: input and TLS of all together are over \
                 the limit of {} (--inbox-all), and theirs is the largest",
                dropped.len(),
                Bytes(limit)
            );
        }
        dropped
    }
}
