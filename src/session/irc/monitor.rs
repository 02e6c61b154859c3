//! The nicks that each client watches with MONITOR, and the clients that watch each nick.

use crate::chat::{Event, Identity, Name, SessionId};
use indexmap::IndexMap;
use std::sync::Arc;

/// A watched nick came online or went offline: the client to notify, who it is, whether online.
pub type PresenceChange = (SessionId, Arc<Identity>, bool);

/// At most `settings::MONITORED` nicks per client.
#[derive(Default)]
pub struct MonitorList {
    watchers: IndexMap<Name, Vec<SessionId>>,
    watched: IndexMap<SessionId, Vec<Name>>,
}

impl MonitorList {
    /// The notifications that follow from an event. Forgets clients that left.
    pub fn observe(&mut self, event: &Event) -> Vec<PresenceChange> {
        match event {
            Event::Welcome { who, .. } => self.notify(who, true),
            Event::Left { who, .. } => {
                self.clear(who.session);
                self.notify(who, false)
            }
            Event::Renamed { who, before } if who.nick != before.nick => {
                [self.notify(before, false), self.notify(who, true)].concat()
            }
            _ => Vec::new(),
        }
    }

    fn notify(&self, who: &Arc<Identity>, online: bool) -> Vec<PresenceChange> {
        let watchers = self.watchers(&who.nick).iter();
        watchers.map(|watcher| (*watcher, Arc::clone(who), online)).collect()
    }

    pub(super) fn watched(&self, session: SessionId) -> &[Name] {
        self.watched.get(&session).map_or(&[], Vec::as_slice)
    }

    /// The clients that watch a nick.
    pub fn watchers(&self, nick: &Name) -> &[SessionId] {
        self.watchers.get(nick).map_or(&[], Vec::as_slice)
    }

    pub(super) fn add(&mut self, session: SessionId, nick: Name) {
        let list = self.watched.entry(session).or_default();
        if !list.contains(&nick) {
            list.push(nick.clone());
            self.watchers.entry(nick).or_default().push(session);
        }
    }

    pub(super) fn remove(&mut self, session: SessionId, nick: &Name) {
        if let Some(list) = self.watched.get_mut(&session) {
            list.retain(|other| other != nick);
            if list.is_empty() {
                self.watched.swap_remove(&session);
            }
        }
        if let Some(watchers) = self.watchers.get_mut(nick) {
            watchers.retain(|other| *other != session);
            if watchers.is_empty() {
                self.watchers.swap_remove(nick);
            }
        }
    }

    pub(super) fn clear(&mut self, session: SessionId) {
        for nick in self.watched.swap_remove(&session).unwrap_or_default() {
            self.remove(session, &nick);
        }
    }
}
