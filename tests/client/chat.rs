//! A person at a chatloop server, with `--plain`: scripted where the moment matters, the real one where its words
//! do.

use crate::line_server::{LineServer, PATIENCE, Peer};
use crate::pty::Terminal;
use crate::real_server::RealServer;
use crate::start::Start;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

const WELCOME: &str =
    "* connected as guest1, 2 users online; /help lists the commands, /quit leaves\n";

/// A scripted server that has welcomed the client and answered what it asked.
fn welcomed(arguments: &[&str]) -> (LineServer, Peer, Terminal) {
    let server = LineServer::new();
    let mut terminal = Terminal::start_plain(server.address(), arguments, &[]);
    let mut peer = server.accept();
    peer.say(WELCOME);
    assert_eq!(peer.hear().unwrap(), "/help");
    peer.say("* /join #room [KEY]                 enter a room\n* /me TEXT       do something\n");
    assert_eq!(peer.hear().unwrap(), "/numbers on");
    peer.say("* messages show their numbers\n");
    assert_eq!(peer.hear().unwrap(), "/who #lobby");
    peer.say("* 2 users in #lobby:\n* @alfred\n* guest1\n");
    terminal.wait_for("#lobby [You]:");
    (server, peer, terminal)
}

#[test]
fn tab_completes_nicks_rooms_and_commands() {
    let (_server, mut peer, mut terminal) = welcomed(&[]);
    peer.say("1 [alice]: hi\n2 [albert]: ho\n");
    terminal.wait_for("[albert]: ho");
    terminal.type_keys("al\thello\r");
    assert_eq!(peer.hear().unwrap(), "albert: hello", "who spoke last");
    terminal.type_keys("al\t\t\tyou, too\r");
    assert_eq!(peer.hear().unwrap(), "alfred: you, too", "and on with each Tab");
    terminal.type_keys("/j\t#lo\t\r");
    assert_eq!(peer.hear().unwrap(), "/join #lobby ");
    terminal.type_keys("/\t");
    terminal.wait_for("-- /me TEXT");
    terminal.wait_for("#lobby [You]: /");
    let seen = terminal.contents();
    assert!(!seen.contains("messages show") && !seen.contains("users in"), "{seen}");
}

#[test]
fn control_r_searches_and_passwords_are_nowhere() {
    let (_server, mut peer, mut terminal) = welcomed(&[]);
    terminal.type_keys("make test\r/login alice hunter22\rgit push\r");
    for expected in ["make test", "/login alice hunter22", "git push"] {
        assert_eq!(peer.hear().unwrap(), expected);
    }
    terminal.wait_for("/login alice ••••••••");
    terminal.type_keys("\x12MAKE");
    terminal.wait_for("(search)'MAKE': make test");
    terminal.type_keys("\r");
    assert_eq!(peer.hear().unwrap(), "make test");
    terminal.type_keys("\x12hunter");
    terminal.wait_for("(failed search)");
    terminal.type_keys("\x07still here\r");
    assert_eq!(peer.hear().unwrap(), "still here");
    let bytes = String::from_utf8_lossy(&terminal.bytes).into_owned();
    assert!(!bytes.contains("hunter22"), "{bytes:?}");
}

#[test]
fn a_mention_is_highlighted_and_rings() {
    let (_server, mut peer, mut terminal) = welcomed(&[]);
    peer.say("1 [bob]: not you\n");
    terminal.wait_for("not you");
    assert!(!terminal.bytes.contains(&7), "no bell yet");
    peer.say("*2 [bob]: hey @guest1\n");
    terminal.wait_for("*[bob]: hey @guest1");
    assert!(terminal.bytes.contains(&7), "it rings");
    let bytes = String::from_utf8_lossy(&terminal.bytes).into_owned();
    assert!(bytes.contains("\x1b[1;95mhey @guest1"), "{bytes:?}");
    assert!(!terminal.contents().contains("2 [bob]"), "numbers are hidden");
    terminal.type_keys("/bell off\r/numbers on\r");
    terminal.wait_for("messages show their numbers");
    let rung = terminal.bytes.iter().filter(|byte| **byte == 7).count();
    peer.say("*3 [bob]: again @guest1\n");
    terminal.wait_for("*3 [bob]: again");
    assert_eq!(terminal.bytes.iter().filter(|byte| **byte == 7).count(), rung);
}

#[test]
fn another_server_is_told_nothing_unasked() {
    let server = LineServer::new();
    let mut terminal = Terminal::start_plain(server.address(), &[], &[]);
    let mut peer = server.accept();
    // Only the very first line counts.
    peer.say(&format!("hello\n{WELCOME}*3 [bob]: as it is\n"));
    terminal.wait_for("*3 [bob]: as it is");
    terminal.type_keys("/numbers on\r\x04");
    assert_eq!(peer.hear_all(), ["/numbers on"]);
}

/// A loss in the middle of a talk: everything once, in order, and the own line is not repeated.
#[test]
fn after_a_loss_nothing_is_missing_or_doubled() {
    let (server, mut peer, mut terminal) = welcomed(&[]);
    peer.say("* you are alice now\n* you are in #x now, 300 users there\n");
    peer.say("1 [bob]: one\n#x 5 [bob]: five\n");
    terminal.wait_for("#x [bob]: five");
    terminal.type_keys("mine\r");
    assert_eq!(peer.hear().unwrap(), "mine");
    peer.reset();
    let mut peer = server.accept();
    peer.say(WELCOME);
    let questions = [
        "/help",
        "/numbers on",
        "/nick alice",
        "/join #x",
        "/room #x",
        "/history #lobby after 0 500",
        "/history #x after 4 500",
        "/numbers on",
    ];
    for question in questions {
        assert_eq!(peer.hear().unwrap(), question);
    }
    peer.say("* past of #lobby: 1 message, times are UTC\n- 1 2026-01-31 12:30 [bob]: one\n");
    peer.say("* messages show their numbers\n* you are alice now\n2 [bob]: two\n");
    peer.say("* from the past of #lobby: 2 messages, times are UTC\n");
    peer.say("- 1 2026-01-31 12:30 [bob]: one\n- 2 2026-01-31 12:31 [bob]: two\n");
    peer.say("#x 8 [bob]: eight\n");
    peer.say("* from the past of #x: 3 messages, times are UTC\n");
    peer.say("- 5 2026-01-31 12:30 #x [bob]: five\n- 6 2026-01-31 12:30 #x [alice]: mine\n");
    peer.say("- 7 2026-01-31 12:31 #x [bob]: seven alice\n");
    assert!(!terminal.contents().contains("back in"), "not before the last answer");
    peer.say("* messages show their numbers\n");
    terminal.wait_for("back in #x as alice");
    let seen = terminal.contents();
    for once in ["[bob]: one", "[bob]: two", "[bob]: five", "[bob]: seven", "[bob]: eight", "mine"]
    {
        assert_eq!(seen.matches(once).count(), 1, "{once}:\n{seen}");
    }
    let order = ["five", "mine", "two", "seven", "eight"].map(|word| seen.find(word).unwrap());
    assert!(order.is_sorted(), "{seen}");
    assert!(seen.contains("1 message was missed in #x:"), "{seen}");
    assert!(!seen.contains("forgotten") && !seen.contains("nobody has heard"), "{seen}");
}

#[test]
fn a_killed_server_is_gone_back_to() {
    let server = RealServer::start(0, &["--greeting-delay=0"]);
    let mut terminal = Terminal::start_plain(server.address, &[], &[]);
    terminal.wait_for("#lobby [You]:");
    terminal.type_keys("/nick alice\r/join #x word\r");
    terminal.wait_for("#x [You]:");
    terminal.type_keys("into the void\r");
    terminal.wait_for("into the void");
    let port = server.address.port();
    drop(server);
    terminal.wait_for("connection lost");
    let server = RealServer::start(port, &["--greeting-delay=0"]);
    terminal.wait_for("back in #x as alice");
    terminal.wait_for("perhaps nobody has heard your: into the void");
    terminal.type_keys("/who\r");
    terminal.wait_for("* @alice");
    drop(server);
}

#[test]
fn json_is_one_object_a_line() {
    let server = RealServer::start(0, &["--greeting-delay=0"]);
    let client = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
            .args([server.address.ip().to_string(), server.address.port().to_string()])
            .arg("--plain")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .start()
    };
    let mut listener = client(&["--json"]);
    let mut lines = BufReader::new(listener.stdout.take().unwrap()).lines();
    let mut next = || -> Value {
        let value: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(value["v"], 1);
        assert!(value["time"].is_string());
        value
    };
    assert_eq!(next()["type"], "server", "the welcome");
    let mut input = listener.stdin.take().unwrap();
    input.write_all(b"/nick alice\n").unwrap();
    while next()["text"] != "you are alice now" {}
    let mut speaker = client(&["--linger=0"]);
    speaker.stdin.take().unwrap().write_all(b"/nick bob\nhey @alice\n").unwrap();
    let said = loop {
        let value = next();
        if value["type"] == "message" {
            break value;
        }
    };
    assert_eq!((&said["room"], &said["nick"]), (&"#lobby".into(), &"bob".into()));
    assert_eq!((&said["text"], &said["mention"]), (&"hey @alice".into(), &true.into()));
    assert_eq!(said["number"], 1);
    input.write_all(b"/quit\n").unwrap();
    assert_eq!(listener.wait().unwrap().code(), Some(0));
    speaker.wait().unwrap();
}

#[test]
fn json_of_another_server_is_raw() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
        .args([address.ip().to_string(), address.port().to_string()])
        .args(["--plain", "--json", "--linger=20"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .start();
    let mut stream = listener.accept().unwrap().0;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"[bob]: \xff\x1b[31m\n").unwrap();
    drop(stream);
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let value: Value = serde_json::from_str(output.trim_end()).unwrap();
    assert_eq!((&value["type"], value["v"].as_u64()), (&"raw".into(), Some(1)));
    assert_eq!(value["text"], "[bob]: \u{fffd}\u{241b}[31m");
}
