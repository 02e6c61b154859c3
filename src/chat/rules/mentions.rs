//! Mentions: the nicks in a text.
//!
//! Words are looked up among the nicks, never nicks in the text: the cost hangs on the length of
//! the text, not on how many are there.

use crate::chat::model::{Identity, Name, SessionId, limits};
use crate::chat::state::Hub;

/// The runs of bytes that could be nicks. Non-ASCII letters belong to a run, so that the end of a
/// foreign word is not taken for a nick.
fn words(text: &str) -> impl Iterator<Item = &str> {
    // Rejected: `"…".contains(c)`, which searches the text of marks for every space and comma.
    let mark = |c| matches!(c, '[' | ']' | '\\' | '`' | '_' | '^' | '{' | '|' | '}' | '-');
    let part = move |c: char| c.is_ascii_alphanumeric() || mark(c) || !c.is_ascii();
    text.split(move |c: char| !part(c))
        .filter(|word| !word.is_empty() && word.len() <= limits::NICK_LENGTH + 4)
}

impl Hub {
    /// The members of a room that a text mentions.
    pub(super) fn mentions(&self, text: &str, room: &Name, author: &Identity) -> Vec<SessionId> {
        let mut marked = Vec::new();
        for word in words(text).filter(|word| !word.is_empty()) {
            let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c.is_ascii());
            for spelling in [word, bare] {
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
