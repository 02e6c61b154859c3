//! Viewers of the loop: pages at `/loop`, who has let each in, and how far it has read.
//!
//! A viewer is sent rows ([`Row`]) in one message, and says when it has shown them; only then is it sent
//! the next ones. So a slow viewer delays no one and keeps nothing in memory: the ring goes on, and the
//! viewer is told how much it has missed; the state of all connections makes up for that.

use crate::session::http;
use crate::trace::{Position, Row, RowKind, Trace};
use chatloop_reactor::{ChunkWriter, Segment, Token};

/// Events in one message. More are lost, as a viewer shows no more.
const MOST_EVENTS: usize = 8_192;

/// Bytes of a key, which is written as hexadecimal digits.
pub(super) const KEY: usize = 16;

struct Viewer {
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

/// All viewers, and the links that were not used yet.
#[derive(Default)]
pub(super) struct LoopViewers {
    open: Vec<Viewer>,
    /// By the operator's connection, one each.
    links: Vec<(Token, String)>,
    chunks: ChunkWriter,
}

impl LoopViewers {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn tokens(&self) -> impl Iterator<Item = Token> {
        self.open.iter().map(|viewer| viewer.token)
    }

    pub(super) fn has(&self, token: Token) -> bool {
        self.open.iter().any(|viewer| viewer.token == token)
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
        self.open.push(Viewer {
            token,
            owner,
            position,
            wants_more: true,
            is_new: true,
            is_held: None,
        });
    }

    /// A connection is gone: whether it was a viewer.
    pub(super) fn forget(&mut self, token: Token) -> bool {
        self.links.retain(|(owner, _)| *owner != token);
        let before = self.open.len();
        self.open.retain(|viewer| viewer.token != token);
        self.open.len() < before
    }

    /// Those whose operator no longer is one.
    pub(super) fn orphans(&self, is_operator: impl Fn(Token) -> bool) -> Vec<Token> {
        let lost = |viewer: &&Viewer| viewer.owner.is_some_and(|owner| !is_operator(owner));
        self.open.iter().filter(lost).map(|viewer| viewer.token).collect()
    }

    /// A viewer has shown what it was sent.
    pub(super) fn next(&mut self, token: Token) {
        for viewer in self.open.iter_mut().filter(|viewer| viewer.token == token) {
            viewer.wants_more = true;
        }
    }

    /// The next viewer that wants more and can be sent something, with its message. `hello` is the row
    /// that each begins with, `state` adds rows for all connections and `timers` those of the
    /// timers.
    pub(super) fn next_message(
        &mut self,
        trace: &Trace,
        hello: Row,
        is_held: bool,
        state: impl FnOnce(&mut Vec<u8>),
        timers: impl FnOnce(&mut Vec<u8>),
    ) -> Option<(Token, Segment)> {
        let viewer = self.open.iter_mut().find(|viewer| {
            let news = viewer.is_new || viewer.is_held != Some(is_held);
            viewer.wants_more && (news || trace.has_news(&viewer.position))
        })?;
        viewer.wants_more = false;
        let news = trace.read(&mut viewer.position, MOST_EVENTS);
        let mut rows = Vec::new();
        if viewer.is_new {
            hello.write(&mut rows);
        }
        if news.lost > 0 {
            Row { kind: RowKind::Lost, x: news.lost, ..Row::default() }.write(&mut rows);
        }
        if std::mem::take(&mut viewer.is_new) || news.lost > 0 || news.lost_notes {
            Row { kind: RowKind::Snapshot, ..Row::default() }.write(&mut rows);
            state(&mut rows);
        }
        let mut notes = news.notes.iter().peekable();
        for (number, event) in (news.first..).zip(&news.events) {
            while let Some(note) = notes.next_if(|note| note.before <= number) {
                let kind = if note.is_name { RowKind::Name } else { RowKind::Text };
                let row = Row { kind, client: note.client, ..Row::default() };
                row.write_text(&note.text, &mut rows);
            }
            event.row().write(&mut rows);
        }
        timers(&mut rows);
        if viewer.is_held.replace(is_held) != Some(is_held) || is_held {
            Row { kind: RowKind::Held, a: u8::from(is_held), ..Row::default() }.write(&mut rows);
        }
        let mut message = Vec::new();
        http::viewer_frame(&rows, &mut message);
        Some((viewer.token, self.chunks.append(&message)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Phase;

    #[test]
    fn a_link_lets_one_viewer_in_and_ends_with_its_operator() {
        let (mut viewers, alice) = (LoopViewers::default(), Token::fixed(1));
        let old = viewers.add_link(alice, [1; KEY]);
        let key = viewers.add_link(alice, [2; KEY]);
        assert_eq!(viewers.use_link(&old), None, "a new link takes its place");
        assert_eq!(viewers.use_link(&key), Some(alice));
        assert_eq!(viewers.use_link(&key), None, "once");
        let key = viewers.add_link(alice, [3; KEY]);
        viewers.forget(alice);
        assert_eq!(viewers.use_link(&key), None);
    }

    #[test]
    fn the_page_has_the_same_names_for_rows_and_phases() {
        let page = include_str!("../session/web/loop-model.js");
        for kind in RowKind::ALL {
            let row = format!("{}: '{}'", kind as u8, format!("{kind:?}").to_lowercase());
            assert!(page.contains(&row), "{row}");
        }
        let phases: Vec<String> =
            Phase::ALL.iter().map(|phase| format!("  ['{}', ", phase.name())).collect();
        let known: Vec<&str> = page.lines().filter(|line| line.starts_with("  ['")).collect();
        assert_eq!(known.len(), phases.len());
        for (known, phase) in known.iter().zip(&phases) {
            assert!(known.starts_with(phase), "{phase}");
        }
    }
}
