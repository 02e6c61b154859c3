//! Read markers: how far a user has read in each room and direct conversation (IRCv3 read-marker).
//!
//! Markers belong to the account and are shared by its sessions; those of a guest last for the
//! session, and are dropped on login. No other user sees them.
//!
//! Invariants: a marker never moves backwards, and never past the time at which it is set, because
//! a client with a fast clock would hide later messages. At most `limits::READ_MARKERS` per
//! account; the least recently moved one is dropped.

use super::applying::Applying;
use crate::chat::api::{Decision, Event};
use crate::chat::log::Change;
use crate::chat::model::{Audience, Moment, Name, Refusal, Result, advance, marker_target};
use crate::chat::state::{Hub, User};

impl Hub {
    /// All read markers of a user.
    pub fn read_markers<'h>(&'h self, user: &'h User) -> &'h [(Name, Moment)] {
        match &user.identity.account {
            Some(account) => self.accounts.get(account).map_or(&[], |it| &it.markers),
            None => &user.extras().markers,
        }
    }

    /// A user's read marker in a room or direct conversation.
    pub fn read_marker(&self, user: &User, target: &str) -> Option<Moment> {
        let markers = self.read_markers(user).iter();
        markers.rev().find(|(known, _)| *known == *target).map(|(_, time)| *time)
    }

    pub(super) fn decide_mark_read(
        &self,
        user: &User,
        target: &str,
        time: Moment,
    ) -> Result<Decision> {
        let target = marker_target(target)?;
        let is_new = self.read_marker(user, target.as_str()).is_none();
        if is_new && user.identity.account.is_some() && self.accounts.are_full() {
            return Err(Refusal::TooMuchAccountData);
        }
        Ok(Decision::Change(Change::ReadMarker { target, time }))
    }

    pub(super) fn mark_read(
        &mut self,
        at: &mut Applying<'_>,
        target: Name,
        time: Moment,
    ) -> Result<()> {
        let Some(user) = self.users.get_mut(&at.origin) else { return Err(Refusal::NotHere) };
        let account = user.identity.account.as_ref();
        let mut account = account.and_then(|account| self.accounts.get_mut(account));
        let markers = match &mut account {
            Some(account) => &mut account.markers,
            None => &mut user.extras_mut().markers,
        };
        let wanted = time.min(at.time);
        let before = markers.iter().find(|(known, _)| *known == target).map(|(_, time)| *time);
        let time = advance(markers, &target, wanted);
        let moved = before != Some(time);
        let sessions = account.filter(|_| moved).map_or(&[][..], |account| &account.sessions);
        let others = sessions.iter().copied().filter(|session| *session != at.origin);
        let audience = Audience::Private { to: others.collect(), from: at.origin };
        at.tell(audience, Event::ReadMarker { target, time });
        Ok(())
    }
}
