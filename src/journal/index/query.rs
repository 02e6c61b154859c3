//! Queries of an index, and their answers.

use crate::chat::limits::{HISTORY_DEFAULT, HISTORY_LINES, SEARCH_LENGTH};
use crate::chat::{HistoryEvent, Lookup, Query, RecordId, Reference, Scope, StoredMessage};

/// Identifies an answer; drawn with [`Journal::next_query`](crate::journal::Journal::next_query).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct QueryId(pub u64);

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryQuery {
    /// Messages and events.
    Past(Query),
    /// The same, for a user who has just joined, and who is told nothing else meanwhile: given up
    /// after [`limits::REPLAY_TIMEOUT`](crate::journal::limits::REPLAY_TIMEOUT).
    Replay(Query),
    /// Whether a message exists.
    Find(Lookup),
}

impl HistoryQuery {
    /// Whether texts have to be examined.
    #[cfg_attr(not(feature = "disk"), expect(dead_code, reason = "memory searches at once"))]
    pub(super) fn is_search(&self) -> bool {
        let (HistoryQuery::Past(query) | HistoryQuery::Replay(query)) = self else { return false };
        matches!(query.scope, Scope::Search { .. })
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// Messages, and events if requested; both oldest first.
    Past(Vec<StoredMessage>, Vec<HistoryEvent>),
    /// A search that stopped early: what it found down to the record, which it has not examined.
    Partial(Vec<StoredMessage>, RecordId),
    /// The message, and how many reactions it has.
    Found(Option<Reference>, u32),
    /// The query failed, for this reason.
    Failed(String),
}

/// How many messages a query requests, within the limit of one answer.
pub(super) fn wanted(query: &Query) -> usize {
    query.limit.unwrap_or(HISTORY_DEFAULT).min(HISTORY_LINES) as usize
}

/// The words of a text for searching: runs of letters and digits, in any case.
pub(super) fn search_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty())
}

/// What a search looks for, compared in place: a text of any length costs no allocation.
pub(super) struct SearchWords(Vec<String>);

/// A bit for each word.
const _: () = assert!(SEARCH_LENGTH.div_ceil(2) <= u128::BITS as usize);

impl SearchWords {
    pub(super) fn new(text: &str) -> SearchWords {
        let mut words: Vec<String> = search_words(text).map(|word| fold(word).collect()).collect();
        words.sort_unstable();
        words.dedup();
        words.truncate(u128::BITS as usize);
        SearchWords(words)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a text contains all of them.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let mut missing: u128 = (0..self.0.len()).map(|word| 1 << word).sum();
        for run in search_words(text) {
            let ascii = run.is_ascii();
            for (number, word) in self.0.iter().enumerate() {
                let same =
                    if ascii { run.eq_ignore_ascii_case(word) } else { fold(run).eq(word.chars()) };
                if same {
                    missing &= !(1 << number);
                }
            }
            if missing == 0 {
                break;
            }
        }
        missing == 0 && !self.0.is_empty()
    }
}

/// In lower case; the Greek sigma has two, and the disk takes them for one.
fn fold(word: &str) -> impl Iterator<Item = char> {
    word.chars().flat_map(char::to_lowercase).map(|c| if c == '\u{3c2}' { '\u{3c3}' } else { c })
}
