//! Everything that is sent to peers: effects to their audiences, replies to one peer.
//!
//! Invariant: a session is told things in the order of the effects, whether they are for a room or
//! for it alone. So what is told to one peer is queued behind its part of the open run.

mod delivery;
mod irc_watchers;
mod unidentified;

use super::net::{Net, Peer};
use crate::chat::work::{self, Cost};
use crate::chat::{
    AccountChange, Audience, Change, Effect, Event, Hub, Moment, Name, Record, RecordId, SessionId,
    Stamp, Viewpoint,
};
use crate::journal::QueryId;
use crate::session::{Action, Dialect, Format, View, irc};
use chatloop_reactor::{Segment, Token};
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

    // One peer.

    /// A connection of this format has come; the number of its lane.
    pub(super) fn enter(&mut self, format: Format) -> u16 {
        self.delivery.enter(format)
    }

    /// A connection is closing: it no longer counts as one that may register.
    pub(super) fn step_away(&mut self, session: &mut Dialect) {
        if session.step_away() {
            self.counts.remove_unregistered();
        }
    }

    /// A connection is gone.
    pub(super) fn leave(&mut self, token: Token, lane: u16, session: &mut Dialect) {
        self.unidentified.remove(token);
        self.delivery.leave(lane);
        self.step_away(session);
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

    /// Queues what a session has written, behind what its room has been told so far.
    pub(super) fn send(&mut self, peer: &mut Peer<'_>, hub: &Hub, out: &[u8]) {
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
        net: &mut Net,
        hub: &Hub,
        cause: Cause,
        (session, viewpoint): (SessionId, Viewpoint),
        event: &Event,
    ) {
        let Some(mut peer) = listener(net, session) else { return };
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
        (token, query): (Token, QueryId),
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

    // Many.

    /// A run is for the members that a room had when it was gathered. Who comes or goes in the
    /// middle of it is marked; for all other changes of membership it is handed out first.
    pub(super) fn before_members_change(&mut self, net: &mut Net, hub: &Hub, record: &Record) {
        let token = Token::from_bits(record.origin.0);
        match record.change {
            Change::Enter(_) => {
                let in_lobby = self.delivery.room() == Some(&Name::lobby());
                let early = in_lobby && self.unidentified.has(token);
                if let Some(mut peer) = net.peer(token) {
                    if early && self.delivery.has_messages() {
                        self.delivery.buffer_early(peer.connection);
                    }
                    self.delivery.skip_to_here(&mut peer);
                }
            }
            Change::Leave { .. } => {
                let in_room = self.is_in_run(hub, token);
                if let Some(mut peer) = net.peer(token).filter(|_| in_room) {
                    self.delivery.catch_up(true, &mut peer);
                }
            }
            Change::Join { .. }
            | Change::Part { .. }
            | Change::Kick { .. }
            | Change::Kill { .. }
            | Change::Ban { .. }
            | Change::RenameRoom { .. }
            | Change::Restarted { .. } => self.close_run(net, hub),
            _ => {}
        }
    }

    /// Tells an effect to its audience. What it asks the server to do for one session is returned.
    pub(super) fn deliver(
        &mut self,
        net: &mut Net,
        hub: &Hub,
        cause: Cause,
        effect: Effect,
    ) -> Option<(Token, Action)> {
        if matches!(effect.event, Event::MetadataSet { .. }) {
            self.tell_of_metadata(net, hub, cause, &effect);
            return None;
        }
        let Effect { stamp, audience, event, mut hushed } = effect;
        // Told in its own way, behind what they have in common with the others.
        let instead = if hushed.is_empty() { None } else { event.hushed() };
        let newcomer = Broadcast::newcomer_with_metadata(hub, &event);
        match audience {
            Audience::One(session) if !hushed.contains(&session) => {
                return self.deliver_alone(net, hub, cause, session, event);
            }
            Audience::One(_) => {}
            // Each of them may be called otherwise by it: one by one.
            audience @ (Audience::Private { .. } | Audience::Room { .. })
                if matches!(audience, Audience::Private { .. })
                    || matches!(event, Event::RoomRenamed { .. }) =>
            {
                let mut recipients = Vec::new();
                hub.recipients(&audience, |session, viewpoint| {
                    recipients.push((session, viewpoint))
                });
                for recipient in recipients.into_iter().filter(|it| !hushed.contains(&it.0)) {
                    self.tell(net, hub, cause, recipient, &event);
                }
            }
            Audience::Room { room, from, mut except } => {
                self.add_to_run(net, hub, cause, room, (stamp, event));
                except.extend_from_slice(&hushed);
                self.mark_gaps(net, hub, cause, from, &except);
            }
            Audience::Peers { mut rooms, from } if rooms.len() == 1 => {
                if let Some(room) = rooms.pop() {
                    self.add_to_run(net, hub, cause, room, (stamp, event));
                    self.mark_gaps(net, hub, cause, from, &hushed);
                }
            }
            audience => self.deliver_to_many(net, hub, cause, (&audience, &hushed), &event),
        }
        for session in hushed.drain(..) {
            if let Some(event) = &instead {
                self.tell(net, hub, cause, (session, Viewpoint::Observer), event);
            }
        }
        if let Some((newcomer, room)) = newcomer {
            self.introduce(net, hub, cause, newcomer, &room);
        }
        None
    }

    fn add_to_run(
        &mut self,
        net: &mut Net,
        hub: &Hub,
        cause: Cause,
        room: Name,
        (stamp, event): (Stamp, Event),
    ) {
        if self.delivery.room() != Some(&room) {
            self.close_run(net, hub);
            self.delivery.open_run(room);
        }
        self.delivery.add_to_run(stamp, event);
        self.run_payer = cause.origin;
    }

    /// The last event of the run is not for some, and the actor is told of it in another way.
    fn mark_gaps(
        &mut self,
        net: &mut Net,
        hub: &Hub,
        cause: Cause,
        from: Option<SessionId>,
        except: &[SessionId],
    ) {
        for session in except {
            if let Some(mut peer) = net.peer(Token::from_bits(session.0)) {
                self.delivery.leave_out_last(&mut peer);
            }
        }
        let Some(actor) = from else { return };
        let Some(mut peer) = net.peer(Token::from_bits(actor.0)) else { return };
        self.delivery.leave_out_last(&mut peer);
        if peer.connection.life.withdrawn {
            return;
        }
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        let Broadcast { delivery, irc, monitors, whowas, counts, moment, .. } = self;
        if let Some(event) = delivery.last_of_run()
            && peer.connection.session.hears_itself(event)
        {
            let (me, now, stamp) = (actor, *moment, cause.stamp);
            let mut view = View { hub, settings: irc, monitors, whowas, counts, me, now, stamp };
            let (viewpoint, answers) = (Viewpoint::Actor, cause.answers(actor));
            peer.connection.session.tell(event, viewpoint, answers, &mut view, &mut out);
        }
        self.send(&mut peer, hub, &out);
        self.out = out;
    }

    /// Tells all in an audience that is not one room; rendered once per format.
    fn deliver_to_many(
        &mut self,
        net: &mut Net,
        hub: &Hub,
        cause: Cause,
        (audience, except): (&Audience, &[SessionId]),
        event: &Event,
    ) {
        self.close_run(net, hub);
        let mut recipients = std::mem::take(&mut self.recipients);
        hub.recipients(audience, |session, viewpoint| {
            if except.binary_search(&session).is_err() {
                recipients.push((session, viewpoint));
            }
        });
        let mut rendered: Vec<((u16, Viewpoint), Segment)> = Vec::new();
        for (session, viewpoint) in recipients.drain(..) {
            let Some(mut peer) = listener(net, session) else { continue };
            if viewpoint == Viewpoint::Actor && peer.connection.session.is_told_alone() {
                let answers = cause.answers(session);
                self.speak(&mut peer, hub, cause.stamp, |session, view, out| {
                    session.tell(event, viewpoint, answers, view, out);
                });
                continue;
            }
            peer.connection.session.heard(event, viewpoint);
            let (key, format) = ((peer.connection.lane, viewpoint), peer.connection.format());
            let known = rendered.iter().find(|(known, _)| *known == key);
            let segment = match known {
                Some((_, segment)) => segment.clone(),
                None => {
                    let segment = self.render(format, cause.stamp, event, viewpoint);
                    rendered.push((key, segment.clone()));
                    segment
                }
            };
            if !segment.is_empty() {
                peer.queue(&segment);
            }
        }
        self.recipients = recipients;
        if *audience == Audience::All {
            let waiting: Vec<Token> = self.unidentified.tokens().collect();
            for token in waiting {
                let Some(connection) = net.connection(token) else { continue };
                let (format, viewpoint) = (connection.format(), Viewpoint::Observer);
                connection.buffer_early(&self.render(format, cause.stamp, event, viewpoint));
            }
        }
    }

    fn render(
        &mut self,
        format: Format,
        stamp: Option<Stamp>,
        event: &Event,
        viewpoint: Viewpoint,
    ) -> Segment {
        self.out.clear();
        format.render(stamp, event, viewpoint, &mut self.out);
        self.delivery.encode(&self.out)
    }

    /// Tells one session, or says what the event asks the server to do for it.
    fn deliver_alone(
        &mut self,
        net: &mut Net,
        hub: &Hub,
        cause: Cause,
        session: SessionId,
        event: Event,
    ) -> Option<(Token, Action)> {
        let token = Token::from_bits(session.0);
        if !matches!(event, Event::Closed { .. }) && listener(net, session).is_none() {
            return None;
        }
        match event {
            Event::ReplayHistory(query) => return Some((token, Action::Replay(query, None))),
            Event::Refused(_) if hub.user(session).is_none() => {
                return Some((token, Action::NotAdmitted(Box::new(event))));
            }
            Event::AccountManaged { account, what: AccountChange::Made }
                if hub.user(session).is_none() =>
            {
                return Some((token, Action::RegisteredEarly(account)));
            }
            Event::Welcome { .. } => {
                self.tell(net, hub, cause, (session, Viewpoint::Observer), &event);
                return Some((token, Action::Registered));
            }
            Event::Closed { .. } => {
                self.tell(net, hub, cause, (session, Viewpoint::Observer), &event);
                return Some((token, Action::Close));
            }
            event => self.tell(net, hub, cause, (session, Viewpoint::Observer), &event),
        }
        None
    }

    /// Hands the open run out.
    pub(super) fn close_run(&mut self, net: &mut Net, hub: &Hub) {
        let Some(name) = self.delivery.room().cloned() else { return };
        if name == Name::lobby() && self.delivery.has_messages() {
            self.unidentified.buffer_run(&mut self.delivery, net);
        }
        // It is paid for by the one whose record was added last, not by the one whose record is
        // applied now.
        let before = work::take();
        let records = self.delivery.run_length().max(1) as u64;
        self.delivery.close_run(hub.room_members(name.as_str()), net);
        if let Some(SessionId(session)) = self.run_payer.take() {
            let (token, cost) = (Token::from_bits(session), work::take());
            let one = Cost(cost.0 / records);
            net.charge(token, Cost(cost.0 - one.0), false);
            net.charge(token, one, true);
        }
        work::charge(before);
    }

    // The unidentified.

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

/// The peer of a session, if what the session hears is for it.
fn listener(net: &mut Net, session: SessionId) -> Option<Peer<'_>> {
    net.peer(Token::from_bits(session.0)).filter(|peer| !peer.connection.life.withdrawn)
}
