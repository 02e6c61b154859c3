//! Bytes from a stranger as the header of a proxy, as an HTTP request, as its body, and as WebSocket frames
//! behind one: no panic, no answer that depends on how they were cut, and nothing over its limit is kept.
//!
//! ```text
//! cargo +nightly fuzz run --fuzz-dir tests/fuzz http -- -max_len=20000
//! ```

#![no_main]

use chatloop::wire::http::{LONGEST_HEAD, Length, Request, end_of_head};
use chatloop::wire::http_body::Decoder;
use chatloop::wire::proxy::{Header, LONGEST, header};
use chatloop::wire::websocket::{Close, Frame, LONGEST_MESSAGE};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((cut, stream)) = data.split_first() else { return };
    let step = usize::from(*cut) + 1;
    proxied(stream, step);
    head(stream, step);
    body(stream, step);
    frames(stream, step);
});

fn proxied(stream: &[u8], step: usize) {
    let whole = header(stream);
    let mut found = Header::NeedMore;
    for end in (step..stream.len()).step_by(step).chain([stream.len()]) {
        found = if found == Header::NeedMore { header(&stream[..end]) } else { found };
    }
    assert_eq!(found, whole, "a proxy's header depends on how its bytes were cut");
    assert!(whole != Header::NeedMore || stream.len() < LONGEST);
}

fn body(stream: &[u8], step: usize) {
    let decode = |step: usize| {
        let (mut decoder, mut out) = (Decoder::new(Length::Chunked), Vec::new());
        let fault = stream.chunks(step).find_map(|part| decoder.take(part, &mut out).err());
        (fault.map(|fault| fault.status), out, decoder.is_done())
    };
    assert_eq!(decode(step), decode(stream.len().max(1)), "a body depends on how it was cut");
}

fn head(stream: &[u8], step: usize) {
    let whole = end_of_head(stream, 0);
    let (mut scanned, mut found) = (0, None);
    for end in (step..stream.len()).step_by(step).chain([stream.len()]) {
        found = found.or_else(|| end_of_head(&stream[..end], scanned));
        scanned = end;
    }
    assert_eq!(found, whole, "the end of a head depends on how its bytes were cut");
    let Some(end) = whole.filter(|end| *end <= LONGEST_HEAD) else { return };
    match Request::parse(&stream[..end]) {
        Ok(request) => assert!(request.path.is_none_or(|path| path.starts_with('/'))),
        Err(fault) => assert!(matches!(fault.status, 400 | 431 | 501 | 505)),
    }
}

fn frames(stream: &[u8], step: usize) {
    let at_once = read(stream, stream.len().max(1));
    assert_eq!(read(stream, step), at_once, "a frame depends on how its bytes were cut");
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
