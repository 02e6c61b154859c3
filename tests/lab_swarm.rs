//! The load generator against servers with one vice each: it must name exactly that one.
//!
//! The server here is a room of blocking threads behind one lock, small enough to be trusted, and
//! what it does to a line is one match arm.

#![allow(clippy::unwrap_used)] // helpers of tests are not test functions to clippy

#[allow(unused_macros)]
mod common;

use common::scratch::Scratch;
use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Vice {
    /// None: `[n]: line` to everyone else.
    Good,
    /// As `Good`, with colours, `\r`, notices and a welcome.
    Ornate,
    /// Says every line to its sender, too.
    Echoes,
    /// The victim misses a line.
    Loses,
    /// The victim gets a line twice.
    Doubles,
    /// The victim gets two lines of one sender the other way round.
    Reorders,
    /// The victim gets two lines of different senders the other way round.
    Crosses,
    /// The victim gets a line in two.
    Tears,
    /// The victim gets two lines in one.
    Glues,
    /// The victim gets a line with one character replaced.
    Garbles,
    /// Relays nothing.
    Deaf,
    /// Wants to be greeted with HELLO before it relays.
    Formal,
    /// Drops a client that does not take a line in 300 ms.
    Impatient,
    /// Closes the victim's connection in the middle.
    Hangs,
}

/// Of whom the vice makes a victim: the third to connect, which sends nothing in these tests.
const VICTIM: usize = 2;
/// The line that the vice meets. Probes do not count.
const LINE: usize = 5;

struct Room {
    vice: Vice,
    members: Vec<Option<TcpStream>>,
    lines: usize,
    /// The number of the line that meets the vice.
    vicious_line: usize,
    held: Vec<u8>,
}

impl Room {
    fn relay(&mut self, from: usize, text: &str) {
        if self.vice == Vice::Deaf {
            return;
        }
        let measured = !text.contains(".99999999.");
        self.lines += usize::from(measured);
        let meets_vice = measured && self.lines == self.vicious_line;
        for to in 0..self.members.len() {
            if to == from && self.vice != Vice::Echoes {
                continue;
            }
            let line = match self.vice {
                Vice::Ornate => format!("\r\x1b[1;35m[{from}]: {text} \r\n\x1b[0mnotice swarm.\n"),
                _ => format!("[{from}]: {text}\n"),
            };
            let line = if to == VICTIM && measured { self.spoil(line, meets_vice) } else { line };
            let Some(member) = &mut self.members[to] else { continue };
            let outcome = member.write_all(line.as_bytes());
            // A write that times out says WouldBlock on Linux and macOS.
            let full = outcome.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
            if full || (meets_vice && to == VICTIM && self.vice == Vice::Hangs) {
                let _ = member.shutdown(Shutdown::Both);
                self.members[to] = None;
            }
        }
    }

    fn spoil(&mut self, line: String, meets_vice: bool) -> String {
        let held = String::from_utf8(std::mem::take(&mut self.held)).unwrap();
        match self.vice {
            Vice::Loses if meets_vice => String::new(),
            Vice::Doubles if meets_vice => line.repeat(2),
            Vice::Tears if meets_vice => line.replacen(".---", ".\n---", 1),
            Vice::Glues if meets_vice => line.trim_end().to_owned(),
            Vice::Garbles if meets_vice => line.replacen("---", "-?-", 1),
            Vice::Reorders | Vice::Crosses if meets_vice => {
                self.held = line.into_bytes();
                String::new()
            }
            // Two lines of one sender would be reordered, not crossed: cross later.
            Vice::Crosses if sender(&held).is_some() && sender(&held) == sender(&line) => {
                self.vicious_line = self.lines + 1;
                held + &line
            }
            _ => line + &held,
        }
    }
}

/// Who said a line of the form `[number]: text`.
fn sender(line: &str) -> Option<&str> {
    line.split_once("]: ").map(|(who, _)| who)
}

fn serve(stream: TcpStream, me: usize, room: &Mutex<Room>) {
    let vice = room.lock().unwrap().vice;
    let mut greeted = vice != Vice::Formal;
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        if line == "HELLO member" {
            greeted = true;
        } else if greeted {
            room.lock().unwrap().relay(me, &line);
        }
    }
}

/// Starts a server; it ends with the test process.
fn server(vice: Vice) -> u16 {
    room(vice).0
}

fn room(vice: Vice) -> (u16, Arc<Mutex<Room>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let room = Room { vice, members: Vec::new(), lines: 0, vicious_line: LINE, held: Vec::new() };
    let room = Arc::new(Mutex::new(room));
    let shared = Arc::clone(&room);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let mut reader = stream.try_clone().unwrap();
            if vice == Vice::Impatient {
                stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
            }
            if vice == Vice::Ornate {
                reader.write_all(b"welcome\nswarm.\n2 users\n").unwrap();
            }
            let room = Arc::clone(&room);
            let me = {
                let mut room = room.lock().unwrap();
                room.members.push(Some(stream));
                room.members.len() - 1
            };
            thread::spawn(move || serve(reader, me, &room));
        }
    });
    (port, shared)
}

fn swarm(port: u16, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chatloop-lab"))
        .args(["swarm", "127.0.0.1", &port.to_string(), "--json"])
        .args(arguments)
        .output()
        .unwrap()
}

fn judge(vice: Vice, arguments: &[&str]) -> (i32, Value) {
    let output = swarm(server(vice), arguments);
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{vice:?}: {error}: {output:?}"));
    (output.status.code().unwrap(), report)
}

/// What a report holds against the server, by key, zeros left out.
fn charges(report: &Value) -> Vec<(&'static str, u64)> {
    let keys =
        ["lost", "duplicated", "reordered", "corrupted", "crossed", "cut_off", "connections_lost"];
    let charges = keys.map(|key| (key, report[key].as_u64().unwrap_or(0)));
    charges.into_iter().filter(|(_, count)| *count > 0).collect()
}

const ROOM: [&str; 10] = [
    "--clients",
    "6",
    "--senders",
    "1",
    "--messages",
    "50",
    "--connecting",
    "1",
    "--timeout",
    "0.5",
];

#[test]
fn a_good_server_is_found_good() {
    for vice in [Vice::Good, Vice::Ornate] {
        let (code, report) = judge(vice, &["-c", "8", "-s", "3", "-m", "300", "--one-order"]);
        assert_eq!((code, charges(&report)), (0, vec![]), "{vice:?}: {report}");
        assert_eq!(report["verdict"], "clean");
        assert_eq!(report["deliveries"], 300 * 7);
        assert!(report["latency_p50_us"].as_u64() <= report["latency_max_us"].as_u64());
    }
}

#[test]
fn each_vice_is_found_and_named() {
    let outcomes = [
        (Vice::Loses, 1, &[("lost", 1)][..]),
        (Vice::Doubles, 1, &[("duplicated", 1)]),
        (Vice::Reorders, 1, &[("reordered", 1)]),
        (Vice::Tears, 1, &[("lost", 1), ("corrupted", 1)]),
        (Vice::Glues, 1, &[("lost", 1), ("corrupted", 1)]),
        (Vice::Garbles, 1, &[("lost", 1), ("corrupted", 1)]),
        (Vice::Hangs, 3, &[("cut_off", 45), ("connections_lost", 1)]),
    ]
    .map(|(vice, code, expected)| {
        (vice, code, expected, thread::spawn(move || judge(vice, &ROOM)))
    });
    for (vice, code, expected, outcome) in outcomes {
        let (got, report) = outcome.join().unwrap();
        // Another listener may have been later than the victim, and so crossed with it.
        let mut charges = charges(&report);
        charges.retain(|(key, _)| *key != "crossed");
        assert_eq!((got, &charges[..]), (code, expected), "{vice:?}: {report}");
    }
}

#[test]
fn another_order_between_senders_is_a_fault_where_one_is_promised() {
    let room = ["-c", "5", "-s", "2", "-m", "40", "--connecting", "1", "--window", "2"];
    let (code, report) = judge(Vice::Crosses, &room);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("clean")), "{report}");
    let crossed = report["crossed"].as_u64().unwrap();
    assert!(crossed > 0, "{report}");
    let (code, report) = judge(Vice::Crosses, &[&room[..], &["--one-order"]].concat());
    assert_eq!((code, &report["verdict"]), (1, &Value::from("faults")), "{report}");
}

#[test]
fn echoes_are_ignored_expected_or_forbidden() {
    let room = ["-c", "4", "-s", "2", "-m", "20"];
    for (echo, code, deliveries, echoes) in
        [("ignore", 0, 60, 20), ("expect", 0, 80, 0), ("forbid", 1, 60, 20)]
    {
        let (got, report) = judge(Vice::Echoes, &[&room[..], &["--echo", echo]].concat());
        assert_eq!(got, code, "{echo}: {report}");
        assert_eq!(report["deliveries"], deliveries, "{echo}: {report}");
        assert_eq!(report["echoes"], echoes, "{echo}: {report}");
    }
    let expected = ["--echo", "expect", "--timeout", "0.3"];
    let output = swarm(server(Vice::Good), &[&["-c", "1", "-m", "9"], &expected[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn slow_readers_catch_up_or_are_found_dropped() {
    let (code, report) = judge(Vice::Good, &["-c", "3", "--slow", "2", "-m", "50"]);
    assert_eq!((code, charges(&report)), (0, vec![]), "{report}");
    assert_eq!((&report["slow_served"], &report["slow_dropped"]), (&2.into(), &0.into()));
    // More than two sockets' buffers hold.
    let flood = ["-c", "3", "--slow", "1", "-m", "2500", "--size", "4000", "--window", "100"];
    let (code, report) = judge(Vice::Impatient, &flood);
    assert_eq!((code, charges(&report)), (0, vec![]), "{report}");
    assert_eq!((&report["slow_served"], &report["slow_dropped"]), (&0.into(), &1.into()));
}

#[test]
fn idle_members_and_a_rate_are_part_of_the_room() {
    let (code, report) =
        judge(Vice::Good, &["-c", "2", "--idle", "3", "-m", "40", "--rate", "400"]);
    assert_eq!((code, charges(&report)), (0, vec![]), "{report}");
    assert_eq!(report["deliveries"], 40 * 4);
    let seconds = report["seconds"].as_f64().unwrap();
    assert!(seconds >= 39.0 / 400.0, "40 messages at 400 a second: {report}");
    // No one to talk: they connect, and that is all.
    let (code, report) = judge(Vice::Good, &["-c", "0", "--idle", "5", "--connect-rate", "100"]);
    assert!(report["connect_seconds"].as_f64().unwrap() >= 0.04, "{report}");
    assert_eq!((code, &report["connections"], &report["messages"]), (0, &5.into(), &0.into()));
}

#[test]
fn a_server_that_wants_a_greeting_gets_it() {
    let room = ["-c", "3", "-m", "10", "--timeout", "0.5"];
    let output = swarm(server(Vice::Formal), &room);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("3 of 3 members received nothing") && said.contains("--hello"), "{said}");
    let (code, report) = judge(Vice::Formal, &[&room[..], &["--hello", "HELLO member"]].concat());
    assert_eq!((code, charges(&report)), (0, vec![]), "{report}");
}

#[test]
fn a_client_may_count_as_connected_when_it_is_welcome() {
    let room = ["-c", "6", "-m", "10", "--connecting", "2", "--timeout", "0.5", "--welcome"];
    let (code, report) = judge(Vice::Ornate, &[&room[..], &["2 users"]].concat());
    assert_eq!((code, charges(&report)), (0, vec![]), "{report}");
    assert_eq!(report["connections"], 6);
    let output = swarm(server(Vice::Ornate), &[&room[..], &["3 users"]].concat());
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("6 of 6 members did not receive the text of --welcome"), "{said}");
}

#[test]
fn what_prevents_a_measurement_is_said_with_its_own_exit_code() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let deaf = server(Vice::Deaf);
    for (port, arguments, code, expected) in [
        (free, &["-c", "3"][..], 3, "connection refused (is a server running there?)"),
        (deaf, &["-c", "3", "--timeout", "0.3"], 3, "of 3 members received nothing"),
        (deaf, &["-c", "4000000000"], 2, "connections asked for"),
        (deaf, &["-c", "1010", "--backend", "select"], 2, "possible with select"),
        (deaf, &["-c", "0"], 2, "--clients, --idle or --slow"),
        (deaf, &["--rate", "1e-300"], 2, "expected 0.00001 to 1000000 per second"),
        (deaf, &["--size", "3"], 2, "bytes"),
        (deaf, &["--rate", "5", "--window", "5"], 2, "cannot be used with"),
        (deaf, &["-c", "3", "-s", "3", "--one-order"], 2, "a member that receives everything"),
        (deaf, &["--backend", "iocp"], 2, "this system has no 'iocp'"),
        (deaf, &["--pid", "2147483647"], 2, "cannot measure process"),
    ] {
        let output = swarm(port, arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn every_backend_can_drive_a_server() {
    for backend in chatloop_reactor::Backend::available() {
        let (code, report) =
            judge(Vice::Good, &["-c", "20", "-m", "100", "--backend", backend.name()]);
        assert_eq!((code, charges(&report)), (0, vec![]), "{report}");
        assert_eq!(report["backend"], backend.name());
    }
}

/// The ledger is the same whatever is around the lines.
#[cfg(all(feature = "tls", feature = "web"))]
#[test]
fn lines_are_counted_through_tls_and_websockets() {
    let server = common::Server::start(&["--tls", "--greeting-delay=10000"]);
    let ready = server.log.so_far().into_iter().find(|line| line.contains("certificate "));
    let ready = ready.unwrap();
    let fingerprint = ready.rsplit(' ').next().unwrap();
    let tls = ["--tls-fingerprint", fingerprint];
    let irc = ["--hello", "NICK n{}\\nUSER u 0 * :r\\nJOIN #r", "--welcome", " 366 "];
    let load = ["-c", "20", "-s", "5", "-m", "400", "--one-order", "--prefix", "PRIVMSG #r :"];
    for wrapping in [&tls[..], &["--websocket"], &["--websocket", tls[0], tls[1]]] {
        let output = swarm(server.address.port(), &[&irc[..], &load, wrapping].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{wrapping:?}: {said}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((charges(&report), &report["deliveries"]), (vec![], &(400 * 19).into()));
    }
    for (wrapping, error) in [
        (&["--tls-fingerprint", &"0".repeat(64)][..], "is not that of --tls-fingerprint"),
        (&["--tls"], "certificate is self-signed"),
    ] {
        let output = swarm(server.address.port(), &[wrapping, &["--timeout", "5"]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(3) && said.contains(error), "{said}");
    }
    let refusing = common::Server::start(&["--no-http", "--greeting-delay=10000"]);
    let output = swarm(refusing.address.port(), &["--websocket"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[test]
fn the_report_for_people_has_a_line_for_everything() {
    let output = Command::new(env!("CARGO_BIN_EXE_chatloop-lab"))
        .args(["swarm", "127.0.0.1", &server(Vice::Good).to_string(), "-c", "3", "-m", "10"])
        .args(["--pid", &std::process::id().to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "connected   3 to",
        "10 messages of 64 bytes",
        "delivered   20;",
        "p99.9",
        "bytes per connection",
        "clean       0 lost, 0 duplicated, 0 reordered, 0 corrupted\n",
    ] {
        assert!(said.contains(expected), "{expected:?} in {said}");
    }
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "no bar, for it is no terminal");
}

#[test]
fn ctrl_c_ends_it_with_a_report_of_what_was_seen() {
    let (port, room) = room(Vice::Good);
    let child = Command::new(env!("CARGO_BIN_EXE_chatloop-lab"))
        .args(["swarm", "127.0.0.1", &port.to_string(), "--json", "-c", "4", "--rate", "20"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    while room.lock().unwrap().lines < 3 {
        thread::yield_now();
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), charges_but_cut_off(&report)), (Some(0), vec![]));
    assert_eq!(report["verdict"], "interrupted", "{report}");
    let messages = report["messages"].as_u64().unwrap();
    assert!((3..1_000).contains(&messages), "{report}");
}

fn charges_but_cut_off(report: &Value) -> Vec<(&'static str, u64)> {
    charges(report).into_iter().filter(|(key, _)| *key != "cut_off").collect()
}

#[test]
fn the_loop_of_the_swarm_can_be_traced() {
    let scratch = Scratch::new("swarm");
    let trace = scratch.file("trace");
    let arguments = ["-c", "4", "-s", "1", "-m", "50", "--trace", &trace];
    let output = swarm(server(Vice::Good), &arguments);
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(trace).unwrap();
    let mut parser = chatloop::trace::Parser::default();
    let turns: Vec<_> = text.lines().filter_map(|line| parser.line(line).unwrap()).collect();
    let of = |what: &str, name: &str| {
        let entries = turns.iter().flat_map(|turn| &turn.entries);
        let fits = |entry: &&chatloop::trace::Entry| {
            entry.what == what && entry.connection.as_ref().is_some_and(|(_, it)| it == name)
        };
        entries.filter(fits).count()
    };
    assert!(of("write", "member0") > 0 && of("read", "member3") > 0, "{turns:#?}");
    assert_eq!(of("write", "member3"), 0, "it only listens");
}
