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

pub use api::answer::{Person, RoomLine, ServerBanLine, Whois};
pub use api::command::{
    Challenge, Command, Decision, Outcome, Pick, Purpose, ScramProof, SendMessage, Tagging, Work,
};
pub use api::effect::{AccountStep, DirectMessage, Effect, Event, Holder, Past, RoomMessage};
pub use api::history::HistoryUpdate;
pub use log::history_event::{HistoryEvent, StoredEvent};
pub use log::record::{BanTarget, Change, Entry, QuitReason, Record};
pub use log::stored_message::{StoredMessage, Target};
pub use model::audience::{Audience, Viewpoint};
pub use model::identity::Identity;
pub use model::ids::{Moment, RecordId, SessionId, Stamp};
pub use model::mask::{Mask, glob};
pub use model::message::{Joints, Kind, Quoted, Reference};
pub use model::metadata::{Metadata, MetadataChanges, is_metadata_key, set_metadata};
pub use model::modes::{Flag, ModeChange, Modes, UserMode};
pub use model::name::{Caseless, Name, NickFault, RoomFault};
pub use model::query::{Lookup, Point, Query, Range, Scope};
pub use model::read_markers::marker_target;
pub use model::refusal::{Field, Refusal};
pub use model::secret::{PasswordHash, ScramKeys, Secret};
pub use model::topic::Topic;
pub use model::{limits, query};
pub use state::hub::Hub;
pub use state::room::{Ban, Member, Room};
pub use state::user::User;
