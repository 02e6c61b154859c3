//! Lines in a stream of bytes, for plain lines and for IRC.
//!
//! TCP carries a stream: what one side sent with one `send` may arrive in three reads, and three
//! sends in one read. A server that passes on what `recv` returned cuts messages apart and glues
//! them together. So a line is what stands before its end, however it arrived.
//!
//! The caller owns the bytes; the framer only remembers how far it has looked, so a line that
//! arrives byte by byte is still searched once, not once per byte.
//!
//! Invariants:
//! - The lines do not depend on how the bytes were cut on their way.
//! - The caller keeps at most [`LineKind::longest`] bytes of an unfinished line.
//! - A line that is too long is reported once, as soon as that is certain, and the rest of it is
//!   skipped without being kept. So an endless line costs its reader only the reading.
//!
//! A plain line ends at LF; a CR before it is dropped, and an empty line is a line. A typed one comes
//! from a person's terminal program, which may be one of telnet: it ends at CR NUL, too, and not
//! inside a [telnet command](super::telnet). A line of IRC ends at LF, CR LF or a lone CR, and empty
//! ones are skipped. Modern IRC allows a lone CR, and it is the safe choice: no parameter can carry a
//! CR to a client that ends its lines there.
//!
//! Deliberately absent: UTF-8. A line of bad bytes is a line; [`Message::parse`] rejects it.
//!
//! [`Message::parse`]: crate::wire::irc::Message::parse

use crate::wire::irc::{Limits, Tags};
use crate::wire::telnet;
use memchr::{memchr, memchr2, memchr3};

/// The kind of lines, and how long one may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineKind {
    /// At most this many bytes, the end not counted.
    Plain(usize),
    /// The same, possibly by way of telnet.
    Typed(usize),
    /// Two parts that do not lend each other room.
    Irc(Limits),
}

impl LineKind {
    /// The most bytes of an unfinished line that a caller has to keep.
    pub const fn longest(self) -> usize {
        match self {
            // One more may be the CR of a line that fits.
            LineKind::Plain(limit) => limit + 1,
            LineKind::Typed(limit) => limit + 1 + telnet::LONGEST,
            LineKind::Irc(Limits { tags, body }) => tags + body,
        }
    }

    /// Where a line ends.
    fn find_end(self, bytes: &[u8]) -> End {
        let found = match self {
            LineKind::Plain(_) => memchr(b'\n', bytes),
            LineKind::Typed(_) => return typed_end(bytes),
            LineKind::Irc(_) => memchr2(b'\n', b'\r', bytes),
        };
        found.map_or(End::None { scanned: bytes.len() }, |at| End::At { at, length: 1 })
    }
}

/// What a search for the end of a line has found.
enum End {
    /// A line ends here, and its end is so long.
    At { at: usize, length: usize },
    /// None in that many bytes; the rest may become one.
    None { scanned: usize },
}

fn typed_end(bytes: &[u8]) -> End {
    let mut from = 0;
    while let Some(found) = memchr3(b'\n', b'\r', telnet::IAC, &bytes[from..]) {
        let at = from + found;
        from = match bytes[at..] {
            [b'\n', ..] => return End::At { at, length: 1 },
            [b'\r', 0, ..] => return End::At { at, length: 2 },
            [b'\r'] => return End::None { scanned: at },
            [b'\r', ..] => at + 1,
            _ => match telnet::command(&bytes[at..]) {
                Some(length) => at + length.max(1),
                None => return End::None { scanned: at },
            },
        };
    }
    End::None { scanned: bytes.len() }
}

/// What the framer found. The caller drops `used` bytes from the front of its input and comes
/// again: at once, or after an [`Incomplete`](Step::Incomplete) when more has arrived. The other two
/// are found again until the caller drops them and says so with [`Framer::taken`]: it may have to
/// wait before it can take a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<'a> {
    /// No whole line yet. So many bytes are to be dropped all the same: line ends, or the rest of a line
    /// that was too long.
    Incomplete { used: usize },
    /// One line, without its end; how many bytes to drop for both.
    Line { bytes: &'a [u8], used: usize },
    /// The line that starts here is too long; what is left of it will be skipped, and what was seen of
    /// it is to be dropped. The tags are there if it is the body of a line of IRC that was too long and
    /// they are UTF-8: a `label` is owed its response even now.
    TooLong { tags: Tags<'a>, used: usize },
}

/// Finds lines in a stream of bytes.
///
/// ```
/// use chatloop::wire::frame::{Framer, LineKind, Step};
/// let mut framer = Framer::default();
/// assert_eq!(framer.next(b"hel", LineKind::Plain(80)), Step::Incomplete { used: 0 });
/// let input = b"hello\r\nwor";
/// let Step::Line { bytes, used } = framer.next(input, LineKind::Plain(80)) else { panic!() };
/// assert_eq!((bytes, used), (&b"hello"[..], 7));
/// framer.taken(false);
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub struct Framer {
    /// Bytes at the front of the input that contain no line end.
    scanned: u32,
    /// Where the body of a tagged line begins; 0 until that is known.
    body: u32,
    /// Whether the bytes at the front are the rest of a line that was too long.
    skipping: bool,
}

impl Framer {
    /// Looks for a line at the front of `input`: all bytes that arrived and were not used up.
    pub fn next<'a>(&mut self, input: &'a [u8], kind: LineKind) -> Step<'a> {
        let mut front = 0;
        if self.skipping {
            match kind.find_end(input) {
                End::None { scanned } => return Step::Incomplete { used: scanned },
                End::At { at, length } => front = at + length,
            }
        }
        if self.scanned == 0 && matches!(kind, LineKind::Irc(_)) {
            let rest = input.get(front..).unwrap_or_default();
            front += rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        }
        let line = input.get(front..).unwrap_or_default();
        let from = self.scanned as usize;
        let (seen, whole) = match kind.find_end(line.get(from..).unwrap_or_default()) {
            End::At { at, length } => (from + at, Some(length)),
            End::None { scanned } => (from + scanned, None),
        };
        if let Some((tags, used)) = self.too_long(&line[..seen], kind) {
            // Detected by length, not by the end of the line, so it does not depend on how the
            // input was split.
            return Step::TooLong { tags, used: front + used };
        }
        let Some(length) = whole else {
            // An unfinished line is bounded by the limits.
            self.scanned = seen as u32;
            self.skipping = false;
            return Step::Incomplete { used: front };
        };
        let bytes = &line[..seen];
        match kind {
            LineKind::Plain(_) | LineKind::Typed(_) => {
                Step::Line { bytes: without_cr(bytes), used: front + seen + length }
            }
            LineKind::Irc(_) => {
                // The LF of a CR LF, if it is here already; else it is skipped as an empty line.
                let pair = line.get(seen..seen + 2) == Some(b"\r\n");
                Step::Line { bytes, used: front + seen + if pair { 2 } else { 1 } }
            }
        }
    }

    /// [`next`](Framer::next); once the stream has `ended`, the bytes that are left are a last plain
    /// line without its newline. `printf hello | nc` sends such a line, and it counts.
    pub fn next_or_last<'a>(&mut self, input: &'a [u8], kind: LineKind, ended: bool) -> Step<'a> {
        match self.next(input, kind) {
            Step::Incomplete { .. } if ended && self.skipping => {
                Step::Incomplete { used: input.len() }
            }
            Step::Incomplete { used } if ended && used < input.len() => {
                self.scanned = 0;
                Step::Line { bytes: without_cr(&input[used..]), used: input.len() }
            }
            step => step,
        }
    }

    /// The line that was found has been dropped; what is left of one that was `too_long` is skipped.
    pub fn taken(&mut self, too_long: bool) {
        *self = Framer { skipping: too_long, ..Framer::default() };
    }

    /// Whether the `seen` bytes of a line exceed a limit: the tags to report, and the bytes to drop.
    /// Notes where the body begins.
    fn too_long<'a>(&mut self, seen: &'a [u8], kind: LineKind) -> Option<(Tags<'a>, usize)> {
        let (most_tags, most) = match kind {
            LineKind::Plain(limit) => {
                let is_longer = without_cr(seen).len() > limit;
                return is_longer.then(|| (Tags::default(), seen.len()));
            }
            // Up to the limit only: where the skipping begins tells which bytes are a telnet command.
            LineKind::Typed(limit) => {
                let is_longer = without_cr(seen).len() > limit;
                return is_longer.then(|| (Tags::default(), limit + 1));
            }
            LineKind::Irc(Limits { tags, body }) => (tags, body.saturating_sub(2)),
        };
        if seen.first() != Some(&b'@') {
            return (seen.len() > most).then(|| (Tags::default(), seen.len()));
        }
        if self.body == 0 {
            let unseen = seen.get(self.scanned as usize..).unwrap_or_default();
            let space = memchr(b' ', unseen).map(|space| self.scanned as usize + space + 1);
            self.body = space.unwrap_or_default() as u32;
        }
        let (known, body) = (self.body > 0, self.body as usize);
        let tags = if known { body } else { seen.len() };
        // Without its space a section needs room for one byte more.
        if tags > most_tags.saturating_sub(usize::from(!known)) {
            return Some((Tags::default(), seen.len()));
        }
        let is_longer = known && seen.len() - body > most;
        is_longer.then(|| (Tags::of_section(&seen[..body]), seen.len()))
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What comes out of `input` in these pieces; checks the bound on the way.
    fn read<'p>(pieces: impl IntoIterator<Item = &'p [u8]>, kind: LineKind) -> Vec<String> {
        let (mut framer, mut kept, mut found) = (Framer::default(), Vec::new(), Vec::new());
        let mut pieces = pieces.into_iter();
        loop {
            let piece = pieces.next();
            kept.extend_from_slice(piece.unwrap_or_default());
            let ended = piece.is_none() && !matches!(kind, LineKind::Irc(_));
            loop {
                let step = framer.next_or_last(&kept, kind, ended);
                if !matches!(step, Step::Incomplete { .. }) {
                    assert_eq!(framer.next_or_last(&kept, kind, ended), step, "until it is taken");
                }
                let (used, done) = match step {
                    Step::Incomplete { used } => (used, true),
                    Step::Line { bytes, used } => {
                        found.push(String::from_utf8_lossy(bytes).into_owned());
                        framer.taken(false);
                        (used, false)
                    }
                    Step::TooLong { tags, used } => {
                        found.push(format!("TOO LONG {:?}", tags.get("label")));
                        framer.taken(true);
                        (used, false)
                    }
                };
                kept.drain(..used);
                if done {
                    break;
                }
            }
            assert!(kept.len() <= kind.longest());
            if piece.is_none() {
                return found;
            }
        }
    }

    fn cut(input: &[u8], size: usize) -> Vec<String> {
        read(input.chunks(size), LineKind::Irc(Limits::FROM_CLIENT))
    }

    const TOO_LONG: &str = "TOO LONG None";

    #[test]
    fn plain_pieces_are_put_together_and_a_segment_is_taken_apart() {
        let plain = |pieces: &[&'static [u8]]| read(pieces.iter().copied(), LineKind::Plain(99));
        assert_eq!(plain(&[b"com", b"man", b"d\n"]), ["command"]);
        assert_eq!(plain(&[b"one\ntwo\r\n\nlast"]), ["one", "two", "", "last"]);
        assert_eq!(plain(&[b"a\r", b"\nb\0c\n", b"@d e"]), ["a", "b\0c", "@d e"]);
    }

    #[test]
    fn a_typed_line_ends_at_cr_nul_and_not_inside_a_telnet_command() {
        let input =
            b"one\r\0two\r\nth\rree\n\xff\xfa\x1f\0\n\0\x0a\xff\xf0four\xff\xfd\x01\nlast\r";
        for size in 1..=input.len() {
            let lines = read(input.chunks(size), LineKind::Typed(99));
            let strip = |line: &String| line.replace(|c: char| !c.is_alphanumeric(), "");
            let lines: Vec<String> = lines.iter().map(strip).collect();
            assert_eq!(lines, ["one", "two", "three", "four", "last"], "{size}");
        }
        let long = b"12345\r\0ok\r\0";
        assert_eq!(read(long.chunks(1), LineKind::Typed(3)), [TOO_LONG, "ok"]);
    }

    #[test]
    fn a_long_plain_line_is_reported_once_and_the_next_one_stands() {
        let plain = |pieces: &[&'static [u8]]| read(pieces.iter().copied(), LineKind::Plain(3));
        let expected = ["123", TOO_LONG, "", "ok"];
        assert_eq!(plain(&[b"123\n1234\n\nok\n"]), expected);
        assert_eq!(plain(&[b"123\r\n", b"12345678", b"9", b"0\r\n\nok\n"]), expected);
        assert_eq!(plain(&[b"1234"]), [TOO_LONG]);
        assert_eq!(plain(&[b"123\r"]), ["123"]);
    }

    #[test]
    fn commands_come_in_pieces_and_in_lumps() {
        let input = b"com\nman\r\nd\r\r\n\n\nPING :a b\r\nhalf";
        for size in 1..input.len() + 1 {
            assert_eq!(cut(input, size), ["com", "man", "d", "PING :a b"], "{size}");
        }
    }

    #[test]
    fn each_limit_is_exact() {
        let body = |length: usize| [vec![b'x'; length], b"\r\nQUIT\n".to_vec()].concat();
        let tagged = |data: usize| format!("@{} A\r\nQUIT\n", "t".repeat(data)).into_bytes();
        for size in [1, 7, 511, 4096, 9999] {
            assert_eq!(cut(&body(510), size), ["x".repeat(510).as_str(), "QUIT"]);
            assert_eq!(cut(&body(511), size), [TOO_LONG, "QUIT"]);
            assert_eq!(cut(&tagged(4094), size).len(), 2);
            assert!(cut(&tagged(4094), size)[0].ends_with("t A"));
            assert_eq!(cut(&tagged(4095), size), [TOO_LONG, "QUIT"]);
        }
    }

    #[test]
    fn a_label_survives_a_body_that_is_too_long() {
        let line = format!("@label=7 PRIVMSG #lab :{}\r\nQUIT\r\n", "x".repeat(600));
        for size in [1, 100, 9999] {
            assert_eq!(cut(line.as_bytes(), size), ["TOO LONG Some(\"7\")", "QUIT"]);
        }
    }

    #[test]
    fn an_endless_line_is_reported_once_and_kept_nowhere() {
        for start in ["x", "@x"] {
            let endless = [start.as_bytes(), &vec![b'x'; 1_000_000]].concat();
            assert_eq!(cut(&endless, 4096).len(), 1);
        }
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_lines(
            bytes in proptest::collection::vec(
                prop_oneof![
                    Just(b'\n'), Just(b'\r'), Just(b'@'), Just(b' '), Just(0), Just(255),
                    Just(250), Just(240), any::<u8>(),
                ], 0..1200),
            cuts in proptest::collection::vec(0usize..1200, 0..20),
            limit in 0usize..40,
            kind in 0..3,
        ) {
            let kind = match kind {
                0 => LineKind::Irc(Limits { tags: limit, body: 2 + limit }),
                1 => LineKind::Plain(limit),
                _ => LineKind::Typed(limit),
            };
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut start = 0;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                pieces.push(&bytes[start..cut]);
                start = cut;
            }
            prop_assert_eq!(read(pieces, kind), read([&bytes[..]], kind));
        }
    }
}
