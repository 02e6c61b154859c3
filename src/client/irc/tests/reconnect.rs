//! Coming back after a loss.

use super::*;

#[test]
fn after_a_loss_everything_is_as_it_was() {
    let mut talk = Talk::with(
        "batch message-tags server-time echo-message labeled-response draft/chathistory",
    );
    talk.session.typed(&["/join #y key"], talk.now);
    talk.hear(":ada!a@h JOIN #y|366 ada #y :end|BATCH +h chathistory #y|BATCH -h");
    talk.hear("@time=2026-02-02T10:00:00.500Z;msgid=1 :bob!b@h PRIVMSG #x :one");
    talk.sent();
    talk.typed("@#x heard, perhaps");
    talk.typed("never heard");
    talk.shown();
    talk.connect_again();
    talk.hear(
        "CAP * LS :batch message-tags server-time echo-message labeled-response draft/chathistory",
    );
    talk.sent();
    talk.hear("CAP * ACK :batch message-tags server-time echo-message labeled-response draft/chathistory|433 * ada :in use");
    assert_eq!(talk.sent(), ["CAP END", "NICK ada1"]);
    talk.hear(":srv 001 ada1 :Welcome|005 ada1 CHATHISTORY=100 :are|376 ada1 :end");
    let targets = "CHATHISTORY TARGETS timestamp=2026-02-02T09:59:59.500Z timestamp=2026-02-03T02:40:00.000Z 20";
    assert_eq!(talk.sent(), ["JOIN #x", "JOIN #y key", targets]);
    talk.shown();
    talk.hear(":ada1!a@h JOIN #x|353 ada1 = #x :ada1 ada bob|366 ada1 #x :end|:ada1!a@h JOIN #y|366 ada1 #y :end");
    assert_eq!(
        talk.sent(),
        [
            "CHATHISTORY AFTER #x timestamp=2026-02-02T09:59:59.500Z 100",
            "CHATHISTORY AFTER #y timestamp=2026-02-02T02:29:59.000Z 100"
        ]
    );
    talk.hear("@time=2026-02-02T10:05:00.000Z;msgid=4 :bob!b@h PRIVMSG #x :four");
    assert_eq!(talk.shown(), Vec::<String>::new(), "held back");
    talk.hear("BATCH +1 chathistory #x");
    for (time, id, nick, text) in [
        ("10:00:00.500", 1, "bob", "one"),
        ("10:01:00.000", 2, "ada", "heard, perhaps"),
        ("10:02:00.000", 3, "bob", "three"),
        ("10:05:00.000", 4, "bob", "four"),
    ] {
        talk.hear(&format!(
            "@batch=1;time=2026-02-02T{time}Z;msgid={id} :{nick}!x@h PRIVMSG #x :{text}"
        ));
    }
    talk.hear("BATCH -1|BATCH +2 chathistory #y|BATCH -2");
    assert_eq!(
        talk.shown(),
        [
            "-- missed 2 messages in #x:",
            "- 2 2026-02-02 10:02 #x [bob]: three",
            "- 3 2026-02-02 10:05 #x [bob]: four",
            "-- back in #y as ada1",
            "-- possibly not delivered: never heard",
        ]
    );
    talk.hear(":ada!a@h QUIT :Ping timeout");
    assert_eq!(talk.sent(), ["NICK ada"], "the ghost is gone");
    talk.hear(":ada1!a@h NICK ada");
    assert_eq!(talk.session.nick(), "ada");
}

#[test]
fn a_server_without_history_says_so_and_a_room_that_is_closed_is_left() {
    let mut talk = Talk::plain();
    talk.enter("#y");
    talk.typed("hello?");
    talk.connect_again();
    talk.sent();
    talk.hear("001 ada :Welcome|376 ada :end");
    assert_eq!(talk.sent(), ["JOIN #x", "JOIN #y"]);
    talk.shown();
    talk.hear("473 ada #y :Cannot join channel (+i)|:ada!a@h JOIN #x|366 ada #x :end");
    let shown = talk.shown();
    assert_eq!(shown[0], "* could not join #y: it is invite-only");
    assert!(
        shown[1].starts_with("-- back in #x as ada; this server does not keep history"),
        "{shown:?}"
    );
    assert_eq!(shown.len(), 2, "the PONG had confirmed the words: {shown:?}");
}

/// The echo of one's own message may come behind later messages, or not any more.
#[test]
fn own_words_are_looked_for_where_they_were_said() {
    let capabilities =
        "batch message-tags server-time echo-message labeled-response draft/chathistory";
    let mut talk = Talk::with(capabilities);
    talk.hear("@time=2026-02-02T02:39:50.000Z;msgid=1 :bob!b@h PRIVMSG #x :long ago");
    talk.typed("mine");
    talk.hear("@time=2026-02-02T02:40:09.000Z;msgid=4 :bob!b@h PRIVMSG #x :later");
    talk.shown();
    talk.connect_again();
    talk.come_in(capabilities);
    talk.shown();
    talk.hear(":ada!a@h JOIN #x|366 ada #x :end");
    let question = "CHATHISTORY AFTER #x timestamp=2026-02-02T02:39:49.000Z 100";
    assert!(talk.sent().contains(&question.to_owned()));
    talk.hear("BATCH +1 chathistory #x");
    for (time, id, nick, text) in [
        ("39:55", 0, "bob", "shown before, and no longer known again"),
        ("39:50", 1, "bob", "long ago"),
        ("40:00", 2, "ada", "mine"),
        ("40:09", 4, "bob", "later"),
        ("40:30", 5, "bob", "new"),
    ] {
        talk.hear(&format!(
            "@batch=1;time=2026-02-02T02:{time}.000Z;msgid={id} :{nick}!x@h PRIVMSG #x :{text}"
        ));
    }
    talk.hear("BATCH -1");
    let shown = talk.shown();
    assert_eq!(shown[0], "-- missed 1 message in #x:");
    assert!(shown[1].ends_with("#x [bob]: new"), "{shown:?}");
    assert_eq!(shown[2..], ["-- back in #x as ada"]);
}

#[test]
fn private_words_that_were_missed_are_asked_for() {
    let capabilities = "batch message-tags server-time draft/chathistory";
    let mut talk = Talk::with(capabilities);
    talk.hear("@time=2026-02-02T10:00:00.600Z;msgid=1 :carol!c@h PRIVMSG ada :psst");
    talk.connect_again();
    talk.come_in(capabilities);
    talk.shown();
    talk.hear("BATCH +3 draft/chathistory-targets|@batch=3 CHATHISTORY TARGETS #x 2026-02-02T10:05:00.000Z|@batch=3 CHATHISTORY TARGETS carol 2026-02-02T10:04:00.000Z|BATCH -3");
    let question = "CHATHISTORY AFTER carol timestamp=2026-02-02T09:59:59.600Z 100";
    assert_eq!(talk.sent(), [question]);
    talk.hear("BATCH +4 chathistory carol");
    for (time, id, nick, to, text) in [
        ("10:00:00.600", 1, "carol", "ada", "psst"),
        ("10:03:00.000", 2, "ada", "carol", "mine"),
        ("10:04:00.000", 3, "carol", "ada", "are you there?"),
    ] {
        let tags = format!("@batch=4;time=2026-02-02T{time}Z;msgid={id}");
        talk.hear(&format!("{tags} :{nick}!x@h PRIVMSG {to} :{text}"));
    }
    talk.hear("BATCH -4");
    assert_eq!(
        talk.shown(),
        [
            "-- missed 1 direct message from carol",
            "<bell>",
            "- 2026-02-02 10:04 [carol -> you]: are you there?",
        ]
    );
}

/// A script is not interested in the history from before it came, but in everything after that.
#[test]
fn a_script_gets_what_it_missed_and_nothing_from_before() {
    let capabilities =
        "batch message-tags server-time echo-message labeled-response draft/chathistory";
    let rooms = vec!["#x".to_owned()];
    let mut talk = Talk::new(ConnectOptions { rooms, person: false, ..connect_options() });
    let come_in = |talk: &mut Talk, minute: u8| {
        talk.hear(&format!("CAP * LS :{capabilities}"));
        talk.hear(&format!("CAP * ACK :{capabilities}|001 ada :Welcome"));
        talk.hear("005 ada CHATHISTORY=100 CHANTYPES=# :are supported|422 ada :no");
        talk.hear(&format!("@time=2026-02-02T10:0{minute}:00.000Z :ada!a@h JOIN #x"));
        talk.hear("366 ada #x :end");
        talk.shown();
    };
    come_in(&mut talk, 0);
    assert!(!talk.sent().concat().contains("CHATHISTORY"));
    talk.connect_again();
    come_in(&mut talk, 1);
    let question = "CHATHISTORY AFTER #x timestamp=2026-02-02T09:59:59.000Z 100";
    assert!(talk.sent().contains(&question.to_owned()));
    talk.hear("BATCH +1 chathistory #x");
    talk.hear("@batch=1;time=2026-02-02T10:00:30.000Z;msgid=1 :bob!x@h PRIVMSG #x :missed");
    talk.hear("BATCH -1");
    let missed = "- 1 2026-02-02 10:00 #x [bob]: missed";
    assert_eq!(talk.shown(), ["-- missed 1 message in #x:", missed, "-- back in #x as ada"]);
}

#[test]
fn a_room_with_a_key_is_joined_at_first_and_again() {
    let rooms = vec!["#x key".to_owned()];
    let mut talk = Talk::new(ConnectOptions { rooms, person: false, ..connect_options() });
    for _ in 0..2 {
        talk.hear("421 * CAP :Unknown command|001 ada :Welcome ada!ada@host|376 ada :end");
        talk.hear(":ada!a@h JOIN #x|366 ada #x :end");
        assert!(talk.sent().contains(&"JOIN #x key".to_owned()));
        talk.connect_again();
    }
}
