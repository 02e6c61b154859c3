//! The pages that the loop is shown to: who they are, who has let them in, and how far each has read.
//!
//! A page is sent rows ([`Row`]) in one message, and says when it has shown them; only then is it sent
//! the next ones. So a slow page delays no one and keeps nothing in memory: the ring goes on, and the
//! page is told how much it has missed. What it was not told of is made up for by the state of all
//! connections.

use crate::session::http;
use crate::trace::{Position, Row, Trace};
use chatloop_reactor::{ChunkWriter, Segment, Token};

/// Events in one message. More are lost, as a page shows no more.
const MOST_EVENTS: usize = 8_192;

/// Bytes of a key, which is written as hexadecimal digits.
pub(super) const KEY: usize = 16;

/// A page.
struct Page {
    token: Token,
    /// The operator whose link let it in; `None` on loopback.
    owner: Option<Token>,
    position: Position,
    /// It has shown what it was sent.
    wants_more: bool,
    /// It has yet to be sent the state of all connections.
    is_new: bool,
    /// Whether it was told last that the loop waits for a step.
    is_held: Option<bool>,
}

/// All pages, and the links that were not used yet.
#[derive(Default)]
pub(super) struct Pages {
    open: Vec<Page>,
    /// By the operator's connection, one each.
    links: Vec<(Token, String)>,
    chunks: ChunkWriter,
}

impl Pages {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn tokens(&self) -> impl Iterator<Item = Token> {
        self.open.iter().map(|page| page.token)
    }

    pub(super) fn has(&self, token: Token) -> bool {
        self.open.iter().any(|page| page.token == token)
    }

    /// A link of this operator, in place of an earlier one.
    pub(super) fn add_link(&mut self, owner: Token, key: [u8; KEY]) -> String {
        let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.links.retain(|(other, _)| *other != owner);
        self.links.push((owner, key.clone()));
        key
    }

    /// The operator who has made the link with this key, which opens nothing from here on.
    pub(super) fn use_link(&mut self, key: &str) -> Option<Token> {
        let place = self.links.iter().position(|(_, known)| known == key)?;
        Some(self.links.swap_remove(place).0)
    }

    pub(super) fn open(&mut self, token: Token, owner: Option<Token>, position: Position) {
        self.open.push(Page {
            token,
            owner,
            position,
            wants_more: true,
            is_new: true,
            is_held: None,
        });
    }

    /// A connection is gone: whether it was a page.
    pub(super) fn forget(&mut self, token: Token) -> bool {
        self.links.retain(|(owner, _)| *owner != token);
        let before = self.open.len();
        self.open.retain(|page| page.token != token);
        self.open.len() < before
    }

    /// Those whose operator is none any more.
    pub(super) fn orphans(&self, is_operator: impl Fn(Token) -> bool) -> Vec<Token> {
        let lost = |page: &&Page| page.owner.is_some_and(|owner| !is_operator(owner));
        self.open.iter().filter(lost).map(|page| page.token).collect()
    }

    /// A page has shown what it was sent.
    pub(super) fn next(&mut self, token: Token) {
        for page in self.open.iter_mut().filter(|page| page.token == token) {
            page.wants_more = true;
        }
    }

    /// The next page that wants more and can be sent something, with its message. `hello` is the row
    /// that each page begins with, `state` adds rows for all connections and `timers` those of the
    /// timers.
    pub(super) fn next_message(
        &mut self,
        trace: &Trace,
        hello: Row,
        is_held: bool,
        state: impl FnOnce(&mut Vec<u8>),
        timers: impl FnOnce(&mut Vec<u8>),
    ) -> Option<(Token, Segment)> {
        let page = self.open.iter_mut().find(|page| {
            let news = page.is_new || page.is_held != Some(is_held);
            page.wants_more && (news || trace.has_news(&page.position))
        })?;
        page.wants_more = false;
        let news = trace.read(&mut page.position, MOST_EVENTS);
        let mut rows = Vec::new();
        if page.is_new {
            hello.write(&mut rows);
        }
        if news.lost > 0 {
            Row { kind: 32, x: news.lost, ..Row::default() }.write(&mut rows);
        }
        if std::mem::take(&mut page.is_new) || news.lost > 0 || news.lost_notes {
            Row { kind: 40, ..Row::default() }.write(&mut rows);
            state(&mut rows);
        }
        let mut notes = news.notes.iter().peekable();
        for (number, event) in (news.first..).zip(&news.events) {
            while let Some(note) = notes.next_if(|note| note.before <= number) {
                let kind = if note.is_name { 34 } else { 35 };
                let row = Row { kind, client: note.client, ..Row::default() };
                row.write_text(&note.text, &mut rows);
            }
            event.row().write(&mut rows);
        }
        timers(&mut rows);
        if page.is_held.replace(is_held) != Some(is_held) || is_held {
            Row { kind: 43, a: u8::from(is_held), ..Row::default() }.write(&mut rows);
        }
        let mut message = Vec::new();
        http::page_frame(&rows, &mut message);
        Some((page.token, self.chunks.append(&message)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_one_page_and_ends_with_its_operator() {
        let (mut pages, alice) = (Pages::default(), Token::fixed(1));
        let old = pages.add_link(alice, [1; KEY]);
        let key = pages.add_link(alice, [2; KEY]);
        assert_eq!(pages.use_link(&old), None, "a new link takes its place");
        assert_eq!(pages.use_link(&key), Some(alice));
        assert_eq!(pages.use_link(&key), None, "once");
        let key = pages.add_link(alice, [3; KEY]);
        pages.forget(alice);
        assert_eq!(pages.use_link(&key), None);
    }
}
