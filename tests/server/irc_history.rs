//! What IRC clients are told of history and of each other, over real sockets: history, times,
//! several lines, reactions, other names for rooms.

use crate::common::{Client, Server, scratch::Scratch};
use crate::irc::{ask, irc, line, server};

/// A plain client that is in under a name.
fn plain(server: &Server, nick: &str) -> Client {
    let mut client = Client::connect(server.address);
    client.send(format!("/nick {nick}\n"));
    until(&mut client, &format!("* you are now known as {nick}"));
    client
}

/// Everything up to this line.
fn until(client: &mut Client, last: &str) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let line = client.line();
        if line == last {
            return lines;
        }
        lines.push(line);
    }
}

/// A tag of a line; `None` if it has none of that name.
fn tag<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let (tags, _) = line.strip_prefix('@')?.split_once(' ')?;
    let pairs = tags.split(';').map(|tag| tag.split_once('=').unwrap_or((tag, "")));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}

/// A line without its tags.
fn body(line: &str) -> &str {
    line.strip_prefix('@').and_then(|line| line.split_once(' ')).map_or(line, |(_, body)| body)
}

fn bodies(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| body(line)).collect()
}

#[test]
fn everything_that_happens_has_a_time_and_an_id() {
    let server = server(&[]);
    let caps = "server-time message-tags away-notify account-notify echo-message";
    let mut ada = irc(&server, "ada", caps);
    let joined = ask(&mut ada, "JOIN #room");
    let mut bob = irc(&server, "bob", caps);
    ask(&mut bob, "JOIN #room\nAWAY :tea\nNICK rob\nTOPIC #room :x\nPART #room :bye");
    let heard = ask(&mut ada, "MODE #room -t");
    let mut heard: Vec<&String> = heard.iter().chain(&joined[..1]).collect();
    assert_eq!(heard.len(), 6, "{heard:?}");
    heard.sort_by_key(|line| tag(line, "msgid").unwrap().parse::<u64>().unwrap());
    for pair in heard.windows(2) {
        assert_ne!(tag(pair[0], "msgid"), tag(pair[1], "msgid"));
        assert!(tag(pair[0], "time") <= tag(pair[1], "time"));
    }
    // What answers a question happens to no one.
    assert!(ask(&mut ada, "TOPIC #room").iter().all(|line| line.starts_with(":irc.example.org ")));
}

#[test]
fn the_past_names_who_said_it_and_keeps_their_tags() {
    let server = server(&[]);
    let caps = "server-time message-tags batch draft/chathistory echo-message";
    let mut ada = irc(&server, "ada", caps);
    ask(&mut ada, "JOIN #room");
    let said = ask(&mut ada, "@+draft/reply=77;+x=y PRIVMSG #room :hello");
    let mut bob = plain(&server, "bob");
    bob.send(format!("/join #room\n/re 1 {}\n", "long ".repeat(200).trim_end()));
    let answer: Vec<String> = (0..4).map(|_| line(&mut ada)).collect();
    assert!(tag(&answer[1], "+reply").is_some() && tag(&answer[1], "+draft/reply").is_some());
    let past = ask(&mut ada, "CHATHISTORY LATEST #room * 9");
    assert_eq!(past.len(), 6, "{past:?}");
    // As they were received, but for the batch they are in.
    let heard: Vec<String> = said.iter().chain(&answer[1..]).cloned().collect();
    for (past, heard) in past[1..].iter().zip(&heard) {
        assert_eq!(past, &format!("@batch=history;{}", heard.strip_prefix('@').unwrap()));
    }
}

/// What a client with several lines to say sends.
const LINES: &str = "@label=x;+x=y BATCH +7 draft/multiline #room\n\
                     @batch=7 PRIVMSG #room :hello\n\
                     @batch=7 PRIVMSG #ROOM :\n\
                     @batch=7 PRIVMSG #room :how is \n\
                     @batch=7;draft/multiline-concat PRIVMSG #room :everyone?\n\
                     BATCH -7";

#[test]
fn several_lines_are_one_message() {
    let server = server(&[]);
    let caps = "message-tags batch echo-message labeled-response draft/multiline draft/chathistory";
    let (mut ada, mut eve) = (irc(&server, "ada", caps), irc(&server, "eve", caps));
    let (mut old, mut bob) = (irc(&server, "old", "message-tags"), plain(&server, "bob"));
    for client in [&mut ada, &mut eve, &mut old] {
        ask(client, "JOIN #room");
    }
    bob.send("/numbers on\n/join #room\n");
    until(&mut bob, "* you joined #room (4 users)");
    for client in [&mut ada, &mut eve, &mut old] {
        ask(client, "PING x");
    }
    let echo = ask(&mut ada, LINES);
    let start = ":ada!~ada@127.0.0.1";
    let id = tag(&echo[0], "msgid").unwrap();
    let whole = [
        format!("{start} BATCH +m{id} draft/multiline #room"),
        format!("{start} PRIVMSG #room :hello"),
        format!("{start} PRIVMSG #room :"),
        format!("{start} PRIVMSG #room :how is "),
        format!("{start} PRIVMSG #room :everyone?"),
        format!("{start} BATCH -m{id}"),
    ];
    assert_eq!(bodies(&echo), whole);
    assert_eq!((tag(&echo[0], "label"), tag(&echo[0], "+x")), (Some("x"), Some("y")));
    let heard: Vec<String> = (0..6).map(|_| line(&mut eve)).collect();
    assert_eq!(bodies(&heard), whole);
    assert_eq!(heard[4], format!("@batch=m{id};draft/multiline-concat {}", whole[4]));
    let heard: Vec<String> = (0..3).map(|_| line(&mut old)).collect();
    assert_eq!(bodies(&heard), [&whole[1], &whole[3], &whole[4]]);
    assert_eq!((tag(&heard[0], "msgid"), tag(&heard[1], "msgid")), (Some(id), None));
    assert_eq!(bob.line(), "#room 1 [ada]: hello");
    assert_eq!(bob.line(), "#room [ada]: ");
    assert_eq!(bob.line(), "#room [ada]: how is everyone?");
    // One message in history, too, with one number.
    bob.send("/history\n");
    assert_eq!(bob.line(), "* history of #room: 1 message (times in UTC)");
    assert!(bob.line().ends_with(" #room [ada]: hello\u{240a}\u{240a}how is everyone?"));
    let past = ask(&mut eve, "@label=y CHATHISTORY LATEST #room * 9");
    assert_eq!(bodies(&past[1..7]), whole);
    assert!(past[0].starts_with("@label=y :irc.example.org BATCH +history "), "{past:?}");
    assert_eq!(
        (tag(&past[1], "batch"), tag(&past[2], "batch")),
        (Some("history"), Some(&*format!("m{id}")))
    );
    // A long line of a plain client is one line to those who can be told so.
    bob.send(format!("{}\n", "word ".repeat(150).trim_end()));
    let heard: Vec<String> = (0..4).map(|_| line(&mut eve)).collect();
    assert!(heard[0].contains(" BATCH +m") && tag(&heard[2], "draft/multiline-concat").is_some());
}

const OPEN: &str = "BATCH +7 draft/multiline #room\n";
const LINE: &str = "@batch=7 PRIVMSG #room :x\n";

fn fail(rest: &str) -> Vec<String> {
    vec![format!(":irc.example.org FAIL BATCH {rest}")]
}

#[test]
fn a_batch_that_is_none_is_refused_once() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "message-tags batch labeled-response draft/multiline");
    ask(&mut ada, "JOIN #room");
    for (lines, answer) in [
        ("BATCH +7 netsplit a b".to_owned(), "UNKNOWN_TYPE 7 netsplit :Unknown batch type"),
        (
            "BATCH +a=b draft/multiline #room".to_owned(),
            "INVALID_REFTAG +a=b :Invalid batch reference",
        ),
        ("BATCH -7".to_owned(), "MULTILINE_INVALID :No such batch"),
        (LINE.trim_end().to_owned(), "MULTILINE_INVALID :No such batch"),
        (
            format!("{OPEN}@batch=7 PRIVMSG #other :x\n{LINE}BATCH -7"),
            "MULTILINE_INVALID_TARGET #room #other :The batch has another target",
        ),
        (
            format!("{OPEN}{LINE}@batch=7 NOTICE #room :x\n{LINE}BATCH -7"),
            "MULTILINE_INVALID :PRIVMSG and NOTICE cannot be mixed in a batch",
        ),
        (
            format!("{OPEN}{LINE}@batch=8 PRIVMSG #room :x\n{LINE}BATCH -7"),
            "MULTILINE_INVALID :The line belongs to another batch",
        ),
        (
            format!("{OPEN}@batch=7 JOIN #other\nBATCH -7"),
            "MULTILINE_INVALID :Only PRIVMSG and NOTICE are allowed in the batch",
        ),
        (
            format!("{OPEN}{LINE}@batch=7;draft/multiline-concat PRIVMSG #room :\nBATCH -7"),
            "MULTILINE_INVALID :An empty line cannot continue another one",
        ),
        (
            format!("{OPEN}@batch=7 PRIVMSG #room :\nBATCH -7"),
            "MULTILINE_INVALID :The batch has no text",
        ),
        (
            format!("{OPEN}{}BATCH -7", LINE.repeat(102)),
            "MULTILINE_MAX_LINES 100 :The batch has too many lines",
        ),
        (
            format!("{OPEN}{}BATCH -7", LINE.replace(":x", &"x".repeat(400)).repeat(11)),
            "MULTILINE_MAX_BYTES 4096 :The batch is too long",
        ),
    ] {
        assert_eq!(ask(&mut ada, &lines), fail(answer), "{lines}");
    }
}

#[test]
fn a_batch_is_answered_under_its_own_label() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "message-tags batch labeled-response draft/multiline");
    ask(&mut ada, "JOIN #room");
    // What comes in between is carried out.
    let answers = ask(&mut ada, &format!("@label=z {OPEN}PING y\nBATCH -7"));
    assert_eq!(answers[0], ":irc.example.org PONG irc.example.org :y");
    assert_eq!(
        answers[1],
        format!("@label=z {}", fail("MULTILINE_INVALID :The batch has no text")[0])
    );
    // Of two that are opened the second one goes on, each under its own label.
    let two = format!("@label=one {OPEN}@label=two {OPEN}{LINE}BATCH -7");
    assert_eq!(
        ask(&mut ada, &two),
        [
            "@label=one :irc.example.org FAIL BATCH MULTILINE_INVALID :Another batch was still open",
            "@label=two :irc.example.org ACK",
        ]
    );
    // A client that cannot be told such messages cannot send them.
    let mut old = irc(&server, "old", "message-tags batch");
    let refused = "UNKNOWN_TYPE 7 draft/multiline :Unknown batch type";
    assert_eq!(ask(&mut old, OPEN.trim_end()), fail(refused));
}

#[test]
fn what_happened_is_played_back_to_who_asks_for_it() {
    for data in [false, cfg!(feature = "disk")] {
        let scratch = Scratch::new("playback");
        let flags = ["--data", scratch.path()];
        played_back(&server(if data { &flags } else { &[] }));
    }
}

fn played_back(server: &Server) {
    let caps =
        "server-time message-tags batch draft/chathistory extended-join draft/event-playback";
    let mut ada = irc(server, "ada", &format!("{caps} echo-message"));
    let joined = ask(&mut ada, "JOIN #room");
    let mut bob = irc(server, "bob", "message-tags");
    ask(&mut bob, "JOIN #room\nPRIVMSG #room :hello\nNICK rob");
    ask(&mut ada, "MODE #room +k sesame");
    ask(&mut bob, "@+typing=active TAGMSG #room\n@+draft/persist;+x TAGMSG #room\nPART #room :bye");
    ask(&mut ada, "TOPIC #room :tea");
    let mut carol = plain(server, "carol");
    carol.send("/join #room sesame\n/react 1 +1\n/quit\n");
    carol.rest();
    let heard = ask(&mut ada, "MODE #room -t");
    let past = ask(&mut ada, "CHATHISTORY LATEST #room * 50");
    let (bob, rob, carol) =
        (":bob!~bob@127.0.0.1", ":rob!~bob@127.0.0.1", ":carol!~user@127.0.0.1");
    let expected = [
        ":ada!~ada@127.0.0.1 JOIN #room * :ada".to_owned(),
        ":ada!~ada@127.0.0.1 MODE #room +o ada".to_owned(),
        format!("{bob} JOIN #room * :bob"),
        format!("{bob} PRIVMSG #room :hello"),
        format!("{bob} NICK :rob"),
        ":ada!~ada@127.0.0.1 MODE #room +k *".to_owned(),
        format!("{rob} TAGMSG #room"),
        format!("{rob} PART #room :bye"),
        ":ada!~ada@127.0.0.1 TOPIC #room :tea".to_owned(),
        format!("{carol} JOIN #room * :carol"),
        format!("{carol} TAGMSG #room"),
        format!("{carol} QUIT :Client quit"),
        ":ada!~ada@127.0.0.1 MODE #room -t".to_owned(),
    ];
    assert_eq!(bodies(&past[1..past.len() - 1]), expected);
    // The same times and ids as then.
    let same = |line: &str, past: &str| assert_eq!(format!("@batch=history;{}", &line[1..]), past);
    same(&joined[0], &past[1]);
    same(heard.last().unwrap(), &past[13]);
    let reaction = heard.iter().find(|line| line.contains("+draft/react=+1")).unwrap();
    same(reaction, &past[11]);
    // From any of them on in any direction.
    let topic = tag(&past[9], "msgid").unwrap();
    let before = ask(&mut ada, &format!("CHATHISTORY BEFORE #room msgid={topic} 2"));
    assert_eq!(bodies(&before[1..3]), expected[6..8]);
    let after = ask(&mut ada, &format!("CHATHISTORY AFTER #room msgid={topic} 1"));
    assert_eq!(bodies(&after[1..after.len() - 1]), expected[9..10]);
    // A client that does not ask for it gets texts only, and as many as are wanted.
    let mut eve = irc(server, "eve", "batch draft/chathistory");
    ask(&mut eve, "JOIN #room sesame");
    let past = ask(&mut eve, "CHATHISTORY LATEST #room * 1");
    assert_eq!(bodies(&past[1..past.len() - 1]), expected[3..4]);
}

#[test]
fn a_room_gets_another_name() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "draft/channel-rename labeled-response batch");
    let mut bob = irc(&server, "bob", "");
    let (mut carol, mut dave) = (plain(&server, "carol"), irc(&server, "dave", ""));
    ask(&mut ada, "JOIN #room\nTOPIC #room :tea");
    ask(&mut bob, "JOIN #room");
    carol.send("/join #room\n");
    until(&mut carol, "* you joined #room (3 users); topic: tea");
    ask(&mut dave, "JOIN #den");
    ask(&mut ada, "PING x");
    ask(&mut bob, "PING x");

    let fail = |rest: &str| vec![format!(":irc.example.org {rest}")];
    for (command, answer) in [
        ("RENAME #room", "461 ada RENAME :Not enough parameters"),
        ("RENAME #nowhere #x", "403 ada #nowhere :No such channel"),
        ("RENAME #den #x", "482 ada #den :You're not a channel operator"),
        (
            "RENAME #room #den",
            "FAIL RENAME CHANNEL_NAME_IN_USE #room #den :room #den already exists",
        ),
        (
            "RENAME #room x",
            "FAIL RENAME CANNOT_RENAME #room x :invalid room name \"x\": room names begin with # (try #x)",
        ),
    ] {
        assert_eq!(ask(&mut ada, command), fail(answer));
    }
    let renamed = ask(&mut ada, "@label=l RENAME #room #hall :a better name");
    assert_eq!(renamed, ["@label=l :ada!~ada@127.0.0.1 RENAME #room #hall :a better name"]);
    let heard: Vec<String> = (0..6).map(|_| line(&mut bob)).collect();
    assert_eq!(heard[0], ":bob!~bob@127.0.0.1 PART #room :a better name");
    assert_eq!(heard[1], ":bob!~bob@127.0.0.1 JOIN #hall");
    assert_eq!(heard[2], ":irc.example.org 332 bob #hall :tea");
    assert_eq!(heard[4], ":irc.example.org 353 bob = #hall :@ada bob carol");
    assert_eq!(heard[5], ":irc.example.org 366 bob #hall :End of /NAMES list");
    assert_eq!(carol.line(), "* ada renamed #room to #hall (a better name)");
    // Her words go where she was.
    carol.send("hello, hall\n");
    let hello = ":carol!~user@127.0.0.1 PRIVMSG #hall :hello, hall";
    assert_eq!((line(&mut ada), line(&mut bob)), (hello.to_owned(), hello.to_owned()));
    let soon = ask(&mut ada, "RENAME #hall #room");
    assert!(
        soon[0].starts_with(":irc.example.org FAIL RENAME CANNOT_RENAME #hall #room :"),
        "{soon:?}"
    );
    assert_eq!(ask(&mut dave, "JOIN #room")[1], ":irc.example.org 353 dave = #room :@dave");
}

#[test]
fn guests_see_what_they_have_said_in_private() {
    let server = server(&[]);
    let caps = "message-tags batch draft/chathistory echo-message";
    let (mut ada, mut bob) = (irc(&server, "ada", caps), plain(&server, "bob"));
    let said = ask(&mut ada, "@+x PRIVMSG bob :psst");
    assert_eq!(bob.line(), "[ada -> you]: psst");
    bob.send("/reply what?\n");
    assert_eq!(bob.line(), "[you -> ada]: what?");
    let heard = line(&mut ada);
    let past = ask(&mut ada, "CHATHISTORY LATEST bob * 9");
    let both = [&said[0], &heard].map(|line| format!("@batch=history;{}", &line[1..]));
    assert_eq!(past[1..3], both);
    bob.send("/history ada\n");
    assert_eq!(bob.line(), "* direct messages with ada: 2 messages (times in UTC)");
    let lines = [bob.line(), bob.line()];
    assert!(
        lines[0].ends_with(" [ada -> you]: psst") && lines[1].ends_with(" [you -> ada]: what?")
    );
    let targets = ask(
        &mut ada,
        "CHATHISTORY TARGETS timestamp=2000-01-01T00:00:00.000Z timestamp=2200-01-01T00:00:00.000Z 9",
    );
    assert!(targets[1].contains("CHATHISTORY TARGETS bob "), "{targets:?}");
    // A user who takes the name later was not there.
    ask(&mut ada, "NICK eve");
    let mut other = irc(&server, "ada", caps);
    assert_eq!(ask(&mut other, "CHATHISTORY LATEST bob * 9").len(), 2);
}

#[test]
fn reactions_and_answers_go_both_ways() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "message-tags echo-message labeled-response batch");
    let mut eve = irc(&server, "eve", "message-tags");
    let mut bob = plain(&server, "bob");
    ask(&mut ada, "JOIN #room");
    ask(&mut eve, "JOIN #room");
    bob.send("/join #room\n");
    until(&mut bob, "* you joined #room (3 users)");
    bob.send("tea?\n");
    let tea = line(&mut eve);
    let tea = if body(&tea).contains(" JOIN ") { line(&mut eve) } else { tea };
    // What she was told is behind her now.
    ask(&mut ada, "PING x");
    let id = tag(&tea, "msgid").unwrap();

    // An IRC client reacts, in either spelling of the reply, and takes it back.
    let tags = format!("+reply={id};+draft/react=yes\\sindeed;+x");
    let echo = ask(&mut ada, &format!("@label=r;{tags} TAGMSG #room"));
    assert_eq!(bob.line(), "* ada reacted to message 1 by bob in #room: yes indeed");
    assert!(echo[0].starts_with("@label=r;msgid="), "{echo:?}");
    assert!(echo[0].ends_with(&format!(";{tags} :ada!~ada@127.0.0.1 TAGMSG #room")), "{echo:?}");
    assert_eq!(body(&line(&mut eve)), body(&echo[0]));
    bob.send("/history\n");
    assert_eq!(bob.line(), "* history of #room: 1 message (times in UTC)");
    assert!(bob.line().ends_with(" #room [bob]: tea? {yes indeed 1}"));
    ask(&mut ada, &format!("@+draft/reply={id};+draft/unreact=yes\\sindeed TAGMSG #room"));
    assert_eq!(bob.line(), "* ada removed a reaction from message 1 by bob in #room: yes indeed");
    line(&mut eve);
    // A plain client does.
    bob.send("/react 1 +1\n");
    let reaction = line(&mut eve);
    assert_eq!((tag(&reaction, "+draft/react"), tag(&reaction, "+reply")), (Some("+1"), Some(id)));
    assert_eq!(bob.line(), "* bob reacted to message 1 in #room: +1");
    line(&mut ada);
    // What is about no message of the room, or is no reaction, goes on its way; plain people receive
    // nothing of it.
    for tags in ["+draft/reply=99999;+draft/react=x", "+draft/react=x", "+typing=active"] {
        assert_eq!(ask(&mut ada, &format!("@{tags} TAGMSG #room")).len(), 1);
        assert!(line(&mut eve).contains(&format!(";{tags} :ada!")), "{tags}");
    }
    // To those with a status alone.
    ask(&mut ada, "@+typing=active TAGMSG @#room");
    // An answer to a message that only the journal remembers is one.
    let flood: Vec<String> = (0..70).map(|number| format!("PRIVMSG #room :{number}")).collect();
    ask(&mut ada, &flood.join("\n"));
    until(&mut bob, "#room [ada]: 69");
    ask(&mut ada, &format!("@+draft/reply={id} PRIVMSG #room :with milk"));
    assert_eq!(bob.line(), "*#room [ada]: re 1 <bob>: with milk");
    assert_eq!(body(&line(&mut eve)), ":ada!~ada@127.0.0.1 PRIVMSG #room :0");
    ask(&mut ada, &format!("@+draft/reply={id};+draft/react=late TAGMSG #room"));
    assert_eq!(bob.line(), "* ada reacted to message 1 by bob in #room: late");
    ask(&mut ada, "@+draft/reply=99999 PRIVMSG #room :elsewhere");
    assert_eq!(bob.line(), "#room [ada]: elsewhere");
}

#[test]
fn who_cannot_ask_for_the_past_is_shown_some_of_it() {
    let server = server(&["--history-on-join=2"]);
    let mut ada = irc(&server, "ada", "");
    ask(&mut ada, "JOIN #room\nPRIVMSG #room :one\nPRIVMSG #room :two\nPRIVMSG #room :three");
    // It can tell history from today, and has no way to ask for it.
    let mut bob = irc(&server, "bob", "server-time");
    let joined = ask(&mut bob, "JOIN #room");
    // Not every client shows the time.
    let is_framed = |past: &[String]| {
        past[0]
            .starts_with(":irc.example.org NOTICE #room :History: 2 of the last messages, from 2")
            && past[past.len() - 1] == ":irc.example.org NOTICE #room :End of history"
    };
    let past = &joined[joined.len() - 4..];
    assert!(joined[joined.len() - 5].contains(" 366 ") && is_framed(past), "{joined:?}");
    assert_eq!(
        bodies(&past[1..3]),
        [":ada!~ada@127.0.0.1 PRIVMSG #room :two", ":ada!~ada@127.0.0.1 PRIVMSG #room :three",]
    );
    ask(&mut ada, "PRIVMSG #room :four");

    let mut carol = irc(&server, "carol", "server-time batch");
    let joined = ask(&mut carol, "JOIN #room");
    let end = joined.iter().position(|line| line.contains(" 366 ")).unwrap();
    assert!(is_framed(&joined[end + 1..]), "{joined:?}");
    let past = &joined[end + 2..joined.len() - 1];
    assert_eq!(past[0], ":irc.example.org BATCH +history chathistory #room");
    assert!(tag(&past[1], "time").is_some(), "{past:?}");
    assert_eq!(
        bodies(&past[1..3]),
        [":ada!~ada@127.0.0.1 PRIVMSG #room :three", ":ada!~ada@127.0.0.1 PRIVMSG #room :four",]
    );
    assert_eq!((past.len(), &*past[3]), (4, ":irc.example.org BATCH -history"));

    // It would show old words as new ones, or asks for itself.
    for (nick, capabilities) in [("dan", ""), ("eve", "server-time batch draft/chathistory")] {
        let mut client = irc(&server, nick, capabilities);
        let joined = ask(&mut client, "JOIN #room");
        assert!(!joined.iter().any(|line| line.contains("PRIVMSG")), "{joined:?}");
    }
}

#[test]
fn the_latest_since_a_message_are_the_newest_of_them() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "message-tags batch draft/chathistory echo-message");
    let said = ask(&mut ada, "JOIN #room\nPRIVMSG #room :1\nPRIVMSG #room :2\nPRIVMSG #room :3");
    let said: Vec<&String> = said.iter().filter(|line| line.contains(" PRIVMSG ")).collect();
    let first = tag(said[0], "msgid").unwrap();
    for (count, words) in [(1, &[":3"][..]), (2, &[":2", ":3"]), (9, &[":2", ":3"])] {
        let past = ask(&mut ada, &format!("CHATHISTORY LATEST #room msgid={first} {count}"));
        let past: Vec<&str> =
            past[1..past.len() - 1].iter().map(|it| &it[it.len() - 2..]).collect();
        assert_eq!(past, words);
    }
    let time = "timestamp=2020-01-01T00:00:00.000Z";
    let past = ask(&mut ada, &format!("CHATHISTORY LATEST #room {time} 1"));
    assert!(past.len() == 3 && past[1].ends_with(":3"), "{past:?}");
    let time = "timestamp=2200-01-01T00:00:00.000Z";
    assert_eq!(ask(&mut ada, &format!("CHATHISTORY LATEST #room {time} 9")).len(), 2);
}
