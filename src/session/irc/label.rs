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
    /// Names the batch around the response, if it takes one.
    reference: String,
    server: String,
    /// Whether the client understands a batch.
    batches: bool,
    replies: Replies,
    /// The batch has begun: the response has more pages, which are not collected.
    begun: bool,
}

impl Label {
    pub(super) fn new(label: &str, reference: String, server: &str, caps: Caps) -> Box<Label> {
        let label = label[..label.floor_char_boundary(LONGEST)].to_owned();
        let (batches, replies) = (caps.has(Caps::BATCH), Replies::default());
        let server = server.to_owned();
        Box::new(Label { label, reference, server, batches, replies, begun: false })
    }

    /// Takes replies that belong to the command. If there are more pages to come, it hands back what
    /// is to be sent now.
    pub(super) fn collect(&mut self, replies: &mut Replies, pages: bool) {
        self.replies.append(replies);
        if self.begun || pages {
            let mut out = Vec::new();
            if !std::mem::replace(&mut self.begun, true) {
                self.begin_batch(&mut out);
            }
            self.add_to_batch(&mut out);
            self.replies = Replies::default();
            *replies = Replies::from_bytes(out);
        }
    }

    fn labelled<'o, 's>(&'s self, out: &'o mut Vec<u8>) -> LineWriter<'o, 's> {
        LineWriter::new(out, Limits::FROM_SERVER).tag("label", &self.label)
    }

    fn begin_batch(&self, out: &mut Vec<u8>) {
        if self.batches {
            let start = self.labelled(out).source(&self.server).command("BATCH");
            let _ = start.middle(&format!("+{}", self.reference)).middle("labeled-response").end();
        }
    }

    /// Without batches no way is left to label several lines.
    fn add_to_batch(&self, out: &mut Vec<u8>) {
        let bytes = self.replies.bytes();
        if !self.batches {
            return out.extend_from_slice(bytes);
        }
        // A line with the lines of its batch, if it starts one: those have their tag.
        let marks = self.replies.marks();
        // What is before the first of them goes on with a batch that an earlier page has begun.
        let first = marks.first().map_or(bytes.len(), |(at, _)| *at);
        out.extend_from_slice(&bytes[..first]);
        let ends = marks.iter().skip(1).map(|(at, _)| *at).chain([bytes.len()]);
        for ((start, _), end) in marks.iter().zip(ends) {
            insert_tag("batch", &self.reference, &bytes[*start..end], out);
        }
    }

    fn end_batch(&self, out: &mut Vec<u8>) {
        if self.batches {
            let end = LineWriter::new(out, Limits::FROM_SERVER).source(&self.server);
            let _ = end.command("BATCH").middle(&format!("-{}", self.reference)).end();
        }
    }

    /// The response, or the end of its last page, as bytes.
    pub(super) fn finish(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.replies.bytes().len() + 2 * LONGEST);
        match self.replies.marks() {
            _ if self.begun => self.end_batch(&mut out),
            [] => {
                let _ = self.labelled(&mut out).source(&self.server).command("ACK").end();
            }
            [(_, Mark::Line)] | [(_, Mark::BatchStart), (_, Mark::BatchEnd)] => {
                insert_tag("label", &self.label, self.replies.bytes(), &mut out);
            }
            _ => {
                self.begin_batch(&mut out);
                self.add_to_batch(&mut out);
                self.end_batch(&mut out);
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
