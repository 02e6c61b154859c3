//! Which part of a typed line is a password?
//!
//! That part is shown as dots, is not put in the history, and is kept, if at all, in memory that
//! is wiped. It is known by the command in front: of a chatloop server, but nobody loses by it
//! anywhere else. Blanks in front and capitals do not matter, because a slip of the finger must
//! not show what the right spelling hides.
//!
//! Limit: a misspelt command shows its password on this person's own screen. The server tells
//! nobody.

/// Commands, and the number of the words in front of the password, the command's own included.
const COMMANDS: [(&str, usize); 6] = [
    ("/login", 2),
    ("/identify", 2),
    ("/register", 1),
    ("/password", 1),
    ("/passwd", 1),
    ("/oper", 2),
];

/// What is shown for each character of a password.
const DOT: char = '•';
/// Dots of a password that was sent: not as many as it has characters.
const DOTS_SENT: usize = 8;

/// Where the password begins: the byte behind the blank behind the words in front. `None` if the
/// line holds none and never will, however it goes on from here.
pub fn begins(line: &str) -> Option<usize> {
    let command = line.trim_start();
    let mut at = line.len() - command.len();
    let first = command.split(char::is_whitespace).next().unwrap_or_default();
    let (_, words) = COMMANDS.iter().find(|(name, _)| first.eq_ignore_ascii_case(name))?;
    for _ in 0..*words {
        let rest = line[at..].trim_start();
        at = line.len() - rest.len();
        at += rest.find(char::is_whitespace).unwrap_or(rest.len());
    }
    Some(line.len() - line[at..].trim_start().len())
}

/// The line with dots for its password, and `cursor` moved to where it is in that.
pub fn masked(line: &str, cursor: usize) -> Option<(String, usize)> {
    let start = begins(line)?;
    let dotted = |text: &str| -> String {
        text.chars().map(|it| if it.is_whitespace() { it } else { DOT }).collect()
    };
    let shown = format!("{}{}", &line[..start], dotted(&line[start..]));
    let cursor = if cursor <= start { cursor } else { start + dotted(&line[start..cursor]).len() };
    Some((shown, cursor))
}

/// The line as it is shown after it was sent.
pub fn sent(line: &str) -> Option<String> {
    let start = begins(line)?;
    let dots: String = std::iter::repeat_n(DOT, DOTS_SENT).collect();
    Some(if start == line.len() { line.to_owned() } else { format!("{}{dots}", &line[..start]) })
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
            ("/logins alice hunter2", None),
            ("the /login alice hunter2", None),
            ("", None),
        ] {
            assert_eq!(masked(line, line.len()).map(|it| it.0).as_deref(), shown, "{line}");
        }
        assert_eq!(sent("/login alice hunter2").unwrap(), "/login alice ••••••••");
        assert_eq!(sent("/login").unwrap(), "/login");
        assert_eq!(masked("/register ab", 11).unwrap().1, 10 + DOT.len_utf8());
    }

    proptest! {
        #[test]
        fn no_letter_of_a_password_is_shown(
            command in 0..COMMANDS.len(), password in "[A-Zé]{1,9}", at in 0usize..9,
        ) {
            let (name, words) = COMMANDS[command];
            let nick = if words == 2 { " nick" } else { "" };
            let line = format!("{name}{nick} {password}");
            let before = line.len() - password.len();
            let cursor = before + password.char_indices().nth(at).map_or(password.len(), |it| it.0);
            let (shown, cursor) = masked(&line, cursor).unwrap();
            prop_assert!(shown.is_char_boundary(cursor));
            prop_assert!(!shown.contains(|c: char| c.is_uppercase() || c == 'é'));
            prop_assert!(!sent(&line).unwrap().contains(|c: char| c.is_uppercase() || c == 'é'));
        }
    }
}
