//! Events that no line of a peer asks for: arrivals, timers, the console, new settings, the end.

use super::Exchange;
use super::relay::HEADER_TIMEOUT;
use crate::chat::{Change, Moment, Origin, SessionId, UserMode};
use crate::server::address::Via;
use crate::server::admission::{NewPeer, is_flood_limited, work_limit};
use crate::server::audit;
use crate::server::config::{Config, Days, Operator, OrOff};
use crate::server::connection::{Bounds, Connection};
use crate::server::expiry;
use crate::server::gate::{Blocked, LineGate};
use crate::server::net::{Net, PeerTimer, TimerKind};
use crate::server::operator::{CONSOLE, ConsoleService};
use crate::server::start::NOBODY;
use crate::server::stats::Counter;
use crate::server::stepping::Stepper;
use crate::server::transcript;
use crate::session::Dialect;
use chatloop_reactor::{Interest, Poller, Readiness, Token, Transport, memory};
use log::{error, info};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long a WebSocket may be silent before its client is asked whether it is there; less than
/// proxies wait. `--keep-alive` may be shorter.
const PING: Duration = Duration::from_secs(45);

/// Unused accounts that end at one look: each takes a walk over all rooms.
const ACCOUNTS_AT_ONCE: usize = 100;

/// So many pauses without a byte are the end.
const UNANSWERED: u32 = 3;

/// How long a connection is not greeted that comes from where a page has just been loaded.
const BROWSER: Duration = Duration::from_secs(4);
const BROWSER_PAUSE: Duration = Duration::from_millis(500);

impl Exchange {
    /// Waits for readiness, not at all if something is left to do from the last turn. Whether what
    /// is ready is no turn, but is served beside them.
    pub(in crate::server) fn wait(
        &mut self,
        readiness: &mut Vec<Readiness>,
        longest: Option<Duration>,
    ) -> io::Result<bool> {
        let lines = self.net.waiting_inputs() > 0 || self.console.has_line();
        let work_left =
            (lines && self.engine.has_room()) || self.engine.has_work() || self.workers.has_done();
        let beside = self.net.wait(readiness, work_left, longest)?;
        self.broadcast.begin_turn(self.net.moment());
        Ok(beside)
    }

    /// The connections, for the parts that stand beside the exchange.
    pub(in crate::server) fn net(&mut self) -> &mut Net {
        &mut self.net
    }

    /// Bytes allocated for messages so far.
    pub(in crate::server) fn allocated(&self) -> u64 {
        self.broadcast.allocated()
    }

    /// A burst is over: what was kept to be used again goes back to the system.
    pub(in crate::server) fn release_memory(&mut self) {
        self.engine.release_memory();
        self.broadcast.release_memory();
        self.net.release_memory();
        memory::trim();
    }

    /// A worker has woken the loop.
    pub(in crate::server) fn awake(&mut self) {
        self.workers.awake();
    }

    /// How clients know the server's certificate, if it has one.
    pub(in crate::server) fn certificate(&self) -> Option<String> {
        let tls = self.live.tls()?;
        let kind = if tls.is_self_signed() { "self-signed certificate" } else { "certificate" };
        Some(format!("{kind} {}", tls.fingerprint()))
    }

    /// Takes in a client that has connected, or tells it why not.
    pub(in crate::server) fn admit(&mut self, client: (Transport, SocketAddr), capacity: usize) {
        let (hub, config) = (self.engine.hub(), self.live.config());
        let admitted = self.admission.admit(client, capacity, &mut self.net, hub, config);
        let Some(NewPeer { transport, address, rejection }) = admitted else { return };
        let (now, tenths) = (self.net.now(), self.net.tenths());
        let mut delay = config.detection_timeout();
        if address.via() == Via::NewProxy {
            delay = delay.max(HEADER_TIMEOUT);
        }
        let gate = LineGate::new(is_flood_limited(config, &address), now);
        let session = Dialect::new(config.style, config.protocol);
        let lane = self.broadcast.enter(session.format());
        let token = self.net.insert(work_limit(config, &address), |token| {
            let mut connection = Connection::new(token, transport, address, session, gate, tenths);
            connection.lane = lane;
            connection.life.counted = true;
            rejection.into_iter().for_each(|why| connection.life.reject(why));
            connection
        });
        if delay.is_zero() {
            return self.stop_detecting(token);
        }
        if self.net.is_admitted(token) {
            self.broadcast.buffer_early(token, self.engine.hub().last().unwrap_or_default());
        }
        self.net.arm(token, delay, PeerTimer::Detection.of(token));
    }

    /// A timer of a connection is due.
    pub(in crate::server) fn timer_is_due(&mut self, token: Token, timer: PeerTimer) {
        match timer {
            PeerTimer::Detection => {
                // A server that thousands join at once may have its bytes in the socket still.
                self.net.read(token);
                if self.net.is_mute(token) {
                    self.greet_the_mute(token);
                } else if self.is_perhaps_a_browser(token) {
                    self.net.arm(token, BROWSER_PAUSE, PeerTimer::Detection.of(token));
                } else {
                    self.stop_detecting(token);
                }
            }
            PeerTimer::Handshake => self.end_handshake(token),
            PeerTimer::Acknowledgement => self.check_acknowledgement(token),
            PeerTimer::Registration => self.end_registration(token),
            PeerTimer::Idle => self.check_idle(token),
            PeerTimer::Probe => {
                if !self.net.probe(token) {
                    self.gone(token);
                }
            }
            PeerTimer::Ping => self.ping(token),
            #[cfg(feature = "web")]
            PeerTimer::Transfer => self.check_transfer(token),
            PeerTimer::Close => self.net.close(token),
            PeerTimer::Flood => self.unblock(token, Blocked::FLOOD),
            PeerTimer::Batch => {
                let again = self.speak(token, |session, view, out| session.check_batch(view, out));
                if let Some(Some(pause)) = again {
                    self.net.after(pause, PeerTimer::Batch.of(token));
                }
            }
        }
    }

    /// Browsers open connections before they know what for. One that has just been given a page may be
    /// silent for longer than the detection timeout: greeted as plain text, it would lose a file.
    fn is_perhaps_a_browser(&mut self, token: Token) -> bool {
        let (now, tenths) = (self.net.now(), self.net.tenths());
        let Some(connection) = self.net.connection(token) else { return false };
        let is_silent = connection.io.inbox.is_empty() && connection.session.is_undecided();
        let is_new = !connection.life.last_input.is_older(BROWSER, tenths);
        let of_browser = |(origin, when): (Origin, Instant)| {
            origin == connection.address.origin() && now - when < BROWSER
        };
        is_silent && is_new && self.last_page.is_some_and(of_browser)
    }

    /// An IRC client has been welcomed: it is idle from here on. One behind a WebSocket is asked from
    /// time to time whether it is there: a browser cannot do so itself, and proxies close what is
    /// silent.
    pub(in crate::server) fn registered(&mut self, token: Token) {
        self.net.start_idling(token, self.idle_limit());
        let session = self.net.connection(token).map(|it| it.session.websocket().is_some());
        if session == Some(true)
            && let Some(pause) = self.ping_pause()
        {
            self.net.after(pause, PeerTimer::Ping.of(token));
        }
    }

    fn ping_pause(&self) -> Option<Duration> {
        self.live.config().keep_alive.on().map(|limit| limit.duration().min(PING))
    }

    fn ping(&mut self, token: Token) {
        let (Some(pause), now) = (self.ping_pause(), self.net.tenths()) else { return };
        let Some(connection) = self.net.connection(token) else { return };
        let last_input = connection.life.last_input;
        if last_input.is_older(pause * UNANSWERED, now) {
            connection.life.blame(|| "ping timeout".to_owned());
            return self.gone(token);
        }
        if last_input.is_older(pause, now) {
            self.speak(token, |session, _, out| {
                if let Some(socket) = session.websocket() {
                    socket.ping(out);
                }
            });
        }
        self.net.after(pause, PeerTimer::Ping.of(token));
    }

    /// A peer has ended its input without a word. It may listen, or be a port check that is gone
    /// already and that no one should be told of: it enters when its system has acknowledged a line.
    fn greet_the_mute(&mut self, token: Token) {
        // The line goes ahead of what the peer is to receive once it has entered.
        let early = self.net.connection(token).and_then(Connection::set_aside);
        self.half_close(token);
        self.net.with(token, |it| it.put_back(early));
        self.net.is_acknowledged(token);
    }

    fn check_acknowledgement(&mut self, token: Token) {
        if !self.net.has_peer(token) {
            return self.gone(token);
        }
        if self.net.is_acknowledged(token) {
            self.stop_detecting(token);
            self.net.probe(token);
        }
    }

    fn check_idle(&mut self, token: Token) {
        let limit = self.idle_limit();
        if self.net.check_idle(token, limit) {
            let seconds = limit.unwrap_or_default().as_secs();
            self.stats.count(Counter::Idle);
            let farewell = format!("goodbye: idle for {seconds} s (--idle-timeout)");
            self.leave(token, None, farewell);
        }
    }

    /// The time to register, or to give the password, is over.
    fn end_registration(&mut self, token: Token) {
        let now = self.net.moment();
        let session = self.net.connection(token).map(|connection| &connection.session);
        self.actions.extend(session.and_then(|session| session.registration_timeout(now)));
        self.perform(token);
    }

    pub(in crate::server) fn flush(&mut self) {
        self.net.flush();
        self.read_on();
        while let Some(token) = self.net.next_overrun() {
            self.gone(token);
        }
        while let Some(token) = self.net.next_over_budget() {
            self.gone(token);
        }
        for token in self.net.drop_input() {
            self.gone(token);
        }
        self.broadcast.end_turn();
    }

    /// Takes out the connections that are gone.
    pub(in crate::server) fn reap(&mut self) {
        while let Some((token, mut connection)) = self.net.next_to_reap() {
            self.end_transfer(token);
            if connection.life.entered {
                let departure = connection.life.quit_reason();
                self.propose(token, Change::Leave { departure });
            }
            self.broadcast.leave(token, connection.lane, &mut connection.session);
            self.admission.left(&connection, self.net.now());
            self.forget_viewer(token);
            if connection.life.reset {
                connection.io.transport.abort();
            }
        }
    }

    /// A minute with rejections is over.
    pub(in crate::server) fn log_rejections(&mut self) {
        self.admission.log_rejections(self.net.now());
    }

    /// Step mode: how many turns the loop may take.
    pub(in crate::server) fn stepper(&mut self) -> &mut Stepper {
        &mut self.stepper
    }

    /// Whether the next turn has to wait for someone who can have the loop take it.
    pub(in crate::server) fn is_held(&self) -> bool {
        self.stepper.holds() && (self.console.is_open() || !self.viewer_tokens().is_empty())
    }

    /// Watches, with `poller`, those who may act while the loop waits for a step.
    pub(in crate::server) fn watch_beside(&mut self, poller: &mut Poller) -> io::Result<()> {
        self.console.watch(poller)?;
        for token in self.viewer_tokens() {
            if let Some(connection) = self.net.connection(token) {
                let writes = connection.io.unsent() > 0;
                let interest = if writes { Interest::BOTH } else { Interest::READ };
                poller.add(&connection.io.transport, token, interest)?;
            }
        }
        Ok(())
    }

    /// What was done beside the turns is over.
    pub(in crate::server) fn end_beside(&mut self, is_held: bool) {
        self.reap();
        self.show_loop(is_held);
        self.show();
    }

    /// Proposes the end of registered rooms in which no one has been for `--room-expiry`, and of
    /// accounts that no one has logged in to for `--account-expiry`.
    pub(in crate::server) fn end_unused(&mut self) {
        let config = self.live.config();
        if config.boot.data.is_none() {
            return;
        }
        self.net.after(expiry::CHECK_INTERVAL, TimerKind::Unused);
        let hub = self.engine.hub();
        let left = self.days_ago(config.room_expiry);
        let seen = self.days_ago(config.account_expiry);
        let rooms = left.map_or_else(Vec::new, |left| hub.abandoned_rooms(left));
        let accounts = seen.map_or_else(Vec::new, |seen| hub.unused_accounts(seen));
        let before = left.unwrap_or_default();
        for room in self.abandoned_rooms.check(rooms) {
            self.propose(NOBODY, Change::Lapse { room, before });
        }
        for account in self.unused_accounts.check(accounts).into_iter().take(ACCOUNTS_AT_ONCE) {
            self.propose(NOBODY, Change::AccountDeleted { account, erases: false });
        }
    }

    /// What is older than this has expired.
    pub(super) fn days_ago(&self, expiry: OrOff<Days>) -> Option<Moment> {
        let age = i64::try_from(expiry.on()?.duration().as_millis()).unwrap_or(i64::MAX);
        Some(Moment(self.net.moment().0.saturating_sub(age)))
    }

    /// Opens the console, if there is a terminal to type at.
    pub(in crate::server) fn open_console(&mut self) {
        let config = self.live.config();
        let change = self.console.open(&mut self.net, config.quiet, config.boot.no_console);
        if self.stepper.is_enabled() {
            self.net.trace().hide(CONSOLE);
        }
        if let Some(change) = change {
            self.propose(CONSOLE, change);
        }
    }

    /// Lets the console act.
    pub(in crate::server) fn at_console<R>(
        &mut self,
        act: impl FnOnce(&mut ConsoleService, &mut Net) -> R,
    ) -> R {
        act(&mut self.console, &mut self.net)
    }

    /// Whether the terminal that the server was started at is gone.
    pub(in crate::server) fn has_lost_its_terminal(&self) -> bool {
        self.console.has_lost_its_terminal()
    }

    /// Shows at the terminal what the turn has brought.
    pub(in crate::server) fn show(&mut self) {
        self.console.end_turn();
        self.console.present(self.engine.hub(), &mut self.net);
    }

    /// A user who is a server operator by a name that is configured no longer, or with another password,
    /// is one no longer.
    fn end_operators(&mut self, before: &[Operator]) {
        let config = self.live.config();
        let is_over = |name: &str| {
            let known = before.iter().find(|operator| operator.name == name);
            known.is_some_and(|known| config.oper_hash(name).as_ref() != Some(&known.hash))
        };
        let users = self.engine.hub().users();
        let users = users.filter(|user| user.operator().is_some_and(|name| is_over(name)));
        let users: Vec<SessionId> = users.map(|user| user.identity.session).collect();
        users.into_iter().for_each(|session| self.end_operator(session));
    }

    fn end_operator(&mut self, session: SessionId) {
        let token = Token::from_bits(session.0);
        if token != CONSOLE {
            let who = audit::who(self.engine.hub(), session);
            info!("reload: {who} is no longer a server operator");
            let changes = vec![(UserMode::Operator, false)];
            self.propose(token, Change::UserModes { changes });
        }
    }

    /// Someone has become a server operator by this name, of which the configuration may have been
    /// reloaded while the journal was at it.
    pub(super) fn check_operator(&mut self, session: SessionId, name: &str) {
        if self.live.config().oper_hash(name).is_none() {
            self.end_operator(session);
        }
    }

    /// Takes over the settings that can change; those in force then, unless they stay as they were.
    pub(in crate::server) fn reload(&mut self) -> Option<&Config> {
        let had_transcript = transcript::is_wanted(self.live.config());
        let operators = self.live.config().oper.clone();
        let changed = self.live.reload();
        self.live.reload_certificate(self.net.moment());
        if !changed {
            return None;
        }
        let config = self.live.config();
        match config.irc_settings(self.broadcast.started()) {
            Ok(irc) => self.broadcast.set_irc(irc),
            Err(wrong) => error!("reload: the settings for IRC clients are unchanged: {wrong}"),
        }
        self.net.set_bounds(Bounds::of(config));
        self.end_operators(&operators);
        let config = self.live.config();
        let has_transcript = transcript::is_wanted(config);
        if had_transcript != has_transcript {
            self.console.set_transcript(has_transcript);
        }
        let now = self.net.now();
        for token in self.net.tokens() {
            if let Some(connection) = self.net.connection(token) {
                let limited = is_flood_limited(self.live.config(), &connection.address);
                connection.gate.limit_flood(limited, now);
                let limit = work_limit(self.live.config(), &connection.address);
                self.net.limit_work(token, limit);
            }
            // Also where nothing has changed: it only looks at the time that is left.
            self.check_idle(token);
        }
        Some(self.live.config())
    }

    /// The server is shutting down: tells everyone, and sends what is queued.
    pub(in crate::server) fn notify_shutdown(&mut self) {
        for token in self.net.tokens() {
            self.broadcast.take_early(&mut self.net, token);
            let text = "the server is shutting down, goodbye";
            self.speak(token, |session, _, out| session.go_away(text, out));
            self.drain(token);
        }
    }

    /// Closes everything. Tells whether all that was to be saved has been.
    pub(in crate::server) fn end(&mut self) -> bool {
        self.net.close_all();
        let saved = self.engine.close(self.net.now());
        self.console.finish(&mut self.net);
        self.net.trace().finish();
        let numbers = self.net.numbers();
        let (turns, bytes_in) = (numbers.turns.count(), numbers.received_bytes);
        let bytes_out = numbers.sent_bytes;
        info!("stopped after {turns} turns, {bytes_in} bytes in, {bytes_out} bytes out");
        saved
    }
}
