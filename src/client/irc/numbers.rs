//! Short message numbers: IRC identifies messages by msgids, which are too long to type.
//!
//! Every message with a msgid gets the next number, or the same one if it arrives again. Bound: the
//! last `MAX_KEPT`.

use std::collections::VecDeque;

/// Messages that have a number.
pub const MAX_KEPT: usize = 1_000;
/// Characters of a message that are quoted.
const EXCERPT: usize = 30;

/// One message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Numbered {
    pub number: u64,
    /// The room, or the other user.
    pub place: String,
    pub id: String,
    pub nick: String,
    pub excerpt: String,
}

impl Numbered {
    /// As [`Quoted`](crate::client::display::Quoted) has it.
    pub fn quoted(&self) -> (u64, String, String) {
        (self.number, self.nick.clone(), self.excerpt.clone())
    }
}

/// The messages that have numbers.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    last: u64,
    kept: VecDeque<Numbered>,
}

impl Numbers {
    /// The number of a message.
    pub fn give(&mut self, place: &str, id: &str, nick: &str, text: &str) -> u64 {
        if let Some(known) = self.by_id(id).filter(|known| known.place == place) {
            return known.number;
        }
        if self.kept.len() == MAX_KEPT {
            self.kept.pop_front();
        }
        self.last += 1;
        let line = text.lines().next().unwrap_or_default();
        let end = line.char_indices().nth(EXCERPT).map_or(line.len(), |(end, _)| end);
        let more = if end < text.len() { "…" } else { "" };
        self.kept.push_back(Numbered {
            number: self.last,
            place: place.to_owned(),
            id: id.to_owned(),
            nick: nick.to_owned(),
            excerpt: format!("{}{more}", &line[..end]),
        });
        self.last
    }

    /// The message of a number.
    pub fn find(&self, number: u64) -> Option<&Numbered> {
        let first = self.kept.front()?.number;
        self.kept.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// The last message of a nick.
    pub fn last_of(&self, nick: &str) -> Option<&Numbered> {
        self.kept.iter().rfind(|known| known.nick == nick)
    }

    /// The message of a msgid; the last one that had it.
    pub fn by_id(&self, id: &str) -> Option<&Numbered> {
        self.kept.iter().rfind(|known| known.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_few() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.give("#x", "a", "bob", "hello"), 1);
        assert_eq!(numbers.give("#x", "b", "bob", &"é".repeat(40)), 2);
        assert_eq!(numbers.give("#x", "a", "bob", "hello"), 1, "heard again");
        assert_eq!(numbers.find(2).unwrap().excerpt, "é".repeat(30) + "…");
        assert_eq!(numbers.by_id("a").unwrap().number, 1);
        for number in 0..2 * MAX_KEPT {
            numbers.give("#x", &format!("n{number}"), "bob", "two\nlines");
        }
        assert_eq!(numbers.kept.len(), MAX_KEPT);
        assert!(numbers.find(1).is_none() && numbers.find(99_999).is_none());
        let last = numbers.find(numbers.last).unwrap();
        assert_eq!((last.id.as_str(), last.excerpt.as_str()), ("n1999", "two…"));
    }
}
