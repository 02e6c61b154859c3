//! A script that reconnects.

use crate::irc_script::{finished, start_open, text};
use crate::irc_server::accept;
use crate::line_server::LineServer;
use std::io::Write;

#[test]
fn a_bot_reconnects_and_what_may_be_lost_is_told() {
    let server = LineServer::new();
    let arguments = ["--nick", "bot", "--join", "#x", "--linger=0", "--reconnect"];
    let mut child = start_open(server.address(), &arguments);
    let mut input = child.stdin.take().unwrap();
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    input.write_all(b"one\n").unwrap();
    assert_eq!(peer.hear().unwrap(), "PRIVMSG #x :one");
    peer.reset();
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    input.write_all(b"two\n").unwrap();
    drop(input);
    peer.expect(&["PRIVMSG #x :two", "QUIT"]);
    let said = text(&finished(child, 3).stderr).to_owned();
    assert!(said.contains("possibly not delivered: one"), "{said}");
}

/// What has not been sent yet is not lost with the connection, and of what may be, nothing is left out.
#[test]
fn a_bot_sends_the_rest_over_the_next_connection() {
    let server = LineServer::new();
    let arguments = ["--nick", "bot", "--join", "#x", "--linger=0", "--reconnect", "--literal"];
    let mut child = start_open(server.address(), &arguments);
    let mut input = child.stdin.take().unwrap();
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    let lines: Vec<String> = (1..=300).map(|number| format!("line {number}")).collect();
    input.write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    drop(input);
    let sent = |line: &str| format!("PRIVMSG #x :{line}");
    // The PING behind them is not answered.
    assert_eq!(peer.hear(), Some(sent(&lines[0])));
    while !peer.hear_any().unwrap().starts_with("PING ") {}
    peer.reset();
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    let first = peer.hear().unwrap();
    let lost = lines.iter().position(|line| sent(line) == first).unwrap();
    assert!((1..=5).contains(&lost), "no more than may be on their way: {lost}");
    for line in &lines[lost + 1..] {
        assert_eq!(peer.hear(), Some(sent(line)));
    }
    peer.expect(&["QUIT"]);
    let said = text(&finished(child, 3).stderr).to_owned();
    let told = said.lines().filter_map(|line| line.split_once("possibly not delivered: "));
    assert!(told.map(|it| it.1).eq(&lines[..lost]), "{said}");
}

#[test]
fn a_bot_does_not_come_back_to_a_server_that_has_banned_it() {
    let server = LineServer::new();
    let arguments = ["--nick", "bot", "--join", "#x", "--reconnect"];
    let mut child = start_open(server.address(), &arguments);
    let _input = child.stdin.take().unwrap();
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    peer.say("ERROR :you are banned from this server");
    peer.end();
    finished(child, 1);
}
