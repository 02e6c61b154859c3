//! Passwords in typed lines: found, masked, and kept out of the history.
//!
//! A password is shown as dots, is not put in the history, and is kept, if at all, in memory that
//! is wiped. It is recognised by the command in front of it. Leading spaces and case do not matter,
//! because a typing error must not show what the right spelling hides.
//!
//! In IRC there are more places for passwords: `/login` may omit the name, services receive
//! messages as people do, and `/quote` sends anything.
//!
//! Limit: a misspelt command shows its password on this person's own screen.

use crate::wire::secrets::is_service;
use std::borrow::Cow;

/// Commands, and the number of words in front of the password, the command included: in plain lines
/// (0 where there is no such command) and in IRC.
const COMMANDS: [(&str, usize, usize); 9] = [
    ("/pass", 1, 1),
    ("/login", 2, 1),
    ("/identify", 2, 1),
    ("/register", 1, 1),
    ("/password", 1, 1),
    ("/passwd", 1, 1),
    ("/oper", 2, 2),
    ("/ns", 0, 1),
    ("/nickserv", 0, 1),
];

/// In IRC, commands that may contain one in a `/quote`.
const QUOTED: [&str; 7] =
    ["pass", "oper", "authenticate", "register", "ns", "nickserv", "identify"];

/// Which commands have a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forms {
    /// Those of a chatloop server's plain dialect.
    Plain,
    /// Those of the client in IRC.
    Irc,
}

/// Shown for each character of a password.
const DOT: char = '•';
/// Dots of a password that was sent: not as many as it has characters.
const DOTS_SENT: usize = 8;

/// Where the password begins: the byte after the space after the words in front. `None` if the
/// line contains none, however it continues.
pub fn begins(line: &str, forms: Forms) -> Option<usize> {
    let command = line.trim_start();
    let mut at = line.len() - command.len();
    for _ in 0..words_in_front(command, forms)? {
        let rest = line[at..].trim_start();
        at = line.len() - rest.len();
        at += rest.find(char::is_whitespace).unwrap_or(rest.len());
    }
    Some(line.len() - line[at..].trim_start().len())
}

/// How many words precede the password, if the command has one.
fn words_in_front(command: &str, forms: Forms) -> Option<usize> {
    let mut words = command.split_whitespace();
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let is = |known: &str, word: &str| known.eq_ignore_ascii_case(word);
    if let Some((_, plain, irc)) = COMMANDS.iter().find(|(name, ..)| is(name, first)) {
        let words = if forms == Forms::Plain { plain } else { irc };
        return Some(*words).filter(|words| *words > 0);
    }
    if is("/account", first) && (is("add", second) || is("reset", second)) {
        return Some(3);
    }
    let among = |all: &[&str]| all.iter().any(|name| is(name, second));
    let hidden = match first.to_ascii_lowercase().as_str() {
        "/msg" | "/m" | "/tell" | "/query" | "/notice" => is_service(second),
        "/quote" | "/raw" => among(&QUOTED),
        _ => false,
    };
    (hidden && forms == Forms::Irc).then_some(2)
}

/// The line with dots for its password, and `cursor` moved to where it is in that.
pub fn masked(line: &str, cursor: usize, forms: Forms) -> Option<(String, usize)> {
    let start = begins(line, forms)?;
    let dotted = |text: &str| -> String {
        text.chars().map(|it| if it.is_whitespace() { it } else { DOT }).collect()
    };
    let shown = format!("{}{}", &line[..start], dotted(&line[start..]));
    let cursor = if cursor <= start { cursor } else { start + dotted(&line[start..cursor]).len() };
    Some((shown, cursor))
}

/// A line that is a password as a whole.
pub fn all_masked(line: &str, cursor: usize) -> Option<(String, usize)> {
    let dots = |text: &str| text.chars().map(|_| DOT).collect::<String>();
    Some((dots(line), dots(&line[..cursor]).len()))
}

/// The line as it is shown after it was sent.
pub fn sent(line: &str, forms: Forms) -> Option<String> {
    let start = begins(line, forms)?;
    let dots: String = std::iter::repeat_n(DOT, DOTS_SENT).collect();
    Some(if start == line.len() { line.to_owned() } else { format!("{}{dots}", &line[..start]) })
}

/// The text of a direct message in IRC as it is shown: services take commands that way, and some
/// of those have a password.
pub fn masked_message<'t>(to: &str, text: &'t str) -> Cow<'t, str> {
    let typed = format!("/msg {to} ");
    match sent(&format!("{typed}{text}"), Forms::Irc) {
        Some(masked) => Cow::Owned(masked[typed.len()..].to_owned()),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn passwords_are_found() {
        for (line, shown) in [
            ("/login alice hunter2", Some("/login alice •••••••")),
            (" /LOGIN  alice  hunter2 x", Some(" /LOGIN  alice  ••••••• •")),
            ("/login alice", Some("/login alice")),
            ("/register hunter2", Some("/register •••••••")),
            ("/password old new", Some("/password ••• •••")),
            ("/oper root word", Some("/oper root ••••")),
            ("/account reset ann word", Some("/account reset ann ••••")),
            ("/account delete ann erase", None),
            ("/logins alice hunter2", None),
            ("the /login alice hunter2", None),
            ("", None),
        ] {
            let masked = masked(line, line.len(), Forms::Plain);
            assert_eq!(masked.map(|it| it.0).as_deref(), shown, "{line}");
        }
        assert_eq!(sent("/login alice hunter2", Forms::Plain).unwrap(), "/login alice ••••••••");
        assert_eq!(sent("/login", Forms::Plain).unwrap(), "/login");
        assert_eq!(masked("/register ab", 11, Forms::Plain).unwrap().1, 10 + DOT.len_utf8());
    }

    #[test]
    fn passwords_of_irc_are_found() {
        for (line, shown) in [
            ("/login hunter2", Some("/login ••••••••")),
            ("/login alice hunter2", Some("/login ••••••••")),
            ("/msg NickServ IDENTIFY hunter2", Some("/msg NickServ ••••••••")),
            ("/quote PASS hunter2", Some("/quote PASS ••••••••")),
            ("/msg alice IDENTIFY hunter2", None),
            ("/quote JOIN #x", None),
        ] {
            assert_eq!(sent(line, Forms::Irc).as_deref(), shown, "{line}");
        }
        assert_eq!(sent("/msg NickServ IDENTIFY hunter2", Forms::Plain), None);
    }

    proptest! {
        #[test]
        fn no_letter_of_a_password_is_shown(
            command in 0..7usize, password in "[A-Zé]{1,9}", at in 0usize..9,
        ) {
            let (name, words, _) = COMMANDS[command];
            let nick = if words == 2 { " nick" } else { "" };
            let line = format!("{name}{nick} {password}");
            let before = line.len() - password.len();
            let cursor = before + password.char_indices().nth(at).map_or(password.len(), |it| it.0);
            let (shown, cursor) = masked(&line, cursor, Forms::Plain).unwrap();
            prop_assert!(shown.is_char_boundary(cursor));
            prop_assert!(!shown.contains(|c: char| c.is_uppercase() || c == 'é'));
            prop_assert!(!sent(&line, Forms::Plain).unwrap().contains(|c: char| c.is_uppercase() || c == 'é'));
        }
    }
}
