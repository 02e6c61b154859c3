//! The values of a chat: ids, names, identities, modes, masks, texts, refusals.

mod audience;
pub mod check;
mod glob;
mod identity;
mod ids;
pub mod limits;
mod mask;
mod message;
mod metadata;
mod modes;
mod name;
mod origin;
pub mod query;
pub mod read_markers;
mod refusal;
mod secret;
mod topic;
mod walk;
pub mod work;

pub use audience::{Audience, Viewpoint};
pub use glob::{Glob, glob};
pub use identity::{Identity, IrcNames, host_of};
pub use ids::{Moment, RecordId, SessionId, SessionMap, SessionSet, Stamp};
pub use mask::Mask;
pub use message::{Continuations, Kind, Quoted, Reference};
pub use metadata::{Metadata, MetadataChanges, check_metadata, is_metadata_key, set_metadata};
pub use modes::{Flag, ModeChange, Modes, UserMode};
pub(in crate::chat) use name::is_nick_character;
pub use name::{Caseless, Name, NickFault, RoomFault, guest_number};
pub use origin::{NoOrigin, Origin};
pub use query::{Lookup, Point, Query, Range, Scope};
pub use read_markers::{ReadMarkers, advance, marker_target};
pub use refusal::{Field, Refusal};
pub use secret::{PasswordHash, ScramKeys, Secret};
pub use topic::Topic;
pub use walk::Walk;
