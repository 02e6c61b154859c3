//! Subscriptions to metadata keys, and what a client is sent because of them: METADATA SUB, UNSUB,
//! SUBS and SYNC; on joining a channel, for monitored users.
//!
//! Beyond the specifications, the members of a channel are sent a newcomer's metadata, as they are
//! told that a newcomer is away: nothing else would tell them.
//!
//! Bounds: [`SUBSCRIPTIONS`] keys per client; a synchronization comes in pages. That on joining a channel
//! of more than [`SYNC_AT_JOIN`] members is postponed (774), lest a crowd that joins is sent everything
//! about everyone at once.

use super::metadata_lines::{announce, announce_some, batch, invalid_key, name};
use super::metadata_sync::{Sync, of_person};
use super::settings::SUBSCRIPTIONS;
use super::{Context, ReplyWriter, Session};
use crate::chat::{Holder, Metadata, MetadataChanges, Room, User, is_metadata_key};
use crate::wire::irc::{MAX_BODY, Numeric, numeric};

/// Members of a channel whose metadata is sent to a client that joins.
const SYNC_AT_JOIN: usize = 100;
/// Seconds after which a client that has joined a large channel may ask.
const SOON: &str = "4";
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
/// `*ALL`: the client is sent the values.
fn tell_of_new(context: &mut Context<'_, '_>, new: &[String]) {
    if !context.session.caps.metadata_2() {
        return sync_later(&mut context.reply(), ALL, "0");
    }
    context.answer(Sync::new(new, None, None));
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

/// `METADATA #channel SYNC`.
pub(super) fn sync_room(context: &mut Context<'_, '_>, room: &Room) {
    let keys = &context.session.subscriptions;
    context.answer(Sync::new(keys, Some(&room.name), Some(room.name.as_str())));
}

/// `METADATA *ALL SYNC`.
pub(super) fn sync_all(context: &mut Context<'_, '_>) {
    context.answer(Sync::new(&context.session.subscriptions, None, Some(ALL)));
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

impl Context<'_, '_> {
    /// Sends the subscribed keys among `changes`, if it is sent any.
    pub fn tell_metadata(&mut self, holder: &Holder, changes: &MetadataChanges) {
        let Context { session, view, out, .. } = self;
        let followed = |key: &str| session.subscriptions.iter().any(|known| known == key);
        let mut reply = session.reply(view, out);
        let told = changes.iter().filter(|(key, _)| session.follows_metadata() && followed(key));
        for (key, value) in told {
            announce(&mut reply, name(holder), key, value.as_deref());
        }
    }

    /// The subscribed keys of a monitored user who is online.
    pub(super) fn tell_watched_metadata(&mut self, user: &User) {
        if self.session.caps.metadata() {
            let (nick, metadata) = of_person(self.view.hub, user);
            self.sync(nick, metadata);
        }
    }

    /// All subscribed keys of one user.
    pub(super) fn sync(&mut self, name: &str, metadata: &Metadata) {
        let Context { session, view, out, .. } = self;
        batch(&mut session.reply(view, out), &["metadata", name], |reply| {
            announce_some(reply, name, metadata, &session.subscriptions);
        });
    }
}

impl Session {
    /// Whether it is sent changes of metadata at all.
    pub(super) fn follows_metadata(&self) -> bool {
        !self.subscriptions.is_empty() && self.caps.metadata()
    }

    /// The capabilities have changed: without metadata there are no subscriptions.
    pub(super) fn keep_subscriptions_if_aware(&mut self) {
        if !self.caps.metadata() {
            self.subscriptions.clear();
        }
    }
}
