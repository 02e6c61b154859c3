//! The history of sent lines: a bounded list, browsed with Up and Down.
//!
//! The draft at the start of browsing is kept at the end of the list and returned unchanged.
//! Changes to recalled lines are not kept. Absent: a file, because chat messages are not written to
//! disk unasked.

use std::collections::VecDeque;

/// Lines kept; the oldest is dropped first.
pub const MAX_HISTORY: usize = 500;

/// The sent lines, and the position while browsing.
#[derive(Debug, Default)]
pub struct History {
    lines: VecDeque<String>,
    /// Index of the line that is shown; `None` when the draft is.
    place: Option<usize>,
    draft: String,
}

impl History {
    /// Appends `line`, unless it is empty or equal to the last one; ends browsing.
    pub fn push(&mut self, line: &str) {
        self.rest();
        if line.is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == MAX_HISTORY {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    /// The line before the one shown; `None` at the oldest. `shown` is kept if it is the draft.
    pub fn older(&mut self, shown: &str) -> Option<&str> {
        let place = match self.place {
            Some(place) => place.checked_sub(1)?,
            None => {
                let newest = self.lines.len().checked_sub(1)?;
                shown.clone_into(&mut self.draft);
                newest
            }
        };
        self.place = Some(place);
        self.lines.get(place).map(String::as_str)
    }

    /// The line after the one shown, at last the draft; `None` if the draft is shown already.
    pub fn newer(&mut self) -> Option<&str> {
        let next = self.place? + 1;
        match self.lines.get(next) {
            Some(line) => {
                self.place = Some(next);
                Some(line)
            }
            None => {
                self.place = None;
                Some(&self.draft)
            }
        }
    }

    /// Ends a walk: the next [`older`](History::older) begins at the newest line.
    pub fn rest(&mut self) {
        self.place = None;
        self.draft.clear();
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_back_and_ends_at_the_draft() {
        let mut history = History::default();
        assert_eq!(history.older("draft"), None);
        for line in ["one", "two", "two", ""] {
            history.push(line);
        }
        assert_eq!(history.newer(), None);
        assert_eq!(history.older("draft"), Some("two"));
        assert_eq!(history.older("two, changed"), Some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer(), Some("two"));
        assert_eq!(history.newer(), Some("draft"));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn it_is_bounded() {
        let mut history = History::default();
        for number in 0..MAX_HISTORY + 3 {
            history.push(&number.to_string());
        }
        assert_eq!(history.lines().count(), MAX_HISTORY);
        assert_eq!(history.lines().next(), Some("3"));
    }
}
