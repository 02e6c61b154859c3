//! The selection of an export, and its outcome.

use crate::chat::Name;

/// What is to be published.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// One room only.
    pub room: Option<Name>,
    /// Direct messages.
    pub private: bool,
    /// The list of accounts.
    pub accounts: bool,
}

/// What was published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Published {
    pub messages: u64,
    /// Rooms that not everyone may enter, and that were not asked for.
    pub left_out: usize,
}
