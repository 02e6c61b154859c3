//! Bytes from a stranger as the header of a proxy, as an HTTP request and as its body: no panic, no answer that
//! depends on how they were cut, and one whole answer to each request.
//!
//! The first byte says in which pieces the rest arrives.

use crate::chat::Chat;
use chatloop::session::{Protocol, Style};
use chatloop::wire::http::{LONGEST_HEAD, Length, Request, end_of_head};
use chatloop::wire::http_body::Decoder;
use chatloop::wire::proxy::{Header, LONGEST, header};

pub fn run(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let step = usize::from(*cut) + 1;
    proxied(stream, step);
    head(stream, step);
    body(stream, step);
    answer(stream, step);
}

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

/// A request is answered once, and the same however it was cut.
fn answer(stream: &[u8], step: usize) {
    let talk = |step: usize| {
        let mut chat = Chat::new(&[(Protocol::Any, Style::Plain)]);
        for piece in stream.chunks(step) {
            if chat.is_over(0) {
                break;
            }
            chat.receive(0, piece);
        }
        std::mem::take(&mut chat.peers[0].out)
    };
    if !stream.starts_with(b"GET ")
        && !stream.starts_with(b"HEAD ")
        && !stream.starts_with(b"POST ")
    {
        return;
    }
    let answer = talk(stream.len());
    assert!(answer == talk(step), "an answer depends on how the request was cut");
    let Some(end) = end_of_head(&answer, 0) else { return };
    let head = String::from_utf8_lossy(&answer[..end]);
    assert!(head.starts_with("HTTP/1.1 "), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let length = length.and_then(|length| length.parse::<usize>().ok());
    let rest = answer.len() - end;
    assert!(
        rest == 0 || Some(rest) == length || head.contains(" 101 "),
        "{rest} bytes behind {head}"
    );
}
