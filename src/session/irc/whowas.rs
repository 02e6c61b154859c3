//! The last users of each nick, for WHOWAS.

use crate::chat::work::{self, ROW};
use crate::chat::{Event, Identity, Moment, Name};
use std::collections::VecDeque;
use std::sync::Arc;

/// Former users that one answer shows.
pub(super) const SHOWN: usize = 50;

/// Entries kept, over all nicks: the oldest makes room.
const CAPACITY: usize = 1_000;

pub(super) struct FormerUser {
    pub(super) who: Arc<Identity>,
    pub(super) when: Moment,
}

/// Bounded over all nicks together.
#[derive(Default)]
pub struct Whowas {
    former: VecDeque<FormerUser>,
}

impl Whowas {
    /// Records who gave up a nick, by leaving or by taking another one.
    pub fn observe(&mut self, event: &Event, when: Moment) {
        let who = match event {
            Event::Left { who, .. } => who,
            Event::Renamed { who, before } if who.nick != before.nick => before,
            _ => return,
        };
        if self.former.len() == CAPACITY {
            self.former.pop_front();
        }
        self.former.push_back(FormerUser { who: Arc::clone(who), when });
    }

    /// The former users of a nick, most recent first.
    pub(super) fn find(&self, nick: &str) -> impl Iterator<Item = &FormerUser> {
        work::charge(ROW.times(self.former.len()));
        let nick = Name::new(nick);
        self.former.iter().rev().filter(move |former| former.who.nick == nick)
    }
}
