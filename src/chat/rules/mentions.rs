//! Mentions: the nicks in a text.
//!
//! Words are looked up among the nicks, never nicks in the text: the cost hangs on the length of
//! the text, not on how many are there.

use crate::chat::model::{Identity, Name, SessionId, is_nick_character, limits};
use crate::chat::state::Hub;

/// The runs of bytes that could be nicks. Non-ASCII letters belong to a run, so that the end of a
/// foreign word is not taken for a nick. By bytes: every message is read here, and all separators
/// are ASCII.
fn words(text: &str) -> impl Iterator<Item = &[u8]> {
    let runs = text.as_bytes().split(|byte| !is_part(*byte));
    runs.filter(|run| !run.is_empty() && run.len() <= limits::NICK_LENGTH + 4)
}

/// Whether a byte may be part of a nick; all bytes of characters beyond ASCII count as such.
fn is_part(byte: u8) -> bool {
    const PARTS: [bool; 256] = {
        let mut parts = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            parts[byte] = byte >= 128 || is_nick_character(byte as u8 as char);
            byte += 1;
        }
        parts
    };
    PARTS[usize::from(byte)]
}

/// A word without the signs around it: `_alice_` is emphasised.
fn bare(word: &[u8]) -> &[u8] {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let Some(first) = word.iter().position(is_letter) else { return &[] };
    let last = word.iter().rposition(is_letter).unwrap_or(first);
    &word[first..=last]
}

impl Hub {
    /// The members of a room that a text mentions.
    pub(super) fn mentions(&self, text: &str, room: &Name, author: &Identity) -> Vec<SessionId> {
        let mut marked = Vec::new();
        for word in words(text) {
            let found = |spelling: &[u8]| {
                if !self.initials.begins_a_nick(spelling) {
                    return None;
                }
                let session = self.session_of(str::from_utf8(spelling).ok()?)?;
                self.may_be_marked(session, room, author, &marked).then_some(session)
            };
            let without_signs = Some(bare(word)).filter(|bare| bare.len() < word.len());
            marked.extend(found(word).or_else(|| without_signs.and_then(found)));
            if marked.len() == limits::MENTIONS_PER_MESSAGE {
                break;
            }
        }
        marked
    }

    pub(super) fn may_be_marked(
        &self,
        session: SessionId,
        room: &Name,
        author: &Identity,
        marked: &[SessionId],
    ) -> bool {
        session != author.session
            && !marked.contains(&session)
            && self.rooms.get(room).is_some_and(|room| room.members.contains_key(&session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_what_could_be_a_nick_with_or_without_the_signs_around_it() {
        let text = "_alice_: ask bob2, größe-1 or `x` (--); ----- \u{3b1}";
        let found: Vec<_> = words(text).map(|word| str::from_utf8(word).unwrap()).collect();
        assert_eq!(
            found,
            ["_alice_", "ask", "bob2", "größe-1", "or", "`x`", "--", "-----", "\u{3b1}"]
        );
        let bare: Vec<_> = words(text).map(|word| str::from_utf8(bare(word)).unwrap()).collect();
        assert_eq!(bare, ["alice", "ask", "bob2", "größe-1", "or", "x", "", "", "\u{3b1}"]);
        let long = "n".repeat(limits::NICK_LENGTH + 5);
        assert_eq!(words(&long).count(), 0);
    }
}
