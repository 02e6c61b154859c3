//! Typed lines, and the lines that the server is sent for them.

use super::*;

#[test]
fn a_password_for_a_service_is_not_shown() {
    for capabilities in ["", "echo-message labeled-response batch"] {
        let mut talk = Talk::with(capabilities);
        let sent = talk.typed("/msg NickServ IDENTIFY secret");
        assert!(sent[0].ends_with("PRIVMSG NickServ :IDENTIFY secret"));
        if sent[0].starts_with('@') {
            talk.hear("@label=1 :ada!a@h PRIVMSG NickServ :IDENTIFY secret");
        }
        assert_eq!(talk.shown(), ["[you -> NickServ]: ••••••••"]);
        talk.typed("/msg NickServ IDENTIFY secret");
        talk.connect_again();
        talk.sent();
        talk.hear("001 ada :Welcome|376 ada :end|:ada!a@h JOIN #x|366 ada #x :end");
        let shown = talk.shown().concat();
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[test]
fn commands_become_lines() {
    let mut talk = Talk::with(
        "batch draft/chathistory message-tags draft/message-redaction draft/account-registration",
    );
    talk.hear("@msgid=m1 :bob!b@h PRIVMSG #x :first");
    for (typed, sent) in [
        ("//etc is a path", "PRIVMSG #x :/etc is a path"),
        ("@#x from afar", "PRIVMSG #x :from afar"),
        ("/me waves", "PRIVMSG #x :\u{1}ACTION waves\u{1}"),
        ("/say /quit", "PRIVMSG #x :/quit"),
        ("\u{1}VERSION\u{1}", "PRIVMSG #x :\u{2401}VERSION\u{2401}"),
        ("/me \u{1}DCC", "PRIVMSG #x :\u{1}ACTION \u{2401}DCC\u{1}"),
        ("/notice #x :)", "NOTICE #x ::)"),
        ("/join #y key", "JOIN #y key"),
        ("/part #x good bye", "PART #x :good bye"),
        ("/part good bye", "PART #x :good bye"),
        ("/topic", "TOPIC #x"),
        ("/topic #x a b", "TOPIC #x :a b"),
        ("/topic -", "TOPIC #x :"),
        ("/list", "LIST"),
        ("/who *", "WHO *"),
        ("/names #z", "NAMES #z"),
        ("/invite bob", "INVITE bob #x"),
        ("/op bob", "MODE #x +o bob"),
        ("/devoice bob #z", "MODE #z -v bob"),
        ("/kick bob go away", "KICK #x bob :go away"),
        ("/kick #z bob", "KICK #z bob"),
        ("/ban bob", "MODE #x +b bob!*@*"),
        ("/ban", "MODE #x b"),
        ("/unban #z *!*@h", "MODE #z -b *!*@h"),
        ("/lock moderated", "MODE #x +m"),
        ("/lock #z key word", "MODE #z +k word"),
        ("/lock limit 5", "MODE #x +l 5"),
        ("/unlock limit", "MODE #x -l"),
        ("/unlock #z key", "MODE #z -k *"),
        ("/unlock topic", "MODE #x -t"),
        ("/mode +m", "MODE #x +m"),
        ("/mode #z +m", "MODE #z +m"),
        ("/nick lovelace", "NICK lovelace"),
        ("/away", "AWAY :away"),
        ("/back", "AWAY"),
        ("/whois bob", "WHOIS bob"),
        ("/history", "CHATHISTORY LATEST #x * 20"),
        ("/history bob 5", "CHATHISTORY LATEST bob * 5"),
        ("/history before 1 5", "CHATHISTORY BEFORE #x msgid=m1 5"),
        ("/react 1 :+1:", "@+draft/reply=m1;+draft/react=+1 TAGMSG #x"),
        ("/delete 1", "REDACT #x m1"),
        ("/register hunter22", "REGISTER * * :hunter22"),
        ("/oper root word", "OPER root word"),
        ("/quote PRIVMSG #x :raw line", "PRIVMSG #x :raw line"),
        ("/QUIT see you", "QUIT :see you"),
    ] {
        assert_eq!(talk.typed(typed), [sent], "{typed}: {:?}", talk.shown());
    }
    assert!(talk.session.has_quit());
    let text = talk.shown().concat();
    assert!(!text.contains("hunter22") && !talk.session.failed, "{text}");
}

#[test]
fn what_cannot_be_done_is_said_with_the_right_form() {
    let mut talk = Talk::plain();
    for (typed, shown) in [
        (
            "/frobnicate",
            "unknown command /frobnicate (try /help; to send it as text, type //frobnicate)",
        ),
        (
            "/lgoin ada secret",
            "unknown command; did you mean /login? (/help login shows its usage)",
        ),
        ("/msg bob", "invalid arguments; usage: /msg NICK TEXT"),
        ("/nick", "missing arguments; usage: /nick NAME"),
        ("/join x", "invalid room name \"x\": room names begin with # (try #x)"),
        ("/re 5 hm", "message 5 of #x was not shown here (/numbers on shows the numbers)"),
        ("/re #y 1 hm", "message 1 of #y was not shown here (/numbers on shows the numbers)"),
        ("/re #x 1", "missing arguments; usage: /re [#room] N TEXT"),
        ("/history", "this server does not keep history"),
        ("@#nowhere hi", "you are not in #nowhere (try /join #nowhere)"),
        ("/nick :x", "names cannot begin with a colon"),
    ] {
        assert_eq!(talk.typed(typed), Vec::<String>::new());
        assert_eq!(talk.shown(), [format!("* {shown}")]);
    }
    assert!(talk.session.failed);
}

#[test]
fn a_paste_is_one_message_where_that_can_be() {
    let mut talk = Talk::with(
        "batch message-tags labeled-response echo-message draft/multiline=max-bytes=40,max-lines=3",
    );
    talk.session.typed(&["one", "", "/three"], talk.now);
    let expected = [
        "@label=1 BATCH +1 draft/multiline #x",
        "@batch=1 PRIVMSG #x :one",
        "@batch=1 PRIVMSG #x :",
        "@batch=1 PRIVMSG #x :/three",
        "BATCH -1",
    ];
    assert_eq!(talk.sent(), expected);
    assert_eq!(talk.shown(), ["#x [You]: one", "", "    /three"]);
    talk.hear("@label=1;msgid=5 :ada!a@h BATCH +z draft/multiline #x|@batch=z :ada!a@h PRIVMSG #x :one|@batch=z :ada!a@h PRIVMSG #x :|@batch=z :ada!a@h PRIVMSG #x :/three|BATCH -z");
    assert_eq!(talk.shown(), Vec::<String>::new());
    // Four lines are two messages here, and the single one that is left needs no batch.
    talk.session.typed(&["1", "2", "3", "4"], talk.now);
    assert_eq!(talk.sent().last().unwrap(), "@label=3 PRIVMSG #x :4");
    let mut talk = Talk::plain();
    talk.session.typed(&["one", "", "/three"], talk.now);
    assert_eq!(talk.sent(), ["PRIVMSG #x :one", "PRIVMSG #x :/three"]);
    talk.session.typed(&["/me one", "/me two"], talk.now);
    assert_eq!(talk.sent().len(), 2, "commands are commands");
}

#[test]
fn a_room_is_locked_only_by_what_there_is() {
    let mut talk = Talk::plain();
    for (typed, why) in [
        ("/lock", "missing arguments"),
        ("/lock #x", "missing lock name"),
        ("/lock door", "unknown lock \"door\""),
        ("/lock limit none", "the limit must be a number above 0"),
        ("/lock key", "missing key"),
        ("/unlock limit 5", "unknown lock \"limit\""),
    ] {
        assert_eq!(talk.typed(typed), Vec::<String>::new());
        let shown = talk.shown().concat();
        assert!(shown.contains(why) && shown.contains("usage: /"), "{typed}: {shown}");
    }
}

#[test]
fn somebody_is_muted_in_the_way_that_the_server_knows() {
    for (tokens, sent) in [
        ("EXTBAN=,am", Some("MODE #x +b m:bob!*@*")),
        ("EXTBAN=~,qm", Some("MODE #x +b ~m:bob!*@*")),
        ("EXTBAN=$,arxz CHANMODES=eIbq,k,flj,mnt", Some("MODE #x +q bob!*@*")),
        ("CHANMODES=b,k,l,mnt", None),
    ] {
        let mut talk = Talk::plain();
        talk.hear(&format!("005 ada {tokens} :are supported"));
        assert_eq!(talk.typed("/mute bob"), Vec::from_iter(sent), "{tokens}");
        assert_eq!(talk.shown().concat().contains("does not support mute"), sent.is_none());
        let undone = sent.map(|sent| sent.replace("+", "-").replace("#x", "#z"));
        assert_eq!(talk.typed("/unmute #z bob"), Vec::from_iter(undone), "{tokens}");
    }
}

#[test]
fn what_only_a_chatloop_server_has_is_said() {
    let mut talk = Talk::with("message-tags");
    talk.hear("@msgid=7 :ada!a@h PRIVMSG #x :mine");
    talk.shown();
    for command in ["edit 1 x", "thread 1", "logout", "gban"] {
        assert_eq!(talk.typed(&format!("/{command}")), Vec::<String>::new());
        assert_eq!(talk.shown(), ["* only a chatloop server has that command"]);
    }
    talk.typed("/search x");
    assert_eq!(talk.shown(), ["* this server does not support search"]);
    assert!(talk.session.failed);
}

#[test]
fn help_fits_a_small_screen() {
    let mut talk = Talk::plain();
    talk.typed("/help");
    let topics = talk.shown();
    assert!(topics.len() <= 11 && topics.iter().all(|line| line.len() <= 33), "{topics:#?}");
    for topic in &topics[1..topics.len() - 1] {
        talk.typed(&format!("/help {}", topic[3..].trim().split(' ').next().unwrap()));
        let lines = talk.shown();
        assert!((1..=14).contains(&lines.len()), "{lines:#?}");
    }
    talk.typed("/help all");
    assert_eq!(talk.shown().len(), super::super::commands::all().count() + 1);
}

#[test]
fn history_before_and_after_a_time_or_a_message() {
    let mut talk = Talk::with("batch message-tags draft/chathistory");
    talk.hear("005 ada CHATHISTORY=100 :are supported");
    talk.hear("@msgid=7 :bob!b@h PRIVMSG #x :hi");
    assert_eq!(talk.typed("/history after 1"), ["CHATHISTORY AFTER #x msgid=7 20"]);
    let sent = talk.typed("/history before 2026-01-31T12:30Z 5");
    assert_eq!(sent, ["CHATHISTORY BEFORE #x timestamp=2026-01-31T12:30:00.000Z 5"]);
    assert!(talk.typed("/history after 10m").concat().contains("AFTER #x timestamp="));
}

#[test]
fn what_looks_like_a_login_is_held_back_however_it_is_spelt() {
    let mut talk = Talk::plain();
    for typed in [
        " /login alice correct-horse",
        "login alice correct-horse",
        "./login alice correct-horse",
        "/me /login alice correct-horse",
        "/msg bob login alice correct-horse",
        "register correct-horse",
        "oper root correct-horse",
        "PASS correct-horse",
        "@#x identify alice correct-horse",
    ] {
        assert_eq!(talk.typed(typed), Vec::<String>::new(), "{typed}");
        let shown = talk.shown().concat();
        assert!(shown.contains("not sent: it looks like"), "{typed}: {shown}");
        assert!(!shown.contains("correct"), "{typed}: {shown}");
    }
    assert!(talk.session.failed, "a script exits with an error");
    assert_eq!(talk.typed("/say login alice x"), ["PRIVMSG #x :login alice x"]);
    let identify = "PRIVMSG NickServ :IDENTIFY correct-horse";
    assert_eq!(talk.typed("/msg NickServ IDENTIFY correct-horse"), [identify]);
    assert_eq!(talk.typed("login is broken again"), ["PRIVMSG #x :login is broken again"]);
}

#[test]
fn a_list_without_rows_says_so() {
    let mut talk = Talk::plain();
    for (ask, rows, end, empty) in [
        ("/ban", ":srv 367 ada #x bob!*@*", ":srv 368 ada #x :End", "* no bans in #x"),
        (
            "/who z*",
            ":srv 352 ada * b h srv bob H :0 Bob",
            ":srv 315 ada z* :End",
            "* no user matches z*",
        ),
        ("/list", ":srv 322 ada #x 1 :tea", ":srv 323 ada :End of /LIST", "* no rooms found"),
    ] {
        talk.typed(ask);
        talk.hear(end);
        assert_eq!(talk.shown(), [empty]);
        talk.hear(&format!("{rows}|{end}"));
        assert_eq!(talk.shown().len(), 1, "{ask}");
        talk.hear(rows);
        talk.typed("/away");
        talk.hear(end);
        assert_eq!(talk.shown().len(), 1, "{ask}: its end is no empty list");
    }
}

#[test]
fn the_rows_of_one_answer_do_not_count_for_the_next() {
    let mut talk = Talk::plain();
    // A script types all of its lines before the first answer.
    for line in ["/names #other", "/ban", "/who *", "/list"] {
        talk.typed(line);
    }
    talk.hear(":srv 353 ada = #other :bob|:srv 366 ada #other :End|:srv 368 ada #x :End");
    assert_eq!(talk.shown(), ["* in #other: bob", "* no bans in #x"]);
    for number in 0..2 * ROWS_SHOWN {
        talk.hear(&format!(":srv 352 ada * u h srv u{number} H :0 U"));
    }
    talk.hear(":srv 315 ada * :End");
    assert_eq!(talk.shown().len(), ROWS_SHOWN);
    talk.hear(":srv 322 ada #x 1 :tea|:srv 323 ada :End");
    assert_eq!(talk.shown(), ["* #x 1 user: tea"]);
}
