//! Outgoing messages: split into lines that arrive whole, and tracked until they are confirmed.
//!
//! A server puts `:nick!user@host ` in front of what it relays, and truncates what is longer than a
//! line then. So a text is split before, at words or at least between graphemes: into one
//! `draft/multiline` message where the server supports that, else into several.

use super::IrcSession;
use super::pace::MAX_WAITING;
use super::server_info::ServerInfo;
use crate::client::display::MessageKind;
use crate::client::secrets;
use crate::wire::irc::{Limits, LineWriter, render::pieces};
use jiff::Timestamp;
use std::collections::VecDeque;

/// Messages that are remembered until they are confirmed: more than may wait or be in flight. If
/// one were forgotten, its echo would be shown.
const MAX_SPOKEN: usize = 2 * MAX_WAITING;
/// Messages that were possibly not delivered.
const MAX_LOST: usize = 100;
/// Bytes of `user@host` where it is not known: what most servers allow.
const LONGEST_ADDRESS: usize = 10 + 1 + 63;
/// A line has room for so much text, whatever a server announces.
const LEAST_ROOM: usize = 64;

/// One message that is not confirmed yet.
#[derive(Debug)]
struct Unconfirmed {
    label: String,
    target: String,
    text: String,
    /// Its serial number in the [`Pace`](super::pace::Pace).
    serial: u64,
    /// It was sent after this.
    after: Timestamp,
}

/// A message that was possibly not delivered.
#[derive(Debug)]
struct Lost {
    target: String,
    text: String,
    after: Timestamp,
}

/// This person's messages that the server has not confirmed.
#[derive(Debug, Default)]
pub(super) struct SentMessages {
    waiting: VecDeque<Unconfirmed>,
    lost: Vec<Lost>,
    labels: u64,
    /// How many echoes have arrived.
    confirmed: u64,
}

impl SentMessages {
    fn next_label(&mut self) -> String {
        self.labels += 1;
        self.labels.to_string()
    }

    fn remember(&mut self, label: String, target: &str, text: &str, serial: u64, after: Timestamp) {
        if self.waiting.len() == MAX_SPOKEN {
            self.waiting.pop_front();
        }
        let (target, text) = (target.to_owned(), text.to_owned());
        self.waiting.push_back(Unconfirmed { label, target, text, serial, after });
    }

    /// An echo arrives; whether this client sent the message. Without labels they come in order.
    pub fn echoed(&mut self, label: Option<&str>, target: &str, server: &ServerInfo) -> bool {
        let labelled = server.has("labeled-response");
        let place = self.waiting.iter().position(|it| match label {
            Some(label) => it.label == label,
            None => !labelled && server.same(&it.target, target),
        });
        let found = place.and_then(|place| self.waiting.remove(place)).is_some();
        self.confirmed += u64::from(found);
        found
    }

    /// How many echoes have arrived.
    pub fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// The server rejected the message with this label: its target and text.
    fn refused(&mut self, label: &str) -> Option<(String, String)> {
        let place = self.waiting.iter().position(|it| it.label == label)?;
        self.waiting.remove(place).map(|it| (it.target, it.text))
    }

    /// The server has taken everything up to this one. Echoes are still waited for.
    pub fn taken(&mut self, serial: u64, comes_back: bool) {
        if !comes_back {
            self.waiting.retain(|it| it.serial > serial);
        }
    }

    /// What is not confirmed may be lost.
    pub fn connection_lost(&mut self) {
        let waiting = self.waiting.drain(..);
        self.lost.extend(waiting.map(|it| Lost {
            target: it.target,
            text: it.text,
            after: it.after,
        }));
        let over = self.lost.len().saturating_sub(MAX_LOST);
        self.lost.drain(..over);
    }

    /// A message of this person is in the room's history; whether it is one that may be lost.
    pub fn was_heard(&mut self, room: &str, text: &str) -> bool {
        let is_it = |it: &Lost| it.target.eq_ignore_ascii_case(room) && it.text == text;
        let place = self.lost.iter().position(is_it);
        place.map(|place| self.lost.remove(place)).is_some()
    }

    /// After when the first message that may be lost was sent to a room.
    pub fn lost_since(&self, room: &str) -> Option<Timestamp> {
        let here = self.lost.iter().filter(|it| it.target.eq_ignore_ascii_case(room));
        here.map(|it| it.after).min()
    }

    /// The possibly lost messages.
    pub fn take_lost(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lost).into_iter().map(|it| it.text).collect()
    }
}

/// Where an outgoing message goes.
#[derive(Clone, Copy)]
pub(super) struct Outgoing<'s> {
    pub to: &'s str,
    pub kind: MessageKind,
    /// The msgid of the message it replies to.
    pub reply: Option<&'s str>,
}

impl IrcSession {
    /// Bytes of text that reach the recipients in one line.
    fn room_for(&self, outgoing: Outgoing<'_>) -> usize {
        let address = self.address.as_ref().map_or(LONGEST_ADDRESS, String::len);
        let frame = match outgoing.kind {
            MessageKind::Message => "PRIVMSG".len(),
            MessageKind::Notice => "NOTICE".len(),
            MessageKind::Action => "PRIVMSG".len() + "\u{1}ACTION \u{1}".len(),
        };
        let taken =
            ":! ".len() + self.nick.len() + address + frame + outgoing.to.len() + "  :\r\n".len();
        self.server.line_length().saturating_sub(taken).max(LEAST_ROOM)
    }

    /// Sends lines. One that fits is one message; more are one `draft/multiline` message, or as
    /// many messages as it takes. Empty lines are kept only in the former.
    pub(super) fn send_message(&mut self, outgoing: Outgoing<'_>, lines: &[&str]) {
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
        let command = if outgoing.kind == MessageKind::Notice { "NOTICE" } else { "PRIVMSG" };
        let line = self.tagged(&mut out, outgoing, &label).command(command).middle(outgoing.to);
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
        // By the server's clock, which is past its latest time.
        let after = self.newest.unwrap_or(self.now);
        self.sent.remember(label, outgoing.to, &shown, serial, after);
        let private =
            !self.server.has("echo-message") && self.server.room_of(outgoing.to).is_none();
        if private {
            self.show_own(outgoing, text);
        }
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
        let command = if outgoing.kind == MessageKind::Notice { "NOTICE" } else { "PRIVMSG" };
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
            let _ = line.command(command).middle(outgoing.to).trailing(piece).end();
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
