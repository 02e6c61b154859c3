//! The user of the client, a person or a script, as the loop sees either.

use super::Notice;
use super::console::Console;
use super::dialect::Dialect;
use super::irc::IrcSession;
use super::link::Link;
use super::paint::style;
use super::script::Script;
use super::startup::to_stderr;
use chatloop_reactor::Poller;
use jiff::ZonedDateTime;
use std::io::{self, IsTerminal};

pub(super) enum Front {
    /// Interactive, but without a connection yet, and the terminal is unchanged. The dialect is
    /// handed to the console later.
    Person(Option<Dialect>),
    Console(Box<Console>),
    Script(Box<Script>),
}

impl Front {
    /// Whether more lines from the server are accepted.
    pub(super) fn is_listening(&self) -> bool {
        match self {
            Front::Script(script) => script.is_listening(),
            Front::Person(_) | Front::Console(_) => true,
        }
    }

    /// The IRC session, if there is one.
    pub(super) fn session(&mut self) -> Option<&mut IrcSession> {
        match self {
            Front::Person(_) => None,
            Front::Console(console) => console.dialect().irc(),
            Front::Script(script) => script.session(),
        }
    }

    /// What is to be sent that was not typed.
    pub(super) fn take_outgoing(&mut self) -> Vec<u8> {
        match self {
            Front::Person(_) => Vec::new(),
            Front::Console(console) => {
                console.dialect().irc().map(IrcSession::take_outgoing).unwrap_or_default()
            }
            Front::Script(script) => script.take_outgoing(),
        }
    }

    /// A connection is established.
    pub(super) fn connected(&mut self, now: &ZonedDateTime) {
        match self {
            Front::Person(_) => {}
            Front::Console(console) => console.connected(now),
            Front::Script(script) => script.connected(now),
        }
    }

    /// A line from the server.
    pub(super) fn line(&mut self, line: &[u8], now: &ZonedDateTime) {
        match self {
            Front::Person(_) => {}
            Front::Console(console) => console.line(line, now),
            Front::Script(script) => script.line(line, now),
        }
    }

    /// Shows a notice of the client's own. `colours` counts as long as there is no console.
    pub(super) fn notice(&mut self, notice: &Notice, colours: bool) {
        match self {
            Front::Console(console) => console.notice(notice, &ZonedDateTime::now()),
            Front::Script(script) => script.notice(notice),
            Front::Person(_) => {
                let red = colours && io::stderr().is_terminal();
                to_stderr(notice, if red { style::ERROR } else { "" });
            }
        }
    }

    /// Takes the terminal back after a stop.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        match self {
            Front::Console(console) => console.resume(),
            Front::Person(_) | Front::Script(_) => Ok(()),
        }
    }

    /// Shows the turn's changes; `false` if the terminal is gone.
    ///
    /// # Errors
    /// The poller's.
    pub(super) fn show(&mut self, poller: &mut Poller, link: &Link) -> io::Result<bool> {
        match self {
            Front::Person(_) => {}
            Front::Script(script) => script.update(poller, link)?,
            Front::Console(console) => {
                if console.present().is_err() {
                    return Ok(false);
                }
                console.update(poller)?;
            }
        }
        Ok(true)
    }

    /// Writes what is left and restores the terminal.
    ///
    /// # Errors
    /// A script's output could not be written.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self {
            Front::Person(_) => Ok(()),
            Front::Script(script) => script.finish(),
            // If the terminal is gone there is nothing to clear; the exit code tells why.
            Front::Console(console) => {
                let _ = console.clear_row();
                Ok(())
            }
        }
    }
}
