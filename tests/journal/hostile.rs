//! What one user writes or asks does not take history away from others.

use crate::chat::{ALICE, BOB, Chat, lobby, say};
use crate::contract::on_all;
#[cfg(feature = "disk")]
use crate::scratch::Scratch;
use chatloop::chat::limits::{REACTION_LENGTH, REACTIONS_PER_MESSAGE, REACTIONS_PER_USER};
use chatloop::chat::query::Room;
use chatloop::chat::{
    Change, Entry, Kind, Lookup, Name, Point, Query, QuitReason, Range, RecordId, Reference, Scope,
    SessionId,
};
use chatloop::journal::{Answer, HistoryQuery, Limits, QueryId, limits};

fn react(chat: &mut Chat, who: SessionId, message: &Reference, text: &str, on: bool) {
    let (room, text) = (Name::lobby(), text.into());
    let message = message.clone();
    chat.happens(who, Change::React { room, message, text, on, tags: None });
}

fn wide() -> Limits {
    Limits { per_room: Some(100_000), ..Limits::default() }
}

#[test]
fn a_message_of_any_age_has_a_bounded_number_of_reactions() {
    on_all("reactions", &Limits::default(), |chat| {
        let id = chat.says(ALICE, "an old message");
        let message = chat.find(Point::Id(id)).unwrap();
        for number in 0..70 {
            chat.says(ALICE, &format!("newer {number}"));
        }
        let long = "x".repeat(REACTION_LENGTH - 4);
        let count = |chat: &mut Chat| {
            let query = HistoryQuery::Find(Lookup { room: lobby(), message: Point::Id(id) });
            let Answer::Found(Some(_), reactions) = chat.answer(query) else { panic!() };
            reactions.len()
        };
        for user in 2..3 + (REACTIONS_PER_MESSAGE / REACTIONS_PER_USER) as u64 {
            if SessionId(user) != BOB {
                let nick = Some(Name::new(&format!("user{user}")));
                let entry =
                    Entry { label: "127.0.0.1:1".into(), nick, lobby: true, ..Entry::default() };
                chat.happens(SessionId(user), Change::Enter(entry.into()));
            }
            for number in 0..2 * REACTIONS_PER_USER {
                let text = format!("{}{long}", number + 100 * (user as usize - 2));
                react(chat, SessionId(user), &message, &text, true);
            }
            if SessionId(user) == BOB {
                assert_eq!(count(chat), REACTIONS_PER_USER);
            }
        }
        react(chat, BOB, &message, &format!("0{long}"), false);
        react(chat, ALICE, &message, &format!("1{long}"), true);
        let shown = chat.past(Scope::Room(lobby()), Range::Before(Point::Number(2)), 1);
        assert_eq!(shown[0].reactions.len(), REACTIONS_PER_MESSAGE - 1);
        assert_eq!(shown[0].reactions[0], (format!("1{long}").into(), 2));
        assert_eq!(count(chat), REACTIONS_PER_MESSAGE);
    });
}

#[test]
fn an_answer_is_bounded_in_bytes_whatever_they_are_made_of() {
    on_all("answer-bytes", &Limits::default(), |chat| {
        for _ in 0..400 {
            let tags = Some("t".repeat(4_000).into());
            let Change::Say { room, kind, .. } = say("", None) else { panic!() };
            let (text, status, reply_to, continuations) = ("short".into(), None, None, None);
            chat.happens(
                BOB,
                Change::Say { room, kind, text, tags, status, reply_to, continuations },
            );
        }
        let shown = chat.past(Scope::Room(lobby()), Range::Latest, 500);
        let bytes: usize = shown.iter().map(|it| it.tags.as_ref().unwrap().len()).sum();
        assert!(bytes <= limits::ANSWER_BYTES, "{bytes} bytes");
        assert!(shown.len() > 200, "{} messages", shown.len());
    });
}

#[test]
fn memory_counts_tags_and_edits_among_the_bytes_that_it_keeps() {
    let mut chat = Chat::memory(&wide());
    let tags: std::sync::Arc<str> = "t".repeat(60_000).into();
    let more = limits::MEMORY_BYTES / 60_000 + 1;
    let kept = |chat: &mut Chat| chat.past(Scope::Room(lobby()), Range::After(NOWHERE), 1)[0].id;
    let first = chat.says(ALICE, "the first");
    for _ in 0..more {
        let Change::Say { room, kind, text, .. } = say("x", None) else { panic!() };
        let (tags, status, reply_to, continuations) = (Some(tags.clone()), None, None, None);
        chat.happens(BOB, Change::Say { room, kind, text, tags, status, reply_to, continuations });
    }
    let oldest = kept(&mut chat);
    assert!(first < oldest && oldest.0 < first.0 + 100, "tags are counted: {oldest:?}");
    let mut chat = Chat::memory(&wide());
    let text: std::sync::Arc<str> = "e".repeat(60_000).into();
    let mut ids = Vec::new();
    for _ in 0..more {
        ids.push(chat.says(BOB, "short"));
        let message = chat.find(Point::Id(ids[ids.len() - 1])).unwrap();
        let (room, text) = (Name::lobby(), text.clone());
        chat.happens(BOB, Change::Edit { room, message, text });
    }
    let oldest = kept(&mut chat);
    assert!(ids[0] < oldest && oldest < ids[100], "edits are counted: {oldest:?}");
}

/// Before everything.
const NOWHERE: Point = Point::Id(RecordId(0));

#[test]
fn one_conversation_pushes_out_no_other() {
    let mut chat = Chat::memory(&Limits { per_room: Some(50), ..Limits::default() });
    for (who, name) in [(ALICE, "alice"), (BOB, "bob")] {
        let hash = chatloop::chat::PasswordHash::new("hash");
        chat.happens(who, Change::Register { account: Name::new(name), hash, scram: None });
    }
    let tell = |chat: &mut Chat, who, to: &str, text: String| {
        let (to, kind, text) = (Name::new(to), Kind::Message, text.into());
        chat.happens(who, Change::Tell { to, kind, text, tags: None, continuations: None });
    };
    tell(&mut chat, ALICE, "bob", "the only one".to_owned());
    (0..200).for_each(|number| tell(&mut chat, BOB, "bob", format!("to myself {number}")));
    let private = |account: &str, peer: &str| Scope::Private {
        account: Name::new(account),
        peer: Name::new(peer),
    };
    assert_eq!(chat.past(private("alice", "bob"), Range::Latest, 500).len(), 1);
    assert_eq!(chat.past(private("bob", "alice"), Range::Latest, 500).len(), 1);
    assert_eq!(chat.past(private("bob", "bob"), Range::Latest, 500).len(), 50);
}

/// A memory with so many messages of one-letter words.
fn full_of_letters(messages: usize) -> Chat {
    let mut chat = Chat::memory(&wide());
    let text: String = ('a'..='y').cycle().take(2_000).flat_map(|letter| [letter, ' ']).collect();
    (0..messages).for_each(|_| {
        chat.says(BOB, &text);
    });
    chat
}

fn search(words: &str) -> HistoryQuery {
    let scope = Scope::Search { rooms: vec![lobby()], words: words.into(), from: None };
    HistoryQuery::Past(Query { scope, range: Range::Latest, limit: Some(20), events: false })
}

#[test]
fn a_search_in_memory_takes_a_share_of_each_turn_and_other_queries_do_not_wait_for_it() {
    let mut chat = full_of_letters(1_000);
    let begin = chat.journal.next_query();
    chat.journal.query(begin, Name::new("mallory"), search("z a"));
    let mut turns = 0;
    let answer = loop {
        if let Some((id, answer)) = chat.journal.next_answer() {
            assert_eq!(id, begin);
            break answer;
        }
        let room = HistoryQuery::Past(Query {
            scope: Scope::Room(lobby()),
            range: Range::Latest,
            limit: Some(2),
            events: false,
        });
        let id = chat.journal.next_query();
        chat.journal.query(id, Name::new("alice"), room);
        let (answered, answer) = chat.journal.next_answer().expect("at once");
        let Answer::Past(entries, _) = answer else { panic!() };
        assert_eq!((answered, entries.len()), (id, 2));
        assert!(chat.journal.has_news(), "there is work left");
        chat.journal.end_turn();
        turns += 1;
    };
    assert_eq!(answer, Answer::Past(Vec::new(), Vec::new()));
    let work = 1_000 * 4_000 * 2;
    assert!(turns >= work / limits::MEMORY_SEARCH_SHARE - 1, "{turns} turns");
}

#[test]
fn whoever_searches_much_keeps_no_one_else_from_searching() {
    let mut chat = full_of_letters(500);
    let mallory: Vec<QueryId> = (0..100).map(|_| chat.journal.next_query()).collect();
    for &id in &mallory {
        chat.journal.query(id, Name::new("mallory"), search("z a"));
    }
    let id = chat.journal.next_query();
    chat.journal.query(id, Name::new("alice"), search("z a"));
    let mut before = 0;
    loop {
        match chat.journal.next_answer() {
            Some((answered, _)) if answered == id => break,
            Some(_) => before += 1,
            None => chat.journal.end_turn(),
        }
    }
    assert!(before <= 3, "{before} searches of one user before the first of another");
}

#[cfg(feature = "disk")]
fn snapshot(scratch: &Scratch) -> String {
    let database = rusqlite::Connection::open(scratch.0.join("chatloop.db")).unwrap();
    database.query_row("SELECT hub FROM snapshot", [], |row| row.get(0)).unwrap()
}

#[cfg(feature = "disk")]
#[test]
fn a_snapshot_has_no_texts_and_a_restart_finds_them() {
    let scratch = Scratch::new("textless");
    let mut chat = Chat::disk(&scratch.0, &Limits::default());
    let id = chat.says(ALICE, "xyzzy one");
    chat.says(BOB, "two");
    let message = chat.find(Point::Id(id)).unwrap();
    react(&mut chat, BOB, &message, "plugh", true);
    let before = chat.hub.clone();
    chat.journal.close();
    let hub = snapshot(&scratch);
    assert!(hub.contains("alice") && !hub.contains("xyzzy") && !hub.contains("plugh"), "{hub}");
    let chat = Chat::reopened(&scratch.0, &Limits::default());
    assert_eq!(chat.hub, before);
}

#[cfg(feature = "disk")]
#[test]
fn edits_leave_one_record_and_a_deletion_none() {
    let scratch = Scratch::new("edits");
    let mut chat = Chat::disk(&scratch.0, &Limits::default());
    let id = chat.says(ALICE, "first");
    let message = chat.find(Point::Id(id)).unwrap();
    for number in 0..50 {
        let (room, text) = (Name::lobby(), format!("edit {number}").into());
        chat.happens(ALICE, Change::Edit { room, message: message.clone(), text });
        react(&mut chat, BOB, &message, &format!("r{number}"), true);
    }
    assert_eq!(chat.lobby(Range::Latest, 1), ["edit 49"]);
    let records = |word: &str| {
        let database = rusqlite::Connection::open(scratch.0.join("chatloop.db")).unwrap();
        let sql = "SELECT count(*) FROM record WHERE change LIKE ?1";
        let like = format!("%{word}%");
        database.query_row(sql, [like], |row| row.get::<_, u32>(0)).unwrap()
    };
    let counts = [records("\"edit\""), records("edit 49"), records("first"), records("\"react\"")];
    assert_eq!(counts, [1, 1, 0, 50]);
    let before = chat.hub.clone();
    // As after a crash: the records are replayed.
    drop(chat);
    let mut chat = Chat::reopened(&scratch.0, &Limits::default());
    assert_eq!(chat.hub, before);
    chat.happens(ALICE, Change::Delete { room: Name::lobby(), message, reason: None });
    let counts = [records("\"edit\""), records("edit 49"), records("first"), records("\"react\"")];
    assert_eq!(counts, [0, 0, 0, 0]);
}

#[cfg(feature = "disk")]
#[test]
fn the_tags_of_a_deleted_message_and_reactions_to_it_are_erased_with_it() {
    let scratch = Scratch::new("erased-tags");
    let mut chat = Chat::disk(&scratch.0, &Limits::default());
    let Change::Say { room, kind, text, .. } = say("a secret", None) else { panic!() };
    let (tags, status, reply_to, continuations) = (Some("+tag=xyzzytag".into()), None, None, None);
    let say = Change::Say { room, kind, text, tags, status, reply_to, continuations };
    let id = chat.happens(ALICE, say);
    let message = chat.find(Point::Id(id)).unwrap();
    react(&mut chat, BOB, &message, "plughreaction", true);
    chat.happens(ALICE, Change::Delete { room: Name::lobby(), message, reason: None });
    // Not closed: no snapshot, and so no sweep of records.
    drop(chat);
    let database = rusqlite::Connection::open(scratch.0.join("chatloop.db")).unwrap();
    let sql = "SELECT group_concat(change) FROM record";
    let records: String = database.query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(records.contains("delete"), "{records}");
    for word in ["xyzzytag", "plughreaction", "a secret"] {
        assert!(!records.contains(word), "{word} in {records}");
    }
}

#[cfg(feature = "disk")]
#[test]
fn a_search_in_a_new_room_does_not_go_through_the_past_of_an_old_one() {
    let scratch = Scratch::new("new-room");
    let mut chat = Chat::inline(&scratch.0, &Limits::default()).peopled();
    for number in 0..300 {
        chat.says(BOB, &format!("word {number}"));
    }
    let since = chat.says(BOB, "word of the new room");
    let room = |since| vec![Room { name: Name::lobby(), since }];
    let scope = Scope::Search { rooms: room(since), words: "word".into(), from: None };
    assert_eq!(chat.past(scope, Range::Latest, 500).len(), 1);
    let scope = Scope::Search { rooms: room(RecordId(0)), words: "word".into(), from: None };
    let all = chat.past(scope.clone(), Range::Latest, 500);
    assert_eq!(all.len(), 301);
    assert!(all.is_sorted_by_key(|message| message.id));
    let before = Range::Before(Point::Id(all[300].id));
    let some = chat.past(scope.clone(), before, 10);
    assert_eq!(some, all[290..300]);
    let after = chat.past(scope, Range::After(Point::Id(all[4].id)), 3);
    assert_eq!(after, all[5..8]);
    chat.happens(ALICE, Change::Leave { departure: QuitReason::Quit });
}
