//! Lines that belong together: IRCv3 batch.
//!
//! The messages of `draft/multiline`, `chathistory` and a search wait for the end of their batch. Lines of
//! all other batches are taken as they come; such a batch is only remembered for its label.
//!
//! Bounds: `MAX_OPEN`, `MAX_LINES`, `MAX_BYTES`. What exceeds them is dropped, and that is shown.

use super::messages::ChatMessage;
use crate::wire::irc::Tags;
use std::collections::BTreeMap;

/// Batches that may be open at the same time.
const MAX_OPEN: usize = 16;
/// Messages that wait in one.
const MAX_LINES: usize = 5_000;
/// Bytes of texts and names that wait in one.
const MAX_BYTES: usize = 1024 * 1024;

/// One batch.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// `chathistory`, `draft/multiline`, `netsplit`, …
    pub kind: String,
    /// Its first parameter: in the two batches above, the target of the messages.
    pub target: String,
    /// The tags of its first line.
    pub tags: String,
    /// The batch that it is in.
    pub outer: Option<String>,
    /// The messages so far.
    pub messages: Vec<ChatMessage>,
    /// Something was dropped.
    pub overflowed: bool,
    /// Lines that were counted and not kept.
    pub counted: usize,
    /// Bytes of their texts and names.
    pub bytes: usize,
}

impl Batch {
    /// Adds a message. In a multiline batch it is another line, or with `concat` more of the last
    /// one, of the same message.
    pub fn add(&mut self, chat: ChatMessage, concat: bool) {
        let bytes = chat.bytes();
        if self.bytes + bytes > MAX_BYTES || self.counted >= MAX_LINES {
            self.overflowed = true;
            return;
        }
        self.bytes += bytes;
        self.counted += 1;
        let together = self.is_one_message();
        match self.messages.last_mut().filter(|_| together) {
            Some(message) => {
                if !concat {
                    message.text.push('\n');
                }
                message.text.push_str(&chat.text);
            }
            None => self.messages.push(chat),
        }
    }

    /// Whether its lines form one message.
    pub fn is_one_message(&self) -> bool {
        self.kind == "draft/multiline"
    }

    /// Whether its messages wait for its end.
    pub fn waits(&self) -> bool {
        matches!(self.kind.as_str(), "draft/multiline" | "chathistory" | "soju.im/search")
    }
}

/// The open batches, by reference.
#[derive(Debug, Default)]
pub(super) struct Batches(BTreeMap<String, Batch>);

impl Batches {
    /// Opens one. Beyond the bound it is ignored, and its lines are taken as they come.
    pub fn open(&mut self, reference: &str, batch: Batch) {
        if self.0.len() < MAX_OPEN {
            self.0.insert(reference.to_owned(), batch);
        }
    }

    /// Closes one.
    pub fn close(&mut self, reference: &str) -> Option<Batch> {
        self.0.remove(reference)
    }

    pub fn get(&mut self, reference: &str) -> Option<&mut Batch> {
        self.0.get_mut(reference)
    }

    /// A reference, and those of the batches that it is in.
    fn outward(&self, reference: &str) -> impl Iterator<Item = String> {
        let outer = |at: &String| self.0.get(at)?.outer.clone();
        // No batch contains itself, whatever a server sends.
        std::iter::successors(Some(reference.to_owned()), outer).take(MAX_OPEN)
    }

    /// The batch of this kind that `reference` is or is in.
    pub fn inside(&mut self, reference: &str, kind: &str) -> Option<&mut Batch> {
        let is_it = |at: &String| self.0.get(at).is_some_and(|batch| batch.kind == kind);
        let found = self.outward(reference).find(is_it)?;
        self.0.get_mut(&found)
    }

    /// The label of a batch or of one that it is in.
    pub fn label(&self, reference: &str) -> Option<String> {
        let label = |at: String| Tags::new(&self.0.get(&at)?.tags).get("label").map(Into::into);
        self.outward(reference).find_map(label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::irc::Message;

    fn chat(text: &str) -> ChatMessage {
        let line = format!(":bob!b@h PRIVMSG #x :{text}");
        let message = Message::parse(line.as_bytes()).unwrap();
        ChatMessage::of(&message, message.tags).unwrap()
    }

    fn batch(kind: &str) -> Batch {
        Batch { kind: kind.to_owned(), ..Batch::default() }
    }

    #[test]
    fn lines_become_one_message() {
        let mut one = batch("draft/multiline");
        for (text, concat) in
            [("hello", false), ("", false), ("how is ", false), ("everyone?", true)]
        {
            one.add(chat(text), concat);
        }
        assert_eq!(one.messages.len(), 1);
        assert_eq!(one.messages[0].text, "hello\n\nhow is everyone?");
    }

    #[test]
    fn it_is_bounded() {
        let mut past = batch("chathistory");
        (0..MAX_LINES + 5).for_each(|_| past.add(chat("x"), false));
        assert!(past.overflowed && past.messages.len() == MAX_LINES);
        let mut long = batch("draft/multiline");
        (0..20).for_each(|_| long.add(chat(&"x".repeat(MAX_BYTES / 10)), true));
        assert!(long.overflowed && long.messages[0].text.len() <= MAX_BYTES);
        let mut names = batch("chathistory");
        let long = "n".repeat(200);
        let line = format!("@msgid={long};account={long} :{long}!u@h PRIVMSG {long} :x");
        let message = Message::parse(line.as_bytes()).unwrap();
        let named = ChatMessage::of(&message, message.tags).unwrap();
        (0..MAX_LINES).for_each(|_| names.add(named.clone(), false));
        assert!(names.overflowed && names.messages.len() * 800 < MAX_BYTES);
        let mut batches = Batches::default();
        for number in 0..200 {
            let outer = Some(number.to_string());
            batches.open(&number.to_string(), Batch { outer, ..batch("x") });
        }
        assert_eq!(batches.0.len(), MAX_OPEN);
        assert!(batches.label("3").is_none(), "a batch in itself");
        assert!(batches.inside("3", "y").is_none());
        assert!(batches.inside("3", "x").is_some());
    }
}
