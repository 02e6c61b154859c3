//! A WebSocket under a session of IRC: one line a message, in both directions (IRCv3 "WebSocket").
//!
//! A client's frames are units of its input, each paid for as a line is; so pings cost the one who
//! sends them. To a client each line is a frame, and the frames of a shared line are rendered once for
//! all clients of one [`Framing`].

use crate::session::frame::{Body, Frame};
use crate::wire::websocket::{self as wire, Close, LONGEST_MESSAGE, Opcode, TOO_LONG, write_frame};
use memchr::memchr;

/// What stands around the lines that a client of IRC is sent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Framing {
    /// CR LF behind each.
    #[default]
    Lines,
    /// A text frame around each.
    Text,
    /// A binary frame around each.
    Binary,
}

impl Framing {
    /// The framings by their subprotocols.
    pub(super) const SUBPROTOCOLS: [(&str, Framing); 2] =
        [("text.ircv3.net", Framing::Text), ("binary.ircv3.net", Framing::Binary)];

    /// Frames the lines in `out` from `start` on.
    pub(in crate::session) fn wrap(self, out: &mut Vec<u8>, start: usize) {
        let opcode = match self {
            Framing::Lines => return,
            Framing::Text => Opcode::Text,
            Framing::Binary => Opcode::Binary,
        };
        let lines = out.split_off(start);
        let mut rest = &lines[..];
        while let Some(end) = memchr(b'\n', rest) {
            let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
            write_frame(opcode, line, out);
            rest = &rest[end + 1..];
        }
    }

    /// Adds lines, framed, to `out`.
    pub(in crate::session) fn append(self, lines: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(lines);
        self.wrap(out, start);
    }
}

/// What a frame has brought.
pub(in crate::session) enum Received {
    Nothing,
    /// A message, without the end of a line.
    Message(Vec<u8>),
    /// The connection is to be closed, with these last words.
    End(&'static str),
}

/// One client's WebSocket.
pub struct WebSocket {
    framing: Framing,
    /// A message that comes in pieces: whether it is text, and what there is of it.
    pieces: Option<(bool, Vec<u8>)>,
    /// What the Close frame will say; `None` once it is written.
    close: Option<Close>,
}

impl WebSocket {
    pub(super) fn new(framing: Framing) -> WebSocket {
        WebSocket { framing, pieces: None, close: Some(Close::NORMAL) }
    }

    pub(in crate::session) fn framing(&self) -> Framing {
        self.framing
    }

    /// The memory behind a message that comes in pieces.
    pub(in crate::session) fn held(&self) -> usize {
        self.pieces.as_ref().map_or(0, |(_, message)| message.capacity())
    }

    /// The next frame of `input`. `may_follow` tells from its first bytes whether a line may be taken
    /// while messages of the same client wait for the journal.
    pub(in crate::session) fn next<'i>(
        &self,
        input: &'i [u8],
        may_follow: impl FnOnce(&[u8]) -> bool,
    ) -> Frame<'i> {
        let nothing = Frame { used: 0, pipelined: true, body: None };
        match wire::Frame::read(input) {
            Ok(Some(frame)) if frame.length() <= input.len() => {
                let whole = frame.fin && matches!(frame.opcode, Opcode::Text | Opcode::Binary);
                Frame {
                    used: frame.length(),
                    pipelined: whole && may_follow(&frame.payload(input, 16)),
                    body: Some(Body::WebSocketFrame(&input[..frame.length()])),
                }
            }
            Ok(_) => nothing,
            // What comes after it cannot be told apart any more.
            Err(_) => {
                Frame { used: input.len(), body: Some(Body::WebSocketFrame(input)), ..nothing }
            }
        }
    }

    /// Takes a frame that [`next`](WebSocket::next) has found; a ping is answered into `out`.
    pub(in crate::session) fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Received {
        match self.received(bytes, out) {
            Ok(received) => received,
            Err(close) => {
                self.close = self.close.and(Some(close));
                Received::End(close.text)
            }
        }
    }

    fn received(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<Received, Close> {
        let Some(frame) = wire::Frame::read(bytes)? else { return Ok(Received::Nothing) };
        let payload = frame.payload(bytes, usize::MAX);
        let (is_text, mut message) = match (frame.opcode, self.pieces.take()) {
            (Opcode::Ping | Opcode::Pong, pieces) => {
                self.pieces = pieces;
                if frame.opcode == Opcode::Ping {
                    write_frame(Opcode::Pong, &payload, out);
                }
                return Ok(Received::Nothing);
            }
            (Opcode::ConnectionClose, _) => return Err(closed_by_peer(&payload)),
            (Opcode::Continuation, Some(pieces)) => pieces,
            (Opcode::Continuation, None) => {
                return Err(Close::protocol("a continuation of no message"));
            }
            (opcode, None) => (opcode == Opcode::Text, Vec::new()),
            (_, Some(_)) => return Err(Close::protocol("a message inside of another")),
        };
        if message.len() + payload.len() > LONGEST_MESSAGE {
            return Err(TOO_LONG);
        }
        message.extend(payload);
        if !frame.fin {
            self.pieces = Some((is_text, message));
            return Ok(Received::Nothing);
        }
        if is_text && std::str::from_utf8(&message).is_err() {
            return Err(Close { code: 1007, text: "a text message must be UTF-8" });
        }
        Ok(Received::Message(message))
    }

    /// A message was not one line.
    pub(in crate::session) fn not_one_line(&mut self) -> &'static str {
        let close = Close { code: 1008, text: "a message is one line" };
        self.close = self.close.and(Some(close));
        close.text
    }

    /// The server shuts down.
    pub(in crate::session) fn go_away(&mut self) {
        self.close = self.close.and(Some(Close::GOING_AWAY));
    }

    /// Writes the Close frame, once; nothing may follow it.
    pub(in crate::session) fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(Close { code, text }) = self.close.take() {
            let payload = [&code.to_be_bytes()[..], text.as_bytes()].concat();
            write_frame(Opcode::ConnectionClose, &payload, out);
        }
    }

    /// Asks whether the client is still there.
    pub fn ping(&self, out: &mut Vec<u8>) {
        if self.close.is_some() {
            write_frame(Opcode::Ping, &[], out);
        }
    }
}

/// The answer to a client's Close frame: its own code, if it may send that.
fn closed_by_peer(payload: &[u8]) -> Close {
    let reason = |code| Close { code, text: "" };
    let (code, text) = match payload {
        [] => return Close::NORMAL,
        [high, low, text @ ..] => (u16::from_be_bytes([*high, *low]), text),
        [_] => return Close::protocol("half a close code"),
    };
    match code {
        1000..=1003 | 1007..=1014 | 3000..=4999 if std::str::from_utf8(text).is_ok() => {
            reason(code)
        }
        1000..=1003 | 1007..=1014 | 3000..=4999 => reason(1007),
        _ => Close::protocol("invalid close code"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::websocket::write_masked;
    use proptest::prelude::*;

    fn client_frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        write_masked(first, payload, &mut frame);
        frame
    }

    /// All that comes of these bytes, cut into these pieces: messages, answers, the last frame.
    fn read(input: &[u8], cuts: &[usize]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut socket = WebSocket::new(Framing::Text);
        let (mut messages, mut out, mut consumed) = (Vec::new(), Vec::new(), 0);
        for end in cuts.iter().copied().filter(|cut| *cut < input.len()).chain([input.len()]) {
            loop {
                let pending = &input[consumed.min(end)..end];
                let frame = socket.next(pending, |_| false);
                let Some(Body::WebSocketFrame(bytes)) = frame.body else { break };
                consumed += frame.used;
                match socket.take(bytes, &mut out) {
                    Received::Nothing => {}
                    Received::Message(message) => messages.push(message),
                    Received::End(_) => {
                        socket.end(&mut out);
                        return (messages, out);
                    }
                }
            }
        }
        (messages, out)
    }

    #[test]
    fn a_message_may_come_in_pieces_with_a_ping_between() {
        let input = [
            client_frame(0x01, "caf\u{e9}".as_bytes().split_last().unwrap().1),
            client_frame(0x89, b"there?"),
            client_frame(0x80, "\u{e9}".as_bytes().split_first().unwrap().1),
            client_frame(0x82, b"\xff"),
        ]
        .concat();
        let (messages, out) = read(&input, &[]);
        assert_eq!(messages, [b"caf\xc3\xa9".to_vec(), b"\xff".to_vec()]);
        assert_eq!(out, b"\x8a\x06there?");
    }

    #[test]
    fn a_fault_closes_with_its_code() {
        let long = client_frame(0x00, &vec![b'x'; LONGEST_MESSAGE / 2]);
        let mut long_in_pieces = client_frame(0x02, &vec![b'x'; LONGEST_MESSAGE / 2]);
        long_in_pieces.extend(long.iter().chain(&long));
        for (input, code) in [
            (client_frame(0x81, b"caf\xe9"), 1007),
            (client_frame(0x80, b"what?"), 1002),
            ([client_frame(0x01, b"a"), client_frame(0x81, b"b")].concat(), 1002),
            (long_in_pieces, 1009),
            (b"\x81\x02hi".to_vec(), 1002),
            (client_frame(0x88, b""), 1000),
            (client_frame(0x88, b"\x03\xe8bye"), 1000),
            (client_frame(0x88, b"\x0f\xa1"), 4001),
            (client_frame(0x88, b"\x03"), 1002),
            (client_frame(0x88, b"\x03\xed"), 1002),
            (client_frame(0x88, b"\x03\xe8\xff"), 1007),
        ] {
            let (_, out) = read(&input, &[]);
            assert_eq!(out[0], 0x88, "{input:?}");
            assert_eq!(u16::from_be_bytes([out[2], out[3]]), code, "{input:?}");
        }
    }

    #[test]
    fn each_line_is_a_frame() {
        let long = "x".repeat(200);
        let lines = format!("one\r\n{long}\r\n");
        let mut out = b"kept".to_vec();
        Framing::Text.append(lines.as_bytes(), &mut out);
        let frames = [b"kept\x81\x03one\x81\x7e\x00\xc8".as_slice(), long.as_bytes()].concat();
        assert_eq!(out, frames);
        let mut out = Vec::new();
        Framing::Binary.append(b"one\r\n", &mut out);
        Framing::Lines.append(b"two\r\n", &mut out);
        assert_eq!(out, b"\x82\x03onetwo\r\n");
    }

    proptest! {
        /// However frames are cut on their way, the same comes of them.
        #[test]
        fn cuts_make_no_difference(
            frames in prop::collection::vec(
                (any::<u8>(), prop::collection::vec(any::<u8>(), 0..140)), 1..8
            ),
            mut cuts in prop::collection::vec(0usize..400, 0..12),
        ) {
            let input: Vec<u8> = frames
                .iter()
                .flat_map(|(first, payload)| client_frame(first & 0x8f, payload))
                .collect();
            cuts.sort_unstable();
            prop_assert_eq!(read(&input, &cuts), read(&input, &[]));
        }
    }
}
