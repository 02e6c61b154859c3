//! Metadata as lines, in the two versions of the specification: draft/metadata-2 and the proposed
//! draft/metadata-3.
//!
//! They differ in how a change is announced (`METADATA`, or 761 and 766), in the codes of failures,
//! and in what follows a subscription.

use super::ReplyWriter;
use crate::chat::{Holder, Metadata};
use crate::wire::irc::numeric;

pub(super) fn name(holder: &Holder) -> &str {
    match holder {
        Holder::Room(room) => room.as_str(),
        Holder::Person(who) => who.nick.as_str(),
    }
}

/// A key as a reply.
pub(super) fn reply(out: &mut ReplyWriter<'_>, target: &str, key: &str, value: Option<&str>) {
    match value {
        Some(value) => out.numeric_text(numeric::RPL_KEYVALUE, &[target, key, "*"], value),
        None => out.numeric(numeric::RPL_KEYNOTSET, &[target, key]),
    }
}

/// A key as an announcement.
pub(super) fn announce(out: &mut ReplyWriter<'_>, target: &str, key: &str, value: Option<&str>) {
    if out.caps.metadata_2() {
        out.line("METADATA", &[target, key, "*"], value);
    } else {
        reply(out, target, key, value);
    }
}

/// Those of the keys that there are, as announcements.
pub(super) fn announce_some(
    out: &mut ReplyWriter<'_>,
    target: &str,
    metadata: &Metadata,
    keys: &[String],
) {
    for (key, value) in metadata.iter().filter(|(key, _)| keys.iter().any(|it| **it == ***key)) {
        announce(out, target, key, Some(value));
    }
}

/// One invalid key among others: version 3 has a warning for it, version 2 only failures.
pub(super) fn invalid_key(out: &mut ReplyWriter<'_>, key: &str) {
    if out.caps.metadata_2() {
        return out.fail("METADATA", "KEY_INVALID", &[key], "Invalid key");
    }
    out.line("WARN", &["METADATA", "INVALID_KEY", key], Some("Invalid key"));
}

pub(super) fn batch(
    out: &mut ReplyWriter<'_>,
    words: &[&str],
    inside: impl FnOnce(&mut ReplyWriter<'_>),
) {
    out.batch("metadata", words, inside);
}

/// The part of a WHOIS reply.
pub(super) fn tell_whois(out: &mut ReplyWriter<'_>, nick: &str, metadata: &Metadata) {
    if out.caps.metadata() {
        for (key, value) in metadata {
            out.numeric_text(numeric::RPL_WHOISKEYVALUE, &[nick, key, "*"], value);
        }
    }
}
