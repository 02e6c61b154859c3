//! Which dialect does a newcomer speak?
//!
//! An IRC client speaks first, and its first word tells. A classic line client may wait for the
//! server's first word, so silence is an answer, too: after `--greeting-delay` it is a plain peer.
//! Until that is decided a connection is nobody in the chat.
//!
//! Nobody, and yet it may not miss a word: a listener that connects just before somebody speaks
//! would, if it heard nothing before its time is up. So what is said in the lobby meanwhile is put
//! aside for it in plain lines; who comes and goes is not. It is shown after the welcome if the
//! newcomer is a plain peer (and what is shown of the past ends where it came), and thrown away if
//! it speaks IRC. Rejected: to let everyone in at once as plain and to take that back, since the
//! others would see a guest come and go before each IRC client.

use super::turn::{Due, Server};
use crate::chat::{Change, Entry, Event, Name, RecordId, Viewpoint};
use crate::reactor::{Segment, Token};
use crate::session::{Dialect, irc};
use std::collections::HashMap;
use std::time::Duration;

/// How long an IRC client may take to register.
const REGISTRATION: Duration = Duration::from_secs(30);

/// Those for whom the lobby's words are put aside, each with the last record it did not hear of.
pub(super) type Newcomers = HashMap<Token, RecordId>;

impl Server {
    /// Waits for the first words of a newcomer.
    pub(super) fn await_greeting(&mut self, token: Token) {
        if self.config.greeting_delay == 0 {
            return self.enter_plain(token);
        }
        self.newcomers.insert(token, self.hub.last().unwrap_or_default());
        let delay = Duration::from_millis(self.config.greeting_delay.into());
        self.arm(token, self.now + delay, Due::Greeting(token));
    }

    /// No more is put aside for a connection; what has been, and up to which record it had heard
    /// nothing. `None` if it was no newcomer.
    pub(super) fn end_of_waiting(&mut self, token: Token) -> Option<(RecordId, Vec<Segment>)> {
        let since = self.newcomers.remove(&token)?;
        if self.newcomers.is_empty() {
            // A crowd has come in: its memory is not kept for the next one.
            self.newcomers = Newcomers::default();
        }
        let heard = self.connections.get_mut(token).map(|connection| connection.take_aside());
        Some((since, heard.unwrap_or_default()))
    }

    /// Puts the words of the open run aside for one newcomer, who is about to come in.
    pub(super) fn put_aside(&mut self, token: Token) {
        if self.delivery.room() == Some(&Name::lobby())
            && self.delivery.has_words()
            && self.newcomers.contains_key(&token)
            && let Some(connection) = self.connections.get_mut(token)
        {
            self.delivery.overhear(connection);
        }
    }

    /// Puts what everyone is told aside for newcomers, too.
    pub(super) fn announce_to_newcomers(&mut self, event: &Event) {
        for token in self.newcomers.keys() {
            let Some(connection) = self.connections.get_mut(*token) else { continue };
            let format = connection.format();
            let stamp = self.stamp;
            let render =
                |line: &mut Vec<u8>| format.render(stamp, event, Viewpoint::Observer, line);
            connection.put_aside(&self.delivery.encode(render));
        }
    }

    /// Puts the words of the run that is about to be closed aside for all newcomers. Those for whom
    /// it is much by now are let in: in such a noise no IRC client waits to be spoken to.
    pub(super) fn put_aside_run(&mut self) {
        if self.delivery.room() != Some(&Name::lobby()) || !self.delivery.has_words() {
            return;
        }
        let mut laden = Vec::new();
        for token in self.newcomers.keys() {
            let Some(connection) = self.connections.get_mut(*token) else { continue };
            self.delivery.overhear(connection);
            if connection.owed() > self.bounds.outbox_soft && !connection.entered {
                laden.push(*token);
            }
        }
        for token in laden {
            self.enter_plain(token);
        }
    }

    /// Looks at what a newcomer has said; whether that decides it.
    pub(super) fn decide_dialect(&mut self, token: Token) -> bool {
        let Some(connection) = self.connections.get_mut(token) else { return false };
        let input = connection.inbox.pending();
        if input.is_empty() && !connection.input_ended {
            return false;
        }
        match irc::Session::recognises(input) {
            Some(true) => {
                self.become_irc(token);
                // Its lines are taken by another hand.
                self.look_at_input(token);
                false
            }
            None if !connection.input_ended => false,
            _ => {
                self.enter_plain(token);
                true
            }
        }
    }

    /// The greeting's delay is over: a plain peer, unless it has spoken and was not heard yet. A
    /// server that thousands join at once may have its words in the socket still, or in its inbox.
    pub(super) fn end_silence(&mut self, token: Token) {
        self.read_bytes(token);
        self.decide_dialect(token);
        // Silent to the end, or at "NIC" for all that time.
        self.enter_plain(token);
    }

    fn become_irc(&mut self, token: Token) {
        self.end_of_waiting(token);
        let Some(connection) = self.connections.get_mut(token) else { return };
        connection.session = Dialect::Irc(Box::default());
        self.counts.add_unregistered();
        self.update_format(token);
        self.arm(token, self.now + REGISTRATION, Due::Registration(token));
    }

    /// It is a plain peer, and takes part from here on, unless there is a password to be given.
    pub(super) fn enter_plain(&mut self, token: Token) {
        if self.lock(token) {
            return;
        }
        let Some(connection) = self.connections.get_mut(token) else { return };
        let Dialect::Undecided(session) = &connection.session else { return };
        connection.session = Dialect::Plain(session.clone());
        self.let_in(token);
    }

    /// A plain peer comes into the chat.
    pub(super) fn let_in(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        connection.entered = true;
        let label = connection.address.to_string().into();
        let entry = Entry { label, lobby: true, ..Entry::default() };
        self.disarm(token);
        self.record(token, Change::Enter(entry));
        self.arm_idle(token);
        self.look_at_input(token);
    }

    /// An IRC client has had its time to register, or a plain peer to give the password.
    pub(super) fn end_registration(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        match &connection.session {
            Dialect::Irc(session) if !session.is_in() => {
                self.leave_with(token, None, "registration timed out".to_owned());
            }
            Dialect::Locked(..) => {
                let patience = super::gate::PATIENCE.as_secs();
                let farewell = format!("goodbye: no password within {patience} s");
                self.leave_with(token, None, farewell);
            }
            _ => {}
        }
    }
}
