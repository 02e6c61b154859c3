//! A data directory written by the server of commit 2e7e1f4, opened by today's code: the same state
//! and the same answers.
//!
//! `fixtures/2e7e1f4.db` holds a snapshot at record 50 and the records 51 to 102 behind it (the server
//! was killed): accounts, rooms with modes, topics and bans, messages with tags, replies, reactions,
//! edits and deletions, private messages, mail, metadata, read markers, history events, server bans.
//! `fixtures/2e7e1f4.jsonl` is what that server exported of it, `fixtures/2e7e1f4.answers.jsonl` what it
//! answered to the queries below.

use crate::chat::Chat;
use crate::scratch::Scratch;
use chatloop::chat::query::Room;
use chatloop::chat::{Hub, Lookup, Moment, Name, Point, Query, Range, RecordId, Scope};
use chatloop::journal::{Answer, HistoryQuery, Limits, export, import};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const EXPORTED: &str = include_str!("fixtures/2e7e1f4.jsonl");
const ANSWERS: &str = include_str!("fixtures/2e7e1f4.answers.jsonl");

fn copy(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    let fixture =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/journal/fixtures/2e7e1f4.db");
    std::fs::copy(fixture, scratch.0.join("chatloop.db")).unwrap();
    scratch
}

fn exported(directory: &Path) -> Vec<Value> {
    let mut out = Vec::new();
    export(directory, None, &mut out).unwrap();
    values(std::str::from_utf8(&out).unwrap())
}

fn values(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn scopes() -> Vec<Scope> {
    let room = |name: &str, since| Room { name: Name::new(name), since: RecordId(since) };
    let (den, ferrous, new) = (room("#den", 6), room("#Ferrous", 37), room("#new", 74));
    let all = vec![room("#lobby", 0), den.clone(), ferrous.clone(), new.clone(), room("#temp", 99)];
    let private = |account: &str, peer: &str| Scope::Private {
        account: Name::new(account),
        peer: Name::new(peer),
    };
    let search = |words: &str, rooms: &[Room], from: Option<&str>| Scope::Search {
        rooms: rooms.to_vec(),
        words: words.into(),
        from: from.map(Name::new),
    };
    vec![
        Scope::Room(den.clone()),
        Scope::Room(ferrous.clone()),
        Scope::Room(new.clone()),
        Scope::Room(room("#temp", 99)),
        Scope::Room(room("#lobby", 0)),
        // Before its last renaming it was another room's name; before it was created, none.
        Scope::Room(room("#rust", 0)),
        Scope::Room(room("#ferrous", 45)),
        Scope::Thread { room: den.clone(), root: RecordId(24) },
        Scope::Thread { room: ferrous.clone(), root: RecordId(44) },
        private("alice", "dave"),
        private("bob", "carol"),
        private("Carol", "bob"),
        private("carol", "gus"),
        private("dora", "dora"),
        Scope::Mail { account: Name::new("carol"), since: RecordId(97) },
        search("answer", &all, None),
        search("line", &all, Some("carol")),
        search("größe", &all, None),
        search("swordfish", &all, None),
        search("edited answer", &all[1..2], Some("ALICE")),
    ]
}

fn ranges() -> Vec<Range> {
    let time = |time| Point::Time(Moment(time));
    vec![
        Range::Latest,
        Range::Before(Point::Number(4)),
        Range::After(Point::Id(RecordId(27))),
        Range::Around(Point::Number(3)),
        Range::Between(Point::Id(RecordId(21)), Point::Id(RecordId(90))),
        Range::Between(Point::Id(RecordId(90)), Point::Part(RecordId(21), 0)),
        Range::Before(time(1_795_983_555_477)),
        Range::After(time(1_795_983_548_300)),
    ]
}

/// Every query with its answer, one a line: the newest of a scope in full, of other ranges what is
/// found there.
fn asked(chat: &mut Chat) -> Vec<Value> {
    let mut lines = Vec::new();
    for (at, scope) in scopes().iter().enumerate() {
        for (range, events, limit) in ranges().into_iter().flat_map(|range| {
            [(range, true, None), (range, false, Some(4)), (range, true, Some(7))]
        }) {
            let query = Query { scope: scope.clone(), range, limit, events };
            let Answer::Past(messages, events) = chat.answer(HistoryQuery::Past(query)) else {
                panic!()
            };
            lines.push(match (range, limit) {
                (Range::Latest, None) => json!([at, messages, events]),
                _ => {
                    let messages: Vec<_> = messages.iter().map(|it| it.id).collect();
                    let parts: Vec<_> =
                        events.iter().map(|it| (it.stamp.id, it.stamp.part)).collect();
                    json!([at, messages, parts])
                }
            });
        }
    }
    for name in ["#den", "#ferrous", "#new"] {
        let room = Room { name: Name::new(name), since: RecordId(6) };
        for message in (0..9).map(Point::Number).chain((20..103).map(RecordId).map(Point::Id)) {
            let lookup = Lookup { room: room.clone(), message };
            let Answer::Found(found, _) = chat.answer(HistoryQuery::Find(lookup)) else { panic!() };
            if let Some(found) = found {
                lines.push(json!([name, found]));
            }
        }
    }
    lines
}

#[test]
fn a_directory_of_an_earlier_server_answers_as_it_did() {
    let scratch = copy("fixture-answers");
    let mut chat = Chat::reopened(&scratch.0, &Limits::default());
    let (answers, expected) = (asked(&mut chat), values(ANSWERS));
    assert_eq!(answers.len(), expected.len());
    for (number, (answer, expected)) in answers.iter().zip(&expected).enumerate() {
        assert!(answer == expected, "line {}: {answer}\nnot {expected}", number + 1);
    }
}

/// Takes out of a state's accounts what the earlier server did not know of them, and today's learns
/// from the records behind the snapshot: each one once.
fn learnt(state: &mut Value, what: &str) -> Vec<String> {
    let accounts = state["accounts"].as_array_mut().unwrap().iter_mut();
    let learnt = accounts.filter_map(|account| account[1].as_object_mut()?.remove(what));
    let mut learnt: Vec<String> = learnt.map(|value| value.to_string()).collect();
    learnt.dedup();
    learnt
}

/// Takes out what today's server learns from records and the earlier one had no need of: when a
/// member's silence was last looked at, and what rooms hold for whom.
fn without_counters(state: &mut Value) {
    match state {
        Value::Object(fields) => {
            for counter in
                ["name_changes", "mask_changes", "judged", "opener", "length", "rooms_wait"]
            {
                fields.remove(counter);
            }
            fields.values_mut().for_each(without_counters);
        }
        Value::Array(items) => items.iter_mut().for_each(without_counters),
        _ => {}
    }
}

#[test]
fn a_directory_of_an_earlier_server_exports_the_same_messages_and_state() {
    let scratch = copy("fixture-export");
    let (mut ours, theirs) = (exported(&scratch.0), values(EXPORTED));
    let state = |state: &Value| Hub::deserialize(state).unwrap();
    assert_eq!(learnt(&mut ours[1]["state"], "origins"), [r#"["127.0.0.1"]"#]);
    let former = learnt(&mut ours[1]["state"], "former");
    assert!(former.len() == 1 && former[0].contains("$argon2id$"), "alice has changed hers");
    for new in ["since", "seen", "left", "renewed"] {
        learnt(&mut ours[1]["state"], new);
    }
    without_counters(&mut ours[1]["state"]);
    assert_eq!(state(&ours[1]["state"]), state(&theirs[1]["state"]));
    let (ours_first, theirs_first) = (&ours[0]["chatloop_journal"], &theirs[0]["chatloop_journal"]);
    assert_eq!(
        (&ours_first["last"], &ours_first["time"]),
        (&theirs_first["last"], &theirs_first["time"])
    );
    assert_eq!(ours[2..ours.len() - 1], theirs[2..]);
    // What an earlier server exported can be imported, and says the same.
    let imported = Scratch::new("fixture-import");
    assert_eq!(import(&imported.0, &mut EXPORTED.as_bytes()).unwrap(), 20);
    let mut again = exported(&imported.0);
    learnt(&mut again[1]["state"], "origins");
    for new in ["former", "since", "seen", "left", "renewed"] {
        learnt(&mut again[1]["state"], new);
    }
    without_counters(&mut again[1]["state"]);
    assert_eq!(again, ours);
}
