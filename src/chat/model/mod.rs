//! The values of a chat: ids, names, identities, modes, masks, texts, refusals.

pub mod audience;
pub mod identity;
pub mod ids;
pub mod limits;
pub mod mask;
pub mod message;
pub mod metadata;
pub mod modes;
pub mod name;
pub mod query;
pub mod read_markers;
pub mod refusal;
pub mod secret;
pub mod topic;
