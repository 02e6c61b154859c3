//! What has been written down happens: records go to the hub, its effects to the outboxes.
//!
//! Invariant: a session is told things in the order of the effects, whether they are for a room or
//! for it alone.

use super::audit;
use super::turn::Server;
use crate::chat::{Audience, Change, Effect, Event, Name, Record, SessionId, Stamp, Viewpoint};
use crate::journal::{Committed, Health};
use crate::reactor::{Segment, Token};
use log::error;

/// Text applied in one turn, in bytes. A disk that was slow hands much back at once, and all of it
/// would be owed to every member before the first of them is written to.
const APPLIED_PER_TURN: usize = 512 * 1024;

impl Server {
    /// Lets happen what the journal has handed back.
    pub(super) fn apply_records(&mut self) {
        let mut committed = std::mem::take(&mut self.committed);
        let mut bytes = 0;
        let now = committed.iter().take_while(|it| {
            let fits = bytes < APPLIED_PER_TURN;
            bytes += it.record.change.size();
            fits
        });
        let now = now.count();
        for Committed { record, .. } in committed.drain(..now) {
            self.apply(record);
        }
        self.committed = committed;
        self.reject_proposals();
        self.close_run();
    }

    /// Some changes could not be committed: their origins are told.
    fn reject_proposals(&mut self) {
        let mut rejected = std::mem::take(&mut self.rejected);
        self.journal.take_rejected(&mut rejected);
        for proposal in rejected.drain(..) {
            let token = Token::from_bits(proposal.origin.0);
            self.no_longer_pending(token, &proposal.change);
            if let Health::ReadOnly(reason) = self.journal.health() {
                self.tell(token, &format!("not done, nothing can be kept now: {reason}"));
            }
            if matches!(proposal.change, Change::Login { .. }) {
                self.fail_sasl(token);
            }
            self.finish_irc(token);
        }
        self.rejected = rejected;
        self.say_health();
    }

    /// Says once that the journal takes nothing more.
    fn say_health(&mut self) {
        if let Health::ReadOnly(reason) = self.journal.health()
            && !std::mem::replace(&mut self.read_only_told, true)
        {
            error!("the journal is read-only from here on: {reason}");
        }
    }

    fn no_longer_pending(&mut self, token: Token, change: &Change) {
        if let Some(connection) = self.connections.get_mut(token) {
            connection.pending.remove(change);
            if std::mem::take(&mut connection.waits_for_records) {
                self.look_at_input(token);
            }
        } else {
            self.operator_waits_no_more(token, change);
        }
    }

    fn apply(&mut self, record: Record) {
        let origin = record.origin;
        let token = Token::from_bits(origin.0);
        self.before_members_change(&record);
        self.no_longer_pending(token, &record.change);
        let leaves = matches!(record.change, Change::Leave { .. });
        let waited = match record.change {
            Change::Enter(_) => self.end_of_waiting(token),
            _ => None,
        };
        let mut effects = std::mem::take(&mut self.effects);
        self.applying = Some(origin);
        let act = audit::describe(&self.hub, &record);
        self.hub.apply(record, &mut effects);
        if let Some(act) = act {
            audit::write(&act, &effects);
        }
        for effect in effects.drain(..) {
            match (effect.event, &waited) {
                (Event::ReplayHistory(query), Some((since, _))) => {
                    self.recall(token, *query, Some(*since))
                }
                (event, _) => self.deliver(Effect { event, ..effect }),
            }
        }
        self.effects = effects;
        if let Some((_, heard)) = waited
            && self.hub.user(origin).is_some()
        {
            heard.iter().for_each(|segment| self.queue(token, segment));
        }
        (self.applying, self.stamp) = (None, None);
        self.finish_irc(token);
        if leaves {
            self.say_farewell(token);
        }
    }

    /// A run is for the members a room had when it was gathered. Who comes or goes in the middle of
    /// it is marked; for all other changes of membership it is handed out first.
    fn before_members_change(&mut self, record: &Record) {
        let origin = record.origin;
        match record.change {
            Change::Enter(_) => {
                self.put_aside(Token::from_bits(origin.0));
                if let Some(connection) = self.connections.get_mut(Token::from_bits(origin.0)) {
                    self.delivery.skip_to_here(origin, connection);
                }
            }
            Change::Leave { .. } => self.catch_up(origin),
            Change::Join { .. }
            | Change::Part { .. }
            | Change::Kick { .. }
            | Change::Kill { .. }
            | Change::Ban { .. }
            | Change::RenameRoom { .. }
            | Change::Restarted { .. } => self.close_run(),
            _ => {}
        }
    }

    fn deliver(&mut self, effect: Effect) {
        for entry in effect.entries() {
            self.journal.archive(entry);
        }
        let Effect { stamp, audience, event } = effect;
        self.stamp = Some(stamp);
        self.tell_watchers(&event);
        self.offer_to_operator(&audience, &event);
        if matches!(event, Event::MetadataSet { .. }) {
            return self.tell_of_metadata(&audience, &event);
        }
        let newcomer = self.newcomer_with_metadata(&event);
        match audience {
            Audience::One(session) => self.deliver_alone(session, event),
            Audience::Private { to, from } => {
                for session in to.into_iter().filter(|session| *session != from) {
                    self.deliver_to(Token::from_bits(session.0), &event, Viewpoint::Observer);
                }
                self.deliver_to(Token::from_bits(from.0), &event, Viewpoint::Actor);
            }
            // Each of them may be called otherwise by it: one by one.
            Audience::Room { .. } if matches!(event, Event::RoomRenamed { .. }) => {
                self.transcript.say(&event);
                let mut recipients = Vec::new();
                self.hub.recipients(&audience, |session, view| recipients.push((session, view)));
                for (session, viewpoint) in recipients {
                    let token = Token::from_bits(session.0);
                    if self.connections.get_mut(token).is_some() {
                        self.deliver_to(token, &event, viewpoint);
                    }
                }
            }
            Audience::Room { room, from, except } => {
                self.transcript.say(&event);
                self.deliver_to_room(room, from, &except, stamp, event);
            }
            Audience::Peers { mut rooms, from } => {
                self.transcript.say(&event);
                match (rooms.pop(), rooms.is_empty()) {
                    (Some(room), true) => self.deliver_to_room(room, from, &[], stamp, event),
                    (Some(room), false) => {
                        rooms.push(room);
                        self.deliver_to_many(&Audience::Peers { rooms, from }, &event);
                    }
                    (None, _) => {
                        self.deliver_to_many(&Audience::Peers { rooms, from }, &event);
                    }
                }
            }
            Audience::All => {
                self.transcript.say(&event);
                self.deliver_to_many(&Audience::All, &event);
            }
        }
        if let Some((newcomer, room)) = newcomer {
            self.introduce(newcomer, &room);
        }
    }

    /// Adds an event to the run of a room.
    fn deliver_to_room(
        &mut self,
        room: Name,
        from: Option<SessionId>,
        except: &[SessionId],
        stamp: Stamp,
        event: Event,
    ) {
        if self.delivery.room() != Some(&room) {
            self.close_run();
            self.delivery.open_run(room);
        }
        self.delivery.add_to_run(stamp, event);
        for session in except.iter().chain(&from) {
            if let Some(connection) = self.connections.get_mut(Token::from_bits(session.0)) {
                self.delivery.leave_out_last(*session, connection);
            }
        }
        if let Some(from) = from {
            self.deliver_own_last(from);
        }
    }

    /// Tells the one who did it about the last event of the run, if there is anything to tell.
    fn deliver_own_last(&mut self, session: SessionId) {
        let token = Token::from_bits(session.0);
        let Some(connection) = self.connections.get_mut(token) else { return };
        let Some(event) = self.delivery.last_of_run() else { return };
        if let Some(irc) = connection.session.irc() {
            if irc.hears_itself() || !matches!(event, Event::RoomMessage(_)) {
                let event = event.clone();
                self.tell_irc(token, &event, Viewpoint::Actor);
            }
            return;
        }
        connection.session.heard(event, Viewpoint::Actor);
        let format = connection.format();
        let segment = self.delivery.encode_last_of_run(format);
        if !segment.is_empty() {
            self.catch_up(session);
            self.queue(token, &segment);
        }
        self.update_format(token);
    }

    /// Tells everyone in an audience that is not one room; rendered once per format.
    fn deliver_to_many(&mut self, audience: &Audience, event: &Event) {
        self.close_run();
        let mut recipients = std::mem::take(&mut self.recipients);
        self.hub.recipients(audience, |session, viewpoint| recipients.push((session, viewpoint)));
        let mut rendered: Vec<((usize, Viewpoint), Segment)> = Vec::new();
        for (session, viewpoint) in recipients.drain(..) {
            let token = Token::from_bits(session.0);
            let Some(connection) = self.connections.get_mut(token) else { continue };
            if viewpoint == Viewpoint::Actor && connection.session.irc().is_some() {
                self.tell_irc(token, event, viewpoint);
                continue;
            }
            connection.session.heard(event, viewpoint);
            let (key, format) = ((connection.channel, viewpoint), connection.format());
            let known = rendered.iter().find(|(known, _)| *known == key);
            let segment = match known {
                Some((_, segment)) => segment.clone(),
                None => {
                    let stamp = self.stamp;
                    let render = |line: &mut Vec<u8>| format.render(stamp, event, viewpoint, line);
                    let segment = self.delivery.encode(render);
                    rendered.push((key, segment.clone()));
                    segment
                }
            };
            self.queue(token, &segment);
        }
        self.recipients = recipients;
        if *audience == Audience::All {
            self.announce_to_newcomers(event);
        }
    }

    /// Tells one session, or does what the event asks the server to do for it.
    fn deliver_alone(&mut self, session: SessionId, event: Event) {
        let token = Token::from_bits(session.0);
        match event {
            Event::ReplayHistory(query) => self.recall(token, *query, None),
            Event::Refused(_) if self.hub.user(session).is_none() => {
                self.turn_away(token, &event);
            }
            Event::Closed { .. } => {
                self.deliver_to(token, &event, Viewpoint::Observer);
                if let Some(connection) = self.connections.get_mut(token) {
                    connection.entered = false;
                }
                self.start_draining(token);
            }
            event => self.deliver_to(token, &event, Viewpoint::Observer),
        }
    }

    /// Tells one connection, after what its room has been told so far.
    pub(super) fn deliver_to(&mut self, token: Token, event: &Event, viewpoint: Viewpoint) {
        self.catch_up(Self::session(token));
        let Some(connection) = self.connections.get_mut(token) else {
            return self.operator_hears(token, event, viewpoint);
        };
        if connection.session.irc().is_some() {
            return self.tell_irc(token, event, viewpoint);
        }
        connection.session.heard(event, viewpoint);
        let format = connection.format();
        let render = |line: &mut Vec<u8>| format.render(self.stamp, event, viewpoint, line);
        let segment = self.delivery.encode(render);
        self.queue(token, &segment);
        self.update_format(token);
    }

    /// The past is here, or cannot be had: tell it, then what has waited behind it.
    pub(super) fn release_held(&mut self, token: Token, ticket: u64, past: Option<&Event>) {
        let Some(connection) = self.connections.get_mut(token) else {
            let other = Viewpoint::Observer;
            return past.into_iter().for_each(|past| self.operator_hears(token, past, other));
        };
        if connection.session.irc().is_some() {
            return self.release_irc(token, ticket, past);
        }
        let format = connection.format();
        let answer = past.map(|past| {
            let render = |line: &mut Vec<u8>| format.render(None, past, Viewpoint::Observer, line);
            self.delivery.encode(render)
        });
        connection.release(ticket, answer);
        self.touched.flush_later(token, connection);
    }

    pub(super) fn queue(&mut self, token: Token, segment: &Segment) {
        if let Some(connection) = self.connections.get_mut(token)
            && !segment.is_empty()
        {
            self.touched.queue(token, connection, segment, &self.bounds);
        }
    }

    /// Gives one session its part of the open run, if it is in that room.
    pub(super) fn catch_up(&mut self, session: SessionId) {
        let Some(room) = self.delivery.room().and_then(|name| self.hub.room(name.as_str())) else {
            return;
        };
        if room.member(session).is_some()
            && let Some(connection) = self.connections.get_mut(Token::from_bits(session.0))
        {
            self.delivery.catch_up(session, connection, &self.bounds, &mut self.touched);
        }
    }

    /// Hands the open run out.
    fn close_run(&mut self) {
        let Some(name) = self.delivery.room().cloned() else { return };
        if !self.newcomers.is_empty() {
            self.put_aside_run();
        }
        self.delivery.close_run(
            self.hub.room_members(name.as_str()),
            &mut self.connections,
            &self.bounds,
            &mut self.touched,
        );
    }

    /// A line or an event may have changed how a peer wants its lines.
    pub(super) fn update_format(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let format = connection.format();
        if self.delivery.format(connection.channel) == format {
            return;
        }
        self.catch_up(Self::session(token));
        let Some(connection) = self.connections.get_mut(token) else { return };
        self.delivery.leave(connection.channel);
        connection.channel = self.delivery.enter(format);
    }
}
