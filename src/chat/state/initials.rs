//! Counts of nicks by first letter.

use crate::chat::model::Name;
use serde::{Deserialize, Serialize};

/// The number of nicks with each first letter. Most words of a message start with a letter that no
/// nick starts with, and need no lookup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Initials(Vec<u32>);

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

    pub fn add(&mut self, nick: &Name) {
        if let Some(count) = self.slot(nick.as_str()) {
            *count += 1;
        }
    }

    pub fn remove(&mut self, nick: &Name) {
        if let Some(count) = self.slot(nick.as_str()) {
            *count = count.saturating_sub(1);
        }
    }

    pub fn begins_a_nick(&self, word: &[u8]) -> bool {
        let first = word.first().map(u8::to_ascii_lowercase);
        first.and_then(|first| self.0.get(usize::from(first))).is_some_and(|&count| count > 0)
    }
}
