//! What clients send: bytes into inboxes, lines out of them, lines into requests.
//!
//! The classic trap of this part is what the end of a stream means. `read` returning 0 says only
//! that the peer will *send* nothing more: it may have closed, or it may have shut its sending
//! half and still listen (`printf 'hi\n' | nc -N`). Until something is written to it the two look
//! the same. So the server says a short word to a peer whose input has ended: a listening peer
//! reads it, and the system of one that is gone answers it with a reset, which ends the matter.

use super::connection::Phase;
use super::turn::{Due, Server};
use crate::reactor::{Readiness, Received, Token};
use crate::session::Dialect;
use crate::session::plain::Request;
use crate::wire::line::Step;
use log::debug;
use std::time::{Duration, Instant};

/// Lines taken from one connection per turn; the rest waits in its inbox, so that one pasted book
/// does not keep everyone else waiting.
const LINES_PER_TURN: usize = 512;

/// Distance of the first look at a connection whose input has ended; each next one is twice as
/// far, up to [`LONGEST_PROBE_PAUSE`]. Only where the poller cannot say that a peer is gone
/// (select; kqueue without a filter) does anything hang on it.
const FIRST_PROBE_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PROBE_PAUSE: Duration = Duration::from_secs(60);

/// How long a half-closed connection may be silent before the system asks whether the peer is
/// still there.
const HALF_CLOSED_PROBE: Duration = Duration::from_secs(15);

/// Input taken from all connections together in one turn, in bytes. What a turn takes in it may owe
/// to every member before the first of them is written to: with a thousand talkers at once that must
/// stay far below what a member may be owed (`--outbox-hard`), or all of them would be dropped.
const TAKEN_PER_TURN: usize = 256 * 1024;

/// What a line costs beside its bytes: the words around it, and the work.
pub(super) const LINE_COST: usize = 32;

/// Why a line was not taken out of an inbox.
pub(super) enum Taken {
    Request(Request),
    /// An IRC client's line, which has been carried out.
    Done,
    /// Look again when more has come.
    NoLine,
    /// Look again next turn.
    NotNow,
}

impl Server {
    /// A connection is readable, or its peer is gone.
    pub(super) fn read_from(&mut self, event: Readiness) {
        let Some(connection) = self.connections.get_mut(event.token) else { return };
        if event.hangup {
            // Nobody is there to read what waits. What the peer sent before it went is read from
            // here on without asking the poller, which would report the hangup at every wait.
            connection.outbox.clear();
            if connection.phase == Phase::Open && !connection.hung_up {
                connection.hung_up = true;
                self.unwatch(event.token);
                self.look_at_input(event.token);
            }
        }
        self.read_bytes(event.token);
    }

    /// Reads what there is room for. What the poller is to be asked for may be another thing then
    /// (an inbox that is full, an input that has ended), and must be before the next wait, or the
    /// loop would spin on what nobody takes: so the connection is looked at in the flush.
    pub(super) fn read_bytes(&mut self, token: Token) {
        self.read_once(token);
        if let Some(connection) = self.connections.get_mut(token)
            && (connection.hung_up
                || connection.registered.is_some_and(|it| it != connection.interest(&self.bounds)))
        {
            self.touched.flush_later(token, connection);
        }
    }

    fn read_once(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let room = match connection.phase {
            Phase::Open if connection.input_ended => return,
            Phase::Open => connection.inbox.room(self.bounds.inbox).min(self.scratch.len()),
            Phase::Leaving | Phase::Draining | Phase::Lingering => self.scratch.len(),
            Phase::Gone => return,
        };
        if room == 0 {
            return;
        }
        match connection.transport.read(&mut self.scratch[..room]) {
            Received::Bytes(count) if connection.phase == Phase::Open => {
                connection.last_heard = self.now;
                connection.inbox.receive(&self.scratch[..count]);
                self.bytes_in += count as u64;
            }
            Received::Bytes(_) => return, // said after the goodbye
            // A broken connection has nothing to wait for.
            Received::WouldBlock if connection.hung_up => connection.input_ended = true,
            Received::WouldBlock => return,
            Received::Ended => connection.input_ended = true,
            Received::Failed(error) => {
                connection.input_ended = true;
                connection.hung_up = true;
                connection.blame(|| error.kind().to_string());
            }
        }
        if connection.input_ended && connection.phase != Phase::Open {
            self.remove_later(token);
        } else {
            self.look_at_input(token);
        }
    }

    /// Has the connection's inbox looked at in the turn's command phase, or in the next turn's.
    pub(super) fn look_at_input(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if !std::mem::replace(&mut connection.in_input_list, true) {
            self.with_input.push(token);
        }
    }

    /// Takes lines from everyone who has some, a bounded number from each.
    pub(super) fn take_commands(&mut self) {
        if !self.journal.has_room() {
            return; // the disk is behind; when it has caught up, the waker rings
        }
        self.taken = 0;
        let mut waiting = std::mem::take(&mut self.with_input).into_iter();
        while self.taken < TAKEN_PER_TURN
            && let Some(token) = waiting.next()
        {
            if let Some(connection) = self.connections.get_mut(token) {
                connection.in_input_list = false;
                self.take_lines(token);
            }
        }
        // Who has not had a turn is first in the next.
        let again = std::mem::replace(&mut self.with_input, waiting.collect());
        self.with_input.extend(again);
    }

    fn take_lines(&mut self, token: Token) {
        for _ in 0..LINES_PER_TURN {
            if self.taken >= TAKEN_PER_TURN {
                break;
            }
            match self.take_line(token) {
                Taken::Request(request) => self.carry_out(token, request),
                Taken::Done => {}
                Taken::NoLine => return self.after_input(token),
                Taken::NotNow => return,
            }
        }
        self.look_at_input(token);
    }

    /// The next line of an inbox as a request.
    fn take_line(&mut self, token: Token) -> Taken {
        let Some(connection) = self.connections.get_mut(token) else { return Taken::NotNow };
        if connection.phase != Phase::Open || connection.flood_wait || connection.waits_for_answer {
            return Taken::NotNow;
        }
        if connection.paused(&self.bounds) {
            connection.waits_for_outbox = true;
            return Taken::NotNow;
        }
        let undecided = matches!(connection.session, Dialect::Undecided(_));
        if connection.session.irc().is_some() {
            return self.take_irc_line(token);
        }
        if undecided && !self.decide_dialect(token) {
            return Taken::NotNow;
        }
        let Some(connection) = self.connections.get_mut(token) else { return Taken::NotNow };
        if matches!(connection.session, Dialect::Locked(..)) {
            return self.take_password(token);
        }
        let (limit, ended) = (self.config.max_line.0, connection.input_ended);
        let (line, used) = match connection.lines.step(connection.inbox.pending(), limit, ended) {
            Step::Incomplete => return Taken::NoLine,
            Step::Skipped { used } => (None, used),
            Step::TooLong { used } => (Some(Err(())), used),
            Step::Line { bytes, used } => (Some(Ok(bytes)), used),
        };
        if let Some(Ok(bytes)) = line
            && !connection.pending.allows_line(bytes)
        {
            connection.waits_for_records = true;
            return Taken::NotNow;
        }
        if let Some(bucket) = &mut connection.flood
            && matches!(line, Some(Ok(_)))
            && let Err(when) = bucket.take(self.pace, self.now)
        {
            self.wait_for_flood_limit(token, when);
            return Taken::NotNow;
        }
        let request = match line {
            None => Request::Nothing,
            Some(Err(())) => {
                let limit = self.config.max_line;
                Request::Tell(vec![format!(
                    "that line is over {limit} (--max-line) and was not sent"
                )])
            }
            Some(Ok(bytes)) => {
                let Dialect::Plain(session) = &mut connection.session else {
                    return Taken::NotNow;
                };
                let rooms =
                    self.hub.user(Self::session(token)).map_or(&[][..], |user| user.rooms());
                session.parse(bytes, rooms, self.moment)
            }
        };
        connection.inbox.consume(used);
        self.taken += used + LINE_COST;
        // Its inbox may have been full and the poller told so.
        self.touched.flush_later(token, connection);
        self.update_format(token);
        Taken::Request(request)
    }

    /// It is faster than it may be.
    pub(super) fn wait_for_flood_limit(&mut self, token: Token, when: Instant) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        connection.flood_wait = true;
        self.timers.arm(when, Due::Flood(token));
        if !std::mem::replace(&mut connection.flood_warned, true) {
            self.tell(token, "you are faster than --flood-limit allows: your lines are slowed down, none is lost");
        }
    }

    /// The flood limit has another token for it.
    pub(super) fn end_flood_wait(&mut self, token: Token) {
        if let Some(connection) = self.connections.get_mut(token) {
            connection.flood_wait = false;
            self.look_at_input(token);
        }
    }

    /// No whole line is left. Is there more to come?
    fn after_input(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if !connection.input_ended {
            if connection.hung_up {
                self.read_bytes(token);
                self.look_at_input(token);
            }
            return;
        }
        // An IRC client that has sent its last byte has gone: none listens on.
        if connection.hung_up || connection.session.irc().is_some() {
            return self.gone(token);
        }
        if matches!(connection.session, Dialect::Locked(..)) {
            // It can give no password any more.
            return self.stay_outside(token);
        }
        if !std::mem::replace(&mut connection.half_closed, true) {
            // If it closes its other half later, nothing arrives to tell us. The system can ask.
            if let Err(error) = connection.transport.keep_alive(HALF_CLOSED_PROBE) {
                debug!("{}: no keep-alive: {error}", connection.address);
            }
            self.tell(token, "your input has ended; you hear the others until you close");
            self.probe(token);
        }
    }

    /// Looks whether a peer whose input has ended is still there.
    pub(super) fn probe(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.phase != Phase::Open {
            return;
        }
        if !connection.transport.has_peer() {
            return self.gone(token);
        }
        let pause = FIRST_PROBE_PAUSE.saturating_mul(1 << connection.probes.min(16));
        connection.probes = connection.probes.saturating_add(1);
        self.arm(token, self.now + pause.min(LONGEST_PROBE_PAUSE), Due::Probe(token));
    }
}
