//! Export and import in a build without the feature `disk`: the error says which feature is missing.

use super::error::JournalError;
use super::outcome::{Published, Selection};
use crate::chat::{Hub, Name};
use std::io::{BufRead, Write};
use std::path::Path;

pub fn export(_: &Path, _: Option<&Name>, _: &mut impl Write) -> Result<u64, JournalError> {
    Err(JournalError::NoDisk)
}

pub fn publish(_: &Path, _: &Selection, _: &mut impl Write) -> Result<Published, JournalError> {
    Err(JournalError::NoDisk)
}

pub fn backup(_: &Path, _: &Path) -> Result<(), JournalError> {
    Err(JournalError::NoDisk)
}

pub fn restore(_: &Path, _: &Path) -> Result<Hub, JournalError> {
    Err(JournalError::NoDisk)
}

pub fn import(_: &Path, _: &mut impl BufRead) -> Result<u64, JournalError> {
    Err(JournalError::NoDisk)
}
