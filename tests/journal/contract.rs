//! What every journal promises, asked of both: records in order, answers right, erased is erased.

use crate::chat::{ALICE, BOB, Chat, Scratch, lobby, say, texts};
use chatloop::chat::query::Room;
use chatloop::chat::{
    Change, Departure, Kind, Lookup, Moment, Name, PasswordHash, Point, Range, RecordId, Scope,
};
use chatloop::journal::{Answer, Limits, Question};

/// Runs `story` on both.
fn on_both(name: &str, limits: &Limits, story: impl Fn(&mut Chat)) {
    story(&mut Chat::memory(limits));
    let scratch = Scratch::new(name);
    story(&mut Chat::disk(&scratch.0, limits));
}

const NOTHING: [&str; 0] = [];

#[test]
fn history_comes_from_any_point_in_any_direction() {
    on_both("history", &Limits::default(), |chat| {
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
    on_both("told", &Limits::default(), |chat| {
        chat.says(ALICE, "one");
        // Kept, but not applied yet: whoever asks will still hear of it.
        let (time, two) = (Moment(chat.clock), say("two", None));
        chat.journal.append(time, ALICE, two);
        chat.journal.end_turn();
        let mut kept = Vec::new();
        loop {
            chat.journal.take_kept(&mut kept);
            if !kept.is_empty() {
                break;
            }
            chat.woken.recv().unwrap();
        }
        assert_eq!(chat.lobby(Range::Latest, 9), ["one"]);
    });
}

#[test]
fn a_room_shows_nothing_from_before_it_was_opened() {
    on_both("since", &Limits::default(), |chat| {
        chat.says(ALICE, "secret plan");
        let since = chat.says(ALICE, "public plan");
        let room = Room { name: Name::new("#LOBBY"), since };
        let seen = chat.past(Scope::Room(room.clone()), Range::Latest, 9);
        assert_eq!(texts(&seen), ["public plan"]);
        let found = Scope::Search { rooms: vec![room.clone()], words: "plan".into(), from: None };
        assert_eq!(texts(&chat.past(found, Range::Latest, 9)), ["public plan"]);
        let question = Question::Find(Lookup { room, message: Point::Number(1) });
        assert_eq!(chat.answer(question), Answer::Found(None));
    });
}

#[test]
fn threads_hold_all_answers_and_lookups_know_the_root() {
    on_both("threads", &Limits::default(), |chat| {
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
    on_both("search", &Limits::default(), |chat| {
        for text in ["the quick fox", "the lazy DOG", "quick dog AND fox", "größe zählt"] {
            chat.says(ALICE, text);
        }
        chat.says(BOB, "my dog");
        assert_eq!(chat.search("dog", None), ["the lazy DOG", "quick dog AND fox", "my dog"]);
        assert_eq!(chat.search("fox QUICK", None), ["the quick fox", "quick dog AND fox"]);
        assert_eq!(chat.search("dog", Some("Bob")), ["my dog"]);
        assert_eq!(chat.search("dog", Some("nobody")), NOTHING);
        assert_eq!(chat.search("Größe", None), ["größe zählt"]);
        for hostile in ["\"", "dog\" OR \"fox", "*", "text:", "NEAR(", "r1", "-", "(", "dog*\""] {
            let found = chat.search(hostile, None);
            assert!(found.iter().all(|text| text.to_lowercase().contains("dog")), "{hostile}");
        }
    });
}

#[test]
fn edits_replace_and_deletions_erase() {
    on_both("erase", &Limits::default(), |chat| {
        let id = chat.says(ALICE, "my password is hunter2");
        let message = chat.find(Point::Id(id)).unwrap();
        let (room, text) = (Name::lobby(), ":o".into());
        chat.happens(BOB, Change::React { room, message: message.clone(), text, on: true });
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
    on_both("mail", &Limits::default(), |chat| {
        let account = Name::new("alice");
        let hash = PasswordHash::new("$argon2id$");
        chat.happens(ALICE, Change::Register { account: account.clone(), hash, scram: None });
        let tell = |to: &str, kind, text: &str| Change::Tell {
            to: Name::new(to),
            kind,
            text: text.into(),
            tags: None,
        };
        chat.happens(BOB, tell("alice", Kind::Message, "are you there?"));
        chat.happens(ALICE, tell("bob", Kind::Action, "nods"));
        chat.happens(ALICE, Change::Leave { departure: Departure::Quit });
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
fn times_never_fall() {
    on_both("times", &Limits::default(), |chat| {
        chat.says(ALICE, "noon");
        chat.clock -= 500;
        chat.says(ALICE, "the clock was set back");
        let shown = chat.past(Scope::Room(lobby()), Range::Latest, 9);
        assert!(shown[0].time <= shown[1].time);
    });
}
