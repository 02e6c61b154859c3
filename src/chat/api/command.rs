//! Commands, and the hub's decisions about them.

use super::answer::Listing;
use super::effect::Event;
use super::pages::Rest;
use crate::chat::log::{BanTarget, Change};
use crate::chat::model::{
    Claim, Continuations, Kind, Lookup, ModeChange, Moment, Name, PasswordHash, Query, Range,
    RecordId, Reference, Refusal, ScramKeys, Secret, UserMode, below, limits,
};
use std::sync::Arc;

/// A command of one session. Names are given as typed; each is validated. Rooms are always
/// explicit: the current room is the session's concern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Take a nick.
    Nick(Arc<str>),
    /// Be away (`Some`) or back.
    Away(Option<Arc<str>>),
    /// Ignore a nick, or no longer.
    Ignore(Arc<str>, bool),
    /// List the ignored nicks.
    Ignored,
    /// Enter a room, with its key.
    Join(Arc<str>, Option<Arc<str>>),
    /// Leave a room, with a reason.
    Part(Arc<str>, Option<Arc<str>>),
    /// List rooms, users or connections.
    List(Box<Listing>),
    /// Show a user's details.
    Whois(Arc<str>),
    /// Show the topic.
    Topic(Arc<str>),
    /// Set the topic.
    SetTopic(Arc<str>, Arc<str>),
    /// Invite a nick to a room.
    Invite(Arc<str>, Arc<str>),
    /// Send a message to a room.
    Say(Arc<str>, Kind, Arc<str>),
    /// Send a direct message to a nick or an account.
    Tell(Arc<str>, Kind, Arc<str>),
    /// Send a message with IRC's additions.
    SendMessage(Box<SendMessage>),
    /// Send tags without a text.
    Tag(Box<Tagging>),
    /// Have another real name.
    RealName(Arc<str>),
    /// Be something else.
    UserModes(Vec<(UserMode, bool)>),
    /// Send a message to the users with mode `w`.
    Wallops(Arc<str>),
    /// Delete a message, with a reason.
    Redact(Arc<str>, Pick, Arc<str>),
    /// Reply to the sender of the last direct message.
    Answer(Arc<str>),
    /// Answer a message of a room.
    Reply(Arc<str>, Pick, Arc<str>),
    /// Show the thread of a message.
    Thread(Arc<str>, Pick),
    /// React to a message, or take it back.
    React(Arc<str>, Pick, Arc<str>, bool),
    /// Change a message.
    Edit(Arc<str>, Pick, Arc<str>),
    /// The messages of a room.
    History(Arc<str>, Range, Option<u32>),
    /// The messages and events of a room or a direct conversation.
    Playback(Arc<str>, Range, Option<u32>),
    /// The direct messages exchanged with another user.
    PrivateHistory(Arc<str>, Range, Option<u32>),
    /// Search messages: words, room, sender, and where.
    Search(Arc<str>, Option<Arc<str>>, Option<Arc<str>>, Range),
    /// Set metadata of a nick or a room; `None` removes the key.
    SetMetadata(Arc<str>, Arc<str>, Option<Arc<str>>),
    /// Remove all metadata of a nick or a room.
    ClearMetadata(Arc<str>),
    /// Move the read marker of a room or nick to this time.
    MarkRead(Arc<str>, Moment),
    /// Make my nick an account.
    Register(Secret),
    /// Log in to an account.
    Login(Arc<str>, Secret),
    /// Log out.
    Logout,
    /// Change my password: the old one, the new one.
    Password(Secret, Secret),
    /// For operators: give an account this password; whether the account is to be made.
    SetAccount(Arc<str>, Secret, bool),
    /// For operators: delete an account; whether everything it has written is erased.
    DeleteAccount(Arc<str>, bool),
    /// Have the account know this certificate by its fingerprint, or no longer.
    Certificate(Arc<str>, bool),
    /// List the certificates that the account knows.
    Certificates,
    /// Show the modes of a room.
    Modes(Arc<str>),
    /// Change them.
    SetModes(Arc<str>, Vec<ModeChange>),
    /// List the bans of a room.
    Bans(Arc<str>),
    /// Put a nick out of a room.
    Kick(Arc<str>, Arc<str>, Option<Arc<str>>),
    /// Rename a room, with a reason.
    RenameRoom(Arc<str>, Arc<str>, Option<Arc<str>>),
    /// Keep a room alive without members, or no longer.
    Keep(Arc<str>, bool),
    /// Be a server operator: name and password.
    Oper(Arc<str>, Secret),
    /// End a nick's session.
    Kill(Arc<str>, Option<Arc<str>>),
    /// Ban an address or account from the server, for a number of milliseconds or permanently.
    ServerBan(BanTarget, Option<i64>, Option<Arc<str>>),
    /// Remove a server ban.
    ServerUnban(BanTarget),
    /// Send a message to all users.
    Announce(Arc<str>),
    /// Delete an uploaded file, by its id.
    DeleteFile(Arc<str>),
}

/// A message with IRC's additions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SendMessage {
    /// To which room or nick.
    pub to: Arc<str>,
    /// In which manner.
    pub kind: Kind,
    pub text: Arc<str>,
    /// The client-only tags, as received.
    pub tags: Option<Arc<str>>,
    /// Only to those who have at least this: `@` op, `+` voice.
    pub status: Option<char>,
    /// The message it replies to, if that belongs to the room.
    pub reply: Option<Pick>,
    pub continuations: Option<Continuations>,
}

/// Tags to be sent without a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tagging {
    /// To which room or nick.
    pub to: Arc<str>,
    /// The tags, as received.
    pub tags: Arc<str>,
    /// Only to those who have at least this: `@` op, `+` voice.
    pub status: Option<char>,
    /// The reaction that they are: to which message, with what, and whether it is put on. It is
    /// one if that is one of the room's messages.
    pub reaction: Option<(Pick, Arc<str>, bool)>,
}

/// A reference to a message of a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pick {
    /// By its number.
    Number(u64),
    /// By its id.
    Id(RecordId),
    /// As the journal found it; made by [`Command::found`] only.
    Found(Reference),
}

impl Command {
    /// The same command, with the result of its [`Decision::Lookup`]: the message, and how many
    /// reactions it has.
    ///
    /// # Errors
    /// If it would be one reaction too many.
    pub fn found(
        mut self,
        reference: Reference,
        reactions: &[Name],
        asker: Option<&Name>,
    ) -> Result<Command, Refusal> {
        let reacts = match &self {
            Command::React(_, _, _, on) => *on,
            Command::Tag(tagging) => tagging.reaction.as_ref().is_some_and(|(_, _, on)| *on),
            _ => false,
        };
        if reacts {
            let own = reactions.iter().filter(|nick| Some(*nick) == asker).count();
            below(own, limits::REACTIONS_PER_USER, Refusal::TooManyReactions)?;
            below(reactions.len(), limits::REACTIONS_PER_MESSAGE, Refusal::TooManyReactions)?;
        }
        match &mut self {
            Command::Reply(_, pick, _)
            | Command::Thread(_, pick)
            | Command::React(_, pick, _, _)
            | Command::Edit(_, pick, _)
            | Command::Redact(_, pick, _) => *pick = Pick::Found(reference),
            Command::SendMessage(speech) => speech.reply = Some(Pick::Found(reference)),
            Command::Tag(tagging) => {
                if let Some((pick, ..)) = &mut tagging.reaction {
                    *pick = Pick::Found(reference);
                }
            }
            _ => {}
        }
        Ok(self)
    }

    /// The same command, if there is no such message: an IRC client's reply to a message it knows
    /// from elsewhere is sent anyway. `None` if nothing is left of it.
    pub fn not_found(self) -> Option<Command> {
        match self {
            Command::SendMessage(speech) => {
                Some(Command::SendMessage(Box::new(SendMessage { reply: None, ..*speech })))
            }
            Command::Tag(tagging) => {
                Some(Command::Tag(Box::new(Tagging { reaction: None, ..*tagging })))
            }
            _ => None,
        }
    }
}

/// The hub's decision about a command.
#[derive(Clone, PartialEq, Debug)]
pub enum Decision {
    /// Write this down; when it is kept, apply it.
    Change(Change),
    /// Send this to the client at once.
    Reply(Event),
    /// Query the journal, then send the client [`Event::Past`].
    Ask(Query),
    /// The same for a page of an answer, and what is left behind it.
    AskPage(Query, Option<Box<Rest>>),
    /// Look up a message in the journal, then decide `then.found(it)`, or `then.not_found()` if
    /// there is no such message; if that is `None`, reject with `missing`.
    Lookup { lookup: Lookup, then: Box<Command>, missing: Refusal },
    /// Let the worker do this, then call [`Hub::worked`](crate::chat::Hub::worked) with the outcome.
    Work(Work),
    /// It cannot be done.
    Refuse(Refusal),
}

/// Work that takes too long for the loop, or needs a secret that the chat does not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Work {
    /// Make a hash of a password, and the keys for SCRAM: with the salt of the former ones, so that a
    /// proof by the former password is known for one.
    Hash { secret: Secret, former: Option<ScramKeys>, purpose: Purpose },
    /// Verify the password against the hash. Without a hash (there is no such account), the worker
    /// verifies against an arbitrary one and fails: the reply must take as long as for a wrong
    /// password.
    Verify {
        /// The password.
        secret: Secret,
        /// The hash. For [`Purpose::Oper`], the server looks it up in its configuration.
        hash: Option<PasswordHash>,
        /// The hash of the password before the last change. Trying it, too, takes time, which tells
        /// that the account has changed its password within the hour.
        former: Option<PasswordHash>,
        /// Whether the account has no SCRAM keys: if the password is right, derive them too.
        lacks_keys: bool,
        purpose: Purpose,
    },
    /// The first step of SCRAM: the challenge, for the name as the client gave it. Without an account's
    /// keys the worker makes up a salt, always the same for the same name, because the existence of an
    /// account must not be revealed.
    Challenge { name: Arc<str>, keys: Option<ScramKeys> },
    /// The second step of SCRAM: verify the proof. Without keys, it fails.
    Proof {
        /// The messages exchanged.
        said: ScramProof,
        /// The account's keys.
        keys: Option<ScramKeys>,
        /// The keys of the password before the last change.
        former: Option<ScramKeys>,
        purpose: Purpose,
    },
}

/// The client's part of SCRAM's second step. RFC 5802, section 3.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScramProof {
    /// `AuthMessage`: the messages of both sides before the proof.
    pub message: String,
    /// `ClientProof`.
    pub proof: Box<[u8]>,
}

/// The result of SCRAM's first step. RFC 5802, section 5.1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// The server's part of the nonce.
    pub nonce: String,
    /// The salt, in base64.
    pub salt: String,
    /// The iteration count of the hash.
    pub iterations: u32,
}

/// What a password is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To make the nick an account.
    Register(Name),
    /// To make an account whose owner has not entered yet.
    RegisterEarly(Name),
    /// To log in.
    Login(Claim),
    /// To begin to log in, by SCRAM.
    Challenge,
    /// To authenticate the owner before the password is changed to this one.
    Change(Name, Secret),
    /// To change the password.
    Replace(Name),
    /// To be given to an account by an operator; whether the account is to be made.
    Set(Name, bool),
    /// To be a server operator, by the password of which the server has this hash.
    Oper(Arc<str>, Option<PasswordHash>),
}

/// The result of the work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The hash and the SCRAM keys; no keys if SCRAM does not allow the password (RFC 4013: control
    /// characters, for example).
    Hashed(PasswordHash, Option<ScramKeys>),
    /// Whether the password is right.
    Verified(bool),
    /// It is wrong, and was right before the last change: no guess.
    Former,
    /// It fits this hash, and these are the keys that were lacking.
    VerifiedWithKeys(PasswordHash, ScramKeys),
    Challenge(Challenge),
    /// The client's proof is right, and this is the server's: `ServerSignature` in base64.
    Signed(String),
}
