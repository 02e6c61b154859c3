//! Passwords on their way to the worker, and what is stored of them.
//!
//! Invariant: no type here shows its text in `Debug`, so no log line, panic message or transcript
//! can contain one. [`PasswordHash`] and [`ScramKeys`] can be serialised; a [`Secret`] cannot.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Hidden(String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A password as it was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Secret(Hidden);

impl Secret {
    /// Takes a password in.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Hidden(text.into()))
    }

    /// The text: for hashing and verifying, nothing else.
    pub fn expose(&self) -> &str {
        &self.0.0
    }
}

/// A salted hash in the PHC string format (`$argon2id$v=19$…`).
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(Hidden);

impl PasswordHash {
    /// Wraps a PHC string, unchecked.
    pub fn new(phc: impl Into<String>) -> PasswordHash {
        PasswordHash(Hidden(phc.into()))
    }

    /// The PHC string, for verifying.
    pub fn as_phc(&self) -> &str {
        &self.0.0
    }
}

/// What SCRAM-SHA-256 stores of a password, in the format of RFC 5803:
/// `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`.
///
/// An attacker who obtains it can try to guess the password, as with a hash, and can impersonate
/// this server to the client, but cannot log in with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScramKeys(Hidden);

impl ScramKeys {
    /// Wraps the text, unchecked.
    pub fn new(text: impl Into<String>) -> ScramKeys {
        ScramKeys(Hidden(text.into()))
    }

    /// The text, for the worker.
    pub fn as_text(&self) -> &str {
        &self.0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_none_of_them() {
        let (secret, hash) = (Secret::new("hunter2"), PasswordHash::new("hunter2"));
        let shown = format!("{secret:?} {hash:?} {:?}", ScramKeys::new("hunter2"));
        assert!(!shown.contains("hunter2"));
    }
}
