//! Checks that several rules share.

use crate::chat::model::{Field, Refusal, Result, limits};
use crate::chat::state::User;
use std::sync::Arc;

/// Whether there is a text.
pub(super) fn given(field: Field, text: &str) -> Result<()> {
    if text.is_empty() { Err(Refusal::Missing(field)) } else { Ok(()) }
}

/// Whether a text is short enough.
pub(super) fn fits(field: Field, text: &str, most: usize) -> Result<()> {
    if text.len() > most { Err(Refusal::TooLong(field, most)) } else { Ok(()) }
}

/// Whether a server operator asks.
pub(super) fn operates(user: &User) -> Result<()> {
    if user.is_operator() { Ok(()) } else { Err(Refusal::NotOperator) }
}

pub(super) fn checked_text(text: Arc<str>) -> Result<Arc<str>> {
    given(Field::Text, &text)?;
    fits(Field::Text, &text, limits::TEXT_LENGTH)?;
    Ok(text)
}

/// A reason of valid length; `None` if it is empty.
pub(super) fn checked_reason(reason: Option<Arc<str>>) -> Result<Option<Arc<str>>> {
    fits(Field::Reason, reason.as_deref().unwrap_or_default(), limits::REASON_LENGTH)?;
    Ok(reason.filter(|text| !text.is_empty()))
}
