//! A person on IRC: scripted servers where the moment matters, the real one where its words do.

use crate::irc_server::{IrcPeer, accept};
use crate::line_server::LineServer;
use crate::pty::Terminal;
use crate::real_server::RealServer;
use crate::scratch::Scratch;
use crate::start::Start;
use nix::sys::signal::Signal;
use std::io::Write;
use std::process::{Command, Stdio};

/// In `#x`, on a server with these capabilities.
fn in_room(capabilities: &str) -> (LineServer, IrcPeer, Terminal) {
    let server = LineServer::new();
    let arguments = ["--nick", "ada", "--join", "#x"];
    let mut terminal = Terminal::start_with(server.address(), &arguments, &[]);
    let mut peer = accept(&server);
    peer.let_in(capabilities);
    peer.enter("#x");
    terminal.wait_for("#x [You]:");
    (server, peer, terminal)
}

#[test]
fn an_old_server_is_enough() {
    let server = LineServer::new();
    let mut terminal = Terminal::start_with(server.address(), &["--nick", "ada"], &[]);
    let mut peer = accept(&server);
    peer.expect(&["CAP LS 302", "NICK ada", "USER ada 0 * :ada"]);
    peer.say(":srv 421 * CAP :Unknown command|:srv 433 * ada :Nickname is already in use");
    peer.expect(&["NICK ada1"]);
    terminal.wait_for("* ada: Nickname is already in use; trying ada1");
    peer.say(":srv 001 ada1 :Welcome|:srv 372 ada1 :- be nice|:srv 376 ada1 :end");
    terminal.wait_for("-- not in a room yet (/join #room");
    terminal.type_keys("/join #x\r");
    peer.nick = "ada1".to_owned();
    peer.enter("#x");
    terminal.wait_for("you joined #x, 2 users: @bob ada1");
    terminal.type_keys("half typed\x02\x02");
    terminal.wait_for("#x [You]: half typed");
    peer.say(":bob!b@h PRIVMSG #x :\x0304first|:bob!b@h PRIVMSG #x :\x01ACTION waves\x01");
    terminal.wait_for("[bob] waves");
    terminal.wait("the line again", |screen| screen.contents().contains("half typed"));
    let rows = terminal.rows();
    assert_eq!(rows[rows.len() - 3..], ["[bob]: first", "[bob] waves", "#x [You]: half typed"]);
    terminal.type_keys("X\r");
    peer.expect(&["PRIVMSG #x :half typXed"]);
    terminal.type_keys("b\tyou\r");
    peer.expect(&["PRIVMSG #x :bob: you"]);
    // A command is not shown as if it were a message, and another room is named.
    terminal.type_keys("/join #y\r");
    peer.enter("#y");
    terminal.wait_for("#y [You]:");
    peer.say(":bob!b@h PRIVMSG #x :over here|:bob!b@h PRIVMSG #y :and here");
    terminal.wait_for("and here");
    let seen = terminal.contents();
    assert!(seen.contains("\n#x [bob]: over here\n[bob]: and here"), "{seen}");
    assert!(!seen.contains("/join #y\n"), "{seen}");
    terminal.type_keys("/clear\r");
    terminal.wait("a clear screen", |screen| !screen.contents().contains("over here"));
    terminal.type_keys("\x04");
    peer.expect(&["QUIT"]);
    assert_eq!(peer.hear(), None);
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn without_a_connection_the_client_still_helps_and_quits() {
    let (server, peer, mut terminal) = in_room("");
    drop(server);
    peer.reset();
    terminal.wait_for("(attempt 2)");
    terminal.type_keys("hello?\r");
    terminal.wait_for("not connected; your line is kept");
    terminal.type_keys("\x15/help bell\r");
    terminal.wait_for("/bell off|pm|mention|all");
    terminal.type_keys("/quit\r");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn a_server_that_speaks_no_irc_hears_nothing_but_the_registration() {
    for (says, arguments) in [
        ("hello, who are you?", &["--timeout=20"][..]),
        ("CAP LS 302", &["--timeout=20"]),
        ("", &["--timeout=0.1"]),
    ] {
        let server = LineServer::new();
        let mut terminal = Terminal::start_with(server.address(), arguments, &[("USER", "ada")]);
        let mut peer = accept(&server);
        peer.expect(&["CAP LS 302", "NICK ada", "USER ada 0 * :ada"]);
        if !says.is_empty() {
            terminal.wait_for("[You]:");
            terminal.type_keys("hello?\r");
            terminal.wait_for("your line is kept");
            peer.say(says);
        }
        assert_eq!(peer.hear(), None);
        assert_eq!(terminal.end().code(), Some(1));
        let seen = terminal.contents();
        assert!(seen.contains("not look like an IRC server") && seen.contains("--plain"), "{seen}");
    }
}

#[test]
fn a_paste_is_one_message_or_several() {
    let paste = "\x1b[200~one\r\rtwo\x1b[201~";
    let (_server, mut peer, mut terminal) = in_room("");
    terminal.type_keys(&format!("{paste}y"));
    peer.expect(&["PRIVMSG #x :one", "PRIVMSG #x :two"]);
    let (_server, mut peer, mut terminal) =
        in_room("batch message-tags draft/multiline=max-bytes=4096,max-lines=100");
    terminal.type_keys(&format!("and {paste}"));
    terminal.wait_for("send 3 lines?");
    terminal.type_keys("y");
    peer.expect(&[
        "BATCH +1 draft/multiline #x",
        "@batch=1 PRIVMSG #x :and one",
        "@batch=1 PRIVMSG #x :",
        "@batch=1 PRIVMSG #x :two",
        "BATCH -1",
    ]);
    terminal.wait_for("[You]: and one\n\n    two\n");
    peer.say(":bob!b@h BATCH +a draft/multiline #x|@batch=a :bob!b@h PRIVMSG #x :three|@batch=a :bob!b@h PRIVMSG #x :four|BATCH -a");
    terminal.wait_for("[bob]: three\n    four\n");
}

#[test]
fn after_a_loss_nothing_is_missing_or_doubled() {
    const CAPABILITIES: &str =
        "batch draft/chathistory echo-message labeled-response message-tags server-time";
    // So many minutes from now: what is half a day old comes from the history.
    let now = jiff::Timestamp::now();
    let at = |minutes: i64| {
        let time = now.checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap();
        time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    };
    let second_before = now.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap();
    let (server, mut peer, mut terminal) = in_room(CAPABILITIES);
    peer.expect(&["CHATHISTORY LATEST #x * 20"]);
    peer.say(&format!(
        ":srv BATCH +1 chathistory #x|@batch=1;time={};msgid=1 :bob!b@h PRIVMSG #x :one|:srv BATCH -1",
        at(-30)
    ));
    peer.say(&format!("@time={};msgid=2 :bob!b@h PRIVMSG #x :two ada", at(0)));
    terminal.wait_for("two ada");
    assert!(terminal.bytes.contains(&7), "a mention rings");
    terminal.type_keys("mine\r");
    peer.expect(&["@label=1 PRIVMSG #x :mine"]);
    peer.reset();
    terminal.wait_for("reconnecting in");
    let mut peer = accept(&server);
    peer.let_in(CAPABILITIES);
    peer.enter("#x");
    let targets = peer.hear().unwrap();
    assert!(targets.starts_with("CHATHISTORY TARGETS timestamp="), "{targets}");
    peer.say(":srv FAIL CHATHISTORY INVALID_PARAMS TARGETS :Unknown subcommand");
    let reference = second_before.strftime("timestamp=%Y-%m-%dT%H:%M:%S%.3fZ");
    peer.expect(&[&format!("CHATHISTORY AFTER #x {reference} 50")]);
    peer.say(&format!("@time={};msgid=5 :bob!b@h PRIVMSG #x :five", at(3)));
    peer.say(":srv BATCH +1 chathistory #x");
    for (id, nick, text) in [(2, "bob", "two ada"), (3, "ada", "mine"), (4, "bob", "four")] {
        let time = at(id - 2);
        peer.say(&format!("@batch=1;time={time};msgid={id} :{nick}!x@h PRIVMSG #x :{text}"));
    }
    assert!(!terminal.contents().contains("back in"), "not before the answer");
    peer.say(":srv BATCH -1");
    terminal.wait_for("back in #x as ada");
    let seen = terminal.contents();
    for once in ["[bob]: one", "[bob]: two", "[bob]: four", "[bob]: five", "mine"] {
        assert_eq!(seen.matches(once).count(), 1, "{once}:\n{seen}");
    }
    let order = ["two", "mine", "four", "five"].map(|word| seen.find(word).unwrap());
    assert!(order.is_sorted(), "{seen}");
    assert!(
        seen.contains("missed 1 message in #x:") && !seen.contains("possibly not delivered"),
        "{seen}"
    );
}

#[test]
fn who_comes_back_too_fast_tries_again() {
    let (server, peer, mut terminal) = in_room("");
    peer.reset();
    let mut peer = accept(&server);
    peer.say("ERROR :Reconnecting too fast");
    peer.end();
    terminal.wait_for("Reconnecting too fast");
    terminal.wait_for("(attempt 2)");
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    terminal.wait_for("back in #x as ada; this server does not keep history");
    assert!(!terminal.contents().contains("(attempt 3 of 10)"), "{}", terminal.contents());
    terminal.type_keys("again\r");
    peer.expect(&["PRIVMSG #x :again"]);
}

#[test]
fn a_password_is_asked_for_without_echo_and_shown_nowhere() {
    let server = LineServer::new();
    let arguments = ["--nick", "ada", "--account", "ada"];
    let mut terminal = Terminal::start_with(server.address(), &arguments, &[]);
    terminal.wait_for("Password for ada: ");
    terminal.wait_until_nothing_is_echoed();
    terminal.type_keys("secret\r");
    let mut peer = accept(&server);
    peer.expect(&["CAP LS 302", "NICK ada", "USER ada 0 * :ada"]);
    peer.say("CAP * LS :sasl=PLAIN|CAP * ACK :sasl");
    peer.expect(&["CAP REQ :sasl", "AUTHENTICATE PLAIN"]);
    peer.say("AUTHENTICATE +");
    peer.expect(&["AUTHENTICATE AGFkYQBzZWNyZXQ="]);
    peer.say("903 ada :success|001 ada :Welcome|422 ada :no");
    peer.expect(&["CAP END"]);
    terminal.wait_for("connected as ada;");
    terminal.type_keys("/login other hunter22\r/msg NickServ IDENTIFY hunter22\r");
    peer.expect(&["AUTHENTICATE PLAIN", "PRIVMSG NickServ :IDENTIFY hunter22"]);
    terminal.wait_for("[you -> NickServ]: ••••••••");
    terminal.type_keys("\x12hunter");
    terminal.wait_for("(failed search)");
    let bytes = String::from_utf8_lossy(&terminal.bytes);
    assert!(!bytes.contains("secret") && !bytes.contains("hunter22"), "{bytes:?}");
}

#[test]
fn the_servers_password_is_asked_for() {
    let server = LineServer::new();
    let mut terminal = Terminal::start_with(server.address(), &["--nick", "ada"], &[]);
    let mut peer = accept(&server);
    peer.expect(&["CAP LS 302", "NICK ada", "USER ada 0 * :ada"]);
    peer.say(":srv 464 ada :This server requires a password");
    terminal.wait_for("Password of the server:");
    terminal.type_keys("hunter22\r");
    let mut peer = accept(&server);
    peer.expect(&["CAP LS 302", "PASS :hunter22", "NICK ada", "USER ada 0 * :ada"]);
    peer.say(":srv 001 ada :Welcome|:srv 422 ada :no");
    terminal.wait_for("as ada; /help");
    assert!(!String::from_utf8_lossy(&terminal.bytes).contains("hunter22"));
    terminal.type_keys("\x04");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn after_a_wrong_password_it_is_asked_for_again_and_nobody_joins_as_a_guest() {
    let server = LineServer::new();
    let arguments = ["--nick", "ada", "--account", "ada"];
    let environment = [("CHATLOOP_ACCOUNT_PASSWORD", "wrong")];
    let mut terminal = Terminal::start_with(server.address(), &arguments, &environment);
    let mut peer = accept(&server);
    peer.expect(&["CAP LS 302", "NICK ada", "USER ada 0 * :ada"]);
    peer.say("CAP * LS :sasl=PLAIN|CAP * ACK :sasl");
    peer.expect(&["CAP REQ :sasl", "AUTHENTICATE PLAIN"]);
    peer.say("AUTHENTICATE +");
    peer.expect(&["AUTHENTICATE AGFkYQB3cm9uZw=="]);
    terminal.wait_for("[You]:");
    terminal.type_keys("a draft");
    terminal.wait_for("a draft");
    peer.say("904 ada :SASL authentication failed");
    terminal.wait_for("Password for ada:");
    assert!(!terminal.contents().contains("a draft"), "{}", terminal.contents());
    terminal.type_keys("secret");
    terminal.wait_for("Password for ada: ••••••");
    terminal.type_keys("\r");
    peer.expect(&["AUTHENTICATE PLAIN"]);
    peer.say("AUTHENTICATE +");
    peer.expect(&["AUTHENTICATE AGFkYQBzZWNyZXQ="]);
    terminal.wait_for("[You]: a draft");
    peer.say("903 ada :success|001 ada :Welcome|422 ada :no");
    peer.expect(&["CAP END"]);
    terminal.wait_for("connected as ada;");
    terminal.type_keys("\x1b[A\x15");
    let bytes = String::from_utf8_lossy(&terminal.bytes);
    assert!(!bytes.contains("secret"), "{bytes:?}");
}

/// The real server, killed while a user is away, and started again.
#[test]
#[cfg_attr(not(feature = "disk"), ignore = "needs the feature disk")]
fn what_was_said_while_the_line_was_down_is_there_afterwards() {
    let scratch = Scratch::new("irc");
    let flags = ["--greeting-delay=150", "--data", scratch.path()];
    let server = RealServer::start(0, &flags);
    let port = server.address.port();
    let mut terminal = Terminal::start_with(server.address, &["--nick", "ada"], &[]);
    terminal.wait_for("you joined #lobby");
    terminal.type_keys("/register secret-word\rfirst\r/join #x\r");
    terminal.wait_for("#x [You]:");
    terminal.type_keys("@#lobby second\r");
    // Sent before the next message, so it is in the history when that one is.
    terminal.wait_for("#lobby [You]: second");
    say(server.address, "third, ada");
    terminal.wait_for("*#lobby [bob]: third, ada");
    terminal.signal(Signal::SIGSTOP);
    drop(server);
    let server = RealServer::start(port, &flags);
    say(server.address, "fourth");
    say(server.address, "fifth\n/msg ada sixth");
    terminal.signal(Signal::SIGCONT);
    terminal.wait_for("back in #x as ada");
    terminal.wait_for("-- missed 2 messages in #lobby:");
    terminal.wait_for("sixth");
    // Whatever else the server sends of the history comes before the answer to this.
    terminal.type_keys("/topic #x\r");
    terminal.wait_for("#x has no topic");
    let seen = terminal.contents();
    for once in ["first", "second", "third", "fourth", "fifth", "sixth"] {
        assert_eq!(seen.matches(once).count(), 1, "{once}:\n{seen}");
    }
    terminal.type_keys("/history #lobby 3\r");
    terminal.wait_for("history of #lobby: 3 messages");
    terminal.type_keys("\x04");
    assert_eq!(terminal.end().code(), Some(0));
}

/// Someone sends a message to the lobby, and it was accepted.
fn say(server: std::net::SocketAddr, text: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
        .args([server.ip().to_string(), server.port().to_string()])
        .args(["--nick", "bob", "--linger=0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .start();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
