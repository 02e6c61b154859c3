//! IRC over real sockets: coming in, talking with plain clients, and bad input.

use crate::common::{Client, Server};
use crate::irc::{ask, ask_bare, irc, line, server};
use chatloop_reactor::Backend;
use std::time::Duration;

per_backend! {
    a_plain_and_an_irc_client_talk_in_one_room
}

#[test]
fn a_client_registers_and_is_welcomed_in_order() {
    let server = server(&[]);
    let mut ada = Client::connect(server.address);
    ada.send("CAP LS 302\r\n");
    // There are more than fit one line: all but the last have a star.
    let first = line(&mut ada);
    assert!(
        first.starts_with(":irc.example.org CAP * LS * :draft/account-registration "),
        "{first}"
    );
    while line(&mut ada).starts_with(":irc.example.org CAP * LS * :") {}
    // In pieces, as a slow line brings them.
    for piece in ["NI", "CK a", "da\r", "\nUSER ada 0 * :Ada", " L.\r\n"] {
        ada.send(piece);
    }
    let welcome = ask(&mut ada, "CAP REQ :server-time\r\nCAP END");
    let expected = [
        ":irc.example.org CAP ada ACK :server-time",
        ":irc.example.org 001 ada :Welcome to the Test chat, ada!~ada@127.0.0.1",
        ":irc.example.org 002 ada :Your host is irc.example.org, running chatloop-0.1.0",
    ];
    assert_eq!(&welcome[..3], expected);
    let numbers: Vec<&str> = welcome[1..].iter().map(|line| &line[17..20]).collect();
    let expected = "001 002 003 004 005 005 005 251 252 253 254 255 265 266 422";
    assert_eq!(numbers.join(" "), expected);
    assert!(welcome.iter().any(|line| line.contains(" CASEMAPPING=ascii ")));
}

fn a_plain_and_an_irc_client_talk_in_one_room(backend: Backend) {
    let server = Server::on(backend, &["--greeting-delay=150", "--name=irc.example.org"]);
    // It says nothing, and is greeted all the same.
    let mut bob = server.join();
    let nick = bob.name();
    let mut ada = irc(&server, "ada", "");
    let joined = ask(&mut ada, "JOIN #lobby");
    assert_eq!(joined[0], ":ada!~ada@127.0.0.1 JOIN #lobby");
    assert_eq!(joined[1], format!(":irc.example.org 353 ada = #lobby :{nick} ada"));
    assert_eq!(joined[2], ":irc.example.org 366 ada #lobby :End of /NAMES list");
    assert_eq!(bob.line(), "* ada joined #lobby");

    bob.send("hello ada\n");
    assert_eq!(line(&mut ada), format!(":{nick}!~user@127.0.0.1 PRIVMSG #lobby :hello ada"));
    // Colours are for IRC clients; a terminal obeys nothing of them.
    ada.send(
        "PRIVMSG #lobby :\u{3}4red\u{f} \u{1b}[2J\r\nPRIVMSG #lobby :\u{1}ACTION waves\u{1}\r\n",
    );
    assert_eq!(bob.line(), "[ada]: red \u{241b}[2J");
    assert_eq!(bob.line(), "[ada] waves");
    bob.send("/me nods\n/msg ada psst\n");
    let action = format!(":{nick}!~user@127.0.0.1 PRIVMSG #lobby :\u{1}ACTION nods\u{1}");
    assert_eq!(line(&mut ada), action);
    assert_eq!(line(&mut ada), format!(":{nick}!~user@127.0.0.1 PRIVMSG ada :psst"));
    assert_eq!(bob.line(), "[you -> ada]: psst");
    ada.send("QUIT :bye\r\n");
    assert_eq!(bob.line(), "* ada quit (bye), 1 user online");
    assert_eq!(ada.rest(), "ERROR :Closing link: (Quit: bye)\r\n");
}

#[test]
fn what_does_not_begin_like_irc_is_plain_at_once() {
    let server = server(&[]);
    for first in ["hello\n", "pass the salt\n", "NICKY is here\n", "\nhello\n", "CAPital\r\n"] {
        let mut client = Client::connect(server.address);
        client.send(first);
        // Had it waited for the greeting's delay, this would take its ten seconds.
        let welcome = client.line_within(Duration::from_secs(5)).expect("a greeting");
        assert!(crate::common::texts::is_some_welcome(&welcome), "{first:?}: {welcome:?}");
    }
    // The beginning of a command that never goes on is plain, too, when the input ends.
    let mut client = Client::connect(server.address);
    client.send("NIC");
    client.half_close();
    assert!(crate::common::texts::is_some_welcome(&client.line()));
}

#[test]
fn a_secret_channel_is_not_there_for_a_stranger_who_kicks() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "");
    let mut bob = irc(&server, "bob", "");
    ask(&mut ada, "JOIN #hidden\r\nMODE #hidden +s\r\nJOIN #open");
    let mut kick = |room: &str| ask(&mut bob, &format!("KICK {room} ada")).concat();
    assert_eq!(kick("#hidden"), kick("#nowhere").replace("#nowhere", "#hidden"));
    assert!(kick("#open").contains(" 442 bob #open "));
}

#[test]
fn every_mistake_has_its_numeric() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "");
    let _bob = irc(&server, "bob", "");
    ask(&mut ada, "JOIN #room");
    for (command, answer) in [
        ("FROBNICATE", "421 ada FROBNICATE :Unknown command"),
        ("JOIN", "461 ada JOIN :Not enough parameters"),
        ("USER a b c d", "462 ada :You may not reregister"),
        ("PRIVMSG nobody :hi", "401 ada nobody :No such nick"),
        ("PRIVMSG #nowhere :hi", "403 ada #nowhere :No such channel"),
        ("PRIVMSG", "411 ada :No recipient given (PRIVMSG)"),
        ("PRIVMSG bob", "412 ada :No text to send"),
        ("PRIVMSG bob :", "412 ada :No text to send"),
        ("NICK", "431 ada :No nickname given"),
        ("NICK 1st", "432 ada 1st :nicks cannot begin with \"1\"; allowed: letters and []\\`_^{|}"),
        (
            "JOIN room",
            "403 ada room :invalid room name \"room\": room names begin with # (try #room)",
        ),
        ("NICK BOB", "433 ada BOB :Nickname is already in use"),
        ("KICK #room bob", "441 ada bob #room :They aren't on that channel"),
        ("PART #nowhere", "403 ada #nowhere :No such channel"),
        ("INVITE nobody #room", "401 ada nobody :No such nick"),
        ("MODE #room +y", "472 ada y :is not a known channel mode"),
        ("MODE bob +i", "502 ada :Cannot see or change modes of other users"),
        ("MODE ada +y", "501 ada :Unknown MODE flag"),
        ("WHOWAS carol", "406 ada carol :There was no such nickname"),
        ("PING", "409 ada :No origin specified"),
        ("KILL bob :why", "481 ada :Permission denied: you are not a server operator"),
        ("OPER root secret", "464 ada :Password incorrect"),
        ("HELP nothing", "524 ada nothing :No help available on this topic"),
        ("CAP FROB", "410 ada FROB :Invalid CAP command"),
    ] {
        let answers = ask(&mut ada, command);
        assert_eq!(answers[0], format!(":irc.example.org {answer}"), "{command}");
    }
    // A notice is never answered.
    assert_eq!(ask(&mut ada, "NOTICE nobody :hi"), [""; 0]);
}

#[test]
fn rooms_are_moderated_as_irc_clients_expect() {
    let server = server(&[]);
    let (mut ada, mut bob) = (irc(&server, "ada", ""), irc(&server, "bob", ""));
    ask(&mut ada, "JOIN #room");
    assert_eq!(
        ask(&mut ada, "MODE #room +itkl secret 5"),
        [":ada!~ada@127.0.0.1 MODE #room +ikl secret 5"]
    );
    assert_eq!(
        ask(&mut bob, "JOIN #room"),
        [":irc.example.org 475 bob #room :Cannot join channel (+k)"; 1]
            .map(|_| ":irc.example.org 473 bob #room :Cannot join channel (+i)")
    );
    assert_eq!(ask(&mut ada, "INVITE bob #room"), [":irc.example.org 341 ada bob #room"]);
    assert_eq!(line(&mut bob), ":ada!~ada@127.0.0.1 INVITE bob #room");
    assert_eq!(ask(&mut bob, "JOIN #room")[0], ":bob!~bob@127.0.0.1 JOIN #room");
    assert_eq!(line(&mut ada), ":bob!~bob@127.0.0.1 JOIN #room");
    assert_eq!(
        ask(&mut bob, "TOPIC #room :mine"),
        [":irc.example.org 482 bob #room :You're not a channel operator"]
    );
    assert_eq!(
        ask(&mut ada, "MODE #room +o-k bob *"),
        [":ada!~ada@127.0.0.1 MODE #room +o-k bob *"]
    );
    assert_eq!(line(&mut bob), ":ada!~ada@127.0.0.1 MODE #room +o-k bob *");
    ask(&mut bob, "TOPIC #room :ours now");
    assert_eq!(line(&mut ada), ":bob!~bob@127.0.0.1 TOPIC #room :ours now");
    assert_eq!(ask(&mut ada, "KICK #room bob :out"), [":ada!~ada@127.0.0.1 KICK #room bob :out"]);
    assert_eq!(line(&mut bob), ":ada!~ada@127.0.0.1 KICK #room bob :out");
}

#[test]
fn commands_come_in_pieces_and_half_a_command_is_none() {
    let server = server(&[]);
    let (mut ada, mut bob) = (irc(&server, "ada", ""), irc(&server, "bob", ""));
    for piece in ["com", "man", "d\n"] {
        bob.send(piece);
    }
    assert_eq!(line(&mut bob), ":irc.example.org 421 bob command :Unknown command");
    ask(&mut ada, "JOIN #room");
    ask(&mut bob, "JOIN #room");
    assert_eq!(line(&mut ada), ":bob!~bob@127.0.0.1 JOIN #room");
    // A client that is killed in the middle of a command has not given it.
    bob.send("PRIVMSG #room :half a sent");
    bob.reset();
    assert!(line(&mut ada).starts_with(":bob!~bob@127.0.0.1 QUIT :"));
}

#[test]
fn a_line_that_is_too_long_is_refused_and_a_legal_one_is_never_lost() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "");
    let long = format!("PRIVMSG ada :{}", "x".repeat(600));
    let refused = ":irc.example.org 417 ada :Input line was too long";
    assert_eq!(ask(&mut ada, &long), [refused]);
    let tags = format!("@a={} PING x", "y".repeat(5000));
    assert_eq!(ask(&mut ada, &tags), [refused]);
    // It fits on its way in, but not with its sender on its way out: it comes in two, or is told.
    let word = format!("PRIVMSG ada :{}", "x".repeat(490));
    let direct = ask(&mut ada, &word);
    assert!(direct.len() == 1 && direct[0].contains(" 417 ada :Message not sent"), "{direct:?}");
    let mut bob = irc(&server, "bob", "message-tags");
    let direct = ask(&mut bob, &word.replace("ada", "bob"));
    let said = direct.iter().map(|line| line.rsplit_once(':').unwrap().1);
    assert_eq!((direct.len(), said.collect::<String>()), (2, "x".repeat(490)));
    let under_tags = ask(&mut bob, &format!("@+a=b {}", word.replace("ada", "bob")));
    assert_eq!(under_tags.len(), 2, "{under_tags:?}");
    let long_tags = ask(&mut bob, &format!("@+a={} {word}", "y".repeat(600)));
    assert!(long_tags[0].contains(" 417 bob :Message not sent"), "{long_tags:?}");
    let prose = "words ".repeat(81);
    let direct = ask(&mut ada, &format!("PRIVMSG ada :{prose}"));
    let said =
        direct.iter().map(|line| line.strip_prefix(":ada!~ada@127.0.0.1 PRIVMSG ada :").unwrap());
    assert_eq!((direct.len(), said.collect::<String>()), (2, prose));
    ask(&mut ada, "CAP REQ echo-message\nJOIN #r");
    for (count, text) in [(490, "x"), (98, "wörd")] {
        let text = text.repeat(count);
        let whole = ask(&mut ada, &format!("PRIVMSG #r :{text}"));
        assert!(whole.len() == 2 && whole.iter().all(|line| line.len() <= 510), "{whole:?}");
        let said: Vec<&str> = whole
            .iter()
            .map(|line| line.strip_prefix(":ada!~ada@127.0.0.1 PRIVMSG #r :").unwrap())
            .collect();
        assert_eq!(said.concat(), text);
    }
}

#[test]
fn a_flood_before_registration_costs_others_nothing() {
    let server = server(&[]);
    let mut flood = Client::connect(server.address);
    flood.send("NICK flood\r\n");
    let writer = flood.writer();
    // It never reads until the end: what it is owed stays within its own bounds.
    let thread = std::thread::spawn(move || {
        use std::io::Write;
        let lines = "JOIN #room\r\n".repeat(1_000);
        let mut writer = writer;
        for _ in 0..20 {
            if writer.write_all(lines.as_bytes()).is_err() {
                return;
            }
        }
    });
    let mut ada = irc(&server, "ada", "");
    assert_eq!(ask(&mut ada, "ISON ada"), [":irc.example.org 303 ada :ada"]);
    let refused = ":irc.example.org 451 flood :You have not registered";
    assert_eq!(line(&mut flood), refused);
    drop(flood);
    thread.join().unwrap();
    assert_eq!(ask(&mut ada, "ISON ada flood"), [":irc.example.org 303 ada :ada"]);
}

#[test]
fn the_servers_password_is_asked_for() {
    let server = server(&["--password=open sesame"]);
    let mut wrong = Client::connect(server.address);
    wrong.send("PASS sesame\r\nNICK ada\r\nUSER ada 0 * :Ada\r\n");
    assert_eq!(
        wrong.rest(),
        ":irc.example.org 464 ada :Password incorrect\r\nERROR :Closing link: (Password incorrect)\r\n"
    );
    let mut right = Client::connect(server.address);
    right.send("PASS :open sesame\r\nNICK ada\r\nUSER ada 0 * :Ada\r\n");
    assert!(line(&mut right).starts_with(":irc.example.org 001 ada :"));
    let mut late = Client::connect(server.address);
    late.send(
        "CAP REQ :batch\r\nNICK late\r\nUSER late 0 * :L\r\nPASS :open sesame\r\nCAP END\r\n",
    );
    assert!(line(&mut late).contains(" CAP * ACK "));
    let rest = line(&mut late);
    assert!(rest.starts_with(":irc.example.org 001 late :"), "{rest}");
}

/// Before the server's password, nothing tells whether a nick or an account is there.
#[test]
fn without_the_servers_password_nothing_is_told_about_nicks_and_accounts() {
    let server = server(&["--password=open sesame"]);
    let mut ada = Client::connect(server.address);
    ada.send("PASS :open sesame\r\nNICK ada\r\nUSER ada 0 * :Ada\r\n");
    assert!(line(&mut ada).starts_with(":irc.example.org 001 ada :"));
    let mut stranger = Client::connect(server.address);
    stranger.send("CAP REQ :sasl\r\nNICK ada\r\nAUTHENTICATE SCRAM-SHA-256\r\nREGISTER * * secret\r\nMETADATA * LIST\r\nPING x\r\n");
    let answers: Vec<String> = (0..4).map(|_| line(&mut stranger)).collect();
    assert!(answers[0].contains(" CAP * ACK "), "{answers:?}");
    assert_eq!(answers[1], ":irc.example.org 451 ada :You have not registered");
    assert_eq!(answers[2], ":irc.example.org 451 ada :You have not registered");
    assert!(answers[3].contains(" PONG "), "{answers:?}");
    // With the password, what was kept is answered.
    stranger.send("PASS :open sesame\r\n");
    assert!(line(&mut stranger).contains(" 433 "));
    assert_eq!(line(&mut stranger), "AUTHENTICATE +");
}

#[test]
fn an_account_is_registered_and_proved_with_sasl() {
    let server = server(&["--oper=root:hunter22"]);
    let mut jilles = irc(&server, "jilles", "");
    let answers = ask(&mut jilles, "CAP REQ :draft/account-registration\r\nREGISTER * * sesame");
    assert_eq!(answers[1], ":irc.example.org REGISTER SUCCESS jilles :Account created");
    jilles.send("QUIT\r\n");
    jilles.rest();

    let mut again = Client::connect(server.address);
    // Only the owner of the account may have the nick.
    assert_eq!(
        ask(&mut again, "NICK jilles"),
        [":irc.example.org 433 * jilles :Nickname is reserved for its account"]
    );
    let wrong = "CAP REQ :sasl\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE amlsbGVzAGppbGxlcwB3cm9uZw==";
    let answers = ask(&mut again, wrong);
    assert_eq!(
        answers[1..],
        ["AUTHENTICATE +", ":irc.example.org 904 * :SASL authentication failed"]
    );
    let right = "AUTHENTICATE PLAIN\r\nAUTHENTICATE amlsbGVzAGppbGxlcwBzZXNhbWU=";
    let answers = ask(&mut again, right);
    assert!(answers[1].starts_with(":irc.example.org 900 * *!*@* jilles :"), "{answers:?}");
    assert_eq!(answers[2], ":irc.example.org 903 * :SASL authentication successful");
    let answers = ask(&mut again, "NICK jilles\r\nUSER j 0 * :J\r\nCAP END");
    assert!(answers[0].starts_with(":irc.example.org 001 jilles :"), "{answers:?}");
    assert_eq!(
        ask(&mut again, "OPER root hunter22"),
        [
            ":irc.example.org 381 jilles :You are now an IRC operator",
            ":jilles!~j@127.0.0.1 MODE jilles +o"
        ]
    );
}

#[test]
fn answers_bear_the_label_of_their_command() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "");
    ask(&mut ada, "CAP REQ :labeled-response batch echo-message message-tags");
    assert_eq!(ask(&mut ada, "@label=a PONG x"), ["@label=a :irc.example.org ACK"]);
    assert_eq!(
        ask(&mut ada, "@label=b PRIVMSG nobody :x"),
        ["@label=b :irc.example.org 401 ada nobody :No such nick"]
    );
    let joined = ask(&mut ada, "@label=c JOIN #room");
    assert_eq!(joined.len(), 5);
    let reference = joined[0].strip_prefix("@label=c :irc.example.org BATCH +").unwrap();
    let reference = reference.strip_suffix(" labeled-response").unwrap();
    let (tags, line) = joined[1].split_once(' ').unwrap();
    assert!(tags.starts_with(&format!("@batch={reference};msgid=")), "{joined:?}");
    assert_eq!(line, ":ada!~ada@127.0.0.1 JOIN #room");
    assert_eq!(joined[4], format!(":irc.example.org BATCH -{reference}"));
    // Its own messages wait for the journal, and the label waits for them.
    let echo = ask(&mut ada, "@label=d;+x=y PRIVMSG #room :hi");
    assert!(echo[0].starts_with("@label=d;msgid="), "{echo:?}");
    assert!(echo[0].ends_with(";+x=y :ada!~ada@127.0.0.1 PRIVMSG #room :hi"), "{echo:?}");
}

#[test]
fn a_message_has_the_same_number_in_every_dialect() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "batch draft/chathistory message-tags chatloop/number");
    ask(&mut ada, "JOIN #lobby");
    let mut nc = Client::connect(server.address);
    nc.send("/numbers on\n");
    nc.until("now shown");
    let joined = line(&mut ada);
    assert!(joined.contains(" JOIN #lobby"), "{joined}");
    ada.send("PRIVMSG #lobby :tea?\r\n");
    assert_eq!(nc.line(), "1 [ada]: tea?");
    nc.send("/re 1 yes\n");
    let answer = line(&mut ada);
    assert!(answer.contains(";chatloop/number=2;+draft/reply="), "{answer}");
    let past = ask(&mut ada, "CHATHISTORY LATEST #lobby * 5");
    let number = |line: &String| line.split_once("chatloop/number=").map(|it| it.1[..1].to_owned());
    assert_eq!(past.iter().filter_map(number).collect::<String>(), "12", "{past:?}");
    let told = ask(&mut ada, "CHATLOOP re #lobby 1 with milk");
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(nc.line(), "3 [ada]: re 1 <ada> tea?: with milk");
    let edit = ask(&mut ada, "PRIVMSG ada :no number here");
    assert!(edit.iter().all(|line| !line.contains("chatloop/number")), "{edit:?}");
}

#[test]
fn lines_that_are_not_utf8_are_refused_whole() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "");
    ada.send(b"PRIVMSG ada :caf\xe9\r\n");
    let refused =
        ":irc.example.org FAIL PRIVMSG INVALID_UTF8 :Not sent: the line is not valid UTF-8";
    assert_eq!(line(&mut ada), refused);
}

#[test]
fn what_irc_has_no_command_for_is_behind_chatloop_and_searched_with_search() {
    let server = server(&["--oper", "root:open-sesame"]);
    let mut ada = irc(&server, "ada", "batch message-tags draft/chathistory echo-message");
    let mut bob = irc(&server, "bob", "");
    ask(&mut ada, "JOIN #tea");
    ask(&mut bob, "JOIN #tea");
    let said = ask(&mut ada, "PRIVMSG #tea :gren tea");
    let id =
        said.last().unwrap().strip_prefix("@msgid=").unwrap().split(' ').next().unwrap().to_owned();
    let edited = ask(&mut ada, &format!("CHATLOOP :edit #tea id:{id} green  tea"));
    assert!(edited[0].contains(&format!(";chatloop/edit={id}")), "{edited:?}");
    assert!(edited[0].ends_with(" PRIVMSG #tea :* green  tea"), "{edited:?}");
    // A client without batches gets notices, with the numbers of plain text.
    line(&mut bob);
    line(&mut bob);
    let found = ask_bare(&mut bob, "CHATLOOP search green");
    assert_eq!(found[0], "NOTICE bob :search for \"green\": 1 message (times in UTC)");
    assert!(
        found[1].starts_with("NOTICE bob :- 1 2") && found[1].ends_with(" (edited)"),
        "{found:?}"
    );
    let found = ask(&mut ada, "SEARCH in=#tea;text=green");
    assert!(found[0].contains(" BATCH +found soju.im/search") && found.len() == 3, "{found:?}");
    assert!(found[1].contains(&format!("msgid={id}")) && found[1].ends_with(":green  tea"));
    let thread = ask(&mut ada, &format!("CHATLOOP thread #tea id:{id}"));
    assert!(thread[0].ends_with(" BATCH +history chathistory #tea"), "{thread:?}");
    for (line, answer) in [
        ("CHATLOOP edit", "FAIL CHATLOOP INVALID_PARAMS :usage: /edit N TEXT"),
        ("CHATLOOP join #x", "FAIL CHATLOOP INVALID_PARAMS :usage: CHATLOOP COMMAND (one of: edit"),
        ("CHATLOOP connections", "481 bob"),
        ("SEARCH in=#tea", "FAIL SEARCH INVALID_PARAMS text :Missing text"),
    ] {
        let said = ask_bare(&mut bob, line);
        assert!(said.len() == 1 && said[0].starts_with(answer), "{line}: {said:?}");
    }
    ask(&mut bob, "OPER root open-sesame");
    let connected = ask_bare(&mut bob, "CHATLOOP connections");
    assert_eq!(connected[0], "NOTICE bob :2 users connected:");
    assert!(connected[1].starts_with("NOTICE bob :ada") && connected.len() == 3, "{connected:?}");
    let kept = ask_bare(&mut bob, "CHATLOOP keep #tea");
    assert!(kept.contains(&"NOTICE bob :#tea is now permanent".to_owned()), "{kept:?}");
    let bans = ask_bare(&mut bob, "CHATLOOP gban 10.9.8.* 2h spam\nCHATLOOP gban");
    assert!(bans.last().unwrap().starts_with("NOTICE bob :10.9.8.* (until "), "{bans:?}");
}
