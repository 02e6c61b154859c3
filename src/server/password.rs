//! A password from a terminal or a pipe, for `chatloop-server hash` and `passwd`.

use super::hashing::Hashing;
use super::random::Random;
use crate::chat::limits::{PASSWORD_LEAST, PASSWORD_LENGTH};
use crate::chat::{PasswordHash, Secret};
use std::fmt;
use std::io::{self, BufRead, IsTerminal, Read};

/// Why there is no hash.
#[derive(Debug)]
pub enum NoHash {
    /// No password could be read.
    Unread(io::Error),
    /// The two that were typed differ.
    Differ,
    /// It has too few or too many characters.
    Length,
    /// It contains a space, and `/oper NAME PASSWORD` takes one word.
    NotOneWord,
    /// The system has no randomness for the salt.
    NoRandomness,
}

impl fmt::Display for NoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoHash::Unread(error) => write!(f, "could not read the password: {error}"),
            NoHash::Differ => f.write_str("the passwords do not match"),
            NoHash::Length => {
                write!(
                    f,
                    "a password needs at least {PASSWORD_LEAST} characters and at most {PASSWORD_LENGTH} bytes"
                )
            }
            NoHash::NotOneWord => f.write_str("passwords cannot contain spaces"),
            NoHash::NoRandomness => f.write_str("the system has no randomness for a salt"),
        }
    }
}

impl std::error::Error for NoHash {}

/// Asks for a password and makes its hash.
pub fn ask_and_hash() -> Result<PasswordHash, NoHash> {
    Hashing::default().hash(&ask()?, &mut Random::system()).ok_or(NoHash::NoRandomness)
}

/// Asks for a password: twice and without echo at a terminal, else for one line of stdin.
pub(super) fn ask() -> Result<Secret, NoHash> {
    let secret = if io::stdin().is_terminal() { from_terminal()? } else { from_line()? };
    check(secret.expose())?;
    Ok(secret)
}

/// Whether it can be a password of an account or of an operator.
pub(super) fn check(password: &str) -> Result<(), NoHash> {
    if password.contains(char::is_whitespace) {
        return Err(NoHash::NotOneWord);
    }
    if password.chars().count() < PASSWORD_LEAST || password.len() > PASSWORD_LENGTH {
        return Err(NoHash::Length);
    }
    Ok(())
}

fn from_terminal() -> Result<Secret, NoHash> {
    let ask = |prompt| rpassword::prompt_password(prompt).map(Secret::new).map_err(NoHash::Unread);
    let first = ask("Password: ")?;
    // Confirms a password that cannot be seen while typing.
    if ask("Repeat password: ")? == first { Ok(first) } else { Err(NoHash::Differ) }
}

fn from_line() -> Result<Secret, NoHash> {
    let mut line = String::new();
    // One more than fits, its end, and a byte order mark in front, so that an overlong password is detected.
    let most = PASSWORD_LENGTH as u64 + 6;
    io::stdin().lock().take(most).read_line(&mut line).map_err(NoHash::Unread)?;
    let line = line.trim_start_matches('\u{feff}');
    Ok(Secret::new(line.trim_end_matches(['\n', '\r'])))
}
