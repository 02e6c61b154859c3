//! Effects to their audiences: a room's by runs, others rendered once per format or one by one.

use super::{Broadcast, Telling, recipient};
use crate::chat::work::{self, Cost};
use crate::chat::{
    AccountChange, Audience, Change, Effect, Event, Hub, Name, Record, SessionId, Stamp, Viewpoint,
};
use crate::server::net::Net;
use crate::session::{Action, Format, View};
use chatloop_reactor::{Segment, Token};

impl Broadcast {
    /// A run is for the members that a room had when it was gathered. A user who comes or goes in the
    /// middle of it is marked; for all other changes of membership it is handed out first.
    pub(in crate::server) fn before_members_change(
        &mut self,
        net: &mut Net,
        hub: &Hub,
        record: &Record,
    ) {
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
    pub(in crate::server) fn deliver(
        &mut self,
        telling: &mut Telling<'_>,
        effect: Effect,
    ) -> Option<(Token, Action)> {
        if matches!(effect.event, Event::MetadataSet { .. }) {
            self.tell_of_metadata(telling, &effect);
            return None;
        }
        let Effect { stamp, audience, event, mut hushed } = effect;
        // Told in its own way, behind what they have in common with the others.
        let instead = if hushed.is_empty() { None } else { event.hushed() };
        let newcomer = Broadcast::newcomer_with_metadata(telling.hub, &event);
        match audience {
            Audience::One(session) if hushed.contains(&session) => {}
            Audience::One(session) => return self.deliver_alone(telling, session, event),
            Audience::Private { .. } => self.tell_each(telling, &audience, &hushed, &event),
            // For each of its members it may be a rename, or a part and a join.
            Audience::Room { .. } if matches!(event, Event::RoomRenamed { .. }) => {
                self.tell_each(telling, &audience, &hushed, &event);
            }
            Audience::Room { room, from, mut except } => {
                self.add_to_run(telling, room, stamp, event);
                except.extend_from_slice(&hushed);
                self.mark_gaps(telling, from, &except);
            }
            Audience::Peers { mut rooms, from } if rooms.len() == 1 => {
                if let Some(room) = rooms.pop() {
                    self.add_to_run(telling, room, stamp, event);
                    self.mark_gaps(telling, from, &hushed);
                }
            }
            Audience::Peers { .. } | Audience::All => {
                self.deliver_to_many(telling, &audience, &hushed, &event);
            }
        }
        for session in hushed.drain(..) {
            if let Some(event) = &instead {
                self.tell(telling, session, Viewpoint::Observer, event);
            }
        }
        if let Some((newcomer, room)) = newcomer {
            self.introduce(telling, newcomer, &room);
        }
        None
    }

    /// Tells an audience one by one.
    fn tell_each(
        &mut self,
        telling: &mut Telling<'_>,
        audience: &Audience,
        except: &[SessionId],
        event: &Event,
    ) {
        let mut recipients = Vec::new();
        telling.hub.recipients(audience, |session, viewpoint| {
            if except.binary_search(&session).is_err() {
                recipients.push((session, viewpoint));
            }
        });
        for (session, viewpoint) in recipients {
            self.tell(telling, session, viewpoint, event);
        }
    }

    fn add_to_run(&mut self, telling: &mut Telling<'_>, room: Name, stamp: Stamp, event: Event) {
        if self.delivery.room() != Some(&room) {
            self.close_run(telling.net, telling.hub);
            self.delivery.open_run(room);
        }
        self.delivery.add_to_run(stamp, event);
        self.run_payer = telling.cause.origin;
    }

    /// The last event of the run is not for some, and the actor is told of it in another way.
    fn mark_gaps(
        &mut self,
        telling: &mut Telling<'_>,
        from: Option<SessionId>,
        except: &[SessionId],
    ) {
        let Telling { net, hub, cause } = telling;
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
            && peer.connection.session.receives_own(event)
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
        telling: &mut Telling<'_>,
        audience: &Audience,
        except: &[SessionId],
        event: &Event,
    ) {
        let Telling { net, hub, cause } = telling;
        self.close_run(net, hub);
        let mut recipients = std::mem::take(&mut self.recipients);
        hub.recipients(audience, |session, viewpoint| {
            if except.binary_search(&session).is_err() {
                recipients.push((session, viewpoint));
            }
        });
        let mut rendered: Vec<((u16, Viewpoint), Segment)> = Vec::new();
        for (session, viewpoint) in recipients.drain(..) {
            let Some(mut peer) = recipient(net, session) else { continue };
            if viewpoint == Viewpoint::Actor && peer.connection.session.is_told_alone() {
                let answers = cause.answers(session);
                self.speak(&mut peer, hub, cause.stamp, |session, view, out| {
                    session.tell(event, viewpoint, answers, view, out);
                });
                continue;
            }
            peer.connection.session.observe(event, viewpoint);
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
        telling: &mut Telling<'_>,
        session: SessionId,
        event: Event,
    ) -> Option<(Token, Action)> {
        let token = Token::from_bits(session.0);
        let has_entered = telling.hub.user(session).is_some();
        if !matches!(event, Event::Closed { .. }) && recipient(telling.net, session).is_none() {
            return None;
        }
        match event {
            Event::ReplayHistory(query) => return Some((token, Action::Replay(query, None))),
            Event::Refused(_) if !has_entered => {
                return Some((token, Action::NotAdmitted(Box::new(event))));
            }
            Event::AccountManaged { account, what: AccountChange::Made } if !has_entered => {
                return Some((token, Action::RegisteredEarly(account)));
            }
            Event::Welcome { .. } => {
                self.tell(telling, session, Viewpoint::Observer, &event);
                return Some((token, Action::Registered));
            }
            Event::Closed { .. } => {
                self.tell(telling, session, Viewpoint::Observer, &event);
                return Some((token, Action::Close));
            }
            event => self.tell(telling, session, Viewpoint::Observer, &event),
        }
        None
    }

    /// Hands the open run out.
    pub(in crate::server) fn close_run(&mut self, net: &mut Net, hub: &Hub) {
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
}
