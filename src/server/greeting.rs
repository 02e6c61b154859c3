//! Which dialect does a newcomer speak?
//!
//! An IRC client speaks first, and its first word tells. A classic line client may wait for the
//! server's first word, so silence is an answer, too: after `--greeting-delay` it is a plain peer.
//! Until that is decided a connection is nobody in the chat.

use super::turn::{Due, Server};
use crate::chat::{Change, Entry};
use crate::reactor::Token;
use crate::session::{Dialect, irc};
use std::time::Duration;

/// How long an IRC client may take to register.
const REGISTRATION: Duration = Duration::from_secs(30);

impl Server {
    /// Waits for the first words of a newcomer.
    pub(super) fn await_greeting(&mut self, token: Token) {
        if self.config.greeting_delay == 0 {
            return self.enter_plain(token);
        }
        let delay = Duration::from_millis(self.config.greeting_delay.into());
        self.arm(token, self.now + delay, Due::Greeting(token));
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

    fn become_irc(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        connection.session = Dialect::Irc(Box::default());
        self.desk.arrived();
        self.update_format(token);
        self.arm(token, self.now + REGISTRATION, Due::Registration(token));
    }

    /// It is a plain peer, and takes part from here on.
    pub(super) fn enter_plain(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let Dialect::Undecided(session) = &connection.session else { return };
        connection.session = Dialect::Plain(session.clone());
        connection.entered = true;
        let label = connection.address.to_string().into();
        let entry = Entry { label, lobby: true, ..Entry::default() };
        self.disarm(token);
        self.record(token, Change::Enter(entry));
        self.arm_idle(token);
        self.look_at_input(token);
    }

    /// An IRC client has had its time.
    pub(super) fn end_registration(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.session.irc().is_some_and(|session| !session.is_in()) {
            self.leave_with(token, None, "registration timed out".to_owned());
        }
    }
}
