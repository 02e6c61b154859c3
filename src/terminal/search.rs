//! Ctrl-R: an incremental search through the sent lines, from the newest backwards.
//!
//! | keys | do |
//! |---|---|
//! | a character | adds it to the query |
//! | Backspace, Ctrl-H | take one away, and search anew from the newest |
//! | Ctrl-R | the next older line that fits |
//! | Enter | send the line that was found |
//! | Ctrl-C, Ctrl-G, Escape | back to the line as it was |
//! | any other key | keep the found line and do to it what the key does |
//!
//! ASCII letters match in either case. The search holds no copy of the history: it is handed one
//! with every key, so a line that arrives in between cannot make it point at another.

use super::history::History;
use super::keys::{Code, Key};

/// Bytes of the query.
const MAX_QUERY: usize = 256;

/// A search under way.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Search {
    query: String,
    /// The distance of the found line from the newest, and its text.
    found: Option<(usize, String)>,
    failed: bool,
}

/// The result of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SearchStep {
    /// The search continues.
    Continues,
    /// It continues, and nothing (more) was found: ring the bell.
    Failed,
    /// It is cancelled; the line is as it was.
    Cancelled,
    /// It is over; the line is the found one, and the key is still to be done.
    Accepted,
}

impl Search {
    /// The found line, and bytes of it before the place that fits.
    pub fn found(&self) -> Option<(&str, usize)> {
        let (_, line) = self.found.as_ref()?;
        Some((line, place(line, &self.query).unwrap_or(0)))
    }

    /// The text in place of the prompt.
    pub fn prompt(&self) -> String {
        let failed = if self.failed { "failed " } else { "" };
        format!("({failed}search)'{}': ", self.query)
    }

    /// Executes a key.
    pub fn key(&mut self, key: Key, history: &History) -> SearchStep {
        match key {
            Key { code: Code::Char('r'), control: true, .. } => {
                let next = self.found.as_ref().map_or(0, |(age, _)| age + 1);
                self.look(next, history)
            }
            Key { code: Code::Char('h'), control: true, .. }
            | Key { code: Code::Backspace, control: false, alt: false, .. } => {
                self.query.pop();
                self.found = None;
                self.look(0, history)
            }
            Key { code: Code::Char('c' | 'g'), control: true, .. }
            | Key { code: Code::Escape, .. } => SearchStep::Cancelled,
            Key { code: Code::Char(character), control: false, alt: false, .. } => {
                if self.query.len() + character.len_utf8() > MAX_QUERY {
                    return SearchStep::Failed;
                }
                self.query.push(character);
                let from = self.found.as_ref().map_or(0, |(age, _)| *age);
                self.look(from, history)
            }
            _ => SearchStep::Accepted,
        }
    }

    /// Looks from the line that is `age` lines older than the newest; keeps what was found before
    /// if nothing is.
    fn look(&mut self, age: usize, history: &History) -> SearchStep {
        if self.query.is_empty() {
            self.failed = false;
            return SearchStep::Continues;
        }
        // An older line with the same text is skipped.
        let fresh =
            |line: &str| self.found.as_ref().is_none_or(|(at, found)| age <= *at || found != line);
        let mut lines = history.lines().rev().enumerate().skip(age);
        let hit = lines.find(|(_, line)| fresh(line) && place(line, &self.query).is_some());
        self.failed = hit.is_none();
        let Some((age, line)) = hit else { return SearchStep::Failed };
        self.found = Some((age, line.to_owned()));
        SearchStep::Continues
    }
}

/// The position of the query in `line`, ignoring ASCII case. The copies keep it linear: comparing at each
/// place takes seconds for long lines of one letter.
fn place(line: &str, query: &str) -> Option<usize> {
    line.to_ascii_lowercase().find(&query.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn history(lines: &[&str]) -> History {
        let mut history = History::default();
        lines.iter().for_each(|line| history.push(line));
        history
    }

    fn typed(search: &mut Search, keys: &str, history: &History) -> SearchStep {
        let mut last = SearchStep::Continues;
        for key in keys.chars() {
            last = search.key(Key::plain(Code::Char(key)), history);
        }
        last
    }

    #[test]
    fn it_goes_back_and_comes_back() {
        let history = history(&["make test", "make check", "git push", "Make test"]);
        let mut search = Search::default();
        assert_eq!(typed(&mut search, "ma", &history), SearchStep::Continues);
        assert_eq!(search.found(), Some(("Make test", 0)));
        assert_eq!(search.key(Key::control('r'), &history), SearchStep::Continues);
        assert_eq!(search.found(), Some(("make check", 0)));
        assert_eq!(typed(&mut search, "ke t", &history), SearchStep::Continues);
        assert_eq!(search.found(), Some(("make test", 0)));
        assert_eq!(search.key(Key::control('r'), &history), SearchStep::Failed);
        assert_eq!(search.prompt(), "(failed search)'make t': ");
        assert_eq!(search.found(), Some(("make test", 0)), "what was found stays");
        assert_eq!(search.key(Key::plain(Code::Backspace), &history), SearchStep::Continues);
        assert_eq!(search.found(), Some(("Make test", 0)));
        assert_eq!(search.key(Key::plain(Code::Left), &history), SearchStep::Accepted);
        assert_eq!(search.key(Key::control('c'), &history), SearchStep::Cancelled);
    }

    /// It took minutes to compare the query at each place.
    #[test]
    fn long_lines_of_one_letter_are_searched_at_once() {
        let lines: Vec<String> = (0..500).map(|n| format!("{}{n}", "a".repeat(16_000))).collect();
        let history = history(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let mut search = Search::default();
        assert_eq!(typed(&mut search, &"a".repeat(100), &history), SearchStep::Continues);
        assert_eq!(typed(&mut search, "b", &history), SearchStep::Failed);
        assert_eq!(search.found(), Some((lines[499].as_str(), 0)));
    }

    proptest! {
        #[test]
        fn what_is_found_holds_what_is_searched(
            lines in proptest::collection::vec("[abé]{1,6}", 0..20), query in "[abé]{1,3}",
            again in 0usize..5,
        ) {
            let mut history = History::default();
            lines.iter().for_each(|line| history.push(line));
            let mut search = Search::default();
            typed(&mut search, &query, &history);
            for _ in 0..again {
                search.key(Key::control('r'), &history);
            }
            match search.found() {
                Some((line, at)) if !search.failed => prop_assert!(line[at..].starts_with(&query)),
                _ => prop_assert!(again > 0 || !lines.iter().any(|line| line.contains(&query))),
            }
        }
    }
}
