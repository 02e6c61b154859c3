//! A client's WebSocket around lines: each line is a message, and each message a line.
//!
//! Absent: fragments, and the proof in the answer to the handshake. The server under test sends none
//! of the former, and a server that answers 101 sends frames from there on.

use crate::wire::websocket::{Opcode, write_masked};
use std::io;
use std::net::SocketAddr;
use websocket_sans_io::{WebsocketFrameDecoder, WebsocketFrameEvent};

/// Bytes of the answer to the handshake.
const LONGEST_ANSWER: usize = 16 * 1024;

/// Bytes of the payload of a ping.
const LONGEST_PING: usize = 125;

/// The first bytes of a whole message of text, and of an answer to a ping.
const TEXT: u8 = 0x81;
const PONG: u8 = 0x8a;

/// One end.
#[derive(Default)]
pub struct WebSocket {
    decoder: WebsocketFrameDecoder,
    /// The answer to the handshake so far; empty once it is there.
    answer: Vec<u8>,
    open: bool,
    /// Frames that wait for it.
    early: Vec<u8>,
    /// The payload of a ping.
    ping: Vec<u8>,
}

impl WebSocket {
    /// What the client sends first.
    pub fn request(server: SocketAddr) -> String {
        format!(
            "GET / HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: text.ircv3.net\r\n\r\n"
        )
    }

    /// Sends lines, as soon as frames may be sent.
    pub fn send(&mut self, lines: &[u8], out: &mut Vec<u8>) {
        let out = if self.open { out } else { &mut self.early };
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            write_masked(TEXT, line.strip_suffix(b"\r").unwrap_or(line), out);
        }
    }

    /// Takes what the server sent: adds its messages to `lines`, and what is to be sent to `out`.
    /// Whether frames may be sent from here on.
    ///
    /// # Errors
    /// The server rejects it, or sends something else.
    pub fn receive(
        &mut self,
        mut bytes: &mut [u8],
        lines: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> io::Result<bool> {
        let mut opened = false;
        if !self.open {
            let before = self.answer.len();
            self.answer.extend_from_slice(bytes);
            let Some(end) = memchr::memmem::find(&self.answer, b"\r\n\r\n") else {
                let long = self.answer.len() > LONGEST_ANSWER;
                return if long { Err(self.refusal()) } else { Ok(false) };
            };
            if !self.answer.starts_with(b"HTTP/1.1 101 ") {
                return Err(self.refusal());
            }
            bytes = &mut bytes[end + 4 - before..];
            (self.open, opened, self.answer) = (true, true, Vec::new());
            out.append(&mut self.early);
        }
        loop {
            let Ok(read) = self.decoder.add_data(bytes);
            let used = read.consumed_bytes;
            match read.event {
                None if used == 0 => return Ok(opened),
                Some(WebsocketFrameEvent::PayloadChunk { original_opcode }) => {
                    match original_opcode {
                        Opcode::Text | Opcode::Binary => lines.extend_from_slice(&bytes[..used]),
                        Opcode::Ping if self.ping.len() + used <= LONGEST_PING => {
                            self.ping.extend_from_slice(&bytes[..used]);
                        }
                        Opcode::Ping => {
                            return Err(io::Error::other("the server sent an endless ping"));
                        }
                        _ => {}
                    }
                }
                Some(WebsocketFrameEvent::End { original_opcode, .. }) => match original_opcode {
                    Opcode::Text | Opcode::Binary => lines.push(b'\n'),
                    Opcode::Ping => write_masked(PONG, &std::mem::take(&mut self.ping), out),
                    _ => {}
                },
                None | Some(WebsocketFrameEvent::Start { .. }) => {}
            }
            bytes = &mut bytes[used..];
        }
    }

    fn refusal(&self) -> io::Error {
        let line = self.answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
        io::Error::other(format!("no WebSocket: the server answered {line:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::websocket::{Frame, write_frame};

    #[test]
    fn messages_are_lines_however_they_are_cut() {
        let mut stream = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n".to_vec();
        write_frame(Opcode::Text, b"one", &mut stream);
        write_frame(Opcode::Ping, b"there?", &mut stream);
        write_frame(Opcode::Binary, &[b'x'; 300], &mut stream);
        for size in [1, 2, 7, 1000] {
            let (mut socket, mut lines, mut out) = (WebSocket::default(), Vec::new(), Vec::new());
            socket.send(b"NICK ada\r\nUSER a 0 * :b\n", &mut out);
            assert!(out.is_empty(), "no frame may precede the answer");
            let pieces = stream.chunks(size).map(<[u8]>::to_vec);
            let opened = pieces
                .filter(|piece| socket.receive(&mut piece.clone(), &mut lines, &mut out).unwrap());
            assert_eq!(opened.count(), 1);
            assert_eq!(lines, [b"one\n".as_slice(), &[b'x'; 300], b"\n"].concat(), "{size}");
            let mut payloads = Vec::new();
            while let Some(frame) = Frame::read(&out).unwrap() {
                payloads.push((frame.opcode, frame.payload(&out, 99)));
                out.drain(..frame.length());
            }
            let expected = [
                (Opcode::Text, b"NICK ada".to_vec()),
                (Opcode::Text, b"USER a 0 * :b".to_vec()),
                (Opcode::Pong, b"there?".to_vec()),
            ];
            assert_eq!(payloads, expected);
        }
    }

    #[test]
    fn an_endless_ping_is_not_kept() {
        let mut stream = b"HTTP/1.1 101 x\r\n\r\n\x89\x7f\x7f\xff\xff\xff\xff\xff\xff\xff".to_vec();
        stream.extend([b'x'; 200]);
        let (mut socket, mut lines, mut out) = (WebSocket::default(), Vec::new(), Vec::new());
        let pieces = stream.chunks(100).map(<[u8]>::to_vec);
        let mut taken = pieces.map(|mut piece| socket.receive(&mut piece, &mut lines, &mut out));
        assert!(taken.any(|taken| taken.is_err()));
    }

    #[test]
    fn a_refusal_is_shown() {
        let mut answer = b"HTTP/1.1 403 Forbidden\r\n\r\nno".to_vec();
        let refused = WebSocket::default().receive(&mut answer, &mut Vec::new(), &mut Vec::new());
        assert!(refused.unwrap_err().to_string().contains("403 Forbidden"));
    }
}
