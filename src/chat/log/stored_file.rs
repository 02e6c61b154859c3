//! A file that was uploaded: all that is kept of it beside its bytes.

use crate::chat::model::{Moment, Name, Origin, RecordId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An uploaded file. Its bytes are where the server keeps them, under its id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StoredFile {
    /// 128 random bits, in hexadecimal digits: anyone who knows them may read the file.
    pub id: Arc<str>,
    /// As the uploader named it; it is shown, and is no path.
    pub name: Arc<str>,
    /// In bytes.
    pub size: u64,
    /// SHA-256 of the bytes, in hexadecimal digits.
    pub sha256: Arc<str>,
    /// The nick or account that uploaded it.
    pub by: Name,
    /// The account, unless it was a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Name>,
    /// From where.
    pub origin: Origin,
    /// The room it was shared in, by the record that created the room: names change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RecordId>,
    pub time: Moment,
}
