//! Everything that is sent to peers: effects to their audiences, replies to one peer.
//!
//! | file | subject |
//! |---|---|
//! | this one | one peer: what its session may see, and what it is told |
//! | `effects` | an effect to its audience |
//! | `delivery` | one message into ten thousand outboxes |
//! | `irc_watchers` | IRC clients that watch users outside of their rooms |
//! | `unidentified` | peers whose protocol is not known yet |
//!
//! Invariant: a session is told things in the order of the effects, whether they are for a room or
//! for it alone. So what is told to one peer is queued behind its part of the open run.

mod delivery;
mod effects;
mod irc_watchers;
mod unidentified;

use super::net::{Net, Peer};
use crate::chat::{Event, Hub, Moment, RecordId, SessionId, Stamp, Viewpoint};
use crate::journal::QueryId;
use crate::session::{Dialect, Format, View, irc};
use chatloop_reactor::Token;
use delivery::Delivery;
pub(super) use unidentified::Early;
use unidentified::Unidentified;

/// Why something is told.
#[derive(Clone, Copy, Default)]
pub(super) struct Cause {
    /// The session whose record is being applied; `None` for the reply to a query.
    origin: Option<SessionId>,
    /// The part of the record that the event results from.
    stamp: Option<Stamp>,
}

impl Cause {
    /// An effect of a record of `origin`.
    pub(super) fn effect(origin: SessionId, stamp: Stamp) -> Cause {
        Cause { origin: Some(origin), stamp: Some(stamp) }
    }

    /// Whether sending this to a session answers that session's own command.
    fn answers(self, session: SessionId) -> bool {
        self.origin.is_none_or(|origin| origin == session)
    }
}

/// What it takes to tell someone something: the connections, the chat as it is now, and why.
pub(super) struct Telling<'a> {
    pub(super) net: &'a mut Net,
    pub(super) hub: &'a Hub,
    pub(super) cause: Cause,
}

/// Tells peers what happens.
#[derive(Default)]
pub(super) struct Broadcast {
    delivery: Delivery,
    unidentified: Unidentified,
    /// Who has added to the open run last.
    run_payer: Option<SessionId>,
    /// What IRC clients are told about this server.
    irc: irc::Settings,
    monitors: irc::MonitorList,
    whowas: irc::Whowas,
    counts: irc::UserCounts,
    /// The moment of this turn, as the chat counts it.
    moment: Moment,
    /// Used again by each delivery to an audience that is not one room.
    recipients: Vec<(SessionId, Viewpoint)>,
    /// The output of one session; its memory is reused.
    out: Vec<u8>,
}

impl Broadcast {
    pub(super) fn new(irc: irc::Settings) -> Broadcast {
        Broadcast { irc, ..Broadcast::default() }
    }

    /// A turn begins.
    pub(super) fn begin_turn(&mut self, moment: Moment) {
        self.moment = moment;
    }

    /// The turn's writing is done.
    pub(super) fn end_turn(&mut self) {
        self.delivery.rewind();
    }

    /// Gives back the memory of a burst.
    pub(super) fn release_memory(&mut self) {
        self.delivery.release_memory();
        (self.recipients, self.out) = (Vec::new(), Vec::new());
    }

    /// When the server was started.
    pub(super) fn started(&self) -> Moment {
        self.irc.started
    }

    /// IRC clients are told this of the server from here on.
    pub(super) fn set_irc(&mut self, irc: irc::Settings) {
        self.irc = irc;
    }

    /// Bytes allocated for messages so far.
    pub(super) fn allocated(&self) -> u64 {
        self.delivery.allocated()
    }

    /// A connection of this format has come; the number of its lane.
    pub(super) fn enter(&mut self, format: Format) -> u16 {
        self.delivery.enter(format)
    }

    /// A connection is closing: it no longer counts as one that may register.
    pub(super) fn stop_registering(&mut self, session: &mut Dialect) {
        if session.stop_registering() {
            self.counts.remove_unregistered();
        }
    }

    /// A connection is gone.
    pub(super) fn leave(&mut self, token: Token, lane: u16, session: &mut Dialect) {
        self.unidentified.remove(token);
        self.delivery.leave(lane);
        self.stop_registering(session);
    }

    /// What a session may look at while it understands a line or is told something.
    pub(super) fn view<'a>(
        &'a mut self,
        hub: &'a Hub,
        token: Token,
        stamp: Option<Stamp>,
    ) -> View<'a> {
        let me = SessionId(token.to_bits());
        self.counts.set_unidentified(self.unidentified.len());
        View {
            hub,
            settings: &self.irc,
            monitors: &mut self.monitors,
            whowas: &self.whowas,
            counts: &mut self.counts,
            me,
            now: self.moment,
            stamp,
        }
    }

    /// Lets a peer's session write to it.
    pub(super) fn speak<R>(
        &mut self,
        peer: &mut Peer<'_>,
        hub: &Hub,
        stamp: Option<Stamp>,
        speak: impl FnOnce(&mut Dialect, &mut View<'_>, &mut Vec<u8>) -> R,
    ) -> R {
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        let mut view = self.view(hub, peer.token, stamp);
        let result = speak(&mut peer.connection.session, &mut view, &mut out);
        self.send(peer, hub, &out);
        self.out = out;
        result
    }

    /// Queues what a session has written, behind what its room has been told so far. What it keeps of its
    /// input may be another than before.
    pub(super) fn send(&mut self, peer: &mut Peer<'_>, hub: &Hub, out: &[u8]) {
        peer.connection.count_held();
        if out.is_empty() && self.delivery.has_right_lane(peer) {
            return;
        }
        let in_room = self.is_in_run(hub, peer.token);
        if !out.is_empty() {
            self.delivery.catch_up(in_room, peer);
            peer.queue(&self.delivery.encode(out));
        }
        self.delivery.update_lane(in_room, peer);
    }

    /// Whether the open run is for this session, too.
    fn is_in_run(&self, hub: &Hub, token: Token) -> bool {
        let room = self.delivery.room().and_then(|name| hub.room(name.as_str()));
        room.is_some_and(|room| room.member(SessionId(token.to_bits())).is_some())
    }

    /// Tells one peer of an event.
    pub(super) fn tell(
        &mut self,
        telling: &mut Telling<'_>,
        session: SessionId,
        viewpoint: Viewpoint,
        event: &Event,
    ) {
        let Telling { net, hub, cause } = telling;
        let Some(mut peer) = recipient(net, session) else { return };
        let answers = cause.answers(session);
        self.speak(&mut peer, hub, cause.stamp, |session, view, out| {
            session.tell(event, viewpoint, answers, view, out);
        });
    }

    /// From here on what a peer is told waits for the answer to this query.
    pub(super) fn defer(&mut self, peer: &mut Peer<'_>, hub: &Hub, query: QueryId) {
        let in_room = self.is_in_run(hub, peer.token);
        self.delivery.catch_up(in_room, peer);
        peer.connection.defer(query);
    }

    /// The answer to a query is here, or there is none: tells it, then what has waited behind it.
    pub(super) fn release(
        &mut self,
        net: &mut Net,
        hub: &Hub,
        token: Token,
        query: QueryId,
        past: Option<&Event>,
    ) {
        let Some(mut peer) = net.peer(token) else { return };
        if past.is_some_and(|past| past.more().is_some()) {
            peer.look_at_input();
        }
        if !peer.connection.awaits(query) {
            // No command in hand has asked for it: mail that has waited.
            if let Some(past) = past {
                self.speak(&mut peer, hub, None, |session, view, out| {
                    session.tell(past, Viewpoint::Observer, false, view, out);
                });
            }
            return;
        }
        let mut out = Vec::new();
        let mut view = self.view(hub, token, None);
        if let Some(past) = past {
            let session = &mut peer.connection.session;
            session.tell_replay(past, &mut view, &mut out);
        }
        let answer = (!out.is_empty()).then(|| self.delivery.encode(&out));
        peer.connection.release(query, answer);
        peer.flush_later();
    }

    /// A connection is not identified yet: messages for the lobby go to its early buffer from here
    /// on, `last` being the last record it missed.
    pub(super) fn buffer_early(&mut self, token: Token, last: RecordId) {
        self.unidentified.add(token, last);
    }

    /// A connection is identified, or gone: its early buffer.
    pub(super) fn take_early(&mut self, net: &mut Net, token: Token) -> Option<Early> {
        let since = self.unidentified.remove(token)?;
        let messages = net.connection(token).map(|connection| connection.take_early_buffer());
        Some(Early { since, messages: messages.unwrap_or_default() })
    }

    /// Connections whose early buffer is too full to go on: they are taken for plain now.
    pub(super) fn take_full(&mut self) -> Vec<Token> {
        self.unidentified.take_full()
    }
}

/// The peer of a session, if what the session receives is for it.
fn recipient(net: &mut Net, session: SessionId) -> Option<Peer<'_>> {
    net.peer(Token::from_bits(session.0)).filter(|peer| !peer.connection.life.withdrawn)
}
