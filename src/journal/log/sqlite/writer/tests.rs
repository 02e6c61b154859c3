//! A writer that cannot write: real locks, real limits, a clock set by hand.

use super::*;
use crate::chat::{Entry, Hub, Kind, Moment, Name, QuitReason, RecordId, Reference, SessionId};
use crate::journal::log::proposal::ProposalId;
use crate::scratch::Scratch;
use rusqlite::Connection;
use std::sync::Mutex;

struct SetTime(Mutex<Instant>);

impl TimeSource for SetTime {
    fn instant(&self) -> Instant {
        *self.0.lock().unwrap()
    }
}

struct Bench {
    time: Arc<SetTime>,
    writer: Option<Writer>,
    scratch: Scratch,
    proposals: u64,
    clock: i64,
}

const ALICE: SessionId = SessionId(1);
const BOB: SessionId = SessionId(2);
const SECOND: Duration = Duration::from_secs(1);

impl Bench {
    fn new(name: &str, limits: &Limits) -> Bench {
        let scratch = Scratch::new(name);
        let time = Arc::new(SetTime(Mutex::new(Instant::now())));
        let opened = Store::open(&scratch.0, limits).unwrap();
        // The time that a lock is waited for is the system's.
        opened.0.database.connection.busy_timeout(Duration::ZERO).unwrap();
        let writer = Some(Writer::new(opened, limits, time.clone()));
        let mut bench = Bench { time, writer, scratch, proposals: 0, clock: 1_000_000 };
        for who in [ALICE, BOB] {
            assert_eq!(committed(&bench.does(who, enter())), [bench.proposals]);
        }
        bench
    }

    fn writer(&mut self) -> &mut Writer {
        self.writer.as_mut().unwrap()
    }

    fn proposal(&mut self, origin: SessionId, change: Change) -> Proposal {
        self.proposals += 1;
        self.clock += 1;
        Proposal { id: ProposalId(self.proposals), time: Moment(self.clock), origin, change }
    }

    fn does(&mut self, origin: SessionId, change: Change) -> Batch {
        let proposal = self.proposal(origin, change);
        self.writer().write(vec![proposal])
    }

    /// Lets time pass, as the thread does: it looks again when something is due.
    fn passes(&mut self, time: Duration) -> Batch {
        let end = self.time.instant() + time;
        let mut all = Batch { committed: vec![], rejected: vec![], health: Health::Good };
        loop {
            let due = self.time.instant() + self.writer().due_in().max(Duration::from_millis(1));
            *self.time.0.lock().unwrap() = due.min(end);
            if let Some(batch) = self.writer().maintain() {
                all.committed.extend(batch.committed);
                all.rejected.extend(batch.rejected);
                all.health = batch.health;
            }
            if self.time.instant() >= end {
                return all;
            }
        }
    }

    /// Ends as after `kill -9`: the hub in memory, and the one that a restart finds. The texts are
    /// left out, which a writer has no use for.
    fn hubs(&mut self) -> (Hub, Hub) {
        let Writer { mut store, .. } = self.writer.take().unwrap();
        let memory = store.hub.without_texts(Hub::clone);
        drop(store);
        let (mut store, ..) = Store::open(&self.scratch.0, &Limits::default()).unwrap();
        (memory, store.hub.without_texts(Hub::clone))
    }

    fn texts(&self) -> Vec<String> {
        let database = Connection::open(self.scratch.file("chatloop.db")).unwrap();
        let mut texts = database.prepare("SELECT text FROM message ORDER BY id").unwrap();
        let texts = texts.query_map([], |row| row.get(0)).unwrap();
        texts.collect::<Result<_>>().unwrap()
    }

    /// Another process that holds the lock until it is dropped.
    fn lock(&self) -> Connection {
        let other = Connection::open(self.scratch.file("chatloop.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    }

    /// Gives the file only so many pages more than it has.
    fn space(&mut self, more: i64) {
        let connection = &self.writer().store.database.connection;
        let pages: i64 =
            connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        let most = pages + more;
        connection.pragma_update_and_check(None, "max_page_count", most, |_| Ok(())).unwrap();
    }
}

fn enter() -> Change {
    Change::Enter(Entry { label: "127.0.0.1:1".into(), lobby: true, ..Entry::default() }.into())
}

fn say(text: &str) -> Change {
    Change::Say {
        room: Name::lobby(),
        kind: Kind::Message,
        text: text.into(),
        reply_to: None,
        tags: None,
        status: None,
        continuations: None,
    }
}

fn leave() -> Change {
    Change::Leave { departure: QuitReason::Quit }
}

fn committed(batch: &Batch) -> Vec<u64> {
    batch.committed.iter().map(|it| it.proposal.unwrap().0).collect()
}

fn rejected(batch: &Batch) -> Vec<u64> {
    batch.rejected.iter().map(|it| it.proposal.id.0).collect()
}

fn reason(health: &Health) -> &str {
    let Health::Failing { reason, .. } = health else { return "" };
    reason
}

#[test]
fn while_another_process_holds_the_lock_messages_wait_and_presence_does_not() {
    let mut bench = Bench::new("locked", &Limits::default());
    let lock = bench.lock();
    let waits = bench.does(ALICE, say("during the lock"));
    assert!((committed(&waits), rejected(&waits)) == (vec![], vec![]));
    assert!(reason(&waits.health).contains("locked"), "{}", reason(&waits.health));
    let carol = SessionId(3);
    assert_eq!(committed(&bench.does(carol, enter())), [4], "a new connection");
    assert_eq!(committed(&bench.does(BOB, leave())), [5]);
    assert!(committed(&bench.does(ALICE, leave())).is_empty(), "not before what she has said");
    let still = bench.passes(10 * SECOND);
    assert!((committed(&still), rejected(&still)) == (vec![], vec![]));
    drop(lock);
    let over = bench.passes(2 * SECOND + limits::SETTLED);
    assert_eq!((committed(&over), over.health), (vec![3, 6], Health::Good));
    assert_eq!(committed(&bench.does(carol, say("after it"))), [7]);
    assert_eq!(bench.texts(), ["during the lock", "after it"]);
    let (memory, file) = bench.hubs();
    assert!(memory == file && file.sessions().count() == 1);
}

#[test]
fn messages_wait_for_a_lock_for_thirty_seconds_and_within_a_bound() {
    let mut bench = Bench::new("long-lock", &Limits::default());
    let lock = bench.lock();
    bench.does(ALICE, say("waits"));
    let long = "x".repeat(limits::WAITING_BYTES);
    assert_eq!(rejected(&bench.does(BOB, say(&long))), [4], "no room for it to wait");
    let before = bench.passes(limits::LOCK_PATIENCE - SECOND);
    assert!(rejected(&before).is_empty());
    assert_eq!(rejected(&bench.passes(SECOND)), [3]);
    assert_eq!(rejected(&bench.does(ALICE, say("at once"))), [5]);
    drop(lock);
    assert_eq!(bench.passes(2 * SECOND + limits::SETTLED).health, Health::Good);
    assert_eq!(committed(&bench.does(ALICE, say("again"))), [6]);
    assert_eq!(bench.texts(), ["again"]);
    let (memory, file) = bench.hubs();
    assert!(memory == file);
}

#[test]
fn what_one_message_has_is_not_left_for_the_next() {
    let mut bench = Bench::new("rare", &Limits::default());
    let mut tagged = say("first");
    let Change::Say { tags, reply_to, .. } = &mut tagged else { panic!() };
    let (id, from) = (RecordId(1), Name::new("guest1"));
    *tags = Some("+x".into());
    *reply_to = Some(Reference { id, number: 1, root: id, from, account: None });
    let changes = [say("before"), tagged, say("after")];
    let all = changes.map(|change| bench.proposal(ALICE, change));
    assert_eq!(committed(&bench.writer().write(all.into())).len(), 3);
    let connection = &bench.writer().store.database.connection;
    let sql = "SELECT count(tags), count(reply_from), max(text) FROM message
               WHERE tags IS NOT NULL OR reply IS NOT NULL OR reply_from IS NOT NULL";
    let row = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let rare: (u32, u32, String) = row.unwrap();
    assert_eq!(rare, (1, 1, "first".to_owned()));
}

#[test]
fn a_full_disk_rejects_messages_and_is_over_as_soon_as_there_is_space() {
    let mut bench = Bench::new("no-space", &Limits::default());
    bench.does(ALICE, say("before"));
    bench.space(0);
    let long = "y".repeat(100_000);
    // The second is applied to the hub before the transaction fails.
    let both = vec![bench.proposal(ALICE, say("short")), bench.proposal(BOB, say(&long))];
    let full = bench.writer().write(both);
    assert_eq!((rejected(&full), committed(&full)), (vec![4, 5], vec![]));
    assert_eq!(reason(&full.health), "the disk is full");
    let carol = SessionId(3);
    assert_eq!(committed(&bench.does(carol, enter())), [6]);
    bench.space(10_000);
    let again = bench.passes(2 * SECOND + limits::SETTLED);
    assert_eq!((rejected(&again), again.health), (vec![], Health::Good));
    assert_eq!(committed(&bench.does(carol, say(&long))), [7]);
    assert_eq!(bench.texts(), ["before", long.as_str()]);
    let (memory, file) = bench.hubs();
    assert_eq!(memory, file);
    assert_eq!(file.sessions().count(), 3);
}

#[test]
fn pauses_grow_to_two_seconds_also_when_one_write_succeeds_in_between() {
    let now = Instant::now();
    let mut retry = Retry::new(now);
    let mut at = now;
    let mut pauses = Vec::new();
    for _ in 0..8 {
        retry.failed(at, None);
        pauses.push((retry.at() - at).as_millis());
        at = retry.at() + SECOND;
    }
    assert_eq!(pauses[..3], [200, 400, 800]);
    assert_eq!(pauses[5..], [2_000, 2_000, 2_000]);
    retry.failed(at + limits::CALM, None);
    assert_eq!(retry.at(), at + limits::CALM + limits::FIRST_PAUSE);
}

#[test]
fn a_disk_on_the_verge_of_being_full_is_reported_once() {
    let mut bench = Bench::new("verge", &Limits::default());
    bench.space(0);
    let long = "y".repeat(100_000);
    let mut good = 0;
    for _ in 0..20 {
        bench.space(10);
        let health = bench.passes(SECOND).health;
        good += usize::from(health == Health::Good && bench.writer().settling.is_none());
        bench.space(0);
        assert_eq!(rejected(&bench.does(ALICE, say(&long))).len(), 1);
    }
    assert_eq!(good, 1, "before the first");
    bench.space(10_000);
    assert_eq!(bench.passes(2 * SECOND + limits::SETTLED).health, Health::Good);
}

#[test]
fn a_deleted_or_replaced_file_is_noticed_before_a_message_is_lost_in_it() {
    for name in ["chatloop.db", "chatloop.db-wal", "chatloop.lock"] {
        let mut bench = Bench::new(&format!("moved-{name}"), &Limits::default());
        let (file, elsewhere) = (bench.scratch.file(name), bench.scratch.file("elsewhere"));
        std::fs::rename(&file, &elsewhere).unwrap();
        let lost = bench.does(ALICE, say("into a deleted file"));
        assert_eq!(rejected(&lost), [3], "{name}");
        assert!(reason(&lost.health).contains("deleted or replaced"), "{name}");
        std::fs::write(&file, "another").unwrap();
        assert!(bench.passes(10 * SECOND).health != Health::Good, "{name}: replaced");
        std::fs::rename(&elsewhere, &file).unwrap();
        bench.passes(2 * SECOND);
        assert_eq!(committed(&bench.does(ALICE, say("safe"))), [4], "{name}: back again");
        assert_eq!(bench.texts(), ["safe"]);
    }
}

#[test]
fn a_file_that_is_deleted_while_nothing_happens_is_noticed_within_a_minute() {
    let mut bench = Bench::new("deleted-idle", &Limits::default());
    bench.passes(SECOND);
    std::fs::remove_file(bench.scratch.file("chatloop.db")).unwrap();
    let noticed = bench.passes(limits::RETENTION_EVERY);
    assert!(reason(&noticed.health).contains("deleted"), "{}", reason(&noticed.health));
}

#[test]
fn where_another_process_has_written_nothing_more_is() {
    let mut bench = Bench::new("foreign", &Limits::default());
    let other = Connection::open(bench.scratch.file("chatloop.db")).unwrap();
    let sql = "INSERT INTO record SELECT id + 1, time, origin, about, change FROM record
               ORDER BY id DESC LIMIT 1";
    other.execute(sql, []).unwrap();
    assert_eq!(rejected(&bench.does(ALICE, say("in its place"))), [3]);
    assert_eq!(committed(&bench.does(ALICE, leave())), [4], "presence goes on");
    let later = bench.passes(10 * SECOND);
    let Health::Failing { detail, .. } = bench.does(BOB, say("still")).health else { panic!() };
    assert!(detail.contains("another process") && detail.contains("restart"), "{detail}");
    assert!(later.committed.is_empty() && bench.texts().is_empty());
}

#[test]
fn a_limit_of_the_files_size_keeps_a_share_for_deletions_and_accounts() {
    let limits = Limits { file_size: Some(2 * 1024 * 1024), ..Limits::default() };
    let mut bench = Bench::new("max-data", &limits);
    let text = "z".repeat(3_000);
    let mut last = None;
    let full = loop {
        let batch = bench.does(ALICE, say(&text));
        match batch.committed.first() {
            Some(it) => last = Some(it.record.id),
            None => break batch,
        }
    };
    assert!(reason(&full.health).contains("--max-data"), "{}", reason(&full.health));
    assert_eq!(rejected(&bench.does(BOB, say("hm"))).len(), 1);
    let carol = SessionId(3);
    assert_eq!(committed(&bench.does(carol, enter())).len(), 1);
    let kept = bench.texts().len() as u64;
    // Deletions are saved, and make space.
    for back in 0..60 {
        let id = RecordId(last.unwrap().0 - back);
        let number = kept - back;
        let from = bench.writer().store.hub.user(ALICE).unwrap().identity.nick.clone();
        let message = Reference { id, number, root: id, from, account: None };
        let delete = Change::Delete { room: Name::lobby(), message, reason: None };
        assert_eq!(committed(&bench.does(ALICE, delete)).len(), 1);
    }
    assert_eq!(bench.texts().len() as u64, kept - 60);
    let again = bench.does(ALICE, say("again"));
    assert_eq!((committed(&again).len(), again.health), (1, Health::Good));
    let (memory, file) = bench.hubs();
    assert!(memory == file);
}

/// Numbers that look random, the same for each seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % sides
    }
}

#[test]
fn whatever_fails_when_memory_and_file_agree_and_each_message_is_kept_or_rejected_once() {
    let mut all = 0;
    for seed in 0..30 {
        let mut bench = Bench::new(&format!("random-{seed}"), &Limits::default());
        let mut dice = Dice(seed);
        let (mut said, mut back) = (Vec::new(), Vec::new());
        let mut lock = None;
        for _ in 0..80 {
            let who = SessionId(1 + dice.roll(5));
            let batch = match dice.roll(8) {
                0 => {
                    lock = lock.is_none().then(|| bench.lock());
                    continue;
                }
                1 => {
                    let space = [0, 2, 10_000][dice.roll(3) as usize];
                    bench.space(space);
                    continue;
                }
                2 => bench.does(who, enter()),
                3 => bench.does(who, leave()),
                4 => bench.passes(SECOND * dice.roll(20) as u32),
                _ => {
                    let text = format!("{} {}", said.len(), "w".repeat(dice.roll(9_000) as usize));
                    said.push((bench.proposals + 1, text.clone()));
                    bench.does(who, say(&text))
                }
            };
            back.push(batch);
        }
        lock = None;
        bench.space(10_000);
        back.push(bench.passes(limits::LOCK_PATIENCE));
        assert!(lock.is_none() && back.last().unwrap().health == Health::Good, "seed {seed}");
        let mut ids: Vec<u64> = back.iter().flat_map(committed).collect();
        let kept: Vec<u64> = ids.clone();
        ids.extend(back.iter().flat_map(rejected));
        ids.sort_unstable();
        assert_eq!(ids, (3..=bench.proposals).collect::<Vec<_>>(), "seed {seed}");
        let records = back.iter().flat_map(|batch| &batch.committed).map(|it| it.record.id);
        assert!(records.is_sorted_by(|one, other| one < other), "seed {seed}");
        // Of those that are kept, the hub rejects what is said by users who have left.
        let texts = bench.texts();
        let mut left = texts.iter().peekable();
        for id in kept {
            let text = said.iter().find(|(number, _)| *number == id).map(|(_, text)| text);
            left.next_if(|next| Some(*next) == text);
        }
        assert_eq!(left.next(), None, "seed {seed}: something else is in the file");
        all += texts.len();
        let (memory, file) = bench.hubs();
        assert_eq!(memory, file, "seed {seed}");
    }
    assert!(all > 100, "{all} messages");
}
