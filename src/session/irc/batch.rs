//! A draft/multiline batch as it is collected, and its bounds.

use super::label::Label;
use super::pieces::CONCAT;
use super::settings::{MAX_BYTES, MAX_LINES};
use crate::chat::Moment;
use crate::wire::irc::Message;
use std::sync::Arc;

/// A batch that has been opened.
pub(super) struct Batch {
    pub(super) reference: String,
    pub(super) target: String,
    pub(super) opened: Moment,
    /// `None` once it was rejected.
    pub(super) lines: Option<Lines>,
    pub(super) label: Option<Box<Label>>,
}

#[derive(Default)]
pub(super) struct Lines {
    /// PRIVMSG or NOTICE, as in the first line.
    pub(super) command: &'static str,
    pub(super) tags: Option<Arc<str>>,
    pub(super) text: String,
    pub(super) continuations: Vec<u32>,
    pub(super) count: usize,
    /// Whether any line has a text.
    pub(super) visible: bool,
}

/// Why a batch is rejected: the code of the FAIL, its words, its text.
pub(super) type Fault = (&'static str, Vec<String>, &'static str);

impl Batch {
    /// The memory behind it.
    pub(super) fn held(&self) -> usize {
        let Some(lines) = &self.lines else { return 0 };
        let tags = lines.tags.as_ref().map_or(0, |tags| tags.len());
        let continuations = lines.continuations.capacity() * size_of::<u32>();
        lines.text.capacity() + continuations + tags + self.target.len()
    }
}

pub(super) fn invalid(text: &'static str) -> Fault {
    ("MULTILINE_INVALID", Vec::new(), text)
}

impl Lines {
    pub(super) fn add(&mut self, message: &Message<'_>, target: &str) -> Result<(), Fault> {
        let command = match message.command.to_ascii_uppercase().as_str() {
            "PRIVMSG" => "PRIVMSG",
            "NOTICE" => "NOTICE",
            _ => return Err(invalid("Only PRIVMSG and NOTICE are allowed in the batch")),
        };
        if !self.command.is_empty() && self.command != command {
            return Err(invalid("PRIVMSG and NOTICE cannot be mixed in a batch"));
        }
        let [to, text] = message.words();
        if !to.eq_ignore_ascii_case(target) {
            let words = vec![target.to_owned(), to.to_owned()];
            return Err(("MULTILINE_INVALID_TARGET", words, "The batch has another target"));
        }
        let continues = message.tags.find(CONCAT).is_some();
        if continues && text.is_empty() {
            return Err(invalid("An empty line cannot continue another one"));
        }
        if self.count == MAX_LINES {
            let words = vec![MAX_LINES.to_string()];
            return Err(("MULTILINE_MAX_LINES", words, "The batch has too many lines"));
        }
        let newline = usize::from(self.count > 0 && !continues);
        if self.text.len() + newline + text.len() > MAX_BYTES {
            let words = vec![MAX_BYTES.to_string()];
            return Err(("MULTILINE_MAX_BYTES", words, "The batch is too long"));
        }
        if newline > 0 {
            self.text.push('\n');
        } else if self.count > 0 {
            // At most MAX_BYTES.
            self.continuations.push(self.text.len() as u32);
        }
        self.text.push_str(text);
        self.command = command;
        self.count += 1;
        self.visible |= !text.is_empty();
        Ok(())
    }
}
