//! What follows from a record: who is to hear of what.
//!
//! An event is rendered once for each dialect and the bytes are shared by everyone in its
//! audience, so it must mean the same to all of them. Who is to see it differently (because the
//! line mentions them) is excepted and gets an effect of their own; who caused it is told from
//! their own [`Viewpoint`](super::Viewpoint).

use super::answer::{Person, RoomLine, ServerBanLine, Whois};
use crate::chat::log::history_event::HistoryEvent;
use crate::chat::log::record::{BanTarget, QuitReason};
use crate::chat::log::stored_message::StoredMessage;
use crate::chat::model::audience::Audience;
use crate::chat::model::identity::Identity;
use crate::chat::model::ids::{Moment, RecordId, SessionId, Stamp};
use crate::chat::model::message::{Joints, Kind, Quoted};
use crate::chat::model::metadata::MetadataChanges;
use crate::chat::model::modes::{ModeChange, Modes, UserMode};
use crate::chat::model::name::Name;
use crate::chat::model::query::Query;
use crate::chat::model::refusal::Refusal;
use crate::chat::model::topic::Topic;
use std::sync::Arc;

/// One thing to tell.
#[derive(Clone, PartialEq, Debug)]
pub struct Effect {
    /// Of which record it is.
    pub stamp: Stamp,
    /// Whom.
    pub audience: Audience,
    /// What.
    pub event: Event,
}

/// Something said in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomMessage {
    /// Its id.
    pub id: RecordId,
    /// When.
    pub time: Moment,
    /// Where.
    pub room: Name,
    /// Its number there.
    pub number: u64,
    /// Who.
    pub who: Arc<Identity>,
    /// How.
    pub kind: Kind,
    /// What.
    pub text: Arc<str>,
    /// What it answers.
    pub reply: Option<Box<Quoted>>,
    /// Whether the hearer is mentioned in it.
    pub mention: bool,
    /// IRC's tags between clients, as they came.
    pub tags: Option<Arc<str>>,
    /// Only those hear it who have at least this: `@` op, `+` voice.
    pub status: Option<char>,
    /// Where a line goes on that came as two.
    pub joints: Option<Joints>,
}

/// Something said to one person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectMessage {
    /// Its id.
    pub id: RecordId,
    /// When.
    pub time: Moment,
    /// Who.
    pub who: Arc<Identity>,
    /// To whom.
    pub to: Name,
    /// The account it was said to.
    pub account: Option<Name>,
    /// The session that hears it, if one does.
    pub session: Option<SessionId>,
    /// How.
    pub kind: Kind,
    /// What.
    pub text: Arc<str>,
    /// Whether it waits because its hearer is not there.
    pub waits: bool,
    /// The hearer's away message.
    pub away: Option<Arc<str>>,
    /// IRC's tags between clients, as they came.
    pub tags: Option<Arc<str>>,
    /// Where a line goes on that came as two.
    pub joints: Option<Joints>,
}

/// Whose metadata.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Holder {
    /// A room's.
    Room(Name),
    /// A person's.
    Person(Arc<Identity>),
}

/// What happened, in the hub's terms; a session finds the words.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// To somebody who has just come in.
    Welcome {
        /// Who they are.
        who: Arc<Identity>,
        /// How many are online, the newcomer included.
        online: usize,
    },
    /// Somebody came in, and into the lobby if that is where they start.
    Entered {
        /// Who.
        who: Arc<Identity>,
        /// How many are online now.
        online: usize,
    },
    /// Somebody left.
    Left {
        /// Who.
        who: Arc<Identity>,
        /// How.
        departure: QuitReason,
        /// How many remain.
        online: usize,
    },
    /// Somebody has another name.
    Renamed {
        /// Who, as they are now.
        who: Arc<Identity>,
        /// As they were.
        before: Arc<Identity>,
    },
    /// Somebody is away or back.
    Away {
        /// Who.
        who: Arc<Identity>,
        /// Why; `None` is back.
        message: Option<Arc<str>>,
    },
    /// The hearer ignores a nick, or no longer.
    Ignoring {
        /// Whom.
        nick: Name,
        /// Whether.
        on: bool,
    },
    /// Somebody is in a room now.
    Joined {
        /// Who.
        who: Arc<Identity>,
        /// Where.
        room: Name,
        /// How many are in it now.
        members: usize,
        /// Its topic.
        topic: Option<Topic>,
        /// Whether they have op there from the start.
        op: bool,
        /// Whether they are away, and why.
        away: Option<Arc<str>>,
    },
    /// Somebody left a room.
    Parted {
        /// Who.
        who: Arc<Identity>,
        /// Which.
        room: Name,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// Somebody was put out of a room, and no longer hears what is said in it.
    Kicked {
        /// Who did it.
        who: Arc<Identity>,
        /// From where.
        room: Name,
        /// Who was put out.
        target: Arc<Identity>,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// A room has another topic.
    TopicSet {
        /// Who did it.
        who: Arc<Identity>,
        /// Where.
        room: Name,
        /// The topic, empty for none.
        topic: Topic,
    },
    /// A room has another name.
    RoomRenamed {
        /// Who did it.
        who: Arc<Identity>,
        /// What it was called.
        before: Name,
        /// What it is called now.
        room: Name,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// The hearer is invited to a room, or invited somebody.
    Invited {
        /// Who did it.
        who: Arc<Identity>,
        /// Where.
        room: Name,
        /// Who is invited.
        nick: Name,
    },
    /// Somebody in the room has invited somebody; for those who follow that.
    InviteSeen {
        /// Who did it.
        who: Arc<Identity>,
        /// Where.
        room: Name,
        /// Who is invited.
        nick: Name,
    },
    /// A room has other modes.
    ModesSet {
        /// Who did it.
        who: Arc<Identity>,
        /// Where.
        room: Name,
        /// What took effect.
        changes: Vec<ModeChange>,
    },
    /// A room is kept alive, or no longer.
    Kept {
        /// Which.
        room: Name,
        /// Whether.
        on: bool,
    },
    /// Somebody said something in a room.
    RoomMessage(Box<RoomMessage>),
    /// Somebody said something to one person.
    DirectMessage(Box<DirectMessage>),
    /// Somebody sent tags without a text.
    Tagged {
        /// Who.
        who: Arc<Identity>,
        /// To which room or nick.
        to: Name,
        /// Only those hear it who have at least this: `@` op, `+` voice.
        status: Option<char>,
        /// The account it was sent to.
        account: Option<Name>,
        /// The tags.
        tags: Arc<str>,
    },
    /// Somebody has another real name.
    RealName {
        /// Who, as they are now.
        who: Arc<Identity>,
    },
    /// The hearer is something else, by their own word.
    UserModes {
        /// Who, as they are now.
        who: Arc<Identity>,
        /// What changed.
        changes: Vec<(UserMode, bool)>,
    },
    /// A server operator says something to those who want to hear it.
    Wallops {
        /// Who.
        who: Arc<Identity>,
        /// What.
        text: Arc<str>,
    },
    /// Somebody reacted to a message.
    Reacted {
        /// Who.
        who: Arc<Identity>,
        /// Where.
        room: Name,
        /// To what.
        message: Box<Quoted>,
        /// With what.
        text: Arc<str>,
        /// Or took it back.
        on: bool,
        /// IRC's tags between clients, as they came, if that is how.
        tags: Option<Arc<str>>,
    },
    /// A message has another text.
    Edited {
        /// Who did it.
        who: Arc<Identity>,
        /// Where.
        room: Name,
        /// Which; its text is the one before.
        message: Box<Quoted>,
        /// The new text.
        text: Arc<str>,
    },
    /// A message is gone.
    Deleted {
        /// Who did it.
        who: Arc<Identity>,
        /// Where.
        room: Name,
        /// Which.
        message: Box<Quoted>,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// What is said of somebody or of a room for programs has changed. For those of the audience
    /// who follow a key of it, and for whoever watches for the person.
    MetadataSet {
        /// Of whom.
        holder: Holder,
        /// What is different; as the answer to its author what was asked for, different or not.
        changes: MetadataChanges,
    },
    /// The hearer has read up to here, on this or another session of the account.
    ReadMarker {
        /// Which room, or whose private words.
        target: Name,
        /// Until when.
        time: Moment,
    },
    /// The journal is to answer this to the hearer now: the last lines of a room just joined, or
    /// mail that has waited.
    ReplayHistory(Box<Query>),
    /// Somebody logged in to an account (`who.account`), registered it, or logged out.
    Account {
        /// Who, as they are now.
        who: Arc<Identity>,
        /// What happened.
        step: AccountStep,
    },
    /// The hearer is a server operator now.
    Operator,
    /// A server operator says something to everyone.
    Announced {
        /// Who.
        who: Arc<Identity>,
        /// What.
        text: Arc<str>,
    },
    /// A server-wide ban was made or lifted.
    ServerBan {
        /// Whom it means.
        target: BanTarget,
        /// Whether it is in force.
        on: bool,
        /// Until when.
        until: Option<Moment>,
    },
    /// The hearer's connection is to be closed, once this is told.
    Closed {
        /// Why.
        why: Refusal,
    },
    /// What the hearer wanted is no longer possible.
    Refused(Refusal),
    /// An answer: the rooms that the asker may see.
    Rooms(Vec<RoomLine>),
    /// An answer: who is there.
    Who {
        /// In which room; `None` is everywhere.
        room: Option<Name>,
        /// Who.
        people: Vec<Person>,
    },
    /// An answer: all about one person.
    Whois(Box<Whois>),
    /// An answer: a room's topic.
    TopicIs {
        /// Which room.
        room: Name,
        /// Its topic.
        topic: Option<Topic>,
    },
    /// An answer: a room's modes.
    ModesAre {
        /// Which room.
        room: Name,
        /// Its modes.
        modes: Modes,
        /// When it was opened.
        created: Moment,
    },
    /// An answer: a room's bans.
    Bans {
        /// Which room.
        room: Name,
        /// Mask, who set it, when.
        bans: Vec<(String, Name, Moment)>,
    },
    /// An answer: whom the asker ignores.
    Ignored(Vec<Name>),
    /// An answer: server-wide bans.
    ServerBans(Vec<ServerBanLine>),
    /// An answer: everyone connected, for an operator.
    Connections(Vec<Person>),
    /// An answer of the journal.
    Past(Box<Past>),
}

/// What the journal has found, oldest first. Boxed where it is told: events are moved much.
#[derive(Clone, PartialEq, Debug)]
pub struct Past {
    /// What was asked.
    pub query: Query,
    /// What was said.
    pub entries: Vec<StoredMessage>,
    /// What happened besides, if that was asked.
    pub happened: Vec<HistoryEvent>,
}

/// A step in the life of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountStep {
    /// It was made.
    Registered,
    /// Somebody logged in.
    LoggedIn,
    /// Somebody logged out.
    LoggedOut,
    /// Its password was changed.
    PasswordChanged,
}
