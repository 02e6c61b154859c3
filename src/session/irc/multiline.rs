//! How is one message of several lines said? IRCv3 client-batch and draft/multiline.
//!
//! Its lines are gathered until its batch is closed, and then said as one: one record, one number,
//! one msgid. Where a long line was cut into two by the client is remembered, so that others are
//! shown the same pieces.
//!
//! Invariants: one batch at a time is open, of at most [`MAX_BYTES`] and [`MAX_LINES`]; what is
//! left open for [`PATIENCE`] is forgotten, and said to be. A batch that was refused takes in
//! nothing more and says nothing more until it is closed.
//!
//! Lines without a tag `batch` are carried out while one is open: the specification forbids them,
//! but a PONG that a library sends by itself should cost nobody a message.

use super::label::Label;
use super::messages::{self, Spoken};
use super::reply::Replies;
use super::{Action, Caps, Context, Session, View, commands};
use crate::chat::{Joints, Kind, Moment};
use crate::wire::irc::Message;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Longest message, in bytes with the newlines: as long as the longest line of a plain client.
pub(super) const MAX_BYTES: usize = 4096;
/// Most lines of one message.
pub(super) const MAX_LINES: usize = 100;
/// How long a batch may stay open.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest name of a batch.
const LONGEST_REFERENCE: usize = 64;

/// What the capability announces.
pub(super) fn announced() -> &'static str {
    static TOKENS: LazyLock<String> =
        LazyLock::new(|| format!("max-bytes={MAX_BYTES},max-lines={MAX_LINES}"));
    &TOKENS
}

/// The type of the batch, and its capability.
pub(super) const TYPE: &str = "draft/multiline";
/// The tag of a line that goes on where the one before has ended.
pub(super) const CONCAT: &str = "draft/multiline-concat";

/// A batch that has been opened.
pub(super) struct Open {
    reference: String,
    target: String,
    opened: Moment,
    /// What has been gathered; `None` once it was refused.
    lines: Option<Lines>,
    label: Option<Box<Label>>,
}

#[derive(Default)]
struct Lines {
    /// PRIVMSG or NOTICE, as its first line has it.
    command: &'static str,
    tags: Option<Arc<str>>,
    text: String,
    joints: Vec<u32>,
    count: usize,
    /// Whether one of them is not blank.
    visible: bool,
}

/// Why a batch is refused: a code, its words, a text.
type Fault<'a> = (&'static str, Vec<&'a str>, &'static str);

/// Whether a line belongs into a batch, and is not to be carried out by itself.
pub(super) fn takes(session: &Session, message: &Message<'_>) -> bool {
    session.caps.multiline() && message.tags.find("batch").is_some()
}

/// `BATCH +name draft/multiline target` and `BATCH -name`.
pub(super) fn batch(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let words = message.parameters.as_slice();
    let word = words.first().copied().unwrap_or_default();
    if let Some(reference) = word.strip_prefix('-') {
        return close(context, reference);
    }
    let reference = word.strip_prefix('+').unwrap_or_default();
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if reference.is_empty()
        || reference.len() > LONGEST_REFERENCE
        || !reference.bytes().all(harmless)
    {
        let text = "Invalid name of a batch";
        return context.reply().fail("BATCH", "INVALID_REFTAG", &[word], text);
    }
    let kind = words.get(1).copied().unwrap_or_default();
    if kind != TYPE || !context.session.caps.multiline() {
        let text = "There is no batch of this type";
        return context.reply().fail("BATCH", "UNKNOWN_TYPE", &[reference, kind], text);
    }
    let [_, _, target] = *words else { return commands::need_more(context) };
    let tags = messages::client_tags(context, message.tags);
    // It answers nothing yet; what does is what ends it.
    let label = context.session.label.take();
    if context.session.batch.as_ref().is_some_and(|open| open.lines.is_some()) {
        refuse(context, ("MULTILINE_INVALID", vec![], "Another batch was left open"));
    }
    let lines = Some(Lines { tags, ..Lines::default() });
    let opened = context.view.now;
    let (reference, target) = (reference.to_owned(), target.to_owned());
    context.session.batch = Some(Box::new(Open { reference, target, opened, lines, label }));
    if !std::mem::replace(&mut context.session.batch_watched, true) {
        context.actions.push(Action::WatchBatch(PATIENCE));
    }
}

/// A line of a batch.
pub(super) fn line(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let name = message.tags.get("batch").unwrap_or_default();
    let Some(open) = &mut context.session.batch else {
        let text = "There is no such batch";
        return context.reply().fail("BATCH", "MULTILINE_INVALID", &[], text);
    };
    let known = open.reference == name;
    let Some(lines) = &mut open.lines else { return };
    let fault = if known {
        lines.take(message, &open.target).err()
    } else {
        Some(("MULTILINE_INVALID", vec![], "This line is of another batch"))
    };
    if let Some((code, words, text)) = fault {
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        refuse(context, (code, words.iter().map(String::as_str).collect(), text));
    }
}

impl Lines {
    /// Takes in one line.
    fn take<'m>(&mut self, message: &Message<'m>, target: &'m str) -> Result<(), Fault<'m>> {
        let invalid = |text| Err(("MULTILINE_INVALID", vec![], text));
        let command = match message.command.to_ascii_uppercase().as_str() {
            "PRIVMSG" => "PRIVMSG",
            "NOTICE" => "NOTICE",
            _ => return invalid("Such a batch has lines of PRIVMSG or NOTICE"),
        };
        if !self.command.is_empty() && self.command != command {
            return invalid("A batch has lines of PRIVMSG or of NOTICE, not both");
        }
        let to = message.parameters.as_slice().first().copied().unwrap_or_default();
        if !to.eq_ignore_ascii_case(target) {
            let text = "The line is for somebody else than the batch";
            return Err(("MULTILINE_INVALID_TARGET", vec![target, to], text));
        }
        let text = message.parameters.as_slice().get(1).copied().unwrap_or_default();
        let joined = message.tags.find(CONCAT).is_some();
        if joined && text.is_empty() {
            return invalid("A blank line goes on with nothing");
        }
        if self.count == MAX_LINES {
            let text = "The batch has too many lines";
            return Err(("MULTILINE_MAX_LINES", vec!["100"], text));
        }
        let newline = usize::from(self.count > 0 && !joined);
        if self.text.len() + newline + text.len() > MAX_BYTES {
            return Err(("MULTILINE_MAX_BYTES", vec!["4096"], "The batch is too long"));
        }
        if newline > 0 {
            self.text.push('\n');
        } else if self.count > 0 {
            // It is at most MAX_BYTES.
            self.joints.push(self.text.len() as u32);
        }
        self.text.push_str(text);
        self.command = command;
        self.count += 1;
        self.visible |= !text.is_empty();
        Ok(())
    }
}

// The words of the two FAILs above.
const _: () = assert!(MAX_LINES == 100 && MAX_BYTES == 4096);

/// Refuses the open batch: what is still to come of it is ignored.
fn refuse(context: &mut Context<'_, '_>, (code, words, text): Fault<'_>) {
    let Some(open) = &mut context.session.batch else { return };
    open.lines = None;
    if let Some(label) = open.label.take() {
        context.session.label = Some(label);
    }
    context.reply().fail("BATCH", code, &words, text);
}

/// All of it is here: says it.
fn close(context: &mut Context<'_, '_>, reference: &str) {
    let open = context.session.batch.take_if(|open| open.reference == reference);
    let Some(open) = open else {
        let text = "There is no such batch";
        return context.reply().fail("BATCH", "MULTILINE_INVALID", &[], text);
    };
    let Open { target, lines, label, .. } = *open;
    if label.is_some() {
        context.session.label = label;
    }
    let Some(lines) = lines else { return };
    if !lines.visible {
        let text = "The batch has no line that is not blank";
        return context.reply().fail("BATCH", "MULTILINE_INVALID", &[], text);
    }
    // Whoever refuses it refuses what was in it.
    context.session.command = lines.command;
    if lines.count == 1 {
        // One line is a line, and may be a CTCP.
        return messages::one_line(context, &target, &lines.text, lines.tags);
    }
    let kind = if lines.command == "NOTICE" { Kind::Notice } else { Kind::Message };
    let joints = (!lines.joints.is_empty()).then(|| Joints::from(lines.joints));
    let spoken = Spoken { kind, text: &lines.text, tags: lines.tags, joints };
    messages::say(context, &target, spoken);
}

impl Session {
    /// Looks at the batch that was opened a while ago: forgets it, and says so, if it is that
    /// old; else says in how long to look again. `None` if there is nothing to look at.
    pub fn look_at_batch(&mut self, view: &View<'_>, out: &mut Replies) -> Option<Duration> {
        self.batch_watched = false;
        let open = self.batch.as_ref()?;
        let age = u64::try_from(view.now.0 - open.opened.0).unwrap_or_default();
        let left = PATIENCE.saturating_sub(Duration::from_millis(age));
        if !left.is_zero() {
            self.batch_watched = true;
            return Some(left);
        }
        let open = self.batch.take()?;
        // What was refused was said to be.
        open.lines.as_ref()?;
        let text = "The batch was open for too long";
        self.reply(view, out).fail("BATCH", "TIMEOUT", &[&open.reference], text);
        // A response of one line needs no batch, and none needs a name.
        if let Some(mut label) = open.label {
            label.collect(out);
            *out = Replies::from_bytes(label.finish("", &view.settings.name, self.caps));
        }
        None
    }
}

/// The pieces in which a text is said, as clients that know no batches are to hear it or as those
/// that do put it together: each with whether it goes on where the one before has ended. At most
/// `room` bytes each.
pub(super) fn pieces<'t>(
    text: &'t str,
    joints: &'t [u32],
    room: usize,
) -> impl Iterator<Item = (bool, &'t str)> {
    let mut start = 0;
    let lines = text.split('\n').flat_map(move |line| {
        let first = start;
        start += line.len() + 1;
        let inside = joints.iter().map(|joint| *joint as usize);
        let inside = inside
            .filter(move |joint| *joint > first && *joint < first + line.len())
            .filter(move |joint| text.is_char_boundary(*joint));
        let mut rest = first;
        let ends = inside.chain(std::iter::once(first + line.len()));
        ends.filter_map(move |end| {
            // Joints that fall behind the one before are none.
            let part = text.get(rest..end)?;
            let joined = rest > first;
            rest = end;
            Some((joined, part))
        })
    });
    lines.flat_map(move |(joined, part)| {
        let pieces = crate::wire::irc::render::pieces(part, room).enumerate();
        pieces.map(move |(number, piece)| (joined || number > 0, piece))
    })
}

impl Caps {
    /// Whether messages of several lines come in batches.
    pub(super) fn multiline(self) -> bool {
        self.has(Caps::MULTILINE) && self.has(Caps::BATCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<'t>(text: &'t str, joints: &'t [u32], room: usize) -> Vec<(bool, &'t str)> {
        pieces(text, joints, room).collect()
    }

    #[test]
    fn a_text_is_said_in_the_pieces_it_came_in() {
        assert_eq!(all("one", &[], 9), [(false, "one")]);
        assert_eq!(all("", &[], 9), [(false, "")]);
        assert_eq!(all("a\n\nb", &[], 9), [(false, "a"), (false, ""), (false, "b")]);
        let text = "hello\nhow is everyone?";
        assert_eq!(
            all(text, &[13], 99),
            [(false, "hello"), (false, "how is "), (true, "everyone?")]
        );
        // Too long for one line of the client's: cut where there is a blank.
        assert_eq!(
            all(text, &[13], 8),
            [(false, "hello"), (false, "how is "), (true, "everyone"), (true, "?")]
        );
    }

    #[test]
    fn a_joint_that_is_no_place_is_none() {
        for joints in [&[0][..], &[5], &[6], &[4, 2], &[99], &[1, 1]] {
            let said = all("aéb\ncd", joints, 99);
            let whole: String =
                said.iter().enumerate().fold(String::new(), |whole, (place, (joined, piece))| {
                    whole + if *joined || place == 0 { "" } else { "\n" } + piece
                });
            assert_eq!(whole, "aéb\ncd", "{joints:?}");
        }
        assert_eq!(all("aéb", &[2], 99), [(false, "aéb")]);
    }
}
