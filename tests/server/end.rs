//! How does the server end, and what does its operator see?

use crate::common::{Client, Server, texts};
use chatloop_reactor::Backend;
use nix::sys::signal::Signal;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

per_backend! {
    everyone_gets_a_goodbye_and_the_port_is_free_at_once
    what_is_owed_is_sent_before_the_end
    a_second_interrupt_ends_it_now
}

fn everyone_gets_a_goodbye_and_the_port_is_free_at_once(backend: Backend) {
    let mut server = Server::on(backend, &[]);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut room = server.room(20);
        room[0].send("unread input\n"); // must not turn the end into a reset
        server.signal(signal);
        for client in &mut room {
            let rest = client.rest();
            let last = rest.lines().last().unwrap();
            assert!(texts::is_goodbye(last), "{signal}: {rest}");
        }
        // The clients are still there: their connections stay on the port for a minute.
        assert_eq!(server.ended().code(), Some(0), "{signal}");
        server.log.wait_for("stopped after");
        let next = server.start_again(&["--backend", backend.name()]);
        assert_eq!(next.address, server.address);
        server = next;
    }
}

/// More than sockets take at once, and a line that was said in the same moment.
fn what_is_owed_is_sent_before_the_end(backend: Backend) {
    const LINES: usize = 1_500;
    let mut server = Server::on(backend, &["--outbox-hard", "64M", "--outbox-soft", "64M"]);
    let mut room = server.room(2);
    let mut slow = Client::connect_narrow(server.address);
    slow.line();
    room.iter_mut().for_each(|client| drop(client.line()));
    let name = room[0].name();
    let text = "~".repeat(2_000);
    room[0].send(format!("{text}\n").repeat(LINES));
    for _ in 0..LINES {
        assert_eq!(room[1].line(), texts::said(&name, &text));
    }
    server.signal(Signal::SIGTERM);
    server.log.wait_for("shutting down");
    let rest = slow.rest();
    let lines: Vec<&str> = rest.lines().collect();
    assert_eq!(lines.len(), LINES + 1);
    assert!(lines[..LINES].iter().all(|line| *line == texts::said(&name, &text)));
    assert!(texts::is_goodbye(lines[LINES]), "{}", lines[LINES]);
    assert_eq!(server.ended().code(), Some(0));
}

/// A client that owes the server a read forever.
fn stuck_client(server: &Server) -> Client {
    let mut speaker = server.join();
    let mut witness = server.join();
    let mut stuck = Client::connect_narrow(server.address);
    stuck.line();
    let text = "~".repeat(2_000);
    speaker.send(format!("{text}\n").repeat(4_000));
    let said = texts::said(&speaker.name(), &text);
    for _ in 0..4_000 {
        assert_eq!(witness.chat_line(), said);
    }
    stuck
}

fn a_second_interrupt_ends_it_now(backend: Backend) {
    let mut server = Server::on(backend, &["--outbox-hard", "64M", "--quiet"]);
    let _stuck = stuck_client(&server);
    server.signal(Signal::SIGINT);
    server.log.wait_for("shutting down");
    server.signal(Signal::SIGINT);
    assert_eq!(server.ended().code(), Some(130), "not the end that its patience brings");
}

#[test]
fn nobody_can_keep_it_from_ending() {
    let mut server = Server::start(&["--outbox-hard", "64M", "--quiet"]);
    let _stuck = stuck_client(&server);
    let start = Instant::now();
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().code(), Some(0));
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(900), "it has its second: {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn nobody_new_is_taken_while_it_ends() {
    let mut server = Server::start(&["--outbox-hard", "64M", "--quiet"]);
    let _stuck = stuck_client(&server);
    server.signal(Signal::SIGTERM);
    server.log.wait_for("shutting down");
    // Either the listener is closed already, or the connection never gets a word.
    if let Ok(mut late) = std::net::TcpStream::connect(server.address) {
        let mut word = [0; 1];
        assert!(!matches!(std::io::Read::read(&mut late, &mut word), Ok(1..)));
    }
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_taken_port_is_named_and_what_to_do_is_said() {
    let server = Server::start(&[]);
    let port = server.address.port().to_string();
    let second = Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
        .args(["127.0.0.1", &port])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let message = String::from_utf8(second.stderr).unwrap();
    assert!(message.contains(&port) && message.contains("another port"), "{message}");
}

#[test]
fn the_ready_line_names_address_backend_and_capacity() {
    for backend in Backend::available() {
        let server = Server::on(*backend, &["--max-clients", "7"]);
        let ready = server.log.wait_for(texts::READY);
        assert!(ready.contains(backend.name()), "{ready}");
        assert_ne!(server.address.port(), 0);
        assert_eq!(texts::capacity_in(&ready), 7);
    }
    let ready = Server::on(Backend::Select, &[]).log.wait_for(texts::READY);
    assert!(texts::capacity_in(&ready) < 1024, "select is honest: {ready}");
}

#[test]
fn the_transcript_is_on_stdout_and_quiet_silences_it() {
    for quiet in [false, true] {
        let mut server = Server::start(if quiet { &["--quiet"] } else { &[] });
        let mut room = server.room(2);
        let (name, other) = (room[0].name(), room[1].name());
        room[0].send("for the \x1b[31mrecord\n");
        assert_eq!(room[1].line(), texts::said(&name, "for the \u{241b}[31mrecord"));
        drop(room.pop());
        assert!(texts::is_some_departure(&room[0].line()));
        server.signal(Signal::SIGTERM);
        assert_eq!(server.ended().code(), Some(0));
        let transcript = server.transcript.all();
        if quiet {
            assert_eq!(transcript, [""; 0]);
            continue;
        }
        // Each line begins with its time, as 2026-01-31T12:30:00Z.
        let timeless = |line: &String| match line.split_once("Z ") {
            Some((time, rest)) if time.len() == 19 => rest.to_owned(),
            _ => panic!("no time: {line}"),
        };
        let transcript: Vec<String> = transcript.iter().map(timeless).collect();
        let joined = |line: &str, who| {
            line.starts_with(&format!("* {who} (127.0.0.1:")) && line.ends_with(") joined #lobby")
        };
        assert!(joined(&transcript[0], &name) && joined(&transcript[1], &other), "{transcript:?}");
        assert_eq!(transcript[2], texts::said(&name, "for the \u{241b}[31mrecord"));
        assert!(texts::is_departure(&transcript[3], &other, 1), "{transcript:?}");
    }
}

/// stdout is a pipe that no one reads, as after Ctrl-S on a terminal.
#[test]
fn a_stopped_stdout_stops_nobody() {
    let (mut server, stdout) = Server::with_stdout(&[]);
    let mut room = server.room(2);
    let name = room[0].name();
    // More turns than may wait for stdout, and far more bytes than its pipe holds.
    for number in 0..1_500 {
        let text = format!("{number} {}", "~".repeat(2_000));
        room[0].send(format!("{text}\n"));
        assert_eq!(room[1].line(), texts::said(&name, &text));
    }
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().code(), Some(0));
    drop(stdout);
}

#[test]
fn a_stderr_that_nobody_reads_stops_nobody() {
    // The log of a crowd at --log trace is far more than a pipe and a queue hold.
    let mut child = Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
        .args(["127.0.0.1", "0", "--log", "trace", "--quiet", "--greeting-delay=0"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut ready = String::new();
    while !ready.contains(texts::READY) {
        ready.clear();
        stderr.read_line(&mut ready).unwrap();
    }
    let address = texts::address_in(&ready);
    for _ in 0..2_000 {
        let mut client = Client::connect(address);
        assert!(texts::is_some_welcome(&client.line()));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_closed_stdout_stops_nobody() {
    let (mut server, stdout) = Server::with_stdout(&[]);
    drop(stdout);
    let mut room = server.room(2);
    let name = room[0].name();
    for number in 0..20 {
        room[0].send(format!("{number}\n"));
        assert_eq!(room[1].line(), texts::said(&name, &number.to_string()));
    }
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().code(), Some(0));
}
