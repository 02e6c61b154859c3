//! Does the server lose anything when calls of the system fail on purpose?

use crate::common::{Client, Server, scratch::Scratch};
use crate::irc::PATIENT;
use chatloop::trace::Parser;
use std::process::Command;

const FAULTS: &str = "--fault=short-write=0.5,short-read=0.2,eintr=0.2,eagain=0.2,seed=7";

/// A crowd whose every delivery is checked.
#[cfg(feature = "lab")]
fn swarm(server: &Server, flags: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_chatloop-lab"))
        .args(["swarm", &server.address.to_string()])
        .args(["--messages=300", "--one-order"])
        .args(flags)
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    assert!(report.contains("0 lost, 0 duplicated, 0 reordered, 0 corrupted"), "{report}");
}

#[cfg(feature = "lab")]
const IRC: [&str; 3] =
    ["--hello=NICK i{}\\nUSER u 0 * :r\\nJOIN #r", "--welcome= 366 ", "--prefix=PRIVMSG #r :"];

#[cfg(feature = "lab")]
#[test]
fn a_crowd_loses_nothing_by_short_writes_and_readiness_that_was_none() {
    let server = Server::start(&[PATIENT, "--quiet", FAULTS]);
    server.log.wait_for("calls of the system fail on purpose");
    let crowd = ["--clients=200", "--senders=50"];
    let plain = ["--hello=/nick n{}", "--welcome=now known as"];
    swarm(&server, &[plain, crowd].concat());
    swarm(&server, &[&IRC[..], &crowd].concat());
}

#[cfg(all(feature = "lab", feature = "tls", feature = "web"))]
#[test]
fn nor_does_one_that_is_encrypted_or_in_the_frames_of_a_websocket() {
    let server = Server::start(&[PATIENT, "--tls", FAULTS]);
    let said = server.log.so_far();
    let ready = said.iter().find(|line| line.contains("certificate ")).unwrap();
    let (_, fingerprint) = ready.rsplit_once(' ').unwrap();
    let tls = format!("--tls-fingerprint={fingerprint}");
    for wrapping in [&[tls.as_str()][..], &["--websocket"], &[tls.as_str(), "--websocket"]] {
        swarm(&server, &[&IRC[..], wrapping, &["--clients=60", "--senders=20"]].concat());
    }
}

#[test]
fn a_connection_that_is_reset_takes_no_other_with_it() {
    let server = Server::start(&[PATIENT, "--quiet", "--fault=reset=0.1,accept-emfile=0.3,seed=1"]);
    for round in 0..60 {
        let Ok(mut client) = std::net::TcpStream::connect(server.address) else { continue };
        use std::io::{Read, Write};
        let _ = client.write_all(format!("round {round}\n/quit\n").as_bytes());
        let _ = client.read_to_end(&mut Vec::new());
    }
    // Sooner or later one comes through.
    loop {
        use std::io::{Read, Write};
        let mut client = std::net::TcpStream::connect(server.address).unwrap();
        let mut all = Vec::new();
        let _ = client.write_all(b"/who\n/quit\n");
        if client.read_to_end(&mut all).is_ok() && String::from_utf8_lossy(&all).contains("1 user")
        {
            break;
        }
    }
}

#[test]
fn the_trace_names_each_fault() {
    let scratch = Scratch::new("faults");
    let trace = scratch.file("trace");
    let server = Server::start(&["--quiet", FAULTS, "--trace", &trace]);
    let mut room: Vec<Client> = (0..2).map(|_| server.join()).collect();
    for round in 0..200 {
        room[0].send(format!("round {round}\n"));
        room[1].until(&format!("round {round}"));
    }
    server.stop();
    let text = std::fs::read_to_string(trace).unwrap();
    let mut parser = Parser::default();
    let turns = text.lines().filter_map(|line| parser.line(line).unwrap());
    let entries: Vec<_> = turns.flat_map(|turn| turn.entries).collect();
    for fault in ["short-write", "short-read", "eintr", "eagain"] {
        let named =
            |entry: &&chatloop::trace::Entry| entry.what == "fault" && entry.detail == fault;
        assert!(entries.iter().filter(named).count() > 10, "{fault}");
    }
}

#[test]
fn what_is_wrong_with_the_rates_is_said() {
    for (rates, word) in [
        ("short-write", "expected for example short-write=0.3"),
        ("lost-packet=0.1", "one of short-write, short-read"),
        ("eagain=1", "a rate from 0 to 0.9"),
        ("seed=x", "expected a whole number"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
            .arg(format!("--fault={rates}"))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(word), "{rates}: {text}");
    }
}
