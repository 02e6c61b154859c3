//! Outgoing messages: split into lines that arrive whole, and tracked until they are confirmed.
//!
//! A server puts `:nick!user@host ` in front of what it relays, and truncates what is longer than a
//! line then. So a text is split before, at words or at least between graphemes: into one
//! `draft/multiline` message where the server supports that, else into several.

use super::IrcSession;
use super::sent_messages::Sent;
use crate::client::display::MessageKind;
use crate::client::secrets;
use crate::wire::irc::{Limits, LineWriter, render::pieces};
use std::borrow::Cow;

/// Bytes of `user@host` where it is not known: what most servers allow.
const LONGEST_ADDRESS: usize = 10 + 1 + 63;
/// A line has room for so much text, whatever a server announces.
const LEAST_ROOM: usize = 64;

/// Where an outgoing message goes.
#[derive(Clone, Copy)]
pub(super) struct Outgoing<'s> {
    pub to: &'s str,
    pub kind: MessageKind,
    /// The msgid of the message it replies to.
    pub reply: Option<&'s str>,
}

impl Outgoing<'_> {
    /// An ordinary message.
    pub fn to(to: &str) -> Outgoing<'_> {
        Outgoing { to, kind: MessageKind::Message, reply: None }
    }

    fn command(&self) -> &'static str {
        if self.kind == MessageKind::Notice { "NOTICE" } else { "PRIVMSG" }
    }
}

impl IrcSession {
    /// Bytes of text that reach the recipients in one line.
    fn room_for(&self, outgoing: Outgoing<'_>) -> usize {
        let address = self.address.as_ref().map_or(LONGEST_ADDRESS, String::len);
        let action = outgoing.kind == MessageKind::Action;
        let frame = ":!    :\r\n".len() + if action { "\u{1}ACTION \u{1}".len() } else { 0 };
        let words = self.nick.len() + outgoing.command().len() + outgoing.to.len();
        let taken = frame + address + words;
        self.server.line_length().saturating_sub(taken).max(LEAST_ROOM)
    }

    /// Sends lines. One that fits is one message; more are one `draft/multiline` message, or as
    /// many messages as it takes. Empty lines are kept only in the former.
    pub(super) fn send_message(&mut self, outgoing: Outgoing<'_>, lines: &[&str]) {
        let lines: Vec<_> = lines.iter().map(|line| no_request(line)).collect();
        let lines: &[&str] = &lines.iter().map(|line| &**line).collect::<Vec<_>>();
        if self.shows_at_once(outgoing.to) {
            self.show_own(outgoing, &lines.join("\n"));
        }
        let room = self.room_for(outgoing);
        let whole = matches!(lines, [line] if line.len() <= room);
        match self.server.multiline() {
            Some(limits) if !whole && outgoing.kind != MessageKind::Action => {
                self.send_multiline(outgoing, lines, room, limits);
            }
            _ => {
                let lines = lines.iter().filter(|line| !line.trim().is_empty());
                for (place, piece) in lines.flat_map(|line| pieces(line, room)).enumerate() {
                    let reply = outgoing.reply.filter(|_| place == 0);
                    self.send_line(Outgoing { reply, ..outgoing }, piece);
                }
            }
        }
    }

    fn send_line(&mut self, outgoing: Outgoing<'_>, text: &str) {
        let label = self.sent.next_label();
        let mut out = Vec::new();
        let line =
            self.tagged(&mut out, outgoing, &label).command(outgoing.command()).middle(outgoing.to);
        let _ = match outgoing.kind {
            MessageKind::Action => line.trailing(&format!("\u{1}ACTION {text}\u{1}")).end(),
            MessageKind::Message | MessageKind::Notice => line.trailing(text).end(),
        };
        self.queue_message(out, label, outgoing, text);
    }

    fn tagged<'o, 's>(
        &self,
        out: &'o mut Vec<u8>,
        outgoing: Outgoing<'_>,
        label: &str,
    ) -> LineWriter<'o, 's> {
        let limits = Limits { body: self.server.line_length(), ..Limits::FROM_CLIENT };
        let mut line = LineWriter::new(out, limits);
        if self.server.has("labeled-response") && self.server.has("batch") {
            line = line.tag("label", label);
        }
        match outgoing.reply.filter(|_| self.server.has("message-tags")) {
            Some(id) => line.tag("+draft/reply", id),
            None => line,
        }
    }

    fn queue_message(&mut self, bytes: Vec<u8>, label: String, outgoing: Outgoing<'_>, text: &str) {
        let serial = self.pace.push(bytes);
        let shown = secrets::masked_message(outgoing.to, text);
        self.sent.remember(Sent {
            label,
            target: outgoing.to.to_owned(),
            text: shown.into_owned(),
            serial,
            // By the server's clock, which is past its latest time.
            after: self.newest.unwrap_or(self.now),
            shown: self.shows_at_once(outgoing.to),
        });
    }

    /// Whether this client's own message is shown when it is sent. With its echo it has an id, which
    /// a program wants, and a number, if those are shown.
    fn shows_at_once(&self, to: &str) -> bool {
        let early = self.connect_options.person && !self.show_numbers;
        !self.server.has("echo-message") || (early && self.server.room_of(to).is_some())
    }

    /// As many `draft/multiline` messages as its limits make of the lines.
    fn send_multiline(
        &mut self,
        outgoing: Outgoing<'_>,
        lines: &[&str],
        room: usize,
        (max_bytes, max_lines): (usize, usize),
    ) {
        let (max_bytes, max_lines) = (max_bytes.max(LEAST_ROOM), max_lines.max(1));
        let room = room.min(max_bytes);
        let mut parts: Vec<(bool, &str)> = Vec::new();
        let mut bytes = 0;
        for line in lines {
            for (place, piece) in pieces(line, room).enumerate() {
                let newline = usize::from(place == 0 && !parts.is_empty());
                if parts.len() == max_lines || bytes + newline + piece.len() > max_bytes {
                    self.send_batch(outgoing, &parts);
                    (parts, bytes) = (Vec::new(), 0);
                }
                let concat = place > 0 && !parts.is_empty();
                bytes += piece.len() + usize::from(!concat && !parts.is_empty());
                parts.push((concat, piece));
            }
        }
        self.send_batch(outgoing, &parts);
    }

    /// One message of several lines; `true` with a line that continues the one before.
    fn send_batch(&mut self, outgoing: Outgoing<'_>, parts: &[(bool, &str)]) {
        let Some(first) = parts.iter().position(|(_, text)| !text.trim().is_empty()) else {
            return;
        };
        let last = parts.iter().rposition(|(_, text)| !text.trim().is_empty()).unwrap_or(first);
        let parts = &parts[first..=last];
        if let [(_, line)] = parts {
            return self.send_line(outgoing, line);
        }
        let label = self.sent.next_label();
        let limits = Limits { body: self.server.line_length(), ..Limits::FROM_CLIENT };
        let mut out = Vec::new();
        let mut text = String::new();
        let begin = self.tagged(&mut out, outgoing, &label).command("BATCH");
        let _ =
            begin.middle(&format!("+{label}")).middle("draft/multiline").middle(outgoing.to).end();
        for (place, (concat, piece)) in parts.iter().enumerate() {
            let concat = *concat && place > 0;
            if !concat && place > 0 {
                text.push('\n');
            }
            text.push_str(piece);
            let line = LineWriter::new(&mut out, limits).tag("batch", &label);
            let line = if concat { line.tag("draft/multiline-concat", "") } else { line };
            let _ = line.command(outgoing.command()).middle(outgoing.to).trailing(piece).end();
        }
        let end = LineWriter::new(&mut out, limits).command("BATCH");
        let _ = end.middle(&format!("-{label}")).end();
        self.queue_message(out, label, outgoing, &text);
    }

    /// The server rejected something; `false` if that was not a message.
    pub(super) fn message_rejected(&mut self, label: Option<&str>, why: &str) -> bool {
        let Some((target, text)) = label.and_then(|label| self.sent.refused(label)) else {
            return false;
        };
        self.fail(format!("not sent to {target}: {why}: {text}"));
        true
    }
}

/// A text without the byte that makes a CTCP request of it, which only a program can mean: a line of a
/// log is talk, whatever it begins with. chatloop's plain lines show the byte the same way.
fn no_request(text: &str) -> Cow<'_, str> {
    match text.contains('\u{1}') {
        true => Cow::Owned(text.replace('\u{1}', "\u{2401}")),
        false => Cow::Borrowed(text),
    }
}
