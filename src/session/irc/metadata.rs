//! Metadata of users and channels: METADATA. IRCv3 draft/metadata-2, and draft/metadata-3, which is
//! proposed in its place.
//!
//! Deliberately absent: RATE_LIMITED, because `--flood-limit` slows a client down as a whole; and
//! keys with a restricted visibility, which is always `*`.

use super::fields::given;
use super::metadata_lines::{batch, invalid_key, name, reply};
use super::subscriptions::{self, ALL};
use super::{Context, ReplyWriter, lookup};
use crate::chat::{
    Command, Holder, Metadata, MetadataChanges, Refusal, Room, is_metadata_key, set_metadata,
};
use crate::session::refusal_text;
use crate::wire::irc::Message;
use std::sync::Arc;

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
    let about_self = *target == "*" || (context.session.is_registered() && own == **target);
    match upper.as_str() {
        _ if lacks => bad_parameters(context, &upper, "Not enough parameters"),
        "SUB" | "UNSUB" | "SUBS" if !about_self => invalid_target(context, target),
        "SUB" => subscriptions::subscribe(context, &keys),
        "UNSUB" => subscriptions::unsubscribe(context, &keys),
        "SUBS" => subscriptions::list(context),
        "GET" | "LIST" | "SET" | "CLEAR" | "SYNC" if !context.session.is_registered() => {
            before_connect(context, target, &upper, words);
        }
        "SET" | "CLEAR" => {
            let target = if *target == "*" { own.as_str() } else { *target };
            change(context, target, &upper, words);
        }
        "SYNC" if target.eq_ignore_ascii_case(ALL) => subscriptions::sync_all(context),
        "GET" | "LIST" | "SYNC" => read(context, target, &upper, &keys),
        _ if context.session.caps.metadata_2() => {
            context.fail("SUBCOMMAND_INVALID", &[subcommand], "Invalid subcommand");
        }
        _ => bad_parameters(context, subcommand, "Unknown subcommand"),
    }
}

fn bad_parameters(context: &mut Context<'_, '_>, subcommand: &str, text: &str) {
    if context.session.caps.metadata_2() {
        return context.need_more();
    }
    context.fail("INVALID_PARAMS", &[subcommand], text);
}

fn invalid_target(context: &mut Context<'_, '_>, target: &str) {
    context.fail("INVALID_TARGET", &[target], "Invalid metadata target");
}

/// SET and CLEAR; [`answer`] replies when the change has been applied.
fn change(context: &mut Context<'_, '_>, target: &str, subcommand: &str, words: &[&str]) {
    let key = if subcommand == "SET" { words.first().copied().unwrap_or_default() } else { "*" };
    let subject = [subcommand, target, key].map(str::to_owned);
    context.session.subject = Some(Box::new(subject));
    if subcommand == "CLEAR" {
        return context.run(Command::ClearMetadata(target.into()));
    }
    let value = words.get(1).copied().and_then(given);
    if value.is_none()
        && context.session.caps.metadata_2()
        && let Ok(found) = find(context, target)
        && !found.metadata.contains_key(key)
        && is_metadata_key(key)
    {
        return context.fail("KEY_NOT_SET", &[target, key], "Key not set");
    }
    context.run(Command::SetMetadata(target.into(), key.into(), value.map(Into::into)));
}

/// The reply to SET and CLEAR.
pub(super) fn answer(context: &mut Context<'_, '_>, holder: &Holder, changes: &MetadataChanges) {
    let subject = context.session.subject.take().unwrap_or_default();
    let clears = subject.first().is_some_and(|subcommand| subcommand == "CLEAR");
    let target = name(holder);
    let write = |out: &mut ReplyWriter<'_>| {
        for (key, value) in changes {
            reply(out, target, key, value.as_deref());
        }
    };
    let mut out = context.reply();
    if clears { batch(&mut out, &["metadata", target], write) } else { write(&mut out) }
}

/// Why a key was not set or cleared.
pub(super) fn refused(subject: &[String], refusal: &Refusal, out: &mut ReplyWriter<'_>) {
    let [_, target, key] = subject else { return };
    let (target, key) = (target.as_str(), key.as_str());
    let second = out.caps.metadata_2();
    let text = refusal_text::of(refusal);
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
    out.fail("METADATA", code, &words, &text);
}

/// A user or channel whose metadata may be read.
struct Found<'v> {
    name: &'v str,
    metadata: &'v Metadata,
    room: Option<&'v Room>,
}

enum Hidden {
    NotThere,
    Forbidden,
}

fn find<'v>(context: &Context<'_, 'v>, target: &str) -> Result<Found<'v>, Hidden> {
    let hub = context.view.hub;
    let asker = context.user().ok_or(Hidden::NotThere)?;
    if target.starts_with('#') {
        let room = lookup::visible(context, target).ok_or(Hidden::NotThere)?;
        if !hub.may_read_metadata(asker, room) {
            return Err(Hidden::Forbidden);
        }
        let (name, metadata) = (room.name.as_str(), room.metadata());
        return Ok(Found { name, metadata, room: Some(room) });
    }
    let user = match target {
        "*" => Some(asker),
        nick => lookup::user(context, nick),
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
            let text = "The metadata of a channel is for its members";
            return context.fail("KEY_NO_PERMISSION", &[target, "*"], text);
        }
    };
    if subcommand == "SYNC" {
        return match found.room {
            Some(room) => subscriptions::sync_room(context, room),
            None => context.sync(found.name, found.metadata),
        };
    }
    batch(&mut context.reply(), &["metadata", found.name], |out| {
        if subcommand == "LIST" {
            return list(out, found.name, found.metadata);
        }
        for key in keys {
            get(out, found.name, found.metadata, key);
        }
    });
}

fn list(out: &mut ReplyWriter<'_>, target: &str, metadata: &Metadata) {
    for (key, value) in metadata {
        reply(out, target, key, Some(value));
    }
}

fn get(out: &mut ReplyWriter<'_>, target: &str, metadata: &Metadata, key: &str) {
    match is_metadata_key(key) {
        true => reply(out, target, key, metadata.get(key).map(|value| &**value)),
        false => invalid_key(out, key),
    }
}

/// Before registration a client has only its own metadata, which its entry takes along.
fn before_connect(context: &mut Context<'_, '_>, target: &str, subcommand: &str, words: &[&str]) {
    if target != "*" {
        return invalid_target(context, target);
    }
    let Some(registration) = &mut context.session.registration else { return };
    if subcommand != "SET" {
        let metadata = match subcommand {
            "CLEAR" => std::mem::take(&mut registration.metadata),
            _ => registration.metadata.clone(),
        };
        return batch(&mut context.reply(), &["metadata", "*"], |out| match subcommand {
            "GET" => words.iter().for_each(|key| get(out, "*", &metadata, key)),
            "LIST" => list(out, "*", &metadata),
            "CLEAR" => metadata.keys().for_each(|key| reply(out, "*", key, None)),
            // SYNC: nothing else is visible yet.
            _ => {}
        });
    }
    let key = words.first().copied().unwrap_or_default();
    let value = words.get(1).copied().and_then(given);
    let (shared, text): (Arc<str>, Option<Arc<str>>) = (key.into(), value.map(Into::into));
    let set = set_metadata(&mut registration.metadata, &shared, text.as_ref());
    let mut out = context.reply();
    match set {
        Ok(()) => reply(&mut out, "*", key, value),
        Err(refusal) => refused(&["SET", "*", key].map(str::to_owned), &refusal, &mut out),
    }
}
