//! How many nicks begin with which letter.

use crate::chat::model::name::Name;
use serde::{Deserialize, Serialize};

/// How many nicks begin with which letter. Most words begin like no nick at all, and need not be
/// looked up to know that they name nobody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::chat) struct Initials(Vec<u32>);

impl Default for Initials {
    fn default() -> Initials {
        Initials(vec![0; 256])
    }
}

impl Initials {
    fn slot(&mut self, nick: &str) -> Option<&mut u32> {
        let first = nick.as_bytes().first()?.to_ascii_lowercase();
        self.0.get_mut(usize::from(first))
    }

    pub(in crate::chat) fn add(&mut self, nick: &Name) {
        if let Some(count) = self.slot(nick.as_str()) {
            *count += 1;
        }
    }

    pub(in crate::chat) fn remove(&mut self, nick: &Name) {
        if let Some(count) = self.slot(nick.as_str()) {
            *count = count.saturating_sub(1);
        }
    }

    pub(in crate::chat) fn begins_a_nick(&self, word: &str) -> bool {
        let first = word.as_bytes().first().map(u8::to_ascii_lowercase);
        first.and_then(|first| self.0.get(usize::from(first))).is_some_and(|&count| count > 0)
    }
}
