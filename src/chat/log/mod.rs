//! The record format: everything that is kept.
//!
//! Variants and fields are names in a journal that outlives this program: they may be added to (new
//! fields with `#[serde(default)]`), but keep their stored names (`#[serde(rename = …)]`).

mod history_event;
mod record;
mod stored_file;
mod stored_message;

pub use history_event::{HistoryEvent, StoredEvent};
pub use record::{BanTarget, Change, Entry, QuitReason, Record};
pub use stored_file::StoredFile;
pub use stored_message::{StoredMessage, Target};
