//! The steps that follow when a connection is established, registered, rejected or lost.
//!
//! A person's client reconnects, and that of a script with `--reconnect`: without end, with growing
//! pauses, but not to a server that has banned it or does not accept its password.

use super::{Client, route};
use crate::client::console::Console;
use crate::client::event_loop::{INPUT, TimerKind};
use crate::client::front::Front;
use crate::client::irc::{FailureKind, IrcSession, RegistrationFailure};
use crate::client::known_servers::KnownServer;
use crate::client::options::Timestamps;
use crate::client::paint::Painter;
use crate::client::secrets::Forms;
use crate::client::startup::{unix_seconds, wants_colours};
use crate::client::{Exit, Notice};
use crate::wire::plural::counted;
use chatloop_reactor::Interest;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// The delay before the first of them; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Attempts that are told of: the last of them says that the pauses grow no more.
const TOLD: u32 = 8;
/// A connection that lasted this long resets the count of attempts. A server that accepts and
/// closes at once must not be tried endlessly.
const STEADY: Duration = Duration::from_secs(10);
/// How many times `--timeout` an IRC server may take for its first line. Some look up the
/// client's host name before they read anything.
const FIRST_LINE: u32 = 5;
/// How many times `--timeout` an IRC server may take for the next sign that it has taken what a
/// script sent: an answer to a PING, or an echo. A server without either does not know PING, or
/// hangs.
const NEXT_ANSWER: u32 = 30;
/// Attempts to register in time. On a machine under load the registration may arrive later than
/// the server's detection timeout.
const MAX_LATE: u32 = 5;
/// How long the registration may take.
const REGISTRATION: Duration = Duration::from_secs(60);

impl Client<'_> {
    pub(super) fn connected(&mut self, address: SocketAddr) -> io::Result<()> {
        self.connected_at = Some(self.turn.clock.now());
        if let Front::Person(console @ None) = &mut self.front {
            let timestamps = self.options.timestamps != Timestamps::Never;
            let painter = Painter::new(wants_colours(self.options), timestamps);
            let forms = if self.options.plain { Forms::Plain } else { Forms::Irc };
            *console = Some(Box::new(Console::open(painter, forms, self.options.bell)?));
            self.turn.poller.add(io::stdin(), INPUT, Interest::READ)?;
            self.front.tick(&self.turn);
        }
        if let Some(session) = &mut self.irc {
            session.connected(self.turn.time.timestamp());
            let first = self.options.timeout;
            for (after, due) in [
                (first, TimerKind::SilenceHint),
                (first * FIRST_LINE, TimerKind::FirstLine),
                (REGISTRATION, TimerKind::Registration),
            ] {
                self.registration_timers.push(self.turn.arm(after, due));
            }
        }
        self.front.console().into_iter().for_each(|console| console.ask_or_not(&self.irc));
        self.notice(Notice::note(format!("connected to {address}")));
        Ok(())
    }

    /// Measures how long a script waits for the server to take its lines. While our output is not
    /// being read we do not read the server either, and that is not its fault.
    pub(super) fn watch_answers(&mut self) {
        let reads = matches!(self.front, Front::Script(_)) && self.front.is_listening();
        let up = self.link.is_up() && reads;
        let owed = self.irc.as_ref().filter(|_| up).and_then(IrcSession::owed);
        if owed == self.awaited.map(|(owed, _)| owed) {
            return;
        }
        if let Some((_, timer)) = self.awaited.take() {
            self.turn.timers.cancel(timer);
        }
        let limit = self.options.timeout * NEXT_ANSWER;
        self.awaited = owed.map(|owed| (owed, self.turn.arm(limit, TimerKind::Answer)));
    }

    pub(super) fn no_answer(&mut self) {
        let limit = (self.options.timeout * NEXT_ANSWER).as_secs_f64();
        self.notice(Notice::error(format!(
            "the server has not answered a PING for {limit} s: the last lines may not have been delivered"
        )));
        self.ended.get_or_insert(Exit::Lost);
    }

    /// Remembers that the server offers SCRAM, before the first byte of a login is sent, and for how
    /// long it is for TLS only.
    pub(super) fn remember_server(&mut self) {
        if let Some(duration) = self.irc.as_mut().and_then(IrcSession::take_sts_news) {
            let until =
                (duration > 0).then(|| unix_seconds(&self.turn.clock).saturating_add(duration));
            if let Err(why) = self.known.is_for_tls_until(until) {
                self.notice(Notice::error(why));
            }
        }
        if self.irc.as_mut().is_some_and(IrcSession::take_scram_news)
            && let Err(why) = self.known.offers_scram()
        {
            self.notice(Notice::error(why));
        }
    }

    pub(super) fn hint(&mut self) {
        if self.irc.as_ref().is_some_and(|session| !session.has_answered()) {
            let text = "the server has not responded yet; if it is not an IRC server, try --plain";
            self.notice(Notice::note(text));
        }
    }

    /// Checks whether an IRC server has accepted the client; if it rejected it, exits or tries again.
    pub(super) fn check_registration(&mut self) -> io::Result<bool> {
        let Some(session) = &mut self.irc else { return Ok(false) };
        let (settled, was_in) = (session.is_settled(), session.was_in());
        let failure = session.failure.take();
        if settled {
            self.late = 0;
        }
        if settled || failure.is_some() {
            self.cancel_registration_timers();
        }
        let Some(RegistrationFailure { kind, why }) = failure else { return Ok(false) };
        if kind == FailureKind::TooLate && self.late < MAX_LATE {
            self.late += 1;
            self.link.abandon(&mut self.turn)?;
            self.link.forget_unsent();
            self.turn.arm(Duration::ZERO, TimerKind::Reconnect);
            return Ok(true);
        }
        if let FailureKind::TlsOnly(port) = kind {
            self.notice(Notice::note(format!("{why}: connecting by TLS")));
            return self.secure(port).map(|()| true);
        }
        self.notice(Notice::error(why));
        if kind == FailureKind::Password {
            self.link.abandon(&mut self.turn)?;
            self.link.forget_unsent();
            self.front.console().into_iter().for_each(|console| console.ask_or_not(&self.irc));
            return Ok(true);
        }
        if !was_in || matches!(kind, FailureKind::Impostor | FailureKind::Denied) {
            self.ended.get_or_insert(Exit::Rejected);
            return Ok(true);
        }
        // It has accepted the client before, and may again.
        self.link.abandon(&mut self.turn)?;
        self.lost(None);
        Ok(true)
    }

    /// Connects again, by TLS, as the server has asked in the clear (IRCv3 sts): anyone who forges that
    /// chooses a port, but has no certificate. From here on nothing is sent in the clear.
    fn secure(&mut self, port: u16) -> io::Result<()> {
        self.link.abandon(&mut self.turn)?;
        let secured = self.options.server().map_err(|why| (Exit::Arguments, why));
        let secured = secured.and_then(|(host, ..)| {
            let (link, server) = route(self.options, &host, port, true)?;
            Ok((KnownServer::look_up(&host, port).0, link, server))
        });
        match secured {
            Ok((known, link, server)) => {
                if let Some(session) = &mut self.irc {
                    session.is_secured(known.scram);
                    if !session.was_in() {
                        self.connected_at = None; // it has not been reached yet
                    }
                }
                (self.known, self.link) = (known, link);
                self.files.move_to(server);
                self.turn.arm(Duration::ZERO, TimerKind::Reconnect);
            }
            Err((exit, why)) => {
                self.notice(Notice::error(why));
                self.ended.get_or_insert(exit);
            }
        }
        Ok(())
    }

    fn cancel_registration_timers(&mut self) {
        for timer in self.registration_timers.drain(..) {
            self.turn.timers.cancel(timer);
        }
    }

    pub(super) fn lost(&mut self, error: Option<io::Error>) {
        let now = self.turn.clock.now();
        if self.connected_at.is_some_and(|since| now - since >= STEADY) {
            self.attempts = 0;
        }
        let unsent = self.link.forget_unsent();
        self.cancel_registration_timers();
        let why = self.irc.as_mut().and_then(IrcSession::disconnected);
        self.front.refresh(&mut self.irc);
        if let Some(why) = why {
            self.notice(Notice::error(why));
            self.ended.get_or_insert(Exit::Rejected);
            return;
        }
        if let Front::Script(script) = &mut self.front {
            script.look_for_end_of_input();
        }
        let (quit, persistent) = match &self.front {
            // A script that has sent everything has nothing to lose.
            Front::Script(script) => {
                let again = self.options.reconnect;
                let sent_all = script.has_sent_all(&self.irc) && unsent == 0 && error.is_none();
                (script.has_quit(&self.irc) || (sent_all && !again), again)
            }
            Front::Person(console) => {
                let sent_quit = console.as_ref().is_some_and(|console| console.quit_sent);
                (sent_quit || self.ending.is_some(), !self.options.no_reconnect)
            }
        };
        if quit {
            self.ended = Some(self.done());
            return;
        }
        self.notice(Notice::error(match &error {
            None => "connection lost: closed by the server".to_owned(),
            Some(error) => format!("connection lost: {error}"),
        }));
        if unsent > 0 {
            self.notice(Notice::error(format!("{unsent} bytes were not sent")));
        }
        if self.irc.as_ref().is_some_and(|session| session.banned) {
            self.ended = Some(Exit::Rejected);
        } else if persistent {
            self.retry();
        } else {
            self.ended = Some(Exit::Lost);
        }
    }

    pub(super) fn retry(&mut self) {
        if let Some(most) = self.options.give_up.filter(|most| self.attempts >= *most) {
            let attempts = counted(most as usize, "attempt");
            self.notice(Notice::error(format!("gave up after {attempts} (--give-up)")));
            self.ended = Some(Exit::Lost);
            return;
        }
        let pause = (FIRST_PAUSE * (1 << self.attempts.min(TOLD))).min(LONGEST_PAUSE);
        self.attempts = self.attempts.saturating_add(1);
        let seconds = pause.as_secs_f64();
        let of = self.options.give_up.map(|most| format!(" of {most}")).unwrap_or_default();
        if self.attempts < TOLD {
            let attempt = self.attempts;
            let text = format!("reconnecting in {seconds} s (attempt {attempt}{of})");
            self.notice(Notice::note(text));
        } else if self.attempts == TOLD {
            let text = format!("reconnecting every {seconds} s from now on");
            self.notice(Notice::note(text));
        }
        self.turn.arm(pause, TimerKind::Reconnect);
    }

    /// One address could not be reached. After many attempts that is no news.
    pub(super) fn unreachable(&mut self, address: SocketAddr, why: &str) {
        if self.attempts <= TOLD {
            self.notice(Notice::error(format!("could not connect to {address}: {why}")));
        }
    }
}
