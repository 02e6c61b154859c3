//! What is special about connections that speak IRC: their lines, their answers, their labels.
//!
//! One command's answers go out before the next command is taken: a command is done when its
//! records are in force and nobody is asked for it any more ([`Server::finish_irc`]).

use super::input::{LINE_COST, Taken};
use super::turn::{Due, Server};
use crate::chat::{
    Audience, Change, Event, Holder, Identity, MetadataChanges, Name, Outcome, Purpose, SessionId,
    Viewpoint,
};
use crate::reactor::Token;
use crate::session::irc::{Action, Replies, Session, View};
use crate::wire::irc::Step;
use std::collections::HashSet;
use std::sync::Arc;

impl Server {
    /// Lets a session write to its peer. What answers the command in hand is gathered, if that
    /// command bears a label.
    pub(super) fn with_irc<R>(
        &mut self,
        token: Token,
        answers: bool,
        speak: impl FnOnce(&mut Session, &mut View<'_>, &mut Replies) -> R,
    ) -> Option<R> {
        let connection = self.connections.get_mut(token)?;
        let session = connection.session.irc()?;
        let mut view = View {
            hub: &self.hub,
            settings: &self.irc,
            monitors: &mut self.monitors,
            whowas: &self.whowas,
            counts: &self.counts,
            me: Self::session(token),
            now: self.moment,
            stamp: self.stamp,
        };
        let mut replies = Replies::default();
        let result = speak(session, &mut view, &mut replies);
        if answers {
            session.collect(&mut replies);
        }
        if !replies.is_empty() {
            let segment = self.delivery.encode(|line| line.extend_from_slice(replies.bytes()));
            self.catch_up(Self::session(token));
            self.queue(token, &segment);
        }
        Some(result)
    }

    /// Takes the next line of a connection that speaks IRC, and carries it out.
    pub(super) fn take_irc_line(&mut self, token: Token) -> Taken {
        let Some(connection) = self.connections.get_mut(token) else { return Taken::NotNow };
        let Some(session) = connection.session.irc() else { return Taken::NotNow };
        let (line, used) = match session.next(connection.inbox.pending()) {
            Step::Incomplete { used } => {
                connection.inbox.consume(used);
                return Taken::NoLine;
            }
            Step::Line { bytes, used } => (Ok(bytes), used),
            Step::TooLong { tags, used, .. } => {
                (Err(tags.get("label").map(|label| label.into_owned())), used)
            }
        };
        let words = line.as_ref().is_ok_and(|bytes| session.may_follow_words(bytes));
        if !connection.pending.allows(words) {
            connection.waits_for_records = true;
            return Taken::NotNow;
        }
        if let Some(bucket) = &mut connection.flood
            && let Err(when) = bucket.take(self.pace, self.now)
        {
            self.wait_for_flood_limit(token, when);
            return Taken::NotNow;
        }
        let line = line.map(<[u8]>::to_vec);
        connection.inbox.consume(used);
        self.taken += used + LINE_COST;
        // Its inbox may have been full and the poller told so.
        self.touched.flush_later(token, connection);
        let mut actions = Vec::new();
        self.with_irc(token, true, |session, view, out| match &line {
            Ok(line) => session.take(line, view, out, &mut actions),
            Err(label) => session.too_long(label.as_deref(), view, out),
        });
        self.update_format(token);
        self.perform(token, actions);
        self.finish_irc(token);
        Taken::Done
    }

    /// Does what a line asks for.
    pub(super) fn perform(&mut self, token: Token, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Do(command) => self.decide(token, command),
                Action::Enter(mut entry) => {
                    let Some(connection) = self.connections.get_mut(token) else { return };
                    entry.label = connection.address.to_string().into();
                    if let Err(refusal) = self.hub.admits(entry.host(), self.moment) {
                        self.tell_irc(token, &Event::Closed { why: refusal }, Viewpoint::Observer);
                        return self.start_draining(token);
                    }
                    connection.entered = true;
                    self.record(token, Change::Enter(*entry));
                }
                Action::Prove(proof) => self.prove(token, proof),
                Action::LogIn(account) => {
                    let proved = Outcome::Verified(true);
                    self.take_outcome(token, Purpose::Login(account), proved);
                }
                Action::Quit(words) => {
                    let farewell = match &words {
                        Some(words) => format!("Quit: {words}"),
                        None => "Client quit".to_owned(),
                    };
                    self.leave_with(token, words, farewell);
                }
                Action::Close(why) => self.leave_with(token, None, why),
                Action::LookAtBatch(after) => {
                    self.timers.arm(self.now + after, Due::Batch(token));
                }
            }
        }
    }

    /// A batch was opened a while ago.
    pub(super) fn look_at_batch(&mut self, token: Token) {
        let again =
            self.with_irc(token, false, |session, view, out| session.look_at_batch(view, out));
        if let Some(Some(after)) = again {
            self.timers.arm(self.now + after, Due::Batch(token));
        }
    }

    /// Tells one connection; what its own command has led to answers that.
    pub(super) fn tell_irc(&mut self, token: Token, event: &Event, viewpoint: Viewpoint) {
        let answers = self.applying.is_none_or(|session| session == Self::session(token));
        self.tell_irc_as(token, answers, event, viewpoint);
    }

    /// Tells one connection what no command in hand has asked for: mail that has waited.
    pub(super) fn tell_irc_unasked(&mut self, token: Token, event: &Event) {
        self.tell_irc_as(token, false, event, Viewpoint::Observer);
    }

    fn tell_irc_as(&mut self, token: Token, answers: bool, event: &Event, viewpoint: Viewpoint) {
        let mut aside = Vec::new();
        let comes_in = matches!(event, Event::Welcome { .. });
        if comes_in {
            self.counts.remove_unregistered();
        }
        self.with_irc(token, answers, |session, view, out| {
            session.tell(event, viewpoint, view, out, &mut aside);
        });
        if !aside.is_empty() {
            let segment = self.delivery.encode(|line| line.extend_from_slice(&aside));
            self.queue(token, &segment);
        }
        if comes_in {
            self.disarm(token);
            self.arm_idle(token);
        }
        self.update_format(token);
    }

    /// The past is here, or cannot be had: tells it, then what has waited behind it, if it has.
    pub(super) fn release_irc(&mut self, token: Token, ticket: u64, past: Option<&Event>) {
        if !self.connections.get_mut(token).is_some_and(|connection| connection.awaits(ticket)) {
            return past.into_iter().for_each(|past| self.tell_irc_unasked(token, past));
        }
        let any = |event: &&Event| matches!(event, Event::Past(past) if !past.entries.is_empty());
        let lines = past.filter(any).and_then(|past| {
            self.with_irc(token, false, |session, view, out| {
                session.tell(past, Viewpoint::Observer, view, out, &mut Vec::new());
                // Not to the end of what waits, as all else.
                std::mem::take(out)
            })
        });
        let answer =
            lines.map(|lines| self.delivery.encode(|out| out.extend_from_slice(lines.bytes())));
        if let Some(connection) = self.connections.get_mut(token) {
            connection.release(ticket, answer);
            self.touched.flush_later(token, connection);
        }
    }

    /// Ends the command in hand, if nothing is to come of it any more.
    pub(super) fn finish_irc(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let done = connection.pending.is_empty() && !connection.waits_for_answer;
        if done && connection.session.irc().is_some() {
            self.with_irc(token, false, |session, view, out| session.finish(view, out));
        }
    }

    /// The chat has not let somebody in.
    pub(super) fn turn_away(&mut self, token: Token, event: &Event) {
        if let Some(connection) = self.connections.get_mut(token) {
            connection.entered = false;
        }
        self.tell_irc(token, event, Viewpoint::Observer);
    }

    /// Tells those who watch for somebody that they are there or gone.
    pub(super) fn tell_watchers(&mut self, event: &Event) {
        if let Event::Away { who, .. } | Event::Account { who, .. } | Event::RealName { who } =
            event
        {
            let rooms = |session| self.hub.user(session).map_or(&[][..], |user| user.rooms());
            let theirs = rooms(who.session);
            let apart = |watcher: &&SessionId| {
                **watcher != who.session
                    && !rooms(**watcher).iter().any(|room| theirs.contains(room))
            };
            let watchers: Vec<SessionId> =
                self.monitors.watchers(&who.nick).iter().filter(apart).copied().collect();
            for watcher in watchers {
                self.with_irc(Token::from_bits(watcher.0), false, |session, view, out| {
                    session.tell_of_watched(event, view, out);
                });
            }
        }
        self.whowas.observe(event, self.moment);
        self.counts.observe(event);
        for (watcher, who, there) in self.monitors.observe(event) {
            let who: &Identity = &who;
            self.with_irc(Token::from_bits(watcher.0), false, |session, view, out| {
                session.tell_presence(who, there, view, out);
            });
        }
    }

    /// Tells those who follow it that a person's or a room's metadata are other now: of the
    /// audience, and of those who watch for the person.
    pub(super) fn tell_of_metadata(&mut self, audience: &Audience, event: &Event) {
        let Event::MetadataSet { holder, changes } = event else { return };
        let mut recipients = Vec::new();
        self.hub.recipients(audience, |session, viewpoint| recipients.push((session, viewpoint)));
        if let (Audience::Peers { rooms, from }, Holder::Person(who)) = (audience, holder) {
            let apart =
                |session: &SessionId| Some(*session) != *from && !self.is_in(*session, rooms);
            let watchers = self.monitors.watchers(&who.nick).iter().copied();
            let own = std::iter::once(who.session);
            let more = own.chain(watchers.filter(|watcher| *watcher != who.session));
            recipients.extend(more.filter(apart).map(|session| (session, Viewpoint::Observer)));
        }
        for (session, viewpoint) in recipients {
            match viewpoint {
                Viewpoint::Actor => {
                    self.deliver_to(Token::from_bits(session.0), event, viewpoint);
                }
                Viewpoint::Observer => self.tell_follower(session, holder, changes),
            }
        }
    }

    fn tell_follower(&mut self, session: SessionId, holder: &Holder, changes: &MetadataChanges) {
        let token = Token::from_bits(session.0);
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.session.irc().is_some_and(|irc| irc.follows_metadata()) {
            self.with_irc(token, false, |session, view, out| {
                session.tell_metadata(holder, changes, view, out);
            });
        }
    }

    fn is_in(&self, session: SessionId, rooms: &[Name]) -> bool {
        let own = self.hub.user(session).map_or(&[][..], |user| user.rooms());
        own.iter().any(|room| rooms.contains(room))
    }

    /// Who has come into which room, if there is anything to say of them for programs.
    pub(super) fn newcomer_with_metadata(&self, event: &Event) -> Option<(Arc<Identity>, Name)> {
        let (who, room) = match event {
            Event::Joined { who, room, .. } => (who, room.clone()),
            Event::Entered { who, .. } => (who, Name::lobby()),
            _ => return None,
        };
        let user = self.hub.user(who.session)?;
        (!self.hub.metadata_of(user).is_empty()).then(|| (Arc::clone(who), room))
    }

    /// Tells those in a room who follow it what is said of a newcomer, unless they know them from
    /// another room or watch for them.
    pub(super) fn introduce(&mut self, who: Arc<Identity>, room: &Name) {
        let Some(newcomer) = self.hub.user(who.session) else { return };
        let changes: MetadataChanges = (self.hub.metadata_of(newcomer).iter())
            .map(|(key, value)| (Arc::clone(key), Some(Arc::clone(value))))
            .collect();
        let elsewhere: Vec<Name> =
            newcomer.rooms().iter().filter(|other| *other != room).cloned().collect();
        let watchers: HashSet<&SessionId> = self.monitors.watchers(&who.nick).iter().collect();
        let members = self.hub.room_members(room.as_str());
        let strangers: Vec<SessionId> = members
            .filter(|member| *member != who.session && !watchers.contains(member))
            .filter(|member| elsewhere.is_empty() || !self.is_in(*member, &elsewhere))
            .collect();
        let holder = Holder::Person(who);
        for stranger in strangers {
            self.tell_follower(stranger, &holder, &changes);
        }
    }
}
