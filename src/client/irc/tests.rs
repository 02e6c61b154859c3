//! Dialogues with servers of several kinds, to the byte.

use super::*;
use crate::client::Gravity;
use proptest::prelude::*;

const NOW: i64 = 1_770_000_000;

/// A session, and what came of it.
struct Talk {
    session: Session,
    now: Timestamp,
}

fn wishes() -> Wishes {
    Wishes { nick: "ada".to_owned(), person: true, seed: 40, ..Wishes::default() }
}

impl Talk {
    fn new(wishes: Wishes) -> Talk {
        let now = Timestamp::from_second(NOW).unwrap();
        let mut session = Session::new(wishes, Bell::Mention);
        session.connected(now);
        Talk { session, now }
    }

    /// In, at a server without capabilities, in `#x` with bob.
    fn plain() -> Talk {
        let mut talk = Talk::new(wishes());
        talk.sent();
        talk.hear("421 * CAP :Unknown command|001 ada :Welcome ada!ada@host|376 ada :end");
        talk.enter("#x");
        talk
    }

    /// In, at a server with these capabilities, and in `#x` with bob.
    fn with(capabilities: &str) -> Talk {
        let mut talk = Talk::new(Wishes { rooms: vec!["#x".to_owned()], ..wishes() });
        talk.come_in(capabilities);
        talk.hear(":ada!a@h JOIN #x|353 ada = #x :ada @bob|366 ada #x :end");
        if capabilities.contains("chathistory") {
            assert_eq!(talk.sent(), ["CHATHISTORY LATEST #x * 20"]);
            talk.hear("BATCH +h chathistory #x|BATCH -h");
        }
        talk.sent();
        talk.shown();
        talk
    }

    fn come_in(&mut self, capabilities: &str) {
        self.hear(&format!("CAP * LS :{capabilities}"));
        let requests = self.sent();
        for request in requests.iter().filter(|line| line.starts_with("CAP REQ :")) {
            self.hear(&request.replace("CAP REQ", "CAP * ACK"));
        }
        self.hear(
            "001 ada :Welcome|005 ada CHATHISTORY=100 CHANTYPES=# :are supported|422 ada :no",
        );
        self.answer_pings();
    }

    fn enter(&mut self, room: &str) {
        self.session.typed(&format!("/join {room}"), self.now);
        self.hear(&format!(":ada!a@h JOIN {room}|353 ada = {room} :ada @bob|366 ada {room} :end"));
        self.sent();
        self.shown();
    }

    /// The server says lines, parted by `|`.
    fn hear(&mut self, lines: &str) {
        lines.split('|').for_each(|line| self.session.heard(line.as_bytes(), self.now));
    }

    fn outgoing(&mut self) -> Vec<String> {
        let bytes = self.session.take_outgoing();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.is_empty() || text.ends_with("\r\n"), "{text:?}");
        text.split_terminator("\r\n").map(str::to_owned).collect()
    }

    /// What was sent, without the PINGs, which are answered.
    fn sent(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let lines = self.outgoing();
            if lines.is_empty() {
                return all;
            }
            for line in lines {
                match line.strip_prefix("PING ") {
                    Some(token) => self.hear(&format!(":srv PONG srv {token}")),
                    None => all.push(line),
                }
            }
        }
    }

    fn answer_pings(&mut self) {
        let sent = self.sent();
        assert!(sent.iter().all(|line| !line.starts_with("PRIVMSG")), "{sent:?}");
    }

    fn typed(&mut self, line: &str) -> Vec<String> {
        self.session.typed(line, self.now);
        self.sent()
    }

    /// What is shown, as it looks without colours.
    fn shown(&mut self) -> Vec<String> {
        let zone = self.now.to_zoned(jiff::tz::TimeZone::UTC);
        let painter = crate::client::paint::Painter::new(false, false);
        let mut all = Vec::new();
        for item in self.session.take_shown() {
            match item {
                Shown::Said(heard) => all.extend(
                    painter
                        .heard(&heard, false, Some("    "), &zone)
                        .into_iter()
                        .map(|line| String::from_utf8(line).unwrap()),
                ),
                Shown::Words(text) => all.push(format!("* {text}")),
                Shown::Notice(notice) => all.push(format!("-- {}", notice.text)),
                Shown::Bell => all.push("<bell>".to_owned()),
                Shown::Line(line) | Shown::Raw(line) => {
                    all.push(format!("raw {}", String::from_utf8_lossy(&line)));
                }
            }
        }
        all
    }

    /// The connection is lost, and made again.
    fn connect_again(&mut self) {
        assert_eq!(self.session.disconnected(), None);
        self.session.connected(self.now);
    }
}

#[test]
fn registration_with_everything() {
    let mut talk = Talk::new(Wishes {
        password: Some("word".to_owned().into()),
        account: Some(("ada".to_owned(), "secret".to_owned().into())),
        ..wishes()
    });
    assert_eq!(talk.outgoing(), ["CAP LS 302", "PASS :word", "NICK ada", "USER ada 0 * :ada"]);
    assert!(!talk.session.has_answered());
    talk.hear(":srv NOTICE * :looking up|CAP * LS * :batch chghost unknown=x|CAP * LS :server-time sasl=PLAIN");
    assert!(talk.session.has_answered());
    assert_eq!(talk.outgoing(), ["CAP REQ :batch chghost server-time sasl"]);
    talk.hear("CAP * NAK :batch chghost server-time sasl");
    assert_eq!(
        talk.outgoing(),
        ["CAP REQ :batch", "CAP REQ :chghost", "CAP REQ :server-time", "CAP REQ :sasl"]
    );
    talk.hear("CAP * ACK :batch|CAP * NAK :chghost|CAP * ACK :server-time");
    assert_eq!(talk.outgoing(), Vec::<String>::new());
    talk.hear("CAP * ACK :sasl ");
    assert_eq!(talk.outgoing(), ["AUTHENTICATE PLAIN"]);
    talk.hear("AUTHENTICATE +");
    assert_eq!(talk.outgoing(), ["AUTHENTICATE AGFkYQBzZWNyZXQ="]);
    talk.hear("900 ada ada!a@h ada :You are now logged in as ada|903 ada :success");
    assert_eq!(talk.outgoing(), ["CAP END"]);
    talk.hear(":srv 001 ada :Welcome|:srv 004 ada srv chatloop-9.9 o o|:srv 005 ada NETWORK=net :are supported|:srv 422 ada :none");
    assert_eq!(talk.sent(), ["JOIN #lobby"]);
    let shown = talk.shown();
    assert_eq!(
        shown,
        ["* looking up", "* connected as ada to net; /help lists the commands, /quit leaves"]
    );
    assert!(!shown.concat().contains("secret"));
}

#[test]
fn servers_that_know_no_capabilities() {
    for answer in ["421 ada CAP :Unknown command|", "451 * :You have not registered|", ""] {
        let mut talk = Talk::new(wishes());
        talk.sent();
        talk.hear(&format!("{answer}:srv 001 ada :Welcome to the network ada"));
        // Not even the end of a message of the day: the answer to a PING will do.
        assert_eq!(talk.sent(), Vec::<String>::new());
        let shown = talk.shown();
        assert!(shown[0].starts_with("* connected as ada to srv"), "{shown:?}");
        assert!(shown[1].contains("in no room yet"), "{shown:?}");
    }
}

#[test]
fn a_nick_that_is_taken_gets_digits() {
    let mut talk = Talk::new(wishes());
    talk.sent();
    for (numeric, next) in
        [(433, "ada1"), (433, "ada2"), (437, "ada3"), (433, "ada44"), (433, "ada45")]
    {
        talk.hear(&format!("{numeric} * x :no"));
        assert_eq!(talk.outgoing(), [format!("NICK {next}")]);
    }
    assert_eq!(talk.shown()[0], "* ada: no; trying ada1");
    talk.hear("001 ada45 :Welcome");
    assert_eq!(talk.session.nick(), "ada45");
    let mut talk = Talk::new(Wishes { nick: "Ümit.the.9th".to_owned(), ..wishes() });
    talk.sent();
    talk.hear("432 * x :Erroneous nickname");
    assert_eq!(talk.outgoing(), ["NICK mitthe9t"]);
    for _ in 0..8 {
        talk.hear("433 * x :taken");
        assert!(talk.outgoing()[0].len() <= "NICK ".len() + 9);
    }
    talk.hear("433 * x :taken");
    assert!(matches!(talk.session.take_verdict(), Some(Verdict::Refused(_))));
}

#[test]
fn what_is_no_irc_is_told() {
    for line in [
        "* connected as guest1, 1 user online",
        "<announce> 1.2.3.4 is connected",
        "hello",
        "\x07[2J",
    ] {
        let mut talk = Talk::new(wishes());
        talk.sent();
        talk.hear(line);
        let Some(Verdict::NotIrc(why)) = talk.session.take_verdict() else { panic!("{line}") };
        assert!(why.contains("--plain") && !why.contains('\x07'), "{why}");
        assert_eq!(talk.outgoing(), Vec::<String>::new());
    }
    let mut silent = Talk::new(wishes());
    silent.session.waited_enough();
    assert!(matches!(silent.session.take_verdict(), Some(Verdict::NotIrc(_))));
    let mut closed = Talk::new(wishes());
    assert!(closed.session.disconnected().unwrap().contains("--plain"));
}

#[test]
fn who_is_not_let_in_is_told_why() {
    for (line, why) in [
        ("464 ada :Password incorrect", "CHATLOOP_PASSWORD"),
        ("465 ada :You are banned", "You are banned"),
        ("ERROR :Closing link: too many", "too many"),
    ] {
        let mut talk = Talk::new(wishes());
        talk.hear(line);
        let Some(Verdict::Refused(text)) = talk.session.take_verdict() else { panic!("{line}") };
        assert!(text.contains(why), "{text}");
    }
    let account = Some(("ada".to_owned(), "wrong".to_owned().into()));
    for person in [true, false] {
        let mut talk = Talk::new(Wishes { account: account.clone(), person, ..wishes() });
        talk.sent();
        talk.hear("CAP * LS :sasl|CAP * ACK :sasl|AUTHENTICATE +|904 ada :SASL failed");
        match person {
            true => assert_eq!(talk.sent().last().unwrap(), "CAP END", "a person goes in without"),
            false => assert!(talk.session.take_verdict().is_some(), "a script does not"),
        }
    }
}

#[test]
fn people_come_and_go_in_the_words_of_the_plain_dialect() {
    let mut talk = Talk::new(Wishes { rooms: vec!["#x".to_owned()], ..wishes() });
    talk.come_in("");
    talk.shown();
    talk.hear(":ada!a@h JOIN #x|332 ada #x :all \x0304about\x03 it|333 ada #x bob!b@h 1770000000");
    talk.hear("353 ada = #x :@bob ada|353 ada = #x :+carol|366 ada #x :End");
    assert_eq!(
        talk.shown(),
        ["* you are in #x now, 3 users there: @bob +carol ada; topic: all about it"]
    );
    for (line, shown) in [
        (":dan!d@h JOIN #x", "dan entered #x, 4 users there"),
        (":erin!d@h JOIN #x erin :Erin", "erin entered #x, 5 users there"),
        (":dan!d@h PART #x :bye \x02now", "dan left #x (bye now), 4 users there"),
        (":bob!b@h KICK #x erin :enough", "bob has put erin out of #x (enough)"),
        (":bob!b@h MODE #x +ov carol ada", "bob has changed #x: +ov carol ada"),
        (":bob!b@h TOPIC #x :new", "bob has set the topic of #x: new"),
        (":bob!b@h TOPIC #x :", "bob has cleared the topic of #x"),
        (":carol!c@h NICK caro", "carol is caro now"),
        (":caro!c@h QUIT :Ping timeout", "the user caro left (Ping timeout), 2 users in #x"),
        (":bob!b@h AWAY :lunch", "bob is away: lunch"),
        (":bob!b@h AWAY", "bob is back"),
        (":bob!b@h INVITE ada #y", "bob invites you to #y; /join #y enters it"),
        (":bob!b@h ACCOUNT robert", "bob is logged in as robert"),
        (":srv NOTICE ada :maintenance at noon", "maintenance at noon"),
        (":ada!a@h NICK countess", "you are countess now"),
        (
            "403 ada #nowhere :No such channel",
            "there is no room #nowhere; /join #nowhere opens one",
        ),
        ("WARN X CODE something :take care", "take care (X CODE, something)"),
        ("999 ada some words :and a text", "some words: and a text"),
        (":bob!b@h KICK #x countess :you, too", "bob has put you out of #x (you, too)"),
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
    assert_eq!(talk.shown(), ["* a part of the network is gone: 1 user left"]);
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
            "* bob reacts to #x 2 <bob>: +1",
            "* bob has deleted #x 2 <bob> (typo)",
            "* bob has deleted a message in #x",
        ]
    );
}

#[test]
fn own_words_are_not_shown_twice_and_have_numbers() {
    let mut talk = Talk::with("message-tags echo-message labeled-response batch");
    assert_eq!(talk.typed("hello"), ["@label=1 PRIVMSG #x :hello"]);
    talk.hear("@label=1;msgid=7 :ada!a@h PRIVMSG #x :hello");
    assert_eq!(talk.shown(), Vec::<String>::new());
    assert_eq!(talk.typed("/re 1 and more"), ["@label=2;+draft/reply=7 PRIVMSG #x :and more"]);
    talk.hear("@msgid=8 :ada!a@h PRIVMSG #x :from my other client");
    assert_eq!(talk.shown(), ["#x [ada]: from my other client"]);
    assert_eq!(talk.typed("/msg bob psst"), ["@label=3 PRIVMSG bob :psst"]);
    assert_eq!(talk.shown(), Vec::<String>::new());
    talk.hear("@label=3;msgid=9 :ada!a@h PRIVMSG bob :psst");
    assert_eq!(talk.shown(), ["[you -> bob]: psst"]);
    talk.typed("is it moderated?");
    talk.hear("@label=4 404 ada #x :Cannot send to channel");
    assert_eq!(talk.shown(), ["* not said in #x: Cannot send to channel: is it moderated?"]);
    assert!(talk.session.has_failed());
}

#[test]
fn without_echo_a_private_message_is_shown_at_once() {
    let mut talk = Talk::plain();
    assert_eq!(talk.typed("/msg bob psst"), ["PRIVMSG bob :psst"]);
    assert_eq!(talk.shown(), ["[you -> bob]: psst"]);
    assert_eq!(talk.typed("hello"), ["PRIVMSG #x :hello"]);
    assert_eq!(talk.shown(), Vec::<String>::new());
    talk.hear(":bob!b@h PRIVMSG ada :what?");
    talk.shown();
    assert_eq!(talk.typed("/reply nothing"), ["PRIVMSG bob :nothing"]);
}

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
    assert!(talk.session.has_said_farewell());
    let text = talk.shown().concat();
    assert!(!text.contains("hunter22") && !talk.session.has_failed(), "{text}");
}

#[test]
fn what_cannot_be_done_is_said_with_the_right_form() {
    let mut talk = Talk::plain();
    for (typed, shown) in [
        (
            "/frobnicate",
            "there is no command /frobnicate; /help lists them all, /quote LINE sends a line as it is, //frobnicate says \"/frobnicate\"",
        ),
        (
            "/lgoin ada secret",
            "there is no such command; was it /login? /help login shows its form",
        ),
        ("/msg bob", "that cannot be understood; form: /msg NICK TEXT"),
        ("/nick", "something is missing; form: /nick NAME"),
        ("/join x", "\"x\" is no room; a room's name begins with #: #x"),
        ("/re 5 hm", "there is no message 5; /numbers on shows the numbers, and so does /history"),
        ("/history", "this server keeps no history"),
        ("@#nowhere hi", "you are not in #nowhere; /join #nowhere enters it"),
        ("/nick :x", "no name begins with a colon"),
    ] {
        assert_eq!(talk.typed(typed), Vec::<String>::new());
        assert_eq!(talk.shown(), [format!("* {shown}")]);
    }
    assert!(talk.session.has_failed());
}

#[test]
fn a_paste_is_one_message_where_that_can_be() {
    let mut talk = Talk::with(
        "batch message-tags labeled-response echo-message draft/multiline=max-bytes=40,max-lines=3",
    );
    talk.session.pasted(&["one", "", "/three"], talk.now);
    let expected = [
        "@label=1 BATCH +1 draft/multiline #x",
        "@batch=1 PRIVMSG #x :one",
        "@batch=1 PRIVMSG #x :",
        "@batch=1 PRIVMSG #x :/three",
        "BATCH -1",
    ];
    assert_eq!(talk.sent(), expected);
    talk.hear("@label=1;msgid=5 :ada!a@h BATCH +z draft/multiline #x|@batch=z :ada!a@h PRIVMSG #x :one|@batch=z :ada!a@h PRIVMSG #x :|@batch=z :ada!a@h PRIVMSG #x :/three|BATCH -z");
    assert_eq!(talk.shown(), Vec::<String>::new());
    // Four lines are two messages here, and the single one that is left needs no batch.
    talk.session.pasted(&["1", "2", "3", "4"], talk.now);
    assert_eq!(talk.sent().last().unwrap(), "@label=3 PRIVMSG #x :4");
    let mut talk = Talk::plain();
    talk.session.pasted(&["one", "", "/three"], talk.now);
    assert_eq!(talk.sent(), ["PRIVMSG #x :one", "PRIVMSG #x :/three"]);
    talk.session.pasted(&["/me one", "/me two"], talk.now);
    assert_eq!(talk.sent().len(), 2, "commands are commands");
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
fn after_a_loss_everything_is_as_it_was() {
    let mut talk = Talk::with(
        "batch message-tags server-time echo-message labeled-response draft/chathistory",
    );
    talk.session.typed("/join #y key", talk.now);
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
    assert_eq!(talk.sent(), ["JOIN #x", "JOIN #y key"]);
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
            "-- 2 messages were missed in #x:",
            "- 2 2026-02-02 10:02 #x [bob]: three",
            "- 3 2026-02-02 10:05 #x [bob]: four",
            "-- back in #y as ada1",
            "-- perhaps nobody has heard your: never heard",
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
    assert_eq!(shown[0], "* #y cannot be entered: Cannot join channel (+i)");
    assert!(
        shown[1].starts_with("-- back in #x as ada; this server keeps no history"),
        "{shown:?}"
    );
    assert_eq!(shown.len(), 2, "the PONG had confirmed the words: {shown:?}");
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
        ["* you no longer ignore BOB", "#x [bob]: back"].map(|it| it.replace("BOB", "bob"))
    );
}

#[test]
fn login_later_and_its_password_for_the_next_time() {
    let mut talk = Talk::with("sasl batch");
    assert_eq!(talk.typed("/login secret"), ["CAP REQ :sasl", "AUTHENTICATE PLAIN"]);
    talk.hear("CAP ada ACK :sasl|AUTHENTICATE +");
    assert_eq!(talk.sent(), ["AUTHENTICATE AGFkYQBzZWNyZXQ="]);
    talk.hear("900 ada ada!a@h ada :logged in|903 ada :success");
    assert_eq!(talk.shown(), ["* you are logged in as ada"]);
    talk.connect_again();
    talk.hear("CAP * LS :sasl|CAP * ACK :sasl|AUTHENTICATE +");
    assert!(talk.sent().contains(&"AUTHENTICATE AGFkYQBzZWNyZXQ=".to_owned()));
}

#[test]
fn errors_are_grave_and_notes_are_not() {
    let mut talk =
        Talk::new(Wishes { account: Some(("a".to_owned(), "b".to_owned().into())), ..wishes() });
    talk.hear("CAP * LS :batch|CAP * ACK :batch");
    let shown = talk.session.take_shown();
    assert!(
        matches!(&shown[..], [Shown::Notice(notice)] if notice.gravity == Gravity::Error),
        "{shown:?}"
    );
}

proptest! {
    /// Whatever a text is, its lines fit with our prefix in front, and together they are the text.
    #[test]
    fn no_line_is_cut_on_its_way(text in "[a-zé👩‍👧 ]{1,2000}", multiline: bool, host in "[a-z.]{1,60}") {
        let offered = if multiline { "batch message-tags draft/multiline=max-bytes=9000" } else { "" };
        let mut talk = Talk::with(offered);
        talk.hear(&format!(":ada!~ada@{host} MODE #x +t"));
        talk.session.typed(&format!("/say x{text}"), talk.now);
        let mut whole = String::new();
        for line in talk.sent() {
            let body = line.split_once(" PRIVMSG ").map_or(line.as_str(), |(_, body)| body);
            let body = body.strip_prefix("PRIVMSG ").unwrap_or(body);
            if let Some(text) = body.strip_prefix("#x :") {
                let arrives = format!(":ada!~ada@{host} PRIVMSG #x :{text}\r\n");
                prop_assert!(arrives.len() <= 512, "{}", arrives.len());
                whole += text;
            }
        }
        // Blank pieces say nothing and are not sent.
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(squeezed(&whole), squeezed(&format!("x{text}")));
    }

    #[test]
    fn whatever_comes_nothing_harmful_is_shown(
        lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20),
    ) {
        let mut talk = Talk::with("batch message-tags draft/chathistory draft/multiline=max-bytes=100");
        for line in &lines {
            talk.session.heard(line, talk.now);
        }
        check_harmless(&mut talk)?;
    }

    /// Lines that are nearly right find more than noise does.
    #[test]
    fn near_misses_are_harmless(lines in proptest::collection::vec(near_miss(), 0..30)) {
        let mut talk = Talk::with("batch message-tags draft/chathistory draft/multiline=max-bytes=100");
        for line in &lines {
            talk.session.heard(line.as_bytes(), talk.now);
        }
        check_harmless(&mut talk)?;
    }

    #[test]
    fn whatever_is_typed_each_line_is_one_line(
        lines in proptest::collection::vec("(/[a-z]{1,8} )?[ -~é\\t\u{1}\u{7}\r\0:#@x1]{0,30}", 1..10), multiline: bool,
    ) {
        let offered = if multiline { "batch message-tags draft/chathistory draft/multiline=max-bytes=100" } else { "" };
        let mut talk = Talk::with(offered);
        lines.iter().for_each(|line| talk.session.typed(line, talk.now));
        let pasted: Vec<&str> = lines.iter().map(String::as_str).collect();
        talk.session.pasted(&pasted, talk.now);
        for line in talk.sent() {
            prop_assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        }
        check_harmless(&mut talk)?;
    }
}

fn near_miss() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("#x".to_owned()),
        Just("ada".to_owned()),
        Just("bob".to_owned()),
        Just("+o".to_owned()),
        Just("a".to_owned()),
        Just("+a".to_owned()),
        Just("-a".to_owned()),
        Just("chathistory".to_owned()),
        Just("draft/multiline".to_owned()),
        Just("*".to_owned()),
        "[\\x01-\\x1f€a-z]{0,5}",
    ];
    let command = prop_oneof![
        Just("PRIVMSG"),
        Just("NOTICE"),
        Just("BATCH"),
        Just("JOIN"),
        Just("PART"),
        Just("QUIT"),
        Just("NICK"),
        Just("MODE"),
        Just("KICK"),
        Just("TOPIC"),
        Just("CAP"),
        Just("TAGMSG"),
        Just("REDACT"),
        Just("FAIL"),
        Just("AUTHENTICATE"),
        Just("001"),
        Just("005"),
        Just("353"),
        Just("366"),
        Just("322"),
        Just("317"),
        Just("404"),
        Just("ERROR"),
        Just("PING"),
        Just("CHGHOST"),
    ];
    let tags = prop_oneof![
        Just(""),
        Just("@batch=a "),
        Just("@batch=a;msgid=1;time=2026-02-02T10:00:00Z "),
        Just("@label=1 ")
    ];
    let source = prop_oneof![Just(""), Just(":ada!a@h "), Just(":bob!b@h "), Just(":srv ")];
    (tags, source, command, proptest::collection::vec(word, 0..5)).prop_map(
        |(tags, source, command, words)| {
            let (last, words) =
                words.split_last().map_or((String::new(), String::new()), |(last, words)| {
                    (last.clone(), words.join(" "))
                });
            format!("{tags}{source}{command} {words} :{last}")
        },
    )
}

fn check_harmless(talk: &mut Talk) -> Result<(), TestCaseError> {
    for item in talk.session.take_shown() {
        let text = match item {
            Shown::Said(heard) => {
                format!("{}{}", heard.nick, heard.text.replace('\n', "")) + &heard.answers()
            }
            Shown::Words(text) => text,
            Shown::Notice(notice) => notice.text,
            Shown::Line(_) | Shown::Raw(_) | Shown::Bell => continue,
        };
        prop_assert!(!text.chars().any(|c| c.is_control() && c != '\t'), "{:?}", text);
    }
    Ok(())
}
