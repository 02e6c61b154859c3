//! Why something cannot be done, with what a person needs to know about it.

use super::ids::Moment;
use super::name::{Name, NickFault, RoomFault};
use std::sync::Arc;

/// What stands against a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The session is not in the chat.
    NotHere,
    /// Nobody has this nick.
    NoSuchNick(Name),
    /// There is no such room, or none that the asker may see.
    NoSuchRoom(Name),
    /// The asker is not in this room.
    NotInRoom(Name),
    /// The asker is in it already.
    AlreadyIn(Name),
    /// Somebody else is not in the room.
    TheyAreNotIn(Name, Name),
    /// Somebody else is in the room already.
    TheyAreIn(Name, Name),
    /// No nick can look so.
    BadNick(Arc<str>, NickFault),
    /// Somebody has this nick.
    NickInUse(Name),
    /// This nick is an account's, and the asker is not logged in to it.
    NickReserved(Name),
    /// It is the asker's nick already.
    SameNick(Name),
    /// No room can be called so.
    BadRoom(Arc<str>, RoomFault),
    /// The room's key is missing or wrong.
    WrongKey(Name),
    /// The room holds as many as it may.
    RoomFull(Name, u32),
    /// There is a room of this name.
    RoomExists(Name),
    /// The lobby keeps its name.
    LobbyStays,
    /// One has to be invited.
    InviteOnly(Name),
    /// A ban keeps the asker out.
    Banned(Name),
    /// Only ops and the voiced speak here.
    Moderated(Name),
    /// A ban or mute silences the asker.
    Muted(Name),
    /// Only ops may do this.
    NotOp(Name),
    /// Only server operators may do this.
    NotOperator,
    /// More rooms than one user may be in.
    TooManyRooms(usize),
    /// More rooms than the server holds.
    ServerFull,
    /// A text is longer than it may be: what, and the bound in bytes.
    TooLong(Field, usize),
    /// A text is missing.
    Missing(Field),
    /// No mask looks so.
    BadMask(Arc<str>),
    /// No key looks so: it is empty, too long, or holds a blank or a comma.
    BadKey,
    /// The ban list is full.
    TooManyBans(usize),
    /// No such ban.
    NoSuchBan(Arc<str>),
    /// More mode changes than one command may hold.
    TooManyModes(usize),
    /// The room is as the mode changes would have it. IRC says nothing here.
    NothingChanged(Name),
    /// No such message in this room.
    NoSuchMessage(Name, u64),
    /// The message is somebody else's.
    NotYours(u64),
    /// The message has as many reactions as it may.
    TooManyReactions(usize),
    /// Nobody has written to the asker yet.
    NobodyToAnswer,
    /// The account's mail is full.
    MailFull(Name),
    /// Name or password are wrong; which one is not said.
    WrongPassword,
    /// Too many failed logins: how many seconds to wait.
    TryLater(u64),
    /// Only who is logged in can do this.
    NotLoggedIn,
    /// The asker is logged in already.
    LoggedIn(Name),
    /// There is such an account.
    AccountExists(Name),
    /// A guest cannot be registered: a nick comes first.
    NickFirst,
    /// The password is too short: least characters.
    ShortPassword(usize),
    /// More accounts than the server holds.
    TooManyAccounts,
    /// More sessions than one account may have.
    TooManySessions(usize),
    /// More ignored nicks than one may have.
    TooManyIgnored(usize),
    /// This nick is not ignored.
    NotIgnored(Name),
    /// No key of metadata looks so.
    BadMetadataKey(Arc<str>),
    /// More keys of metadata than there may be.
    TooMuchMetadata(usize),
    /// What is said of this person is theirs to change.
    NotYourMetadata(Name),
    /// One cannot do this to oneself.
    Oneself,
    /// The address or account is banned from this server.
    ServerBanned {
        /// Why.
        reason: Option<Arc<str>>,
        /// Until when.
        until: Option<Moment>,
    },
    /// A server operator ended the session.
    Killed {
        /// Who.
        by: Name,
        /// Why.
        reason: Option<Arc<str>>,
    },
}

/// A text that has a bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// A message.
    Text,
    /// A topic.
    Topic,
    /// A reason or away message.
    Reason,
    /// A reaction.
    Reaction,
    /// A real name.
    RealName,
    /// A password.
    Password,
    /// Words to search.
    Search,
    /// A value of metadata.
    Metadata,
}
