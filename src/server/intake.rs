//! The intake of lines: out of inboxes, paid for, understood as actions.
//!
//! The classic trap is the end of a stream. `read` returning 0 says only that the peer will *send*
//! nothing more: it may have closed, or it may have shut its sending half and still read
//! (`printf 'hi\n' | nc -N`). Until something is written to it the two look the same. So the server
//! sends a short line to a peer whose input has ended: a peer that listens reads it, and the system
//! of one that is gone answers it with a reset, which ends the connection.

use super::address::Via;
use super::broadcast::Broadcast;
use super::config::{Bytes, Config};
use super::connection::{Connection, Phase};
use super::gate::{Blocked, Wait};
use super::net::{Net, Peer, PeerTimer};
use super::stats::{Counter, Stats};
use super::stint::Stint;
use crate::chat::Hub;
use crate::chat::work::{self, BYTE, Cost, HANDSHAKE, LINE};
use crate::session::{Action, Body, Detect, Refused, Relay};
use crate::trace::{self, Event};
use crate::wire::proxy::{Header, header};
use chatloop_reactor::Token;
use std::time::{Duration, Instant};

/// Lines taken from one connection per turn; the rest waits in its inbox, so that one pasted book
/// does not keep all others waiting.
const LINES_PER_TURN: usize = 512;

/// Lines taken from one connection while others have input, too; then it is their turn.
const LINES_PER_VISIT: usize = 8;

/// How long a turn may take lines; others are told and written to in between.
const TAKING: Duration = Duration::from_millis(5);

/// Input taken from all connections together in one turn, in bytes. What a turn takes in may be
/// queued for every member before the first of them is written to: with a thousand talkers at once
/// that must stay far below `--outbox-hard`, or all of them would be dropped.
const TAKEN_PER_TURN: usize = 256 * 1024;

/// Unsent bytes above which a question waits: its answer would only wait behind them. So a question
/// costs nothing while its asker does not read; messages wait for `--outbox-soft` alone.
const UNREAD: usize = 32 * 1024;

/// What a line costs beside its bytes: the words around it, and the work.
const LINE_COST: usize = 32;

/// Takes lines, a bounded number from each connection and from all.
#[derive(Default)]
pub(super) struct Intake {
    longest_line: Bytes,
    tls_only: bool,
    /// Bytes that may still be taken in this turn.
    budget: usize,
    /// Visits that may still find nothing.
    visits: usize,
    /// Who is being visited, how many lines it may still send, and whether it has sent one.
    current: Option<(Token, usize, bool)>,
    /// Lines and bytes taken in this visit.
    visit: (u32, usize),
    stint: Option<Stint>,
    stats: Stats,
    /// What a session answers; its memory is used again.
    out: Vec<u8>,
}

/// What became of an attempt to take a line.
enum LineOutcome {
    /// There are actions to perform.
    Taken,
    /// Look again when more has come.
    NoLine,
    /// Look again when what blocks it is over.
    Blocked,
    /// Its turn comes later, because of what is no matter of the connection itself.
    Postponed(Blocked),
}

impl Intake {
    pub(super) fn new(config: &Config, stats: Stats) -> Intake {
        let mut intake = Intake { stats, ..Intake::default() };
        intake.configure(config);
        intake
    }

    /// Takes over what is configured.
    pub(super) fn configure(&mut self, config: &Config) {
        (self.longest_line, self.tls_only) = (config.max_line, config.tls_only);
    }

    pub(super) fn begin_turn(&mut self, net: &Net) {
        (self.budget, self.visits, self.current) = (TAKEN_PER_TURN, net.waiting_inputs(), None);
        self.stint = Some(Stint::begin(net.clock(), TAKING));
    }

    /// The line taken last has cost this.
    pub(super) fn worked(&mut self, cost: Cost, net: &Net) {
        if let Some(stint) = &mut self.stint {
            stint.add(cost, net.clock());
            if stint.is_over() {
                self.budget = 0;
            }
        }
    }

    /// Takes the next line of this turn; its connection, with what is to be done for it.
    pub(super) fn next(
        &mut self,
        net: &mut Net,
        hub: &Hub,
        broadcast: &mut Broadcast,
        actions: &mut Vec<Action>,
    ) -> Option<Token> {
        loop {
            let (token, lines, productive) = match self.current.take() {
                Some(current) => current,
                None if self.visits == 0 || self.budget == 0 || !net.may_answer() => return None,
                None => {
                    let token = net.next_with_input()?;
                    let alone = net.waiting_inputs() == 0;
                    (token, if alone { LINES_PER_TURN } else { LINES_PER_VISIT }, false)
                }
            };
            let full = lines == 0 || self.budget == 0 || !net.may_answer();
            let outcome = match full {
                true => LineOutcome::Postponed(Blocked::SHARE),
                false => self.take_line(net, hub, broadcast, token, actions),
            };
            match outcome {
                LineOutcome::Taken => {
                    self.current = Some((token, lines - 1, true));
                    self.visit.0 += 1;
                    return Some(token);
                }
                LineOutcome::Postponed(reason) => {
                    self.end_visit(net, token);
                    note_wait(net, token, reason);
                    net.look_at_input(token);
                }
                outcome => {
                    self.end_visit(net, token);
                    note_wait(net, token, Blocked::default());
                    if matches!(outcome, LineOutcome::NoLine) && after_input(net, token, actions) {
                        return Some(token);
                    }
                    self.visits -= usize::from(!productive);
                }
            }
        }
    }

    fn end_visit(&mut self, net: &Net, token: Token) {
        let (lines, bytes) = std::mem::take(&mut self.visit);
        if lines > 0 {
            net.trace().note(|| Event::Lines {
                client: trace::number(token),
                lines,
                bytes: trace::small(bytes),
                inbox: trace::small(net.inbox_len(token)),
            });
        }
    }

    /// Takes the next unit of a connection's input and pays for it.
    fn take_line(
        &mut self,
        net: &mut Net,
        hub: &Hub,
        broadcast: &mut Broadcast,
        token: Token,
        actions: &mut Vec<Action>,
    ) -> LineOutcome {
        let (started, now, pace) = (net.started(), net.now(), net.pace());
        let Some(mut peer) = net.peer(token) else { return LineOutcome::Blocked };
        if let Some(outcome) = self.before_lines(&mut peer, (started, now), actions) {
            return outcome;
        }
        let refused = refused(self.tls_only, peer.connection);
        let Connection { io, session, gate, life, .. } = &mut *peer.connection;
        // A last line without its end counts, unless someone in between may have cut it.
        let ended = life.input_ended && !io.transport.is_cut();
        let frame = session.next(io.inbox.pending(), self.longest_line.0, ended);
        let used = frame.used;
        let Some(body) = frame.body else {
            return self.pay(&mut peer, used, LineOutcome::NoLine);
        };
        if !frame.pipelined && io.outbox.len() > UNREAD {
            gate.block(Blocked::OUTBOX);
            return LineOutcome::Blocked;
        }
        // A body is no lines; what it may take is its own matter.
        if used > 0 && !matches!(body, Body::RequestBody(_)) {
            if life.hung_up {
                gate.end_burst(pace, now);
            }
            match gate.admit(frame.pipelined, pace, now) {
                Ok(()) => {}
                Err(Wait::Records) => return LineOutcome::Blocked,
                Err(Wait::Flood { .. }) if life.hung_up => {
                    actions.push(Action::Gone);
                    return LineOutcome::Taken;
                }
                Err(Wait::Flood { until, first }) => {
                    net.at(until, PeerTimer::Flood.of(token));
                    return if first { self.slow_down(actions) } else { LineOutcome::Blocked };
                }
            }
        }
        if let (Body::TooLong(_), false) = (&body, session.is_told_alone()) {
            self.stats.count(Counter::LongLine);
            actions.push(too_long(self.longest_line));
        }
        work::charge(LINE + BYTE.times(used));
        self.out.clear();
        let mut view = broadcast.view(hub, token, None);
        match (body, refused) {
            (Body::Opening(protocol), Some(refused)) if protocol != Detect::Tls => {
                if matches!(refused, Refused::Unencrypted) {
                    self.stats.count(Counter::Unencrypted);
                }
                session.refuse(protocol, refused, &mut view, actions);
            }
            (body, _) => session.take(body, &mut view, &mut self.out, actions),
        }
        broadcast.send(&mut peer, hub, &self.out);
        self.pay(&mut peer, used, LineOutcome::Taken)
    }

    /// Why no line of a connection is looked at now, or what comes before the first one.
    fn before_lines(
        &mut self,
        peer: &mut Peer<'_>,
        (started, now): (Instant, Instant),
        actions: &mut Vec<Action>,
    ) -> Option<LineOutcome> {
        if peer.waits_for_its_origin() {
            return Some(LineOutcome::Postponed(Blocked::ORIGIN));
        }
        let Connection { gate, life, .. } = &*peer.connection;
        if life.phase == Phase::Open && life.hung_up && peer.is_outlived(started, now) {
            actions.push(Action::Gone);
            return Some(LineOutcome::Taken);
        }
        if life.phase != Phase::Open || !gate.is_open() {
            return Some(LineOutcome::Blocked);
        }
        if peer.connection.io.transport.is_opening() {
            return Some(shake_hands(peer, actions));
        }
        if peer.connection.address.via() == Via::NewProxy
            && let Some(outcome) = self.take_header(peer, actions)
        {
            return Some(outcome);
        }
        if peer.is_over_soft_limit() {
            peer.connection.gate.block(Blocked::OUTBOX);
            return Some(LineOutcome::Blocked);
        }
        None
    }

    /// What a proxy writes before its client's first byte; `None` if this one writes nothing.
    fn take_header(
        &mut self,
        peer: &mut Peer<'_>,
        actions: &mut Vec<Action>,
    ) -> Option<LineOutcome> {
        let address = peer.connection.address;
        let (used, relay) = match header(peer.connection.io.inbox.pending()) {
            Header::NeedMore => return Some(LineOutcome::NoLine),
            Header::Absent => {
                peer.connection.address = address.relayed(address.ip(), None, Via::Proxy);
                return None;
            }
            Header::Client(used, client) => (used, Relay::Header(client)),
            Header::Bad(why) => (0, Relay::BadHeader(why)),
        };
        work::charge(LINE);
        actions.push(Action::Relay(relay));
        Some(self.pay(peer, used, LineOutcome::Taken))
    }

    fn slow_down(&self, actions: &mut Vec<Action>) -> LineOutcome {
        self.stats.count(Counter::Flood);
        let text = "you are sending faster than --flood-limit allows; your messages are delayed, \
                    not dropped";
        actions.push(Action::Tell(vec![text.to_owned()]));
        LineOutcome::Taken
    }

    /// Consumes input and charges it to the turn's budget.
    fn pay(&mut self, peer: &mut Peer<'_>, used: usize, outcome: LineOutcome) -> LineOutcome {
        if used > 0 {
            peer.connection.io.inbox.consume(used);
            self.visit.1 += used;
            self.budget = self.budget.saturating_sub(used + LINE_COST);
            // Its inbox may have been full and the poller told so.
            peer.flush_later();
        }
        outcome
    }
}

pub(super) fn too_long(limit: Bytes) -> Action {
    Action::Tell(vec![format!("not sent: the line is longer than {limit} (--max-line)")])
}

/// For those who watch: why the next line of a connection waits, if one does.
fn note_wait(net: &Net, token: Token, more: Blocked) {
    net.trace().note_all(|| {
        let (bytes, reasons) = (net.inbox_len(token), net.reasons(token) | more.bits());
        let waits = bytes > 0 && reasons != 0;
        waits.then(|| Event::Waits {
            client: trace::number(token),
            reasons,
            bytes: trace::small(bytes),
        })
    });
}

/// Why a client is not served, if it is not. Without TLS: `--tls-only` exempts loopback, and proxies,
/// which end the TLS of their clients.
pub(super) fn refused(tls_only: bool, connection: &Connection) -> Option<Refused> {
    let must_encrypt = tls_only
        && !connection.is_encrypted()
        && !connection.address.is_loopback()
        && connection.address.via() == Via::Direct;
    let rejection = connection.life.rejection().map(Refused::NotAdmitted);
    rejection.or(must_encrypt.then_some(Refused::Unencrypted))
}

/// A step of a handshake, which costs as much as a hundred lines: so it is taken in turn with the
/// lines of others, and its origin pays for it.
fn shake_hands(peer: &mut Peer<'_>, actions: &mut Vec<Action>) -> LineOutcome {
    let Connection { io, life, .. } = &mut *peer.connection;
    let before = io.transport.unsent();
    let outcome = io.transport.advance();
    work::charge(if io.transport.unsent() > before { HANDSHAKE } else { LINE });
    let opening = io.transport.is_opening();
    actions.push(match outcome {
        Ok(()) if opening && life.hung_up => Action::Gone,
        Ok(()) if opening => {
            peer.flush_later();
            return LineOutcome::Blocked;
        }
        Ok(()) => Action::Secured,
        Err(error) => Action::HandshakeFailed(error.to_string()),
    });
    peer.flush_later();
    LineOutcome::Taken
}

/// No whole line is left. Is there more to come? Whether something is to be done about it.
fn after_input(net: &mut Net, token: Token, actions: &mut Vec<Action>) -> bool {
    let Some(connection) = net.connection(token) else { return false };
    if !connection.life.input_ended {
        // What no readiness announces: of a connection that is watched no more, and what a layer over
        // the socket has decoded already.
        if connection.life.hung_up || connection.io.transport.has_buffered() {
            net.read(token);
            net.look_at_input(token);
        }
        return false;
    }
    let action = match connection.life.hung_up {
        true => Some(Action::Gone),
        false => connection.session.input_ended(),
    };
    actions.extend(action);
    !actions.is_empty()
}
