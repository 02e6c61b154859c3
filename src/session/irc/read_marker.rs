//! Read markers: MARKREAD, IRCv3 draft/read-marker.
//!
//! A client that registers or logs in is told all markers of its account: they may have moved
//! while it was away, and it would have to ask for each direct conversation.

use super::fields::timestamp;
use super::{Caps, Context, ReplyWriter};
use crate::chat::{Command, Hub, Moment, Room, User, marker_target};
use crate::wire::irc::Message;

/// `MARKREAD target [timestamp=…]`.
pub(super) fn markread(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [target] = message.words();
    if target.is_empty() {
        return context.fail("NEED_MORE_PARAMS", &[], "Missing parameters");
    }
    if marker_target(target).is_err() {
        return context.fail("INVALID_PARAMS", &[target], "Not a channel or nickname");
    }
    let Some(user) = context.user() else { return };
    let stored = context.view.hub.read_marker(user, target);
    let Some(word) = message.parameters.get(1) else { return tell(context, target, stored) };
    let time = word.strip_prefix("timestamp=").and_then(|time| time.parse().ok());
    let Some(time) = time.map(|time: jiff::Timestamp| Moment(time.as_millisecond())) else {
        let text = "Invalid timestamp, expected timestamp=YYYY-MM-DDThh:mm:ss.sssZ";
        return context.fail("INVALID_PARAMS", &[word], text);
    };
    if stored.is_some_and(|stored| stored >= time) {
        return tell(context, target, stored);
    }
    context.run(Command::MarkRead(target.into(), time));
}

/// The position of a marker.
pub(super) fn tell(context: &mut Context<'_, '_>, target: &str, time: Option<Moment>) {
    let (hub, user) = (context.view.hub, context.user());
    write(&mut context.reply(), spelled(hub, user, target), time);
}

fn write(reply: &mut ReplyWriter<'_>, target: &str, time: Option<Moment>) {
    let time = time.map(|time| format!("timestamp={}", timestamp(time)));
    reply.line("MARKREAD", &[target, time.as_deref().unwrap_or("*")], None);
}

/// A name as its owner spells it, if the asker may know of it: not that of a secret room.
fn spelled<'n>(hub: &'n Hub, asker: Option<&User>, target: &'n str) -> &'n str {
    if let Some(room) = hub.room(target) {
        let seen = asker.is_some_and(|asker| hub.sees(asker, room));
        return if seen { room.name.as_str() } else { target };
    }
    let user = hub.session_of(target).and_then(|session| hub.user(session));
    user.map_or(target, |user| user.identity.nick.as_str())
}

/// The marker of a channel that the client has joined.
pub(super) fn tell_joined(context: &mut Context<'_, '_>, room: &Room) {
    if context.session.caps.has(Caps::READ_MARKER)
        && let Some(user) = context.user()
    {
        let stored = context.view.hub.read_marker(user, room.name.as_str());
        tell(context, room.name.as_str(), stored);
    }
}

/// All markers of the client's account.
pub(super) fn tell_all(context: &mut Context<'_, '_>) {
    let hub = context.view.hub;
    if context.session.caps.has(Caps::READ_MARKER)
        && let Some(user) = context.user()
    {
        let mut reply = context.reply();
        for (target, time) in hub.read_markers(user) {
            write(&mut reply, spelled(hub, Some(user), target.as_str()), Some(*time));
        }
    }
}
