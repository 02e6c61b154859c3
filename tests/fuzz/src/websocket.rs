//! A browser's frames, from the handshake on: what comes of them does not depend on how they were cut, and the server
//! sends whole frames, each a line, and none behind the Close frame.
//!
//! The first byte says in which pieces the rest arrives. A line that begins with `~` is taken as it is; of the others
//! the first byte is the head of a frame, and the rest its payload.

use crate::chat::Chat;
use chatloop::session::{Protocol, Style};
use chatloop::wire::websocket::{Close, Frame, LONGEST_MESSAGE, write_masked};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: chat.example.org\r\nUpgrade: websocket\r\n\
Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
Sec-WebSocket-Protocol: text.ircv3.net\r\n\r\n";

pub fn run(data: &[u8]) {
    let Some((cut, script)) = data.split_first() else { return };
    let step = usize::from(*cut) + 1;
    let at_once = read(script, script.len().max(1));
    assert_eq!(read(script, step), at_once, "a frame depends on how its bytes were cut");
    let mut stream = Vec::new();
    for line in script.split(|byte| *byte == b'\n') {
        match line.split_first() {
            Some((b'~', raw)) => stream.extend_from_slice(raw),
            Some((head, payload)) => write_masked(*head, payload, &mut stream),
            None => {}
        }
    }
    let answers = talk(stream.chunks(step));
    assert!(answers == talk(stream.chunks(stream.len().max(1))), "answers depend on the pieces");
    check(&answers);
}

/// What the server sends to a browser that sends these pieces.
fn talk<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut chat = Chat::new(&[(Protocol::Any, Style::Plain)]);
    chat.receive(0, REQUEST.as_bytes());
    let head = String::from_utf8(std::mem::take(&mut chat.peers[0].out)).expect("a head");
    assert!(head.starts_with("HTTP/1.1 101 ") && head.ends_with("\r\n\r\n"), "{head}");
    for piece in pieces {
        if chat.is_over(0) {
            break;
        }
        chat.receive(0, piece);
    }
    std::mem::take(&mut chat.peers[0].out)
}

/// Whole frames of a server, of which each of text is a line.
fn check(mut frames: &[u8]) {
    while let [head, length, rest @ ..] = frames {
        let (length, rest) = match (length, rest) {
            (126, [high, low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            (length @ ..126, rest) => (usize::from(*length), rest),
            _ => panic!("a masked or a huge frame"),
        };
        let (payload, rest) = rest.split_at(length);
        match head {
            0x81 => {
                let text = std::str::from_utf8(payload).expect("a frame of text is UTF-8");
                assert!(!text.contains(['\r', '\n', '\0']), "a frame is a line: {text:?}");
            }
            0x88 => assert!(length != 1 && rest.is_empty(), "behind the Close frame: {rest:?}"),
            0x8a => assert!(length < 126),
            _ => panic!("a frame of the kind {head:#x}"),
        }
        frames = rest;
    }
    assert!(frames.is_empty(), "half a frame");
}

/// The payloads of all frames, up to the first fault, and that.
fn read(stream: &[u8], step: usize) -> (Vec<Vec<u8>>, Option<Close>) {
    let (mut payloads, mut consumed) = (Vec::new(), 0);
    for end in (step..stream.len()).step_by(step).chain([stream.len()]) {
        while consumed < end {
            let pending = &stream[consumed..end];
            match Frame::read(pending) {
                Ok(Some(frame)) if frame.length() <= pending.len() => {
                    let payload = frame.payload(pending, usize::MAX);
                    assert!(payload.len() <= LONGEST_MESSAGE);
                    payloads.push(payload);
                    consumed += frame.length();
                }
                Ok(_) => break,
                Err(close) => return (payloads, Some(close)),
            }
        }
    }
    (payloads, None)
}
