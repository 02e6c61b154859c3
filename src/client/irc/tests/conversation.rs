//! Messages of the server, and how they are shown.

use super::*;

#[test]
fn people_come_and_go_in_the_words_of_the_plain_dialect() {
    let mut talk = Talk::new(ConnectOptions { rooms: vec!["#x".to_owned()], ..connect_options() });
    talk.come_in("");
    talk.shown();
    talk.hear(":ada!a@h JOIN #x|332 ada #x :all \x0304about\x03 it|333 ada #x bob!b@h 1770000000");
    talk.hear("353 ada = #x :@bob ada|353 ada = #x :+carol|366 ada #x :End");
    assert_eq!(talk.shown(), ["* you joined #x, 3 users: @bob +carol ada; topic: all about it"]);
    for (line, shown) in [
        (":dan!d@h JOIN #x", "dan joined #x, 4 users there"),
        (":erin!d@h JOIN #x erin :Erin", "erin joined #x, 5 users there"),
        (":dan!d@h PART #x :bye \x02now", "dan left #x (bye now), 4 users there"),
        (":bob!b@h KICK #x erin :enough", "bob kicked erin from #x (enough)"),
        (":bob!b@h MODE #x +ov carol ada", "bob changed the modes of #x: +ov carol ada"),
        (":bob!b@h TOPIC #x :new", "bob set the topic of #x to: new"),
        (":bob!b@h TOPIC #x :", "bob cleared the topic of #x"),
        (":carol!c@h NICK caro", "carol is now known as caro"),
        (":caro!c@h QUIT :Ping timeout", "caro quit (Ping timeout), 2 users in #x"),
        (":bob!b@h AWAY :lunch", "bob is away: lunch"),
        (":bob!b@h AWAY", "bob is back"),
        (":bob!b@h INVITE ada #y", "bob invited you to #y (try /join #y)"),
        (":bob!b@h ACCOUNT robert", "bob is logged in as robert"),
        (":srv NOTICE ada :maintenance at noon", "maintenance at noon"),
        (":ada!a@h NICK countess", "you are now known as countess"),
        ("403 ada #nowhere :No such channel", "no such room: #nowhere (/join #nowhere creates it)"),
        ("WARN X CODE something :take care", "take care (X CODE, something)"),
        ("999 ada some words :and a text", "some words: and a text"),
        (":bob!b@h KICK #x countess :you, too", "bob kicked you from #x (you, too)"),
    ] {
        talk.hear(line);
        assert_eq!(talk.shown(), [format!("* {shown}")], "{line}");
    }
    assert_eq!(talk.session.room(), None);
}

#[test]
fn a_part_of_the_network_goes_in_one_line() {
    let mut talk = Talk::with("batch message-tags");
    talk.hear("BATCH +a netsplit one two|@batch=a :bob!b@h QUIT :one two|BATCH -a");
    assert_eq!(talk.shown(), ["* netsplit: 1 user quit"]);
}

#[test]
fn what_is_said_is_shown_with_its_looks() {
    let mut talk = Talk::with("message-tags server-time account-tag");
    talk.hear("@msgid=1;time=2026-02-02T10:00:00.000Z;account=bobby :bob!b@h PRIVMSG #x :good \x02morning\x02 \x1b[2J");
    talk.hear("@msgid=2 :bob!b@h PRIVMSG #x :Ada: look");
    talk.hear("@msgid=3 :bob!b@h PRIVMSG #x :\x01ACTION waves\x01");
    talk.hear("@msgid=4 :bob!b@h NOTICE #x :a notice");
    talk.hear("@msgid=5 :bob!b@h PRIVMSG ada :psst");
    talk.hear("@msgid=6;+draft/reply=1 :bob!b@h PRIVMSG #x :indeed");
    talk.hear(
        "@+draft/reply=2;+draft/react=+1 :bob!b@h TAGMSG #x|@+typing=active :bob!b@h TAGMSG #x",
    );
    talk.hear(":bob!b@h REDACT #x 2 :typo|:bob!b@h REDACT #x 99");
    assert_eq!(
        talk.shown(),
        [
            "#x [bob]: good morning \u{241b}[2J",
            "<bell>",
            "*#x [bob]: Ada: look",
            "#x [bob] waves",
            "#x [bob] (notice): a notice",
            "<bell>",
            "[bob -> you]: psst",
            "#x [bob]: re 1 <bob> good morning \u{241b}[2J: indeed",
            "* bob reacted to #x 2 <bob>: +1",
            "* bob deleted #x 2 <bob> (typo)",
            "* bob deleted a message in #x",
        ]
    );
}

#[test]
fn own_words_are_not_shown_twice_and_have_numbers() {
    let mut talk = Talk::with("message-tags echo-message labeled-response batch");
    assert_eq!(talk.typed("hello"), ["@label=1 PRIVMSG #x :hello"]);
    assert_eq!(talk.shown(), ["#x [You]: hello"]);
    talk.hear("@label=1;msgid=7 :ada!a@h PRIVMSG #x :hello");
    assert_eq!(talk.shown(), Vec::<String>::new());
    assert_eq!(talk.typed("/re 1 and more"), ["@label=2;+draft/reply=7 PRIVMSG #x :and more"]);
    assert_eq!(talk.shown(), ["#x [You]: re 1 <ada> hello: and more"]);
    talk.hear("@msgid=8 :ada!a@h PRIVMSG #x :from my other client");
    assert_eq!(talk.shown(), ["#x [You]: from my other client"]);
    assert_eq!(talk.typed("/msg bob psst"), ["@label=3 PRIVMSG bob :psst"]);
    assert_eq!(talk.shown(), Vec::<String>::new());
    talk.hear("@label=3;msgid=9 :ada!a@h PRIVMSG bob :psst");
    assert_eq!(talk.shown(), ["[you -> bob]: psst"]);
    talk.typed("is it moderated?");
    talk.hear("@label=4 404 ada #x :Cannot send to channel");
    let not_sent = "* not sent to #x: Cannot send to channel: is it moderated?";
    assert_eq!(talk.shown(), ["#x [You]: is it moderated?", not_sent]);
    assert!(talk.session.failed);
}

#[test]
fn a_command_is_shown_as_what_it_says_and_numbers_come_with_the_echo() {
    let mut talk = Talk::with("message-tags echo-message labeled-response batch");
    talk.typed("/me waves");
    assert_eq!(talk.shown(), ["#x [You] waves"]);
    talk.typed("/nick ann");
    assert_eq!(talk.shown(), Vec::<String>::new());
    talk.typed("/numbers on");
    assert_eq!(talk.shown(), ["* message numbers are on"]);
    talk.typed("hello");
    assert_eq!(talk.shown(), Vec::<String>::new());
    talk.hear("@label=2;msgid=7 :ada!a@h PRIVMSG #x :hello");
    assert_eq!(talk.shown(), ["#x [You]: hello"]);
}

#[test]
fn an_edit_is_told_with_its_new_text_and_made_by_number_or_last() {
    let mut talk = Talk::with("message-tags echo-message labeled-response batch");
    talk.hear("004 ada srv chatloop-0.1.0 o o");
    talk.hear("@msgid=7 :bob!b@h PRIVMSG #x :teh cat|@chatloop/edit=7;msgid=8 :bob!b@h PRIVMSG #x :* the cat");
    assert_eq!(talk.shown(), ["#x [bob]: teh cat", "* bob edited #x 1 <bob>: the cat"]);
    // A reply quotes what is there now.
    for (line, quoted) in [("", "the cat"), (":bob!b@h REDACT #x 7", "(deleted)")] {
        talk.hear(line);
        talk.shown();
        talk.hear("@msgid=8;+draft/reply=7 :ann!a@h PRIVMSG #x :yes");
        assert_eq!(talk.shown(), [format!("#x [ann]: re 1 <bob> {quoted}: yes")]);
    }
    assert_eq!(talk.typed("/edit last x"), Vec::<String>::new());
    assert_eq!(talk.shown(), ["* you have not sent a message yet"]);
    talk.hear("@msgid=9 :ada!a@h PRIVMSG #x :mine");
    assert_eq!(talk.typed("/edit last my  own"), ["CHATLOOP :edit #x id:9 my  own"]);
    assert_eq!(talk.typed("/thread 1"), ["CHATLOOP :thread #x id:7"]);
    assert_eq!(talk.typed("/logout"), ["CHATLOOP :logout"]);
    assert_eq!(talk.typed("/gban 10.0.0.* 2h spam"), ["CHATLOOP :gban 10.0.0.* 2h spam"]);
    assert_eq!(talk.typed("/keep"), ["CHATLOOP :keep #x"]);
    assert_eq!(talk.typed("/stats"), ["CHATLOOP :stats"]);
    assert_eq!(talk.typed("/trace on"), ["CHATLOOP :trace on"]);
    assert_eq!(talk.typed("/loop"), ["CHATLOOP :loop"]);
    assert_eq!(talk.typed("/rehash"), ["REHASH"]);
    assert_eq!(talk.typed("/cert list"), ["CERT list"]);
    assert_eq!(talk.typed("/cert login"), Vec::<String>::new());
    talk.shown();
    talk.hear(":bob!b@h NOTICE $* :at noon|:srv FAIL CHATLOOP INVALID_PARAMS :no message 99|:srv 400 ada CHATLOOP :no message 99");
    assert_eq!(
        talk.shown(),
        ["* announcement from bob: at noon", "* no message 99", "* no message 99"]
    );
}

#[test]
fn numbers_are_those_of_the_room_and_the_server_knows_those_not_shown() {
    let mut talk = Talk::with("message-tags echo-message labeled-response batch chatloop/number");
    talk.hear("004 ada srv chatloop-0.1.0 o o");
    talk.hear("@msgid=7;chatloop/number=17 :bob!b@h PRIVMSG #x :tea?");
    assert_eq!(talk.typed("/re 17 yes"), ["@label=1;+draft/reply=7 PRIVMSG #x :yes"]);
    assert_eq!(talk.shown(), ["#x [bob]: tea?", "#x [You]: re 17 <bob> tea?: yes"]);
    assert_eq!(talk.typed("/re #y 17 no"), ["CHATLOOP :re #y 17 no"]);
    assert_eq!(talk.typed("/delete 3"), ["CHATLOOP :delete #x 3"]);
    talk.hear("@msgid=8 :bob!b@h PRIVMSG ada :psst");
    talk.hear("@msgid=9;+draft/reply=8 :bob!b@h PRIVMSG ada :psst, I say");
    assert_eq!(
        talk.shown(),
        ["<bell>", "[bob -> you]: psst", "<bell>", "[bob -> you]: re <bob> psst: psst, I say"]
    );
    talk.hear("@msgid=10 :ada!a@h PRIVMSG bob :pssst");
    talk.shown();
    assert!(talk.typed("/edit last psst").is_empty());
    assert!(talk.shown()[0].contains("this is a direct message"));
}

#[test]
fn a_query_sends_lines_to_one_user_until_it_ends() {
    let mut talk = Talk::plain();
    talk.typed("/query bob");
    assert_eq!(talk.session.destination(), Some("bob"));
    assert_eq!(talk.typed("psst"), ["PRIVMSG bob :psst"]);
    talk.hear(":bob!b@h NICK rob");
    assert_eq!(talk.typed("still there?"), ["PRIVMSG rob :still there?"]);
    assert_eq!(talk.typed("/me nods"), ["PRIVMSG rob :\u{1}ACTION nods\u{1}"]);
    assert_eq!(talk.typed("/say /psst"), ["PRIVMSG rob :/psst"]);
    assert!(talk.typed("/upload Cargo.toml").is_empty(), "a file for rob is not for the room");
    talk.typed("/query");
    assert_eq!(talk.typed("hello"), ["PRIVMSG #x :hello"]);
}

#[test]
fn joins_in_a_large_room_are_folded_until_the_next_message() {
    let mut talk = Talk::plain();
    let many: Vec<String> = (0..30).map(|number| format!("n{number}")).collect();
    let come = |nick: &str| format!(":{nick}!u@h JOIN #x");
    for nick in &many {
        talk.hear(&come(nick));
    }
    let shown = talk.shown();
    assert!(shown[0].starts_with("* n0 joined #x") && shown.len() < 21, "{shown:?}");
    talk.hear(":n3!u@h QUIT :bye|:n4!u@h PART #x|:n5!u@h PRIVMSG #x :hi");
    let shown = talk.shown();
    assert!(shown[0].starts_with("* in #x: joined: n"), "{shown:?}");
    assert!(shown[0].ends_with(" more; quit: n3; left: n4"), "{shown:?}");
    assert_eq!(shown[1..], ["#x [n5]: hi"]);
    talk.typed("/hide off");
    talk.hear(":n6!u@h QUIT :bye");
    assert!(talk.shown().last().unwrap().starts_with("* n6 quit (bye)"));
    talk.typed("/hide #x on");
    talk.shown();
    talk.hear(":n7!u@h QUIT :bye|:n8!u@h PRIVMSG #x :hi");
    assert_eq!(talk.shown(), ["#x [n8]: hi"]);
}

#[test]
fn many_own_words_at_once_are_not_shown_either() {
    const LINES: usize = 3_000;
    let mut talk = Talk::with("message-tags echo-message labeled-response batch");
    for number in 0..LINES {
        talk.session.typed(&[&format!("line {number}")], talk.now);
    }
    assert_eq!((talk.sent().len(), talk.shown().len()), (LINES, LINES));
    for number in 0..LINES {
        let label = number + 1;
        talk.hear(&format!("@label={label};msgid=m{number} :ada!a@h PRIVMSG #x :line {number}"));
    }
    assert_eq!(talk.shown(), Vec::<String>::new());
}

#[test]
fn a_message_to_nobody_was_not_said_to_them() {
    let mut talk = Talk::with("message-tags echo-message labeled-response batch");
    talk.typed("/msg nobody psst");
    talk.hear("@label=1 :srv 401 ada nobody :No such nick");
    assert_eq!(talk.shown(), ["* not sent to nobody: No such nick: psst"]);
    // A notice has no error, only no echo.
    talk.session.failed = false;
    talk.typed("/notice nobody psst");
    talk.hear("@label=2 :srv ACK");
    assert_eq!(talk.shown(), ["* not sent to nobody: the server did not deliver it: psst"]);
    assert!(talk.session.failed);
    talk.typed("/msg NickServ help");
    talk.hear("@label=3 :srv ACK");
    assert_eq!(talk.shown(), Vec::<String>::new());
}

#[test]
fn what_the_server_owes_changes_with_every_step() {
    let mut talk = Talk::with("message-tags echo-message labeled-response batch");
    assert_eq!(talk.session.owed(), None);
    talk.session.typed(&["one"], talk.now);
    let sent = talk.outgoing();
    let token = sent[1].strip_prefix("PING ").unwrap();
    let owed = talk.session.owed();
    assert!(owed.is_some());
    talk.hear(":bob!b@h PRIVMSG #x :one");
    assert_eq!(talk.session.owed(), owed, "others' words are no answer");
    talk.hear("@label=1;msgid=1 :ada!a@h PRIVMSG #x :one");
    assert!(talk.session.owed().is_some() && talk.session.owed() != owed);
    talk.hear(&format!(":srv PONG srv {token}"));
    assert_eq!(talk.session.owed(), None);
}

#[test]
fn without_echo_a_private_message_is_shown_at_once() {
    let mut talk = Talk::plain();
    assert_eq!(talk.typed("/msg bob psst"), ["PRIVMSG bob :psst"]);
    assert_eq!(talk.shown(), ["[you -> bob]: psst"]);
    assert_eq!(talk.typed("hello"), ["PRIVMSG #x :hello"]);
    assert_eq!(talk.shown(), ["#x [You]: hello"]);
    talk.hear(":bob!b@h PRIVMSG ada :what?");
    talk.shown();
    assert_eq!(talk.typed("/reply nothing"), ["PRIVMSG bob :nothing"]);
}

#[test]
fn several_lines_of_somebody_are_one_message() {
    let mut talk = Talk::with("batch message-tags draft/multiline=max-bytes=4000");
    talk.hear("@msgid=5 :bob!b@h BATCH +z draft/multiline #x|@batch=z :bob!b@h PRIVMSG #x :one|:bob!b@h PRIVMSG #x :between");
    talk.hear("@batch=z :bob!b@h PRIVMSG #x :how is |@batch=z;draft/multiline-concat :bob!b@h PRIVMSG #x :ada?|BATCH -z");
    assert_eq!(talk.shown(), ["#x [bob]: between", "<bell>", "*#x [bob]: one", "    how is ada?"]);
    assert_eq!(talk.typed("/re 1 fine"), ["@+draft/reply=5 PRIVMSG #x :fine"]);
}

#[test]
fn programs_are_answered_seldom_and_never_obeyed() {
    let mut talk = Talk::plain();
    let mut answers = Vec::new();
    for _ in 0..10 {
        talk.hear(":bob!b@h PRIVMSG ada :\x01VERSION\x01");
        answers.extend(talk.sent());
    }
    assert_eq!(answers.len(), 3);
    assert!(answers[0].starts_with("NOTICE bob :\u{1}VERSION chatloop-client "));
    talk.now = talk.now.checked_add(jiff::SignedDuration::from_secs(61)).unwrap();
    talk.hear(&format!(":bob!b@h PRIVMSG ada :\x01PING {}\x01", "9".repeat(400)));
    assert!(talk.sent()[0].len() < 100);
    talk.hear(
        ":bob!b@h PRIVMSG ada :\x01DCC SEND x 1 2 3\x01|:bob!b@h NOTICE ada :\x01VERSION\x01",
    );
    assert_eq!(talk.sent(), Vec::<String>::new());
}

#[test]
fn who_is_ignored_is_not_heard() {
    let mut talk = Talk::with("message-tags account-tag");
    talk.typed("/ignore BOB");
    talk.shown();
    talk.hear(
        ":bob!b@h PRIVMSG #x :hi|@account=bob :rob!b@h PRIVMSG ada :hi|:carol!c@h PRIVMSG #x :hi",
    );
    assert_eq!(talk.shown(), ["#x [carol]: hi"]);
    talk.typed("/unignore bob");
    talk.hear(":bob!b@h PRIVMSG #x :back");
    assert_eq!(
        talk.shown(),
        ["* you are no longer ignoring BOB", "#x [bob]: back"].map(|it| it.replace("BOB", "bob"))
    );
}

#[test]
fn a_line_with_a_name_of_any_length_is_dropped_and_a_text_of_any_length_is_not() {
    let mut talk = Talk::with("batch message-tags");
    let long = "n".repeat(300);
    for line in [
        format!(":{long}!u@h PRIVMSG #x :hi"),
        format!(":bob!u@h JOIN #{long}"),
        format!(":bob!u@h NICK {long}"),
        format!(":bob!u@h PRIVMSG #{long} :hi"),
        format!("332 ada #{long} :topic"),
        format!("BATCH +{long} chathistory #x"),
        format!(":bob!{long}{long}{long}@h PRIVMSG #x :hi"),
    ] {
        talk.hear(&line);
        assert_eq!(
            talk.shown(),
            ["* a line with a name of more than 256 bytes was dropped"],
            "{line}"
        );
    }
    talk.hear(&format!(":bob!u@h PRIVMSG #x :{long}"));
    assert!(talk.shown()[0].contains(&long));
    talk.hear(&format!("353 ada = #x :{long} bob"));
    assert!(!talk.shown().concat().contains("dropped"));
}

/// Anyone can say that a file was shared.
#[test]
fn a_shared_file_is_saved_under_the_name_that_was_asked_for() {
    let mut talk = Talk::plain();
    let url = "http://host.example/files/0/Makefile";
    for name in ["plan.pdf", "../plan.pdf", ".profile", "a\\b"] {
        let text = format!("shared {name} (3 bytes): {url}");
        talk.hear(&format!(":bob!b@h PRIVMSG #x :\u{1}ACTION {text}\u{1}"));
        let known = name == "plan.pdf";
        let (url, to) = if known { (url, Some(name.to_owned())) } else { (name, None) };
        assert!(talk.typed(&format!("/download {name}")).is_empty());
        let expected = FileRequest::Download { url: url.to_owned(), to };
        assert_eq!(talk.session.take_file_request(), Some(expected));
        talk.session.file_done(Ok(String::new()));
    }
}
