//! What is said of people and channels for programs to read: METADATA. IRCv3 draft/metadata-2, and
//! draft/metadata-3, which its authors propose in its place.
//!
//! The two differ in how a change is told (`METADATA` or 761 and 766), in the codes of failures,
//! and in what follows a subscription. Version 3 also tells everyone in a channel about a newcomer;
//! so do we, in both.
//!
//! Bounds: [`SUBSCRIPTIONS`] keys that a client follows; [`SYNC_BYTES`] of one synchronization:
//! what is more is not synchronized as a whole (774), for a client takes what is missing from a
//! batch for removed; joining a channel of more than [`SYNC_AT_JOIN`] members is answered with 774,
//! so that a crowd that joins does not read everything of everyone at once.
//!
//! Deliberately absent: RATE_LIMITED, because `--flood-limit` slows a client down as a whole; and
//! keys that not all may see, so that the visibility is always `*`.

use super::pen::Pen;
use super::{Caps, Context, Session, View, commands};
use crate::chat::{
    Command, Holder, Hub, Metadata, MetadataChanges, Refusal, Room, SessionId, User,
    is_metadata_key, limits, set_metadata,
};
use crate::wire::irc::{MAX_BODY, Message, numeric};
use std::collections::HashSet;
use std::sync::Arc;

/// Keys that one client may follow.
const SUBSCRIPTIONS: usize = 50;
/// Members of a channel whose metadata are sent with the answer to JOIN.
const SYNC_AT_JOIN: usize = 100;
/// Bytes of keys and values in one synchronization: far below what an outbox may hold.
const SYNC_BYTES: usize = 512 * 1024;
/// What a key and a value are on the line beyond their own bytes, at least.
const LINE: usize = 64;
/// Seconds after which a client that has joined a big channel may ask.
const SOON: &str = "4";
/// Seconds after which a client may ask again for what is too much.
const LATER: &str = "60";
/// The target of a synchronization that means everything the client may hear of.
const ALL: &str = "*ALL";

/// What the capability announces.
pub(super) fn announced() -> String {
    format!(
        "before-connect,max-subs={SUBSCRIPTIONS},max-keys={},max-key-bytes={},max-value-bytes={}",
        limits::METADATA_KEYS,
        limits::METADATA_KEY_LENGTH,
        limits::METADATA_VALUE_LENGTH
    )
}

/// Whether a client with these capabilities is told of metadata.
pub(super) fn is_aware(caps: Caps) -> bool {
    caps.has(Caps::BATCH) && (caps.has(Caps::METADATA_2) || caps.has(Caps::METADATA_3))
}

fn speaks_version_2(caps: Caps) -> bool {
    caps.has(Caps::METADATA_2)
}

/// Whether the two versions are asked for at a time, which neither allows.
pub(super) fn contradicts(caps: Caps) -> bool {
    caps.has(Caps::METADATA_2) && caps.has(Caps::METADATA_3)
}

/// `METADATA target subcommand [parameter …]`.
pub(super) fn metadata(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [target, subcommand, words @ ..] = message.parameters.as_slice() else {
        return bad_parameters(context, "*", "Not enough parameters");
    };
    let upper = subcommand.to_ascii_uppercase();
    // A line has fifteen parameters at most, and the last of them may be several keys.
    let keys: Vec<&str> = words.iter().flat_map(|word| word.split_ascii_whitespace()).collect();
    let lacks = matches!(upper.as_str(), "GET" | "SET" | "SUB" | "UNSUB") && keys.is_empty();
    let own = context.session.nick(context.view);
    let about_self = *target == "*" || (context.session.is_in() && own == **target);
    match upper.as_str() {
        _ if lacks => bad_parameters(context, &upper, "Not enough parameters"),
        "SUB" | "UNSUB" | "SUBS" if !about_self => invalid_target(context, target),
        "SUB" => subscribe(context, &keys),
        "UNSUB" => unsubscribe(context, &keys),
        "SUBS" => list_subscriptions(context),
        "GET" | "LIST" | "SET" | "CLEAR" | "SYNC" if !context.session.is_in() => {
            before_connect(context, target, &upper, words);
        }
        "SET" | "CLEAR" => {
            let target = if *target == "*" { own.as_str() } else { *target };
            change(context, target, &upper, words);
        }
        "SYNC" if target.eq_ignore_ascii_case(ALL) => sync_all(context),
        "GET" | "LIST" | "SYNC" => read(context, target, &upper, &keys),
        _ if speaks_version_2(context.session.caps) => {
            fail(context, "SUBCOMMAND_INVALID", &[subcommand], "Invalid subcommand");
        }
        _ => bad_parameters(context, subcommand, "Unknown subcommand"),
    }
}

fn fail(context: &mut Context<'_, '_>, code: &str, words: &[&str], text: &str) {
    context.pen().fail("METADATA", code, words, text);
}

fn bad_parameters(context: &mut Context<'_, '_>, subcommand: &str, text: &str) {
    if speaks_version_2(context.session.caps) {
        return commands::need_more(context);
    }
    fail(context, "INVALID_PARAMS", &[subcommand], text);
}

fn invalid_target(context: &mut Context<'_, '_>, target: &str) {
    fail(context, "INVALID_TARGET", &[target], "Invalid metadata target");
}

/// A key that is none, among others that may be: version 3 warns, version 2 knows failures alone.
fn invalid_key(pen: &mut Pen<'_>, key: &str) {
    let text = "Invalid key";
    if speaks_version_2(pen.caps) {
        return pen.fail("METADATA", "KEY_INVALID", &[key], text);
    }
    pen.line("WARN", &["METADATA", "INVALID_KEY", key], Some(text));
}

/// Sets or clears; [`answer`] tells what came of it.
fn change(context: &mut Context<'_, '_>, target: &str, subcommand: &str, words: &[&str]) {
    let key = if subcommand == "SET" { words.first().copied().unwrap_or_default() } else { "*" };
    let subject = [subcommand, target, key].map(str::to_owned);
    context.session.subject = Some(Box::new(subject));
    if subcommand == "CLEAR" {
        return context.run(Command::ClearMetadata(target.into()));
    }
    let value = words.get(1).copied().filter(|value| !value.is_empty());
    if value.is_none()
        && speaks_version_2(context.session.caps)
        && let Ok(found) = find(context, target)
        && !found.metadata.contains_key(key)
        && is_metadata_key(key)
    {
        return fail(context, "KEY_NOT_SET", &[target, key], "Key not set");
    }
    context.run(Command::SetMetadata(target.into(), key.into(), value.map(Into::into)));
}

/// The answer to SET and CLEAR.
pub(super) fn answer(context: &mut Context<'_, '_>, holder: &Holder, changes: &MetadataChanges) {
    let subject = context.session.subject.take().unwrap_or_default();
    let clears = subject.first().is_some_and(|subcommand| subcommand == "CLEAR");
    let target = name(holder);
    let write = |pen: &mut Pen<'_>| {
        for (key, value) in changes {
            reply(pen, target, key, value.as_deref());
        }
    };
    let mut pen = context.pen();
    if clears { batch(&mut pen, &["metadata", target], write) } else { write(&mut pen) }
}

/// Why something could not be set or cleared.
pub(super) fn refused(subject: &[String], refusal: &Refusal, pen: &mut Pen<'_>) {
    let [_, target, key] = subject else { return };
    let (target, key) = (target.as_str(), key.as_str());
    let second = speaks_version_2(pen.caps);
    let text = crate::session::plain::refusal(refusal);
    let limit;
    let (code, words): (&str, Vec<&str>) = match refusal {
        Refusal::NoSuchRoom(_) | Refusal::NoSuchNick(_) => ("INVALID_TARGET", vec![target]),
        Refusal::BadMetadataKey(_) if second => ("KEY_INVALID", vec![key]),
        Refusal::BadMetadataKey(_) => ("INVALID_KEY", vec![key]),
        Refusal::TooLong(..) if second => ("VALUE_INVALID", vec![]),
        Refusal::TooLong(..) => ("INVALID_VALUE", vec![key]),
        Refusal::TooMuchMetadata(_) if second => ("LIMIT_REACHED", vec![target]),
        Refusal::TooMuchMetadata(most) => {
            limit = most.to_string();
            ("LIMIT_REACHED", vec![target, &limit])
        }
        _ => ("KEY_NO_PERMISSION", vec![target, key]),
    };
    pen.fail("METADATA", code, &words, &text);
}

/// Something that has metadata, and may be read.
struct Found<'v> {
    name: &'v str,
    metadata: &'v Metadata,
    room: Option<&'v Room>,
}

/// Why it may not.
enum Hidden {
    NotThere,
    Forbidden,
}

fn find<'v>(context: &Context<'_, 'v>, target: &str) -> Result<Found<'v>, Hidden> {
    let hub = context.view.hub;
    let asker = context.user().ok_or(Hidden::NotThere)?;
    if target.starts_with('#') {
        let room = super::channel::visible(context, target).ok_or(Hidden::NotThere)?;
        if !hub.may_read_metadata(asker, room) {
            return Err(Hidden::Forbidden);
        }
        let (name, metadata) = (room.name.as_str(), room.metadata());
        return Ok(Found { name, metadata, room: Some(room) });
    }
    let user = match target {
        "*" => Some(asker),
        nick => hub.session_of(nick).and_then(|session| hub.user(session)),
    };
    let user = user.ok_or(Hidden::NotThere)?;
    let (name, metadata) = (user.identity.nick.as_str(), hub.metadata_of(user));
    Ok(Found { name, metadata, room: None })
}

/// GET, LIST and SYNC.
fn read(context: &mut Context<'_, '_>, target: &str, subcommand: &str, keys: &[&str]) {
    let found = match find(context, target) {
        Ok(found) => found,
        Err(Hidden::NotThere) => return invalid_target(context, target),
        Err(Hidden::Forbidden) => {
            let text = "What is said of a channel is for its members";
            return fail(context, "KEY_NO_PERMISSION", &[target, "*"], text);
        }
    };
    let hub = context.view.hub;
    if subcommand == "SYNC" {
        let subscriptions = std::mem::take(&mut context.session.subscriptions);
        let mut pen = context.pen();
        match found.room {
            Some(room) => sync(&mut pen, &subscriptions, found.name, inside(hub, room)),
            None => {
                let own = std::iter::once((found.name, found.metadata));
                sync(&mut pen, &subscriptions, found.name, own);
            }
        }
        context.session.subscriptions = subscriptions;
        return;
    }
    batch(&mut context.pen(), &["metadata", found.name], |pen| {
        if subcommand == "LIST" {
            return list(pen, found.name, found.metadata);
        }
        for key in keys {
            get(pen, found.name, found.metadata, key);
        }
    });
}

fn list(pen: &mut Pen<'_>, target: &str, metadata: &Metadata) {
    for (key, value) in metadata {
        reply(pen, target, key, Some(value));
    }
}

fn get(pen: &mut Pen<'_>, target: &str, metadata: &Metadata, key: &str) {
    match is_metadata_key(key) {
        true => reply(pen, target, key, metadata.get(key).map(|value| &**value)),
        false => invalid_key(pen, key),
    }
}

/// Before it is in, a client can speak of itself alone; what it sets goes in with it.
fn before_connect(context: &mut Context<'_, '_>, target: &str, subcommand: &str, words: &[&str]) {
    if target != "*" {
        return invalid_target(context, target);
    }
    let Some(door) = &mut context.session.door else { return };
    if subcommand != "SET" {
        let metadata = match subcommand {
            "CLEAR" => std::mem::take(&mut door.metadata),
            _ => door.metadata.clone(),
        };
        return batch(&mut context.pen(), &["metadata", "*"], |pen| match subcommand {
            "GET" => words.iter().for_each(|key| get(pen, "*", &metadata, key)),
            "LIST" => list(pen, "*", &metadata),
            "CLEAR" => metadata.keys().for_each(|key| reply(pen, "*", key, None)),
            // Nothing that others say can be seen from here.
            _ => {}
        });
    }
    let key = words.first().copied().unwrap_or_default();
    let value = words.get(1).copied().filter(|value| !value.is_empty());
    let (shared, text): (Arc<str>, Option<Arc<str>>) = (key.into(), value.map(Into::into));
    let set = set_metadata(&mut door.metadata, &shared, text.as_ref());
    let mut pen = context.pen();
    match set {
        Ok(()) => reply(&mut pen, "*", key, value),
        Err(refusal) => {
            refused(&["SET", "*", key].map(str::to_owned), &refusal, &mut pen);
        }
    }
}

fn subscribe(context: &mut Context<'_, '_>, keys: &[&str]) {
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
    let mut pen = context.pen();
    several(&mut pen, numeric::RPL_METADATASUBOK, &taken);
    for key in invalid {
        invalid_key(&mut pen, key);
    }
    if let Some(key) = excess {
        let text = "Too many subscriptions";
        if speaks_version_2(pen.caps) {
            pen.fail("METADATA", "TOO_MANY_SUBS", &[key], text);
        } else {
            let most = SUBSCRIPTIONS.to_string();
            pen.fail("METADATA", "LIMIT_REACHED", &[key, &most], text);
        }
    }
    if !new.is_empty() && context.session.is_in() && is_aware(context.session.caps) {
        tell_of_new(context, &new);
    }
}

/// After a subscription a client of version 3 is told to synchronize when it likes; one of version
/// 2, which does not know of `*ALL`, is told the values, or to synchronize its channels.
fn tell_of_new(context: &mut Context<'_, '_>, new: &[String]) {
    if !speaks_version_2(context.session.caps) {
        return sync_later(&mut context.pen(), ALL, "0");
    }
    let values = collect(new, visible(context));
    let rooms = context.user().map_or(&[][..], |user| user.rooms());
    let mut pen = context.pen();
    match values {
        Some(values) => {
            for (target, key, value) in values {
                tell(&mut pen, target, key, Some(value));
            }
        }
        None => rooms.iter().for_each(|room| sync_later(&mut pen, room.as_str(), SOON)),
    }
}

fn unsubscribe(context: &mut Context<'_, '_>, keys: &[&str]) {
    let (valid, invalid): (Vec<&str>, Vec<&str>) =
        keys.iter().partition(|key| is_metadata_key(key));
    context.session.subscriptions.retain(|known| !valid.contains(&known.as_str()));
    let mut pen = context.pen();
    several(&mut pen, numeric::RPL_METADATAUNSUBOK, &valid);
    for key in invalid {
        invalid_key(&mut pen, key);
    }
}

fn list_subscriptions(context: &mut Context<'_, '_>) {
    let subscriptions = context.session.subscriptions.clone();
    let keys: Vec<&str> = subscriptions.iter().map(String::as_str).collect();
    batch(&mut context.pen(), &["metadata-subs"], |pen| {
        several(pen, numeric::RPL_METADATASUBS, &keys);
    });
}

/// Keys as parameters of their own, in as many lines as it takes.
fn several(pen: &mut Pen<'_>, numeric: crate::wire::irc::Numeric, keys: &[&str]) {
    // With the nick, what RFC 1459 allows of parameters.
    const MOST: usize = 14;
    let head = pen.server.len() + pen.nick.as_str().len() + 12;
    let mut line: Vec<&str> = Vec::new();
    let mut length = head;
    for key in keys {
        if line.len() == MOST || length + key.len() + 1 > MAX_BODY {
            pen.words(numeric, &line);
            line.clear();
            length = head;
        }
        length += key.len() + 1;
        line.push(key);
    }
    if !line.is_empty() {
        pen.words(numeric, &line);
    }
}

/// Everything of which this client hears: its channels and who is in them, whom it watches for,
/// and itself.
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
    let watched = context.view.desk.watched(context.view.me).iter();
    let watched = watched.filter_map(|nick| hub.session_of(nick.as_str()));
    let watched: Vec<SessionId> = watched.filter(|session| seen.insert(*session)).collect();
    all.extend(watched.into_iter().filter_map(|it| hub.user(it)).map(|it| of_person(hub, it)));
    all
}

fn of_person<'h>(hub: &'h Hub, user: &'h User) -> (&'h str, &'h Metadata) {
    (user.identity.nick.as_str(), hub.metadata_of(user))
}

/// A channel and everyone in it.
fn inside<'h>(hub: &'h Hub, room: &'h Room) -> impl Iterator<Item = (&'h str, &'h Metadata)> {
    let members = room.sessions().filter_map(|session| hub.user(session));
    let members = members.map(|user| of_person(hub, user));
    std::iter::once((room.name.as_str(), room.metadata())).chain(members)
}

/// Target, key and value of everything that is followed; `None` if it is too much.
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

/// Tells everything that is followed of `targets`, or that it is too much now.
fn sync<'h>(
    pen: &mut Pen<'_>,
    subscriptions: &[String],
    name: &str,
    targets: impl IntoIterator<Item = (&'h str, &'h Metadata)>,
) {
    let Some(values) = collect(subscriptions, targets) else {
        return sync_later(pen, name, LATER);
    };
    batch(pen, &["metadata", name], |pen| {
        for (target, key, value) in values {
            tell(pen, target, key, Some(value));
        }
    });
}

fn sync_all(context: &mut Context<'_, '_>) {
    let targets = visible(context);
    let subscriptions = std::mem::take(&mut context.session.subscriptions);
    sync(&mut context.pen(), &subscriptions, ALL, targets);
    context.session.subscriptions = subscriptions;
}

fn sync_later(pen: &mut Pen<'_>, target: &str, seconds: &str) {
    let words = [target, seconds];
    if speaks_version_2(pen.caps) {
        return pen.words(numeric::RPL_METADATASYNCLATER, &words);
    }
    let text = "Please synchronize metadata later";
    pen.numeric(numeric::RPL_METADATASYNCLATER, &words, text);
}

/// What a client is told of a channel that it has joined.
pub(super) fn tell_joined(context: &mut Context<'_, '_>, room: &Room) {
    if !is_aware(context.session.caps) {
        return;
    }
    let hub = context.view.hub;
    let subscriptions = std::mem::take(&mut context.session.subscriptions);
    let mut pen = context.pen();
    if room.sessions().len() > SYNC_AT_JOIN && !subscriptions.is_empty() {
        sync_later(&mut pen, room.name.as_str(), SOON);
    } else {
        sync(&mut pen, &subscriptions, room.name.as_str(), inside(hub, room));
    }
    context.session.subscriptions = subscriptions;
}

/// What a client is told of itself when it comes in: all there is, followed or not.
pub(super) fn tell_own(context: &mut Context<'_, '_>) {
    if !is_aware(context.session.caps) {
        return;
    }
    let Some(user) = context.user() else { return };
    let (nick, metadata) = of_person(context.view.hub, user);
    batch(&mut context.pen(), &["metadata", nick], |pen| {
        for (key, value) in metadata {
            tell(pen, nick, key, Some(value));
        }
    });
}

/// What WHOIS tells of somebody.
pub(super) fn tell_whois(pen: &mut Pen<'_>, nick: &str, metadata: &Metadata) {
    if is_aware(pen.caps) {
        for (key, value) in metadata {
            pen.numeric(numeric::RPL_WHOISKEYVALUE, &[nick, key, "*"], value);
        }
    }
}

impl Session {
    /// Whether it follows any key of metadata.
    pub fn follows_metadata(&self) -> bool {
        !self.subscriptions.is_empty() && is_aware(self.caps)
    }

    /// Tells what has changed of a person or channel, as far as it follows that.
    pub fn tell_metadata(
        &self,
        holder: &Holder,
        changes: &MetadataChanges,
        view: &View<'_>,
        out: &mut Vec<u8>,
    ) {
        let followed = |key: &str| self.subscriptions.iter().any(|known| known == key);
        let mut pen = self.pen(view, out);
        for (key, value) in changes.iter().filter(|(key, _)| followed(key)) {
            tell(&mut pen, name(holder), key, value.as_deref());
        }
    }

    /// What it follows of somebody whom it watches for, and who is there.
    pub(super) fn tell_watched_metadata(&self, user: &User, hub: &Hub, pen: &mut Pen<'_>) {
        if is_aware(self.caps) {
            let own = of_person(hub, user);
            sync(pen, &self.subscriptions, own.0, std::iter::once(own));
        }
    }

    /// The capabilities are others now: without them nothing is followed.
    pub(super) fn keep_subscriptions_if_aware(&mut self) {
        if !is_aware(self.caps) {
            self.subscriptions.clear();
        }
    }
}

fn name(holder: &Holder) -> &str {
    match holder {
        Holder::Room(room) => room.as_str(),
        Holder::Person(who) => who.nick.as_str(),
    }
}

/// A key as an answer.
fn reply(pen: &mut Pen<'_>, target: &str, key: &str, value: Option<&str>) {
    match value {
        Some(value) => pen.numeric(numeric::RPL_KEYVALUE, &[target, key, "*"], value),
        None => pen.numeric(numeric::RPL_KEYNOTSET, &[target, key], "Key not set"),
    }
}

/// A key as news.
fn tell(pen: &mut Pen<'_>, target: &str, key: &str, value: Option<&str>) {
    if speaks_version_2(pen.caps) {
        pen.line("METADATA", &[target, key, "*"], value);
    } else {
        reply(pen, target, key, value);
    }
}

fn batch(pen: &mut Pen<'_>, words: &[&str], inside: impl FnOnce(&mut Pen<'_>)) {
    let (server, nick, caps) = (pen.server, pen.nick.clone(), pen.caps);
    pen.batch("metadata", words, |out| inside(&mut Pen { server, nick, caps, out }));
}
