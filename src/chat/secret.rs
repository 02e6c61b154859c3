//! Passwords on their way to the worker, and what is kept of them.
//!
//! Invariant: neither type shows its text in `Debug`, so no log line, panic message or transcript
//! can hold one, whoever prints a command. Only a [`PasswordHash`] can be written down; a
//! [`Secret`] has no serializer.

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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string; the worker that made it answers for its form.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither() {
        let shown = format!("{:?} {:?}", Secret::new("hunter2"), PasswordHash::new("hunter2"));
        assert!(!shown.contains("hunter2"));
    }
}
