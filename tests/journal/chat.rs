//! A hub and a journal, moved as the server moves them, for the tests of the journal.

use chatloop::chat::query::Room;
use chatloop::chat::{
    Change, Entry, Hub, Kind, Lookup, Metadata, Moment, Name, Point, Query, Range, Record,
    RecordId, Reference, Scope, SessionId, StoredMessage,
};
use chatloop::journal::{Answer, Journal, Limits, Question, Wake};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// How long to wait for what is sure to come.
const PATIENCE: Duration = Duration::from_secs(20);
pub const ALICE: SessionId = SessionId(1);
pub const BOB: SessionId = SessionId(2);

/// A directory of its own, gone with the test.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("chatloop-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct Chat {
    pub journal: Journal,
    pub hub: Hub,
    pub woken: Receiver<()>,
    pub clock: i64,
}

impl Chat {
    pub fn memory(limits: &Limits) -> Chat {
        let (_, woken) = mpsc::channel();
        Chat { journal: Journal::memory(limits), hub: Hub::new(), woken, clock: 1_000 }.peopled()
    }

    pub fn disk(directory: &Path, limits: &Limits) -> Chat {
        Chat::reopened(directory, limits).peopled()
    }

    pub fn reopened(directory: &Path, limits: &Limits) -> Chat {
        let (tell, woken) = mpsc::channel();
        let wake: Wake = Arc::new(move || {
            let _ = tell.send(());
        });
        let (journal, restored) = Journal::open(directory, limits, wake).unwrap();
        let clock = 1_000 + restored.hub.last().map_or(0, |last| last.0 as i64);
        Chat { journal, hub: restored.hub, woken, clock }
    }

    pub fn peopled(mut self) -> Chat {
        for (session, nick) in [(ALICE, "alice"), (BOB, "bob")] {
            let entry = Entry {
                label: "127.0.0.1:1".into(),
                nick: Some(Name::new(nick)),
                lobby: true,
                ..Entry::default()
            };
            self.happens(session, Change::Enter(entry));
        }
        self
    }

    /// One turn with one change, a millisecond after the last. Tells whether it was kept.
    pub fn tries(&mut self, who: SessionId, change: Change) -> Option<RecordId> {
        self.clock += 1;
        let id = self.journal.append(Moment(self.clock), who, change);
        self.journal.end_turn();
        let (mut kept, mut refused): (Vec<Record>, Vec<Record>) = (Vec::new(), Vec::new());
        loop {
            self.journal.take_kept(&mut kept);
            self.journal.take_refused(&mut refused);
            if !kept.is_empty() || !refused.is_empty() {
                break;
            }
            self.woken.recv_timeout(PATIENCE).unwrap();
        }
        let back: Vec<RecordId> = kept.iter().chain(&refused).map(|record| record.id).collect();
        assert_eq!(back, [id]);
        let mut effects = Vec::new();
        for record in kept {
            self.hub.apply(record, &mut effects);
            for effect in effects.drain(..) {
                for entry in effect.entries() {
                    self.journal.archive(entry);
                }
            }
        }
        refused.is_empty().then_some(id)
    }

    pub fn happens(&mut self, who: SessionId, change: Change) -> RecordId {
        self.tries(who, change).unwrap()
    }

    pub fn says(&mut self, who: SessionId, text: &str) -> RecordId {
        self.happens(who, say(text, None))
    }

    pub fn answers(&mut self, who: SessionId, number: u64, text: &str) -> RecordId {
        let reply_to = self.find(Point::Number(number));
        assert!(reply_to.is_some());
        self.happens(who, say(text, reply_to))
    }

    /// Sets metadata of Alice and of a room of hers, and a read marker.
    pub fn speaks_for_programs(&mut self) {
        let room = Name::new("#hers");
        self.happens(ALICE, Change::Join { room: room.clone() });
        for (target, value) in [(Name::new("alice"), "http://alice"), (room.clone(), "http://room")]
        {
            let (key, value) = (Some("url".into()), Some(value.into()));
            self.happens(ALICE, Change::Metadata { target, key, value });
        }
        let time = Moment(self.clock);
        self.happens(ALICE, Change::ReadMarker { target: room.clone(), time });
        let alice = self.hub.user(ALICE).unwrap();
        let url = |metadata: &Metadata| metadata.get("url").cloned();
        assert_eq!(url(self.hub.metadata_of(alice)).as_deref(), Some("http://alice"));
        assert_eq!(self.hub.read_markers(alice), [(room, time)]);
        let room = self.hub.room("#hers").unwrap();
        assert_eq!(url(room.metadata()).as_deref(), Some("http://room"));
    }

    pub fn answer(&mut self, question: Question) -> Answer {
        self.journal.ask(77, question);
        loop {
            if let Some((ticket, answer)) = self.journal.next_answer() {
                assert_eq!(ticket, 77);
                return answer;
            }
            self.woken.recv_timeout(PATIENCE).unwrap();
        }
    }

    pub fn find(&mut self, message: Point) -> Option<Reference> {
        let question = Question::Find(Lookup { room: lobby(), message });
        match self.answer(question) {
            Answer::Found(found) => found,
            other => panic!("{other:?}"),
        }
    }

    pub fn past(&mut self, scope: Scope, range: Range, limit: u32) -> Vec<StoredMessage> {
        let query = Query { scope, range, limit: Some(limit), events: false };
        match self.answer(Question::Past(query)) {
            Answer::Past(entries, happened) => {
                assert_eq!(happened, [], "not asked");
                entries
            }
            other => panic!("{other:?}"),
        }
    }

    /// What was said and what happened, in order: texts, and for the rest who did what.
    pub fn playback(&mut self, range: Range, limit: u32) -> Vec<String> {
        let scope = Scope::Room(lobby());
        let query = Query { scope, range, limit: Some(limit), events: true };
        let Answer::Past(entries, happened) = self.answer(Question::Past(query)) else { panic!() };
        let said = entries.iter().map(|it| ((it.id, 0), it.text.to_string()));
        let done = happened.iter().map(|it| {
            let what = serde_json::to_string(&it.what).unwrap();
            let word = what.split('"').nth(1).unwrap().to_owned();
            ((it.stamp.id, it.stamp.part), format!("{} {word}", it.who.nick))
        });
        let (said, done): (Vec<_>, Vec<_>) = (said.collect(), done.collect());
        assert!(said.is_sorted() && done.is_sorted());
        let mut all = [said, done].concat();
        all.sort();
        all.into_iter().map(|(_, text)| text).collect()
    }

    pub fn lobby(&mut self, range: Range, limit: u32) -> Vec<String> {
        texts(&self.past(Scope::Room(lobby()), range, limit))
    }

    pub fn search(&mut self, words: &str, from: Option<&str>) -> Vec<String> {
        let from = from.map(Name::new);
        let scope = Scope::Search { rooms: vec![lobby()], words: words.into(), from };
        texts(&self.past(scope, Range::Latest, 50))
    }
}

pub fn say(text: &str, reply_to: Option<Reference>) -> Change {
    Change::Say {
        room: Name::lobby(),
        kind: Kind::Message,
        text: text.into(),
        reply_to,
        tags: None,
        status: None,
        joints: None,
    }
}

pub fn lobby() -> Room {
    Room { name: Name::lobby(), since: RecordId(0) }
}

pub fn texts(entries: &[StoredMessage]) -> Vec<String> {
    entries.iter().map(|entry| entry.text.to_string()).collect()
}
