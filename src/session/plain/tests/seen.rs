//! People as they see each other: names, rooms, messages, moderation, history, refusals.

use super::*;

#[test]
fn coming_speaking_and_leaving_in_plain_style() {
    let mut chat = Chat::new(&[Style::Plain, Style::Plain]);
    assert_eq!(
        chat.seen(0),
        "* connected as guest1, 1 user online (/help lists commands, /quit disconnects)\n\
         * guest2 (127.0.0.1:5001) connected, 2 users online\n"
    );
    assert_eq!(chat.both(1, "hi", 0), (String::new(), "[guest2]: hi\n".into()));
    assert_eq!(chat.both(1, "//who", 0).1, "[guest2]: /who\n");
    assert_eq!(chat.both(1, "", 0), (String::new(), String::new()));
    assert_eq!(chat.both(1, "\x1b[2J", 0).1, "[guest2]: \u{241b}[2J\n");
    let (mine, others) = chat.both(1, "/nick bob", 0);
    assert_eq!(
        (mine, others),
        ("* you are now known as bob\n".into(), "* guest2 is now known as bob\n".into())
    );
    chat.line(1, "/quit see you");
    assert_eq!(chat.seen(0), "* bob quit (see you), 1 user online\n");
    let mut chat = Chat::new(&[Style::Plain, Style::Plain]);
    chat.seen(0);
    chat.write(1, Change::Leave { departure: QuitReason::Error("reset".into()) });
    assert_eq!(chat.seen(0), "* guest2 (127.0.0.1:5001) quit (reset), 1 user online\n");
}

#[test]
fn the_same_in_classic_style() {
    let mut chat = Chat::new(&[Style::Classic, Style::Classic]);
    assert_eq!(
        chat.seen(0),
        "\r\x1b[34;1mconnected, 1 user online; an empty line leaves\n\x1b[0m\
         \r\x1b[34;1ma new user 127.0.0.1:5001 entered, 2 users online\n\x1b[0m"
    );
    assert_eq!(chat.both(1, "hi", 0).1, "\r\x1b[35;1m[127.0.0.1:5001]: hi\n\x1b[0m");
    chat.line(1, "/nick bob");
    assert_eq!(chat.both(1, "hi", 0).1, "\r\x1b[35;1m[bob]: hi\n\x1b[0m");
    assert_eq!(chat.both(1, "", 0).1, "\r\x1b[31;1mthe user bob left, 1 user online\n\x1b[0m");
    let mut chat = Chat::new(&[Style::Classic, Style::Classic]);
    chat.seen(0);
    chat.write(1, Change::Leave { departure: QuitReason::Error("reset".into()) });
    assert!(chat.seen(0).contains("the user 127.0.0.1:5001 left (error), 1 user online\n"));
}

#[test]
fn rooms_are_entered_named_and_switched() {
    let mut chat = two();
    let (mine, _) = chat.both(0, "/join #rust", 1);
    assert_eq!(mine, "* you joined #rust (1 user, you are an operator)\n");
    let (mine, others) = chat.both(1, "/j #Rust", 0);
    assert_eq!(mine, "* you joined #rust (2 users)\n");
    assert_eq!(others, "* bob joined #rust\n");
    assert_eq!(chat.both(0, "words", 1).1, "#rust [alice]: words\n");
    assert_eq!(chat.both(0, "@#lobby elsewhere", 1).1, "[alice]: elsewhere\n");
    assert_eq!(chat.both(0, "/room #lobby", 1), own("your messages now go to #lobby"));
    assert_eq!(chat.both(0, "words", 1).1, "[alice]: words\n");
    assert_eq!(
        chat.both(0, "/room", 1),
        own("your messages go to #lobby (you are in #lobby, #rust)")
    );
    assert_eq!(
        chat.both(0, "/topic #rust ferris", 1).1,
        "* alice set the topic of #rust to \"ferris\"\n"
    );
    assert_eq!(chat.both(1, "/part #rust bye", 0).1, "* bob left #rust (bye)\n");
    assert_eq!(chat.both(1, "words", 0).1, "[bob]: words\n");
    let (rooms, _) = chat.both(1, "/rooms", 0);
    assert_eq!(rooms, "* 2 rooms:\n* #lobby (2 users, joined)\n* #rust (1 user): ferris\n");
    chat.line(1, "/part");
    let nowhere = "you are not in any room (try /join #room)";
    assert_eq!(chat.both(1, "words", 0), own(nowhere));
}

#[test]
fn private_words_mentions_and_the_bell() {
    let mut chat = two();
    let (mine, theirs) = chat.both(0, "/msg bob psst", 1);
    assert_eq!((mine, theirs), ("[you -> bob]: psst\n".into(), "[alice -> you]: psst\n".into()));
    assert_eq!(chat.both(1, "/reply what?", 0).1, "[bob -> you]: what?\n");
    assert_eq!(chat.both(0, "hey @bob", 1).1, "*[alice]: hey @bob\n");
    chat.line(1, "/bell mention");
    assert_eq!(chat.both(0, "hey @bob", 1).1, "\x07*[alice]: hey @bob\n");
    assert_eq!(chat.both(0, "hey you", 1).1, "[alice]: hey you\n");
    chat.line(1, "/bell all");
    assert_eq!(chat.both(0, "hey you", 1).1, "\x07[alice]: hey you\n");
    chat.line(1, "/bell off");
    chat.line(1, "/away lunch");
    let (mine, _) = chat.both(0, "/msg bob psst", 1);
    assert_eq!(mine, "[you -> bob]: psst\n* bob is away: lunch\n");
    assert_eq!(chat.both(0, "/me waves", 1).1, "[alice] waves\n");
}

#[test]
fn answers_reactions_changes() {
    let mut chat = two();
    chat.line(0, "what is the longest sentence that fits here?");
    chat.line(1, "/numbers on");
    let (_, seen) = chat.both(1, "/re 1 this one", 0);
    assert_eq!(seen, "*[bob]: re 1 <alice> what is the longest sentence t…: this one\n");
    assert_eq!(chat.both(0, "ok", 1).1, "3 [alice]: ok\n");
    assert_eq!(
        chat.both(1, "/react 1 :+1:", 0).1,
        "* bob reacted to message 1 by alice in #lobby: +1\n"
    );
    assert_eq!(chat.both(0, "/edit 3 OK", 1).1, "* alice edited message 3 in #lobby: OK\n");
    assert_eq!(chat.both(0, "/edit 2 OK", 1), own("message 2 is not yours"));
    assert_eq!(chat.both(0, "/delete 3", 1).1, "* alice deleted message 3 in #lobby\n");
    assert_eq!(
        chat.both(1, "/react 9 :+1:", 0),
        own("no message 9 in #lobby (/history shows the numbers)")
    );
    assert_eq!(chat.both(1, "/thread 1", 0).0, "* thread in #lobby: no messages\n");
}

#[test]
fn accounts_by_hand() {
    let mut chat = two();
    let (mine, others) = chat.both(0, "/register hunter2", 1);
    assert_eq!(mine, "* account alice created (log in next time with /login alice PASSWORD)\n");
    assert_eq!(others, "");
    chat.line(0, "/quit");
    let taken = "nick alice is registered (if it is yours, /login alice PASSWORD)";
    assert_eq!(chat.both(1, "/nick alice", 0), own(taken));
    assert_eq!(chat.both(1, "/login alice wrong-one", 0), own("wrong name or password"));
    assert_eq!(chat.both(1, "/login nobody wrong-one", 0), own("wrong name or password"));
    assert_eq!(
        chat.both(1, "/msg alice hello", 0).0,
        "[you -> alice]: hello\n* alice is offline; the message will be delivered at the next login\n"
    );
    assert_eq!(chat.both(1, "/login alice hunter2", 0).0, "* you are now logged in as alice\n");
}

#[test]
fn moderation_by_hand() {
    let mut chat = two();
    chat.line(0, "/join #x");
    chat.line(1, "/join #x");
    assert_eq!(chat.both(0, "/mute bob", 1).1, "* alice muted bob in #x\n");
    assert_eq!(chat.both(1, "hm", 0), own("you are muted in #x"));
    chat.line(0, "/unmute bob");
    assert_eq!(chat.both(1, "ah", 0).1, "#x [bob]: ah\n");
    assert_eq!(chat.both(0, "/lock key word", 1).1, "* alice set the key of #x to word\n");
    assert_eq!(
        chat.both(1, "/lock topic", 0),
        own("only operators of #x may do that (/who #x marks them with @)")
    );
    assert_eq!(
        chat.both(0, "/kick bob bad manners", 1).1,
        "* alice kicked bob from #x (bad manners)\n"
    );
    let lost = "not sent: you are no longer in #x (your messages now go to #lobby)";
    assert_eq!(chat.both(1, "meant for #x", 0), own(lost));
    assert_eq!(chat.both(1, "hello", 0).1, "[bob]: hello\n");
    assert_eq!(chat.both(1, "/join #x", 0), own("#x needs a key (try /join #x KEY)"));
    assert_eq!(chat.both(0, "/who", 1).0, "* 1 user in #x:\n* @alice\n");
    assert_eq!(
        chat.both(1, "/announce hear", 0),
        own("only server operators may do that (see /help oper)")
    );
    chat.line(1, "/oper root operator");
    assert_eq!(chat.both(1, "/announce hear", 0).1, "* announcement from bob: hear\n");
    assert_eq!(chat.both(1, "/kill alice", 0).1, "* you were killed by bob\n");
}

#[test]
fn the_past_is_marked_as_past() {
    let room = crate::chat::query::Room { name: Name::lobby(), since: RecordId(0) };
    let query =
        Query { scope: Scope::Room(room), range: Range::Latest, limit: None, events: false };
    let logged = StoredMessage {
        id: RecordId(9),
        time: Moment(0),
        target: crate::chat::Target::Room(Name::lobby()),
        number: 17,
        from: Name::new("alice"),
        account: None,
        username: None,
        host: None,
        bot: false,
        kind: Kind::Message,
        text: "hello".into(),
        tags: None,
        continuations: None,
        reply: None,
        edited: true,
        reactions: vec![("+1".into(), 2)],
    };
    let mut out = Vec::new();
    let event = past(query, vec![logged]);
    render(Theme::default(), &event, Viewpoint::Observer, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "* history of #lobby: 1 message (times in UTC)\n\
         - 17 1970-01-01 00:00 [alice]: hello (edited) {+1 2}\n"
    );
}

#[test]
fn every_refusal_has_words_of_its_own() {
    let name = || Name::new("x");
    for why in [
        Refusal::NotHere,
        Refusal::ServerFull,
        Refusal::TooManyRoomsOfOrigin(1_000),
        Refusal::TooMuchRoomText,
        Refusal::TooMuchAccountData,
        Refusal::BadKey,
        Refusal::NotOperator,
        Refusal::TryLater(3),
        Refusal::RenamedRecently(name(), 3),
        Refusal::NotLoggedIn,
        Refusal::TooManyAccounts,
        Refusal::RoomFull(name(), 3),
        Refusal::InviteOnly(name()),
        Refusal::RoomExists(name()),
        Refusal::LobbyStays,
        Refusal::Banned(name()),
        Refusal::MailFull(name()),
        Refusal::MailShare(name()),
        Refusal::ServerBanned { reason: Some("spam".into()), until: Some(Moment(0)) },
    ] {
        let text = refusal_text::of(&why);
        assert!(text != "that cannot be done" && !text.contains('\n'), "{why:?}: {text}");
    }
}
