//! Mentions: the nicks in a text.
//!
//! Words are looked up among the nicks, never nicks in the text: the cost hangs on the length of
//! the text, not on how many are there.

use crate::chat::model::{Identity, Name, SessionId, is_nick_character, limits};
use crate::chat::state::Hub;
use std::iter;

/// The runs of bytes that could be nicks. Non-ASCII letters belong to a run, so that the end of a
/// foreign word is not taken for a nick.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let runs = iter::from_fn(move || {
        // By bytes: every message is read here, and all separators are ASCII.
        let begin = rest.bytes().position(is_part)?;
        let behind = rest.bytes().skip(begin).position(|byte| !is_part(byte));
        let (run, left) = rest.split_at(behind.map_or(rest.len(), |length| begin + length));
        rest = left;
        Some(&run[begin..])
    });
    runs.filter(|word| word.len() <= limits::NICK_LENGTH + 4)
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

impl Hub {
    /// The members of a room that a text mentions.
    pub(super) fn mentions(&self, text: &str, room: &Name, author: &Identity) -> Vec<SessionId> {
        let mut marked = Vec::new();
        for word in words(text) {
            let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c.is_ascii());
            let once = bare.len() == word.len();
            for spelling in [word, bare].into_iter().skip(usize::from(once)) {
                if !self.initials.begins_a_nick(spelling) {
                    continue;
                }
                if let Some(session) = self.session_of(spelling)
                    && self.may_be_marked(session, room, author, &marked)
                {
                    marked.push(session);
                    break;
                }
            }
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
