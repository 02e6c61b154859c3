//! Passwords on their way to the worker, and what is stored of them.
//!
//! Invariant: no type here shows its text in `Debug`, so no log line, panic message or transcript
//! can contain one. [`PasswordHash`] and [`ScramKeys`] can be serialised; a [`Secret`] cannot.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A password as it was typed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a password in.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text: for hashing and verifying, nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A salted hash in the PHC string format (`$argon2id$v=19$…`).
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a PHC string, unchecked.
    pub fn new(phc: impl Into<String>) -> PasswordHash {
        PasswordHash(phc.into())
    }

    /// The PHC string, for verifying.
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// What SCRAM-SHA-256 stores of a password, in the format of RFC 5803:
/// `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`.
///
/// An attacker who obtains it can try to guess the password, as with a hash, and can impersonate
/// this server to the client, but cannot log in with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScramKeys(String);

impl ScramKeys {
    /// Wraps the text, unchecked.
    pub fn new(text: impl Into<String>) -> ScramKeys {
        ScramKeys(text.into())
    }

    /// The text, for the worker.
    pub fn as_text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramKeys(…)")
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
