//! The moment at which a connection is ready: once it is established, or the server has sent a text
//! (`--welcome`), such as the end of a login or a join.
//!
//! The text is searched in the stream, across reads. Everything before and after it is ignored.

use memchr::memmem::Finder;

/// The text that lets a connection in, if there is one.
pub struct Welcome {
    finder: Option<Finder<'static>>,
}

/// One connection that waits for it: the last bytes received, fewer than the length of the text.
#[derive(Default)]
pub struct Waiting {
    tail: Vec<u8>,
}

impl Welcome {
    /// With `None` or an empty text, a connection is ready once it is established.
    pub fn new(text: Option<&str>) -> Welcome {
        let text = text.filter(|text| !text.is_empty());
        Welcome { finder: text.map(|text| Finder::new(text).into_owned()) }
    }

    /// The state of a new connection; `None` if it is ready at once.
    pub fn waiting(&self) -> Option<Waiting> {
        self.finder.as_ref().map(|_| Waiting::default())
    }

    /// Whether the text is complete by the end of `bytes`, which follow the bytes received before.
    pub fn contains(&self, waiting: &mut Waiting, bytes: &[u8]) -> bool {
        let Some(finder) = &self.finder else { return true };
        waiting.tail.extend_from_slice(bytes);
        let found = finder.find(&waiting.tail).is_some();
        // What may be the start of the text, in no more memory than that.
        let over = waiting.tail.len().saturating_sub(finder.needle().len() - 1);
        waiting.tail = waiting.tail.split_off(over);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_found_however_it_is_cut() {
        let stream = b":irc 001 n7 :aa aab aabaab welcome";
        for text in ["aabaab", " 001 ", "e", ":irc", "welcome", "aab "] {
            let welcome = Welcome::new(Some(text));
            let end = text.len() + memchr::memmem::find(stream, text.as_bytes()).unwrap();
            for size in 1..stream.len() {
                let mut waiting = welcome.waiting().unwrap();
                let mut seen = 0;
                let found = stream.chunks(size).find(|chunk| {
                    seen += chunk.len();
                    welcome.contains(&mut waiting, chunk)
                });
                assert!(found.is_some(), "{text:?} in pieces of {size}");
                assert!(seen >= end && seen < end + size, "{text:?} in pieces of {size}: {seen}");
            }
        }
    }

    #[test]
    fn what_does_not_come_is_not_found_and_costs_little() {
        let welcome = Welcome::new(Some("welcome"));
        let mut waiting = welcome.waiting().unwrap();
        for piece in ["wel", "welc", "", "om", "welcom", "x"].repeat(100) {
            assert!(!welcome.contains(&mut waiting, piece.as_bytes()));
            assert!(waiting.tail.len() < "welcome".len());
        }
    }

    #[test]
    fn without_a_text_everyone_is_in() {
        assert!(Welcome::new(None).waiting().is_none());
        assert!(Welcome::new(Some("")).waiting().is_none());
    }
}
