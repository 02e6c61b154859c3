//! Sanitising of untrusted text.
//!
//! A chat shows one user's bytes on another user's terminal, and a terminal executes bytes: an
//! escape sequence may move the cursor, rename the window, or on an old terminal type a command. So
//! every control character is replaced by a visible symbol (ESC by `␛`, NUL by `␀`): nothing is
//! executed, and nothing is hidden. U+FFFD replaces invalid UTF-8 and what can make a line read as
//! another: characters that change the direction of text, Unicode's own line ends, characters that
//! cannot be seen (zero-width, tags, fillers), and more than [`MOST_MARKS`] combining marks in a row.
//!
//! Joiners and variation selectors stay behind a character beyond ASCII: emoji and several scripts
//! are written with them, and there they hide nothing.
//!
//! Invariants: the result holds no control character but the tab, and no newline; cleaning twice
//! changes nothing; text that is harmless already is not copied.

use std::borrow::Cow;
use unicode_width::UnicodeWidthChar;

/// Combining marks in a row that are shown. No script needs as many on one letter.
pub const MOST_MARKS: usize = 8;

/// Makes one line fit to be shown. Its length in characters stays; in bytes it at most triples.
///
/// ```
/// use chatloop::wire::clean::clean;
/// assert_eq!(clean(b"plain"), "plain");
/// assert_eq!(clean(b"\x1b[31mred\0"), "\u{241b}[31mred\u{2400}");
/// assert_eq!(clean(b"caf\xe9"), "caf\u{fffd}");
/// ```
pub fn clean(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => clean_text(text),
        Err(_) => Cow::Owned(clean_text(&String::from_utf8_lossy(line)).into_owned()),
    }
}

/// A text without the byte order mark that some editors put in front of it. It is no part of the
/// text, and would become one of a password, a nick or a command.
pub fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// The same for text.
pub fn clean_text(text: &str) -> Cow<'_, str> {
    if is_printable_ascii(text.as_bytes()) || shown(text).eq(text.chars()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(shown(text).collect())
}

/// Whether all is printable ASCII: the common case, so eight bytes at a time. Of the first byte that is
/// not, one of the three sums has the highest bit: itself, less a space, or one more.
pub(super) fn is_printable_ascii(text: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    let odd = |word: [u8; 8]| {
        let word = u64::from_le_bytes(word);
        word | word.wrapping_sub(ONES * 0x20) | word.wrapping_add(ONES)
    };
    let (words, rest) = text.as_chunks();
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    words.iter().fold(odd(last), |sum, word| sum | odd(*word)) & (ONES * 0x80) == 0
}

/// JSON text without a character that [`clean_text`] would replace: each is written as its escape,
/// so a program reads the same value, and a terminal that shows the line obeys none of it.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if json.is_ascii() || shown(json).eq(json.chars()) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() * 2);
    for (shown, character) in shown(json).zip(json.chars()) {
        if shown == character {
            escaped.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    Cow::Owned(escaped)
}

/// What is shown for each character.
fn shown(text: &str) -> impl Iterator<Item = char> + '_ {
    let (mut before, mut marks) = (' ', 0);
    text.chars().map(move |character| {
        marks = if character.width() == Some(0) { marks + 1 } else { 0 };
        let joins = is_joiner(character) && !before.is_ascii();
        let hidden = is_invisible(character) || (is_joiner(character) && !joins);
        before = if hidden || marks > MOST_MARKS {
            char::REPLACEMENT_CHARACTER
        } else {
            visible(character)
        };
        before
    })
}

/// A control character as its picture.
fn visible(character: char) -> char {
    match character {
        '\t' => '\t',
        // The Control Pictures block mirrors C0 from U+2400 on.
        '\0'..='\x1f' => {
            char::from_u32(0x2400 + character as u32).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        '\x7f' => '\u{2421}',
        _ => character,
    }
}

/// Zero-width joiner and non-joiner, and the variation selectors.
fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// C1 controls, line ends, and Unicode's Default_Ignorable_Code_Point but for the joiners.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
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

    #[test]
    fn each_byte_counts_wherever_it_stands() {
        for (place, byte) in (0..20).flat_map(|place| (0..=u8::MAX).map(move |it| (place, it))) {
            let mut text = [b'a'; 20];
            text[place] = byte;
            let expected = byte == b' ' || byte.is_ascii_graphic();
            assert_eq!(is_printable_ascii(&text), expected, "{byte} at {place}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_replaced_and_a_flood_of_marks_ends() {
        for hidden in
            ["\u{200b}", "\u{200e}", "\u{61c}", "\u{e0041}", "\u{3164}", "\u{feff}", "\u{ad}"]
        {
            assert_eq!(clean_text(&format!("a{hidden}b")), "a\u{fffd}b", "{hidden:?}");
        }
        // A joiner between ASCII letters makes two words look like one.
        assert_eq!(clean_text("al\u{200d}ice"), "al\u{fffd}ice");
        assert_eq!(clean_text("می\u{200c}خواهم ❤\u{fe0f}"), "می\u{200c}خواهم ❤\u{fe0f}");
        let flood = format!("e{}", "\u{301}".repeat(40));
        assert_eq!(clean_text(&flood).matches('\u{301}').count(), MOST_MARKS);
    }

    #[test]
    fn json_reads_the_same_and_shows_nothing_hidden() {
        let value = serde_json::json!({"text": "a\u{9b}31m\u{202e}\u{e0041}é"});
        let line = escape_json(&value.to_string()).into_owned();
        assert_eq!(line, r#"{"text":"a\u009b31m\u202e\udb40\udc41é"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
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
