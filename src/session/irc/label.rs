//! How does a client tell which lines answer which of its commands? IRCv3 labeled-response.
//!
//! What answers a labelled command is gathered until the command is done: nothing becomes an
//! ACK, one line bears the label itself, several are a batch that bears it.

use super::pen::Pen;
use super::{Caps, Session, View};
use crate::wire::irc::{Limits, LineWriter, Message};

/// Longest label, in bytes. IRCv3 labeled-response.
const LONGEST: usize = 64;

/// The answers to a labelled command so far.
pub(super) struct Label {
    label: String,
    lines: Vec<u8>,
}

impl Label {
    pub(super) fn new(label: &str) -> Box<Label> {
        let end = label.floor_char_boundary(LONGEST);
        Box::new(Label { label: label[..end].to_owned(), lines: Vec::new() })
    }

    /// Gives the label to a single line.
    pub(super) fn write(&self, line: &[u8], out: &mut Vec<u8>) {
        with_tag("label", &self.label, line, out);
    }
}

impl Session {
    /// Takes lines that answer the command in hand, if they are to bear its label; else gives
    /// them back to be sent at once.
    pub fn gather<'l>(&mut self, lines: &'l [u8]) -> Option<&'l [u8]> {
        match &mut self.label {
            Some(label) => {
                label.lines.extend_from_slice(lines);
                None
            }
            None => Some(lines),
        }
    }

    /// The command in hand is done: writes its labelled answers.
    pub fn finish(&mut self, view: &View<'_>, out: &mut Vec<u8>) {
        let Some(label) = self.label.take() else { return };
        // One batch needs no other around it.
        if let Some(opening) = only_batch(&label.lines) {
            with_tag("label", &label.label, &label.lines[..opening], out);
            out.extend_from_slice(&label.lines[opening..]);
            return;
        }
        let count = memchr::memchr_iter(b'\n', &label.lines).count();
        let server = &view.settings.name;
        match count {
            0 => {
                let line = LineWriter::new(out, Limits::FROM_SERVER).tag("label", &label.label);
                let _ = line.source(server).command("ACK").end();
            }
            1 => with_tag("label", &label.label, &label.lines, out),
            // A client without batches gets lines without a label: there is no other way.
            _ if !self.caps.has(Caps::BATCH) => out.extend_from_slice(&label.lines),
            _ => {
                let reference = batch_reference(&label.label);
                let line = LineWriter::new(out, Limits::FROM_SERVER).tag("label", &label.label);
                let opening = format!("+{reference}");
                let line = line.source(server).command("BATCH");
                let _ = line.middle(&opening).middle("labeled-response").end();
                for line in label.lines.split_inclusive(|byte| *byte == b'\n') {
                    if line.starts_with(b"@batch=") {
                        out.extend_from_slice(line); // of a batch within
                    } else {
                        with_tag("batch", &reference, line, out);
                    }
                }
                let closing = format!("-{reference}");
                let line = LineWriter::new(out, Limits::FROM_SERVER).source(server);
                let _ = line.command("BATCH").middle(&closing).end();
            }
        }
    }
}

/// Where the first line ends, if it opens a batch that the last one closes, and none before it:
/// the next batch may have the same name.
fn only_batch(lines: &[u8]) -> Option<usize> {
    let opening = memchr::memchr(b'\n', lines)? + 1;
    let (first, rest) = lines.split_at(opening);
    let first = Message::parse(first).ok().filter(|line| line.command == "BATCH")?;
    let name = first.parameters.first()?.strip_prefix('+')?;
    let closes = |line: &[u8]| {
        Message::parse(line).is_ok_and(|line| {
            let word = line.parameters.first().and_then(|word| word.strip_prefix('-'));
            line.command == "BATCH" && word == Some(name)
        })
    };
    let mut lines = rest.split_inclusive(|byte| *byte == b'\n');
    (lines.find(|line| closes(line)).is_some() && lines.next().is_none()).then_some(opening)
}

/// A name for a batch. Batches of one client follow each other, so that any will do.
fn batch_reference(label: &str) -> String {
    // FNV-1a.
    let digest = label
        .bytes()
        .fold(0x811c_9dc5_u32, |digest, byte| (digest ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("l{digest:x}")
}

/// The line with one more tag, in front of those it has.
fn with_tag(key: &str, value: &str, line: &[u8], out: &mut Vec<u8>) {
    out.push(b'@');
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
    crate::wire::irc::tags::escape_into(value, out);
    match line.strip_prefix(b"@") {
        Some(rest) => {
            out.push(b';');
            out.extend_from_slice(rest);
        }
        None => {
            out.push(b' ');
            out.extend_from_slice(line);
        }
    }
}

impl Pen<'_> {
    /// Opens a batch; its lines are written by `inside`, each with the batch's name to be tagged.
    pub(super) fn batch(
        &mut self,
        reference: &str,
        words: &[&str],
        inside: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut lines = Vec::new();
        inside(&mut lines);
        if !self.caps.has(Caps::BATCH) {
            self.out.extend_from_slice(&lines);
            return;
        }
        let opening = format!("+{reference}");
        let all: Vec<&str> =
            std::iter::once(opening.as_str()).chain(words.iter().copied()).collect();
        self.line("BATCH", &all, None);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b"@batch=") {
                self.out.extend_from_slice(line); // of a batch within
            } else {
                with_tag("batch", reference, line, self.out);
            }
        }
        let closing = format!("-{reference}");
        self.line("BATCH", &[&closing], None);
    }
}

#[cfg(test)]
mod tests {
    use super::only_batch;

    #[test]
    fn one_batch_is_told_from_two() {
        let one = "@a=b :x BATCH +m t #c\r\n@batch=m :x PRIVMSG #c :BATCH -m\r\n:x BATCH -m\r\n";
        assert_eq!(only_batch(one.as_bytes()), Some(23));
        for not_one in [
            format!("{one}{one}"),
            format!("{one}:x 001 ada :hi\r\n"),
            format!(":x 001 ada :hi\r\n{one}"),
            one[..one.len() - 5].to_owned(),
            ":x 001 ada :hi\r\n".to_owned(),
            String::new(),
        ] {
            assert_eq!(only_batch(not_one.as_bytes()), None, "{not_one}");
        }
    }
}
