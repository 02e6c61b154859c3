//! A line wrapped at its spaces, with a hanging indent.
//!
//! A word that is longer than a row is left to the terminal, which breaks it in two without a
//! newline between: an address stays one that can be copied and clicked.

use super::text;

/// Columns of the indent, on a screen that has room for it.
const INDENT: usize = 4;

/// Appends `line`, in which only SGR sequences are not text, wrapped for `columns`.
pub fn wrapped(line: &[u8], columns: usize, out: &mut Vec<u8>) {
    // The last column stays free: terminals differ in what they do behind it.
    let room = columns.saturating_sub(1);
    let Ok(line) = std::str::from_utf8(line) else { return out.extend_from_slice(line) };
    let indent = if columns >= 5 * INDENT { INDENT } else { 0 };
    let (mut rest, mut column) = (line, 0);
    while !rest.is_empty() {
        let word = rest.trim_start_matches(' ');
        let gap = &rest[..rest.len() - word.len()];
        let word = &word[..word.find(' ').unwrap_or(word.len())];
        rest = &rest[gap.len() + word.len()..];
        let width = visible_columns(word);
        if column > 0 && column + gap.len() + width > room && width <= room - indent {
            out.extend_from_slice(b"\r\n");
            out.resize(out.len() + indent, b' ');
            column = indent;
        } else {
            out.extend_from_slice(gap.as_bytes());
            column += gap.len();
        }
        out.extend_from_slice(word.as_bytes());
        column += width;
        if column > room {
            column %= columns.max(1);
        }
    }
}

/// Columns of a text in which SGR sequences take none.
fn visible_columns(text: &str) -> usize {
    let mut parts = text.split('\x1b');
    let first = parts.next().map_or(0, text::columns);
    first
        + parts.map(|part| text::columns(part.split_once('m').map_or("", |it| it.1))).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrap(line: &str, columns: usize) -> String {
        let mut out = Vec::new();
        wrapped(line.as_bytes(), columns, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn words_wrap_at_spaces_with_an_indent() {
        for (line, columns, shown) in [
            ("[bob]: it fits", 20, "[bob]: it fits"),
            ("[bob]: one two three four", 20, "[bob]: one two\r\n    three four"),
            ("[bob]: 日本語 日本語 日本語", 20, "[bob]: 日本語\r\n    日本語 日本語"),
            (
                "\x1b[32m[bob]\x1b[0m: one two three",
                20,
                "\x1b[32m[bob]\x1b[0m: one two\r\n    three",
            ),
            ("see https://example.org/longer", 20, "see https://example.org/longer"),
            ("a narrow screen", 10, "a narrow\r\nscreen"),
            ("aa   123456789012345", 20, "aa\r\n    123456789012345"),
            ("  spaces  stay", 20, "  spaces  stay"),
        ] {
            assert_eq!(wrap(line, columns), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_but_spaces_is_replaced(line in "([a-z日]{1,30} {0,3}){0,9}", columns in 0usize..50) {
            let bare = |text: &str| text.replace([' ', '\r', '\n'], "");
            let shown = wrap(&line, columns);
            prop_assert_eq!(bare(&shown), bare(&line));
            if columns >= 40 {
                prop_assert!(shown.split("\r\n").all(|row| text::columns(row.trim_end()) < columns
                    || row.trim_start().split(' ').any(|word| text::columns(word) + INDENT >= columns)));
            }
        }
    }
}
