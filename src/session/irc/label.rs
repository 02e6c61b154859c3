//! A labelled response: the replies to one command, tagged so that the client can tell which
//! command they answer. IRCv3 labeled-response.
//!
//! Replies are collected until the command is done. None become an ACK, a single line or a single
//! batch bears the label itself, and more are wrapped in a batch that bears it.

use super::reply::Mark;
use super::{Caps, Replies};
use crate::wire::irc::{Limits, LineWriter, tags};

/// Bytes of a label. IRCv3 labeled-response.
const LONGEST: usize = 64;

pub(super) struct Label {
    label: String,
    replies: Replies,
}

impl Label {
    pub(super) fn new(label: &str) -> Box<Label> {
        let label = &label[..label.floor_char_boundary(LONGEST)];
        Box::new(Label { label: label.to_owned(), replies: Replies::default() })
    }

    /// Takes replies that belong to the command.
    pub(super) fn collect(&mut self, replies: &mut Replies) {
        self.replies.append(replies);
    }

    /// The response as bytes. `reference` names the batch around it, if it takes one.
    pub(super) fn finish(&self, reference: &str, server: &str, caps: Caps) -> Vec<u8> {
        let bytes = self.replies.bytes();
        let mut out = Vec::with_capacity(bytes.len() + 2 * LONGEST);
        let labelled = |out| LineWriter::new(out, Limits::FROM_SERVER).tag("label", &self.label);
        match self.replies.marks() {
            [] => {
                let _ = labelled(&mut out).source(server).command("ACK").end();
            }
            [(_, Mark::Line)] | [(_, Mark::BatchStart), (_, Mark::BatchEnd)] => {
                insert_tag("label", &self.label, bytes, &mut out);
            }
            // No way is left to label them.
            _ if !caps.has(Caps::BATCH) => out.extend_from_slice(bytes),
            marks => {
                let start = labelled(&mut out).source(server).command("BATCH");
                let _ = start.middle(&format!("+{reference}")).middle("labeled-response").end();
                // A line with the lines of its batch, if it starts one: those have their tag.
                let ends = marks.iter().skip(1).map(|(at, _)| *at).chain([bytes.len()]);
                for ((start, _), end) in marks.iter().zip(ends) {
                    insert_tag("batch", reference, &bytes[*start..end], &mut out);
                }
                let end = LineWriter::new(&mut out, Limits::FROM_SERVER).source(server);
                let _ = end.command("BATCH").middle(&format!("-{reference}")).end();
            }
        }
        out
    }
}

/// Appends lines, the first one with another tag in front of those it has.
fn insert_tag(key: &str, value: &str, lines: &[u8], out: &mut Vec<u8>) {
    out.push(b'@');
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
    tags::escape_into(value, out);
    let (separator, rest) = match lines.strip_prefix(b"@") {
        Some(rest) => (b';', rest),
        None => (b' ', lines),
    };
    out.push(separator);
    out.extend_from_slice(rest);
}
