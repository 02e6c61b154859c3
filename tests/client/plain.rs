//! A person with `--plain`: what a line client does at any server that speaks lines.

use crate::line_server::{LineServer, Peer, TIMEOUT};
use crate::pty::Terminal;
use crate::real_server::RealServer;
use crate::start::Start;
use serde_json::Value;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};

fn connected(arguments: &[&str]) -> (LineServer, Peer, Terminal) {
    let server = LineServer::new();
    let mut terminal = Terminal::start_plain(server.address(), arguments, &[]);
    let peer = server.accept();
    terminal.wait_for("[You]:");
    (server, peer, terminal)
}

#[test]
fn tab_completes_the_names_in_brackets() {
    let (_server, mut peer, mut terminal) = connected(&[]);
    peer.say("[alice]: hi\n[albert]: ho\n");
    terminal.wait_for("[albert]: ho");
    terminal.type_keys("al\thello\r");
    assert_eq!(peer.hear().unwrap(), "albert: hello", "the last speaker first");
    terminal.type_keys("al\t\tyou, too\r");
    assert_eq!(peer.hear().unwrap(), "alice: you, too", "and on with each Tab");
    terminal.type_keys("al\t: \t\r");
    assert_eq!(peer.hear().unwrap(), "albert: : ", "another word begins");
}

#[test]
fn control_r_searches_and_passwords_are_nowhere() {
    let (_server, mut peer, mut terminal) = connected(&[]);
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
fn a_bell_in_front_of_a_line_rings_unless_it_is_off() {
    for (arguments, rings) in [(&[][..], true), (&["--bell=off"], false)] {
        let (_server, mut peer, mut terminal) = connected(arguments);
        peer.say("quiet\n");
        terminal.wait_for("quiet");
        assert!(!terminal.bytes.contains(&7), "no bell yet");
        peer.say("\x07[bob]: hey\nbehind\x07\n");
        terminal.wait_for("behind\u{2407}");
        assert_eq!(terminal.bytes.contains(&7), rings);
        assert!(terminal.contents().contains("\n[bob]: hey\n"), "{}", terminal.contents());
    }
}

/// Not even to a server whose sentences it could know.
#[test]
fn a_server_is_told_nothing_unasked() {
    let server = RealServer::start(0, &["--greeting-delay=0"]);
    let mut terminal = Terminal::start_plain(server.address, &[], &[]);
    terminal.wait_for("guest1");
    drop((terminal, server));
    let (_server, mut peer, mut terminal) = connected(&[]);
    peer.say("* connected as guest1, 2 users online (/help lists commands, /quit disconnects)\n");
    peer.say("*3 [bob]: as it is\n");
    terminal.wait_for("*3 [bob]: as it is");
    terminal.type_keys("/numbers on\r\x04");
    assert_eq!(peer.hear_all(), ["/numbers on"]);
}

#[test]
fn a_killed_server_is_connected_to_again() {
    let server = RealServer::start(0, &["--greeting-delay=0"]);
    let mut terminal = Terminal::start_plain(server.address, &[], &[]);
    terminal.wait_for("connected as guest1");
    let port = server.address.port();
    drop(server);
    terminal.wait_for("connection lost");
    let server = RealServer::start(port, &["--greeting-delay=0"]);
    terminal.wait("a second welcome", |screen| {
        screen.contents().matches("connected as guest1").count() == 2
    });
    terminal.type_keys("/nick alice\r/quit\r");
    terminal.wait_for("alice");
    assert_eq!(terminal.end().code(), Some(0));
    drop(server);
}

#[test]
fn json_has_every_line_as_it_came() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
        .args([address.ip().to_string(), address.port().to_string()])
        .args(["--plain", "--json", "--linger=20"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .start();
    let mut stream = listener.accept().unwrap().0;
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.write_all(b"[bob]: \xff\x1b[31m\n* hello\n").unwrap();
    drop(stream);
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let values: Vec<Value> =
        output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<_> = values.iter().map(|value| value["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["[bob]: \u{fffd}\u{241b}[31m", "* hello"]);
    for value in values {
        assert_eq!((&value["type"], value["v"].as_u64()), (&"raw".into(), Some(1)));
        assert!(value["time"].is_string());
    }
}
