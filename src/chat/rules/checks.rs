//! Checks of texts that several rules share.

use crate::chat::model::{Field, Refusal, Result, limits};
use std::sync::Arc;

pub(super) fn checked_text(text: Arc<str>) -> Result<Arc<str>> {
    if text.is_empty() {
        return Err(Refusal::Missing(Field::Text));
    }
    if text.len() > limits::TEXT_LENGTH {
        return Err(Refusal::TooLong(Field::Text, limits::TEXT_LENGTH));
    }
    Ok(text)
}

/// A reason of valid length; `None` if it is empty.
pub(super) fn checked_reason(reason: Option<Arc<str>>) -> Result<Option<Arc<str>>> {
    match reason {
        Some(text) if text.len() > limits::REASON_LENGTH => {
            Err(Refusal::TooLong(Field::Reason, limits::REASON_LENGTH))
        }
        reason => Ok(reason.filter(|text| !text.is_empty())),
    }
}
