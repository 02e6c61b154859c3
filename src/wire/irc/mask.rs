//! Does a pattern with `*` and `?` match? Modern IRC "Wildcard Expressions", RFC 2812 §2.5.
//!
//! Cost: at most the length of the pattern times that of the text, in constant memory. The
//! usual recursive matcher is exponential in the stars, and a ban list is written by strangers.
//!
//! Deliberately absent: `[a-z]`. Brackets are letters of nicknames.

use super::CaseMapping;

/// Whether `mask` matches all of `text`: `*` any characters or none, `?` one character (not one
/// byte), `\*` and `\?` the character itself; a backslash before anything else is a backslash,
/// since nicknames have it.
///
/// ```
/// use chatloop::wire::irc::{CaseMapping, mask};
/// assert!(mask::matches("*!*@10.0.?.*", "Ada!al@10.0.3.77", CaseMapping::Ascii));
/// ```
pub fn matches(mask: &str, text: &str, mapping: CaseMapping) -> bool {
    let (mut pattern, mut rest) = (mask, text);
    // Where to go on if the characters after the last star do not fit: the pattern after that
    // star, and the text it has not swallowed yet. Only the last star need ever be tried again:
    // a later start for an earlier one reaches no text that this one cannot.
    let mut retry: Option<(&str, &str)> = None;
    loop {
        match (Piece::next(pattern), next_char(rest)) {
            (Some((Piece::Star, after)), _) => {
                retry = Some((after, rest));
                pattern = after;
                continue;
            }
            (Some((piece, after)), Some((letter, left))) if piece.fits(letter, mapping) => {
                (pattern, rest) = (after, left);
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        let Some((after, swallowed)) = retry else { return false };
        let Some((_, left)) = next_char(swallowed) else { return false };
        retry = Some((after, left));
        (pattern, rest) = (after, left);
    }
}

enum Piece {
    Star,
    Any,
    Letter(char),
}

impl Piece {
    fn next(pattern: &str) -> Option<(Piece, &str)> {
        let (letter, after) = next_char(pattern)?;
        Some(match letter {
            '*' => (Piece::Star, after),
            '?' => (Piece::Any, after),
            '\\' => match next_char(after) {
                Some((literal @ ('*' | '?'), after)) => (Piece::Letter(literal), after),
                _ => (Piece::Letter('\\'), after),
            },
            _ => (Piece::Letter(letter), after),
        })
    }

    fn fits(&self, letter: char, mapping: CaseMapping) -> bool {
        let fold = |letter: char| match u8::try_from(letter) {
            Ok(byte) if byte.is_ascii() => char::from(mapping.fold_byte(byte)),
            _ => letter,
        };
        match self {
            Piece::Star | Piece::Any => true,
            Piece::Letter(wanted) => fold(*wanted) == fold(letter),
        }
    }
}

fn next_char(text: &str) -> Option<(char, &str)> {
    let mut letters = text.chars();
    letters.next().map(|letter| (letter, letters.as_str()))
}

/// Makes a ban mask of what a user typed: `ada` is `ada!*@*`, `al@host` is `*!al@host`, `ada!al`
/// is `ada!al@*`, an empty part is `*`. Runs of stars become one.
pub fn complete(typed: &str) -> String {
    let (nick, user, host) = match (typed.split_once('!'), typed.split_once('@')) {
        (Some((nick, rest)), _) => match rest.rsplit_once('@') {
            Some((user, host)) => (nick, user, host),
            None => (nick, rest, "*"),
        },
        (None, Some((user, host))) => ("*", user, host),
        (None, None) => (typed, "*", "*"),
    };
    let part = |text: &str| if text.is_empty() { "*".to_owned() } else { one_star(text) };
    format!("{}!{}@{}", part(nick), part(user), part(host))
}

/// `text` without the stars that follow a star. A star behind a backslash is a letter.
fn one_star(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    let mut star = false;
    while let Some((piece, after)) = Piece::next(rest) {
        let again = star && matches!(piece, Piece::Star);
        star = matches!(piece, Piece::Star);
        if !again {
            short.push_str(&rest[..rest.len() - after.len()]);
        }
        rest = after;
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(mask: &str, text: &str) -> bool {
        matches(mask, text, CaseMapping::Ascii)
    }

    #[test]
    fn stars_and_marks_match_as_in_ban_lists() {
        for (mask, fits, fails) in [
            ("*@127.0.0.1", "ada!al@127.0.0.1", "ada!al@127.0.0.5"),
            ("cool*@*", "cooldud3!~bc@127.0.0.1", "koolguy!ab@127.0.0.5"),
            ("cool!?username@*", "cool!~username@127.0.0.1", "cool!username@127.0.0.1"),
            ("cool!a?*@*", "cool!abc@127.0.0.1", "cool!a@127.0.0.1"),
            ("cool[guy]!*@*", "COOL[guy]!a@example.org", "coolg!ab@127.0.0.1"),
            ("a*b*c", "a-b-b-c", "a-b-c-d"),
            ("?", "é", ""),
        ] {
            assert!(glob(mask, fits), "{mask} {fits}");
            assert!(!glob(mask, fails), "{mask} {fails}");
        }
        assert!(
            glob("*", "") && glob("**", "a") && glob("", "") && !glob("", "a") && !glob("a", "")
        );
        assert!(glob(r"\*\?\a\", r"*?\a\") && !glob(r"\*", "x"));
        assert!(matches("[a]", "{A}", CaseMapping::Rfc1459) && !glob("[a]", "{A}"));
    }

    #[test]
    fn a_hostile_mask_costs_length_times_length() {
        let mask = "*a".repeat(250) + "b";
        let text = "a".repeat(500);
        // 250,000 steps; a recursive matcher would still be at it when the sun goes out, and this
        // test with it.
        assert!(!glob(&mask, &text));
    }

    #[test]
    fn a_typed_mask_is_completed() {
        for (typed, mask) in [
            ("ada", "ada!*@*"),
            ("al@host", "*!al@host"),
            ("ada!al", "ada!al@*"),
            ("ada!al@host", "ada!al@host"),
            ("!@", "*!*@*"),
            ("", "*!*@*"),
            ("***!a**b@**.org", "*!a*b@*.org"),
            (r"a\**", r"a\**!*@*"),
            ("@host", "*!*@host"),
        ] {
            assert_eq!(complete(typed), mask, "{typed:?}");
        }
    }
}
