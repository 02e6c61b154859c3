//! Lines in a stream of bytes, and their limits.
//!
//! The caller owns the bytes; the framer only remembers how far it has searched, so a line that
//! arrives byte by byte is searched once, not once per byte.
//!
//! Invariants:
//! - The result does not depend on how the bytes were split on arrival.
//! - At most [`Limits::longest`] bytes have to be kept for a line that is not finished.
//! - A line that is too long is reported once, as soon as that is certain, and the rest of it is
//!   swallowed without being kept. So an endless line costs its reader nothing but the reading.
//!
//! A line ends at LF, CR LF or a lone CR. Modern IRC allows the last, and it is the safe choice: no
//! parameter can carry a CR to a client that ends lines there. Empty lines are skipped.
//!
//! Deliberately absent: UTF-8. A line of bad bytes is a line; [`Message::parse`] judges it.
//!
//! [`Message::parse`]: super::Message::parse

use super::{MAX_BODY, MAX_CLIENT_TAG_DATA, MAX_TAG_SECTION, Tags};
use memchr::{memchr, memchr2};

/// The maximum length of a line, in two parts that do not share their space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of the tag section, `@` and the space after it included.
    pub tags: usize,
    /// Bytes of the rest, including two for the line end, whichever is used. At least 2.
    pub body: usize,
}

impl Limits {
    /// What a server accepts from a client.
    pub const FROM_CLIENT: Limits = Limits { tags: MAX_CLIENT_TAG_DATA + 2, body: MAX_BODY };
    /// What a client accepts from a server.
    pub const FROM_SERVER: Limits = Limits { tags: MAX_TAG_SECTION, body: MAX_BODY };

    /// The most bytes of an unfinished line that a caller ever has to keep.
    pub const fn longest(self) -> usize {
        self.tags + self.body
    }

    /// Bytes of the body without its line end.
    const fn content(self) -> usize {
        self.body.saturating_sub(2)
    }
}

/// The two parts of a line that have their own limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// From `@` to the first space.
    Tags,
    /// All after it: source, command, parameters.
    Body,
}

/// The framer's result. The caller drops `used` bytes from the front of its input and calls again:
/// at once, or after an [`Incomplete`](Step::Incomplete) when more has arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<'a> {
    /// No whole line yet. Bytes may have been used all the same.
    Incomplete {
        /// Bytes to drop: line ends, or the rest of a line that was too long.
        used: usize,
    },
    /// One line, without its end; never empty.
    Line {
        /// The line's text.
        bytes: &'a [u8],
        /// Bytes to drop: the line and its end.
        used: usize,
    },
    /// The line is too long; the rest of it will be skipped. A server replies with 417,
    /// ERR_INPUTTOOLONG.
    TooLong {
        /// The part that was over its limit.
        part: Part,
        /// The tags, if the body is too long and they are UTF-8: a `label` requires a reply even
        /// now. Otherwise empty.
        tags: Tags<'a>,
        /// Bytes to drop: what was seen of the line.
        used: usize,
    },
}

/// Finds lines in a stream of bytes.
///
/// ```
/// use chatloop::wire::irc::{Framer, Limits, Step};
/// let mut framer = Framer::new(Limits::FROM_CLIENT);
/// assert_eq!(framer.next(b"PING"), Step::Incomplete { used: 0 });
/// let input = b"PING a\r\nPONG";
/// let Step::Line { bytes, used } = framer.next(input) else { panic!("no line") };
/// assert_eq!((bytes, used), (&b"PING a"[..], 8));
/// ```
#[derive(Clone, Debug)]
pub struct Framer {
    limits: Limits,
    /// Bytes at the front of the input that contain no line end.
    scanned: usize,
    /// The start of the body, once it is known.
    body: Option<usize>,
    /// Whether the bytes at the front are the rest of a line that was too long.
    skipping: bool,
}

fn ends_line(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

impl Framer {
    /// A framer at the start of a stream.
    pub const fn new(limits: Limits) -> Framer {
        Framer { limits, scanned: 0, body: None, skipping: false }
    }

    /// Looks for a line at the front of `input`: all bytes that arrived and were not used up.
    pub fn next<'a>(&mut self, input: &'a [u8]) -> Step<'a> {
        let mut front = 0;
        if self.skipping {
            match memchr2(b'\n', b'\r', input) {
                None => return Step::Incomplete { used: input.len() },
                Some(end) => front = end,
            }
            self.skipping = false;
        }
        if self.scanned == 0 {
            let rest = input.get(front..).unwrap_or_default();
            front += rest.iter().take_while(|byte| ends_line(byte)).count();
        }
        let line = input.get(front..).unwrap_or_default();
        let unseen = line.get(self.scanned..).unwrap_or_default();
        let end = memchr2(b'\n', b'\r', unseen).map(|place| place + self.scanned);
        let seen = end.unwrap_or(line.len());

        if let Some(part) = self.over(&line[..seen]) {
            // Detected by length, not by the end of the line, so it does not depend on how the
            // input was split.
            let tags = match (part, self.body) {
                (Part::Body, Some(body)) => Tags::of_section(line.get(..body).unwrap_or_default()),
                _ => Tags::default(),
            };
            let used = front + seen;
            self.start_over();
            self.skipping = true;
            return Step::TooLong { part, tags, used };
        }
        match end {
            Some(end) => {
                self.start_over();
                // The LF of a CR LF, if it is here already; else it is skipped like an empty line.
                let pair = line.get(end..end + 2) == Some(b"\r\n");
                let used = front + end + if pair { 2 } else { 1 };
                Step::Line { bytes: &line[..end], used }
            }
            None => {
                self.scanned = seen;
                Step::Incomplete { used: front }
            }
        }
    }

    /// Whether there are bytes of an incomplete line. At the end of the stream they are a truncated
    /// command, which must not be executed.
    pub fn is_inside_line(&self) -> bool {
        self.skipping || self.scanned > 0
    }

    fn start_over(&mut self) {
        self.scanned = 0;
        self.body = None;
    }

    /// The limit that the `seen` bytes of a line exceed, if any. Notes where the body starts.
    fn over(&mut self, seen: &[u8]) -> Option<Part> {
        if self.body.is_none() {
            self.body = match seen.first() {
                None => None,
                Some(b'@') => {
                    let unseen = seen.get(self.scanned..).unwrap_or_default();
                    memchr(b' ', unseen).map(|space| self.scanned + space + 1)
                }
                Some(_) => Some(0),
            };
        }
        let tags = self.body.unwrap_or(seen.len());
        // Without its space a section needs room for one byte more.
        let room =
            if self.body.is_some() { self.limits.tags } else { self.limits.tags.saturating_sub(1) };
        if tags > room {
            return Some(Part::Tags);
        }
        (seen.len().saturating_sub(tags) > self.limits.content()).then_some(Part::Body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `input` in chunks of `size` and tells what came out; checks the bound on the way.
    fn told(input: &[u8], size: usize) -> Vec<String> {
        let mut framer = Framer::new(Limits::FROM_CLIENT);
        let mut kept = Vec::new();
        let mut told = Vec::new();
        for chunk in input.chunks(size) {
            kept.extend_from_slice(chunk);
            loop {
                let (used, done) = match framer.next(&kept) {
                    Step::Incomplete { used } => (used, true),
                    Step::Line { bytes, used } => {
                        told.push(String::from_utf8_lossy(bytes).into_owned());
                        (used, false)
                    }
                    Step::TooLong { part, tags, used } => {
                        told.push(format!("{part:?} {:?}", tags.get("label")));
                        (used, false)
                    }
                };
                kept.drain(..used);
                if done {
                    break;
                }
            }
            assert!(kept.len() <= Limits::FROM_CLIENT.longest());
        }
        told
    }

    #[test]
    fn commands_come_in_pieces_and_in_lumps() {
        let input = b"com\nman\r\nd\r\r\n\n\nPING :a b\r\nhalf";
        for size in 1..input.len() + 1 {
            assert_eq!(told(input, size), ["com", "man", "d", "PING :a b"], "{size}");
        }
    }

    #[test]
    fn each_limit_is_exact() {
        let body = |length: usize| [vec![b'x'; length], b"\r\nQUIT\n".to_vec()].concat();
        let tagged = |data: usize| format!("@{} A\r\nQUIT\n", "t".repeat(data)).into_bytes();
        for size in [1, 7, 511, 4096, 9999] {
            assert_eq!(told(&body(510), size), ["x".repeat(510).as_str(), "QUIT"]);
            assert_eq!(told(&body(511), size), ["Body None", "QUIT"]);
            assert_eq!(told(&tagged(4094), size).len(), 2);
            assert!(told(&tagged(4094), size)[0].ends_with("t A"));
            assert_eq!(told(&tagged(4095), size), ["Tags None", "QUIT"]);
        }
    }

    #[test]
    fn a_label_survives_a_body_that_is_too_long() {
        let line = format!("@label=7 PRIVMSG #lab :{}\r\nQUIT\r\n", "x".repeat(600));
        for size in [1, 100, 9999] {
            assert_eq!(told(line.as_bytes(), size), ["Body Some(\"7\")", "QUIT"]);
        }
    }

    #[test]
    fn an_endless_line_is_said_once_and_kept_nowhere() {
        for start in ["x", "@x"] {
            let endless = [start.as_bytes(), &vec![b'x'; 1_000_000]].concat();
            assert_eq!(told(&endless, 4096).len(), 1);
        }
    }
}
