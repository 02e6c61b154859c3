//! Fingerprints of certificates as people write them.

use std::sync::Arc;

/// As accounts know them: lower case, without colons. What is no fingerprint stays one that no
/// account knows.
pub(super) fn canonical(text: &str) -> Arc<str> {
    text.replace(':', "").to_ascii_lowercase().into()
}
