//! Renaming of a room, which stays the room it is: members, ops, modes, bans, topic, key,
//! invitations, metadata, read markers, numbers and past all go along. IRCv3 draft/channel-rename.
//!
//! The old name is free at once, and does not redirect: joining it creates a new room.

use super::applying::Applying;
use super::checks::checked_reason;
use crate::chat::api::{Decision, Event};
use crate::chat::log::Change;
use crate::chat::model::{
    Audience, Moment, Name, Refusal, Result, SessionId, limits, read_markers, require,
};
use crate::chat::state::{Hub, Room, User};
use std::sync::Arc;

impl Hub {
    pub(super) fn decide_rename(
        &self,
        user: &User,
        name: &str,
        to: Arc<str>,
        reason: Option<Arc<str>>,
    ) -> Result<Decision> {
        let room = self.visible_room(user, name)?;
        let to = Name::room(&to).map_err(|fault| Refusal::BadRoom(to, fault))?;
        self.may_rename(user, room, &to)?;
        let (room, reason) = (room.name.clone(), checked_reason(reason)?);
        Ok(Decision::Change(Change::RenameRoom { room, to, reason }))
    }

    /// Whether a name is available for a room, and the user may rename it.
    fn may_rename(&self, user: &User, room: &Room, to: &Name) -> Result<()> {
        self.moderates(user, room)?;
        require(room.name != Name::lobby(), || Refusal::LobbyStays)?;
        let same = room.name.as_str() == to.as_str();
        // A different spelling of its current name is always available. That a secret room has a name
        // is told here, as it is by joining it: a name is given once.
        let taken = same || (*to != room.name && self.rooms.contains_key(to));
        require(!taken, || Refusal::RoomExists(to.clone()))
    }

    pub(super) fn rename_room(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        to: Name,
        reason: Option<Arc<str>>,
    ) -> Result<()> {
        let user = self.origin(at)?;
        let room = self.visible_room(user, name.as_str())?;
        self.may_rename(user, room, &to)?;
        pause_is_over(user, room, at.time)?;
        let who = Arc::clone(&user.identity);
        let Some(mut room) = self.rooms.swap_remove(name) else { return Ok(()) };
        let before = std::mem::replace(&mut room.name, to.clone());
        room.renamed = Some(at.time);
        let members: Vec<SessionId> = room.sessions().collect();
        for session in members {
            let Some(user) = self.users.get_mut(&session) else { continue };
            user.rooms.rename(&before, &to);
            // The markers of accounts that are not in the room stay behind, because iterating over
            // all accounts is too expensive.
            let account = user.identity.account.as_ref();
            match account.and_then(|account| self.accounts.get_mut(account)) {
                Some(account) => read_markers::rename(&mut account.markers, &before, &to),
                None if user.extras().markers.is_empty() => {}
                None => read_markers::rename(&mut user.extras_mut().markers, &before, &to),
            }
        }
        for user in self.users.values_mut() {
            if user.extras().invites.is_empty() {
                continue;
            }
            let invites = user.extras_mut().invites.iter_mut();
            let here =
                |(invited, since): &&mut (Name, _)| *invited == before && *since == room.since;
            invites.filter(here).for_each(|(invited, _)| *invited = to.clone());
        }
        self.rooms.insert(to.clone(), room);
        let (from, except) = (Some(at.origin), Vec::new());
        let audience = Audience::Room { room: to.clone(), from, except };
        at.tell(audience, Event::RoomRenamed { who, before, room: to, reason });
        Ok(())
    }
}

/// Whether enough time has passed since the last rename: each one sends every member a list of all
/// members.
fn pause_is_over(user: &User, room: &Room, now: Moment) -> Result<()> {
    // A rename in the future was made by a clock that ran ahead.
    let renamed = room.renamed.filter(|renamed| *renamed <= now);
    let since = renamed.map_or(i64::MAX, |renamed| now.0.saturating_sub(renamed.0));
    let left = limits::RENAME_PAUSE.saturating_sub(since);
    if left > 0 && !user.is_operator() {
        let seconds = left.unsigned_abs().div_ceil(1000);
        return Err(Refusal::RenamedRecently(room.name.clone(), seconds));
    }
    Ok(())
}
