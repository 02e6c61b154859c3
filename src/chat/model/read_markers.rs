//! Read markers: how far a user has read in each room and in each direct conversation (IRCv3
//! read-marker).

use super::ids::Moment;
use super::limits;
use super::name::{Name, NickFault};
use super::refusal::Refusal;

/// The time of the last message read, by room or nick; the most recently moved one is last.
pub type ReadMarkers = Vec<(Name, Moment)>;

/// Moves a marker forward; where it is then.
pub fn advance(markers: &mut ReadMarkers, target: &Name, time: Moment) -> Moment {
    let place = markers.iter().position(|(known, _)| known == target);
    if let Some((_, stored)) = place.and_then(|place| markers.get(place))
        && *stored >= time
    {
        return *stored;
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
pub fn rename(markers: &mut ReadMarkers, before: &Name, room: &Name) {
    if before != room && markers.iter().any(|(known, _)| known == before) {
        markers.retain(|(known, _)| known != room);
    }
    markers.iter_mut().filter(|(known, _)| known == before).for_each(|it| it.0 = room.clone());
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
