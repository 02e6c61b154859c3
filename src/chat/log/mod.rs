//! The record format: everything that is kept.
//!
//! Variants and fields are names in a journal that outlives this program: they may be added to (new
//! fields with `#[serde(default)]`), but keep their stored names (`#[serde(rename = …)]`).

pub mod history_event;
pub mod record;
pub mod stored_message;
