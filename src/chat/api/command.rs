//! What somebody wants, and what the hub makes of it.

use super::effect::Event;
use crate::chat::log::record::{BanTarget, Change};
use crate::chat::model::ids::{Moment, RecordId};
use crate::chat::model::message::{Joints, Kind, Reference};
use crate::chat::model::modes::{ModeChange, UserMode};
use crate::chat::model::name::Name;
use crate::chat::model::query::{Lookup, Query, Range};
use crate::chat::model::refusal::Refusal;
use crate::chat::model::secret::{PasswordHash, ScramKeys, Secret};
use std::sync::Arc;

/// A wish of one session. Names come as they were typed; every one of them is checked. Rooms are
/// named always: which one is current is the session's business.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Take a nick.
    Nick(Arc<str>),
    /// Be away (`Some`) or back.
    Away(Option<Arc<str>>),
    /// Ignore a nick, or no longer.
    Ignore(Arc<str>, bool),
    /// Whom do I ignore?
    Ignored,
    /// Enter a room, with its key.
    Join(Arc<str>, Option<Arc<str>>),
    /// Leave a room, with a reason.
    Part(Arc<str>, Option<Arc<str>>),
    /// Which rooms are there?
    Rooms,
    /// Who is in the room, or everywhere?
    Who(Option<Arc<str>>),
    /// Who is that?
    Whois(Arc<str>),
    /// What is the topic?
    Topic(Arc<str>),
    /// Set the topic.
    SetTopic(Arc<str>, Arc<str>),
    /// Invite a nick to a room.
    Invite(Arc<str>, Arc<str>),
    /// Say something in a room.
    Say(Arc<str>, Kind, Arc<str>),
    /// Say something to a nick or an account.
    Tell(Arc<str>, Kind, Arc<str>),
    /// Say something with all that IRC can add to it.
    SendMessage(Box<SendMessage>),
    /// Send tags without a text.
    Tag(Box<Tagging>),
    /// Have another real name.
    RealName(Arc<str>),
    /// Be something else.
    UserModes(Vec<(UserMode, bool)>),
    /// Say something to those who want to hear operators.
    Wallops(Arc<str>),
    /// Delete a message, and say why.
    Redact(Arc<str>, Pick, Arc<str>),
    /// Say something to the last one who said something to me.
    Answer(Arc<str>),
    /// Answer a message of a room.
    Reply(Arc<str>, Pick, Arc<str>),
    /// Show the thread of a message.
    Thread(Arc<str>, Pick),
    /// React to a message, or take it back.
    React(Arc<str>, Pick, Arc<str>, bool),
    /// Change a message.
    Edit(Arc<str>, Pick, Arc<str>),
    /// Delete a message.
    Delete(Arc<str>, Pick),
    /// What was said in a room?
    History(Arc<str>, Range, Option<u32>),
    /// What was said and happened in a room, or between me and somebody?
    Playback(Arc<str>, Range, Option<u32>),
    /// What was said between me and somebody?
    PrivateHistory(Arc<str>, Range, Option<u32>),
    /// Where was this said: words, in which room, by whom?
    Search(Arc<str>, Option<Arc<str>>, Option<Arc<str>>),
    /// Say of a nick or a room for programs: key and value; `None` removes the key.
    SetMetadata(Arc<str>, Arc<str>, Option<Arc<str>>),
    /// Remove all that is said of a nick or a room for programs.
    ClearMetadata(Arc<str>),
    /// I have read what was said in a room or by a nick, until this moment.
    MarkRead(Arc<str>, Moment),
    /// Make my nick an account.
    Register(Secret),
    /// Log in to an account.
    Login(Arc<str>, Secret),
    /// Log out.
    Logout,
    /// Change my password: the old one, the new one.
    Password(Secret, Secret),
    /// Which modes has a room?
    Modes(Arc<str>),
    /// Change them.
    SetModes(Arc<str>, Vec<ModeChange>),
    /// Whom does a room keep out?
    Bans(Arc<str>),
    /// Put a nick out of a room.
    Kick(Arc<str>, Arc<str>, Option<Arc<str>>),
    /// Give a room another name, and say why.
    RenameRoom(Arc<str>, Arc<str>, Option<Arc<str>>),
    /// Keep a room alive without members, or no longer.
    Keep(Arc<str>, bool),
    /// Be a server operator: name and password.
    Oper(Arc<str>, Secret),
    /// End a nick's session.
    Kill(Arc<str>, Option<Arc<str>>),
    /// Keep an address or account out, for so many milliseconds or for ever.
    ServerBan(BanTarget, Option<i64>, Option<Arc<str>>),
    /// Let it in again.
    ServerUnban(BanTarget),
    /// Whom does the server keep out?
    ServerBans,
    /// Say something to everyone.
    Announce(Arc<str>),
    /// Who is connected from where?
    Connections,
}

/// Something to be said, with all that IRC can add to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SendMessage {
    /// To which room or nick.
    pub to: Arc<str>,
    /// In which manner.
    pub kind: Kind,
    /// What.
    pub text: Arc<str>,
    /// The tags between clients, as they came.
    pub tags: Option<Arc<str>>,
    /// Only to those who have at least this: `@` op, `+` voice.
    pub status: Option<char>,
    /// The message it answers, if that is one of the room's.
    pub reply: Option<Pick>,
    /// Where a line goes on that came as two.
    pub joints: Option<Joints>,
}

/// Tags to be sent without a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tagging {
    /// To which room or nick.
    pub to: Arc<str>,
    /// The tags, as they came.
    pub tags: Arc<str>,
    /// Only to those who have at least this: `@` op, `+` voice.
    pub status: Option<char>,
    /// The reaction that they are: to which message, with what, and whether it is put on. It is
    /// one if that is one of the room's messages.
    pub reaction: Option<(Pick, Arc<str>, bool)>,
}

/// Which message of a room.
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
    /// Whether it can be decided while changes of the same session wait for the journal, and
    /// others after it while it waits itself: words follow each other; everything else must see
    /// what the session did before, and be seen by what it does next.
    pub fn pipelines(&self) -> bool {
        matches!(self, Command::Say(..) | Command::Tell(..) | Command::SendMessage(..))
    }

    /// The same wish, with the answer to its [`Decision::Lookup`].
    #[must_use]
    pub fn found(mut self, reference: Reference) -> Command {
        match &mut self {
            Command::Reply(_, pick, _)
            | Command::Thread(_, pick)
            | Command::React(_, pick, _, _)
            | Command::Edit(_, pick, _)
            | Command::Delete(_, pick)
            | Command::Redact(_, pick, _) => *pick = Pick::Found(reference),
            Command::SendMessage(speech) => speech.reply = Some(Pick::Found(reference)),
            Command::Tag(tagging) => {
                if let Some((pick, ..)) = &mut tagging.reaction {
                    *pick = Pick::Found(reference);
                }
            }
            _ => {}
        }
        self
    }

    /// The same wish, if there is no such message: what an IRC client says in answer to one it
    /// knows from elsewhere is said all the same. `None` if nothing is left of it.
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

/// What is to be done about a command.
#[derive(Clone, PartialEq, Debug)]
pub enum Decision {
    /// Write this down; when it is kept, apply it.
    Change(Change),
    /// Tell the asker this, now.
    Reply(Event),
    /// Let the journal answer, then tell the asker [`Event::Past`].
    Ask(Query),
    /// Let the journal find a message, then decide `then.found(it)`; if there is none,
    /// `then.not_found()`; if that is nothing, refuse with `missing`.
    Lookup {
        /// What to look for.
        lookup: Lookup,
        /// What to decide then.
        then: Box<Command>,
        /// What to say if there is none.
        missing: Refusal,
    },
    /// Let the worker do this, then call [`Hub::worked`](super::Hub::worked) with the outcome.
    Work(Work),
    /// It cannot be done.
    Refuse(Refusal),
}

/// What takes too long for the loop, or needs a secret that the chat does not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Work {
    /// Make a hash of a password, and the keys for SCRAM.
    Hash {
        /// The password.
        secret: Secret,
        /// What it is for.
        purpose: Purpose,
    },
    /// Does the password fit the hash? Without one (there is no such account) the worker verifies
    /// against any hash and says no: the answer must take as long as it does for a wrong password.
    Verify {
        /// The password.
        secret: Secret,
        /// What it must fit. For [`Purpose::Oper`] the server looks the hash up in its
        /// configuration.
        hash: Option<PasswordHash>,
        /// Whether the account lacks keys for SCRAM: if the password fits, make them, too.
        lacks_keys: bool,
        /// What it is for.
        purpose: Purpose,
    },
    /// SCRAM's first step: what does the client have to prove that it knows?
    Challenge {
        /// The name as the client gave it.
        name: Arc<str>,
        /// The account's keys. Without them the worker makes a salt up, always the same for the
        /// same name: whether there is such an account must not be told.
        keys: Option<ScramKeys>,
    },
    /// SCRAM's second step: has the client proved it? Without keys it has not.
    Proof {
        /// What both sides have said.
        said: ScramProof,
        /// The account's keys.
        keys: Option<ScramKeys>,
        /// What it is for.
        purpose: Purpose,
    },
}

/// The client's part of SCRAM's second step. RFC 5802, section 3.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScramProof {
    /// `AuthMessage`: what was said before the proof, by both.
    pub message: String,
    /// `ClientProof`.
    pub proof: Box<[u8]>,
}

/// What SCRAM's first step answers. RFC 5802, section 5.1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// What the server adds to the client's nonce.
    pub nonce: String,
    /// The salt, in base64.
    pub salt: String,
    /// How often the password is to be hashed.
    pub iterations: u32,
}

/// What a password is wanted for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To make the nick an account.
    Register(Name),
    /// To log in.
    Login(Name),
    /// To begin to log in, by SCRAM.
    Challenge,
    /// To prove to be the owner before the password is changed to this one.
    Change(Name, Secret),
    /// To change the password.
    Replace(Name),
    /// To be a server operator.
    Oper(Arc<str>),
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The hash, and the keys for SCRAM; no keys if the password is none that SCRAM can have
    /// (RFC 4013: a control character, for one).
    Hashed(PasswordHash, Option<ScramKeys>),
    /// Whether it fits.
    Verified(bool),
    /// It fits this hash, and these are the keys that were lacking.
    VerifiedWithKeys(PasswordHash, ScramKeys),
    /// What the client is to prove.
    Challenge(Challenge),
    /// The client has proved it, and this proves to the client that we know the account:
    /// `ServerSignature` in base64.
    Signed(String),
}
