//! Notifications to IRC clients beyond their rooms: MONITOR, and subscribed metadata.

use super::{Broadcast, Telling, recipient};
use crate::chat::{
    Audience, Effect, Event, Holder, Hub, Identity, MetadataChanges, Name, SessionId, Viewpoint,
};
use crate::session::irc;
use std::collections::HashSet;
use std::sync::Arc;

impl Broadcast {
    fn speak_irc(
        &mut self,
        telling: &mut Telling<'_>,
        session: SessionId,
        speak: impl FnOnce(&mut irc::Context<'_, '_>),
    ) {
        let Telling { net, hub, cause } = telling;
        if let Some(mut peer) = recipient(net, session) {
            self.speak(&mut peer, hub, cause.stamp, |session, view, out| {
                if let Some(session) = session.irc() {
                    session.telling(view, out, &mut Vec::new(), speak);
                }
            });
        }
    }

    /// Tells those who monitor a nick that it is there or gone, or what has changed about it.
    pub(in crate::server) fn tell_watchers(&mut self, telling: &mut Telling<'_>, event: &Event) {
        let hub = telling.hub;
        if let Event::Away { who, .. } | Event::Account { who, .. } | Event::RealName { who } =
            event
        {
            let theirs = rooms_of(hub, who.session);
            let apart =
                |watcher: &&SessionId| **watcher != who.session && !is_in(hub, **watcher, theirs);
            let watchers: Vec<SessionId> =
                self.monitors.watchers(&who.nick).iter().filter(apart).copied().collect();
            for watcher in watchers {
                let hushed = hub.is_ignored_by(who, watcher);
                let instead = if hushed { event.hushed() } else { None };
                if hushed && instead.is_none() {
                    continue;
                }
                let event = instead.as_ref().unwrap_or(event);
                self.speak_irc(telling, watcher, |irc| irc.tell_of_watched(event));
            }
        }
        self.whowas.observe(event, self.moment);
        self.counts.observe(event);
        for (watcher, who, there) in self.monitors.observe(event) {
            let who: &Identity = &who;
            self.speak_irc(telling, watcher, |irc| irc.tell_presence(who, there));
        }
    }

    /// Tells of changed metadata those who follow it: of the audience, and of those who monitor the
    /// person.
    pub(super) fn tell_of_metadata(&mut self, telling: &mut Telling<'_>, effect: &Effect) {
        let hub = telling.hub;
        let Effect { audience, event, .. } = effect;
        let Event::MetadataSet { holder, changes } = event else { return };
        let mut recipients = Vec::new();
        hub.recipients(audience, |session, viewpoint| recipients.push((session, viewpoint)));
        if let (Audience::Peers { rooms, from }, Holder::Person(who)) = (audience, holder) {
            let apart =
                |session: &SessionId| Some(*session) != *from && !is_in(hub, *session, rooms);
            let watchers = self.monitors.watchers(&who.nick).iter().copied();
            let own = std::iter::once(who.session);
            let watchers = watchers.filter(|watcher| *watcher != who.session);
            let more = own.chain(watchers.filter(|watcher| !hub.is_ignored_by(who, *watcher)));
            recipients.extend(more.filter(apart).map(|session| (session, Viewpoint::Observer)));
        }
        for (session, viewpoint) in recipients {
            if effect.event_for(session).is_none() {
                continue;
            }
            match viewpoint {
                Viewpoint::Actor => self.tell(telling, session, viewpoint, event),
                Viewpoint::Observer => {
                    self.tell_follower(telling, session, holder, changes);
                }
            }
        }
    }

    fn tell_follower(
        &mut self,
        telling: &mut Telling<'_>,
        session: SessionId,
        holder: &Holder,
        changes: &MetadataChanges,
    ) {
        self.speak_irc(telling, session, |irc| irc.tell_metadata(holder, changes));
    }

    /// Who has come into which room, if there is metadata to tell of them.
    pub(super) fn newcomer_with_metadata(
        hub: &Hub,
        event: &Event,
    ) -> Option<(Arc<Identity>, Name)> {
        let (who, room) = match event {
            Event::Joined { who, room, .. } => (who, room.clone()),
            Event::Entered { who, .. } => (who, Name::lobby()),
            _ => return None,
        };
        let user = hub.user(who.session)?;
        (!hub.metadata_of(user).is_empty()).then(|| (Arc::clone(who), room))
    }

    /// Tells followers in a room of a newcomer's metadata, unless they know it from another room
    /// or monitor the newcomer.
    pub(super) fn introduce(&mut self, telling: &mut Telling<'_>, who: Arc<Identity>, room: &Name) {
        let hub = telling.hub;
        let Some(newcomer) = hub.user(who.session) else { return };
        let changes: MetadataChanges = (hub.metadata_of(newcomer).iter())
            .map(|(key, value)| (Arc::clone(key), Some(Arc::clone(value))))
            .collect();
        let elsewhere: Vec<Name> =
            newcomer.rooms().iter().filter(|other| *other != room).cloned().collect();
        let watchers: HashSet<&SessionId> = self.monitors.watchers(&who.nick).iter().collect();
        let strangers: Vec<SessionId> = hub
            .room_members(room.as_str())
            .filter(|member| *member != who.session && !watchers.contains(member))
            .filter(|member| elsewhere.is_empty() || !is_in(hub, *member, &elsewhere))
            .filter(|member| !hub.is_hushed_for(*member, newcomer, room))
            .collect();
        let holder = Holder::Person(who);
        for stranger in strangers {
            self.tell_follower(telling, stranger, &holder, &changes);
        }
    }
}

fn rooms_of(hub: &Hub, session: SessionId) -> &[Name] {
    hub.user(session).map_or(&[][..], |user| user.rooms())
}

fn is_in(hub: &Hub, session: SessionId, rooms: &[Name]) -> bool {
    rooms_of(hub, session).iter().any(|room| rooms.contains(room))
}
