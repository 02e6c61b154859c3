//! How does a plain peer give the server's password?
//!
//! With `--password` somebody who has not given it is nobody: hears nothing, is heard by nobody,
//! and is asked for `/pass PASSWORD` until it is right, wrong too often, or late. An IRC client
//! gives it with PASS (`session/irc/registration.rs`). Deliberately absent: a word about whether
//! the server is full, who is there or what it is called, before that.

use super::input::Taken;
use super::turn::{Due, Server};
use crate::chat::Secret;
use crate::reactor::Token;
use crate::session::Dialect;
use crate::wire::line::Step;
use log::info;
use std::time::Duration;

/// How long the password may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How many lines may be something else.
const TRIES: u8 = 3;

const QUESTION: &str = "this server has a password: /pass PASSWORD";

impl Server {
    /// Asks a plain peer for the password; whether there is one.
    pub(super) fn lock(&mut self, token: Token) -> bool {
        if self.config.password.is_none() {
            return false;
        }
        self.end_of_waiting(token);
        let Some(connection) = self.connections.get_mut(token) else { return true };
        if let Dialect::Undecided(session) = &connection.session {
            connection.session = Dialect::Locked(session.clone(), TRIES);
            self.tell(token, QUESTION);
            self.arm(token, self.now + PATIENCE, Due::Registration(token));
        }
        true
    }

    /// Takes a line of a peer that has not given the password yet.
    pub(super) fn take_password(&mut self, token: Token) -> Taken {
        let limit = self.config.max_line.0;
        let Some(connection) = self.connections.get_mut(token) else { return Taken::NotNow };
        let ended = connection.input_ended;
        let step = connection.lines.step(connection.inbox.pending(), limit, ended);
        let (given, used) = match step {
            Step::Incomplete => return Taken::NoLine,
            Step::Skipped { used } => {
                connection.inbox.consume(used);
                return Taken::Done;
            }
            Step::TooLong { used } => (None, used),
            Step::Line { bytes, used } => (str::from_utf8(bytes).ok().map(str::to_owned), used),
        };
        connection.inbox.consume(used);
        self.touched.flush_later(token, connection);
        let Dialect::Locked(session, tries) = &mut connection.session else {
            return Taken::NotNow;
        };
        let given = given.as_deref().unwrap_or_default().trim_end();
        let password = given.strip_prefix("/pass ").map(|word| Secret::new(word.trim_start()));
        if password.is_some() && password == self.config.password {
            connection.session = Dialect::Plain(session.clone());
            self.let_in(token);
        } else if given == "/quit" {
            self.leave_with(token, None, "goodbye".to_owned());
        } else if *tries > 1 {
            *tries -= 1;
            let wrong = if password.is_some() { "that is not it; " } else { "" };
            self.tell(token, &format!("{wrong}{QUESTION}"));
        } else {
            self.stay_outside(token);
        }
        Taken::Done
    }

    /// It has not given the password and will not.
    pub(super) fn stay_outside(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        info!("{}: has not given the password", connection.address);
        self.leave_with(token, None, "goodbye: without the password nobody gets in".to_owned());
    }
}
