//! Is somebody about to tell a whole room their password?
//!
//! One blank before `/login`, a slip of the finger, a keyboard whose `/` is somewhere else: the
//! line would be said to everyone and kept in the history. So what is about to be said is looked at: a
//! first word that is a command behind something that is not a letter, one that is nearly a command
//! that takes a password, or such a command's bare name with just its arguments. Now and then that
//! holds back an innocent line; `/say` says it anyway.
//!
//! Limit: a password alone on its line is not recognised.

use super::commands;

/// Commands that take a password, with the number of their arguments.
const WITH_PASSWORD: [(&str, usize); 4] =
    [("login", 2), ("register", 1), ("password", 2), ("oper", 2)];

/// Refuses a text that looks like a command with a password, without repeating any of it.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut words = text.split_whitespace();
    let Some(first) = words.next() else { return Ok(()) };
    let bare = first.trim_start_matches(|c: char| !c.is_alphabetic());
    let marked = bare.len() < first.len();
    if !marked {
        let exact = WITH_PASSWORD.iter().find(|(name, _)| bare.eq_ignore_ascii_case(name));
        return match exact {
            Some((name, count)) if words.count() == *count => Err(held_back(name)),
            _ => Ok(()),
        };
    }
    if let Some(name) = near(bare) {
        return Err(held_back(name));
    }
    let slash = first.strip_prefix('/').is_some_and(|rest| rest == bare);
    if slash && text.starts_with(char::is_whitespace) && commands::exists(bare) {
        return Err(format!(
            "not said: a command stands at the very beginning of its line; /say TEXT says \"{first} …\" anyway"
        ));
    }
    Ok(())
}

/// The command with a password that `word` is, or is nearly.
pub(super) fn near(word: &str) -> Option<&'static str> {
    let word: Vec<char> = word.chars().take(40).map(|c| c.to_ascii_lowercase()).collect();
    if word.is_empty() {
        return None;
    }
    let is_near = |name: &str| {
        let name: Vec<char> = name.chars().collect();
        let slips = if name.len() < 5 { 1 } else { 2 };
        // "/loginalice secret": the blank is missing.
        word.starts_with(&name) || distance(&word, &name) <= slips
    };
    let other: String = word.iter().collect();
    if commands::exists(&other) && !WITH_PASSWORD.iter().any(|(name, _)| *name == other) {
        return None;
    }
    WITH_PASSWORD.iter().map(|(name, _)| *name).find(|name| is_near(name))
}

fn held_back(name: &str) -> String {
    format!(
        "not said, because it looks like /{name} with a password; /help {name} shows the form, /say TEXT says it anyway"
    )
}

/// How many letters one must add, drop, change or swap with their neighbour.
fn distance(one: &[char], other: &[char]) -> usize {
    let width = other.len() + 1;
    let mut two_back = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row + 1; width];
        for (column, wanted) in other.iter().enumerate() {
            let changed = last[column] + usize::from(letter != wanted);
            next[column + 1] = changed.min(last[column + 1] + 1).min(next[column] + 1);
            let swapped =
                row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *wanted;
            if swapped {
                next[column + 1] = next[column + 1].min(two_back[column - 1] + 1);
            }
        }
        two_back = std::mem::replace(&mut last, next);
    }
    last[width - 1]
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
    fn ordinary_talk_is_not() {
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

    #[test]
    fn distances() {
        let of = |one: &str, other: &str| {
            distance(&one.chars().collect::<Vec<_>>(), &other.chars().collect::<Vec<_>>())
        };
        assert_eq!((of("login", "login"), of("lgoin", "login"), of("logn", "login")), (0, 1, 1));
        assert_eq!((of("", "login"), of("passwd", "password"), of("abc", "")), (5, 2, 3));
    }
}
