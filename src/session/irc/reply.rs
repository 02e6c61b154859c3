//! The replies to one client: the lines, where each begins, and the writer that adds to them.
//!
//! A labelled response is tagged on its way out, when it is known how many lines it has. So a
//! buffer of replies remembers where its lines and batches begin; nothing is parsed again.

use super::Caps;
use crate::chat::Name;
use crate::wire::irc::{Limits, LineWriter, MAX_BODY, Numeric};
use std::borrow::Cow;

/// What a line outside of any batch is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mark {
    Line,
    BatchStart,
    BatchEnd,
}

/// Lines for one client.
#[derive(Default)]
pub struct Replies {
    bytes: Vec<u8>,
    /// Where each line begins that is in no batch.
    marks: Vec<(usize, Mark)>,
}

impl Replies {
    /// Lines that take no more tags.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Replies {
        Replies { bytes, marks: Vec::new() }
    }

    /// The lines as they are sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn marks(&self) -> &[(usize, Mark)] {
        &self.marks
    }

    /// Moves all of `other` to the end.
    pub(super) fn append(&mut self, other: &mut Replies) {
        let start = self.bytes.len();
        self.marks.extend(other.marks.drain(..).map(|(at, mark)| (start + at, mark)));
        self.bytes.append(&mut other.bytes);
    }

    pub(super) fn lines(&mut self) -> Lines<'_> {
        Lines { bytes: &mut self.bytes, marks: Some(&mut self.marks), batch: None }
    }
}

/// Where lines are written: into bytes that many clients share, or into one client's replies.
pub(super) struct Lines<'o> {
    bytes: &'o mut Vec<u8>,
    /// `None` for shared lines, which never bear a label, and inside of a batch.
    marks: Option<&'o mut Vec<(usize, Mark)>>,
    /// The batch that the lines are in.
    batch: Option<&'o str>,
}

impl<'o> Lines<'o> {
    pub(super) fn shared(bytes: &'o mut Vec<u8>) -> Lines<'o> {
        Lines { bytes, marks: None, batch: None }
    }

    pub(super) fn line<'s>(&mut self) -> LineWriter<'_, 's> {
        self.start(Mark::Line)
    }

    /// A `BATCH +reference` line; [`inside`](Lines::inside) writes the lines of that batch.
    pub(super) fn batch_start<'s>(&mut self) -> LineWriter<'_, 's> {
        self.start(Mark::BatchStart)
    }

    /// A `BATCH -reference` line.
    pub(super) fn batch_end<'s>(&mut self) -> LineWriter<'_, 's> {
        self.start(Mark::BatchEnd)
    }

    pub(super) fn inside<'b>(&'b mut self, reference: &'b str) -> Lines<'b> {
        Lines { bytes: self.bytes, marks: None, batch: Some(reference) }
    }

    fn start<'s>(&mut self, mark: Mark) -> LineWriter<'_, 's> {
        if let Some(marks) = &mut self.marks {
            marks.push((self.bytes.len(), mark));
        }
        let line = LineWriter::new(self.bytes, Limits::FROM_SERVER);
        match self.batch {
            Some(reference) => line.tag("batch", reference),
            None => line,
        }
    }
}

/// Writes the server's replies to one client.
pub(super) struct ReplyWriter<'a> {
    pub(super) server: &'a str,
    /// The client's nick, or `*`.
    pub(super) nick: Name,
    pub(super) caps: Caps,
    pub(super) lines: Lines<'a>,
}

impl ReplyWriter<'_> {
    /// A numeric with the text that the table of numerics has for it, if any.
    pub(super) fn numeric(&mut self, numeric: Numeric, words: &[&str]) {
        self.write_numeric(numeric, words, numeric.text());
    }

    /// A numeric with another text.
    pub(super) fn numeric_text(&mut self, numeric: Numeric, words: &[&str], text: &str) {
        self.write_numeric(numeric, words, Some(text));
    }

    fn write_numeric(&mut self, numeric: Numeric, words: &[&str], text: Option<&str>) {
        let line = self.lines.line().source(self.server).numeric(numeric, self.nick.as_str());
        let _ = line.middles(words).ending(text);
    }

    /// A numeric whose text is a list, in as many lines as it takes.
    pub(super) fn list<'t>(
        &mut self,
        numeric: Numeric,
        words: &[&str],
        separator: char,
        entries: impl IntoIterator<Item = Cow<'t, str>>,
    ) {
        let mut line = String::new();
        for entry in entries {
            self.list_entry((numeric, words), &mut line, separator, &entry);
        }
        if !line.is_empty() {
            self.numeric_text(numeric, words, &line);
        }
    }

    /// Adds an entry to the line of a list. Whether that line was full and is written.
    pub(super) fn list_entry(
        &mut self,
        (numeric, words): (Numeric, &[&str]),
        line: &mut String,
        separator: char,
        entry: &str,
    ) -> bool {
        let head: usize = words.iter().map(|word| word.len() + 1).sum();
        let head = self.server.len() + self.nick.as_str().len() + head + 12;
        let room = MAX_BODY.saturating_sub(head + 2);
        let full = !line.is_empty() && line.len() + 1 + entry.len() > room;
        if full {
            self.numeric_text(numeric, words, line);
            line.clear();
        }
        if !line.is_empty() {
            line.push(separator);
        }
        line.push_str(entry);
        full
    }

    /// A command from the server.
    pub(super) fn line(&mut self, command: &str, words: &[&str], text: Option<&str>) {
        let line = self.lines.line().source(self.server).command(command);
        let _ = line.middles(words).ending(text);
    }

    pub(super) fn notice(&mut self, text: &str) {
        let nick = self.nick.clone();
        self.line("NOTICE", &[nick.as_str()], Some(text));
    }

    /// A FAIL of IRCv3 standard-replies. Clients that did not ask for those can read it as well:
    /// it is a command they do not know, with a text.
    pub(super) fn fail(&mut self, command: &str, code: &str, words: &[&str], text: &str) {
        let line = self.lines.line().source(self.server).command("FAIL");
        let _ = line.middle(command).middle(code).middles(words).trailing(text).end();
    }

    /// A batch, as `inside` writes its lines; only the lines for clients without batches.
    pub(super) fn batch(
        &mut self,
        reference: &str,
        words: &[&str],
        inside: impl FnOnce(&mut ReplyWriter<'_>),
    ) {
        self.page_of_batch((reference, words), (true, true), inside);
    }

    /// A part of a batch: whether it is the first one, and the last.
    pub(super) fn page_of_batch(
        &mut self,
        (reference, words): (&str, &[&str]),
        (first, last): (bool, bool),
        inside: impl FnOnce(&mut ReplyWriter<'_>),
    ) {
        if !self.caps.has(Caps::BATCH) {
            return inside(self);
        }
        if first {
            let start = self.lines.batch_start().source(self.server).command("BATCH");
            let _ = start.middle(&format!("+{reference}")).middles(words).end();
        }
        inside(&mut ReplyWriter {
            server: self.server,
            nick: self.nick.clone(),
            caps: self.caps,
            lines: self.lines.inside(reference),
        });
        if last {
            let end = self.lines.batch_end().source(self.server).command("BATCH");
            let _ = end.middle(&format!("-{reference}")).end();
        }
    }
}
