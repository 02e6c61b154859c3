//! What is remembered of everyone: who was here before (WHOWAS), who watches for whom (MONITOR).
//!
//! Bounds: [`GONE`] of those who left; [`MONITORED`](super::settings::MONITORED) nicks for each
//! who watches.

use crate::chat::{Event, Identity, Moment, Name, SessionId};
use indexmap::IndexMap;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many of those who left are remembered.
const GONE: usize = 1_000;

/// Somebody who had a nick.
pub(super) struct Gone {
    pub(super) who: Arc<Identity>,
    pub(super) when: Moment,
}

/// The memory of the dialect.
#[derive(Default)]
pub struct Desk {
    gone: VecDeque<Gone>,
    watchers: IndexMap<Name, Vec<SessionId>>,
    watched: IndexMap<SessionId, Vec<Name>>,
    unknown: usize,
    most: usize,
}

impl Desk {
    /// Somebody stands before the door.
    pub fn arrived(&mut self) {
        self.unknown += 1;
    }

    /// Somebody has gone in, or away.
    pub fn no_longer_outside(&mut self) {
        self.unknown = self.unknown.saturating_sub(1);
    }

    pub(super) fn unknown(&self) -> usize {
        self.unknown
    }

    /// The most that were online at a time, now included.
    pub(super) fn most_online(&mut self, now: usize) -> usize {
        self.most = self.most.max(now);
        self.most
    }

    /// Takes note of an event, and says who is to be told that a nick is there or gone.
    pub fn observe(&mut self, event: &Event, now: Moment) -> Vec<(SessionId, Arc<Identity>, bool)> {
        let mut news = Vec::new();
        match event {
            Event::Welcome { who, online } => {
                self.most_online(*online);
                self.tell_watchers(who, true, &mut news);
            }
            Event::Left { who, .. } => {
                self.forget(who.session);
                self.remember(who, now);
                self.tell_watchers(who, false, &mut news);
            }
            Event::Renamed { who, before } if who.nick != before.nick => {
                self.remember(before, now);
                self.tell_watchers(before, false, &mut news);
                self.tell_watchers(who, true, &mut news);
            }
            _ => {}
        }
        news
    }

    fn remember(&mut self, who: &Arc<Identity>, when: Moment) {
        if self.gone.len() == GONE {
            self.gone.pop_front();
        }
        self.gone.push_back(Gone { who: Arc::clone(who), when });
    }

    fn tell_watchers(
        &self,
        who: &Arc<Identity>,
        there: bool,
        news: &mut Vec<(SessionId, Arc<Identity>, bool)>,
    ) {
        if let Some(watchers) = self.watchers.get(&who.nick) {
            news.extend(watchers.iter().map(|watcher| (*watcher, Arc::clone(who), there)));
        }
    }

    /// Those who had a nick, the last one first.
    pub(super) fn gone(&self, nick: &str) -> impl Iterator<Item = &Gone> {
        let nick = Name::new(nick);
        self.gone.iter().rev().filter(move |gone| gone.who.nick == nick)
    }

    /// The nicks that a session watches for.
    pub fn watched(&self, session: SessionId) -> &[Name] {
        self.watched.get(&session).map_or(&[], Vec::as_slice)
    }

    /// Who watches for a nick.
    pub fn watchers(&self, nick: &Name) -> &[SessionId] {
        self.watchers.get(nick).map_or(&[], Vec::as_slice)
    }

    pub(super) fn watch(&mut self, session: SessionId, nick: Name) {
        let list = self.watched.entry(session).or_default();
        if !list.contains(&nick) {
            list.push(nick.clone());
            self.watchers.entry(nick).or_default().push(session);
        }
    }

    pub(super) fn unwatch(&mut self, session: SessionId, nick: &Name) {
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

    /// A session watches for nobody any more.
    pub(super) fn forget(&mut self, session: SessionId) {
        for nick in self.watched.swap_remove(&session).unwrap_or_default() {
            self.unwatch(session, &nick);
        }
    }
}
