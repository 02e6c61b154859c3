//! Metadata: keys and values of a user or a room, for programs (IRCv3 metadata).

use super::limits;
use super::refusal::{Field, Refusal, below};
use super::require::require;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Keys and their values, in the order of the keys. A value is never empty.
pub type Metadata = BTreeMap<Arc<str>, Arc<str>>;

/// Changes of metadata: key, and value or `None` if it is removed.
pub type MetadataChanges = Vec<(Arc<str>, Option<Arc<str>>)>;

/// Whether a key is valid: `a-z 0-9 _ . / -`, within the length limit.
pub fn is_metadata_key(key: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'/' | b'-');
    (1..=limits::METADATA_KEY_LENGTH).contains(&key.len()) && key.bytes().all(allowed)
}

/// Sets a key, or removes it.
///
/// # Errors
/// The key or the value is not one, or there are as many keys as there may be.
pub fn set_metadata(
    metadata: &mut Metadata,
    key: &Arc<str>,
    value: Option<&Arc<str>>,
) -> Result<(), Refusal> {
    check_metadata(key, value)?;
    match value {
        None => {
            metadata.remove(key);
        }
        Some(value) => {
            if !metadata.contains_key(key) {
                below(metadata.len(), limits::METADATA_KEYS, Refusal::TooMuchMetadata)?;
            }
            metadata.insert(Arc::clone(key), Arc::clone(value));
        }
    }
    Ok(())
}

pub fn check_metadata(key: &Arc<str>, value: Option<&Arc<str>>) -> Result<(), Refusal> {
    require(is_metadata_key(key), || Refusal::BadMetadataKey(Arc::clone(key)))?;
    match value {
        Some(value) if value.is_empty() => Err(Refusal::Missing(Field::Metadata)),
        Some(value) if value.len() > limits::METADATA_VALUE_LENGTH => {
            Err(Refusal::TooLong(Field::Metadata, limits::METADATA_VALUE_LENGTH))
        }
        _ => Ok(()),
    }
}
