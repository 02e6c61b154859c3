//! The chat itself: users, rooms, messages, permissions, and the recipients of every event.
//!
//! Pure: no sockets, no files, no threads, no clock. A [`Command`] is decided, its change is
//! recorded as a [`Record`], and the [`Hub`] applies it and returns [`Effect`]s. [`Hub::apply`] is
//! the only place where state changes, and the same records give the same state and effects on
//! every machine.
//!
//! Users, rooms and permissions use IRC's terms: nick, account, channel modes, op and voice, ban
//! masks, message ids, server time. Absent: text for people. The hub determines *what* happened; a
//! session renders it in its peer's protocol. Also absent: history, except for the most recent
//! messages of each room; for older ones the hub makes a [`Query`] for the journal.
//!
//! Each folder imports only from those above it, and no two files import each other:
//!
//! | folder | holds |
//! |---|---|
//! | `model` | values: ids, names, identities, modes, masks, texts, refusals |
//! | `log` | the record format: everything that is kept |
//! | `api` | what goes in and comes out: commands, effects, answers, history updates |
//! | `state` | the hub's tables: the snapshot |
//! | `rules` | `impl Hub`: what may be done and what it changes, a file for each family |

mod api;
mod log;
mod model;
mod rules;
mod state;

#[cfg(test)]
mod tests;

pub use api::{
    AccountChange, AccountLine, AccountStep, Challenge, Command, Decision, DirectMessage, Effect,
    Event, HistoryUpdate, Holder, Listing, Outcome, Page, Past, Person, Pick, Purpose, Rest,
    RoomLine, RoomMessage, ScramProof, SendMessage, ServerBanLine, Tagging, Whois, Work,
};
pub use log::{
    BanTarget, Change, Entry, HistoryEvent, QuitReason, Record, StoredEvent, StoredFile,
    StoredMessage, Target,
};
pub use model::{
    Audience, Caseless, Claim, Continuations, Field, Flag, Glob, Identity, IrcNames, Kind, Lookup,
    Mask, Metadata, MetadataChanges, ModeChange, Modes, Moment, Name, NickFault, NoOrigin, Origin,
    PasswordHash, Point, Query, Quoted, Range, RecordId, Reference, Refusal, RoomFault, Scope,
    ScramKeys, Secret, SessionId, SessionMap, SessionSet, Stamp, Topic, UserMode, Viewpoint, Walk,
    check, glob, is_metadata_key, limits, marker_target, query, set_metadata, work,
};
pub use rules::FileUsage;
pub use state::{Ban, Hub, Member, Recalled, Room, RoomUsage, User};
