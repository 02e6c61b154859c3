//! What a chat *is*: who is there, what was said, and who is to hear of it.
//!
//! Pure: no sockets, no files, no threads, no clock. A wish ([`Command`]) is decided, its change
//! is written down as a [`Record`], the [`Hub`] then applies it and answers with [`Effect`]s.
//! [`Hub::apply`] is the only place where state changes, and the same records give the same state
//! and the same effects on every machine.
//!
//! Users, rooms and permissions are in IRC's terms: nick, account, channel modes, op and voice,
//! ban masks, message ids, server time. Absent: every text that a person reads. The hub says
//! *what* happened; a session finds the words for it in its peer's dialect. Absent, too: past
//! messages, but the last few of every room; for others the hub makes a [`Query`] for the journal.
//!
//! | file | question |
//! |---|---|
//! | [`limits`] | how much of everything? |
//! | `name`, `mask`, `secret` | what is a nick, whom does a ban mean, what of a password is kept? |
//! | `command`, `refusal` | what may somebody want, and why can it not be? |
//! | `record`, `effect`, `audience`, `answer`, `entry`, `happened`, `query` | what is written down, told, and to whom; kept for history, asked? |
//! | `hub`, `room`, `user`, `identity`, `modes` | what is the state: of all, of a room, of a person; which modes are there? |
//! | `presence`, `rooms`, `renaming`, `words`, `mentions`, `messages`, `accounts`, `scram`, `moderation`, `administration` | how does it change? |
//! | `metadata`, `markers` | what is said of people and rooms for programs; how far has somebody read? |
//! | `questions`, `throttle` | what can be answered; who must wait? |

mod accounts;
mod administration;
mod answer;
mod audience;
mod command;
mod effect;
mod entry;
mod happened;
mod hub;
mod identity;
pub mod limits;
mod markers;
mod mask;
mod mentions;
mod messages;
mod metadata;
mod moderation;
mod modes;
mod name;
mod presence;
pub mod query;
mod questions;
mod record;
mod refusal;
mod renaming;
mod room;
mod rooms;
mod scram;
mod secret;
mod throttle;
mod user;
mod words;

#[cfg(test)]
mod tests;

pub use answer::{Person, RoomLine, ServerBanLine, Whois};
pub use audience::{Audience, Viewpoint};
pub use command::{
    Challenge, Command, Decision, Outcome, Pick, Purpose, ScramProof, SendMessage, Tagging, Work,
};
pub use effect::{
    AccountStep, DirectMessage, Effect, Event, Holder, Past, Quoted, RoomMessage, Stamp,
};
pub use entry::{HistoryUpdate, StoredMessage, Target};
pub use happened::{HistoryEvent, StoredEvent};
pub use hub::Hub;
pub use identity::Identity;
pub use markers::marker_target;
pub use mask::{Mask, glob};
pub use metadata::{Metadata, MetadataChanges, is_metadata_key, set_metadata};
pub use modes::{Flag, ModeChange, Modes, UserMode};
pub use name::{Caseless, Name, NickFault, RoomFault};
pub use query::{Lookup, Point, Query, Range, Scope};
pub use record::{
    BanTarget, Change, Entry, Joints, Kind, Moment, QuitReason, Record, RecordId, Reference,
    SessionId,
};
pub use refusal::{Field, Refusal};
pub use room::{Ban, Member, Room, Topic};
pub use secret::{PasswordHash, ScramKeys, Secret};
pub use user::User;
