//! The system in its place: calls, `unsafe`, sockets, clocks, temporary files.

use crate::source::{Source, assert_none, line_of, places, root, rust_files, sources};
use std::fs;
use std::path::Path;

/// The crates that talk to the system, and `unsafe`: only in these folders.
const SYSTEM: &[&str] = &["libc", "nix", "socket2", "signal_hook", "unsafe"];
const SYSTEM_FOLDERS: &[&str] = &["reactor/", "terminal/"];

/// Files and folders outside the reactor that read the clock. Whatever is to be tested without waiting
/// gets its time from the reactor's clock instead.
const CLOCK_READERS: &[&str] = &[
    "lab/", // it measures real time
];

/// Rooms that have no sockets, files, threads or clocks.
const PURE_ROOMS: &[&str] = &["chat", "wire", "session"];
const IMPURE: &[&str] = &["std::net", "std::fs", "std::thread", "Instant", "SystemTime"];

/// What names a place for temporary files, and the files that may. A test has its directory from `Scratch`,
/// because that is removed when the test fails, too.
const TEMPORARY: [&str; 2] = [concat!("temp_", "dir"), concat!("CARGO_TARGET_", "TMPDIR")];
const TEMPORARY_FILES: [&str; 2] = ["tests/common/scratch.rs", "src/simulation/world.rs"];

/// Lines above an `unsafe` in which its SAFETY comment begins or ends.
const SAFETY_DISTANCE: usize = 6;

/// Where `words` stand, in the code of files that `looked_at` picks.
fn found(sources: &[Source], words: &[&str], looked_at: impl Fn(&Source) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| looked_at(source)) {
        for word in words {
            for place in places(&source.code, word) {
                found.push(format!("{} {word}", source.at(line_of(&source.code, place))));
            }
        }
    }
    found
}

fn system_calls(sources: &[Source]) -> Vec<String> {
    let elsewhere =
        |source: &Source| !SYSTEM_FOLDERS.iter().any(|folder| source.name().starts_with(folder));
    found(sources, SYSTEM, elsewhere)
}

fn impure(sources: &[Source]) -> Vec<String> {
    found(sources, IMPURE, |source| PURE_ROOMS.contains(&source.room()))
}

/// Files outside the reactor that read the clock.
fn clock_readers(sources: &[Source]) -> Vec<String> {
    let reads = |source: &&Source| {
        let shipped = &source.shipped;
        source.room() != "reactor"
            && !source.is_test()
            && (!places(shipped, "Instant::now").is_empty()
                || !places(shipped, "SystemTime::now").is_empty())
    };
    sources.iter().filter(reads).map(Source::name).collect()
}

/// Where a file outside of [`TEMPORARY_FILES`] names a place for temporary files.
fn temporary(file: &Path, text: &str) -> Vec<String> {
    let may = TEMPORARY_FILES.iter().any(|it| file.ends_with(it));
    let found = TEMPORARY.iter().filter(|_| !may).flat_map(|word| places(text, word));
    found.map(|place| format!("{}:{}", file.display(), line_of(text, place))).collect()
}

fn without_reason(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let lines: Vec<&str> = source.text.lines().collect();
        for place in places(&source.code, "unsafe") {
            let line = line_of(&source.code, place);
            let before = &lines[line.saturating_sub(1 + SAFETY_DISTANCE)..line];
            if !before.iter().any(|text| text.contains("SAFETY: ") || text.contains("# Safety")) {
                wrong.push(source.at(line));
            }
        }
    }
    wrong
}

#[test]
fn only_two_rooms_talk_to_the_system() {
    assert_none("only reactor/ and terminal/ may", &system_calls(sources()));
}

#[test]
fn pure_rooms_have_no_sockets_files_threads_or_clocks() {
    assert_none("not pure", &impure(sources()));
}

#[test]
fn every_unsafe_says_why_it_is_safe() {
    let sources = sources();
    assert!(found(sources, &["unsafe"], |_| true).len() > 5, "the pollers have some");
    assert_none("unsafe without a SAFETY line", &without_reason(sources));
}

#[test]
fn the_clock_is_read_in_listed_places() {
    let readers = clock_readers(sources());
    let more = readers.iter().filter(|file| !CLOCK_READERS.iter().any(|it| file.starts_with(it)));
    assert_none("reads the clock", &more.cloned().collect::<Vec<_>>());
    let idle = |listed: &&&str| !readers.iter().any(|file| file.starts_with(**listed));
    let idle = CLOCK_READERS.iter().filter(idle).map(|listed| (*listed).to_owned());
    assert_none("reads no clock: remove it from CLOCK_READERS", &idle.collect::<Vec<_>>());
}

#[test]
fn tests_have_temporary_files_from_one_place() {
    let mut files = Vec::new();
    ["src", "tests"].iter().for_each(|folder| rust_files(&root().join(folder), &mut files));
    let found = files.iter().flat_map(|file| temporary(file, &fs::read_to_string(file).unwrap()));
    assert_none("use common::scratch::Scratch", &found.collect::<Vec<_>>());
}

/// Its own name aside, neither code nor comments of the reactor say what a program makes of it.
#[test]
fn the_reactor_does_not_know_what_it_is_for() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.room() == "reactor") {
        for (number, line) in source.text.lines().enumerate() {
            let line = line.replace("chatloop_reactor", "").replace("chatloop-reactor", "");
            if line.to_lowercase().contains("chat") {
                wrong.push(format!("{} {}", source.at(number + 1), line.trim()));
            }
        }
    }
    assert_none("the reactor says 'chat'", &wrong);
}

#[test]
fn a_call_in_the_wrong_place_is_seen() {
    let one = |file: &str, text: &str| [Source::new(file, text)];
    assert_eq!(system_calls(&one("chat/hub.rs", "use nix::poll; unsafe {}")).len(), 2);
    assert_eq!(system_calls(&one("terminal/raw.rs", "use nix::poll; unsafe {}")).len(), 0);
    assert_eq!(impure(&one("wire/x.rs", "use std::fs; let t: Instant;")).len(), 2);
    assert_eq!(clock_readers(&one("server/x.rs", "let now = Instant::now();")), ["server/x.rs"]);
    assert_eq!(clock_readers(&one("server/x.rs", "// Instant::now")), [""; 0]);
    for word in TEMPORARY {
        assert_eq!(temporary(Path::new("tests/x.rs"), word), ["tests/x.rs:1"]);
    }
    assert_eq!(temporary(Path::new(TEMPORARY_FILES[0]), TEMPORARY[0]), [""; 0]);
    assert_eq!(without_reason(&one("reactor/x.rs", "fn f() {\n    unsafe {}\n}")).len(), 1);
    assert_eq!(without_reason(&one("reactor/x.rs", "// SAFETY: alone here.\nunsafe {}")).len(), 0);
}
