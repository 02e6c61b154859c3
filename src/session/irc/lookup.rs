//! Rooms and users as one client may see them.

use super::{Caps, Context};
use crate::chat::{Hub, Member, Room, SessionSet, User};

/// A room whose existence the client may know of.
pub(super) fn visible<'v>(context: &Context<'_, 'v>, name: &str) -> Option<&'v Room> {
    let user = context.user()?;
    context.view.hub.room(name).filter(|room| context.view.hub.sees(user, room))
}

pub(super) fn user<'v>(context: &Context<'_, 'v>, nick: &str) -> Option<&'v User> {
    context.view.hub.user(context.view.hub.session_of(nick)?)
}

/// The signs before a member's nick: the highest one, or all with `multi-prefix`.
pub(super) fn prefixes(member: Member, caps: Caps) -> &'static str {
    match (member.op, member.voice) {
        (true, true) if caps.has(Caps::MULTI_PREFIX) => "@+",
        (true, _) => "@",
        (false, true) => "+",
        (false, false) => "",
    }
}

/// Everyone who is in one of the user's rooms.
pub(super) fn who_shares_a_room(hub: &Hub, user: &User) -> SessionSet {
    let rooms = user.rooms().iter().filter_map(|name| hub.room(name.as_str()));
    rooms.flat_map(Room::sessions).collect()
}
