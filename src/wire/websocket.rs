//! WebSocket frames and the proof of a handshake (RFC 6455).
//!
//! A frame is read when all of it is there: its header says how long it is, and one that is longer
//! than [`LONGEST_MESSAGE`] is a fault before any of its payload is kept. Nothing is remembered
//! between two reads, so it makes no difference how the bytes were cut on their way.
//!
//! Deliberately absent: extensions. Compression would cost each connection a window of memory, and
//! one rendering could not be shared.

use base64ct::{Base64, Encoding};
use sha1::{Digest, Sha1};
pub use websocket_sans_io::Opcode;
use websocket_sans_io::{
    FrameInfo, MAX_HEADER_LENGTH, WebsocketFrameDecoder, WebsocketFrameEncoder,
    WebsocketFrameEvent, apply_mask,
};

/// Bytes of a client's message, and of one frame: more than any line of IRC has, so that one that is
/// too long is answered and not cut off.
pub const LONGEST_MESSAGE: usize = 16 * 1024;

/// Bytes of the payload of a control frame.
const LONGEST_CONTROL: u64 = 125;

/// Why a connection is closed, as its Close frame says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Close {
    pub code: u16,
    pub text: &'static str,
}

impl Close {
    /// The connection has done what it was for.
    pub const NORMAL: Close = Close { code: 1000, text: "" };
    /// The server shuts down.
    pub const GOING_AWAY: Close = Close { code: 1001, text: "" };

    pub(crate) const fn protocol(text: &'static str) -> Close {
        Close { code: 1002, text }
    }
}

/// The header of a client's frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    pub opcode: Opcode,
    /// Whether it ends its message.
    pub fin: bool,
    mask: [u8; 4],
    header: usize,
    payload: usize,
}

impl Frame {
    /// Reads the header at the front of `input`; `None` as long as it is not whole.
    ///
    /// # Errors
    /// What no client may send.
    pub fn read(input: &[u8]) -> Result<Option<Frame>, Close> {
        let mut start = [0; MAX_HEADER_LENGTH];
        let length = input.len().min(start.len());
        start[..length].copy_from_slice(&input[..length]);
        let Ok(read) = WebsocketFrameDecoder::new().add_data(&mut start[..length]);
        let Some(WebsocketFrameEvent::Start { frame_info, .. }) = read.event else {
            return Ok(None);
        };
        let FrameInfo { opcode, payload_length, mask, fin, .. } = frame_info;
        if !frame_info.is_reasonable() {
            return Err(Close::protocol(
                "unknown opcode, reserved bit, or control frame in pieces",
            ));
        }
        let Some(mask) = mask else {
            return Err(Close::protocol("a client must mask its frames"));
        };
        if opcode.is_control() && payload_length > LONGEST_CONTROL {
            return Err(Close::protocol("a control frame has at most 125 bytes"));
        }
        let payload = usize::try_from(payload_length).unwrap_or(usize::MAX);
        if payload > LONGEST_MESSAGE {
            return Err(TOO_LONG);
        }
        Ok(Some(Frame { opcode, fin, mask, header: read.consumed_bytes, payload }))
    }

    /// Its bytes, the header included.
    pub fn length(&self) -> usize {
        self.header + self.payload
    }

    /// The payload, or its first bytes, of the frame at the front of `input`.
    pub fn payload(&self, input: &[u8], most: usize) -> Vec<u8> {
        let payload = input.get(self.header..self.length()).unwrap_or_default();
        let mut payload = payload[..payload.len().min(most)].to_vec();
        apply_mask(self.mask, &mut payload, 0);
        payload
    }
}

/// A message or a frame was too long.
pub const TOO_LONG: Close = Close { code: 1009, text: "a message has at most 16 KiB" };

/// Adds a server's frame, a whole message, to `out`.
pub fn write_frame(opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
    let payload_length = payload.len() as u64;
    let info = FrameInfo { opcode, payload_length, mask: None, fin: true, reserved: 0 };
    out.extend_from_slice(&WebsocketFrameEncoder::new().start_frame(&info));
    out.extend_from_slice(payload);
}

/// Adds a client's frame to `out`: the first byte (FIN, reserved bits, opcode) as it is, the payload
/// masked. One mask for all: there is nothing to hide.
pub fn write_masked(first: u8, payload: &[u8], out: &mut Vec<u8>) {
    let mask = Some([0x3c, 0x5a, 0xa5, 0xc3]);
    let (opcode, payload_length) = (Opcode::Text, payload.len() as u64);
    let mut encoder = WebsocketFrameEncoder::new();
    let mut frame = encoder
        .start_frame(&FrameInfo { opcode, payload_length, mask, fin: true, reserved: 0 })
        .to_vec();
    frame[0] = first;
    out.extend(frame);
    let start = out.len();
    out.extend_from_slice(payload);
    encoder.transform_frame_payload(&mut out[start..]);
}

/// What proves to a client that its handshake was understood; `None` if its key is invalid.
pub fn accept(key: &str) -> Option<String> {
    let mut nonce = [0; 16];
    let decoded = Base64::decode(key, &mut nonce).ok()?;
    if decoded.len() != nonce.len() {
        return None;
    }
    let proof = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    Some(Base64::encode_string(&proof.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_proof_is_that_of_the_specification() {
        let proof = accept("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(proof.as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        for key in ["", "dGhlIHNhbXBsZQ==", "not base64!", "dGhlIHNhbXBsZSBub25jZSBsb25n"] {
            assert_eq!(accept(key), None, "{key}");
        }
    }

    #[test]
    fn what_no_client_may_send_has_its_code() {
        let huge = [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4];
        for (frame, code) in [
            (&b"\x81\x05hello"[..], 1002),       // not masked
            (b"\xc1\x80\0\0\0\0", 1002),         // a reserved bit
            (b"\x83\x80\0\0\0\0", 1002),         // a reserved opcode
            (b"\x09\x80\0\0\0\0", 1002),         // a ping in pieces
            (b"\x89\xfe\x00\x7e\0\0\0\0", 1002), // a ping of 126 bytes
            (b"\x82\xfe\x40\x01\0\0\0\0", 1009), // 16 KiB and one byte
            (&huge, 1009),                       // 2^63 bytes
        ] {
            assert_eq!(Frame::read(frame).unwrap_err().code, code, "{frame:?}");
        }
    }

    #[test]
    fn a_line_grows_by_its_header() {
        for (length, header) in [(0, 2), (125, 2), (126, 4), (8_703, 4), (65_536, 10)] {
            let mut out = Vec::new();
            write_frame(Opcode::Text, &vec![b'x'; length], &mut out);
            assert_eq!(out.len(), header + length);
            assert_eq!(out[0], 0x81);
        }
    }

    proptest! {
        /// A frame is found when its last byte is there, and not before.
        #[test]
        fn a_frame_is_found_at_every_cut(
            payload in prop::collection::vec(any::<u8>(), 0..300),
            behind in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut frame = Vec::new();
            write_masked(0x82, &payload, &mut frame);
            let input = [frame.as_slice(), &behind].concat();
            for end in 0..=input.len() {
                match Frame::read(&input[..end]) {
                    Ok(Some(found)) => {
                        prop_assert_eq!((found.opcode, found.fin), (Opcode::Binary, true));
                        prop_assert_eq!(found.length(), frame.len());
                    }
                    other => prop_assert!(other == Ok(None) && end < 8, "{other:?} at {end}"),
                }
            }
            let found = Frame::read(&input).unwrap().unwrap();
            prop_assert_eq!(found.payload(&input, usize::MAX), payload);
        }

        #[test]
        fn any_bytes_are_a_header_or_a_fault(input in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(Some(frame)) = Frame::read(&input) {
                prop_assert!(frame.length() <= LONGEST_MESSAGE + MAX_HEADER_LENGTH);
                frame.payload(&input, 9);
            }
        }
    }
}
