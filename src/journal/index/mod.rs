//! Answers about history: messages and events.
//!
//! | file | subject |
//! |---|---|
//! | `query`, `span` | queries, and the spans of history they refer to |
//! | `store` | what is an index? |
//! | `memory`, `ring`, `message_rings`, `event_rings` | how are the last messages and events of every room kept without a file? |
//! | `search` | how is a text found without a file? |
//! | `search_spans` | how far has a search come, in either index? |
//! | `fair_queue` | whose query is next? |
//! | `guests` | direct messages of users without an account |
//! | `sqlite` | how are the tables of the file filled and searched? |

mod event_rings;
mod fair_queue;
pub(super) mod guests;
pub(super) mod memory;
mod message_rings;
pub(super) mod query;
mod ring;
mod search;
mod search_spans;
mod span;
#[cfg(feature = "disk")]
pub(super) mod sqlite;
pub(super) mod store;
