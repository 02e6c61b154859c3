//! What is said of people and channels for programs to read: METADATA. IRCv3 draft/metadata-2, and
//! draft/metadata-3, which is proposed in its place.
//!
//! The two differ in how a change is told (`METADATA` or 761 and 766), in the codes of failures,
//! and in what follows a subscription. What a client follows, and is told unasked, is in
//! `subscriptions`.
//!
//! Deliberately absent: RATE_LIMITED, because `--flood-limit` slows a client down as a whole; and
//! keys that not all may see, so that the visibility is always `*`.

use super::reply::ReplyWriter;
use super::subscriptions::{self, ALL, SUBSCRIPTIONS};
use super::{Caps, Context, commands};
use crate::chat::{
    Command, Holder, Metadata, MetadataChanges, Refusal, Room, is_metadata_key, limits,
    set_metadata,
};
use crate::wire::irc::{Message, numeric};
use std::sync::{Arc, LazyLock};

/// What the capability announces.
pub(super) fn announced() -> &'static str {
    static TOKENS: LazyLock<String> = LazyLock::new(|| {
        let (keys, key, value) =
            (limits::METADATA_KEYS, limits::METADATA_KEY_LENGTH, limits::METADATA_VALUE_LENGTH);
        format!(
            "before-connect,max-subs={SUBSCRIPTIONS},max-keys={keys},max-key-bytes={key},\
             max-value-bytes={value}"
        )
    });
    &TOKENS
}

/// Whether a client with these capabilities is told of metadata.
pub(super) fn is_aware(caps: Caps) -> bool {
    caps.has(Caps::BATCH) && (caps.has(Caps::METADATA_2) || caps.has(Caps::METADATA_3))
}

pub(super) fn speaks_version_2(caps: Caps) -> bool {
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
        "SUB" => subscriptions::subscribe(context, &keys),
        "UNSUB" => subscriptions::unsubscribe(context, &keys),
        "SUBS" => subscriptions::list(context),
        "GET" | "LIST" | "SET" | "CLEAR" | "SYNC" if !context.session.is_in() => {
            before_connect(context, target, &upper, words);
        }
        "SET" | "CLEAR" => {
            let target = if *target == "*" { own.as_str() } else { *target };
            change(context, target, &upper, words);
        }
        "SYNC" if target.eq_ignore_ascii_case(ALL) => subscriptions::sync_all(context),
        "GET" | "LIST" | "SYNC" => read(context, target, &upper, &keys),
        _ if speaks_version_2(context.session.caps) => {
            fail(context, "SUBCOMMAND_INVALID", &[subcommand], "Invalid subcommand");
        }
        _ => bad_parameters(context, subcommand, "Unknown subcommand"),
    }
}

fn fail(context: &mut Context<'_, '_>, code: &str, words: &[&str], text: &str) {
    context.reply().fail("METADATA", code, words, text);
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
pub(super) fn invalid_key(reply: &mut ReplyWriter<'_>, key: &str) {
    let text = "Invalid key";
    if speaks_version_2(reply.caps) {
        return reply.fail("METADATA", "KEY_INVALID", &[key], text);
    }
    reply.line("WARN", &["METADATA", "INVALID_KEY", key], Some(text));
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
    let write = |reply: &mut ReplyWriter<'_>| {
        for (key, value) in changes {
            key_value(reply, target, key, value.as_deref());
        }
    };
    let mut reply = context.reply();
    if clears { batch(&mut reply, &["metadata", target], write) } else { write(&mut reply) }
}

/// Why something could not be set or cleared.
pub(super) fn refused(subject: &[String], refusal: &Refusal, reply: &mut ReplyWriter<'_>) {
    let [_, target, key] = subject else { return };
    let (target, key) = (target.as_str(), key.as_str());
    let second = speaks_version_2(reply.caps);
    let text = crate::session::refusal_text::of(refusal);
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
    reply.fail("METADATA", code, &words, &text);
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
    if subcommand == "SYNC" {
        return match found.room {
            Some(room) => subscriptions::sync_room(context, room),
            None => {
                let own = std::iter::once((found.name, found.metadata));
                subscriptions::sync(context, found.name, own);
            }
        };
    }
    batch(&mut context.reply(), &["metadata", found.name], |reply| {
        if subcommand == "LIST" {
            return list(reply, found.name, found.metadata);
        }
        for key in keys {
            get(reply, found.name, found.metadata, key);
        }
    });
}

fn list(reply: &mut ReplyWriter<'_>, target: &str, metadata: &Metadata) {
    for (key, value) in metadata {
        key_value(reply, target, key, Some(value));
    }
}

fn get(reply: &mut ReplyWriter<'_>, target: &str, metadata: &Metadata, key: &str) {
    match is_metadata_key(key) {
        true => key_value(reply, target, key, metadata.get(key).map(|value| &**value)),
        false => invalid_key(reply, key),
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
        return batch(&mut context.reply(), &["metadata", "*"], |reply| match subcommand {
            "GET" => words.iter().for_each(|key| get(reply, "*", &metadata, key)),
            "LIST" => list(reply, "*", &metadata),
            "CLEAR" => metadata.keys().for_each(|key| key_value(reply, "*", key, None)),
            // Nothing that others say can be seen from here.
            _ => {}
        });
    }
    let key = words.first().copied().unwrap_or_default();
    let value = words.get(1).copied().filter(|value| !value.is_empty());
    let (shared, text): (Arc<str>, Option<Arc<str>>) = (key.into(), value.map(Into::into));
    let set = set_metadata(&mut door.metadata, &shared, text.as_ref());
    let mut reply = context.reply();
    match set {
        Ok(()) => key_value(&mut reply, "*", key, value),
        Err(refusal) => {
            refused(&["SET", "*", key].map(str::to_owned), &refusal, &mut reply);
        }
    }
}

/// What WHOIS tells of somebody.
pub(super) fn tell_whois(reply: &mut ReplyWriter<'_>, nick: &str, metadata: &Metadata) {
    if is_aware(reply.caps) {
        for (key, value) in metadata {
            reply.numeric_text(numeric::RPL_WHOISKEYVALUE, &[nick, key, "*"], value);
        }
    }
}

pub(super) fn name(holder: &Holder) -> &str {
    match holder {
        Holder::Room(room) => room.as_str(),
        Holder::Person(who) => who.nick.as_str(),
    }
}

/// A key as an answer.
fn key_value(reply: &mut ReplyWriter<'_>, target: &str, key: &str, value: Option<&str>) {
    match value {
        Some(value) => reply.numeric_text(numeric::RPL_KEYVALUE, &[target, key, "*"], value),
        None => reply.numeric(numeric::RPL_KEYNOTSET, &[target, key]),
    }
}

/// A key as news.
pub(super) fn tell(reply: &mut ReplyWriter<'_>, target: &str, key: &str, value: Option<&str>) {
    if speaks_version_2(reply.caps) {
        reply.line("METADATA", &[target, key, "*"], value);
    } else {
        key_value(reply, target, key, value);
    }
}

pub(super) fn batch(
    reply: &mut ReplyWriter<'_>,
    words: &[&str],
    inside: impl FnOnce(&mut ReplyWriter<'_>),
) {
    reply.batch("metadata", words, inside);
}
