//! Lines in a stream of bytes, however it is split.
//!
//! TCP carries a stream: what one side sends with one `send` may arrive in three reads, and three
//! sends in one read. Servers that relay "what `recv` returned" split messages and join them. A
//! line is everything before a newline, and only the newline ends it.
//!
//! Invariants: the result does not depend on how the bytes are split; every byte is scanned once; a
//! line longer than the limit is reported once, as early as possible, and then skipped to its
//! newline without being stored.

use memchr::memchr;

/// The next step in the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<'a> {
    /// A whole line without its end (`\n` or `\r\n`); `used` bytes of the input are consumed.
    Line {
        /// The line's text.
        bytes: &'a [u8],
        /// Bytes to consume.
        used: usize,
    },
    /// The line exceeds the limit. Its bytes so far are consumed; the rest will be reported as
    /// [`Step::Skipped`].
    TooLong {
        /// Bytes to consume.
        used: usize,
    },
    /// More of a line that was reported as too long.
    Skipped {
        /// Bytes to consume.
        used: usize,
    },
    /// No newline yet: keep the bytes and call again with more appended.
    Incomplete,
}

/// The state of one peer's stream of lines.
#[derive(Clone, Copy, Default, Debug)]
pub struct LineReader {
    /// Bytes of the input that are known to hold no newline; at most the longest line.
    scanned: u32,
    skipping: bool,
}

impl LineReader {
    /// At the beginning of a line.
    pub fn new() -> LineReader {
        LineReader::default()
    }

    /// The next step in `input`, all bytes that have not been consumed yet. `limit` is the longest
    /// line allowed, in bytes without its end. The caller consumes what the step says before it
    /// calls again, and after [`Step::Incomplete`] it calls again with the same bytes and more.
    pub fn next<'a>(&mut self, input: &'a [u8], limit: usize) -> Step<'a> {
        let scanned = (self.scanned as usize).min(input.len());
        let newline = memchr(b'\n', &input[scanned..]).map(|place| scanned + place);
        self.scanned = 0;
        if self.skipping {
            if input.is_empty() {
                return Step::Incomplete;
            }
            self.skipping = newline.is_none();
            return Step::Skipped { used: newline.map_or(input.len(), |place| place + 1) };
        }
        match newline {
            Some(place) => {
                let bytes = without_carriage_return(&input[..place]);
                let used = place + 1;
                if bytes.len() > limit {
                    Step::TooLong { used }
                } else {
                    Step::Line { bytes, used }
                }
            }
            // One byte more than the limit may still be the `\r` of a line that fits.
            None if input.len() > limit + 1 => {
                self.skipping = true;
                Step::TooLong { used: input.len() }
            }
            None => {
                // A bound of a line is far below 4 GiB, and less scanned is only scanned again.
                self.scanned = u32::try_from(input.len()).unwrap_or(u32::MAX);
                Step::Incomplete
            }
        }
    }

    /// [`next`](LineReader::next), or [`finish`](LineReader::finish) if the stream has ended.
    pub fn step<'a>(&mut self, input: &'a [u8], limit: usize, ended: bool) -> Step<'a> {
        if ended { self.finish(input, limit) } else { self.next(input, limit) }
    }

    /// The stream has ended: the remaining bytes of `input`, if any, are a last line without its
    /// newline, as `printf hello | nc` sends it.
    pub fn finish<'a>(&mut self, input: &'a [u8], limit: usize) -> Step<'a> {
        match self.next(input, limit) {
            Step::Incomplete if !input.is_empty() => {
                *self = LineReader::new();
                let (bytes, used) = (without_carriage_return(input), input.len());
                if bytes.len() > limit {
                    Step::TooLong { used }
                } else {
                    Step::Line { bytes, used }
                }
            }
            step => step,
        }
    }
}

fn without_carriage_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(PartialEq, Eq, Debug)]
    enum Seen {
        Line(Vec<u8>),
        TooLong,
    }

    /// Feeds the pieces as a connection would, and collects lines and complaints.
    fn read_all(pieces: &[&[u8]], limit: usize) -> Vec<Seen> {
        let (mut reader, mut held, mut seen) = (LineReader::new(), Vec::new(), Vec::new());
        for (number, piece) in pieces.iter().chain([&&b""[..]]).enumerate() {
            held.extend_from_slice(piece);
            loop {
                let step = if number == pieces.len() {
                    reader.finish(&held, limit)
                } else {
                    reader.next(&held, limit)
                };
                let used = match step {
                    Step::Line { bytes, used } => {
                        seen.push(Seen::Line(bytes.to_vec()));
                        used
                    }
                    Step::TooLong { used } => {
                        seen.push(Seen::TooLong);
                        used
                    }
                    Step::Skipped { used } => used,
                    Step::Incomplete => break,
                };
                held.drain(..used);
                assert!(held.len() <= pieces.iter().map(|piece| piece.len()).sum());
            }
            assert!(held.len() <= limit + 1, "more is held than a line may be long");
        }
        seen
    }

    fn line(text: &str) -> Seen {
        Seen::Line(text.as_bytes().to_vec())
    }

    #[test]
    fn pieces_are_put_together_and_a_segment_is_taken_apart() {
        assert_eq!(read_all(&[b"com", b"man", b"d\n"], 99), [line("command")]);
        assert_eq!(read_all(&[b"one\ntwo\r\n\nlast"], 99), ["one", "two", "", "last"].map(line));
        assert_eq!(read_all(&[b"a\r", b"\nb\0c\n"], 99), [line("a"), line("b\0c")]);
    }

    #[test]
    fn a_long_line_is_refused_once_and_the_next_one_stands() {
        let expected = || [line("123"), Seen::TooLong, line("ok")];
        assert_eq!(read_all(&[b"123\n1234\nok\n"], 3), expected());
        assert_eq!(read_all(&[b"123\r\n", b"12345678", b"9", b"0\r\nok\n"], 3), expected());
        assert_eq!(read_all(&[b"1234"], 3), [Seen::TooLong]);
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_lines(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(0usize..200, 0..20),
            limit in 0usize..40,
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut start = 0;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                pieces.push(&bytes[start..cut]);
                start = cut;
            }
            prop_assert_eq!(read_all(&pieces, limit), read_all(&[&bytes], limit));
        }
    }
}
