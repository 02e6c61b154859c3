//! The format of test messages, and how to find them in a stream of bytes.
//!
//! ```text
//! swarm.k3x9q2.00017.00000042.00001234567.-------------------.
//! |     |      |     |        |           padding, up to the size that was asked for
//! |     |      |     |        send time, microseconds since the run began
//! |     |      |     number of the message among those of its sender
//! |     |      number of the sender
//! |     the run, so that a message from an earlier run is no one's
//! ```
//!
//! Printable, without a space, and every byte except for three numbers is known in advance: so a
//! message that a server has split, joined, sanitised or changed can be told from an intact one.
//!
//! [`Format::scan`] looks for the first two fields (the *marker*), not for lines. Anything that a
//! server puts in front, be it `[IP:PORT]: `, a colour or `\r`, is skipped, as is every line
//! without a marker. Searching for one fixed string with memchr's vector instructions is also what
//! lets one core check some ten million messages per second.
//!
//! Absent: allocation. The caller keeps the few bytes that `scan` leaves, at most
//! [`Format::longest_leftover`].

use memchr::{memchr, memmem};

/// `swarm.` and six characters of run and a full stop.
const MARKER: usize = 13;
const SENDER_DIGITS: usize = 5;
const SEQUENCE_DIGITS: usize = 8;
const TIME_DIGITS: usize = 11;
/// Marker and the three numbers, each with its full stop.
const HEADER: usize = MARKER + SENDER_DIGITS + SEQUENCE_DIGITS + TIME_DIGITS + 3;

/// The shortest message in bytes, its newline included.
pub const SHORTEST: usize = HEADER + 2;
/// The longest message in bytes, its newline included. Few servers take a line this long.
pub const LONGEST: usize = 65_536;
/// One more than the highest sender number.
pub const MOST_SENDERS: u32 = 100_000;
/// One more than the highest sequence number; the one below it is kept for [`Stamp::PROBE`].
pub const MOST_SEQUENCES: u32 = 99_999_999;
/// What a server may append to a message before its newline (`\r`, a colour reset, a time). Without
/// a newline within this many bytes, the message counts as corrupted.
pub const LONGEST_SUFFIX: usize = 256;

/// The three numbers of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// The sender, from 0.
    pub sender: u32,
    /// The sequence number of the sender's message, from 0; or [`Stamp::PROBE`].
    pub sequence: u32,
    /// When it was due to be sent: microseconds since the start of the run.
    pub micros: u64,
}

impl Stamp {
    /// The sequence number of a probe, which is not part of the measurement.
    pub const PROBE: u32 = MOST_SEQUENCES;
}

/// A result of [`Format::scan`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// An intact message on a separate line.
    Message(Stamp),
    /// The start of a message that is not whole, or one with another in the same line.
    Corrupted,
}

/// The format of one run's messages: run and size are constant.
pub struct Format {
    /// The message of sender 0, sequence 0, time 0, newline included: the mould for all others.
    mould: Vec<u8>,
    finder: memmem::Finder<'static>,
}

impl Format {
    /// Messages of `size` bytes on the wire, including the newline; `run` is distinguished modulo
    /// 36⁶. A `size` outside [`SHORTEST`]..=[`LONGEST`] is clamped.
    pub fn new(run: u64, size: usize) -> Format {
        let mut marker = *b"swarm.000000.";
        let mut rest = run;
        for digit in marker[6..12].iter_mut().rev() {
            *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize];
            rest /= 36;
        }
        let size = size.clamp(SHORTEST, LONGEST);
        let mut mould = marker.to_vec();
        for digits in [SENDER_DIGITS, SEQUENCE_DIGITS, TIME_DIGITS] {
            mould.resize(mould.len() + digits, b'0');
            mould.push(b'.');
        }
        mould.resize(size - 2, b'-');
        mould.extend(b".\n");
        Format { mould, finder: memmem::Finder::new(&marker).into_owned() }
    }

    /// Bytes of a message on the wire, newline included.
    pub fn size(&self) -> usize {
        self.mould.len()
    }

    /// The most that [`scan`](Format::scan) ever leaves.
    pub fn longest_leftover(&self) -> usize {
        self.size() + LONGEST_SUFFIX
    }

    /// Appends the message of `stamp`, with its newline, to `line`.
    pub fn encode(&self, stamp: Stamp, line: &mut Vec<u8>) {
        let start = line.len();
        line.extend_from_slice(&self.mould);
        let text = &mut line[start..];
        let mut at = MARKER;
        for (number, digits) in [
            (u64::from(stamp.sender), SENDER_DIGITS),
            (u64::from(stamp.sequence), SEQUENCE_DIGITS),
            (stamp.micros, TIME_DIGITS),
        ] {
            write_decimal(number, &mut text[at..at + digits]);
            at += digits + 1;
        }
    }

    /// Calls `found` for every message, intact or corrupted, in `bytes`, in order, and returns how
    /// many bytes have been processed. The rest is the start of a message: append the next bytes to
    /// it and scan again. With `ended`, nothing will follow, and nothing is left.
    pub fn scan(&self, bytes: &[u8], ended: bool, mut found: impl FnMut(Found)) -> usize {
        let mut at = 0;
        while let Some(distance) = self.finder.find(&bytes[at..]) {
            let start = at + distance;
            match self.take(&bytes[start..], ended) {
                Some((what, length)) => {
                    found(what);
                    at = start + length;
                }
                None => return start,
            }
        }
        if ended { bytes.len() } else { bytes.len() - self.half_a_marker(&bytes[at..]) }
    }

    /// The message at the start of `rest`, which starts with a marker, and its length; `None` if
    /// more bytes are needed.
    fn take(&self, rest: &[u8], ended: bool) -> Option<(Found, usize)> {
        let length = self.size() - 1;
        let Some(text) = rest.get(..length) else {
            // Truncated, unless its end has not arrived yet.
            let cut = ended || memchr(b'\n', rest).is_some();
            return if cut { Some((Found::Corrupted, MARKER)) } else { None };
        };
        let Some(stamp) = self.read(text) else {
            return Some((Found::Corrupted, MARKER));
        };
        let suffix = &rest[length..rest.len().min(length + LONGEST_SUFFIX)];
        if suffix.first() == Some(&b'\n') {
            return Some((Found::Message(stamp), length + 1));
        }
        let line_end = memchr(b'\n', suffix);
        let same_line = &suffix[..line_end.unwrap_or(suffix.len())];
        if self.finder.find(same_line).is_some() {
            return Some((Found::Corrupted, length)); // glued to the next one, which is looked at next
        }
        match line_end {
            Some(end) => Some((Found::Message(stamp), length + end + 1)),
            None if suffix.len() == LONGEST_SUFFIX => Some((Found::Corrupted, length)),
            None if ended => Some((Found::Message(stamp), rest.len())),
            None => None,
        }
    }

    /// The numbers in `text`, if every other byte is as in the mould.
    fn read(&self, text: &[u8]) -> Option<Stamp> {
        const SENDER: usize = MARKER;
        const SEQUENCE: usize = SENDER + SENDER_DIGITS + 1;
        const TIME: usize = SEQUENCE + SEQUENCE_DIGITS + 1;
        let stops = [SEQUENCE - 1, TIME - 1, HEADER - 1];
        if stops.iter().any(|&stop| text[stop] != b'.') {
            return None;
        }
        if text[HEADER..] != self.mould[HEADER..self.mould.len() - 1] {
            return None;
        }
        let time = read_decimal(&text[TIME..], TIME_DIGITS - 8)? * 100_000_000
            + read_decimal(&text[TIME + TIME_DIGITS - 8..], 8)?;
        Some(Stamp {
            sender: read_decimal(&text[SENDER..], SENDER_DIGITS)? as u32,
            sequence: read_decimal(&text[SEQUENCE..], SEQUENCE_DIGITS)? as u32,
            micros: time,
        })
    }

    /// How many bytes at the end of `tail` may be the start of a marker.
    fn half_a_marker(&self, tail: &[u8]) -> usize {
        let marker = &self.mould[..MARKER];
        (1..MARKER).rev().find(|&length| tail.ends_with(&marker[..length])).unwrap_or(0)
    }
}

/// Fills `digits` with `number`, its highest digits first and cut off if it is too large.
fn write_decimal(mut number: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The number in the first `digits` of `text`: 1 to 8 of them, in 8 bytes or more.
///
/// All eight at once, in one register: this runs three times a delivery, and digit by digit it
/// was the largest single cost of the whole program. The first character is the lowest byte, so
/// fewer digits are moved up and zeros put before them.
fn read_decimal(text: &[u8], digits: usize) -> Option<u64> {
    const ZEROS: u64 = u64::from_le_bytes(*b"00000000");
    const HIGH_HALVES: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    let eight = u64::from_le_bytes(*text.first_chunk()?);
    let missing = 8 * (8 - digits as u32);
    let eight = match missing {
        0 => eight,
        _ => eight << missing | ZEROS >> (64 - missing),
    };
    // Digits are 0x30 to 0x39, and only they stay in 0x30 to 0x3f with 6 added.
    let too_high = eight.wrapping_add(0x0606_0606_0606_0606) & HIGH_HALVES;
    if (eight & HIGH_HALVES) != ZEROS || too_high != ZEROS {
        return None;
    }
    // Neighbours become pairs, pairs fours, fours the eight.
    let ones = eight - ZEROS;
    let pairs = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::tests::seeded;

    fn stamp(sender: u32, sequence: u32) -> Stamp {
        Stamp { sender, sequence, micros: 1_234_567 }
    }

    fn line(format: &Format, sender: u32, sequence: u32) -> Vec<u8> {
        let mut line = Vec::new();
        format.encode(stamp(sender, sequence), &mut line);
        line
    }

    fn scan_all(format: &Format, bytes: &[u8]) -> Vec<Found> {
        let mut all = Vec::new();
        assert_eq!(format.scan(bytes, true, |found| all.push(found)), bytes.len());
        all
    }

    #[test]
    fn a_message_is_printable_has_its_size_and_comes_back() {
        for size in [SHORTEST, 64, 500, LONGEST] {
            let format = Format::new(36 * 36 + 7, size);
            let line = line(&format, 17, 42);
            assert_eq!(line.len(), size);
            assert!(line[..size - 1].iter().all(|byte| byte.is_ascii_graphic()));
            assert!(line.starts_with(b"swarm.000107.00017.00000042.00001234567."));
            assert_eq!(scan_all(&format, &line), [Found::Message(stamp(17, 42))]);
        }
        assert_eq!(Format::new(0, 0).size(), SHORTEST);
    }

    #[test]
    fn what_a_server_puts_around_a_message_is_passed_over() {
        let format = Format::new(1, 64);
        let text = line(&format, 1, 2);
        let text = &text[..text.len() - 1];
        for (before, after) in [
            (&b"[127.0.0.1:4711]: "[..], &b"\r\n"[..]),
            (b"\r\x1b[1;35m[127.0.0.1:4711]: ", b"\n\x1b[0m"),
            (b"a newcomer: swarm.\n12:30 <swarm.00000> ", b" (via relay)\r\n2 users\n"),
        ] {
            let bytes = [before, text, after, before, text, after].concat();
            let expected = [Found::Message(stamp(1, 2)); 2];
            assert_eq!(scan_all(&format, &bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn another_run_is_nobodys() {
        let bytes = line(&Format::new(1, 64), 1, 2);
        assert_eq!(scan_all(&Format::new(2, 64), &bytes), []);
    }

    #[test]
    fn every_way_to_damage_a_message_is_torn() {
        let format = Format::new(1, 64);
        let (first, second) = (line(&format, 1, 2), line(&format, 3, 4));
        let whole = Found::Message(stamp(3, 4));
        // Cut anywhere behind the marker, with the other one on the next line.
        for length in MARKER..first.len() - 1 {
            let bytes = [&first[..length], b"\n", &second].concat();
            assert_eq!(scan_all(&format, &bytes), [Found::Corrupted, whole], "cut at {length}");
        }
        // The other one in the middle of it, or glued to its end.
        for length in MARKER..first.len() {
            let bytes = [&first[..length], b"[::1]: ", &second, &first[length..]].concat();
            let found = scan_all(&format, &bytes);
            assert_eq!(found, [Found::Corrupted, whole], "split at {length}");
        }
        // One byte changed, but for the digits: those name another message, which the ledger
        // knows not to exist.
        for place in (MARKER..first.len() - 1).filter(|&it| !first[it].is_ascii_digit()) {
            let mut bytes = first.clone();
            bytes[place] = b'_';
            assert_eq!(scan_all(&format, &bytes), [Found::Corrupted], "changed at {place}");
        }
        // No newline in sight.
        let endless = [&first[..first.len() - 1], &[b'x'; LONGEST_SUFFIX]].concat();
        assert_eq!(scan_all(&format, &endless), [Found::Corrupted]);
    }

    #[test]
    fn pieces_of_any_size_are_put_together() {
        let mut dice = seeded("pieces_of_any_size");
        let format = Format::new(99, 80);
        let mut bytes = Vec::new();
        for number in 0..200 {
            bytes.extend(b"[127.0.0.1:1]: swarm");
            format.encode(stamp(number % 7, number), &mut bytes);
            bytes.extend_from_slice([&b""[..], b"someone left\n", b"s", b"sw\n"][dice.below(4)]);
        }
        let expected = scan_all(&format, &bytes);
        assert_eq!(expected.len(), 200);
        for _ in 0..50 {
            let (mut found, mut waiting, mut rest) = (Vec::new(), Vec::new(), &bytes[..]);
            while !rest.is_empty() {
                let (piece, later) = rest.split_at(1 + dice.below(rest.len().min(150)));
                rest = later;
                waiting.extend_from_slice(piece);
                let done = format.scan(&waiting, rest.is_empty(), |it| found.push(it));
                waiting.drain(..done);
                assert!(waiting.len() < format.longest_leftover());
            }
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn eight_digits_at_once_are_read_as_one_by_one() {
        let mut dice = seeded("eight_digits");
        for _ in 0..10_000 {
            let digits = 1 + dice.below(8);
            let mut text: Vec<u8> = (0..8).map(|_| b'0' + dice.below(10) as u8).collect();
            if dice.chance(50) {
                text[dice.below(8)] = dice.below(256) as u8;
            }
            let own = &text[..digits];
            let expected = std::str::from_utf8(own).ok().filter(|it| !it.starts_with('+'));
            let expected = expected.and_then(|it| it.parse::<u64>().ok());
            assert_eq!(read_decimal(&text, digits), expected, "{}", own.escape_ascii());
        }
        assert_eq!(read_decimal(b"1234567", 7), None, "too few bytes to look at");
    }

    #[test]
    fn noise_never_panics_nor_makes_a_message() {
        let mut dice = seeded("noise");
        let format = Format::new(5, 64);
        let alphabet = &line(&format, 0, 0);
        for _ in 0..2_000 {
            let noise: Vec<u8> =
                (0..dice.below(200)).map(|_| alphabet[dice.below(alphabet.len())]).collect();
            let done = format.scan(&noise, false, |found| assert_eq!(found, Found::Corrupted));
            assert!(done <= noise.len());
        }
    }
}
