//! Telnet commands in a stream of bytes, RFC 854: where does one end, and what is left without them?
//!
//! PuTTY and `telnet` negotiate with a server that knows nothing of it; each command is dropped, and
//! none answered. Two things that look like a command are none, because text is never to be lost:
//! 255 before a byte below 240 is a letter of Latin-1, and no option is a line end.

use memchr::memchr;
use std::borrow::Cow;

/// The first byte of every command.
pub const IAC: u8 = 255;

const SE: u8 = 240;
const SB: u8 = 250;
const WILL: u8 = 251;
const DONT: u8 = 254;

/// The longest command: a subnegotiation with a list of environment variables. A longer one is not taken for one.
pub const LONGEST: usize = 512;

/// The length of the command that `bytes` begin with, 0 if there is none; `None` if it is not whole.
pub fn command(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [IAC] | [IAC, WILL..=DONT] => None,
        [IAC, SB, body @ ..] => subnegotiation(body),
        [IAC, WILL..=DONT, b'\r' | b'\n', ..] => Some(0),
        [IAC, WILL..=DONT, ..] => Some(3),
        [IAC, SE..=IAC, ..] => Some(2),
        _ => Some(0),
    }
}

/// The same for a subnegotiation, of which `body` is what follows its first two bytes. It ends at IAC
/// SE; an IAC IAC in it is one of its bytes.
fn subnegotiation(body: &[u8]) -> Option<usize> {
    let body = &body[..body.len().min(LONGEST - 2)];
    let mut at = 0;
    while let Some(iac) = memchr(IAC, &body[at..]) {
        at += iac + 2;
        match body.get(at - 1) {
            Some(&SE) => return Some(2 + at),
            Some(_) => {}
            None => break,
        }
    }
    // The first two bytes alone are a command, too.
    if body.len() == LONGEST - 2 { Some(2) } else { None }
}

/// The length of the whole commands that `bytes` begin with.
pub fn leading(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(length @ 1..) = command(&bytes[at..]) {
        at += length;
    }
    at
}

/// A line without its commands, and without a subnegotiation that it ends in the middle of.
pub fn strip(line: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr(IAC, line) else { return Cow::Borrowed(line) };
    let mut text = line[..first].to_vec();
    let mut rest = &line[first..];
    while !rest.is_empty() {
        rest = match command(rest) {
            None if rest.get(1) == Some(&SB) => break,
            // The line ends here, so these are letters.
            None | Some(0) => {
                let next = memchr(IAC, &rest[1..]).map_or(rest.len(), |next| next + 1);
                text.extend_from_slice(&rest[..next]);
                &rest[next..]
            }
            Some(length) => &rest[length..],
        };
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_dropped_and_text_is_kept() {
        let long = [&[IAC, SB][..], &[b'x'; LONGEST]].concat();
        let cases: [(&[u8], &[u8]); 10] = [
            (b"hello", b"hello"),
            (b"\xff\xfb\x1f\xff\xfd\x03/login", b"/login"),
            (b"\xff\xfa\x1f\0\x28\0\n\xff\xf0after", b"after"),
            (b"\xff\xfa\x18\0a\xff\xffb\xff\xf0after", b"after"),
            (b"in\xff\xf1 the \xff\xffmiddle", b"in the middle"),
            (b"caf\xe9 \xff!", b"caf\xe9 \xff!"),
            (b"\xff", b"\xff"),
            (b"\xff\xfb", b"\xff\xfb"),
            (b"cut\xff\xfa\x18", b"cut"),
            (&long, &long[2..]),
        ];
        for (line, text) in cases {
            assert_eq!(strip(line), text, "{line:?}");
        }
        assert_eq!(command(b"\xff\xfe\n"), Some(0), "a line end is no option");
        assert_eq!(leading(b"\xff\xfb\x1f\xff\xf1NICK"), 5);
        assert_eq!(leading(b"\xff\xf1\xff\xfb"), 2);
    }
}
