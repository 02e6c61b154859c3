//! Rendering of messages, so that the result is always one well-formed line.
//!
//! The two writers are the order of a line, checked by the compiler: a [`LineWriter`] takes tags
//! and a source and becomes, with the command, a [`ParameterWriter`].
//!
//! Invariants, for any arguments:
//! - It appends exactly one line, which ends with CR LF.
//! - Tags and body keep to their [`Limits`]. A tag that does not fit is omitted. The body is
//!   truncated between characters, never inside one (UTF8ONLY), and [`Fit`] reports it.
//! - The command is always present: a source that leaves no room for it is omitted.
//! - Nothing in a text can begin a new parameter or a new line. A middle parameter that could
//!   not be read back is written as `*`; in a trailing one NUL, CR and LF become spaces.
//!
//! Replacing characters instead of returning an error is a choice: numerics echo what a user typed
//! (`403 ada bad name :No such channel`), and no reply would help no one.
//!
//! Absent: a check of the command and of names, which come from the caller.

use super::{Limits, Numeric, Tag, tags};
use unicode_segmentation::GraphemeCursor;

/// Whether the whole body fits on the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// Everything is there.
    Whole,
    /// It was truncated.
    Cut,
}

/// Appends a line to a buffer: its tags and its source.
///
/// ```
/// use chatloop::wire::irc::{Fit, Limits, LineWriter};
/// let mut out = Vec::new();
/// let fit = LineWriter::new(&mut out, Limits::FROM_SERVER)
///     .tag("label", "a b")
///     .source("ada!al@host")
///     .command("PRIVMSG")
///     .middle("#lab")
///     .trailing("hello :)")
///     .end();
/// assert_eq!(out, b"@label=a\\sb :ada!al@host PRIVMSG #lab :hello :)\r\n");
/// assert_eq!(fit, Fit::Whole);
/// ```
#[must_use = "a line begins with its command"]
pub struct LineWriter<'o, 's> {
    out: &'o mut Vec<u8>,
    start: usize,
    limits: Limits,
    source: Option<&'s str>,
}

impl<'o, 's> LineWriter<'o, 's> {
    /// A line appended to `out`.
    pub fn new(out: &'o mut Vec<u8>, limits: Limits) -> LineWriter<'o, 's> {
        let start = out.len();
        LineWriter { out, start, limits, source: None }
    }

    /// A tag; `value` is escaped, and the tag is omitted if it is empty.
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        // Escaping only adds bytes, so what is too long already need not be escaped.
        if value.len() < self.limits.tags {
            self.append_tag(key, |out| {
                if !value.is_empty() {
                    out.push(b'=');
                    tags::escape_into(value, out);
                }
            });
        }
        self
    }

    /// A tag of another client, as received.
    pub fn relay(mut self, tag: Tag<'_>) -> Self {
        let raw = tag.raw_value.unwrap_or_default();
        if is_tag_word(raw) && raw.len() < self.limits.tags {
            self.append_tag(tag.key, |out| {
                if tag.raw_value.is_some() {
                    out.push(b'=');
                    out.extend_from_slice(raw.as_bytes());
                }
            });
        }
        self
    }

    /// The sender, without a colon. `nick!user@host` or a server's name.
    pub fn source(mut self, source: &'s str) -> Self {
        self.source = Some(source);
        self
    }

    /// The command; the parameters follow.
    pub fn command(self, command: &str) -> ParameterWriter<'o> {
        if self.out.len() > self.start {
            self.out.push(b' ');
        }
        let room = self.limits.body.saturating_sub(2);
        let limit = self.out.len() + room;
        let mut parameters = ParameterWriter { out: self.out, limit, fit: Fit::Whole };
        // At the start of a line an `@` begins tags.
        let word = if command.starts_with('@') { "*" } else { word_or_star(command) };
        // Without its command the line would be nothing; without its source the reader takes
        // the peer for the sender, which between us and a client is right or harmless.
        let source = self.source.map(word_or_star);
        if let Some(source) = source.filter(|source| source.len() + word.len() + 2 <= room) {
            parameters.push(":");
            parameters.push(source);
            parameters.push(" ");
        }
        parameters.push(word);
        parameters
    }

    /// A number as the command, and `client` as the first parameter, where every numeric has the
    /// nick of its recipient (`*` before there is one).
    pub fn numeric(self, numeric: Numeric, client: &str) -> ParameterWriter<'o> {
        self.command(&numeric.to_string()).middle(client)
    }

    /// `value` appends `=` and the raw value, or nothing.
    fn append_tag(&mut self, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
        let before = self.out.len();
        if key.is_empty() || key.contains('=') || !is_tag_word(key) {
            return;
        }
        self.out.push(if before == self.start { b'@' } else { b';' });
        self.out.extend_from_slice(key.as_bytes());
        value(self.out);
        let section = self.out.len() - self.start + 1;
        if section > self.limits.tags {
            self.out.truncate(before);
        }
    }
}

/// Whether `text` can be part of a tag section without ending a tag.
fn is_tag_word(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, b' ' | b';' | b'\r' | b'\n' | 0))
}

/// `text`, or `*` if the reader would not get it back as one parameter.
fn word_or_star(text: &str) -> &str {
    let ends = |byte: u8| matches!(byte, b' ' | b'\r' | b'\n' | 0);
    if text.is_empty() || text.starts_with(':') || text.bytes().any(ends) { "*" } else { text }
}

/// Appends the parameters and the line end.
#[must_use = "a line without its end is no line"]
pub struct ParameterWriter<'o> {
    out: &'o mut Vec<u8>,
    /// The length of `out` at which the body is full.
    limit: usize,
    fit: Fit,
}

impl ParameterWriter<'_> {
    /// A parameter that is not the last: one word. Anything else is written as `*`.
    pub fn middle(mut self, word: &str) -> Self {
        self.push(" ");
        self.push(word_or_star(word));
        self
    }

    /// Several parameters that others follow.
    pub fn middles(self, words: &[&str]) -> Self {
        words.iter().fold(self, |line, word| line.middle(word))
    }

    /// Ends the line, with a last parameter if there is one.
    pub fn ending(self, text: Option<&str>) -> Fit {
        match text {
            Some(text) => self.trailing(text).end(),
            None => self.end(),
        }
    }

    /// The last parameter: any text. Its colon is always written, because some clients expect it.
    pub fn trailing(mut self, text: &str) -> Self {
        self.push(" :");
        let mut rest = text;
        // Between the bytes that no line carries; each of those becomes a space.
        while let Some(bad) = memchr::memchr3(b'\0', b'\r', b'\n', rest.as_bytes()) {
            self.push(&rest[..bad]);
            self.push(" ");
            rest = &rest[bad + 1..];
        }
        self.push(rest);
        self
    }

    /// Ends the line.
    pub fn end(self) -> Fit {
        self.out.extend_from_slice(b"\r\n");
        self.fit
    }

    fn push(&mut self, text: &str) {
        if self.fit == Fit::Cut {
            return; // a later text that fits into the last gap would not belong there
        }
        let room = self.limit.saturating_sub(self.out.len());
        let fitting = &text[..text.floor_char_boundary(room)];
        if fitting.len() < text.len() {
            self.fit = Fit::Cut;
        }
        self.out.extend_from_slice(fitting.as_bytes());
    }
}

/// A text in pieces of at most `room` bytes, for one line each: split after a space if there is one
/// in the second half of the piece, otherwise between graphemes (UAX #29), and inside one only if
/// it fills the piece. Concatenated, they are the text. One empty piece for an empty text. A `room`
/// under four bytes counts as four, so that every character fits and the iteration ends.
pub fn pieces(text: &str, room: usize) -> impl Iterator<Item = &str> {
    let room = room.max(4);
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        if text.len() <= room {
            rest = None;
            return Some(text);
        }
        let full = text.floor_char_boundary(room);
        let place = match text[..full].rfind(' ') {
            Some(space) if space >= full / 2 => space + 1,
            _ => grapheme_floor(text, full),
        };
        let (piece, left) = text.split_at(place);
        rest = Some(left);
        Some(piece)
    })
}

/// The last grapheme boundary at or before `at`; `at` itself if that would be the start.
fn grapheme_floor(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    // With the whole text as the only chunk, it never needs more, so an error cannot happen.
    if matches!(cursor.is_boundary(text, 0), Ok(true)) {
        return at;
    }
    cursor.prev_boundary(text, 0).ok().flatten().filter(|place| *place > 0).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(write: impl FnOnce(LineWriter<'_, '_>) -> Fit) -> (String, Fit) {
        let mut out = b"before".to_vec();
        let fit = write(LineWriter::new(&mut out, Limits::FROM_SERVER));
        let line = out.strip_prefix(b"before").expect("the buffer keeps what it held");
        (String::from_utf8(line.to_vec()).expect("a line is UTF-8"), fit)
    }

    #[test]
    fn what_cannot_be_a_word_is_a_star() {
        for bad in ["", "a b", ":a", "a\r", "a\nQUIT", "a\0"] {
            let (text, fit) =
                line(|line| line.source(bad).command("X").middle(bad).trailing(bad).end());
            let harmless = bad.replace(['\r', '\n', '\0'], " ");
            assert_eq!(text, format!(":* X * :{harmless}\r\n"));
            assert_eq!(fit, Fit::Whole);
        }
    }

    #[test]
    fn a_command_always_comes_through_as_one() {
        let (text, fit) = line(|line| line.source(&"x".repeat(509)).command("A").end());
        assert_eq!((text.as_str(), fit), ("A\r\n", Fit::Whole));
        let (text, _) = line(|line| line.source(&"x".repeat(507)).command("A").end());
        assert_eq!(text.len(), 512);
        let (text, _) = line(|line| line.command("@a").middle("b").end());
        assert_eq!(text, "* b\r\n");
    }

    #[test]
    fn a_body_of_512_bytes_is_whole_and_one_more_is_cut() {
        for extra in 0..4 {
            let text = "x".repeat(512 - "A :\r\n".len() + extra);
            let (line, fit) = line(|line| line.command("A").trailing(&text).end());
            assert_eq!(line.len(), 512);
            assert_eq!(fit, if extra == 0 { Fit::Whole } else { Fit::Cut });
        }
    }

    #[test]
    fn a_character_is_never_cut_and_nothing_follows_a_cut() {
        for shift in 0..8 {
            let text = "x".repeat(500 + shift) + "😃😃😃";
            let (line, fit) = line(|line| line.command("A").trailing(&text).trailing("z").end());
            assert_eq!(fit, Fit::Cut);
            assert!(line.len() > 512 - 4 && line.len() <= 512, "{}", line.len());
            assert!(!line.contains('z'));
        }
    }

    #[test]
    fn tags_are_whole_or_absent() {
        let room = super::super::MAX_TAG_SECTION - "@k= ".len();
        let long = "v".repeat(room);
        let (text, _) = line(|line| line.tag("k", &long).tag("x", "").command("A").end());
        assert_eq!(text, format!("@k={long} A\r\n"));
        let (text, _) = line(|line| line.tag("k", &(long + "v")).tag("x", "").command("A").end());
        assert_eq!(text, "@x A\r\n");
        let (text, _) = line(|line| line.tag("k", &" ".repeat(room)).command("A").end());
        assert_eq!(text, "A\r\n");
    }

    #[test]
    fn a_relayed_tag_keeps_its_form_and_a_bad_one_is_dropped() {
        let tag = |key, raw_value| Tag { key, raw_value };
        let (text, _) = line(|line| {
            line.relay(tag("+a", None))
                .relay(tag("+b", Some("")))
                .relay(tag("+c", Some(r"x\:y")))
                .relay(tag("+d", Some("x;y")))
                .relay(tag("a b", None))
                .relay(tag("a=b", None))
                .relay(tag("", Some("x")))
                .command("TAGMSG")
                .middle("#lab")
                .end()
        });
        assert_eq!(text, "@+a;+b=;+c=x\\:y TAGMSG #lab\r\n");
    }

    #[test]
    fn a_numeric_has_three_digits_and_its_recipient() {
        let (text, _) = line(|line| {
            let numeric = super::super::numeric::RPL_WELCOME;
            line.source("irc.example.org").numeric(numeric, "ada").trailing("Welcome").end()
        });
        assert_eq!(text, ":irc.example.org 001 ada :Welcome\r\n");
    }

    #[test]
    fn pieces_are_the_text_and_fit() {
        let text = "one two  three föür 😃😃😃😃😃 xxxxxxxxxxxxxxxxxxxxxxxxxxx";
        for room in 0..80 {
            let all: Vec<&str> = pieces(text, room).collect();
            assert_eq!(all.concat(), text);
            assert!(all.iter().all(|piece| piece.len() <= room.max(4)), "{room}: {all:?}");
        }
        assert_eq!(pieces("hello world", 8).collect::<Vec<_>>(), ["hello ", "world"]);
        assert_eq!(pieces("", 8).collect::<Vec<_>>(), [""]);
        let family = "👩‍👩‍👧‍👦";
        let all: Vec<String> = pieces(&family.repeat(3), 60).map(str::to_owned).collect();
        assert_eq!(all, [family.repeat(2), family.to_owned()], "a grapheme is not cut");
    }
}
