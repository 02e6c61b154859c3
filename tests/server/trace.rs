//! What does the trace say of what has happened?

use crate::common::{Client, Server, scratch::Scratch};
use chatloop::trace::{Entry, Parser, Turn};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

/// The server's trace in a directory.
const FILE: &str = "trace";

impl Scratch {
    fn traced(&self, flags: &[&str]) -> Server {
        Server::start(&[&["--quiet", "--trace", &self.file(FILE)], flags].concat())
    }

    fn trace(&self) -> String {
        std::fs::read_to_string(self.0.join(FILE)).unwrap()
    }

    fn turns(&self) -> Vec<Turn> {
        let mut parser = Parser::default();
        self.trace().lines().filter_map(|line| parser.line(line).unwrap()).collect()
    }
}

/// Whether a turn has entries with these beginnings, in this order.
fn has(turn: &Turn, wanted: &[(&str, &str)]) -> bool {
    let mut entries = turn.entries.iter();
    let fits = |entry: &Entry, (what, detail): (&str, &str)| {
        entry.what == what && entry.detail.starts_with(detail)
    };
    wanted.iter().all(|wanted| entries.any(|entry| fits(entry, *wanted)))
}

fn talk(server: &Server) -> Vec<Client> {
    let mut room = server.room(2);
    room[0].send("hello\n");
    room[1].chat_line();
    room
}

#[test]
fn a_message_is_followed_from_the_read_to_the_write() {
    let scratch = Scratch::new("message");
    let server = scratch.traced(&["--log", "debug"]);
    let mut room = talk(&server);
    let name = room[0].name();
    drop(room.remove(0));
    server.log.wait_for(": closed");
    server.stop();
    let turns = scratch.turns();
    let way = [
        ("ready", "0 guest1 read"),
        ("read", "6 bytes"),
        ("lines", "1 line, 6 bytes"),
        ("record", "number "),
        ("run", "1 event for 1 connection, "), // the speaker is not told
        ("write", ""),
    ];
    let turn = turns.iter().find(|turn| has(turn, &way)).unwrap_or_else(|| panic!("{turns:#?}"));
    let speaker = turn.entries[1].connection.as_ref().unwrap();
    assert_eq!(speaker.1, name);
    let names: Vec<&str> = turn.phases.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["read", "commands", "timers", "journal", "answers", "flush", "reap"]);
    assert!(turns.iter().any(|turn| has(turn, &[("accept", "")])));
    assert!(turns.iter().any(|turn| has(turn, &[("close", "")])));
    assert!(turns.is_sorted_by_key(|turn| (turn.number, turn.began)), "one after the other");
}

#[test]
fn a_signal_switches_it_off_and_on_and_names_are_known_again() {
    let scratch = Scratch::new("signal");
    let server = scratch.traced(&["--log", "info"]);
    let mut room = talk(&server);
    server.signal(Signal::SIGUSR1);
    server.log.wait_for("the trace is off");
    room[0].send("in private\n");
    room[1].chat_line();
    server.signal(Signal::SIGUSR1);
    server.log.wait_for("the trace is on");
    room[0].send("in public, again\n");
    room[1].chat_line();
    let name = room[0].name();
    server.stop();
    let turns = scratch.turns();
    let read = |bytes: &str| {
        turns
            .iter()
            .flat_map(|turn| &turn.entries)
            .find(|entry| entry.what == "read" && entry.detail == bytes)
    };
    assert!(read("11 bytes").is_none(), "it was off");
    assert_eq!(read("17 bytes").unwrap().connection.as_ref().unwrap().1, name);
}

#[test]
fn a_turn_is_in_the_file_whole_or_not_at_all() {
    let scratch = Scratch::new("whole");
    let server = scratch.traced(&["--oper", "root:open-sesame", "--loop-pages", "1"]);
    let mut room = talk(&server);
    // All in one packet, so that the trace is switched in the middle of a turn.
    room[0].send("/oper root open-sesame\n");
    room[0].until("operator");
    room[0].send("/trace off\n/trace on\n/trace off\nhidden\n");
    assert_eq!(room[1].chat_line(), "[guest1]: hidden");
    room[0].send("/trace on\nshown\n");
    assert_eq!(room[1].chat_line(), "[guest1]: shown");
    room[0].send("shown again\n");
    assert_eq!(room[1].chat_line(), "[guest1]: shown again");
    server.stop();
    let turns = scratch.turns();
    assert!(turns.iter().all(|turn| turn.number > 0 && turn.phases.len() == 7), "{turns:#?}");
    assert!(turns.windows(2).all(|pair| pair[0].number < pair[1].number), "{turns:#?}");
    let reads = |bytes: &str| turns.iter().any(|turn| has(turn, &[("read", bytes)]));
    assert!(reads("12 bytes"), "shown again");
}

#[test]
fn a_stopped_reader_is_seen_to_keep_bytes_and_to_be_watched_for_writing() {
    let scratch = Scratch::new("slow");
    let server = scratch.traced(&["--outbox-hard", "8M"]);
    let mut room = server.room(1);
    let slow = Client::connect_narrow(server.address);
    room[0].line();
    for _ in 0..400 {
        room[0].send(format!("{}\n", "~".repeat(4_000)));
    }
    room[0].send("/who\n");
    room[0].until("2 users");
    drop(slow);
    server.stop();
    let turns = scratch.turns();
    let kept = |entry: &Entry| entry.what == "write" && entry.detail.ends_with(" left");
    let turn = turns.iter().find(|turn| turn.entries.iter().any(kept)).expect("a short write");
    assert!(has(turn, &[("watch", "read, write")]), "{turn}");
}

#[test]
fn the_file_for_perfetto_has_a_name_for_every_track_and_no_slices_that_overlap() {
    let scratch = Scratch::new("chrome");
    let server = scratch.traced(&["--trace-format", "chrome"]);
    talk(&server);
    server.stop();
    let file = scratch.trace();
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    let (mut names, mut ends) = (BTreeMap::new(), BTreeMap::<u64, f64>::new());
    for event in file["traceEvents"].as_array().unwrap() {
        let track = event["tid"].as_u64().unwrap();
        match event["ph"].as_str().unwrap() {
            "M" => drop(names.insert(track, event["args"]["name"].as_str().unwrap().to_owned())),
            "X" => {
                let begins = event["ts"].as_f64().unwrap();
                let end = ends.entry(track).or_default();
                assert!(begins >= *end - 0.001, "{event} begins before {end}");
                *end = begins + event["dur"].as_f64().unwrap();
                assert!(names.contains_key(&track), "{event} is on a track without a name");
            }
            other => assert_eq!(other, "C"),
        }
    }
    assert!(names.values().any(|name| name.ends_with("guest1")), "{names:?}");
}

#[test]
fn a_trace_is_its_owners_and_a_copy_that_cannot_be_written_is_an_error() {
    let scratch = Scratch::new("private");
    let server = scratch.traced(&[]);
    talk(&server);
    server.stop();
    let file = scratch.file(FILE);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let lab = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_chatloop-lab"));
        let output = command.arg("trace").args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = lab(&[&file, "--chrome", "/nowhere/at/all"]);
    assert!(said.contains("could not write to /nowhere/at/all: "), "{said}");
    assert_eq!(code, Some(1));
    let (code, said) = lab(&["/nowhere/at/all"]);
    assert!(said.starts_with("chatloop-lab: /nowhere/at/all: "), "{said}");
    assert_eq!(code, Some(3));
}

#[test]
fn a_file_that_cannot_be_written_is_refused_by_name() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
        .args(["127.0.0.1", "0", "--trace", "/nowhere/at/all"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("--trace: cannot write the file"), "{text}");
}

/// A tracer finds the probes by notes in the executable: provider, name, arguments.
#[test]
#[cfg(target_os = "linux")]
fn the_server_has_a_probe_for_each_event_of_the_trace() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_chatloop-server")).unwrap();
    let names =
        "turn phase ready accept read lines waits record run write watch timer close total fault";
    for name in names.split(' ') {
        let note = format!("chatloop\0{name}\0");
        assert!(memchr::memmem::find(&program, note.as_bytes()).is_some(), "no probe {name}");
    }
}
