//! A message of several lines: BATCH, IRCv3 client-batch and draft/multiline.
//!
//! The lines are collected until the batch is closed and then sent as one message: one record, one
//! number, one msgid. The places where the client had split a long line are kept, so that others
//! receive the same lines.
//!
//! Invariants: at most one batch is open, of at most [`MAX_BYTES`](super::settings::MAX_BYTES) and
//! [`MAX_LINES`](super::settings::MAX_LINES); one that stays
//! open for [`TIMEOUT`] is dropped, with a FAIL. The rest of a rejected batch is ignored silently.
//!
//! Lines without a `batch` tag are carried out while one is open. The specification forbids them,
//! but a PONG sent by a library should not cost anyone a message.

use super::batch::{Batch, Fault, Lines, invalid};
use super::messages::{self, Outgoing};
use super::pieces::MULTILINE;
use super::{Context, Replies, Session};
use crate::chat::{Continuations, Kind};
use crate::session::action::Action;
use crate::wire::irc::Message;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(60);
const LONGEST_REFERENCE: usize = 64;

/// Whether a line is part of a batch, and not to be carried out by itself.
pub(super) fn takes(session: &Session, message: &Message<'_>) -> bool {
    session.caps.multiline() && message.tags.find("batch").is_some()
}

/// `BATCH +reference draft/multiline target` and `BATCH -reference`.
pub(super) fn batch(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [word, kind, target] = message.words();
    if let Some(reference) = word.strip_prefix('-') {
        return close(context, reference);
    }
    let reference = word.strip_prefix('+').unwrap_or_default();
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if reference.is_empty()
        || reference.len() > LONGEST_REFERENCE
        || !reference.bytes().all(harmless)
    {
        return context.fail("INVALID_REFTAG", &[word], "Invalid batch reference");
    }
    if kind != MULTILINE || !context.session.caps.multiline() {
        return context.fail("UNKNOWN_TYPE", &[reference, kind], "Unknown batch type");
    }
    if message.parameters.len() != 3 {
        return context.need_more();
    }
    let tags = messages::client_tags(context, message.tags);
    // The response to this label is what the end of the batch leads to.
    let label = context.session.label.take();
    if context.session.batch.as_ref().is_some_and(|open| open.lines.is_some()) {
        reject(context, invalid("Another batch was still open"));
    }
    let lines = Some(Lines { tags, ..Lines::default() });
    let opened = context.view.now;
    let (reference, target) = (reference.to_owned(), target.to_owned());
    context.session.batch = Some(Box::new(Batch { reference, target, opened, lines, label }));
    if !std::mem::replace(&mut context.session.batch_watched, true) {
        context.actions.push(Action::WatchBatch(TIMEOUT));
    }
}

/// A line of a batch.
pub(super) fn line(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let name = message.tags.get("batch").unwrap_or_default();
    let Some(open) = &mut context.session.batch else { return no_such_batch(context) };
    let known = open.reference == name;
    let Some(lines) = &mut open.lines else { return };
    let added = match known {
        true => lines.add(message, &open.target),
        false => Err(invalid("The line belongs to another batch")),
    };
    if let Err(fault) = added {
        reject(context, fault);
    }
}

fn no_such_batch(context: &mut Context<'_, '_>) {
    context.reply().fail("BATCH", "MULTILINE_INVALID", &[], "No such batch");
}

fn reject(context: &mut Context<'_, '_>, (code, words, text): Fault) {
    let Some(open) = &mut context.session.batch else { return };
    open.lines = None;
    if let Some(label) = open.label.take() {
        context.session.label = Some(label);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    context.reply().fail("BATCH", code, &words, text);
}

/// The batch is complete: sends the message.
fn close(context: &mut Context<'_, '_>, reference: &str) {
    let open = context.session.batch.take_if(|open| open.reference == reference);
    let Some(open) = open else { return no_such_batch(context) };
    let Batch { target, lines, label, .. } = *open;
    if label.is_some() {
        context.session.label = label;
    }
    let Some(lines) = lines else { return };
    if !lines.visible {
        return context.fail("MULTILINE_INVALID", &[], "The batch has no text");
    }
    // A refusal is about the message, not about the batch.
    context.session.command = lines.command;
    if lines.count == 1 {
        // A single line may be a CTCP.
        return messages::single_line(context, &target, &lines.text, lines.tags);
    }
    let kind = if lines.command == "NOTICE" { Kind::Notice } else { Kind::Message };
    let continuations =
        (!lines.continuations.is_empty()).then(|| Continuations::from(lines.continuations));
    let outgoing = Outgoing { kind, text: &lines.text, tags: lines.tags, continuations };
    messages::send(context, &target, outgoing);
}

impl Context<'_, '_> {
    /// Drops the open batch if it has timed out; else returns the time left. `None` if there is
    /// nothing to wait for.
    pub fn look_at_batch(&mut self) -> Option<Duration> {
        self.session.batch_watched = false;
        let (open, now) = (self.session.batch.as_mut()?, self.view.now);
        // A clock that was set back must not keep it open.
        open.opened = open.opened.min(now);
        let age = now.0.saturating_sub(open.opened.0).unsigned_abs();
        let left = TIMEOUT.saturating_sub(Duration::from_millis(age));
        if !left.is_zero() {
            self.session.batch_watched = true;
            return Some(left);
        }
        let open = self.session.batch.take()?;
        // A rejected batch has had its FAIL.
        open.lines.as_ref()?;
        let text = "The batch was open for too long";
        self.reply().fail("BATCH", "TIMEOUT", &[&open.reference], text);
        if let Some(mut label) = open.label {
            label.collect(self.out, false);
            *self.out = Replies::from_bytes(label.finish());
        }
        None
    }
}
