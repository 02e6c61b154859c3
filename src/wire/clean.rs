//! Sanitising of untrusted text.
//!
//! A chat shows one user's bytes on another user's terminal, and a terminal executes bytes: an
//! escape sequence may move the cursor, rename the window, or on an old terminal type a command. So
//! every control character is replaced by a visible symbol (ESC by `␛`, NUL by `␀`): nothing is
//! executed, and nothing is hidden. Invalid UTF-8 becomes U+FFFD; so do the characters that change
//! the direction of text (U+202A–U+202E, U+2066–U+2069) and Unicode's own line ends (U+2028,
//! U+2029), because they can make a line read as another.
//!
//! Invariants: the result holds no control character but the tab, and no newline; cleaning twice
//! changes nothing; text that is harmless already is not copied.

use std::borrow::Cow;
use std::fmt::Write;

/// Makes one line fit to be shown. Its length in characters stays; in bytes it at most triples.
///
/// ```
/// use chatloop::wire::clean::clean;
/// assert_eq!(clean(b"plain"), "plain");
/// assert_eq!(clean(b"\x1b[31mred\0"), "\u{241b}[31mred\u{2400}");
/// assert_eq!(clean(b"caf\xe9"), "caf\u{fffd}");
/// ```
pub fn clean(line: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(line)
        && !text.bytes().any(needs_a_look)
    {
        return Cow::Borrowed(text);
    }
    let text = String::from_utf8_lossy(line);
    if text.chars().all(|character| harmless(character) == character) {
        return text;
    }
    let mut cleaned = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        // Writing to a String cannot fail.
        let _ = cleaned.write_char(harmless(character));
    }
    Cow::Owned(cleaned)
}

/// ASCII controls, and the first bytes of the characters beyond ASCII that are replaced:
/// U+0080–U+009F (C2) and U+2028–U+2069 (E2).
fn needs_a_look(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || matches!(byte, 0x7f | 0xc2 | 0xe2)
}

fn harmless(character: char) -> char {
    match character {
        '\t' => '\t',
        // The Control Pictures block mirrors C0 from U+2400 on.
        '\0'..='\x1f' => {
            char::from_u32(0x2400 + character as u32).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_become_pictures_of_themselves() {
        assert_eq!(clean(b"a\rb\x07c\x7f"), "a\u{240d}b\u{2407}c\u{2421}");
        assert_eq!(
            clean("\u{9b}31m \u{202e}abc\u{2066}".as_bytes()),
            "\u{fffd}31m \u{fffd}abc\u{fffd}"
        );
    }

    #[test]
    fn ordinary_text_is_not_touched() {
        for text in ["", "tab\there", "grüße, 你好, 👩‍🚀 “quoted” — ½"] {
            assert_eq!(clean(text.as_bytes()), text);
        }
        assert!(matches!(clean("grüße".as_bytes()), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn nothing_dangerous_is_left(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let cleaned = clean(&bytes).into_owned();
            prop_assert!(!cleaned.chars().any(|c| c.is_control() && c != '\t'));
            prop_assert_eq!(clean(cleaned.as_bytes()), cleaned.as_str());
            prop_assert_eq!(cleaned.chars().count(), String::from_utf8_lossy(&bytes).chars().count());
        }
    }
}
