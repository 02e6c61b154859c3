//! Out as lines and in again: the same ids, times, words and state.

use crate::chat::{ALICE, BOB, Chat, lobby};
use crate::scratch::Scratch;
use chatloop::chat::{Change, Kind, Name, PasswordHash, Point, Range, Scope};
use chatloop::journal::{JournalError, Limits, export, import};

fn lines(directory: &Scratch, room: Option<&str>) -> String {
    let mut out = Vec::new();
    export(&directory.0, room.map(Name::new).as_ref(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A chat with something of everything.
fn full(name: &str) -> (Scratch, Chat) {
    let scratch = Scratch::new(name);
    let mut chat = Chat::disk(&scratch.0, &Limits::default());
    let (account, hash) = (Name::new("alice"), PasswordHash::new("$argon2id$x"));
    chat.happens(ALICE, Change::Register { account, hash, scram: None });
    chat.says(ALICE, "first \"words\" \u{1f600}");
    chat.answers(BOB, 1, "an answer");
    let message = chat.find(Point::Number(1)).unwrap();
    let (room, text) = (Name::lobby(), ":+1:".into());
    chat.happens(BOB, Change::React { room, message, text, on: true, tags: None });
    let (to, kind) = (Name::new("alice"), Kind::Message);
    chat.happens(
        BOB,
        Change::Tell { to, kind, text: "between us".into(), tags: None, continuations: None },
    );
    chat.happens(BOB, Change::Topic { room: Name::lobby(), text: "tea".into() });
    chat.speaks_for_programs();
    (scratch, chat)
}

#[test]
fn all_of_it_survives_the_way_there_and_back() {
    // The server need not stop for an export.
    let (from, mut chat) = full("export");
    let exported = lines(&from, None);
    let to = Scratch::new("import");
    assert_eq!(import(&to.0, &mut exported.as_bytes()).unwrap(), 3);
    assert_eq!(lines(&to, None), exported);
    let mut copy = Chat::reopened(&to.0, &Limits::default());
    assert_eq!(copy.hub, chat.hub);
    assert!(exported.contains("http://alice") && exported.contains("http://room"));
    let private = Scope::Private { account: Name::new("alice"), peer: Name::new("bob") };
    for scope in [Scope::Room(lobby()), private] {
        let original = chat.past(scope.clone(), Range::Latest, 50);
        assert_eq!(copy.past(scope, Range::Latest, 50), original);
    }
    assert_eq!(copy.search("answer", Some("bob")), ["an answer"]);
    assert_eq!(copy.says(ALICE, "on"), chat.says(ALICE, "on"));
}

/// What is said then would else count as said already: acknowledged, and gone.
#[test]
fn a_state_goes_on_from_the_record_that_the_first_line_names() {
    let (from, chat) = full("export-last");
    chat.journal.close();
    for last in ["9", "99999999"] {
        let exported = lines(&from, None).replace(r#"],"last":"#, &format!(r#"],"last":{last}"#));
        let to = Scratch::new(&format!("import-last-{last}"));
        assert_eq!(import(&to.0, &mut exported.as_bytes()).unwrap(), 3);
        let mut copy = Chat::reopened(&to.0, &Limits::default()).peopled();
        copy.says(ALICE, "and on");
        assert_eq!(copy.lobby(Range::Latest, 1), ["and on"]);
    }
}

/// Ids never fall, but times do, if the clock was set back.
#[test]
fn messages_whose_times_fall_are_imported() {
    let (from, chat) = full("export-clock");
    chat.journal.close();
    let exported = lines(&from, None);
    let last = exported.rfind(r#""time":"#).unwrap() + r#""time":"#.len();
    let end = last + exported[last..].find(|it: char| !it.is_ascii_digit()).unwrap();
    let earlier = format!("{}1{}", &exported[..last], &exported[end..]);
    let to = Scratch::new("import-clock");
    assert_eq!(import(&to.0, &mut earlier.as_bytes()).unwrap(), 3);
    let mut copy = Chat::reopened(&to.0, &Limits::default()).peopled();
    copy.says(ALICE, "and on");
    assert_eq!(copy.lobby(Range::Latest, 1), ["and on"]);
}

/// A room that was renamed has taken the name of one that was no longer there: the history of that is
/// kept under a name with a number, which is another one elsewhere.
#[test]
fn the_history_of_a_room_whose_name_another_has_is_taken_along() {
    let (from, chat) = full("export-retired");
    chat.journal.close();
    let exported = lines(&from, None);
    let known = |text: &str| text.matches(r##""room":"#lobby""##).count();
    assert_eq!(known(&exported), 2);
    // As it is called there, and as one is called here already.
    let retired = exported.replacen(r##""room":"#lobby""##, r##""room":"#lobby 77""##, 1).replacen(
        r##""room":"#lobby""##,
        r##""room":"#Lobby 1""##,
        1,
    );
    let to = Scratch::new("import-retired");
    assert_eq!(import(&to.0, &mut retired.as_bytes()).unwrap(), 3);
    let again = lines(&to, None);
    assert!(known(&again) == 0 && again.contains(r##""room":"#lobby 1""##), "{again}");
    assert!(again.contains(r##""room":"#Lobby "##) && !again.contains("#Lobby 1\""), "{again}");
    let on = Scratch::new("import-retired-again");
    assert_eq!(import(&on.0, &mut again.as_bytes()).unwrap(), 3);
    let mut copy = Chat::reopened(&on.0, &Limits::default()).peopled();
    copy.says(ALICE, "and on");
    assert_eq!(copy.lobby(Range::Latest, 9), ["and on"]);
}

#[test]
fn one_room_goes_alone_and_goes_on() {
    let (from, chat) = full("export-room");
    chat.journal.close();
    let exported = lines(&from, Some("#LOBBY"));
    assert!(!exported.contains("between us") && !exported.contains("argon2id"));
    let to = Scratch::new("import-room");
    assert_eq!(import(&to.0, &mut exported.as_bytes()).unwrap(), 2);
    let mut copy = Chat::reopened(&to.0, &Limits::default()).peopled();
    assert_eq!(copy.lobby(Range::Latest, 9).len(), 2);
    copy.says(ALICE, "and on");
    assert_eq!(copy.past(Scope::Room(lobby()), Range::Latest, 1)[0].number, 3);
}

#[test]
fn a_bad_line_is_named_and_nothing_is_imported() {
    let (from, chat) = full("export-bad");
    drop(chat);
    let good = lines(&from, None);
    let first = good.lines().next().unwrap();
    let to = Scratch::new("import-bad");
    let mut swapped: Vec<&str> = good.lines().collect();
    swapped.swap(2, 3);
    let count = good.lines().count();
    let up_to = |count: usize| good.lines().take(count).collect::<Vec<_>>().join("\n");
    let but_one: Vec<&str> = good.lines().take(2).chain(good.lines().skip(3)).collect();
    let cases = [
        (up_to(1), 2),
        (up_to(count - 1), count as u64),
        (but_one.join("\n"), count as u64),
        (String::new(), 1),
        ("hello\n".to_owned(), 1),
        (good.lines().nth(2).unwrap().to_owned(), 1),
        (format!("{first}\n{first}\n"), 2),
        (format!("{good}{{\"message\":{{}}}}\n"), count as u64 + 1),
        (swapped.join("\n"), 4),
        (good[..good.len() - 10].to_owned(), count as u64),
    ];
    for (lines, wrong) in cases {
        match import(&to.0, &mut lines.as_bytes()) {
            Err(JournalError::Line { number, .. }) => assert_eq!(number, wrong, "{lines}"),
            other => panic!("{other:?} of {lines}"),
        }
    }
    assert_eq!(import(&to.0, &mut good.as_bytes()).unwrap(), 3);
    let again = import(&to.0, &mut good.as_bytes()).unwrap_err();
    assert!(matches!(again, JournalError::NotEmpty { .. }), "{again}");
    let nowhere = export(&to.0.join("nowhere"), None, &mut Vec::new()).unwrap_err();
    assert!(matches!(nowhere, JournalError::Missing { .. }), "{nowhere}");
}

/// Each is a single change of a good export.
#[test]
fn an_import_is_checked_as_at_the_door() {
    let (from, chat) = full("export-hostile");
    drop(chat);
    let good = lines(&from, None);
    let to = Scratch::new("import-hostile");
    for (before, after) in [
        (r#""nick":"bob""#, r#""nick":"bob\r\n\u001b[2J""#),
        (r#""nick":"bob""#, r#""nick":"alice""#),
        (r#""from":"bob""#, r#""from":"b o b""#),
        (r##""room":"#lobby""##, r##""room":"#lob\rby""##),
        (r#""topic":null"#, r#""topic":{"text":"tea\nQUIT","by":"bob","time":1}"#),
        (r#""text":"an answer""#, r#""text":"an\r\nanswer""#),
        (r#""text":"an answer""#, r#""text":"an\u0000answer""#),
        (r#"[":+1:","#, r#"["\n","#),
        (r#""name":"alice""#, r#""name":"alice\u001b""#),
        (r##""name":"#lobby""##, r##""name":"#hobby""##),
        (r#""to":"alice""#, r#""to":"alice bob""#),
        (r#""last":"#, r#""last":1844674407370955"#),
        (r#""last_number":"#, r#""last_number":1844674407370955"#),
        (r#""since":"#, r#""since":922337203685477580"#),
        (r#""renewed":"#, r#""renewed":99999"#),
    ] {
        assert!(good.contains(before), "{before} is not in {good}");
        let hostile = good.replacen(before, after, 1);
        match import(&to.0, &mut hostile.as_bytes()) {
            Err(JournalError::Line { detail, .. }) => {
                assert!(!detail.contains(char::is_control), "{detail:?}");
            }
            other => panic!("{other:?} of {after}"),
        }
    }
    assert_eq!(import(&to.0, &mut good.as_bytes()).unwrap(), 3);
}
