//! Subscriptions to metadata keys, and what a client is sent because of them: METADATA SUB, UNSUB,
//! SUBS and SYNC; on joining a channel, for monitored users.
//!
//! Beyond the specifications, the members of a channel are sent a newcomer's metadata, as they are
//! told that a newcomer is away: nothing else would tell them.
//!
//! Bounds: [`SUBSCRIPTIONS`] keys per client and [`SYNC_BYTES`] per synchronization. A larger one is
//! postponed (774) rather than sent in parts, because a client takes what is missing in a batch for
//! removed. So is that on joining a channel of more than [`SYNC_AT_JOIN`] members, lest a crowd that
//! joins is sent everything about everyone at once.

use super::metadata_lines::{announce, batch, invalid_key, name};
use super::settings::SUBSCRIPTIONS;
use super::{Context, Replies, ReplyWriter, Session, View};
use crate::chat::{Holder, Hub, Metadata, MetadataChanges, Room, SessionId, User, is_metadata_key};
use crate::wire::irc::{MAX_BODY, Numeric, numeric};
use std::collections::HashSet;

/// Members of a channel whose metadata is sent to a client that joins.
const SYNC_AT_JOIN: usize = 100;
/// Bytes of one synchronization: far below the limit of a send queue.
const SYNC_BYTES: usize = 512 * 1024;
/// Bytes of a line beyond target, key and value, roughly.
const LINE: usize = 64;
/// Seconds after which a client that has joined a large channel may ask.
const SOON: &str = "4";
/// Seconds after which a client may ask again for what was too much.
const LATER: &str = "60";
/// The target that means everything the client may see.
pub(super) const ALL: &str = "*ALL";

/// `METADATA * SUB key …`: in the order of the keys, until there are too many.
pub(super) fn subscribe(context: &mut Context<'_, '_>, keys: &[&str]) {
    let mut taken: Vec<&str> = Vec::new();
    let mut new: Vec<String> = Vec::new();
    let mut invalid = Vec::new();
    let mut excess = None;
    for key in keys {
        if !is_metadata_key(key) {
            invalid.push(*key);
            continue;
        }
        let subscriptions = &mut context.session.subscriptions;
        if !subscriptions.iter().any(|known| known == key) {
            if subscriptions.len() >= SUBSCRIPTIONS {
                excess = Some(*key);
                break;
            }
            subscriptions.push((*key).to_owned());
            new.push((*key).to_owned());
        }
        if !taken.contains(key) {
            taken.push(key);
        }
    }
    let mut reply = context.reply();
    several(&mut reply, numeric::RPL_METADATASUBOK, &taken);
    for key in invalid {
        invalid_key(&mut reply, key);
    }
    if let Some(key) = excess {
        let text = "Too many subscriptions";
        if reply.caps.metadata_2() {
            reply.fail("METADATA", "TOO_MANY_SUBS", &[key], text);
        } else {
            let most = SUBSCRIPTIONS.to_string();
            reply.fail("METADATA", "LIMIT_REACHED", &[key, &most], text);
        }
    }
    if !new.is_empty() && context.session.is_registered() && context.session.caps.metadata() {
        tell_of_new(context, &new);
    }
}

/// After a subscription a client of version 3 is told to synchronize when it likes. Version 2 has no
/// `*ALL`: the client is sent the values, or told to synchronize its channels.
fn tell_of_new(context: &mut Context<'_, '_>, new: &[String]) {
    if !context.session.caps.metadata_2() {
        return sync_later(&mut context.reply(), ALL, "0");
    }
    let values = collect(new, visible(context));
    let rooms = context.user().map_or(&[][..], |user| user.rooms());
    let mut reply = context.reply();
    match values {
        Some(values) => {
            for (target, key, value) in values {
                announce(&mut reply, target, key, Some(value));
            }
        }
        None => rooms.iter().for_each(|room| sync_later(&mut reply, room.as_str(), SOON)),
    }
}

/// `METADATA * UNSUB key …`.
pub(super) fn unsubscribe(context: &mut Context<'_, '_>, keys: &[&str]) {
    let (valid, invalid): (Vec<&str>, Vec<&str>) =
        keys.iter().partition(|key| is_metadata_key(key));
    context.session.subscriptions.retain(|known| !valid.contains(&known.as_str()));
    let mut reply = context.reply();
    several(&mut reply, numeric::RPL_METADATAUNSUBOK, &valid);
    for key in invalid {
        invalid_key(&mut reply, key);
    }
}

/// `METADATA * SUBS`.
pub(super) fn list(context: &mut Context<'_, '_>) {
    let subscriptions = context.session.subscriptions.clone();
    let keys: Vec<&str> = subscriptions.iter().map(String::as_str).collect();
    batch(&mut context.reply(), &["metadata-subs"], |reply| {
        several(reply, numeric::RPL_METADATASUBS, &keys);
    });
}

/// Keys as separate parameters, in as many lines as it takes.
fn several(reply: &mut ReplyWriter<'_>, numeric: Numeric, keys: &[&str]) {
    // With the nick, as many parameters as RFC 1459 allows.
    const MOST: usize = 14;
    let head = reply.server.len() + reply.nick.as_str().len() + 12;
    let mut line: Vec<&str> = Vec::new();
    let mut length = head;
    for key in keys {
        if line.len() == MOST || length + key.len() + 1 > MAX_BODY {
            reply.numeric(numeric, &line);
            line.clear();
            length = head;
        }
        length += key.len() + 1;
        line.push(key);
    }
    if !line.is_empty() {
        reply.numeric(numeric, &line);
    }
}

/// Everything the client may be sent: its channels and their members, the users it monitors, itself.
fn visible<'v>(context: &Context<'_, 'v>) -> Vec<(&'v str, &'v Metadata)> {
    let hub = context.view.hub;
    let Some(user) = context.user() else { return Vec::new() };
    let rooms = user.rooms().iter().filter_map(|name| hub.room(name.as_str()));
    let mut seen: HashSet<SessionId> = HashSet::from([context.view.me]);
    let mut all = vec![of_person(hub, user)];
    for room in rooms {
        all.push((room.name.as_str(), room.metadata()));
        let members = room.sessions().filter(|session| seen.insert(*session));
        all.extend(members.filter_map(|member| hub.user(member)).map(|it| of_person(hub, it)));
    }
    let watched = context.view.monitors.watched(context.view.me).iter();
    let watched = watched.filter_map(|nick| hub.session_of(nick.as_str()));
    let watched: Vec<SessionId> = watched.filter(|session| seen.insert(*session)).collect();
    all.extend(watched.into_iter().filter_map(|it| hub.user(it)).map(|it| of_person(hub, it)));
    all
}

fn of_person<'h>(hub: &'h Hub, user: &'h User) -> (&'h str, &'h Metadata) {
    (user.identity.nick.as_str(), hub.metadata_of(user))
}

/// A channel and its members, without those that the client does not want to hear or that are
/// silenced.
fn inside<'h>(
    hub: &'h Hub,
    room: &'h Room,
    me: SessionId,
) -> impl Iterator<Item = (&'h str, &'h Metadata)> {
    let members = room.sessions().filter_map(|session| hub.user(session));
    let members = members.filter(|user| !hub.metadata_of(user).is_empty());
    let hushed =
        move |user: &User| user.identity.session != me && hub.is_hushed_for(me, user, &room.name);
    let members = members.filter(move |user| !hushed(user)).map(|user| of_person(hub, user));
    std::iter::once((room.name.as_str(), room.metadata())).chain(members)
}

/// Target, key and value of all subscribed keys; `None` if that is too much.
fn collect<'h>(
    keys: &[String],
    targets: impl IntoIterator<Item = (&'h str, &'h Metadata)>,
) -> Option<Vec<(&'h str, &'h str, &'h str)>> {
    let mut found = Vec::new();
    let mut bytes = 0;
    if keys.is_empty() {
        return Some(found);
    }
    for (target, metadata) in targets {
        for (key, value) in metadata {
            if keys.iter().any(|followed| **followed == **key) {
                bytes += target.len() + key.len() + value.len() + LINE;
                if bytes > SYNC_BYTES {
                    return None;
                }
                found.push((target, &**key, &**value));
            }
        }
    }
    Some(found)
}

/// Sends all subscribed keys of `targets`, or that it is too much now.
pub(super) fn sync<'h>(
    context: &mut Context<'_, '_>,
    name: &str,
    targets: impl IntoIterator<Item = (&'h str, &'h Metadata)>,
) {
    let (session, view) = (&*context.session, &*context.view);
    session.sync(name, targets, &mut session.reply(view, context.out));
}

/// `METADATA #channel SYNC`.
pub(super) fn sync_room(context: &mut Context<'_, '_>, room: &Room) {
    let hub = context.view.hub;
    let me = context.view.me;
    sync(context, room.name.as_str(), inside(hub, room, me));
}

/// `METADATA *ALL SYNC`.
pub(super) fn sync_all(context: &mut Context<'_, '_>) {
    let targets = visible(context);
    sync(context, ALL, targets);
}

fn sync_later(reply: &mut ReplyWriter<'_>, target: &str, seconds: &str) {
    let words = [target, seconds];
    if reply.caps.metadata_2() {
        return reply.numeric(numeric::RPL_METADATASYNCLATER, &words);
    }
    let text = "Please synchronize metadata later";
    reply.numeric_text(numeric::RPL_METADATASYNCLATER, &words, text);
}

/// The metadata of a channel that the client has joined.
pub(super) fn tell_joined(context: &mut Context<'_, '_>, room: &Room) {
    if !context.session.caps.metadata() {
        return;
    }
    if room.sessions().len() > SYNC_AT_JOIN && context.session.follows_metadata() {
        return sync_later(&mut context.reply(), room.name.as_str(), SOON);
    }
    sync_room(context, room);
}

/// A client's own metadata when it registers: all of it, subscribed or not.
pub(super) fn tell_own(context: &mut Context<'_, '_>) {
    if !context.session.caps.metadata() {
        return;
    }
    let Some(user) = context.user() else { return };
    let (nick, metadata) = of_person(context.view.hub, user);
    batch(&mut context.reply(), &["metadata", nick], |reply| {
        for (key, value) in metadata {
            announce(reply, nick, key, Some(value));
        }
    });
}

impl Session {
    /// Whether it is sent changes of metadata at all.
    pub fn follows_metadata(&self) -> bool {
        !self.subscriptions.is_empty() && self.caps.metadata()
    }

    /// Sends the subscribed keys among `changes`.
    pub fn tell_metadata(
        &self,
        holder: &Holder,
        changes: &MetadataChanges,
        view: &View<'_>,
        out: &mut Replies,
    ) {
        let followed = |key: &str| self.subscriptions.iter().any(|known| known == key);
        let mut reply = self.reply(view, out);
        for (key, value) in changes.iter().filter(|(key, _)| followed(key)) {
            announce(&mut reply, name(holder), key, value.as_deref());
        }
    }

    /// The subscribed keys of a monitored user who is online.
    pub(super) fn tell_watched_metadata(
        &self,
        user: &User,
        hub: &Hub,
        reply: &mut ReplyWriter<'_>,
    ) {
        if self.caps.metadata() {
            let own = of_person(hub, user);
            self.sync(own.0, std::iter::once(own), reply);
        }
    }

    fn sync<'h>(
        &self,
        name: &str,
        targets: impl IntoIterator<Item = (&'h str, &'h Metadata)>,
        reply: &mut ReplyWriter<'_>,
    ) {
        let Some(values) = collect(&self.subscriptions, targets) else {
            return sync_later(reply, name, LATER);
        };
        batch(reply, &["metadata", name], |reply| {
            for (target, key, value) in values {
                announce(reply, target, key, Some(value));
            }
        });
    }

    /// The capabilities have changed: without metadata there are no subscriptions.
    pub(super) fn keep_subscriptions_if_aware(&mut self) {
        if !self.caps.metadata() {
            self.subscriptions.clear();
        }
    }
}
