//! A hub and a journal, moved as the server moves them, for the tests of the journal.

use chatloop::chat::query::Room;
use chatloop::chat::{
    Change, Entry, Hub, Kind, Lookup, Metadata, Moment, Name, Point, Query, Range, RecordId,
    Reference, Scope, SessionId, StoredMessage,
};
use chatloop::journal::{
    Answer, Committed, HistoryQuery, Journal, Limits, QueryId, Rejected, Runtime, Threads,
    TimeSource, Wake,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// How long to wait for what is sure to come.
const TIMEOUT: Duration = Duration::from_secs(20);
pub const ALICE: SessionId = SessionId(1);
pub const BOB: SessionId = SessionId(2);

/// The time of this machine.
struct SystemTimes;

impl TimeSource for SystemTimes {
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// Threads, and the time of this machine.
pub fn runtime(wake: Wake) -> Runtime {
    Runtime { wake, time: Arc::new(SystemTimes), threads: Threads::System }
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
        Chat::opened(directory, limits, &runtime(wake), woken)
    }

    /// Without threads.
    pub fn inline(directory: &Path, limits: &Limits) -> Chat {
        let (_, woken) = mpsc::channel();
        let wake: Wake = Arc::new(|| panic!("there is no other thread to wake"));
        let runtime = Runtime { threads: Threads::Inline, ..runtime(wake) };
        Chat::opened(directory, limits, &runtime, woken)
    }

    fn opened(directory: &Path, limits: &Limits, runtime: &Runtime, woken: Receiver<()>) -> Chat {
        let (journal, hub) = Journal::open(directory, limits, runtime).unwrap();
        let clock = 1_000 + hub.last().map_or(0, |last| last.0 as i64);
        Chat { journal, hub, woken, clock }
    }

    pub fn peopled(mut self) -> Chat {
        for (session, nick) in [(ALICE, "alice"), (BOB, "bob")] {
            let entry = Entry {
                label: "127.0.0.1:1".into(),
                nick: Some(Name::new(nick)),
                lobby: true,
                ..Entry::default()
            };
            self.happens(session, Change::Enter(entry.into()));
        }
        self
    }

    /// One turn with one change, a millisecond after the last; its record, if it is committed.
    pub fn tries(&mut self, who: SessionId, change: Change) -> Option<RecordId> {
        self.clock += 1;
        let id = self.journal.propose(Moment(self.clock), who, change);
        self.journal.end_turn();
        let (mut committed, mut rejected): (Vec<Committed>, Vec<Rejected>) = Default::default();
        loop {
            self.journal.take_committed(&mut committed);
            self.journal.take_rejected(&mut rejected);
            if !committed.is_empty() || !rejected.is_empty() {
                break;
            }
            self.woken.recv_timeout(TIMEOUT).unwrap();
        }
        let back = committed.iter().map(|it| it.proposal);
        let back: Vec<_> = back.chain(rejected.iter().map(|it| Some(it.proposal.id))).collect();
        assert_eq!(back, [Some(id)]);
        let mut effects = Vec::new();
        let id = committed.first().map(|it| it.record.id);
        for Committed { record, .. } in committed {
            self.hub.apply(record, &mut effects);
            for effect in effects.drain(..) {
                for entry in effect.entries() {
                    self.journal.archive(entry);
                }
            }
        }
        id
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
        self.happens(ALICE, Change::Join { room: room.clone(), registers: false, modes: None });
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

    pub fn answer(&mut self, query: HistoryQuery) -> Answer {
        let id = QueryId(77);
        self.journal.query(id, Name::new("alice"), query);
        loop {
            if let Some((answered, answer)) = self.journal.next_answer() {
                assert_eq!(answered, id);
                return answer;
            }
            if self.journal.has_news() {
                self.journal.end_turn();
                continue;
            }
            self.woken.recv_timeout(TIMEOUT).unwrap();
        }
    }

    pub fn find(&mut self, message: Point) -> Option<Reference> {
        let query = HistoryQuery::Find(Lookup { room: lobby(), message });
        match self.answer(query) {
            Answer::Found(found, _) => found,
            other => panic!("{other:?}"),
        }
    }

    pub fn past(&mut self, scope: Scope, range: Range, limit: u32) -> Vec<StoredMessage> {
        let query = Query { scope, range, limit: Some(limit), events: false };
        match self.answer(HistoryQuery::Past(query)) {
            Answer::Past(entries, happened) => {
                assert_eq!(happened, [], "not asked");
                entries
            }
            other => panic!("{other:?}"),
        }
    }

    /// Messages and events, in order: texts, and for the rest who did what.
    pub fn playback(&mut self, range: Range, limit: u32) -> Vec<String> {
        let scope = Scope::Room(lobby());
        let query = Query { scope, range, limit: Some(limit), events: true };
        let Answer::Past(entries, happened) = self.answer(HistoryQuery::Past(query)) else {
            panic!()
        };
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
        continuations: None,
    }
}

pub fn lobby() -> Room {
    Room { name: Name::lobby(), since: RecordId(0) }
}

pub fn texts(entries: &[StoredMessage]) -> Vec<String> {
    entries.iter().map(|entry| entry.text.to_string()).collect()
}
