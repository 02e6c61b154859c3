//! Removal of formatting characters: those that mIRC introduced and modern.ircdocs.horse/formatting
//! lists.
//!
//! A colour is a control character and up to five parameter bytes: `\x03` with one or two digits, a
//! comma and one or two digits; `\x04` with six hexadecimal digits, and six more after a comma. The
//! others are one character each.
//!
//! Absent: rendering them. Colours from other users hide more in a terminal than they convey.

use crate::wire::clean::is_printable_ascii;
use std::borrow::Cow;

/// The text without formatting; borrowed if there is none.
///
/// ```
/// use chatloop::wire::irc::format::stripped;
/// assert_eq!(stripped("\x02bold\x02 \x0304,12red\x03 2,3"), "bold red 2,3");
/// ```
pub fn stripped(text: &str) -> Cow<'_, str> {
    if is_printable_ascii(text.as_bytes()) || !text.bytes().any(is_formatting) {
        return Cow::Borrowed(text);
    }
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_formatting) {
        left.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let parameters = match rest.as_bytes()[at] {
            0x03 => colours(behind, 1, 2, |byte| byte.is_ascii_digit()),
            0x04 => colours(behind, 6, 6, |byte| byte.is_ascii_hexdigit()),
            _ => 0,
        };
        rest = &behind[parameters..];
    }
    left.push_str(rest);
    Cow::Owned(left)
}

/// Bold, colour, hexadecimal colour, reset, monospace, reverse, italic, strikethrough, underline.
fn is_formatting(byte: u8) -> bool {
    matches!(byte, 0x02..=0x04 | 0x0f | 0x11 | 0x16 | 0x1d..=0x1f)
}

/// Bytes of one colour, or of two with a comma between, each of `least` to `most` digits. A comma
/// that no digit follows is text.
fn colours(text: &str, least: usize, most: usize, is_digit: impl Fn(u8) -> bool) -> usize {
    let digits = |text: &str| {
        let count = text.bytes().take(most).take_while(|byte| is_digit(*byte)).count();
        if count < least { 0 } else { count }
    };
    let first = digits(text);
    let second = match text[first..].strip_prefix(',') {
        Some(behind) if first > 0 => digits(behind),
        _ => 0,
    };
    if second > 0 { first + 1 + second } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colours_go_and_text_stays() {
        for (text, left) in [
            ("plain, 3", "plain, 3"),
            ("\x031", ""),
            ("\x03123", "3"),
            ("\x0304,x", ",x"),
            ("\x0304,5x", "x"),
            ("\x03,5", ",5"),
            ("\x03é", "é"),
            ("\x04ff0000,00ff00x", "x"),
            ("\x04ff00x", "ff00x"),
            ("a\x02\x0f\x11\x16\x1d\x1e\x1fb\x03", "ab"),
            ("\x1b[31m\x07", "\x1b[31m\x07"),
        ] {
            assert_eq!(stripped(text), left, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_of_it_is_left(text in "[\\x02-\\x04\\x0f\\x1f0-9a-f,é]{0,30}") {
            let left = stripped(&text).into_owned();
            prop_assert!(!left.bytes().any(is_formatting));
            prop_assert_eq!(stripped(&left), left.as_str());
        }
    }
}
