//! Mistyped logins, held back before a whole room reads a password.
//!
//! One space before `/login`, a slip of the finger, a keyboard whose `/` is elsewhere: the line
//! would be sent to everyone and kept in the history. So every message is checked for a first word
//! that is a command behind something that is not a letter, for one that is nearly a command with a
//! password, and for the bare name of such a command with exactly its arguments; and for the
//! commands of IRC with a password, from a client that was too slow to be taken for one of IRC. Now
//! and then that holds back an innocent line; `/say` sends it anyway.
//!
//! Limit: a password alone on its line is not recognised.

use super::commands::{exists, nearest_secret, secrets};
use crate::chat::Command;
use crate::session::detect;

/// Rejects a command whose message looks like a command with a password.
pub(super) fn check_command(command: &Command) -> Result<(), String> {
    match command {
        Command::Tell(to, _, text) => check(text).and(check(&format!("PRIVMSG {to} :{text}"))),
        Command::Say(_, _, text)
        | Command::Answer(text)
        | Command::Reply(_, _, text)
        | Command::Edit(_, _, text)
        | Command::Announce(text) => check(text),
        _ => Ok(()),
    }
}

/// Rejects a text that looks like a command with a password, without repeating any of it.
fn check(text: &str) -> Result<(), String> {
    if let Some(command) = irc_secret(text) {
        return Err(format!(
            "not sent: it looks like {command} of IRC with a password (to send it as text, use /say)"
        ));
    }
    let mut words = text.split_whitespace();
    let Some(first) = words.next() else { return Ok(()) };
    let bare = first.trim_start_matches(|c: char| !c.is_alphabetic());
    if bare.len() == first.len() {
        let is_meant = |name: &&str| bare.eq_ignore_ascii_case(name);
        let meant = secrets().find(|(names, _)| names.iter().any(|name| is_meant(name)));
        return match meant {
            Some((names, count)) if words.count() == count => Err(held_back(names[0])),
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

/// The IRC command with a password that a line is, as a program or a person writes it who takes this
/// for IRC: one that is never talk in any case, the others as programs write them.
fn irc_secret(text: &str) -> Option<&'static str> {
    let mut words = detect::without_tags(text.trim_start()).split_whitespace();
    let command = words.next()?.trim_start_matches(|c: char| !c.is_alphabetic());
    let next = words.next()?;
    let count = 1 + words.clone().count();
    let among = |all: &[&'static str], word: &str| {
        let word = word.trim_start_matches(':');
        all.iter().copied().find(|known| known.eq_ignore_ascii_case(word))
    };
    if among(&["PRIVMSG", "NOTICE", "SQUERY", "QUOTE", "RAW"], command).is_some() {
        let services = among(&SERVICES, next.split('@').next().unwrap_or_default());
        let text = words.next().unwrap_or_default();
        return services.filter(|_| among(&SERVICE_SECRETS, text).is_some()).map(|_| "a login");
    }
    if among(&SERVICES, command).is_some() {
        return among(&SERVICE_SECRETS, next).filter(|_| count > 1).map(|_| "a login");
    }
    let program = command.bytes().all(|byte| byte.is_ascii_uppercase());
    let exact = |name: &str| match name {
        "WEBIRC" => count == 4,
        "AUTHENTICATE" => count == 1,
        _ => false,
    };
    among(&["AUTHENTICATE", "IDENTIFY", "OPER", "PASS", "REGISTER", "WEBIRC"], command)
        .filter(|name| program || exact(name))
}

/// Services that take passwords in messages, and the commands that have one.
const SERVICES: [&str; 5] = ["NickServ", "NS", "AuthServ", "UserServ", "Q"];
const SERVICE_SECRETS: [&str; 11] = [
    "AUTH", "DROP", "GHOST", "GROUP", "ID", "IDENTIFY", "LOGIN", "RECOVER", "REGAIN", "REGISTER",
    "RELEASE",
];

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
            "identify alice hunter2",
            "passwd hunter2 hunter3",
            "PASS hunter2",
            "PASS :alice:hunter2",
            "AUTHENTICATE aHVudGVyMg==",
            "authenticate aHVudGVyMg==",
            "OPER alice hunter2",
            "OPER alice hunter2 again",
            "REGISTER alice * hunter2",
            "REGISTER * * :hunter2",
            "IDENTIFY hunter2",
            "WEBIRC hunter2 web host 192.0.2.1",
            "PRIVMSG NickServ :IDENTIFY hunter2",
            "privmsg nickserv :identify alice hunter2",
            "NOTICE NickServ@services :REGISTER hunter2 a@b",
            "@label=1 PRIVMSG NickServ IDENTIFY hunter2",
            "NickServ IDENTIFY hunter2",
            "/ns identify hunter2",
            "NS ID alice hunter2",
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
            "pass the salt",
            "register your nick now",
            "authenticate yourself with a password",
            "privmsg nickserv if you are lost",
            "NickServ does not live here",
            "notice the register of names",
            "q login",
            "@ada pass the salt",
        ] {
            assert_eq!(check(line), Ok(()), "{line}");
        }
    }
}
