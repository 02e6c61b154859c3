//! Reasons why a command is rejected, with the details for the error message.

use super::identity::Identity;
use super::ids::Moment;
use super::name::{Name, NickFault, RoomFault};
use super::require::require;
use std::sync::Arc;

/// What a rule gives, or why it rejects a command.
pub(in crate::chat) type Result<T> = std::result::Result<T, Refusal>;

/// There may be one more.
pub(in crate::chat) fn below(
    count: usize,
    most: usize,
    refusal: fn(usize) -> Refusal,
) -> Result<()> {
    require(count < most, || refusal(most))
}

/// Why a command is rejected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The session is not in the chat.
    NotHere,
    /// The server could not do it now, through no fault of the user; a text.
    Failed(Arc<str>),
    /// No user has this nick.
    NoSuchNick(Name),
    /// There is no such room, or the user may not know of it.
    NoSuchRoom(Name),
    /// The user is not in this room.
    NotInRoom(Name),
    /// The user is already in this room.
    AlreadyIn(Name),
    /// The other user is not in the room.
    TheyAreNotIn(Name, Name),
    /// The other user is already in the room.
    TheyAreIn(Name, Name),
    /// The nick is invalid.
    BadNick(Arc<str>, NickFault),
    /// The nick is in use.
    NickInUse(Name),
    /// The nick is an account, and the user is not logged in to it.
    NickReserved(Name),
    /// The user is silenced in this room, which would be told of the nick.
    SilencedNick(Name, Name),
    /// The user already has this nick.
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
    /// The user is banned.
    Banned(Name),
    /// Only ops and voiced members can speak.
    Moderated(Name),
    /// The user is banned or muted.
    Muted(Name),
    /// The room takes no requests between clients.
    NoCtcp(Name),
    /// Only ops may do this.
    NotOp(Name),
    /// Only server operators may do this.
    NotOperator,
    /// More rooms than one user may be in.
    TooManyRooms(usize),
    /// More rooms than the server holds.
    ServerFull,
    /// More rooms than one origin may have created.
    TooManyRoomsOfOrigin(u32),
    /// The topics, masks and metadata of rooms take more memory than they may.
    TooMuchRoomText,
    /// The metadata and read markers of all accounts together use up their memory.
    TooMuchAccountData,
    /// A text is longer than it may be: what, and the bound in bytes.
    TooLong(Field, usize),
    /// A text is missing.
    Missing(Field),
    /// The mask is invalid.
    BadMask(Arc<str>),
    /// A server ban that could match no address.
    BadAddress(Arc<str>),
    /// The key is invalid: empty, too long, or with a space or a comma.
    BadKey,
    /// The ban list is full.
    TooManyBans(usize),
    /// No such ban.
    NoSuchBan(Arc<str>),
    /// More mode changes than one command may hold.
    TooManyModes(usize),
    /// The mode changes would change nothing. IRC sends no error for this.
    NothingChanged(Name),
    /// No such message in this room.
    NoSuchMessage(Name, u64),
    /// The message was sent by another user.
    NotYours(u64),
    /// The message has as many reactions as it may, or as many of one user.
    TooManyReactions(usize),
    /// The user has not received a direct message yet.
    NobodyToAnswer,
    /// The account's mail is full.
    MailFull(Name),
    /// The sender's address has its share of that mailbox.
    MailShare(Name),
    /// The name or the password is wrong; which one is not revealed.
    WrongPassword,
    /// The account has got another password or another owner since it was claimed.
    VoidClaim,
    /// Too many failed logins: how many seconds to wait.
    TryLater(u64),
    /// A room was renamed a moment ago: how many seconds to wait.
    RenamedRecently(Name, u64),
    /// Too many accounts were registered from the user's address: how many seconds to wait.
    TooManyRegistrations(u64),
    /// Only users who are logged in are admitted; whether an account can be registered without being in
    /// the chat.
    AccountRequired { registers: bool },
    /// Only who is logged in can do this.
    NotLoggedIn,
    /// The user is already logged in.
    LoggedIn(Name),
    /// There is no such account.
    NoSuchAccount(Name),
    /// Users cannot register accounts here, or no one can: the setting.
    RegistrationClosed(&'static str),
    /// There is such an account.
    AccountExists(Name),
    /// A guest has to set a nick before registering it.
    NickFirst,
    /// The password is too short: least characters.
    ShortPassword(usize),
    /// The connection has shown no certificate.
    NoCertificate,
    /// The account does not know this certificate.
    NoSuchCertificate,
    /// An account knows this certificate already.
    CertificateInUse,
    /// More certificates than one account may know.
    TooManyCertificates(usize),
    /// More accounts than the server holds.
    TooManyAccounts,
    /// More sessions than one account may have.
    TooManySessions(usize),
    /// More ignored nicks than one may have.
    TooManyIgnored(usize),
    /// This nick is not ignored.
    NotIgnored(Name),
    /// The metadata key is invalid.
    BadMetadataKey(Arc<str>),
    /// More keys of metadata than there may be.
    TooMuchMetadata(usize),
    /// There is no such file.
    NoSuchFile,
    /// The file was uploaded by someone else.
    NotYourFile(Arc<str>),
    /// Only users themselves can change their metadata.
    NotYourMetadata(Name),
    /// One cannot do this to oneself.
    Oneself,
    /// The address or account is banned from this server, until then or permanently.
    ServerBanned { reason: Option<Arc<str>>, until: Option<Moment> },
    /// A server operator disconnected the user.
    Killed { nick: Name, by: Arc<Identity>, reason: Option<Arc<str>> },
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
