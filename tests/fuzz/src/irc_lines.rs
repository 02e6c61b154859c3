//! Bytes from a stranger, in pieces, through the grammar of IRC: no panic, no line over its limit,
//! no memory over its bound, and what is understood means the same when it is written down again.
//!
//! `tests/wire_irc.rs` draws by hand-made generators and has other parsers to compare with; this
//! one is led by the branches of the code itself.

use chatloop::wire::frame::{Framer, LineKind, Step};
use chatloop::wire::irc::{Fit, Limits, LineWriter, Message};

pub fn run(data: &[u8]) {
    // The first byte says in which pieces the rest arrives.
    let Some((cut, stream)) = data.split_first() else { return };
    let in_pieces = frames(stream.chunks(usize::from(*cut) + 1));
    let at_once = frames(std::iter::once(stream));
    assert_eq!(in_pieces, at_once, "a line depends on how its bytes were cut");
    for line in at_once.into_iter().flatten() {
        check(&line);
    }
}

/// All lines of a stream; `None` for one that was too long.
fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Option<Vec<u8>>> {
    let kind = LineKind::Irc(Limits::FROM_CLIENT);
    let mut framer = Framer::default();
    let (mut inbox, mut lines) = (Vec::new(), Vec::new());
    for piece in pieces {
        inbox.extend_from_slice(piece);
        loop {
            let (used, more) = match framer.next(&inbox, kind) {
                Step::Incomplete { used } => (used, false),
                Step::Line { bytes, used } => {
                    assert!(!bytes.is_empty() && bytes.len() <= kind.longest());
                    lines.push(Some(bytes.to_vec()));
                    framer.taken(false);
                    (used, true)
                }
                Step::TooLong { used, .. } => {
                    lines.push(None);
                    framer.taken(true);
                    (used, true)
                }
            };
            inbox.drain(..used);
            if !more {
                break;
            }
        }
        assert!(inbox.len() <= kind.longest(), "more is kept than a line can be long");
    }
    lines
}

/// What was understood means the same when it is written down again.
fn check(line: &[u8]) {
    let Ok(message) = Message::parse(line) else { return };
    let _ = (message.numeric(), message.source());
    // Any word is taken for a command, to be answered as unknown; only these can be written.
    if !message.command.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return;
    }
    let mut written = Vec::new();
    let mut head = LineWriter::new(&mut written, Limits { tags: 1 << 20, body: 1 << 20 });
    for tag in message.tags.iter() {
        head = head.relay(tag);
    }
    if let Some(source) = message.raw_source {
        head = head.source(source);
    }
    let mut rest = head.command(message.command);
    if let Some((last, middles)) = message.parameters.split_last() {
        for middle in middles {
            rest = rest.middle(middle);
        }
        rest = rest.trailing(last);
    }
    assert_eq!(rest.end(), Fit::Whole);
    let again = Message::parse(&written).expect("what we write is a message");
    assert_eq!(again.command, message.command);
    assert_eq!(*again.parameters, *message.parameters);
    // A source that no server has is written as `*`.
    let source = message.raw_source.unwrap_or_default();
    if !source.is_empty() && !source.starts_with(':') {
        assert_eq!(again.raw_source, Some(source));
    }
    let is_key = |key: &str| {
        !key.is_empty() && key.bytes().all(|it| it.is_ascii_alphanumeric() || b"+-./".contains(&it))
    };
    for tag in message.tags.iter().filter(|tag| is_key(tag.key)) {
        assert_eq!(again.tags.get(tag.key), message.tags.get(tag.key), "{:?}", tag.key);
    }
}
