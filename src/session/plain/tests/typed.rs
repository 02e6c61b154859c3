//! Typed lines: every form, every mistake, and passwords that must not be said.

use super::*;
use std::sync::Arc;

#[test]
fn passwords_are_not_said_whatever_precedes_them() {
    for line in [
        " /login bob hunter2",
        "//login bob hunter2",
        "/lgoin bob hunter2",
        "/me /login bob hunter2",
        "@#lobby /login bob hunter2",
        "/loginbob hunter2",
        "/loginhunter2",
        "/password hunter2",
        "/register hunter2 hunter2",
        "/login bob hunter2 hunter2",
        "/say",
    ] {
        let mut chat = two();
        let (mine, others) = chat.both(1, line, 0);
        assert_eq!(others, "", "{line}");
        assert!(mine.starts_with("* ") && !mine.contains("hunter2"), "{line}: {mine}");
    }
    let mut chat = two();
    assert_eq!(chat.both(1, "/say /login is a command", 0).1, "[bob]: /login is a command\n");
}

#[test]
fn every_error_says_what_is_wrong_and_shows_the_form() {
    let mut chat = two();
    for (line, error) in [
        ("/frob x", "unknown command /frob (try /help; to send it as text, type //frob)"),
        ("/nick", "usage: /nick NAME"),
        ("/nick a b", "unexpected \"b\" (usage: /nick NAME)"),
        ("/nick 1a", "nicks cannot begin with \"1\"; allowed: letters and []\\`_^{|}"),
        ("/nick bob", "nick already in use: bob"),
        ("/join rust", "invalid room name \"rust\": room names begin with # (try #rust)"),
        ("/part #rust", "no such room: #rust (/join #rust creates it)"),
        ("/re x y", "invalid message number \"x\" (usage: /re N TEXT)"),
        ("/re 1", "usage: /re N TEXT"),
        (
            "/history 0",
            "invalid count \"0\": use 1 to 500 (usage: /history [#room|NICK] [N] | [#room] before|after N|id:ID|TIME [COUNT])",
        ),
        ("/bell loud", "invalid setting \"loud\" (usage: /bell off|pm|mention|all)"),
        (
            "/lock door",
            "invalid restriction \"door\" (usage: /lock [#room] topic|invite|moderated|external|secret|ctcp|key WORD|limit N)",
        ),
        ("/whois zoe", "no such nick: zoe (/who * lists everyone)"),
        ("/register hunter2 x", "passwords cannot contain spaces (usage: /register PASSWORD)"),
        ("/ban", "ban list of #lobby: no entries"),
        ("/reply x", "no one has sent you a direct message yet (try /msg NICK TEXT)"),
        ("@#rust", "usage: @#room TEXT"),
    ] {
        assert_eq!(chat.both(0, line, 1), own(error), "{line}");
    }
    let long = "x".repeat(400);
    let (mine, _) = chat.both(0, &format!("/topic {long}"), 1);
    assert!(mine.starts_with("* only operators of #lobby"));
    chat.line(0, "/join #x");
    let too_long = own("topic too long: the limit is 390 bytes");
    assert_eq!(chat.both(0, &format!("/topic {long}"), 1), too_long);
}

#[test]
fn points_in_time_and_searches_are_understood() {
    let mut session = Session::new(Style::Plain, Protocol::Any);
    let rooms = [Name::lobby()];
    let mut asked = |line: &str| match session.parse(line.as_bytes(), &rooms, Moment(7_200_000)) {
        Some(Action::Do(command)) => command,
        other => panic!("{other:?}"),
    };
    let lobby: Arc<str> = "#lobby".into();
    let history = |range, count| Command::History(Arc::clone(&lobby), range, count);
    assert_eq!(asked("/history"), history(Range::Latest, None));
    assert_eq!(asked("/history 5"), history(Range::Latest, Some(5)));
    assert_eq!(asked("/history before 17 5"), history(Range::Before(Point::Number(17)), Some(5)));
    assert_eq!(asked("/history after id:9"), history(Range::After(Point::Id(RecordId(9))), None));
    assert_eq!(
        asked("/history after 1h"),
        history(Range::After(Point::Time(Moment(3_600_000))), None)
    );
    assert_eq!(
        asked("/history #x before 1970-01-01T01:00"),
        Command::History("#x".into(), Range::Before(Point::Time(Moment(3_600_000))), None)
    );
    assert_eq!(
        asked("/history bob 3"),
        Command::PrivateHistory("bob".into(), Range::Latest, Some(3))
    );
    assert_eq!(
        asked("/search two words #x from bob"),
        Command::Search("two words".into(), Some("#x".into()), Some("bob".into()), Range::Latest)
    );
    let before = Range::Before(Point::Id(RecordId(9)));
    for line in ["/search two words #x before id:9", "/search two words before id:9 #x"] {
        let search = Command::Search("two words".into(), Some("#x".into()), None, before);
        assert_eq!(asked(line), search);
    }
    assert_eq!(
        asked("/search the day before yesterday"),
        Command::Search("the day before yesterday".into(), None, None, Range::Latest)
    );
    assert_eq!(
        asked("/login alice secret-word"),
        Command::Login("alice".into(), Secret::new("secret-word"))
    );
    assert!(!format!("{:?}", asked("/login alice secret-word")).contains("secret-word"));
}

#[test]
fn help_lists_what_there_is_and_says_how() {
    let lines: Vec<String> = help().collect();
    assert!(lines.iter().any(|line| line.starts_with("/join #room [KEY] ")));
    assert!(lines.iter().any(|line| line.starts_with("//text ")));
    let mut chat = two();
    assert_eq!(
        chat.both(0, "/help /msg", 1).0,
        "* /msg NICK TEXT: send a direct message\n* also: /m, /tell, /query\n"
    );
    assert_eq!(chat.both(0, "/help all", 1).0.lines().count(), lines.len());
    // With the lines that wrap and the line that is typed, on 24 rows.
    let usual = chat.both(0, "/help", 1).0;
    assert_eq!((usual.lines().count(), usual.contains("/quit")), (14, true), "{usual}");
    assert!(usual.lines().all(|line| line.len() < 80), "{usual}");
    assert!(
        lines.iter().any(|line| line.starts_with("/lock [#room] topic|") && line.contains(": "))
    );
}

#[test]
fn what_a_person_types_in_irc_is_not_said_at_first() {
    let mut chat = Chat::new(&[Style::Plain, Style::Plain]);
    for line in ["cap ls 302", "pass :secret", "nick ada", "user ada 0 * :Ada"] {
        let (own, other) = chat.both(0, line, 1);
        assert!(own.contains("looks like IRC") && other.is_empty(), "{own}{other}");
    }
    assert!(chat.both(0, "hello", 1).1.ends_with("]: hello\n"));
    assert!(
        chat.both(0, "NICK is a command of IRC", 1).1.ends_with("]: NICK is a command of IRC\n")
    );
}

/// Lines that are nearly commands.
fn line() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(
        help()
            .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
            .collect::<Vec<_>>(),
    );
    let word = prop_oneof![
        Just("alice".to_owned()),
        Just("#lobby".to_owned()),
        Just("#x".to_owned()),
        Just("1".to_owned()),
        Just("before".to_owned()),
        "[ -~é]{0,8}",
    ];
    (name, proptest::collection::vec(word, 0..5))
        .prop_map(|(name, words)| format!("{name} {}", words.join(" ")))
}

proptest! {
    #[test]
    fn whatever_is_typed_lines_come_out_whole(lines in proptest::collection::vec((0usize..3, line()), 1..60)) {
        let mut chat = Chat::new(&[Style::Plain, Style::Plain, Style::Classic]);
        for (number, line) in lines {
            chat.line(number, &line);
            for number in 0..3 {
                let seen = chat.seen(number);
                let whole = seen.is_empty() || seen.ends_with('\n') || seen.ends_with("\n\x1b[0m");
                prop_assert!(whole, "{:?} made {:?}", line, seen);
                prop_assert!(!seen.contains("that cannot be done"), "{:?} made {:?}", line, seen);
            }
        }
    }

    #[test]
    fn any_bytes_are_understood_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mut session = Session::new(Style::Plain, Protocol::Any);
        session.parse(&bytes, &[Name::lobby()], Moment(0));
        let mut command = b"/".to_vec();
        command.extend_from_slice(&bytes);
        session.parse(&command, &[], Moment(0));
    }
}
