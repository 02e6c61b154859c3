//! A password from a terminal or a pipe, for `chatloop-server hash` and `passwd`.

use super::hashing::Hashing;
use super::random::Random;
use crate::chat::limits::{PASSWORD_LEAST, PASSWORD_LENGTH};
use crate::chat::{PasswordHash, Secret};
use std::io::{self, BufRead, IsTerminal, Read};

/// Asks for a password and makes its hash.
pub fn ask_and_hash() -> Result<PasswordHash, String> {
    let hash = Hashing::default().hash(&ask()?, &mut Random::System);
    hash.ok_or_else(|| "the system has no randomness for a salt".to_owned())
}

/// Asks for a password: twice and without echo at a terminal, else for one line of stdin.
pub(super) fn ask() -> Result<Secret, String> {
    let secret = if io::stdin().is_terminal() { from_terminal()? } else { from_line()? };
    check(secret.expose())?;
    Ok(secret)
}

/// Whether it can be a password of an account or of an operator.
pub(super) fn check(password: &str) -> Result<(), String> {
    if password.contains(char::is_whitespace) {
        // `/oper NAME PASSWORD` takes one word.
        return Err("passwords cannot contain spaces".to_owned());
    }
    if password.chars().count() < PASSWORD_LEAST || password.len() > PASSWORD_LENGTH {
        return Err(format!(
            "a password needs at least {PASSWORD_LEAST} characters and at most {PASSWORD_LENGTH} bytes"
        ));
    }
    Ok(())
}

fn from_terminal() -> Result<Secret, String> {
    let ask = |prompt| rpassword::prompt_password(prompt).map(Secret::new).map_err(unread);
    let first = ask("Password: ")?;
    // Confirms a password that cannot be seen while typing.
    let agree = ask("Repeat password: ")? == first;
    if agree { Ok(first) } else { Err("the passwords do not match".to_owned()) }
}

fn unread(error: io::Error) -> String {
    format!("could not read the password: {error}")
}

fn from_line() -> Result<Secret, String> {
    let mut line = String::new();
    // One more than fits, its end, and a byte order mark in front, so that an overlong password is detected.
    let most = PASSWORD_LENGTH as u64 + 6;
    io::stdin().lock().take(most).read_line(&mut line).map_err(unread)?;
    let line = line.trim_start_matches('\u{feff}');
    Ok(Secret::new(line.trim_end_matches(['\n', '\r'])))
}
