//! The turn: the one loop of the server, always in the same order.
//!
//! `wait → accept and read → commands → timers → journal → apply → flush → reap`
//!
//! The server owns its parts and routes between them: a part does its work and returns what
//! concerns the others, as actions. All of them are performed in `exchange::perform`.

use super::accept::{Acceptor, NewPeer, is_flood_limited, work_limit};
use super::broadcast::Broadcast;
use super::config::{Config, OrOff, Seconds, Settings};
use super::connection::{Bounds, Connection};
use super::engine::Engine;
use super::exchange::Exchange;
use super::gate::{Blocked, LineGate};
use super::intake::Intake;
use super::limits::{DEFAULT_LINE_RATE, Pace};
use super::net::{Net, TimerKind};
use super::operator::{CONSOLE, ConsoleService, Request};
use super::random::Random;
use super::reload::Live;
use super::shutdown::{Ending, Shutdown};
use super::start::{self, StartError, listen, open_journal};
use super::stats::Stats;
use super::trim::MemoryTrim;
use super::worker::Workers;
use crate::chat::Moment;
use crate::session::Dialect;
use chatloop_reactor::{
    Clock, Interest, Poller, Readiness, Signal, Signals, Token, WakeReceiver, Waker, descriptors,
    memory, signals, waker,
};
use log::{error, info};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Unused input that one connection may accumulate while its lines wait, in bytes. More than the
/// longest line, so that a whole one always fits.
const INBOX_BOUND: usize = 64 * 1024;

// A whole line and its end must fit, or its connection would wait permanently.
const _: () = assert!(INBOX_BOUND > super::config::LONGEST_LINE + 2);

/// Timers handled in one turn. A crowd that came at once is due at once, and what a thousand
/// arrivals are told about each other must not all be kept in memory at the same time.
const TIMERS_PER_TURN: usize = 256;

const SIGNALS: Token = Token::fixed(start::MOST_LISTENERS as u8);

const WAKER: Token = Token::fixed(start::MOST_LISTENERS as u8 + 1);

/// What a server needs from its surroundings.
pub(super) struct Setup<W> {
    pub(super) clock: Clock,
    pub(super) signals: &'static [Signal],
    /// Starts the workers.
    pub(super) work: W,
}

/// The server: its parts, and the loop that moves them.
pub struct Server {
    exchange: Exchange,
    acceptor: Acceptor,
    intake: Intake,
    shutdown: Shutdown,
    trim: MemoryTrim,
}

impl Server {
    /// Listens at the configured place. Nothing is accepted until [`run`](Server::run).
    ///
    /// # Errors
    /// What is wrong with the configuration or the place.
    pub fn start(settings: Settings) -> Result<Server, StartError> {
        let signals = wanted_signals(&settings.config);
        let work = |waker, wakes| Workers::start(waker, wakes, Random::system());
        Server::start_with(settings, Setup { clock: Clock::system(), signals, work })
    }

    /// The same with its surroundings given.
    pub(super) fn start_with<W>(settings: Settings, setup: Setup<W>) -> Result<Server, StartError>
    where
        W: FnOnce(Waker, WakeReceiver) -> io::Result<Workers>,
    {
        let Setup { clock, signals, work } = setup;
        let config = &settings.config;
        signals::ignore_sigpipe().map_err(StartError::System)?;
        let descriptors = descriptors::raise_limit().map_err(StartError::System)?;
        let stats = Stats::new();
        let acceptor = Acceptor::new(listen(config)?, descriptors, config, stats.clone());
        let mut poller = Poller::new(config.boot.backend).map_err(StartError::System)?;
        acceptor.watch(&mut poller)?;
        let signals = Signals::new(signals).map_err(StartError::System)?;
        poller.add(&signals, SIGNALS, Interest::READ).map_err(StartError::System)?;
        let (waker, wakes) = waker().map_err(StartError::System)?;
        poller.add(&wakes, WAKER, Interest::READ).map_err(StartError::System)?;
        let (journal, hub) = open_journal(config, &waker, &clock)?;
        let irc =
            config.irc_settings(Moment(clock.unix_milliseconds())).map_err(StartError::Setting)?;
        let (net, engine) =
            (Net::new(poller, clock, bounds(config), stats.clone()), Engine::new(journal, hub));
        let (broadcast, console) = (Broadcast::new(irc), ConsoleService::new(config.quiet));
        let workers = work(waker, wakes).map_err(StartError::System)?;
        let (acceptor, intake) = (acceptor, Intake::new(config, stats.clone()));
        let live = Live::new(settings);
        Ok(Server {
            exchange: Exchange::new(net, engine, broadcast, workers, (console, live), stats),
            acceptor,
            intake,
            shutdown: Shutdown::new(signals),
            trim: MemoryTrim::default(),
        })
    }

    /// Where it listens; the port is the one the system picked, if it was asked to.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.acceptor.addresses().collect()
    }

    /// One line for whoever waits for the server to be ready: where, how, for how many.
    pub fn ready_line(&mut self) -> String {
        let places: Vec<String> = self.acceptor.addresses().map(|it| it.to_string()).collect();
        let (places, backend) = (places.join(" and "), self.exchange.net.poller().backend());
        let capacity = self.acceptor.capacity();
        format!("listening on {places} with {backend}, room for {capacity} clients")
    }

    /// Turns until it is asked to stop (SIGINT, SIGTERM).
    ///
    /// # Errors
    /// Only if the poller itself fails: there is no going on without it.
    pub fn run(&mut self) -> io::Result<Ending> {
        let mut readiness = Vec::new();
        let config = self.exchange.live.config();
        if let Some(change) =
            self.exchange.console.open(&mut self.exchange.net, config.quiet, config.boot.no_console)
        {
            self.exchange.propose(CONSOLE, change);
        }
        loop {
            self.turn(&mut readiness, None)?;
            if let Some(ending) = self.shutdown.ending() {
                self.end();
                return Ok(ending);
            }
        }
    }

    pub(super) fn turn(
        &mut self,
        readiness: &mut Vec<Readiness>,
        longest_wait: Option<Duration>,
    ) -> io::Result<usize> {
        self.exchange.net.wait(readiness, self.has_work(), longest_wait)?;
        let ready = readiness.len();
        self.exchange.broadcast.begin_turn(self.exchange.net.moment());

        for ready in readiness.drain(..) {
            self.dispatch(ready);
        }
        self.exchange.take_work_done();
        self.exchange.take_lines(&mut self.intake);
        for _ in 0..TIMERS_PER_TURN {
            let Some(timer) = self.exchange.net.next_due() else { break };
            self.timer_is_due(timer);
        }
        self.exchange.engine.end_turn();
        self.exchange.apply_records();
        self.exchange.take_answers();
        self.exchange.console.end_turn();
        self.exchange.flush();
        self.exchange.reap(&mut self.acceptor);
        self.trim.end_turn(self.exchange.broadcast.allocated(), &mut self.exchange.net);
        self.shutdown.end_turn(&self.exchange.net);
        // After everything that may have been logged.
        self.exchange.console.present(self.exchange.engine.hub(), &mut self.exchange.net);
        Ok(ready)
    }

    /// Whether something is left to do from the last turn.
    fn has_work(&self) -> bool {
        let lines = self.exchange.net.with_input() > 0 || self.exchange.console.has_line();
        (lines && self.exchange.engine.has_room())
            || self.exchange.engine.has_work()
            || self.exchange.workers.has_done()
    }

    /// For tests: users online, connections, the longest send queue, the acceptor.
    #[cfg(test)]
    pub(super) fn online(&self) -> usize {
        self.exchange.engine.hub().sessions().count()
    }

    #[cfg(test)]
    pub(super) fn connections(&self) -> usize {
        self.exchange.net.len()
    }

    #[cfg(test)]
    pub(super) fn longest_queue(&self) -> usize {
        self.exchange.net.connections().map(|it| it.queued()).max().unwrap_or(0)
    }

    #[cfg(test)]
    pub(super) fn acceptor(&mut self) -> &mut Acceptor {
        &mut self.acceptor
    }

    /// Everything that can wake the loop.
    fn dispatch(&mut self, ready: Readiness) {
        match ready.token {
            WAKER => self.exchange.workers.awake(),
            SIGNALS => {
                for signal in self.shutdown.signals() {
                    self.signal(signal);
                }
            }
            CONSOLE => {
                let requests = self.exchange.console.keys(&mut self.exchange.net);
                self.grant(requests);
            }
            token => match self.acceptor.listener(token) {
                Some(number) => self.accept(number),
                None => self.exchange.net.ready(ready),
            },
        }
    }

    fn accept(&mut self, number: usize) {
        for client in self.acceptor.accept(number, &mut self.exchange.net) {
            let (hub, config) = (self.exchange.engine.hub(), self.exchange.live.config());
            let Some(NewPeer { transport, address, rejection }) =
                self.acceptor.admit(client, &self.exchange.net, hub, config)
            else {
                continue;
            };
            let (now, tenths) = (self.exchange.net.now(), self.exchange.net.tenths());
            let delay = config.greeting_delay;
            let gate = LineGate::new(is_flood_limited(config, address.ip()), now);
            let session = Dialect::new(config.style.into());
            let lane = self.exchange.broadcast.enter(session.format());
            let token = self.exchange.net.insert(work_limit(config, address.ip()), |token| {
                let mut connection =
                    Connection::new(token, transport, address.into(), session, lane, gate, tenths);
                connection.life.counted = rejection.is_none();
                connection
            });
            if let Some(rejection) = rejection {
                self.exchange.notice(token, &rejection);
                self.exchange.drain(token);
            } else if delay == 0 {
                self.exchange.stop_detecting(token);
            } else {
                let last = self.exchange.engine.hub().last().unwrap_or_default();
                self.exchange.broadcast.buffer_early(token, last);
                let delay = Duration::from_millis(delay.into());
                self.exchange.net.arm(token, delay, TimerKind::Detection(token));
            }
        }
    }

    fn signal(&mut self, signal: Signal) {
        match signal {
            // No second request to stop, and too late to change anything.
            Signal::Hangup if self.shutdown.is_stopping() => {}
            Signal::Hangup if !self.exchange.console.has_lost_its_terminal() => self.reload(),
            Signal::Hangup | Signal::Interrupt | Signal::Terminate => self.stop(signal),
            Signal::Suspend => {
                let request = self.exchange.console.suspend(&mut self.exchange.net);
                self.grant(request);
            }
            Signal::Continue => {
                let request = self.exchange.console.resume(&mut self.exchange.net);
                self.grant(request);
            }
            Signal::WindowChange => self.exchange.console.resized(),
        }
    }

    fn grant(&mut self, requests: impl IntoIterator<Item = Request>) {
        for request in requests {
            match request {
                Request::Stop => self.stop(Signal::Interrupt),
                Request::Leave => self.exchange.leave(CONSOLE, None, String::new()),
                Request::HangUp => self.signal(Signal::Hangup),
            }
        }
    }

    fn timer_is_due(&mut self, timer: TimerKind) {
        match timer {
            TimerKind::Detection(token) => {
                // A server that thousands join at once may have its bytes in the socket still.
                self.exchange.net.read(token);
                self.exchange.stop_detecting(token);
            }
            TimerKind::Registration(token) => {
                self.exchange.end_registration(token);
            }
            TimerKind::Idle(token) => self.exchange.check_idle(token),
            TimerKind::Probe(token) => {
                if !self.exchange.net.probe(token) {
                    self.exchange.gone(token);
                }
            }
            TimerKind::Close(token) => self.exchange.net.close(token),
            TimerKind::Flood(token) => self.exchange.unblock(token, Blocked::FLOOD),
            TimerKind::Batch(token) => {
                let again =
                    self.exchange.speak(token, |session, view, out| session.check_batch(view, out));
                if let Some(Some(pause)) = again {
                    self.exchange.net.after(pause, TimerKind::Batch(token));
                }
            }
            TimerKind::Stall => self.exchange.drop_stalled(),
            TimerKind::Shortage => self.exchange.net.check_shortage(),
            TimerKind::Trim => {
                self.trim.timer(self.exchange.broadcast.allocated(), &mut self.exchange.net)
            }
            TimerKind::Accept => self.acceptor.resume(&mut self.exchange.net),
            TimerKind::Shutdown => self.shutdown.timer(),
            TimerKind::Console => {
                let requests = self.exchange.console.timer(&mut self.exchange.net);
                self.grant(requests);
            }
        }
    }

    /// SIGHUP: takes over the settings that can change.
    fn reload(&mut self) {
        let was_quiet = self.exchange.live.config().quiet;
        if !self.exchange.live.reload() {
            return;
        }
        let config = self.exchange.live.config();
        match config.irc_settings(self.exchange.broadcast.started()) {
            Ok(irc) => self.exchange.broadcast.set_irc(irc),
            Err(wrong) => error!("SIGHUP: the settings for IRC clients are unchanged: {wrong}"),
        }
        self.exchange.net.set_bounds(bounds(config));
        self.acceptor.configure(config);
        self.intake.configure(config);
        if was_quiet != config.quiet {
            self.exchange.console.set_quiet(config.quiet);
        }
        let now = self.exchange.net.now();
        for token in self.exchange.net.tokens() {
            if let Some(connection) = self.exchange.net.connection(token) {
                let limited =
                    is_flood_limited(self.exchange.live.config(), connection.address.ip());
                connection.gate.limit_flood(limited, now);
                let limit = work_limit(self.exchange.live.config(), connection.address.ip());
                self.exchange.net.limit_work(token, limit);
            }
            // Also where nothing has changed: it only looks at the time that is left.
            self.exchange.check_idle(token);
        }
    }

    /// A first request to stop is a graceful shutdown; a second one is meant.
    fn stop(&mut self, signal: Signal) {
        if !self.shutdown.begin(signal, &mut self.exchange.net) {
            return;
        }
        self.acceptor.close(&mut self.exchange.net);
        for token in self.exchange.net.tokens() {
            self.exchange.broadcast.take_early(&mut self.exchange.net, token);
            let text = "the server is shutting down, goodbye";
            self.exchange.speak(token, |session, _, out| session.farewell(text, out));
            self.exchange.drain(token);
        }
    }

    fn end(&mut self) {
        self.exchange.net.close_all();
        self.exchange.engine.close();
        self.exchange.console.finish(&mut self.exchange.net);
        let (turns, bytes_in, bytes_out) = self.exchange.net.totals();
        info!("stopped after {turns} turns, {bytes_in} bytes in, {bytes_out} bytes out");
    }
}

/// A terminal has more to tell. What a server without a console does not catch keeps its meaning.
fn wanted_signals(config: &Config) -> &'static [Signal] {
    if super::console::is_wanted(config.quiet, config.boot.no_console) {
        &Signal::ALL
    } else {
        &[Signal::Interrupt, Signal::Terminate, Signal::Hangup]
    }
}

fn bounds(config: &Config) -> Bounds {
    let rate = config.flood_limit.and_then(OrOff::on).map_or(DEFAULT_LINE_RATE, |rate| rate.0);
    Bounds {
        outbox_soft: config.outbox_soft.0,
        outbox_hard: config.outbox_hard.0,
        outbox_all: config.outbox_all.map_or_else(default_outbox_all, |bytes| bytes.0),
        stall: config.stall_timeout.on().map(Seconds::duration),
        inbox: INBOX_BOUND,
        pace: Pace::new(rate),
    }
}

/// A chat that has more than this unsent has peers that do not read; and a small machine has other
/// uses for its memory.
fn default_outbox_all() -> usize {
    (memory::limit() / 8).min(64 * 1024 * 1024)
}
