//! The lines of an answer: one room, one person, one ban.

use crate::chat::log::record::BanTarget;
use crate::chat::model::identity::Identity;
use crate::chat::model::ids::Moment;
use crate::chat::model::name::Name;
use std::sync::Arc;

/// One room in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomLine {
    /// Its name.
    pub room: Name,
    /// How many are in it.
    pub members: usize,
    /// Its topic.
    pub topic: Option<Arc<str>>,
    /// Whether the asker is in it.
    pub joined: bool,
    /// When it was opened.
    pub created: Moment,
}

/// One person in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// Who.
    pub who: Arc<Identity>,
    /// Has op in the room asked about.
    pub op: bool,
    /// Has voice in it.
    pub voice: bool,
    /// Is a server operator.
    pub operator: bool,
    /// Is away, and why.
    pub away: Option<Arc<str>>,
    /// When they came.
    pub since: Moment,
}

/// All about one person, as far as the asker may know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Whois {
    /// Who.
    pub person: Person,
    /// Rooms, with op and voice there.
    pub rooms: Vec<(Name, bool, bool)>,
    /// When they last did something that was written down.
    pub last: Moment,
    /// When the question was asked.
    pub now: Moment,
}

/// One server-wide ban.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerBanLine {
    /// Whom it means.
    pub target: BanTarget,
    /// Who made it.
    pub by: Name,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// Until when.
    pub until: Option<Moment>,
}
