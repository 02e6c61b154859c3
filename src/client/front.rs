//! The user of the client, a person or a script, as the loop sees either.

use super::console::Console;
use super::event_loop::EventLoop;
use super::irc::Irc;
use super::link::Link;
use super::script::Script;
use super::{Notice, Severity, startup};
use std::io;

pub(super) enum Front {
    /// A person. There is no console before the first connection: the terminal is unchanged.
    Person(Option<Box<Console>>),
    Script(Box<Script>),
}

impl Front {
    /// Whether more lines from the server are accepted.
    pub fn is_listening(&self) -> bool {
        match self {
            Front::Script(script) => script.is_listening(),
            Front::Person(_) => true,
        }
    }

    pub fn console(&mut self) -> Option<&mut Console> {
        match self {
            Front::Person(console) => console.as_deref_mut(),
            Front::Script(_) => None,
        }
    }

    /// A line from the server.
    pub fn line(&mut self, line: &[u8], irc: &mut Irc) {
        match self {
            Front::Script(script) => script.line(line, irc),
            Front::Person(Some(console)) => console.line(line, irc),
            Front::Person(None) => {}
        }
    }

    /// Shows what the session has to show.
    pub fn refresh(&mut self, irc: &mut Irc) {
        match self {
            Front::Script(script) => script.refresh(irc),
            Front::Person(Some(console)) => console.refresh(irc),
            Front::Person(None) => {}
        }
    }

    /// Shows a notice of the client's own. `style` is that of standard error. A script did not ask for
    /// anything but errors.
    pub fn notice(&mut self, notice: &Notice, style: &str) {
        match self {
            Front::Person(Some(console)) => console.notice(notice),
            Front::Script(_) if notice.severity == Severity::Note => {}
            Front::Person(None) | Front::Script(_) => startup::to_stderr(notice, style),
        }
    }

    /// Shows the turn's changes; `false` if the terminal is gone.
    ///
    /// # Errors
    /// The poller's.
    pub fn show(&mut self, turn: &mut EventLoop, link: &Link, irc: &Irc) -> io::Result<bool> {
        match self {
            Front::Person(None) => Ok(true),
            Front::Person(Some(console)) => Ok(console.present(irc).is_ok()),
            Front::Script(script) => script.update(&mut turn.poller, link, irc).map(|()| true),
        }
    }

    /// Another turn begins.
    pub fn tick(&mut self, turn: &EventLoop) {
        let painter = match self {
            Front::Person(None) => return,
            Front::Person(Some(console)) => &mut console.painter,
            Front::Script(script) => &mut script.painter,
        };
        painter.now.clone_from(&turn.time);
    }

    /// Writes what is left and restores the terminal.
    ///
    /// # Errors
    /// A script's output could not be written.
    pub fn finish(&mut self) -> io::Result<()> {
        match self {
            Front::Script(script) => script.finish(),
            // If the terminal is gone there is nothing to clear; the exit code tells why.
            Front::Person(console) => {
                let _ = console.as_mut().map(|console| console.clear_row());
                Ok(())
            }
        }
    }
}
