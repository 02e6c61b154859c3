//! Mistyped logins: does a text look like a command with a password?
//!
//! One space before `/login`, a slip of the finger, a keyboard whose `/` is elsewhere: the line
//! would be sent to everyone and kept in the history. So the server and the client check every
//! message for a first word that is a command behind something that is not a letter, for one that is
//! nearly a command with a password, and for the bare name of such a command with exactly its
//! arguments; and for the commands of IRC with a password, from a client that was too slow to be
//! taken for one of IRC, and the logins of mail protocols. Now and then that holds back an innocent
//! line; `/say` sends it anyway.
//!
//! Limit: a password alone on its line is not recognised.

use super::clean::is_printable_ascii;
use crate::wire::irc::from_command;

/// The commands whose last argument is a password: their names, and their number of arguments.
pub const COMMANDS: [(&[&str], usize); 4] =
    [(&["register"], 1), (&["login", "identify"], 2), (&["password", "passwd"], 2), (&["oper"], 2)];

/// Rejects a text that looks like a command with a password, without repeating any of it. `exists`
/// says whether a word is a command of the one who asks.
///
/// # Errors
/// What it looks like, for the one who typed it.
pub fn check(text: &str, exists: impl Fn(&str) -> bool) -> Result<(), String> {
    let (first, behind) = first_word(behind_signs(text));
    let irc = first.starts_with(['@', ':']).then(|| first_word(from_command(text.trim_start())));
    if let Some(command) = irc_secret(irc.unwrap_or((first, behind))) {
        return Err(format!(
            "not sent: it looks like {command} with a password (to send it as text, use /say)"
        ));
    }
    let words = behind.split_whitespace();
    let bare = from_first_letter(first);
    if is_account_command(bare, words.clone()) {
        return Err(held_back("account"));
    }
    if bare.len() == first.len() {
        let is_meant = |name: &&str| bare.trim_end_matches(':').eq_ignore_ascii_case(name);
        let meant = COMMANDS.iter().find(|(names, _)| names.iter().any(is_meant));
        return match meant {
            Some((names, count)) if words.count() == *count => Err(held_back(names[0])),
            _ => Ok(()),
        };
    }
    if let Some(name) = nearest(bare, &exists) {
        return Err(held_back(name));
    }
    let slash = first.strip_prefix('/').is_some_and(|rest| rest == bare);
    if slash && text.starts_with(char::is_whitespace) && exists(bare) {
        return Err("not sent: a command must begin its line (to send it as text, use /say)".into());
    }
    Ok(())
}

/// A text from its command on, if only signs are in front of that: it was copied with a prompt.
fn behind_signs(text: &str) -> &str {
    let slash = text.find('/').filter(|slash| !text[..*slash].contains(char::is_alphanumeric));
    &text[slash.unwrap_or_default()..]
}

/// The first word of a text, and what is behind it. Every message passes here, so the bytes of an
/// ASCII word are not decoded.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let space = memchr::memchr(b' ', text.as_bytes()).unwrap_or(text.len());
    if is_printable_ascii(&text.as_bytes()[..space]) {
        return text.split_at(space);
    }
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

/// A word without what is in front of its first letter.
fn from_first_letter(word: &str) -> &str {
    let signs = word.bytes().take_while(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic());
    word[signs.count()..].trim_start_matches(|c: char| !c.is_alphabetic())
}

/// `account add NAME PASSWORD`, of an operator.
fn is_account_command<'a>(first: &str, mut words: impl Iterator<Item = &'a str>) -> bool {
    first.eq_ignore_ascii_case("account")
        && matches!(words.next(), Some("add" | "reset"))
        && words.count() == 2
}

fn held_back(name: &str) -> String {
    format!(
        "not sent: it looks like /{name} with a password (see /help {name}; to send it as text, use /say)"
    )
}

/// The command with a password that `word` is, or nearly is.
pub fn nearest(word: &str, exists: impl Fn(&str) -> bool) -> Option<&'static str> {
    let word: String = word.chars().take(40).map(|c| c.to_ascii_lowercase()).collect();
    let mut names = COMMANDS.iter().flat_map(|(names, _)| *names).copied();
    if word.is_empty() || (exists(&word) && !names.clone().any(|name| name == word)) {
        return None;
    }
    let is_near = |name: &&str| {
        let slips = if name.len() < 5 { 1 } else { 2 };
        // "/loginalice secret": the space is missing.
        word.starts_with(name) || strsim::osa_distance(&word, name) <= slips
    };
    names.find(is_near)
}

/// The command with a password that a line is, as a program or a person writes it who takes this
/// for IRC or a mail server: one that is never talk in any case, the others as programs write them.
fn irc_secret((first, behind): (&str, &str)) -> Option<&'static str> {
    let command = from_first_letter(first);
    let mut words = behind.split_whitespace();
    let next = words.next()?;
    // Counted only behind a command: this looks at every message.
    let count = || 1 + words.clone().count();
    let among = |all: &[&'static str], word: &str| {
        let word = word.trim_start_matches(':');
        all.iter().copied().find(|known| known.eq_ignore_ascii_case(word))
    };
    if among(&["PRIVMSG", "NOTICE", "SQUERY", "QUOTE", "RAW"], command).is_some() {
        let text = words.clone().next().unwrap_or_default();
        return (is_service(next.trim_start_matches(':'))
            && among(&SERVICE_SECRETS, text).is_some())
        .then_some("a login");
    }
    if among(&SERVICES, command).is_some() {
        return among(&SERVICE_SECRETS, next).filter(|_| count() > 1).map(|_| "a login");
    }
    // IMAP: a tag is in front of it.
    if matches!(next, "LOGIN" | "AUTHENTICATE") && count() == 3 {
        return Some("a login");
    }
    let program = command.bytes().all(|byte| byte.is_ascii_uppercase());
    let exact = |name: &str| match name {
        "WEBIRC" => matches!(count(), 4 | 5),
        "AUTHENTICATE" => count() == 1,
        _ => false,
    };
    among(&["AUTH", "AUTHENTICATE", "IDENTIFY", "OPER", "PASS", "REGISTER", "WEBIRC"], command)
        .filter(|name| program || exact(name))
}

/// Whether a recipient takes logins in messages, in IRC: `NickServ`, `nickserv@services`.
pub fn is_service(to: &str) -> bool {
    let name = to.split('@').next().unwrap_or_default();
    SERVICES.iter().any(|service| service.eq_ignore_ascii_case(name))
}

/// Services that take passwords in messages, and the commands that have one.
const SERVICES: [&str; 5] = ["NickServ", "NS", "AuthServ", "UserServ", "Q"];
const SERVICE_SECRETS: [&str; 11] = [
    "AUTH", "DROP", "GHOST", "GROUP", "ID", "IDENTIFY", "LOGIN", "RECOVER", "REGAIN", "REGISTER",
    "RELEASE",
];

#[cfg(test)]
mod tests {
    fn check(line: &str) -> Result<(), String> {
        super::check(line, |word| ["join", "login"].contains(&word))
    }

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
            ":alice PASS hunter2",
            "NickServ IDENTIFY hunter2",
            "/ns identify hunter2",
            "NS ID alice hunter2",
            "> /login alice hunter2",
            "$ /register hunter2",
            "  … //login alice hunter2",
            "login: alice hunter2",
            "a1 LOGIN alice hunter2",
            ". LOGIN \"alice\" \"hunter2\"",
            "1 AUTHENTICATE PLAIN aHVudGVyMg==",
            "AUTH PLAIN aHVudGVyMg==",
            "AUTH hunter2",
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
            ":/ login failed again",
            "- /usr/bin/login",
            "> /join is a command",
            "a login takes forever",
            "auth is broken",
        ] {
            assert_eq!(check(line), Ok(()), "{line}");
        }
    }
}
