//! A script on IRC.

use crate::irc_server::{IrcPeer, accept};
use crate::line_server::LineServer;
use crate::real_server::RealServer;
use crate::scratch::Scratch;
use crate::start::Start;
use base64ct::{Base64, Encoding};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};

fn start(server: SocketAddr, arguments: &[&str], says: &str) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
        .args([server.ip().to_string(), server.port().to_string()])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .start();
    child.stdin.take().unwrap().write_all(says.as_bytes()).unwrap();
    child
}

/// The same with standard input left open.
pub fn start_open(server: SocketAddr, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
        .args([server.ip().to_string(), server.port().to_string()])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .start()
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

pub fn finished(child: Child, code: i32) -> Output {
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    output
}

const ARGUMENTS: [&str; 5] = ["--nick", "bot", "--join", "#x", "--linger=0"];

/// A server that asks and reads no answer once had the client keep every one of them.
#[test]
fn a_server_that_reads_no_answers_is_not_read_either() {
    let server = LineServer::new();
    let mut child = start_open(server.address(), &ARGUMENTS);
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    let most = 64 << 20;
    let taken = peer.push(&format!("PING :{}", "x".repeat(400)), most);
    assert!(taken < most, "all of it");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn it_says_its_lines_waits_until_they_are_taken_and_quits() {
    let server = LineServer::new();
    let child = start(server.address(), &ARGUMENTS, "one\ntwo");
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    peer.expect(&["PRIVMSG #x :one", "PRIVMSG #x :two", "QUIT"]);
    assert_eq!(peer.hear(), None);
    let output = finished(child, 0);
    let expected = "* connected to srv as bot; /help lists the commands, /quit exits\n\
        * you joined #x, 2 users: @bob bot\n";
    assert_eq!((text(&output.stdout), text(&output.stderr)), (expected, ""));
}

/// A server that reads slowly and would drop who sends too fast: never more than five lines are
/// under way, and none is lost.
#[test]
fn literal_lines_are_text_whatever_they_begin_with_and_quiet_prints_nothing() {
    let server = LineServer::new();
    let lines = "/quit\n@#y hi\n\n//x\nlogin alice hunter2\n";
    let arguments = [&ARGUMENTS[..], &["--literal", "--quiet"]].concat();
    let child = start(server.address(), &arguments, lines);
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    for said in ["/quit", "@#y hi", "//x", "login alice hunter2"] {
        peer.expect(&[&format!("PRIVMSG #x :{said}")]);
    }
    peer.say(":bob!b@h PRIVMSG #x :hello");
    while peer.hear().is_some() {}
    let output = finished(child, 0);
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("", ""));
}

#[test]
fn a_slow_server_is_not_flooded() {
    const LINES: usize = 100;
    let server = LineServer::new();
    let says: String = (0..LINES).map(|number| format!("line {number}\n")).collect();
    let child = start(server.address(), &ARGUMENTS, &says);
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    let (mut heard, mut under_way) = (0, 0);
    while let Some(line) = peer.hear_any() {
        if let Some(token) = line.strip_prefix("PING ") {
            peer.say(&format!(":srv PONG srv {token}"));
            under_way = 0;
        } else if line.starts_with("PRIVMSG") {
            assert_eq!(line, format!("PRIVMSG #x :line {heard}"));
            heard += 1;
            under_way += 1;
            assert!(under_way <= 5, "{line}");
        } else {
            assert_eq!((line.as_str(), heard), ("QUIT", LINES));
        }
    }
    finished(child, 0);
}

#[test]
fn who_is_not_let_in_or_not_heard_is_exit_code_1() {
    let refused = |answer: &dyn Fn(&mut IrcPeer), why: &str| {
        let server = LineServer::new();
        let child = start(server.address(), &ARGUMENTS, "hello\n");
        let mut peer = accept(&server);
        answer(&mut peer);
        while peer.hear().is_some() {}
        let output = finished(child, 1);
        let said = text(&output.stderr).to_owned() + text(&output.stdout);
        assert!(said.contains(why), "{said}");
        assert!(text(&output.stderr).lines().count() <= 1, "{said}");
    };
    refused(&|peer| peer.say("ERROR :Closing link: too many of you"), "too many of you");
    refused(&|peer| peer.say(":srv 465 bot :You are banned"), "You are banned");
    refused(
        &|peer| peer.say("* the server is full: 9 clients"),
        "rejected by the server: the server is full: 9 clients",
    );
    refused(&|peer| peer.say("welcome to the echo service"), "--plain");
    refused(&|peer| peer.end(), "closed the connection");
    refused(
        &|peer| {
            peer.let_in("");
            peer.expect(&["JOIN #x"]);
            peer.say(":srv 473 bot #x :Cannot join channel (+i)");
        },
        "could not join #x: it is invite-only",
    );
    // A number of this server alone.
    refused(
        &|peer| {
            peer.let_in("");
            peer.expect(&["JOIN #x"]);
            peer.say(":srv 480 bot #x :Cannot join channel (+j) - throttle exceeded");
        },
        "could not join #x: Cannot join channel (+j)",
    );
    // None at all: the PONG behind it decides.
    refused(
        &|peer| {
            peer.let_in("");
            peer.expect(&["JOIN #x"]);
        },
        "could not join #x: the server did not confirm it",
    );
    refused(
        &|peer| {
            peer.let_in("");
            peer.enter("#x");
            peer.expect(&["PRIVMSG #x :hello"]);
            peer.say(":srv 404 bot #x :Cannot send to channel");
        },
        "not sent to #x",
    );
}

/// A login is checked by another thread of the server, so its PING is answered first.
#[test]
fn what_follows_a_login_is_said_under_its_name() {
    let server = RealServer::start(0, &[]);
    let said = |nick: &str, lines: &str, code: i32| {
        let child = start(server.address, &["--nick", nick, "--json"], lines);
        text(&finished(child, code).stdout).to_owned()
    };
    said("ann", "/register correct-horse\n", 0);
    let refused = said("bob", "/login ann wrong-horse\n", 1);
    assert!(refused.contains("login as ann failed"), "{refused}");
    said("bob", "/login ann correct-horse\nby ann\n", 0);
    let history = said("bob", "/history 1\n", 0);
    let line = history.lines().find(|line| line.contains("by ann")).unwrap();
    assert!(line.contains("\"account\":\"ann\""), "{line}");
}

#[test]
fn an_unfamiliar_refusal_of_the_registration_is_not_waited_out() {
    let server = LineServer::new();
    let child = start(server.address(), &["--nick", "bot", "--timeout=0.1"], "hello\n");
    let mut peer = accept(&server);
    peer.say(":srv 439 * :Please wait|:srv 468 * :Your user name is invalid");
    while peer.hear().is_some() {}
    let output = finished(child, 1);
    assert!(text(&output.stderr).contains("registration failed: Your user name is invalid"));
}

#[test]
fn a_lost_connection_is_exit_code_3() {
    let server = LineServer::new();
    let child = start(server.address(), &ARGUMENTS, "hello\n");
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    assert_eq!(peer.hear().unwrap(), "PRIVMSG #x :hello");
    // The PING behind it is not answered: no one knows whether it was received.
    peer.reset();
    assert!(text(&finished(child, 3).stderr).contains("connection lost"));
}

#[test]
fn attempts_have_an_end_with_give_up_and_the_nick_is_the_accounts() {
    let server = LineServer::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
        .args([server.address().ip().to_string(), server.address().port().to_string()])
        .args(["--account", "ada", "--reconnect", "--give-up=1"])
        .env("CHATLOOP_ACCOUNT_PASSWORD", "hunter22")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .start();
    let _input = child.stdin.take().unwrap();
    let mut peer = accept(&server);
    peer.expect(&["CAP LS 302", "NICK ada"]);
    assert!(peer.hear().unwrap().starts_with("USER "));
    peer.say(":srv CAP * LS :sasl=PLAIN");
    peer.expect(&["CAP REQ :sasl"]);
    peer.say(":srv CAP * ACK :sasl");
    peer.expect(&["AUTHENTICATE PLAIN"]);
    peer.say("AUTHENTICATE +");
    assert!(peer.hear().unwrap().starts_with("AUTHENTICATE "));
    peer.say(":srv 903 ada :yes");
    peer.expect(&["CAP END"]);
    peer.say(":srv 001 ada :Welcome|:srv 422 ada :no");
    // The first line behind the welcome.
    assert!(peer.hear_any().unwrap().starts_with("PING "));
    drop(server);
    peer.reset();
    let said = text(&finished(child, 3).stderr).to_owned();
    assert!(said.contains("gave up after 1 attempt"), "{said}");
}

#[test]
fn what_follows_a_join_is_said_there() {
    let server = LineServer::new();
    let says = "one\n/join #y\ntwo\n/part #y\nthree";
    let child = start(server.address(), &ARGUMENTS, says);
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    peer.expect(&["PRIVMSG #x :one"]);
    peer.enter("#y");
    peer.expect(&["PRIVMSG #y :two", "PART #y"]);
    peer.say(":bot!u@host PART #y");
    peer.expect(&["PRIVMSG #x :three", "QUIT"]);
    finished(child, 0);
}

/// A machine under load may send its first bytes later than a chatloop server waits for them.
#[test]
fn who_comes_too_late_for_irc_tries_again() {
    let server = LineServer::new();
    let child = start(server.address(), &ARGUMENTS, "hello\n");
    for _ in 0..2 {
        let mut plain = accept(&server);
        plain.say("* connected as guest1, 1 user online (/help lists commands, /quit disconnects)");
        while plain.hear_any().is_some() {}
    }
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    peer.expect(&["PRIVMSG #x :hello", "QUIT"]);
    assert_eq!(text(&finished(child, 0).stderr), "");
}

/// It would wait forever to be told that its line was accepted.
#[test]
fn a_server_that_answers_no_ping_is_exit_code_3() {
    let server = LineServer::new();
    let arguments = [&ARGUMENTS[..], &["--timeout", "0.2"]].concat();
    let child = start(server.address(), &arguments, "hello\n");
    let mut peer = accept(&server);
    peer.let_in("");
    peer.enter("#x");
    let mut said = Vec::new();
    while let Some(line) = peer.hear_any() {
        said.push(line);
        peer.say(":bob!b@h PRIVMSG #x :others go on talking");
    }
    assert!(said.contains(&"PRIVMSG #x :hello".to_owned()), "{said:?}");
    let output = finished(child, 3);
    assert!(text(&output.stderr).contains("not answered a PING for 6 s"), "{output:?}");
}

#[test]
fn passwords_come_from_files_and_variables() {
    let scratch = Scratch::new("password");
    let path = scratch.write("password", "from the file\nand more\n");
    let server = LineServer::new();
    let file = ["--nick", "bot", "--password-file", &path];
    for (arguments, expected) in
        [(&file[..], "PASS :from the file"), (&["--nick", "bot"], "PASS :from the variable")]
    {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
            .args([server.address().ip().to_string(), server.address().port().to_string()])
            .args(arguments)
            .env("CHATLOOP_PASSWORD", "from the variable")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .start();
        accept(&server).expect(&["CAP LS 302", expected, "NICK bot"]);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut missing = start(server.address(), &["--password-file", "/nonexistent"], "");
    assert_eq!(missing.wait().unwrap().code(), Some(2));
}

#[test]
fn an_account_is_proved_to_the_real_server() {
    let server = RealServer::start(0, &["--greeting-delay=150"]);
    let register = "/register secret-word\n";
    finished(start(server.address, &["--nick", "bob", "--linger=0"], register), 0);
    for (password, code, said) in
        [("secret-word", 0, "you are logged in as bob"), ("wrong-word", 1, "login as bob failed")]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
            .args([server.address.ip().to_string(), server.address.port().to_string()])
            .args(["--nick", "bob", "--account", "bob", "--linger=0"])
            .env("CHATLOOP_ACCOUNT_PASSWORD", password)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .start()
            .wait_with_output()
            .unwrap();
        let seen = text(&output.stdout).to_owned() + text(&output.stderr);
        assert!(seen.contains(said) && !seen.contains("-word"), "{seen}");
        assert_eq!(output.status.code(), Some(code), "{seen}");
    }
}

#[test]
fn json_has_ids_and_accounts() {
    let server = RealServer::start(0, &["--greeting-delay=150"]);
    let mut listener = Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
        .args([server.address.ip().to_string(), server.address.port().to_string()])
        .args(["--json", "--nick", "alice"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .start();
    let mut lines = BufReader::new(listener.stdout.take().unwrap()).lines();
    let mut next = |wanted: &dyn Fn(&Value) -> bool| loop {
        let value: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(value["v"], 1);
        if wanted(&value) {
            return value;
        }
    };
    let joined = next(&|value| value["type"] == "join");
    assert_eq!((&joined["room"], &joined["nick"]), (&"#lobby".into(), &"alice".into()));
    let says = "/register secret-word\nhey @alice\n/msg alice psst\n";
    finished(start(server.address, &["--nick", "bob", "--linger=0"], says), 0);
    let said = next(&|value| value["type"] == "message");
    assert_eq!(
        (&said["room"], &said["nick"], &said["account"]),
        (&"#lobby".into(), &"bob".into(), &"bob".into())
    );
    assert_eq!((&said["text"], &said["mention"]), (&"hey @alice".into(), &true.into()));
    assert!(said["id"].is_string() && said["time"].as_str().unwrap().ends_with('Z'));
    let private = next(&|value| value["type"] == "private");
    assert_eq!((&private["text"], &private["own"]), (&"psst".into(), &false.into()));
    let mut input = listener.stdin.take().unwrap();
    write!(input, "/re {} and another\n/history 5\n", said["number"]).unwrap();
    let past = next(&|value| value["type"] == "past");
    assert_eq!(
        (&past["id"], &past["time"], &past["room"]),
        (&said["id"], &said["time"], &"#lobby".into())
    );
    let answer = next(&|value| value["type"] == "past");
    assert_eq!((&answer["reply"], &answer["text"]), (&said["id"], &"and another".into()));
    // What happens has its own types, and one's own messages have ids.
    let number = &said["number"];
    writeln!(input, "mine\n/edit last my own\n/react {number} +1\n/delete last").unwrap();
    let mine = next(&|value| value["type"] == "message" && value["text"] == "mine");
    assert_eq!((&mine["own"], &mine["nick"]), (&true.into(), &"alice".into()));
    assert!(mine["id"].is_string());
    let edit = next(&|value| value["type"] == "edit");
    assert_eq!((&edit["target"], &edit["text"]), (&mine["id"], &"my own".into()));
    let reaction = next(&|value| value["type"] == "reaction");
    assert_eq!((&reaction["target"], &reaction["text"]), (&said["id"], &"+1".into()));
    let gone = next(&|value| value["type"] == "delete");
    assert_eq!((&gone["target"], &gone["room"]), (&mine["id"], &"#lobby".into()));
    input.write_all(b"/join #beans\n/topic tea\n/nick\n/nick ann\n/part\n").unwrap();
    // The client finds this one by itself.
    next(&|value| value["type"] == "error");
    let topic = next(&|value| value["type"] == "topic");
    assert_eq!((&topic["room"], &topic["text"]), (&"#beans".into(), &"tea".into()));
    let nick = next(&|value| value["type"] == "nick");
    assert_eq!((&nick["nick"], &nick["target"]), (&"alice".into(), &"ann".into()));
    assert_eq!(next(&|value| value["type"] == "part")["nick"], "ann");
    input.write_all(b"/quit\n").unwrap();
    // One command had no argument.
    assert_eq!(listener.wait().unwrap().code(), Some(1));
}

fn with_account(server: SocketAddr, password: &str, says: &str, state: &Scratch) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
        .args([server.ip().to_string(), server.port().to_string()])
        .args(["--nick", "ada", "--account", "ada", "--join", "#x", "--linger=0"])
        .env("CHATLOOP_ACCOUNT_PASSWORD", password)
        .env("XDG_STATE_HOME", &state.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .start();
    child.stdin.take().unwrap().write_all(says.as_bytes()).unwrap();
    child
}

/// A server without the password leaves SCRAM's last message out and says 903; after that, it no
/// longer offers SCRAM.
#[test]
fn an_impostor_gets_neither_a_line_nor_the_password() {
    let state = Scratch::new("impostor");
    let server = LineServer::new();
    let start = || with_account(server.address(), "secret", "for the real server only\n", &state);
    let child = start();
    let mut peer = accept(&server);
    peer.expect(&["CAP LS 302", "NICK ada", "USER ada 0 * :ada"]);
    peer.say("CAP * LS :sasl=PLAIN,SCRAM-SHA-256|CAP * ACK :sasl");
    peer.expect(&["CAP REQ :sasl", "AUTHENTICATE SCRAM-SHA-256"]);
    peer.say("AUTHENTICATE +");
    let first = peer.hear().unwrap().strip_prefix("AUTHENTICATE ").unwrap().to_owned();
    let first = String::from_utf8(Base64::decode_vec(&first).unwrap()).unwrap();
    let nonce = first.split("r=").nth(1).unwrap();
    let challenge = Base64::encode_string(format!("r={nonce}x,s=c2FsdA==,i=4096").as_bytes());
    peer.say(&format!("AUTHENTICATE {challenge}"));
    assert!(peer.hear().unwrap().starts_with("AUTHENTICATE "));
    peer.say("900 ada ada!a@h ada :You are now logged in|903 ada :ok|001 ada :Welcome");
    assert_eq!(peer.hear(), None);
    let output = finished(child, 1);
    assert!(text(&output.stderr).contains("may be an impostor"), "{output:?}");
    let child = start();
    let mut peer = accept(&server);
    peer.expect(&["CAP LS 302", "NICK ada", "USER ada 0 * :ada"]);
    peer.say("CAP * LS :sasl=PLAIN|CAP * ACK :sasl|AUTHENTICATE +|001 ada :Welcome");
    peer.expect(&["CAP REQ :sasl"]);
    assert_eq!(peer.hear(), None);
    let output = finished(child, 1);
    assert!(text(&output.stderr).contains("no longer offers SCRAM"), "{output:?}");
}
