//! The rooms of one user, in the order of joining; users in one room, as most are, need no allocation
//! for it.

use crate::chat::model::Name;
use serde::{Deserialize, Serialize};
use std::ops::Deref;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<Name>", into = "Vec<Name>")]
pub enum RoomList {
    One(Name),
    /// None, or several. Twice on the heap, so that the list takes 16 bytes of a user and not 24.
    #[expect(clippy::box_collection)]
    Other(Option<Box<Vec<Name>>>),
}

impl RoomList {
    pub fn push(&mut self, room: Name) {
        let mut rooms = self.to_vec();
        rooms.push(room);
        *self = rooms.into();
    }

    pub fn remove(&mut self, room: &Name) {
        let mut rooms = self.to_vec();
        rooms.retain(|other| other != room);
        *self = rooms.into();
    }

    /// A room has another name.
    pub fn rename(&mut self, before: &Name, room: &Name) {
        let rename = |name: &Name| if name == before { room.clone() } else { name.clone() };
        *self = self.iter().map(rename).collect::<Vec<_>>().into();
    }
}

impl Default for RoomList {
    fn default() -> RoomList {
        RoomList::Other(None)
    }
}

impl Deref for RoomList {
    type Target = [Name];

    fn deref(&self) -> &[Name] {
        match self {
            RoomList::One(room) => std::slice::from_ref(room),
            RoomList::Other(rooms) => rooms.as_ref().map_or(&[], |rooms| rooms),
        }
    }
}

impl From<Vec<Name>> for RoomList {
    fn from(mut rooms: Vec<Name>) -> RoomList {
        match rooms.len() {
            1 => rooms.pop().map_or_else(RoomList::default, RoomList::One),
            0 => RoomList::default(),
            _ => RoomList::Other(Some(Box::new(rooms))),
        }
    }
}

impl From<RoomList> for Vec<Name> {
    fn from(rooms: RoomList) -> Vec<Name> {
        rooms.to_vec()
    }
}
