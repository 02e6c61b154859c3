//! The turn: the one loop of the server, always in the same order.
//!
//! `wait → read → commands → timers → journal → answers → flush → reap`
//!
//! The server owns its parts and routes between them: a part does its work and returns what
//! concerns the others. What is asked for a peer is an [`Action`](crate::session::Action), and all
//! of them are performed in one place (`exchange/perform.rs`).

use super::accept::Acceptor;
use super::broadcast::Broadcast;
use super::config::{Config, Settings};
use super::connection::Bounds;
use super::engine::Engine;
use super::exchange::Exchange;
use super::intake::Intake;
use super::log;
use super::net::{Net, TimerKind};
use super::operator::{CONSOLE, ConsoleService, Request};
use super::random::Random;
use super::reload::Live;
use super::service;
use super::shutdown::{Ending, Shutdown};
use super::start::{self, StartError, listen, open_journal};
use super::stats::Stats;
use super::trim::MemoryTrim;
use super::worker::Workers;
use crate::chat::Moment;
use crate::journal::Threads;
use crate::trace::{self, Event, Phase, Trace};
use crate::wire::plural::counted;
use ::log::{info, warn};
use chatloop_reactor::fault::Faults;
use chatloop_reactor::{
    Backend, Clock, Interest, Listener, Poller, Readiness, Signal, Signals, Token, WakeReceiver,
    Waker, descriptors, signals, waker,
};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

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
    /// Where the journal and the files have their threads.
    pub(super) threads: Threads,
    /// Draws the tokens and ids of files.
    pub(super) random: Random,
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
        let work = |waker, wakes| Workers::start(waker, wakes, Random::System);
        let (clock, threads, random) = (Clock::system(), Threads::System, Random::System);
        Server::start_with(settings, Setup { clock, signals, work, threads, random })
    }

    /// The same with its surroundings given.
    pub(super) fn start_with(
        mut settings: Settings,
        setup: Setup<impl FnOnce(Waker, WakeReceiver) -> io::Result<Workers>>,
    ) -> Result<Server, StartError> {
        let Setup { clock, signals, work, threads, random } = setup;
        settings.warn();
        let faults = settings.config.boot.fault.map(Faults::new);
        let listeners = listen(&settings.config, faults.as_ref())?;
        if let Some(Ok(address)) = listeners.first().map(Listener::local_address) {
            settings.config.boot.listen_at(address);
        }
        let config = &settings.config;
        signals::ignore_write_signals()?;
        let descriptors = descriptors::raise_limit()?;
        let stats = Stats::default();
        let acceptor = Acceptor::new(listeners, descriptors, config);
        let mut poller = Poller::new(config.boot.backend)?;
        acceptor.watch(&mut poller)?;
        if let (Some(faults), Some(plan)) = (&faults, config.boot.fault) {
            poller.disturb(faults);
            warn!("--fault: calls of the system fail on purpose ({plan}); this is for tests");
        }
        let signals = Signals::new(signals)?;
        poller.add(&signals, SIGNALS, Interest::READ)?;
        let (waker, wakes) = waker()?;
        poller.add(&wakes, WAKER, Interest::READ)?;
        let (journal, hub) = open_journal(config, &waker, &clock, &threads)?;
        let irc =
            config.irc_settings(Moment(clock.unix_milliseconds())).map_err(StartError::Setting)?;
        let trace = config.boot.trace.as_deref().map(|path| (path, config.boot.trace_format));
        let trace = Trace::start(trace, config.boot.trace_text, faults, &clock);
        let trace = trace.map_err(StartError::Trace)?;
        trace.label(SIGNALS, || "signals".to_owned());
        trace.label(WAKER, || "waker".to_owned());
        trace.label(CONSOLE, || "console".to_owned());
        (0..start::MOST_LISTENERS as u8)
            .for_each(|number| trace.label(Token::fixed(number), || "listener".to_owned()));
        if config.boot.step {
            trace.hide(SIGNALS);
            let how = "waits for Enter at the console, or for a page at /loop";
            info!("--step: each turn {how} (--trace - prints what it did)");
        }
        let net = Net::new(poller, clock, Bounds::of(config), stats.clone(), trace);
        let engine = Engine::new(journal, hub);
        let broadcast = Broadcast::new(irc);
        let workers = work(waker.clone(), wakes)?;
        let intake = Intake::new(config, stats.clone());
        let live = Live::new(settings).map_err(StartError::Setting)?;
        live.check_certificate(net.moment());
        let mut exchange = Exchange::new(net, engine, broadcast, workers, live, stats);
        exchange.open_files(waker, &threads, random)?;
        Ok(Server {
            exchange,
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

    /// One line for those who wait for the server to be ready: where, how, for how many.
    pub fn ready_line(&mut self) -> String {
        let places: Vec<String> = self.acceptor.addresses().map(|it| it.to_string()).collect();
        let (places, backend) = (places.join(" and "), self.exchange.net().poller().backend());
        let capacity = counted(self.acceptor.capacity(), "client");
        let tls = self.exchange.certificate();
        let tls = tls.map_or(String::new(), |certificate| format!(", TLS with the {certificate}"));
        format!("listening on {places} with {backend}, room for {capacity}{tls}")
    }

    /// Turns until it is asked to stop (SIGINT, SIGTERM).
    ///
    /// # Errors
    /// Only if the poller itself fails: there is no going on without it.
    pub fn run(&mut self) -> io::Result<Ending> {
        let mut readiness = Vec::new();
        self.exchange.open_console();
        self.exchange.log_urls();
        self.exchange.end_unused();
        service::notify("READY=1");
        loop {
            self.turn(&mut readiness, None)?;
            if let Some(ending) = self.shutdown.ending() {
                let saved = self.exchange.end();
                return Ok(if saved { ending } else { Ending::Unsaved });
            }
        }
    }

    /// One turn, which waits for `longest_wait` at most; how many descriptors were ready.
    pub(super) fn turn(
        &mut self,
        readiness: &mut Vec<Readiness>,
        longest_wait: Option<Duration>,
    ) -> io::Result<usize> {
        let count = self.wait(readiness, longest_wait)?;
        for ready in readiness.drain(..) {
            self.dispatch(ready);
        }
        self.exchange.take_work_done();
        self.exchange.take_files_done();
        self.end_phase(Phase::Read);
        self.exchange.take_lines(&mut self.intake);
        if self.exchange.take_reload() {
            self.reload();
        }
        self.end_phase(Phase::Commands);
        for _ in 0..TIMERS_PER_TURN {
            let Some(timer) = self.exchange.net().next_due() else { break };
            self.timer_is_due(timer);
        }
        self.end_phase(Phase::Timers);
        self.exchange.commit();
        self.end_phase(Phase::Journal);
        self.exchange.take_answers();
        self.end_phase(Phase::Answers);
        self.exchange.flush();
        self.end_phase(Phase::Flush);
        self.exchange.reap();
        self.trim.end_turn(self.exchange.allocated(), self.exchange.net());
        self.shutdown.end_turn(self.exchange.net());
        self.exchange.net().note_totals();
        self.end_phase(Phase::Reap);
        self.exchange.net().trace().end_turn();
        self.exchange.show_loop(false);
        // After everything that may have been logged.
        self.exchange.show();
        Ok(count)
    }

    /// Waits until there is something for a turn; how many descriptors are ready. A page that shows
    /// the loop is served beside the turns: it would be all that it shows otherwise.
    fn wait(&mut self, ready: &mut Vec<Readiness>, longest: Option<Duration>) -> io::Result<usize> {
        while self.exchange.wait(ready, longest)? {
            self.serve_beside(ready, false);
            if self.shutdown.is_stopping() {
                break;
            }
        }
        if self.exchange.is_held() && !self.shutdown.is_stopping() {
            self.hold()?;
            // Those were served meanwhile, and a terminal's keys cannot be read twice.
            let trace = self.exchange.net().trace();
            ready.retain(|it| !trace.is_hidden(it.token));
        }
        self.exchange.stepper().take();
        Ok(ready.len())
    }

    /// Serves what is ready and part of no turn.
    fn serve_beside(&mut self, readiness: &mut Vec<Readiness>, is_held: bool) {
        for ready in readiness.drain(..) {
            self.dispatch(ready);
        }
        self.exchange.end_beside(is_held);
    }

    /// Step mode: waits for the step. What is ready for the turn stays pending meanwhile, and for
    /// deadlines the time stands still.
    fn hold(&mut self) -> io::Result<()> {
        let before = self.exchange.net().clock().spent();
        self.exchange.end_beside(true);
        let mut readiness = Vec::new();
        while self.exchange.is_held() && !self.shutdown.is_stopping() {
            // Those who may act come and go; a person is not faster than this.
            let mut poller = Poller::new(Backend::Poll)?;
            self.shutdown.watch(&mut poller, SIGNALS)?;
            self.exchange.watch_beside(&mut poller)?;
            poller.wait(&mut readiness, None)?;
            self.serve_beside(&mut readiness, true);
        }
        self.exchange.net().stand_still(before);
        Ok(())
    }

    /// For the trace.
    fn end_phase(&mut self, phase: Phase) {
        self.exchange.net().end_phase(phase);
    }

    /// For tests.
    #[cfg(any(test, feature = "simulation"))]
    pub(super) fn exchange(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    #[cfg(test)]
    pub(super) fn acceptor(&mut self) -> &mut Acceptor {
        &mut self.acceptor
    }

    /// Everything that can wake the loop.
    fn dispatch(&mut self, ready: Readiness) {
        match ready.token {
            WAKER => self.exchange.awake(),
            SIGNALS => {
                for signal in self.shutdown.signals() {
                    self.signal(signal);
                }
            }
            CONSOLE => self.at_console(ConsoleService::keys),
            token => match self.acceptor.listener(token) {
                Some(number) => self.accept(number),
                None if self.exchange.is_viewer(token) => self.exchange.serve_viewer(ready),
                None => self.exchange.net().ready(ready),
            },
        }
    }

    fn accept(&mut self, number: usize) {
        for client in self.acceptor.accept(number, self.exchange.net()) {
            self.exchange.admit(client, self.acceptor.capacity());
        }
    }

    fn signal(&mut self, signal: Signal) {
        match signal {
            // No second request to stop, and too late to change anything.
            Signal::Hangup if self.shutdown.is_stopping() => {}
            Signal::Hangup if !self.exchange.has_lost_its_terminal() => self.reload(),
            Signal::Hangup | Signal::Interrupt | Signal::Terminate => self.stop(signal),
            Signal::Suspend => self.at_console(ConsoleService::suspend),
            Signal::Continue => self.at_console(ConsoleService::resume),
            Signal::WindowChange => self.exchange.at_console(|console, _| console.resized()),
            Signal::User1 => self.exchange.toggle_trace(),
        }
    }

    /// Lets the console act, and does what it asks for.
    fn at_console<R: IntoIterator<Item = Request>>(
        &mut self,
        act: impl FnOnce(&mut ConsoleService, &mut Net) -> R,
    ) {
        for request in self.exchange.at_console(act) {
            match request {
                Request::Step(turns) => self.exchange.stepper().step(turns),
                Request::Stop => self.stop(Signal::Interrupt),
                Request::Leave => self.exchange.leave(CONSOLE, None, String::new()),
                Request::HangUp => self.signal(Signal::Hangup),
            }
        }
    }

    fn timer_is_due(&mut self, timer: TimerKind) {
        match timer {
            TimerKind::Stall => self.exchange.drop_stalled(),
            TimerKind::Shortage => self.exchange.net().check_shortage(),
            #[cfg(feature = "web")]
            TimerKind::Files => self.exchange.delete_old_files(),
            TimerKind::Trim => {
                if self.trim.timer(self.exchange.allocated(), self.exchange.net()) {
                    self.exchange.release_memory();
                }
            }
            TimerKind::Rejections => self.exchange.log_rejections(),
            TimerKind::Accept => self.acceptor.resume(self.exchange.net()),
            TimerKind::Unused => self.exchange.end_unused(),
            TimerKind::Shutdown => self.shutdown.timer(),
            TimerKind::Console => self.at_console(ConsoleService::timer),
            TimerKind::Peer(token, timer) => {
                self.exchange.net().trace().note(|| Event::Timer { client: trace::number(token) });
                self.exchange.timer_is_due(token, timer);
            }
        }
    }

    /// SIGHUP or REHASH: takes over the settings that can change.
    fn reload(&mut self) {
        log::reopen();
        if let Some(config) = self.exchange.reload() {
            self.acceptor.configure(config);
            self.intake.configure(config);
        }
    }

    /// A first request to stop is a graceful shutdown; a second one is meant.
    fn stop(&mut self, signal: Signal) {
        if self.shutdown.begin(signal, self.exchange.net()) {
            service::notify("STOPPING=1");
            self.acceptor.close(self.exchange.net());
            self.exchange.notify_shutdown();
        }
    }
}

/// A terminal has more to tell. What a server without a console does not catch keeps its meaning.
fn wanted_signals(config: &Config) -> &'static [Signal] {
    if super::console::is_wanted(config.quiet, config.boot.no_console) {
        &Signal::ALL
    } else {
        &[Signal::Interrupt, Signal::Terminate, Signal::Hangup, Signal::User1]
    }
}
