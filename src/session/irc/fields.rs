//! Users, times and message ids as IRC lines carry them.

use crate::chat::{Identity, Moment, Stamp};
use std::borrow::Cow;

/// A parameter that may be missing or empty.
pub(super) fn given(word: &str) -> Option<&str> {
    Some(word).filter(|word| !word.is_empty())
}

/// As much of a text as fits.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// `nick!user@host`; the nick alone if the host is not known any more.
pub(super) fn prefix(who: &Identity) -> String {
    prefix_parts(who).concat()
}

/// The length of [`prefix`]: what each line of a message has to leave for it.
pub(super) fn prefix_length(who: &Identity) -> usize {
    prefix_parts(who).iter().map(|part| part.len()).sum()
}

fn prefix_parts(who: &Identity) -> [&str; 6] {
    let nick = who.nick.as_str();
    if who.label.is_empty() {
        return [nick, "", "", "", "", ""];
    }
    let [zero, host] = host_parts(who);
    [nick, "!", who.user(), "@", zero, host]
}

/// A host as a parameter.
pub(super) fn host(who: &Identity) -> Cow<'_, str> {
    match host_parts(who) {
        ["", host] => host.into(),
        parts => parts.concat().into(),
    }
}

/// An IPv6 address that begins with a colon would be read as the text: there is a zero before it.
fn host_parts(who: &Identity) -> [&str; 2] {
    let host = who.host();
    [if host.starts_with(':') { "0" } else { "" }, host]
}

/// Plain clients have no real name; the nick stands in, because clients show the field in
/// parentheses.
pub(super) fn realname(who: &Identity) -> &str {
    who.names.realname().map_or(who.nick.as_str(), |name| name)
}

/// `2026-01-31T12:30:05.123Z`, the form of the tag `time`.
pub(super) fn timestamp(moment: Moment) -> String {
    format!("{:.3}", jiff::Timestamp::from_millisecond(moment.0).unwrap_or_default())
}

/// The tag `msgid`: the id of the record and, if several events follow from it, which one.
pub(super) fn msgid(stamp: Stamp) -> String {
    match stamp.part {
        0 => stamp.id.0.to_string(),
        part => format!("{}.{part}", stamp.id.0),
    }
}

/// Seconds since 1970.
pub(super) fn seconds(moment: Moment) -> String {
    moment.0.div_euclid(1000).to_string()
}
