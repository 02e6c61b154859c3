//! The exchange between peers and the chat: what is to be done for them, and what they are told.
//!
//! | file | subject |
//! |---|---|
//! | this one | one peer: told something, leaving, gone |
//! | `perform` | what a peer asks for: the one place where [`Action`]s are performed |
//! | `logins` | passwords and proofs, to the workers and back |
//! | `upkeep` | what happens by itself: arrivals, timers, the console, new settings, the end |
//! | `early_account` | an account for a peer that has not entered yet |
//! | `encryption` | TLS on a connection |
//! | `relay` | connections that come by a proxy |
//! | `scrape` | the numbers of `/metrics` |
//! | `loop_viewers` | the viewers of the loop |
//! | `no_web` | these two in a build without the feature `web` |
//! | `upload`, `download` | files that come and go; `no_files` in a build without the feature `web` |
//! | `apply` | what the journal has committed and answered: effects to those who follow them |

mod apply;
#[cfg(feature = "web")]
mod download;
mod early_account;
mod encryption;
mod logins;
#[cfg(feature = "web")]
mod loop_viewers;
#[cfg(not(feature = "web"))]
mod no_files;
#[cfg(not(feature = "web"))]
mod no_web;
mod perform;
mod relay;
#[cfg(feature = "web")]
mod scrape;
#[cfg(test)]
mod tests;
mod upkeep;
#[cfg(feature = "web")]
mod upload;

use super::admission::Admission;
use super::audit;
use super::broadcast::{Broadcast, Cause, Telling};
use super::config::Bytes;
use super::engine::Engine;
use super::expiry::Expiry;
use super::gate::Kind;
use super::guesses::Guesses;
#[cfg(feature = "web")]
use super::loop_viewers::LoopViewers;
use super::net::Net;
use super::operator::{CONSOLE, ConsoleService};
use super::registrations::Registrations;
use super::reload::Live;
use super::stats::Stats;
use super::stepping::Stepper;
#[cfg(feature = "web")]
use super::transfers::Transfers;
use super::worker::Workers;
use crate::chat::{Change, Command, Event, Origin, Refusal, SessionId, User, Viewpoint};
use crate::session::{Action, Dialect, View};
use chatloop_reactor::Token;
use log::info;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The parts that a peer's command passes, from its connection to the chat and back.
pub(super) struct Exchange {
    net: Net,
    admission: Admission,
    engine: Engine,
    broadcast: Broadcast,
    workers: Workers,
    console: ConsoleService,
    live: Live,
    stats: Stats,
    guesses: Guesses,
    registrations: Registrations,
    stepper: Stepper,
    /// Where the last page went, and when.
    last_page: Option<(Origin, Instant)>,
    #[cfg(feature = "web")]
    viewers: LoopViewers,
    #[cfg(feature = "web")]
    transfers: Transfers,
    /// Registered rooms in which no one has been for long, and accounts of the kind.
    abandoned_rooms: Expiry,
    unused_accounts: Expiry,
    /// An operator wants the configuration to be reloaded.
    reload_asked: bool,
    /// What is to be done for one connection; its memory is used again.
    actions: Vec<Action>,
}

impl Exchange {
    pub(super) fn new(
        net: Net,
        engine: Engine,
        broadcast: Broadcast,
        workers: Workers,
        live: Live,
        stats: Stats,
    ) -> Exchange {
        let stepper = Stepper::new(live.config().boot.step);
        Exchange {
            net,
            admission: Admission::new(stats.clone()),
            engine,
            broadcast,
            workers,
            console: ConsoleService::new(live.config()),
            live,
            stats,
            guesses: Guesses::new(),
            registrations: Registrations::default(),
            stepper,
            last_page: None,
            #[cfg(feature = "web")]
            viewers: LoopViewers::default(),
            #[cfg(feature = "web")]
            transfers: Transfers::default(),
            abandoned_rooms: Expiry::default(),
            unused_accounts: Expiry::default(),
            reload_asked: false,
            actions: Vec::new(),
        }
    }

    /// For the simulation.
    #[cfg(feature = "simulation")]
    pub(in crate::server) fn hub(&self) -> &crate::chat::Hub {
        self.engine.hub()
    }

    /// Proposes a change. It happens when the journal has committed it.
    pub(super) fn propose(&mut self, token: Token, change: Change) {
        match self.net.peer(token) {
            Some(mut peer) => peer.proposed(&change),
            None if token == CONSOLE => self.console.proposed(&change),
            None => {}
        }
        self.engine.propose(self.net.moment(), session(token), change);
    }

    /// A record of a connection is done with, or an action; ends the command in hand if nothing is
    /// to come of it.
    pub(super) fn settle(&mut self, token: Token, record: Option<Kind>) {
        if token == CONSOLE {
            return record.into_iter().for_each(|kind| self.console.settled(kind));
        }
        let Some(mut peer) = self.net.peer(token) else { return };
        if let Some(kind) = record {
            peer.settled(kind);
        }
        if peer.connection.gate.is_idle() && peer.connection.session.has_open_answer() {
            let hub = self.engine.hub();
            self.broadcast.speak(&mut peer, hub, None, |session, _, out| session.command_done(out));
        }
    }

    pub(super) fn speak<R>(
        &mut self,
        token: Token,
        speak: impl FnOnce(&mut Dialect, &mut View<'_>, &mut Vec<u8>) -> R,
    ) -> Option<R> {
        let mut peer = self.net.peer(token)?;
        Some(self.broadcast.speak(&mut peer, self.engine.hub(), None, speak))
    }

    /// The same for what also asks for something.
    pub(super) fn speak_and_ask(
        &mut self,
        token: Token,
        speak: impl FnOnce(&mut Dialect, &mut View<'_>, &mut Vec<u8>, &mut Vec<Action>),
    ) {
        let Some(mut peer) = self.net.peer(token) else { return };
        let (hub, actions) = (self.engine.hub(), &mut self.actions);
        self.broadcast.speak(&mut peer, hub, None, |it, view, out| speak(it, view, out, actions));
    }

    /// Tells one connection a line of the server's own.
    pub(super) fn notice(&mut self, token: Token, text: &str) {
        if token == CONSOLE {
            return self.console.tell(text);
        }
        self.speak(token, |session, view, out| session.notice(text, view, out));
    }

    /// The input of a connection has ended, and it listens on: tells it, unless it was told before.
    fn half_close(&mut self, token: Token) -> bool {
        let is_news = self.net.half_close(token);
        if is_news {
            let text = "your input has ended; you still receive messages until you close";
            self.notice(token, text);
        }
        is_news
    }

    /// Tells one connection what it asked for.
    pub(super) fn reply(&mut self, token: Token, event: &Event) {
        if token == CONSOLE {
            // It reads: its next page is asked for at once.
            let more = event.more().cloned();
            self.actions.extend(more.map(|more| Action::Do(Command::List(Box::new(more)))));
            return self.console.show_event(event, Viewpoint::Observer);
        }
        let (net, hub) = (&mut self.net, self.engine.hub());
        let mut telling = Telling { net, hub, cause: Cause::default() };
        self.broadcast.tell(&mut telling, session(token), Viewpoint::Observer, event);
    }

    /// Whether a server operator is at a connection.
    fn is_operator(&self, token: Token) -> bool {
        self.engine.hub().user(session(token)).is_some_and(User::is_operator)
    }

    /// Tells a peer that the server could not do what it asked for: to a program, a failure.
    pub(super) fn fail(&mut self, token: Token, why: &str) {
        self.reply(token, &Event::Refused(Refusal::Failed(why.into())));
    }

    /// Shows a server operator how full the server is and what its limits have done.
    pub(super) fn show_stats(&mut self, token: Token) {
        let (used, limit) = self.net.send_memory();
        let (used, limit) = (used.div_ceil(1024 * 1024), Bytes(limit));
        let mut lines = vec![
            format!("clients connected: {}", self.net.len()),
            format!("memory of all send queues: {used} MiB of {limit} (--outbox-all)"),
        ];
        lines.extend(self.stats.lines());
        if token == CONSOLE {
            return lines.iter().for_each(|line| self.console.tell(line));
        }
        self.speak(token, |session, view, out| session.stats(&lines, view, out));
    }

    /// Has the configuration reloaded for a server operator, after this turn's lines.
    pub(super) fn ask_for_reload(&mut self, token: Token) {
        audit::reload(self.engine.hub(), session(token));
        self.reload_asked = true;
        self.notice(token, "reloading the configuration; the log says what has changed");
    }

    /// Whether an operator has asked for that.
    pub(super) fn take_reload(&mut self) -> bool {
        std::mem::take(&mut self.reload_asked)
    }

    /// Switches the trace for a server operator.
    pub(super) fn switch_trace(&mut self, token: Token, on: bool) {
        let text = self.set_trace(on);
        self.notice(token, text);
    }

    /// SIGUSR1.
    pub(super) fn toggle_trace(&mut self) {
        let text = self.set_trace(!self.net.trace().is_wanted());
        info!("SIGUSR1: {text}");
    }

    fn set_trace(&mut self, on: bool) -> &'static str {
        if !self.net.trace().switch(on) {
            return "there is no trace to switch; start the server with --trace FILE";
        }
        if !on {
            return "the trace is off";
        }
        // Those that connected while it was off have no name in it.
        let trace = self.net.trace();
        for token in self.net.tokens() {
            let user = self.engine.hub().user(session(token));
            trace.label(token, || {
                user.map_or("-".to_owned(), |user| user.identity.nick.to_string())
            });
        }
        "the trace is on"
    }

    pub(super) fn idle_limit(&self) -> Option<Duration> {
        self.live.config().idle_timeout.on().map(|limit| limit.duration())
    }

    /// Takes no more lines from it and lets it leave the chat; `farewell` is the last it is told.
    pub(super) fn leave(&mut self, token: Token, words: Option<Arc<str>>, farewell: String) {
        if token == CONSOLE {
            let change = self.console.leave(words);
            return change.into_iter().for_each(|change| self.propose(token, change));
        }
        let Some(mut peer) = self.net.peer(token) else { return };
        peer.connection.leave(words, farewell);
        // Its leaving may be committed later than the next wait, which is not to wait for its input.
        peer.flush_later();
        if peer.connection.life.entered {
            self.propose_leave(token);
        } else {
            self.say_farewell(token);
        }
    }

    /// It is no plain peer: the one that it was taken for leaves, and until then nothing is told to both.
    pub(super) fn withdraw(&mut self, token: Token) {
        let Some(mut peer) = self.net.peer(token) else { return };
        peer.connection.life.withdrawn = peer.connection.life.entered;
        self.broadcast.send(&mut peer, self.engine.hub(), &[]);
        self.propose_leave(token);
    }

    pub(super) fn propose_leave(&mut self, token: Token) {
        let Some(connection) = self.net.connection(token) else { return };
        let departure = connection.life.quit_reason();
        if std::mem::take(&mut connection.life.entered) {
            self.propose(token, Change::Leave { departure });
        }
    }

    /// Its leaving is in force, and it has been told everything until then.
    pub(super) fn say_farewell(&mut self, token: Token) {
        let connection = self.net.connection(token);
        if let Some(farewell) = connection.and_then(|it| it.life.take_farewell()) {
            self.speak(token, |session, _, out| session.farewell(&farewell, out));
            self.drain(token);
        }
    }

    /// What is queued for it is still sent, then the connection closes.
    pub(super) fn drain(&mut self, token: Token) {
        if let Some(connection) = self.net.drain(token) {
            self.broadcast.stop_registering(&mut connection.session);
            self.speak(token, |session, _, out| session.end(out));
        }
    }

    /// Drops the peers that have taken nothing of what they are owed for too long.
    pub(super) fn drop_stalled(&mut self) {
        for token in self.net.stalled() {
            self.gone(token);
        }
    }

    /// The connection is over: the others are told, the reaper takes it.
    pub(super) fn gone(&mut self, token: Token) {
        self.propose_leave(token);
        self.net.close(token);
    }
}

fn session(token: Token) -> SessionId {
    SessionId(token.to_bits())
}
