//! What every journal promises, asked of all: records in order, answers right, erased is erased.

use crate::chat::{ALICE, BOB, Chat, lobby, say, texts};
use crate::scratch::Scratch;
use chatloop::chat::query::Room;
use chatloop::chat::{
    BanTarget, Change, Continuations, Entry, Kind, Lookup, Moment, Name, PasswordHash, Point,
    Query, QuitReason, Range, RecordId, Scope, SessionId, UserMode,
};
use chatloop::journal::{Answer, HistoryQuery, Limits};
use std::sync::Arc;

/// Runs `story` in memory, and on disk with threads and in line.
pub fn on_all(name: &str, limits: &Limits, story: impl Fn(&mut Chat)) {
    story(&mut Chat::memory(limits));
    if cfg!(not(feature = "disk")) {
        return;
    }
    let scratch = Scratch::new(name);
    story(&mut Chat::disk(&scratch.0, limits));
    let scratch = Scratch::new(&format!("{name}-inline"));
    story(&mut Chat::inline(&scratch.0, limits).peopled());
}

const NOTHING: [&str; 0] = [];

#[test]
fn history_comes_from_any_point_in_any_direction() {
    on_all("history", &Limits::default(), |chat| {
        let ids: Vec<RecordId> =
            (1..=9).map(|number| chat.says(ALICE, &format!("m{number}"))).collect();
        assert_eq!(chat.lobby(Range::Latest, 3), ["m7", "m8", "m9"]);
        assert_eq!(chat.lobby(Range::Latest, 0), NOTHING);
        let time = chat.past(Scope::Room(lobby()), Range::Latest, 50)[3].time;
        for fourth in [Point::Number(4), Point::Id(ids[3]), Point::Time(time)] {
            assert_eq!(chat.lobby(Range::Before(fourth), 2), ["m2", "m3"]);
            assert_eq!(chat.lobby(Range::After(fourth), 2), ["m5", "m6"]);
        }
        assert_eq!(chat.lobby(Range::Around(Point::Number(5)), 4), ["m3", "m4", "m5", "m6"]);
        let between = Range::Between(Point::Number(2), Point::Number(8));
        assert_eq!(chat.lobby(between, 3), ["m3", "m4", "m5"]);
        let backwards = Range::Between(Point::Number(8), Point::Number(2));
        assert_eq!(chat.lobby(backwards, 3), ["m5", "m6", "m7"]);
        assert_eq!(chat.lobby(Range::After(Point::Number(99)), 3), NOTHING);
        assert_eq!(chat.lobby(Range::Before(Point::Number(99)), 1), ["m9"]);
        assert_eq!(chat.lobby(Range::Before(Point::Time(Moment(0))), 3), NOTHING);
        assert_eq!(chat.lobby(Range::After(Point::Time(Moment(0))), 1), ["m1"]);
    });
}

#[test]
fn an_answer_ends_at_what_has_been_told() {
    on_all("told", &Limits::default(), |chat| {
        chat.says(ALICE, "one");
        // Kept, but not applied yet: a client that asks will still be told of it.
        let (time, two) = (Moment(chat.clock), say("two", None));
        chat.journal.propose(time, ALICE, two);
        chat.journal.end_turn();
        let mut committed = Vec::new();
        loop {
            chat.journal.take_committed(&mut committed);
            if !committed.is_empty() {
                break;
            }
            chat.woken.recv().unwrap();
        }
        assert_eq!(chat.lobby(Range::Latest, 9), ["one"]);
    });
}

#[test]
fn a_room_shows_nothing_from_before_it_was_opened() {
    on_all("since", &Limits::default(), |chat| {
        chat.says(ALICE, "secret plan");
        let since = chat.says(ALICE, "public plan");
        let room = Room { name: Name::new("#LOBBY"), since };
        let seen = chat.past(Scope::Room(room.clone()), Range::Latest, 9);
        assert_eq!(texts(&seen), ["public plan"]);
        let found = Scope::Search { rooms: vec![room.clone()], words: "plan".into(), from: None };
        assert_eq!(texts(&chat.past(found, Range::Latest, 9)), ["public plan"]);
        let query = HistoryQuery::Find(Lookup { room, message: Point::Number(1) });
        assert_eq!(chat.answer(query), Answer::Found(None, Vec::new()));
    });
}

#[test]
fn threads_hold_all_answers_and_lookups_know_the_root() {
    on_all("threads", &Limits::default(), |chat| {
        let root = chat.says(ALICE, "lunch?");
        chat.says(ALICE, "unrelated");
        let answer = chat.answers(BOB, 1, "yes");
        let deeper = chat.answers(ALICE, 3, "where?");
        let found = chat.find(Point::Id(deeper)).unwrap();
        assert_eq!((found.number, found.root, found.from.as_str()), (4, root, "alice"));
        assert_eq!(chat.find(Point::Number(3)).unwrap().id, answer);
        assert_eq!(chat.find(Point::Number(5)), None);
        let thread = chat.past(Scope::Thread { room: lobby(), root }, Range::Latest, 50);
        assert_eq!(texts(&thread), ["lunch?", "yes", "where?"]);
        let quoted = thread[2].reply.as_ref().unwrap();
        assert_eq!((quoted.number, quoted.text.as_deref()), (3, Some("yes")));
    });
}

#[test]
fn a_search_wants_all_words_and_takes_none_for_an_operator() {
    on_all("search", &Limits::default(), |chat| {
        for text in ["the quick fox", "the lazy DOG", "quick dog AND fox", "größe zählt"] {
            chat.says(ALICE, text);
        }
        chat.says(BOB, "my dog");
        assert_eq!(chat.search("dog", None), ["the lazy DOG", "quick dog AND fox", "my dog"]);
        assert_eq!(chat.search("fox QUICK", None), ["the quick fox", "quick dog AND fox"]);
        assert_eq!(chat.search("dog", Some("Bob")), ["my dog"]);
        assert_eq!(chat.search("dog", Some("nobody")), NOTHING);
        assert_eq!(chat.search("Größe", None), ["größe zählt"]);
        // Scripts without spaces, and emoji.
        chat.says(BOB, "日本語のテキストです");
        chat.says(BOB, "中文世界 emoji 😀 here");
        assert_eq!(chat.search("日本語", None), ["日本語のテキストです"]);
        assert_eq!(chat.search("世界", None), ["中文世界 emoji 😀 here"]);
        assert_eq!(chat.search("😀", None), ["中文世界 emoji 😀 here"]);
        assert_eq!(chat.search("emoji 世界", None), ["中文世界 emoji 😀 here"]);
        assert_eq!(chat.search("本日", None), NOTHING);
        assert_eq!(chat.search("😁", None), NOTHING);
        // Korean with another ending, and an accent that is apart from its letter.
        chat.says(BOB, "한국어를 배워요");
        chat.says(BOB, "un cafe\u{301}");
        assert_eq!(chat.search("한국", None), ["한국어를 배워요"]);
        assert_eq!(chat.search("cafe\u{301}", None), ["un cafe\u{301}"]);
        assert_eq!(chat.search("café ＵＮ", None), ["un cafe\u{301}"]);
        assert_eq!(chat.search("cafe", None), NOTHING);
        // A symbol that is a word in another spelling only.
        chat.says(BOB, "20 ㎏ of 5 ℃");
        assert_eq!(chat.search("㎏", None), ["20 ㎏ of 5 ℃"]);
        assert_eq!(chat.search("℃", None), ["20 ㎏ of 5 ℃"]);
        for hostile in ["\"", "dog\" OR \"fox", "*", "text:", "NEAR(", "r1", "-", "(", "dog*\""] {
            let found = chat.search(hostile, None);
            assert!(found.iter().all(|text| text.to_lowercase().contains("dog")), "{hostile}");
        }
    });
}

#[test]
fn edits_replace_and_deletions_erase() {
    on_all("erase", &Limits::default(), |chat| {
        let id = chat.says(ALICE, "my password is hunter2");
        let message = chat.find(Point::Id(id)).unwrap();
        let (room, text) = (Name::lobby(), ":o".into());
        chat.happens(
            BOB,
            Change::React { room, message: message.clone(), text, on: true, tags: None },
        );
        let (room, text) = (Name::lobby(), "my password is secret".into());
        chat.happens(ALICE, Change::Edit { room, message: message.clone(), text });
        chat.answers(BOB, 1, "oh dear");
        let shown = chat.past(Scope::Room(lobby()), Range::Latest, 9);
        assert_eq!(texts(&shown), ["my password is secret", "oh dear"]);
        assert!(shown[0].edited && shown[0].reactions == [(":o".into(), 1)]);
        let quoted = shown[1].reply.as_ref().unwrap().text.as_deref();
        assert_eq!(quoted, Some("my password is secret"));
        assert_eq!(chat.search("hunter2", None), NOTHING);
        assert_eq!(chat.search("secret", None), ["my password is secret"]);
        chat.happens(ALICE, Change::Delete { room: Name::lobby(), message, reason: None });
        let shown = chat.past(Scope::Room(lobby()), Range::Latest, 9);
        assert_eq!(texts(&shown), ["oh dear"]);
        assert_eq!(shown[0].reply.as_ref().unwrap().text, None);
        assert_eq!(chat.search("password", None), NOTHING);
        assert_eq!(chat.find(Point::Number(1)), None);
    });
}

#[test]
fn private_words_are_for_two_and_mail_waits() {
    on_all("mail", &Limits::default(), |chat| {
        let account = Name::new("alice");
        let hash = PasswordHash::new("$argon2id$");
        chat.happens(ALICE, Change::Register { account: account.clone(), hash, scram: None });
        let tell = |to: &str, kind, text: &str| Change::Tell {
            to: Name::new(to),
            kind,
            text: text.into(),
            tags: None,
            continuations: None,
        };
        chat.happens(BOB, tell("alice", Kind::Message, "are you there?"));
        chat.happens(ALICE, tell("bob", Kind::Action, "nods"));
        chat.happens(ALICE, Change::Leave { departure: QuitReason::Quit });
        let since = chat.happens(BOB, tell("alice", Kind::Message, "come back"));
        chat.happens(BOB, tell("alice", Kind::Message, "please"));
        let mail = Scope::Mail { account: account.clone(), since };
        let waited = chat.past(mail, Range::Latest, 9);
        assert_eq!(texts(&waited), ["come back", "please"]);
        assert_eq!(waited[0].from.as_str(), "bob");
        let both = Scope::Private { account: account.clone(), peer: Name::new("BOB") };
        let said = chat.past(both, Range::Latest, 9);
        assert_eq!(texts(&said), ["are you there?", "nods", "come back", "please"]);
        assert_eq!(said[1].kind, Kind::Action);
        let other = Scope::Private { account, peer: Name::new("carol") };
        assert_eq!(chat.past(other, Range::Latest, 9), []);
        assert_eq!(chat.search("please", None), NOTHING);
    });
}

#[test]
fn it_is_known_who_said_it_from_where_and_with_which_tags() {
    on_all("authors", &Limits::default(), |chat| {
        let eve = SessionId(7);
        let entry = Entry {
            label: "[2001:db8::7]:4000".into(),
            nick: Some(Name::new("eve")),
            username: Some("~eve".into()),
            lobby: true,
            ..Entry::default()
        };
        chat.happens(eve, Change::Enter(entry.into()));
        chat.happens(eve, Change::UserModes { changes: vec![(UserMode::Bot, true)] });
        let mut words = say("beep", None);
        let Change::Say { tags, continuations, .. } = &mut words else { panic!() };
        let marks: (Option<Arc<str>>, Option<Continuations>) =
            (Some("+draft/reply=9;+x".into()), Some([2].into()));
        (*tags, *continuations) = marks.clone();
        chat.happens(eve, words);
        chat.says(ALICE, "hm");
        let shown = chat.past(Scope::Room(lobby()), Range::Latest, 9);
        assert_eq!((&shown[0].tags, &shown[0].continuations), (&marks.0, &marks.1));
        let author = shown[0].author();
        assert_eq!((author.prefix().as_str(), author.bot), ("eve!~eve@2001:db8::7", true));
        assert_eq!(shown[1].author().prefix(), "alice!~user@127.0.0.1");
        assert_eq!((&shown[1].tags, shown[1].bot), (&None, false));
    });
}

#[test]
fn what_happened_is_shown_to_who_asks_and_counts_like_words() {
    on_all("events", &Limits::default(), |chat| {
        let one = chat.says(ALICE, "one");
        let room = Name::lobby;
        let topic = chat.happens(ALICE, Change::Oper { name: "root".into() });
        assert_eq!(topic.0, one.0 + 1);
        let topic = chat.happens(ALICE, Change::Topic { room: room(), text: "tea".into() });
        let two = chat.says(BOB, "two");
        let message = chat.find(Point::Id(two)).unwrap();
        let text: Arc<str> = "+1".into();
        chat.happens(
            ALICE,
            Change::React { room: room(), message: message.clone(), text, on: true, tags: None },
        );
        let nick = Name::new("robert");
        let renamed = chat.happens(BOB, Change::Nick { nick });
        chat.happens(BOB, Change::Part { room: room(), reason: Some("bye".into()) });
        // A client that only listens is told of no such thing.
        let tags = "+typing=active".into();
        chat.happens(ALICE, Change::Tag { to: room(), tags, status: None });
        let tags = "+x;+draft/persist".into();
        let last = chat.happens(ALICE, Change::Tag { to: room(), tags, status: None });

        let all = [
            "alice joined",
            "bob joined",
            "one",
            "alice topic_set",
            "two",
            "alice reacted",
            "bob renamed",
            "robert parted",
            "alice tagged",
        ];
        assert_eq!(chat.playback(Range::Latest, 50), all);
        assert_eq!(chat.playback(Range::Latest, 3), all[6..]);
        assert_eq!(chat.playback(Range::Before(Point::Id(two)), 2), all[2..4]);
        assert_eq!(chat.playback(Range::After(Point::Id(topic)), 3), all[4..7]);
        assert_eq!(chat.playback(Range::Around(Point::Id(renamed)), 3), all[5..8]);
        let between = Range::Between(Point::Id(last), Point::Id(one));
        assert_eq!(chat.playback(between, 9), all[3..8]);
        assert_eq!(chat.lobby(Range::Latest, 50), ["one", "two"]);
        // A moment is found among both.
        let time = |chat: &mut Chat, id: RecordId| {
            let query = Query {
                scope: Scope::Room(lobby()),
                range: Range::Around(Point::Id(id)),
                limit: Some(1),
                events: true,
            };
            match chat.answer(HistoryQuery::Past(query)) {
                Answer::Past(said, done) => {
                    Point::Time(said.first().map_or_else(|| done[0].stamp.time, |it| it.time))
                }
                other => panic!("{other:?}"),
            }
        };
        let (topic, renamed, last) = (time(chat, topic), time(chat, renamed), time(chat, last));
        assert_eq!(chat.playback(Range::After(topic), 9), all[4..]);
        assert_eq!(chat.playback(Range::Before(renamed), 2), all[4..6]);
        assert_eq!(chat.playback(Range::After(last), 9), [""; 0]);
        assert_eq!(chat.playback(Range::Before(topic), 9), all[..3]);
        // What was about a message goes with it.
        let (room, reason) = (room(), None);
        chat.happens(ALICE, Change::Delete { room, message, reason });
        let left: Vec<&str> =
            all.into_iter().filter(|what| !["two", "alice reacted"].contains(what)).collect();
        assert_eq!(chat.playback(Range::Latest, 50), left);
    });
}

#[test]
fn what_follows_from_one_record_is_told_apart() {
    on_all("parts", &Limits::default(), |chat| {
        chat.happens(ALICE, Change::Oper { name: "root".into() });
        let eve = |chat: &mut Chat, number: u64| {
            let entry = Entry {
                label: format!("10.0.0.1:{number}").into(),
                lobby: true,
                ..Entry::default()
            };
            chat.happens(SessionId(number), Change::Enter(entry.into()));
        };
        (5..9).for_each(|number| eve(chat, number));
        let target = BanTarget::Address("10.0.0.1".into());
        let ban = chat.happens(ALICE, Change::Ban { target, reason: None, until: None });
        let all: Vec<String> = (1..5).map(|number| format!("guest{number} left")).collect();
        assert_eq!(chat.playback(Range::Latest, 4), all);
        // After each of them come the others.
        let last = chat.playback(Range::After(Point::Id(ban)), 9);
        assert_eq!(last, all);
        let parts =
            (1..50).map(|part| chat.playback(Range::After(Point::Part(ban, part)), 9).len());
        let parts: Vec<usize> = parts.collect();
        assert!(parts.is_sorted_by(|one, other| one >= other), "{parts:?}");
        for left in 0..4 {
            assert!(parts.contains(&left), "{parts:?}");
        }
    });
}

#[test]
fn the_past_of_a_room_goes_with_it_and_no_other_past_comes_in() {
    on_all("renamed", &Limits::default(), |chat| {
        let say_in = |chat: &mut Chat, room: &str, text: &str| {
            let mut words = say(text, None);
            let Change::Say { room: place, .. } = &mut words else { panic!() };
            *place = Name::new(room);
            chat.happens(ALICE, words)
        };
        let join = |chat: &mut Chat, room: &str| {
            chat.happens(
                ALICE,
                Change::Join { room: Name::new(room), registers: false, modes: None },
            )
        };
        let since = join(chat, "#old");
        say_in(chat, "#old", "kept words");
        // Another room of the new name was opened later, and has ended.
        join(chat, "#new");
        say_in(chat, "#new", "secret words");
        let end = Change::Part { room: Name::new("#new"), reason: None };
        chat.happens(ALICE, end);
        let (room, to) = (Name::new("#old"), Name::new("#New"));
        chat.happens(ALICE, Change::RenameRoom { room, to, reason: None });
        say_in(chat, "#new", "new words");
        let since_again = join(chat, "#old");
        say_in(chat, "#old", "other words");

        let new = Room { name: Name::new("#new"), since };
        let old = Room { name: Name::new("#old"), since: since_again };
        let past = chat.past(Scope::Room(new.clone()), Range::Latest, 9);
        assert_eq!(texts(&past), ["kept words", "new words"]);
        assert_eq!(past[1].number, 2);
        let found = |room: &Room| Scope::Search {
            rooms: vec![room.clone()],
            words: "words".into(),
            from: None,
        };
        let both = chat.past(found(&new), Range::Latest, 9);
        assert_eq!(texts(&both), ["kept words", "new words"]);
        assert_eq!(texts(&chat.past(Scope::Room(old.clone()), Range::Latest, 9)), ["other words"]);
        assert_eq!(texts(&chat.past(found(&old), Range::Latest, 9)), ["other words"]);
        let query =
            Query { scope: Scope::Room(new), range: Range::Latest, limit: Some(9), events: true };
        let Answer::Past(said, done) = chat.answer(HistoryQuery::Past(query)) else { panic!() };
        // Her coming, and the new name.
        assert_eq!((said.len(), done.len()), (2, 2), "{done:?}");
        let query = HistoryQuery::Find(Lookup { room: old, message: Point::Number(1) });
        let Answer::Found(Some(first), _) = chat.answer(query) else { panic!() };
        assert_eq!(first.from.as_str(), "alice");
    });
}

#[test]
fn a_guest_has_the_conversations_of_the_session_and_nobody_else_has_them() {
    on_all("guests", &Limits::default(), |chat| {
        let tell = |to: &str, text: &str| Change::Tell {
            to: Name::new(to),
            kind: Kind::Message,
            text: text.into(),
            tags: None,
            continuations: None,
        };
        let eve = SessionId(7);
        let enter = |chat: &mut Chat, session: SessionId, nick: &str| {
            let nick = Some(Name::new(nick));
            let entry = Entry { label: "10.0.0.7:1".into(), nick, ..Entry::default() };
            chat.happens(session, Change::Enter(entry.into()));
        };
        let with = |chat: &mut Chat, session: SessionId, peer: &str, range: Range, limit: u32| {
            let other = chat.hub.session_of(peer);
            let scope = Scope::Session { session, peer: Name::new(peer), other };
            texts(&chat.past(scope, range, limit))
        };
        enter(chat, eve, "eve");
        chat.happens(ALICE, tell("bob", "one"));
        let two = chat.happens(BOB, tell("alice", "two"));
        chat.happens(ALICE, tell("eve", "for eve"));
        chat.happens(BOB, Change::Nick { nick: Name::new("rob") });
        chat.happens(ALICE, tell("rob", "three"));
        // By both names, from both ends.
        let all = ["one", "two", "three"];
        assert_eq!(with(chat, ALICE, "rob", Range::Latest, 9), all);
        assert_eq!(with(chat, ALICE, "bob", Range::Latest, 9), all[..2]);
        assert_eq!(with(chat, BOB, "ALICE", Range::Latest, 9), all);
        assert_eq!(with(chat, BOB, "alice", Range::Latest, 1), all[2..]);
        assert_eq!(with(chat, BOB, "alice", Range::After(Point::Id(two)), 9), all[2..]);
        assert_eq!(with(chat, BOB, "alice", Range::Before(Point::Id(two)), 9), all[..1]);
        assert_eq!(with(chat, eve, "alice", Range::Latest, 9), ["for eve"]);
        assert_eq!(with(chat, eve, "rob", Range::Latest, 9), NOTHING);
        // What is taken back is gone from both.
        let (to, reason) = (Name::new("alice"), None);
        chat.happens(BOB, Change::TakeBack { to, id: two, reason });
        assert_eq!(with(chat, ALICE, "rob", Range::Latest, 9), ["one", "three"]);
        // A user who takes her name, or her place, has not been there.
        chat.happens(ALICE, Change::Leave { departure: QuitReason::Quit });
        let other = SessionId(8);
        enter(chat, other, "alice");
        assert_eq!(with(chat, other, "rob", Range::Latest, 9), NOTHING);
        enter(chat, ALICE, "ally");
        assert_eq!(with(chat, ALICE, "rob", Range::Latest, 9), NOTHING);
        // The other one still has the messages, by the name of then.
        assert_eq!(with(chat, BOB, "alice", Range::Latest, 9), ["one", "three"]);
        // With an account it is that account's, and on neither's list.
        let (account, hash) = (Name::new("eve"), PasswordHash::new("$argon2id$"));
        chat.happens(eve, Change::Register { account: account.clone(), hash, scram: None });
        chat.happens(eve, tell("rob", "registered"));
        assert_eq!(with(chat, eve, "rob", Range::Latest, 9), NOTHING);
        assert_eq!(with(chat, BOB, "eve", Range::Latest, 9), ["registered"]);
        let scope = Scope::Private { account, peer: Name::new("rob") };
        assert_eq!(texts(&chat.past(scope, Range::Latest, 9)), ["registered"]);
    });
}

#[test]
fn a_crowd_that_comes_and_goes_pushes_no_words_out() {
    let limits = Limits { per_room: Some(10), ..Limits::default() };
    let mut chat = Chat::memory(&limits);
    chat.says(ALICE, "hello");
    for number in 0..50 {
        let session = SessionId(100 + number);
        let entry = Entry { label: "10.0.0.1:1".into(), lobby: true, ..Entry::default() };
        chat.happens(session, Change::Enter(entry.into()));
        chat.happens(session, Change::Leave { departure: QuitReason::Quit });
    }
    assert_eq!(chat.lobby(Range::Latest, 50), ["hello"]);
    assert_eq!(chat.playback(Range::Latest, 50).len(), 11);
}

#[test]
fn times_never_fall() {
    on_all("times", &Limits::default(), |chat| {
        chat.says(ALICE, "noon");
        chat.clock -= 500;
        chat.says(ALICE, "the clock was set back");
        let shown = chat.past(Scope::Room(lobby()), Range::Latest, 9);
        assert!(shown[0].time <= shown[1].time);
    });
}
