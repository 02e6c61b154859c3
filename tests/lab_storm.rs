//! Is there an attack for every command, and does a storm end as it should?

#![allow(clippy::unwrap_used)] // helpers of tests are not test functions to clippy

#[allow(unused_macros)]
mod common;

use common::Server;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Output};

/// Long enough for IRC to be recognised on a slow machine; both dialects begin at once here.
const GREETING: &str = "--greeting-delay=10000";

fn storm(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chatloop-lab")).arg("storm").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The lines that come back for `lines`, up to the one that holds `end`.
fn conversation(server: &Server, lines: &str, end: &str) -> Vec<String> {
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(common::PATIENCE)).unwrap();
    socket.write_all(lines.as_bytes()).unwrap();
    let mut heard = Vec::new();
    for line in BufReader::new(socket).lines() {
        let line = line.unwrap();
        if line.contains(end) {
            return heard;
        }
        heard.push(line);
    }
    panic!("no {end:?} in {heard:#?}");
}

/// The commands that the server names: numeric 705 of HELP, and what begins with a slash in /help.
fn commands_of(server: &Server) -> BTreeSet<String> {
    let irc = conversation(server, "NICK ann\nUSER a 0 * :a\nHELP\n", " 706 ");
    let irc = irc.iter().filter_map(|line| line.split_once(" 705 ")?.1.split_once(':'));
    let irc: BTreeSet<String> =
        irc.flat_map(|(_, names)| names.split(' ')).map(str::to_owned).collect();
    let plain = conversation(server, "/help all\n/fence\n", "/fence");
    let plain = plain.iter().filter_map(|line| line.strip_prefix("* ")?.split(' ').next());
    let is_command = |word: &&str| word.starts_with('/') && !word.starts_with("//");
    let plain: BTreeSet<String> = plain.filter(is_command).map(str::to_owned).collect();
    assert!(irc.len() > 40 && plain.len() > 40, "not understood: {irc:?} {plain:?}");
    irc.into_iter().chain(plain).collect()
}

#[test]
fn there_is_an_attack_for_every_command_of_both_dialects() {
    let server = Server::start(&[GREETING]);
    let listed = text(&storm(&["--list"]).stdout);
    let attacks: BTreeSet<String> = listed.lines().map(str::to_owned).collect();
    assert_eq!(attacks.len(), listed.lines().count(), "two attacks have one name");
    let commands = commands_of(&server);
    let missing: Vec<_> = commands.difference(&attacks).collect();
    let superfluous: Vec<_> = attacks.difference(&commands).collect();
    assert!(
        missing.is_empty() && superfluous.is_empty(),
        "src/lab/storm/scenarios.rs lacks {missing:?} and has {superfluous:?}, which are no commands"
    );
}

/// Other addresses than 127.0.0.1 are not everywhere, so all three groups use that one.
const SMALL: &[&str] = &[
    "--attackers=5",
    "--crowd=8",
    "--seconds=0.2",
    "--calm=0.1",
    "--attacker-address=127.0.0.1",
    "--honest-address=127.0.0.1",
    "--timeout=5",
    "--json",
];

#[test]
fn a_small_storm_is_measured() {
    let server = Server::start(&[GREETING, "--max-per-address=off", "--flood-limit=100/s"]);
    let port = server.address.port().to_string();
    let crowd = "--crowd-address=127.0.0.1";
    let only = "--only=TIME,USER,QUIT,/room,/quit";
    let output = storm(&[&["127.0.0.1", &port, crowd, only], SMALL].concat());
    let (rows, said) = (text(&output.stdout), text(&output.stderr));
    let rows: Vec<serde_json::Value> =
        rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    let names: Vec<_> = rows.iter().map(|row| row["command"].as_str().unwrap()).collect();
    assert_eq!(names, ["QUIT", "TIME", "USER", "/quit", "/room"], "{said}");
    for row in &rows {
        assert_eq!(row["attackers"], 5, "{row}");
        assert_eq!((&row["lost"], &row["duplicated"]), (&0.into(), &0.into()), "{row}");
        assert!(row["messages"].as_u64().unwrap() >= 10, "{row}");
        assert!(row["lines"].as_u64().unwrap() > 0, "{row}");
        let leaves = row["command"].as_str().unwrap().ends_with(['T', 't']);
        assert_eq!(row["reconnects"].as_u64().unwrap() > 0, leaves, "{row}");
    }
    // A slow machine may fail a row, but never the measurement.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
}

#[test]
fn what_cannot_be_measured_is_said() {
    let server = Server::start(&[GREETING, "--max-per-address=2"]);
    let port = server.address.port().to_string();
    for (arguments, code, words) in [
        (&["192.0.2.1", "7777"][..], 2, "192.0.2.1 is not on loopback"),
        (&["127.0.0.1", &port, "--only=DANCE"], 2, "no attack is called DANCE"),
        (&["127.0.0.1", "--list", "--attackers=0"], 2, "expected 1 to 1000000"),
        (&["127.0.0.1", "--list", "--crowd=18446744073709551615"], 2, "up to 1000000"),
        (&["127.0.0.1", "--list", "--rate=4294967295"], 2, "1..=10000"),
        (
            &["127.0.0.1", &port, "--crowd-address=127.0.0.1", "--only=TIME"],
            3,
            "connections of the crowd were not let in",
        ),
    ] {
        let output = storm(&[arguments, SMALL].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{said}");
    }
}
