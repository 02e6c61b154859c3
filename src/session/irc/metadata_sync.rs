//! All metadata at once that a client subscribes to, of a channel and its members or of everything
//! that it may be sent: page by page, and one batch, because a client takes what is missing in a batch
//! for removed.

use super::metadata_lines::announce_some;
use super::session::Answer;
use super::{Context, View};
use crate::chat::{Hub, Metadata, Name, SessionId, User, Walk};
use std::collections::BTreeSet;

/// A synchronization, and how far it has come.
pub(super) struct Sync {
    keys: Vec<String>,
    /// The channel; `None` is everything.
    room: Option<Name>,
    /// What the batch is called after; without one the lines stand alone.
    batch: Option<String>,
    begun: bool,
    rooms: Walk<Name>,
    people: Walk<SessionId>,
}

impl Sync {
    /// Of a channel, or of everything.
    pub(super) fn new(keys: &[String], room: Option<&Name>, batch: Option<&str>) -> Sync {
        Sync {
            keys: keys.to_vec(),
            room: room.cloned(),
            batch: batch.map(str::to_owned),
            begun: false,
            rooms: Walk::default(),
            people: Walk::default(),
        }
    }

    /// Who or what is next, unless it has gone meanwhile; `None` at the end.
    fn next<'v>(&mut self, context: &Context<'_, 'v>) -> Option<Option<(&'v str, &'v Metadata)>> {
        let (hub, asker) = (context.view.hub, context.user()?);
        if self.keys.is_empty() {
            return None;
        }
        let visible =
            |name: &Name| hub.room(name.as_str()).filter(|room| hub.may_read_metadata(asker, room));
        let rooms = || match &self.room {
            Some(name) => vec![name.clone()],
            None => asker.rooms().to_vec(),
        };
        if let Some(name) = self.rooms.next(rooms) {
            return Some(visible(&name).map(|room| (room.name.as_str(), room.metadata())));
        }
        let Some(name) = &self.room else {
            let session = self.people.next(|| everyone(context.view, asker))?;
            return Some(hub.user(session).map(|user| of_person(hub, user)));
        };
        let room = visible(name)?;
        let session = self.people.next(|| room.sessions())?;
        let me = context.view.me;
        // Without those that the client ignores or that are silenced.
        let heard = |user: &&User| {
            room.member(session).is_some()
                && (session == me || !hub.is_hushed_for(me, user, &room.name))
        };
        Some(hub.user(session).filter(heard).map(|user| of_person(hub, user)))
    }
}

/// The client itself, the members of its channels, the users it monitors.
fn everyone(view: &View<'_>, asker: &User) -> BTreeSet<SessionId> {
    let hub = view.hub;
    let members = asker.rooms().iter().flat_map(|name| hub.room_members(name.as_str()));
    let watched = view.monitors.watched(view.me).iter();
    let watched = watched.filter_map(|nick| hub.session_of(nick.as_str()));
    members.chain(watched).chain([view.me]).collect()
}

pub(super) fn of_person<'h>(hub: &'h Hub, user: &'h User) -> (&'h str, &'h Metadata) {
    (user.identity.nick.as_str(), hub.metadata_of(user))
}

impl Answer for Sync {
    fn step(&mut self, context: &mut Context<'_, '_>) -> bool {
        let first = !std::mem::replace(&mut self.begun, true);
        let next = self.next(context);
        let (more, keys) = (next.is_some(), &self.keys);
        let mut reply = context.reply();
        let lines = |reply: &mut super::ReplyWriter<'_>| {
            if let Some((target, metadata)) = next.flatten() {
                announce_some(reply, target, metadata, keys);
            }
        };
        match &self.batch {
            Some(name) => {
                reply.page_of_batch(("metadata", &["metadata", name]), (first, !more), lines);
            }
            None => lines(&mut reply),
        }
        more
    }
}
