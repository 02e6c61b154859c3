//! Grapheme boundaries and column widths.
//!
//! A grapheme (UAX #29) is what a user calls a character: a letter with its accents, a family of
//! emoji. The cursor moves by graphemes, the screen counts columns. The widths are those of UAX #11
//! as unicode-width has them; a terminal that disagrees, usually about emoji joined by U+200D,
//! shows the cursor a column off until the line is redrawn. Rejected: asking the terminal for the
//! cursor position, at the cost of a round trip per key.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};
use unicode_width::UnicodeWidthStr;

/// Columns that `text` takes: 2 for wide graphemes, 0 for lone combining marks.
pub fn columns(text: &str) -> usize {
    text.graphemes(true).map(grapheme_columns).sum()
}

/// Columns of one grapheme. No grapheme takes more than two, however many characters it has.
fn grapheme_columns(grapheme: &str) -> usize {
    UnicodeWidthStr::width(grapheme).min(2)
}

/// The graphemes of `text`, each with its columns.
pub fn graphemes(text: &str) -> impl DoubleEndedIterator<Item = (&str, usize)> {
    text.graphemes(true).map(|grapheme| (grapheme, grapheme_columns(grapheme)))
}

/// The longest start of `text` that fits into `limit` columns.
pub fn fitting(text: &str, limit: usize) -> &str {
    let mut used = 0;
    for (start, grapheme) in text.grapheme_indices(true) {
        used += grapheme_columns(grapheme);
        if used > limit {
            return &text[..start];
        }
    }
    text
}

/// The start of the grapheme before byte `at`; 0 at the start.
pub fn grapheme_before(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    // With the whole text as the only chunk, it never needs more, so an error cannot happen.
    cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0)
}

/// The end of the grapheme at byte `at`; the length of `text` at the end.
pub fn grapheme_after(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    cursor.next_boundary(text, 0).ok().flatten().unwrap_or(text.len())
}

/// `at`, or the next grapheme boundary after it. Inserting or deleting may join separate graphemes:
/// "e" and an accent become one, and the cursor must not stay inside.
pub fn boundary_at_or_after(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(true) => at,
        _ => grapheme_after(text, at),
    }
}

/// The start of the word before byte `at`: skips what is no word, then the word. Words are letters,
/// with their accents, and digits, as in readline.
pub fn word_before(text: &str, at: usize) -> usize {
    let mut before = text[..at].grapheme_indices(true).rev().skip_while(|(_, it)| !is_word(it));
    before.find(|(_, it)| !is_word(it)).map_or(0, |(start, it)| start + it.len())
}

/// The end of the word at or after byte `at`.
pub fn word_after(text: &str, at: usize) -> usize {
    let mut after = text[at..].grapheme_indices(true).skip_while(|(_, it)| !is_word(it));
    after.find(|(_, it)| !is_word(it)).map_or(text.len(), |(start, _)| at + start)
}

fn is_word(grapheme: &str) -> bool {
    grapheme.starts_with(char::is_alphanumeric)
}

/// The start of the run of non-spaces before byte `at`: what Ctrl-W kills.
pub fn blank_word_before(text: &str, at: usize) -> usize {
    text[..at].trim_end().trim_end_matches(|c: char| !c.is_whitespace()).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_by_grapheme() {
        for (text, wide) in [
            ("", 0),
            ("abc", 3),
            ("日本", 4),
            ("e\u{301}", 1),
            ("\u{301}", 0),
            ("👩‍👩‍👧‍👦", 2),
            ("🇩🇪", 2),
            ("👍🏽", 2),
        ] {
            assert_eq!(columns(text), wide, "{text:?}");
        }
    }

    #[test]
    fn fitting_never_splits_a_grapheme() {
        assert_eq!(fitting("日本", 3), "日");
        assert_eq!(fitting("日本", 1), "");
        assert_eq!(fitting("ae\u{301}b", 2), "ae\u{301}");
        assert_eq!(fitting("abc", 99), "abc");
    }

    #[test]
    fn words_end_where_readline_ends_them() {
        let text = "one two-three  four";
        assert_eq!(word_before(text, text.len()), 15);
        assert_eq!(word_before(text, 15), 8);
        assert_eq!(word_after(text, 3), 7);
        assert_eq!(blank_word_before(text, 13), 4);
        assert_eq!(blank_word_before(text, 15), 4);
        assert_eq!(word_before("  ", 2), 0);
        assert_eq!(word_after("  ", 0), 2);
        let accents = "re\u{301}sume\u{301} 👩‍🚀";
        assert_eq!(word_before(accents, accents.len()), 0);
        assert_eq!(word_after(accents, 0), 10);
    }
}
