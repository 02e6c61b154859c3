//! Effects: what follows from a record, and who receives it.
//!
//! An event is rendered once per protocol and the bytes are shared by all recipients, so it must
//! mean the same to all of them. A recipient who sees it differently (because the line mentions
//! them) is excepted and gets a separate effect; the acting user receives it from their own
//! [`Viewpoint`](crate::chat::Viewpoint).

use super::answer::{AccountLine, Listing, Page, Person, RoomLine, ServerBanLine, Whois};
use super::past::Past;
use crate::chat::log::{BanTarget, QuitReason};
use crate::chat::model::{
    Audience, Continuations, Identity, Kind, MetadataChanges, ModeChange, Modes, Moment, Name,
    Query, Quoted, RecordId, Refusal, SessionId, Stamp, Topic, UserMode,
};
use std::borrow::Cow;
use std::sync::Arc;

/// One event and its recipients.
#[derive(Clone, PartialEq, Debug)]
pub struct Effect {
    /// Of which record it is.
    pub stamp: Stamp,
    pub audience: Audience,
    pub event: Event,
    /// Those of the audience who ignore the event's author, in rising order: they are told
    /// [`Event::hushed`].
    pub hushed: Vec<SessionId>,
}

impl Effect {
    /// The event as a session of the audience is told it, if it is told anything.
    pub fn event_for(&self, session: SessionId) -> Option<Cow<'_, Event>> {
        match self.hushed.binary_search(&session) {
            Ok(_) => self.event.hushed().map(Cow::Owned),
            Err(_) => Some(Cow::Borrowed(&self.event)),
        }
    }
}

/// A message in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomMessage {
    /// Its id.
    pub id: RecordId,
    pub time: Moment,
    pub room: Name,
    /// Its number there.
    pub number: u64,
    pub who: Arc<Identity>,
    pub kind: Kind,
    pub text: Arc<str>,
    /// The message it replies to.
    pub reply: Option<Box<Quoted>>,
    /// Whether it mentions the recipient.
    pub mention: bool,
    /// Client-only IRC tags, as received.
    pub tags: Option<Arc<str>>,
    /// The least status of its recipients: `@` op, `+` voice.
    pub status: Option<char>,
    pub continuations: Option<Continuations>,
}

/// A direct message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectMessage {
    /// Its id.
    pub id: RecordId,
    pub time: Moment,
    pub who: Arc<Identity>,
    pub to: Name,
    /// The recipient's account.
    pub account: Option<Name>,
    /// The session that receives it, if there is one.
    pub session: Option<SessionId>,
    pub kind: Kind,
    pub text: Arc<str>,
    /// Whether it is stored because the recipient is offline.
    pub waits: bool,
    /// The recipient's away message.
    pub away: Option<Arc<str>>,
    /// Client-only IRC tags, as received.
    pub tags: Option<Arc<str>>,
    pub continuations: Option<Continuations>,
}

/// The owner of metadata.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Holder {
    /// A room's.
    Room(Name),
    /// A user.
    Person(Arc<Identity>),
}

/// What happened, in the hub's terms; a session renders it.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// For a user who has just connected, as one of so many.
    Welcome { who: Arc<Identity>, online: usize },
    /// A user has connected, as one of so many, and joined the lobby if that is where they start.
    Entered { who: Arc<Identity>, online: usize },
    /// A user has quit; so many remain online.
    Left { who: Arc<Identity>, departure: QuitReason, online: usize },
    /// A user, `before` with another nick, has changed it.
    Renamed { who: Arc<Identity>, before: Arc<Identity> },
    /// A user is away, or back: without a message.
    Away { who: Arc<Identity>, message: Option<Arc<str>> },
    /// The recipient ignores a nick, or stops doing so.
    Ignoring { nick: Name, on: bool },
    /// A user has joined a room.
    Joined {
        who: Arc<Identity>,
        room: Name,
        /// The number of members.
        members: usize,
        /// Its topic.
        topic: Option<Topic>,
        /// Whether they are op.
        op: bool,
        /// Their away message, if they are away.
        away: Option<Arc<str>>,
    },
    /// A user has left a room.
    Parted { who: Arc<Identity>, room: Name, reason: Option<Arc<str>> },
    /// A user was kicked from a room and receives no more of its messages.
    Kicked { who: Arc<Identity>, room: Name, target: Arc<Identity>, reason: Option<Arc<str>> },
    /// A room has another topic; an empty one for none.
    TopicSet { who: Arc<Identity>, room: Name, topic: Topic },
    /// A room has another name than `before`.
    RoomRenamed { who: Arc<Identity>, before: Name, room: Name, reason: Option<Arc<str>> },
    /// The recipient was invited to a room, or has invited a user.
    Invited { who: Arc<Identity>, room: Name, nick: Name },
    /// A member of the room has invited a user; for clients with invite-notify.
    InviteSeen { who: Arc<Identity>, room: Name, nick: Name },
    /// A room has other modes: the changes that took effect.
    ModesSet { who: Arc<Identity>, room: Name, changes: Vec<ModeChange> },
    /// A room is kept alive, or no longer.
    Kept { room: Name, on: bool },
    /// A user has sent a message to a room.
    RoomMessage(Box<RoomMessage>),
    /// A user has sent a direct message.
    DirectMessage(Box<DirectMessage>),
    /// A user has sent tags without a text.
    Tagged {
        who: Arc<Identity>,
        /// To which room or nick.
        to: Name,
        /// The least status of its recipients: `@` op, `+` voice.
        status: Option<char>,
        /// The account it was sent to.
        account: Option<Name>,
        /// The tags.
        tags: Arc<str>,
    },
    /// A user has changed their real name.
    RealName { who: Arc<Identity> },
    /// The recipient's own user modes have changed.
    UserModes { who: Arc<Identity>, changes: Vec<(UserMode, bool)> },
    /// A server operator sends a message to the users who have set `w`.
    Wallops { who: Arc<Identity>, text: Arc<str> },
    /// A user has reacted to a message.
    Reacted {
        who: Arc<Identity>,
        room: Name,
        /// To what.
        message: Box<Quoted>,
        /// With what.
        text: Arc<str>,
        /// Or took it back.
        on: bool,
        /// Client-only IRC tags, as received, if it was sent with any.
        tags: Option<Arc<str>>,
    },
    /// A message, quoted with its previous text, has another one.
    Edited { who: Arc<Identity>, room: Name, message: Box<Quoted>, text: Arc<str> },
    /// A message was deleted.
    Deleted { who: Arc<Identity>, room: Name, message: Box<Quoted>, reason: Option<Arc<str>> },
    /// Metadata of a user or a room has changed. For members of the audience who subscribe to one
    /// of the keys, and for clients that monitor the user. In the reply to the acting user, the changes
    /// are everything requested, changed or not.
    MetadataSet { holder: Holder, changes: MetadataChanges },
    /// The recipient's read marker of a room or a nick has moved, set by this or another session of the
    /// account.
    ReadMarker { target: Name, time: Moment },
    /// The journal is to send the recipient the most recent messages of a room just joined, or
    /// pending direct messages.
    ReplayHistory(Box<Query>),
    /// A user has logged in to an account (`who.account`), registered it, or logged out.
    Account { who: Arc<Identity>, step: AccountStep },
    /// The recipient, an operator, has made, changed or deleted an account.
    AccountManaged { account: Name, what: AccountChange },
    /// The recipient has become a server operator.
    Operator,
    /// A server operator sends a message to all users.
    Announced { who: Arc<Identity>, text: Arc<str> },
    /// A server-wide ban was made, until then or permanently, or lifted.
    ServerBan { target: BanTarget, on: bool, until: Option<Moment> },
    /// The recipient's connection is closed after this.
    Closed { why: Refusal },
    /// The recipient's command is no longer possible.
    Refused(Refusal),
    /// A reply: the rooms that the client may see.
    Rooms(Page<RoomLine>),
    /// A reply: the users of a room, or all.
    Who { room: Option<Name>, people: Page<Person> },
    /// A reply: a user's details.
    Whois(Box<Whois>),
    /// A reply: a room's topic.
    TopicIs { room: Name, topic: Option<Topic> },
    /// A reply: a room's modes, and when it was created.
    ModesAre { room: Name, modes: Modes, created: Moment },
    /// A reply: a room's bans: mask, who set it, when.
    Bans { room: Name, bans: Vec<(String, Name, Moment)> },
    /// A reply: the ignored nicks.
    Ignored(Vec<Name>),
    /// A reply: the fingerprints of the certificates that the user's account knows.
    Certificates(Vec<Arc<str>>),
    /// A file was deleted, by the recipient.
    FileDeleted { name: Arc<str> },
    /// A reply: the server bans.
    ServerBans(Page<ServerBanLine>),
    /// A reply: all connections, for an operator.
    Connections(Page<Person>),
    /// A reply: all accounts, for an operator.
    Accounts(Page<AccountLine>),
    /// A reply from the journal. Boxed, because events are moved a lot.
    Past(Box<Past>),
}

impl Event {
    /// Where the next page of a list begins.
    pub fn more(&self) -> Option<&Listing> {
        match self {
            Event::Rooms(page) => page.more.as_deref(),
            Event::Who { people: page, .. } | Event::Connections(page) => page.more.as_deref(),
            Event::Accounts(page) => page.more.as_deref(),
            Event::ServerBans(page) => page.more.as_deref(),
            Event::Past(past) => past.more.as_deref(),
            _ => None,
        }
    }
}

/// A step in the life of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountStep {
    /// It was made.
    Registered,
    LoggedIn,
    LoggedOut,
    /// Its password was changed.
    PasswordChanged,
    /// It knows one more certificate, or one less.
    Certificate(bool),
}

/// What an operator has done with an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountChange {
    /// It was made.
    Made,
    /// It has another password.
    Reset,
    /// It was deleted, perhaps with everything that it has written; by which record it had been made.
    Deleted { erases: bool, since: RecordId },
}
