//! How far somebody has read, in each room and with each person: read markers (IRCv3 read-marker).
//!
//! They belong to the account and are shared by its sessions; a guest's end with the session, and
//! go with them when they log in. Nobody else is told of them.
//!
//! Invariants: a marker never moves backwards, and never past the moment at which it was set: one
//! from a clock that is ahead would hide what comes. At most [`limits::READ_MARKERS`] for each;
//! the one that moved longest ago gives way.

use super::audience::Audience;
use super::command::Decision;
use super::effect::Event;
use super::hub::{Applying, Hub};
use super::limits;
use super::name::{Name, NickFault};
use super::record::{Change, Moment};
use super::refusal::Refusal;
use super::user::User;

/// Until when something was read, by room or nick; what moved last is at the end.
pub(super) type ReadMarkers = Vec<(Name, Moment)>;

/// Moves a marker forward; where it is then.
pub(super) fn advance(markers: &mut ReadMarkers, target: &Name, time: Moment) -> Moment {
    let place = markers.iter().position(|(known, _)| known == target);
    match place.and_then(|place| markers.get(place)).map(|(_, stored)| *stored) {
        Some(stored) if stored >= time => return stored,
        _ => {}
    }
    if let Some(place) = place {
        markers.remove(place);
    } else if markers.len() >= limits::READ_MARKERS {
        markers.remove(0);
    }
    markers.push((target.clone(), time));
    time
}

/// A room has another name. What was read of an earlier room of that name was another's.
pub(super) fn rename(markers: &mut ReadMarkers, before: &Name, room: &Name) {
    if before != room && markers.iter().any(|(known, _)| known == before) {
        markers.retain(|(known, _)| known != room);
    }
    markers.iter_mut().filter(|(known, _)| known == before).for_each(|it| it.0 = room.clone());
}

impl Hub {
    /// How far a person has read, everywhere.
    pub fn read_markers<'h>(&'h self, user: &'h User) -> &'h [(Name, Moment)] {
        match &user.identity.account {
            Some(account) => self.accounts.get(account).map_or(&[], |it| &it.markers),
            None => &user.extras().markers,
        }
    }

    /// How far a person has read in a room, or with another person.
    pub fn read_marker(&self, user: &User, target: &str) -> Option<Moment> {
        let markers = self.read_markers(user).iter();
        markers.rev().find(|(known, _)| *known == *target).map(|(_, time)| *time)
    }

    pub(super) fn decide_mark_read(&self, target: &str, time: Moment) -> Result<Decision, Refusal> {
        let target = marker_target(target)?;
        Ok(Decision::Change(Change::ReadMarker { target, time }))
    }

    pub(super) fn mark_read(
        &mut self,
        at: &mut Applying<'_>,
        target: Name,
        time: Moment,
    ) -> Result<(), Refusal> {
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

/// A room or a nick, whether or not it is there now.
///
/// # Errors
/// It can be neither.
pub fn marker_target(text: &str) -> Result<Name, Refusal> {
    if text.starts_with('#') {
        return Name::room(text).map_err(|fault| Refusal::BadRoom(text.into(), fault));
    }
    match Name::nick(text) {
        Ok(name) => Ok(name),
        // One can talk with a guest.
        Err(NickFault::Reserved) => Ok(Name::new(text)),
        Err(fault) => Err(Refusal::BadNick(text.into(), fault)),
    }
}
