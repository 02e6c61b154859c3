//! Mistyped logins, held back before a whole room reads a password.
//!
//! One space before `/login`, a slip of the finger, a keyboard whose `/` is elsewhere: the line
//! would be sent to everyone and kept in the history. So every message is checked for a first word
//! that is a command behind something that is not a letter, for one that is nearly a command with a
//! password, and for the bare name of such a command with exactly its arguments. Now and then that
//! holds back an innocent line; `/say` sends it anyway.
//!
//! Limit: a password alone on its line is not recognised.

use super::commands::{exists, nearest_secret, secrets};
use crate::chat::Command;

/// Rejects a command whose message looks like a command with a password.
pub(super) fn check_command(command: &Command) -> Result<(), String> {
    match command {
        Command::Say(_, _, text)
        | Command::Tell(_, _, text)
        | Command::Answer(text)
        | Command::Reply(_, _, text)
        | Command::Edit(_, _, text)
        | Command::Announce(text) => check(text),
        _ => Ok(()),
    }
}

/// Rejects a text that looks like a command with a password, without repeating any of it.
fn check(text: &str) -> Result<(), String> {
    let mut words = text.split_whitespace();
    let Some(first) = words.next() else { return Ok(()) };
    let bare = first.trim_start_matches(|c: char| !c.is_alphabetic());
    if bare.len() == first.len() {
        let exact = secrets().find(|(name, _)| bare.eq_ignore_ascii_case(name));
        return match exact {
            Some((name, count)) if words.count() == count => Err(held_back(name)),
            _ => Ok(()),
        };
    }
    if let Some(name) = nearest_secret(bare) {
        return Err(held_back(name));
    }
    let slash = first.strip_prefix('/').is_some_and(|rest| rest == bare);
    if slash && text.starts_with(char::is_whitespace) && exists(bare) {
        return Err("not sent: a command must begin its line (to send it as text, use /say)".into());
    }
    Ok(())
}

fn held_back(name: &str) -> String {
    format!(
        "not sent: it looks like /{name} with a password (see /help {name}; to send it as text, use /say)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_logins_are_held_back() {
        for line in [
            " /login alice hunter2",
            "\t/login alice hunter2",
            "/login alice hunter2",
            " /lgoin alice hunter2",
            "./login alice hunter2",
            "\\login alice hunter2",
            "7login alice hunter2",
            "login alice hunter2",
            "LOGIN alice hunter2",
            " /pasword hunter2 hunter3",
            " /regster hunter2",
            "register hunter2",
            " /opre root hunter2",
            " /loginalice hunter2",
            " /PASSWORD hunter2 hunter3",
        ] {
            let wrong = check(line).unwrap_err();
            assert!(!wrong.contains("hunter") && !wrong.contains("alice"), "{line}: {wrong}");
        }
        assert!(check(" /join #room").is_err());
    }

    #[test]
    fn ordinary_messages_are_not() {
        for line in [
            "hello",
            " indented",
            "/usr/bin/env",
            "  /etc/passwd is not for passwords",
            "login is broken for me again",
            "logic is fun",
            "the password is wrong",
            "- operation done",
            "…",
            "",
            "7 dwarfs",
        ] {
            assert_eq!(check(line), Ok(()), "{line}");
        }
    }
}
