//! Patterns with `*` and `?`, matched in one pass.
//!
//! A pattern is a small automaton: state `n` means that `n` of its tokens (bytes and `?`) have been
//! matched, a `*` before a token lets that state stay, and all states are the bits of one word, so a
//! byte of text is one step however the pattern looks. Rejected: to go back to the last star. It
//! takes pattern × text steps, and `*aaaa…b` against real names of 150 `a`s is what a hostile
//! client would ask for.

use super::work::{self, STEP};

/// The most tokens that a word has a bit for, beside the one for the end.
const MOST_TOKENS: usize = u128::BITS as usize - 1;

/// A pattern, ready to be matched with many texts. ASCII case is ignored; `?` is any one byte.
pub struct Glob {
    /// For each byte the tokens that it matches.
    tokens: [u128; 256],
    /// The states that a `*` lets stay.
    stays: u128,
    /// The state in which the whole pattern is matched.
    end: u128,
}

impl Glob {
    /// `None` if the pattern has more than 127 bytes beside its stars.
    pub fn new(pattern: &str) -> Option<Glob> {
        let (mut tokens, mut stays, mut place) = ([0; 256], 0_u128, 0);
        for byte in pattern.bytes() {
            if byte == b'*' {
                stays |= 1 << place;
                continue;
            }
            if place == MOST_TOKENS {
                return None;
            }
            let bit = 1_u128 << place;
            if byte == b'?' {
                tokens.iter_mut().for_each(|token| *token |= bit);
            } else {
                tokens[usize::from(byte.to_ascii_lowercase())] |= bit;
                tokens[usize::from(byte.to_ascii_uppercase())] |= bit;
            }
            place += 1;
        }
        work::charge(STEP.times(pattern.len() + 32));
        Some(Glob { tokens, stays, end: 1 << place })
    }

    /// Whether all of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        work::charge(STEP.times(text.len()));
        let mut states = 1_u128;
        for byte in text.bytes() {
            states = ((states & self.tokens[usize::from(byte)]) << 1) | (states & self.stays);
            if states == 0 {
                return false;
            }
        }
        states & self.end != 0
    }
}

/// Whether `text` matches `pattern`, once. What is too long for a [`Glob`] matches nothing: masks
/// are shorter ([`limits::MASK_LENGTH`](super::limits::MASK_LENGTH)).
pub fn glob(pattern: &str, text: &str) -> bool {
    Glob::new(pattern).is_some_and(|glob| glob.matches(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text) in
            [("*", ""), ("a*c", "abbc"), ("A?C", "abc"), ("*!*@10.*", "x!y@10.1"), ("a**", "a")]
        {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a", ""), ("a?", "a"), ("*b", "abc"), ("a*d", "abc")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
        assert!(glob(&"a".repeat(127), &"A".repeat(127)));
        assert!(!glob(&"a".repeat(128), &"a".repeat(128)));
    }

    #[test]
    fn a_step_is_a_byte_of_text_whatever_the_pattern() {
        let text = "a".repeat(150);
        for pattern in ["*".to_owned(), format!("*{}b", "a".repeat(74)), "*a?".repeat(40)] {
            let glob = Glob::new(&pattern).unwrap();
            work::take();
            glob.matches(&text);
            assert_eq!(work::take(), STEP.times(150), "{pattern}");
        }
    }

    /// The definition, in as many steps as it takes.
    fn defined(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                (0..=text.len()).any(|skipped| defined(rest, &text[skipped..]))
            }
            ([b'?', rest @ ..], [_, text @ ..]) => defined(rest, text),
            ([byte, rest @ ..], [other, text @ ..]) => byte == other && defined(rest, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn the_automaton_agrees_with_the_definition(
            pattern in "[ab*?]{0,8}", text in "[abc]{0,10}",
        ) {
            let expected = defined(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(glob(&pattern, &text), expected);
        }
    }
}
