//! Events in rooms apart from messages: shown, hidden or folded.
//!
//! Joins, departures and absences in a room with many members are folded: they are collected, and
//! one line tells of them before the next message there. `/hide` changes that. A program
//! (`--json`) gets each by itself.

use super::IrcSession;
use super::folding::Hide;
use crate::client::display::{DisplayItem, Event};
use crate::wire::clean::clean;
use jiff::{SignedDuration, Timestamp};

/// Members above which a room's joins and departures are folded.
const MANY: usize = 20;
/// How long a folded line waits for a message at most, if the server sends anything.
const FOLDED: SignedDuration = SignedDuration::from_secs(300);

impl IrcSession {
    /// Something happened: shows it, or folds or hides it.
    pub(super) fn event(&mut self, event: Event) {
        let mine = self.is_me(&event.nick);
        if event.kind.is_presence() && self.connect_options.person && !mine {
            let everywhere = self.hide;
            let room = event.room.as_deref().and_then(|room| self.rooms.get(&self.server, room));
            let hide = room.as_ref().and_then(|room| room.hide).unwrap_or(everywhere);
            let many = room.as_ref().is_none_or(|room| room.named() > MANY);
            match (hide, room) {
                (Hide::On, _) => return,
                (Hide::Fold | Hide::Auto, Some(room)) if many || hide == Hide::Fold => {
                    return room.folded.add(event.kind, &event.nick, self.now);
                }
                _ => {}
            }
        }
        let text = |text: &str| clean(text.as_bytes()).into_owned();
        self.shown.push(DisplayItem::Event(Box::new(Event {
            nick: text(&event.nick),
            target: text(&event.target),
            text: text(&event.text),
            shown: text(&event.shown),
            ..event
        })));
    }

    /// Shows what was folded in a room: a message follows.
    pub(super) fn unfold(&mut self, name: &str) {
        let Some(room) = self.rooms.get(&self.server, name) else { return };
        if let Some(text) = room.folded.take() {
            let text = format!("in {}: {text}", room.name);
            self.show_text(text);
        }
    }

    /// Shows what has been folded for long.
    pub(super) fn unfold_old(&mut self) {
        let now = self.now;
        let old = |since: Timestamp| now.duration_since(since) > FOLDED;
        let rooms = self.rooms.all.iter().filter(|room| room.folded.since().is_some_and(old));
        let names: Vec<String> = rooms.map(|room| room.name.clone()).collect();
        names.iter().for_each(|name| self.unfold(name));
    }

    /// `/hide [#room] [on|off|fold|auto]`.
    pub(super) fn set_hide(&mut self, room: Option<&str>, hide: Option<&str>) {
        let place = room.map_or("all rooms".to_owned(), str::to_owned);
        let Some(hide) = hide else {
            let hide = self.hide;
            return self.show_text(format!("joins and departures: {}", hide.in_words()));
        };
        let Some(chosen) = Hide::named(hide) else {
            return self.fail(format!(
                "invalid setting \"{hide}\"; usage: /hide [#room] [on|off|fold|auto]"
            ));
        };
        match room.map(|room| self.rooms.get(&self.server, room)) {
            None => {
                self.hide = chosen;
                self.rooms.all.iter_mut().for_each(|room| room.hide = None);
            }
            Some(Some(room)) => room.hide = Some(chosen),
            Some(None) => return self.fail(format!("you are not in {place}")),
        }
        self.show_text(format!("joins and departures in {place}: {}", chosen.in_words()));
    }
}
