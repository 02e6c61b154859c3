//! The lines of a reply: one room, one user, one ban.

use super::pages::Rest;
use crate::chat::log::BanTarget;
use crate::chat::model::{Identity, Moment, Name, SessionId, Walk};
use std::cmp::Reverse;
use std::sync::Arc;

/// A list of any length, and how far it has been shown: asked for page by page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Listing {
    /// The rooms: those with most members first.
    Rooms(Walk<(Reverse<usize>, Name)>),
    /// The members of a room, or all users, in the order of connecting.
    Who(Option<Arc<str>>, Walk<(Moment, SessionId)>),
    /// All connections and their addresses, for an operator.
    Connections(Walk<(Moment, SessionId)>),
    /// All accounts, for an operator.
    Accounts(Walk<Name>),
    /// The server bans, for an operator.
    ServerBans(Walk<BanTarget>),
    /// What is left of an answer of the journal.
    History(Box<Rest>),
}

/// A page of a list: a list has any length, and the next page is asked for when this one has been
/// sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    /// How many lines there are altogether; only the first page says so.
    pub total: Option<usize>,
    pub lines: Vec<T>,
    /// Where the next page begins; `None` after the last one.
    pub more: Option<Box<Listing>>,
}

/// One room in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomLine {
    /// Its name.
    pub room: Name,
    /// The number of members.
    pub members: usize,
    /// Its topic.
    pub topic: Option<Arc<str>>,
    /// Whether the user who asks is a member.
    pub joined: bool,
    /// The time of its creation.
    pub created: Moment,
}

/// One user in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub who: Arc<Identity>,
    /// Whether the user is op of the room in question.
    pub op: bool,
    /// Has voice in it.
    pub voice: bool,
    /// Is a server operator.
    pub operator: bool,
    /// Is away, and why.
    pub away: Option<Arc<str>>,
    /// The time of connecting.
    pub since: Moment,
}

/// One account in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountLine {
    pub name: Name,
    pub created: Moment,
    /// The time of the last login; `None` if there was none since servers remember it.
    pub seen: Option<Moment>,
    /// The sessions that are logged in to it.
    pub sessions: usize,
    /// The rooms that it has registered.
    pub rooms: usize,
}

/// A user's details, as far as the client may see them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Whois {
    pub person: Person,
    /// Rooms, with op and voice there.
    pub rooms: Vec<(Name, bool, bool)>,
    /// The time of the user's last record.
    pub last: Moment,
    /// The time of the query.
    pub now: Moment,
}

/// One server-wide ban.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerBanLine {
    pub target: BanTarget,
    pub by: Name,
    pub reason: Option<Arc<str>>,
    /// Until when.
    pub until: Option<Moment>,
}
