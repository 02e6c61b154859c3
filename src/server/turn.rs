//! The turn: the one loop of the server, always in the same order.
//!
//! `wait → accept and read → commands → timers → journal → apply → flush → reap`

use super::config::{Config, OrOff, Settings};
use super::connection::{Bounds, Connection};
use super::delivery::{Delivery, Touched};
use super::greeting::Newcomers;
use super::limits::{AddressCounts, DEFAULT_LINE_RATE, Pace};
use super::memory::Burst;
use super::operator::{CONSOLE, Operator};
use super::requests::Pending;
use super::start::{StartError, listen, open_journal};
use super::stop::Ending;
use super::transcript::Transcript;
use super::worker::Worker;
use crate::chat::{Change, Effect, Hub, Moment, SessionId, Stamp, Viewpoint};
use crate::journal::{Committed, Journal, Proposal, QueryId};
use crate::reactor::{
    Interest, Listener, Poller, Readiness, Signal, Signals, Slab, Timers, Token, WakeReceiver,
    descriptors, signals, waker,
};
use crate::session::irc;
use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

/// Bytes taken from one connection by one read: one buffer for all of them.
const SCRATCH: usize = 64 * 1024;

/// Unused input that one connection may pile up while its lines wait, in bytes. More than the
/// longest line, so that a whole one always fits.
const INBOX_BOUND: usize = 64 * 1024;

// A whole line and its end must fit, or its connection would wait for ever.
const _: () = assert!(INBOX_BOUND > super::config::LONGEST_LINE + 2);

/// Descriptors kept back from clients: the standard streams, poller, signals, listeners, and some
/// air for the libraries and for telling a client that the server is full.
const RESERVED_DESCRIPTORS: usize = 16 + super::accept::REFUSALS;

/// Timers looked at in one turn. A crowd that came at once is due at once, and what a thousand
/// arrivals are told about each other must not all be kept in memory at the same time.
const TIMERS_PER_TURN: usize = 256;

const SIGNALS: Token = Token::fixed(super::start::MOST_LISTENERS as u8);

const WAKER: Token = Token::fixed(super::start::MOST_LISTENERS as u8 + 1);

/// What a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// Nothing was heard that tells a dialect.
    Greeting(Token),
    /// An IRC client has had its time to register.
    Registration(Token),
    /// Look at the idle limit.
    Idle(Token),
    /// Look whether a half-closed peer is still there.
    Probe(Token),
    /// A peer has had its time to close after our goodbye.
    LingerEnd(Token),
    /// The flood limit lets another line pass.
    Flood(Token),
    /// Look whether an IRC client has left a batch open.
    Batch(Token),
    /// A burst may be over.
    Calm,
    /// Try to accept again after descriptors ran out.
    ListenAgain,
    /// The orderly stop has lasted long enough.
    StopNow,
    /// An ESC at the console was the key, or the terminal may be ours again.
    Console,
}

/// The server: listeners, connections, the chat, and the loop that moves them.
pub struct Server {
    pub(super) config: Config,
    /// The same with its sources, to be read again.
    pub(super) settings: Settings,
    pub(super) bounds: Bounds,
    pub(super) capacity: usize,
    /// Descriptors this process may have.
    pub(super) descriptors: usize,
    pub(super) poller: Poller,
    pub(super) signals: Signals,
    pub(super) timers: Timers<Due>,
    pub(super) listeners: Vec<Listener>,
    pub(super) connections: Slab<Connection>,
    pub(super) addresses: AddressCounts,
    /// Connections that are nobody yet.
    pub(super) newcomers: Newcomers,
    /// How fast a client may talk that the flood limit means.
    pub(super) pace: Pace,
    pub(super) hub: Hub,
    pub(super) journal: Journal,
    pub(super) delivery: Delivery,
    /// What IRC clients are told of this server.
    pub(super) irc: irc::Settings,
    /// What the IRC dialect remembers of everyone.
    pub(super) monitors: irc::MonitorList,
    pub(super) whowas: irc::Whowas,
    pub(super) counts: irc::UserCounts,
    /// Whose record is being applied.
    pub(super) applying: Option<SessionId>,
    /// Which of the things that follow from it is being told.
    pub(super) stamp: Option<Stamp>,
    pub(super) transcript: Transcript,
    /// Whoever sits at the terminal this was started at.
    pub(super) operator: Option<Box<Operator>>,
    pub(super) had_terminal: bool,
    /// The moment of this turn: asked once, so that all of a turn agrees.
    pub(super) now: Instant,
    /// The same moment as the chat counts it.
    pub(super) moment: Moment,
    wakes: WakeReceiver,
    pub(super) worker: Worker,
    /// Who waits for which answer of the journal, by ticket.
    pub(super) pending: HashMap<QueryId, Pending>,
    /// Used again by each delivery to an audience that is not one room.
    pub(super) recipients: Vec<(SessionId, Viewpoint)>,
    pub(super) scratch: Box<[u8]>,
    pub(super) with_input: Vec<Token>,
    pub(super) touched: Touched,
    pub(super) burst: Burst,
    /// Bytes of input taken in this turn.
    pub(super) taken: usize,
    pub(super) to_reap: Vec<Token>,
    pub(super) accept_paused: bool,
    /// When descriptors last ran out, in a spell that has been told of.
    pub(super) accept_exhausted: Option<Instant>,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) turns: u64,
    pub(super) stopping: bool,
    pub(super) ending: Option<Ending>,
    /// What the journal has handed back: kept, refused. Their memory is used again.
    pub(super) committed: Vec<Committed>,
    pub(super) rejected: Vec<Proposal>,
    pub(super) read_only_told: bool,
    pub(super) effects: Vec<Effect>,
}

impl Server {
    /// Listens at the configured place. Nothing is accepted until [`run`](Server::run).
    ///
    /// # Errors
    /// What is wrong with the configuration or the place, in words that name it.
    pub fn start(settings: Settings) -> Result<Server, StartError> {
        let config = settings.config.clone();
        signals::ignore_sigpipe().map_err(StartError::System)?;
        let descriptors = descriptors::raise_limit().map_err(StartError::System)?;
        let listeners = listen(&config)?;
        let mut poller = Poller::new(config.backend).map_err(StartError::System)?;
        for (number, listener) in listeners.iter().enumerate() {
            let token = Token::fixed(number as u8);
            poller.add(listener, token, Interest::READ).map_err(StartError::System)?;
        }
        let signals = Signals::new(wanted_signals(&config)).map_err(StartError::System)?;
        poller.add(&signals, SIGNALS, Interest::READ).map_err(StartError::System)?;
        let (waker, wakes) = waker().map_err(StartError::System)?;
        poller.add(&wakes, WAKER, Interest::READ).map_err(StartError::System)?;
        let (journal, hub) = open_journal(&config, &waker)?;
        let worker = Worker::start(waker).map_err(StartError::System)?;
        let (pace, bounds) = (pace(&config), bounds(&config));
        let capacity = capacity(&config, descriptors);
        let irc = config.irc_settings(moment()).map_err(StartError::Setting)?;
        let transcript = if config.quiet { Transcript::silent() } else { Transcript::on_stdout() };
        Ok(Server {
            config,
            settings,
            bounds,
            capacity,
            descriptors,
            poller,
            signals,
            timers: Timers::new(),
            listeners,
            connections: Slab::new(),
            addresses: AddressCounts::default(),
            newcomers: Newcomers::default(),
            pace,
            hub,
            journal,
            delivery: Delivery::default(),
            irc,
            monitors: irc::MonitorList::default(),
            whowas: irc::Whowas::default(),
            counts: irc::UserCounts::default(),
            applying: None,
            stamp: None,
            transcript,
            operator: None,
            had_terminal: io::stdin().is_terminal(),
            now: Instant::now(),
            moment: moment(),
            wakes,
            worker,
            pending: HashMap::new(),
            recipients: Vec::new(),
            scratch: vec![0; SCRATCH].into(),
            with_input: Vec::new(),
            touched: Touched::default(),
            burst: Burst::default(),
            taken: 0,
            to_reap: Vec::new(),
            accept_paused: false,
            accept_exhausted: None,
            bytes_in: 0,
            bytes_out: 0,
            turns: 0,
            stopping: false,
            ending: None,
            committed: Vec::new(),
            rejected: Vec::new(),
            read_only_told: false,
            effects: Vec::new(),
        })
    }

    /// Where it listens; the port is the one the system picked, if it was asked to.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_address().ok()).collect()
    }

    /// How many clients it can hold at a time.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// One line for whoever waits for the server to be ready: where, how, for how many.
    pub fn ready_line(&self) -> String {
        let places: Vec<String> = self.addresses().iter().map(SocketAddr::to_string).collect();
        let (places, backend) = (places.join(" and "), self.poller.backend());
        format!("listening on {places} with {backend}, room for {} clients", self.capacity)
    }

    /// Turns until somebody asks it to stop (SIGINT, SIGTERM).
    ///
    /// # Errors
    /// Only if the poller itself fails: there is no going on without it.
    pub fn run(&mut self) -> io::Result<Ending> {
        let mut events = Vec::new();
        self.open_console();
        loop {
            self.turn(&mut events)?;
            if let Some(ending) = self.ending {
                self.close_all();
                return Ok(ending);
            }
        }
    }

    fn turn(&mut self, events: &mut Vec<Readiness>) -> io::Result<()> {
        self.poller.wait(events, self.patience())?;
        (self.now, self.moment) = (Instant::now(), moment());
        self.turns += 1;

        for event in events.drain(..) {
            self.dispatch(event);
        }
        self.take_commands();
        self.take_operator_lines();
        for _ in 0..TIMERS_PER_TURN {
            let Some(due) = self.timers.pop_due(self.now) else { break };
            self.timer_is_due(due);
        }
        self.journal.end_turn();
        self.journal.take_committed(&mut self.committed);
        self.apply_records();
        self.take_answers();
        self.transcript.end_turn();
        self.flush();
        self.reap();
        self.watch_for_burst();
        self.end_if_drained();
        // After everything that may have been logged.
        self.present_console();
        Ok(())
    }

    /// How long the wait may last. Not at all if something is left to do from the last turn.
    fn patience(&self) -> Option<Duration> {
        let work_left = (!self.with_input.is_empty() && self.journal.has_room())
            || !self.to_reap.is_empty()
            || !self.touched.to_flush.is_empty()
            || !self.committed.is_empty()
            || self.journal.has_news()
            || self.operator_has_line();
        if work_left { Some(Duration::ZERO) } else { self.timers.time_left(Instant::now()) }
    }

    /// Everything that can wake the loop.
    fn dispatch(&mut self, event: Readiness) {
        if event.token == WAKER {
            self.wakes.drain();
            self.take_work_done();
        } else if event.token == SIGNALS {
            for signal in self.signals.drain() {
                self.take_signal(signal);
            }
        } else if event.token == CONSOLE {
            self.operator_keys();
        } else if let Some(number) = self.listener_of(event.token) {
            self.accept_from(number);
        } else {
            if event.writable
                && let Some(connection) = self.connections.get_mut(event.token)
            {
                self.touched.flush_later(event.token, connection);
            }
            if event.readable || event.hangup {
                self.read_from(event);
            }
        }
    }

    pub(super) fn take_signal(&mut self, signal: Signal) {
        match signal {
            // No second request to stop, and too late to change anything.
            Signal::Hangup if self.stopping => {}
            Signal::Hangup if !self.has_lost_its_terminal() => self.reload(),
            Signal::Hangup | Signal::Interrupt | Signal::Terminate => self.stop(signal),
            Signal::Suspend => self.suspend(),
            Signal::Continue => self.resume_console(),
            Signal::WindowChange => self.console_resized(),
        }
    }

    fn listener_of(&self, token: Token) -> Option<usize> {
        (0..self.listeners.len()).find(|number| Token::fixed(*number as u8) == token)
    }

    fn timer_is_due(&mut self, due: Due) {
        match due {
            Due::Greeting(token) => self.end_silence(token),
            Due::Registration(token) => self.end_registration(token),
            Due::Idle(token) => self.arm_idle(token),
            Due::Probe(token) => self.probe(token),
            Due::LingerEnd(token) => self.remove_later(token),
            Due::Flood(token) => self.end_flood_wait(token),
            Due::Batch(token) => self.look_at_batch(token),
            Due::Calm => self.after_burst(),
            Due::Console => self.operator_timer(),
            Due::ListenAgain => self.listen_again(),
            Due::StopNow => self.stop_now(),
        }
    }

    /// Writes a change down. It happens when the journal hands it back.
    pub(super) fn record(&mut self, token: Token, change: Change) {
        if let Some(connection) = self.connections.get_mut(token) {
            connection.pending.add(&change);
        } else {
            self.operator_waits(token, &change);
        }
        self.journal.propose(self.moment, Self::session(token), change);
    }

    /// Writes down that a client has left, once.
    pub(super) fn record_leave(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let departure = connection.departure();
        if std::mem::take(&mut connection.entered) {
            self.record(token, Change::Leave { departure });
        }
    }
}

/// How many clients fit: what was asked for, within what the descriptors and the poller allow.
pub(super) fn capacity(config: &Config, descriptors: usize) -> usize {
    let ceiling = config.backend.descriptor_ceiling().unwrap_or(usize::MAX);
    let room = descriptors.min(ceiling).saturating_sub(RESERVED_DESCRIPTORS).max(1);
    config.max_clients.map_or(room, |asked| room.min(asked as usize))
}

/// A terminal has more to tell. What a server without a console does not catch keeps its meaning.
fn wanted_signals(config: &Config) -> &'static [Signal] {
    if super::console::is_wanted(config.quiet, config.no_console) {
        &[
            Signal::Interrupt,
            Signal::Terminate,
            Signal::Hangup,
            Signal::Suspend,
            Signal::Continue,
            Signal::WindowChange,
        ]
    } else {
        &[Signal::Interrupt, Signal::Terminate, Signal::Hangup]
    }
}

/// How fast one may talk who is paced.
pub(super) fn pace(config: &Config) -> Pace {
    Pace::new(config.flood_limit.and_then(OrOff::on).map_or(DEFAULT_LINE_RATE, |rate| rate.0))
}

pub(super) fn bounds(config: &Config) -> Bounds {
    Bounds {
        outbox_soft: config.outbox_soft.0,
        outbox_hard: config.outbox_hard.0,
        inbox: INBOX_BOUND,
    }
}

pub(super) fn moment() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
