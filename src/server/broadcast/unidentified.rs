//! Connections that have not been identified yet, and must still not miss a message.
//!
//! An IRC client sends first, and its first line tells. A line client may wait for the server, so
//! silence is an answer, too: after `--greeting-delay` it is taken for a plain peer. Until then a
//! connection does not exist for the chat.
//!
//! And yet it must not miss a message: a listener that connects just before another peer speaks
//! would, if it received nothing before its time is up. So messages for the lobby go to an early
//! buffer in plain lines meanwhile; who comes and goes does not. The buffer is sent after the welcome
//! if the newcomer is a plain peer (and the history shown before it ends where the newcomer came),
//! and discarded if it speaks IRC. Rejected: to let all in at once as plain and to take that back,
//! since the others would see a guest come and go before each IRC client.

use super::delivery::Delivery;
use crate::chat::RecordId;
use crate::server::net::Net;
use chatloop_reactor::{Segment, Token};
use std::collections::BTreeMap;

/// Those with an early buffer, each with the last record that it missed.
#[derive(Default)]
pub(super) struct Unidentified {
    waiting: BTreeMap<Token, RecordId>,
    /// Those whose buffer is over the soft limit.
    full: Vec<Token>,
}

/// An early buffer.
pub(in crate::server) struct Early {
    /// The last record before it.
    pub(in crate::server) since: RecordId,
    pub(in crate::server) messages: Vec<Segment>,
}

impl Unidentified {
    pub(super) fn add(&mut self, token: Token, last: RecordId) {
        self.waiting.insert(token, last);
    }

    pub(super) fn remove(&mut self, token: Token) -> Option<RecordId> {
        self.waiting.remove(&token)
    }

    pub(super) fn has(&self, token: Token) -> bool {
        self.waiting.contains_key(&token)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn tokens(&self) -> impl Iterator<Item = Token> {
        self.waiting.keys().copied()
    }

    /// Puts the messages of the run that is about to be closed into all early buffers.
    pub(super) fn buffer_run(&mut self, delivery: &mut Delivery, net: &mut Net) {
        for token in self.waiting.keys() {
            let Some(peer) = net.peer(*token) else { continue };
            delivery.buffer_early(peer.connection);
            if peer.is_overfull() && !peer.connection.life.entered {
                self.full.push(*token);
            }
        }
    }

    /// Those for whom much is buffered by now: in such noise no IRC client waits to be greeted.
    pub(super) fn take_full(&mut self) -> Vec<Token> {
        std::mem::take(&mut self.full)
    }
}
