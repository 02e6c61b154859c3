//! The body of a request: as long as its head says, or in chunks (RFC 9112, section 7.1).
//!
//! Bytes come cut anywhere; the decoder takes what there is and remembers where it was. What follows
//! the body is left alone: there is no second request.

use super::http::{Fault, Length, bad};

/// The longest line around chunks, extensions and trailers included.
const LONGEST_LINE: usize = 1024;
/// Lines of a trailer.
const MOST_TRAILERS: u32 = 64;

/// Where in the body the next byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    /// In so many bytes of data, the last ones.
    Rest(u64),
    /// In the line with a chunk's size.
    Size,
    Chunk(u64),
    /// In the line end behind a chunk.
    ChunkEnd,
    /// Behind the last chunk; so many lines may come.
    Trailer(u32),
    Done,
}

/// Takes the body of one request apart.
#[derive(Debug)]
pub struct Decoder {
    at: At,
    /// A line that has not ended yet.
    line: Vec<u8>,
}

impl Decoder {
    pub fn new(length: Length) -> Decoder {
        let at = match length {
            Length::Known(0) => At::Done,
            Length::Known(count) => At::Rest(count),
            Length::Chunked => At::Size,
        };
        Decoder { at, line: Vec::new() }
    }

    /// Whether all of the body has come.
    pub fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// Takes the next bytes and adds their data to `out`.
    ///
    /// # Errors
    /// The status and the line to answer with; nothing more may be taken then.
    pub fn take(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        while !input.is_empty() && self.at != At::Done {
            if let At::Rest(left) | At::Chunk(left) = self.at {
                let count = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
                let (data, rest) = input.split_at(count);
                out.extend_from_slice(data);
                input = rest;
                self.at = match (self.at, left - count as u64) {
                    (At::Rest(_), 0) => At::Done,
                    (At::Rest(_), left) => At::Rest(left),
                    (_, 0) => At::ChunkEnd,
                    (_, left) => At::Chunk(left),
                };
                continue;
            }
            let end = memchr::memchr(b'\n', input);
            let (line, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
            self.line.extend_from_slice(line);
            input = rest;
            if self.line.len() > LONGEST_LINE {
                return Err(bad("a line around a chunk is too long"));
            }
            if end.is_some() {
                self.end_line()?;
                self.line.clear();
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), Fault> {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.at = match self.at {
            At::Size => match size(line).ok_or(bad("malformed size of a chunk"))? {
                0 => At::Trailer(MOST_TRAILERS),
                size => At::Chunk(size),
            },
            At::ChunkEnd if line.is_empty() => At::Size,
            At::ChunkEnd => return Err(bad("a chunk is longer than its size")),
            At::Trailer(_) if line.is_empty() => At::Done,
            At::Trailer(0) => return Err(bad("too many trailers")),
            At::Trailer(left) => At::Trailer(left - 1),
            other => other,
        };
        Ok(())
    }
}

/// Hexadecimal digits, perhaps with an extension behind them.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let fits = (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| fits)?;
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(length: Length, parts: &[&[u8]]) -> Result<(Vec<u8>, bool), Fault> {
        let (mut decoder, mut out) = (Decoder::new(length), Vec::new());
        for part in parts {
            decoder.take(part, &mut out)?;
        }
        Ok((out, decoder.is_done()))
    }

    fn chunks(input: &str) -> Result<(String, bool), u16> {
        let decoded = decode(Length::Chunked, &[input.as_bytes()]);
        decoded
            .map(|(out, done)| (String::from_utf8(out).unwrap(), done))
            .map_err(|fault| fault.status)
    }

    #[test]
    fn a_body_ends_where_its_head_says() {
        assert_eq!(decode(Length::Known(3), &[b"abcGET /"]).unwrap(), (b"abc".to_vec(), true));
        assert_eq!(decode(Length::Known(3), &[b"ab"]).unwrap(), (b"ab".to_vec(), false));
        assert_eq!(decode(Length::Known(0), &[b"x"]).unwrap(), (b"".to_vec(), true));
        assert_eq!(
            chunks("3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\nx"),
            Ok(("abc0123456789".into(), true))
        );
        assert_eq!(chunks("1\nx\n0\nTrailer: y\n\n"), Ok(("x".into(), true)));
        assert_eq!(chunks("3\r\nabc\r\n0\r\n"), Ok(("abc".into(), false)));
    }

    #[test]
    fn what_is_no_chunk_is_an_error() {
        for input in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "0x1\r\n",
            "1 2\r\n",
            "1\r\nab\r\n",
            "ffffffffffffffff\r\n",
            &format!("1;{}\r\n", "x".repeat(LONGEST_LINE)),
            &"x".repeat(LONGEST_LINE + 1),
            &format!("0\r\n{}", "a: b\r\n".repeat(70)),
        ] {
            assert_eq!(chunks(input), Err(400), "{input:.20}");
        }
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            data in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..5),
            mut cuts in prop::collection::vec(0usize..300, 0..12),
        ) {
            let mut input = Vec::new();
            for chunk in &data {
                input.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                input.extend_from_slice(chunk);
                input.extend_from_slice(b"\r\n");
            }
            input.extend_from_slice(b"0\r\nX: y\r\n\r\n");
            cuts.push(input.len());
            cuts.sort_unstable();
            let mut start = 0;
            let mut parts: Vec<&[u8]> = Vec::new();
            for cut in cuts {
                let cut = cut.min(input.len());
                parts.push(&input[start..cut]);
                start = cut;
            }
            prop_assert_eq!(decode(Length::Chunked, &parts), Ok((data.concat(), true)));
        }

        #[test]
        fn any_body_is_taken_or_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok((out, _)) = decode(Length::Chunked, &[&bytes]) {
                prop_assert!(out.len() <= bytes.len());
            }
        }
    }
}
