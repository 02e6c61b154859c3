//! Splitting a message into IRC lines: at its newlines, where its sender's client had split a long
//! line (draft/multiline-concat), and where a line would not fit.

use crate::wire::irc::render;

/// The batch type of a message of several lines, and the capability for it.
pub(super) const MULTILINE: &str = "draft/multiline";
/// The tag of a line that continues the one before it.
pub(super) const CONCAT: &str = "draft/multiline-concat";

/// Pieces of at most `room` bytes, each with whether it continues the line of the piece before it.
/// `continuations` are the places in the text where a line was split.
pub(super) fn pieces<'t>(
    text: &'t str,
    continuations: &'t [u32],
    room: usize,
) -> impl Iterator<Item = (bool, &'t str)> {
    let mut start = 0;
    let lines = text.split('\n').flat_map(move |line| {
        let first = start;
        start += line.len() + 1;
        let inside = continuations.iter().map(|place| *place as usize);
        let inside = inside
            .filter(move |place| *place > first && *place < first + line.len())
            .filter(move |place| text.is_char_boundary(*place));
        let mut rest = first;
        let ends = inside.chain(std::iter::once(first + line.len()));
        ends.filter_map(move |end| {
            // A place before the last one is ignored.
            let part = text.get(rest..end)?;
            let continues = rest > first;
            rest = end;
            Some((continues, part))
        })
    });
    lines.flat_map(move |(continues, part)| {
        let pieces = render::pieces(part, room).enumerate();
        pieces.map(move |(number, piece)| (continues || number > 0, piece))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<'t>(text: &'t str, continuations: &'t [u32], room: usize) -> Vec<(bool, &'t str)> {
        pieces(text, continuations, room).collect()
    }

    #[test]
    fn a_text_is_split_where_its_author_split_it() {
        assert_eq!(all("one", &[], 9), [(false, "one")]);
        assert_eq!(all("", &[], 9), [(false, "")]);
        assert_eq!(all("a\n\nb", &[], 9), [(false, "a"), (false, ""), (false, "b")]);
        let text = "hello\nhow is everyone?";
        assert_eq!(
            all(text, &[13], 99),
            [(false, "hello"), (false, "how is "), (true, "everyone?")]
        );
        // Too long for one line of the client's: split at a space.
        assert_eq!(
            all(text, &[13], 8),
            [(false, "hello"), (false, "how is "), (true, "everyone"), (true, "?")]
        );
    }

    #[test]
    fn an_invalid_continuation_is_ignored() {
        for continuations in [&[0][..], &[5], &[6], &[4, 2], &[99], &[1, 1]] {
            let pieces = all("aéb\ncd", continuations, 99);
            let whole: String = pieces.iter().enumerate().fold(
                String::new(),
                |whole, (place, (continues, piece))| {
                    whole + if *continues || place == 0 { "" } else { "\n" } + piece
                },
            );
            assert_eq!(whole, "aéb\ncd", "{continuations:?}");
        }
        assert_eq!(all("aéb", &[2], 99), [(false, "aéb")]);
    }
}
