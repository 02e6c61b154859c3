//! What anyone has seen is kept: a server on `--data` is killed in the middle of everything and
//! started again on the same directory, over and over.
//!
//! `CHATLOOP_ROUNDS=20` makes it more often than the few times that are enough for every day.
//! Beside it: passwords are checked while the loop goes on.

#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking, as tests do

#[allow(unused_macros)]
mod common;

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use common::{Client, Server, scratch::Scratch};
use nix::sys::signal::Signal;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

fn start(scratch: &Scratch, flags: &[&str]) -> Server {
    let data = ["--data", scratch.path(), "--history-on-join", "0"];
    Server::start(&[&data[..], flags].concat())
}

/// Ends it as a power cut does.
fn kill(mut server: Server) {
    server.signal(Signal::SIGKILL);
    server.ended();
}

/// What is said in the lobby and begins with `round`, line by line until the connection is over.
/// A last line that was cut off does not count: no one has seen it.
fn hear(socket: TcpStream, heard: &AtomicUsize) -> Vec<String> {
    let mut texts = Vec::new();
    let mut socket = BufReader::new(socket);
    let mut line = String::new();
    while socket.read_line(&mut line).is_ok_and(|count| count > 0) && line.ends_with('\n') {
        if let Some((_, text)) = line.split_once("]: round") {
            texts.push(text.trim_end().to_owned());
            heard.fetch_add(1, Ordering::Relaxed);
        }
        line.clear();
    }
    texts
}

/// The lines of one answer to `/history`: number and text.
fn page(client: &mut Client, range: &str) -> Vec<(u64, String)> {
    client.send(format!("/history {range}\n/fence\n"));
    let mut page = Vec::new();
    loop {
        let line = client.line();
        if line.contains("/fence") {
            return page;
        }
        let Some(past) = line.strip_prefix("- ") else { continue };
        let (number, _) = past.split_once(' ').unwrap();
        let (_, text) = past.split_once("]: round").unwrap_or_else(|| panic!("{past}"));
        page.push((number.parse().unwrap(), text.to_owned()));
    }
}

/// All of the lobby's history, as a client reads it that turns its pages back, and then forth.
fn history(client: &mut Client) -> Vec<String> {
    let mut back: Vec<Vec<(u64, String)>> = vec![page(client, "500")];
    while let Some((first, _)) = back.last().unwrap().first() {
        let range = format!("before {first} 500");
        back.push(page(client, &range));
    }
    let back: Vec<(u64, String)> = back.into_iter().rev().flatten().collect();
    let mut forth: Vec<(u64, String)> = page(client, "after 0 499");
    loop {
        let range = format!("after {} 499", forth.last().map_or(0, |last| last.0));
        let next = page(client, &range);
        if next.is_empty() {
            break;
        }
        forth.extend(next);
    }
    assert_eq!(back, forth, "the past is the same read back and read forth");
    assert!(back.is_sorted_by(|one, other| one.0 < other.0), "numbers rise");
    back.into_iter().map(|(_, text)| text).collect()
}

/// Many talk at once until the server is killed; what each of them has received.
fn talk_until_killed(server: Server, round: usize) -> Vec<Vec<String>> {
    const TALKERS: usize = 12;
    const LINES: usize = 400;
    let heard = AtomicUsize::new(0);
    // Some of what is said, and another part each time.
    let enough = TALKERS * LINES / 40 * (3 + 7 * round % 40);
    let talkers: Vec<Client> = (0..TALKERS + 2).map(|_| server.join()).collect();
    thread::scope(|scope| {
        let ears: Vec<_> = talkers
            .iter()
            .map(|talker| (talker.writer(), &heard))
            .map(|(socket, heard)| scope.spawn(move || hear(socket, heard)))
            .collect();
        for (talker, client) in talkers[..TALKERS].iter().enumerate() {
            let mut socket = client.writer();
            scope.spawn(move || {
                for number in 0..LINES {
                    // An error is the kill.
                    if writeln!(socket, "round{round} {talker} {number}").is_err() {
                        return;
                    }
                }
            });
        }
        while heard.load(Ordering::Relaxed) < enough {
            assert!(!ears.iter().any(|ear| ear.is_finished()), "the server has gone by itself");
            thread::yield_now();
        }
        kill(server);
        ears.into_iter().map(|ear| ear.join().unwrap()).collect()
    })
}

#[test]
fn what_anyone_has_seen_is_in_the_history_once_and_in_order() {
    let rounds = std::env::var("CHATLOOP_ROUNDS").map_or(4, |rounds| rounds.parse().unwrap());
    let scratch = Scratch::new("rounds");
    let mut seen: Vec<Vec<String>> = Vec::new();
    for round in 1..=rounds {
        seen.extend(talk_until_killed(start(&scratch, &[]), round));
        let server = start(&scratch, &[]);
        let mut reader = server.join();
        let past = history(&mut reader);
        let places: HashMap<&str, usize> =
            past.iter().enumerate().map(|(place, text)| (text.as_str(), place)).collect();
        assert_eq!(places.len(), past.len(), "round {round}: something is doubled");
        for one in &seen {
            let places: Vec<usize> = one
                .iter()
                .map(|text| *places.get(&**text).unwrap_or_else(|| panic!("'{text}' is lost")))
                .collect();
            assert!(places.is_sorted_by(|one, other| one < other), "round {round}: order");
        }
        let told: usize = seen.iter().map(Vec::len).sum();
        assert!(told > 0 && !past.is_empty());
        println!("round {round}: {} kept, {told} times heard", past.len());
        // The last one that anyone received is found by its words, too.
        let last = seen.iter().flatten().max_by_key(|text| places[text.as_str()]).unwrap();
        reader.ask(&format!("/search \"round{last}\""), &format!("]: round{last}"));
        kill(server);
    }
}

/// A hash that is cheap to check, for an operator named root.
fn operator(password: &str) -> String {
    let params = Params::new(8, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    format!("root:{}", argon2.hash_password(password.as_bytes()).unwrap())
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let scratch = Scratch::new("facts");
    let oper = operator("open-sesame");
    let server = start(&scratch, &["--oper", &oper]);
    let (mut alice, mut bob) = (server.join(), server.join());
    alice.ask("/nick alice", "you are now known as alice");
    alice.ask("/register correct-horse", "account alice created");
    alice.ask("/oper root open-sesame", "you are now a server operator");
    alice.ask("/join #den", "you are an operator");
    alice.ask("/topic about borrowing", "about borrowing");
    alice.ask("/lock key sesame", "to sesame");
    alice.ask("/ban mallory", "banned mallory from #den");
    alice.ask("/keep", "now permanent");
    alice.ask("/gban 10.9.8.7 3d spam", "server ban added: 10.9.8.7");
    alice.send("the first text\nto be forgotten: swordfish\n");
    alice.ask("/edit 1 the second text", "edited message 1 in #den");
    alice.ask("/delete 2", "deleted message 2 in #den");
    alice.ask("/quit", "goodbye");
    bob.ask("/nick bob", "you are now known as bob");
    bob.ask("/msg alice call me", "at the next login");
    kill(server);

    let server = start(&scratch, &["--oper", &oper]);
    let (mut alice, mut bob) = (server.join(), server.join());
    bob.ask("/nick alice", "nick alice is registered");
    bob.ask("/nick mallory", "known as mallory");
    bob.ask("/join #den sesame", "banned from #den");
    bob.ask("/nick bob", "known as bob");
    bob.ask("/join #den", "needs a key");
    bob.ask("/join #den sesame", "topic: about borrowing");
    alice.ask("/login alice battery-staple", "wrong name or password");
    alice.ask("/login alice correct-horse", "now logged in as alice");
    assert!(alice.line().contains("you are now known as alice"));
    assert!(alice.line().contains("while you were offline: 1 message"));
    assert!(alice.line().ends_with("[bob -> you]: call me"));
    alice.ask("/join #den sesame", "you are an operator");
    alice.ask("/history #den", "history of #den: 1 message");
    assert!(alice.line().ends_with("#den [alice]: the second text (edited)"));
    for gone in ["first", "swordfish"] {
        alice.ask(&format!("/search {gone} #den"), &format!("search for \"{gone}\": no messages"));
    }
    alice.ask("/oper root open-sesame", "you are now a server operator");
    alice.ask("/gban", "server bans: 1 entry");
    assert!(alice.line().contains("10.9.8.7 (until "));
    alice.ask("/quit", "goodbye");
    kill(server);

    // Mail has been handed over once.
    let server = start(&scratch, &[]);
    let mut alice = server.join();
    alice.ask("/login alice correct-horse", "you are now known as alice");
    alice.assert_nothing_waits();
}

/// Another program that holds the lock of the database until this is dropped.
fn lock(scratch: &Scratch) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(scratch.0.join("chatloop.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn while_another_program_holds_the_lock_the_chat_is_served_and_nothing_is_lost() {
    let scratch = Scratch::new("locked");
    let server = start(&scratch, &[]);
    let (mut alice, mut bob) = (server.join(), server.join());
    let lock = lock(&scratch);
    alice.send("during the lock\n");
    server.log.wait_for("cannot be saved at present: another program has locked");
    let mut carol = server.join();
    bob.until(" connected, ");
    carol.ask("/nick carol", "you are now known as carol");
    carol.ask("/who #lobby", "carol");
    bob.ask("/history 5", "no messages");
    drop(lock);
    bob.until("]: during the lock");
    carol.until("]: during the lock");
    server.log.wait_for("messages are saved again");
    bob.ask("after the lock\n/history 5", "history of #lobby: 2 messages");
    let told = |words: &str| server.log.so_far().iter().filter(|it| it.contains(words)).count();
    assert_eq!((told("cannot be saved"), told("saved again")), (1, 1));
    assert!(server.log.so_far().iter().any(|line| line.contains("(changes rejected: 0)")));
    server.stop();
}

#[test]
fn a_server_that_ends_while_messages_cannot_be_saved_fails() {
    let scratch = Scratch::new("unsaved");
    let mut server = start(&scratch, &[]);
    let mut alice = server.join();
    let lock = lock(&scratch);
    alice.send("not in time\n");
    server.log.wait_for("cannot be saved");
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().code(), Some(1));
    server.log.wait_for("the end: messages could not be saved: another program has locked");
    drop(lock);
    let server = start(&scratch, &[]);
    server.join().ask("/history 5", "no messages");
}

#[test]
fn a_database_that_is_deleted_under_the_server_is_noticed() {
    let scratch = Scratch::new("deleted");
    let mut server = start(&scratch, &["--greeting-delay=150"]);
    let mut alice = server.join();
    std::fs::remove_file(scratch.0.join("chatloop.db")).unwrap();
    alice.ask("into nowhere", "not saved: the database file has been deleted or replaced");
    server.log.wait_for("chatloop.db' has been deleted or replaced while the server uses it");
    // A script is told so by its exit code.
    let mut script = Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
        .args([server.address.ip().to_string(), server.address.port().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    script.stdin.take().unwrap().write_all(b"a report\n").unwrap();
    let output = script.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("not sent to #lobby: not saved: the database file"), "{output:?}");
    assert_eq!(output.status.code(), Some(1));
    let name = alice.name();
    alice.ask("/who #lobby", &name);
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().code(), Some(1));
}

#[test]
fn damage_that_a_query_finds_is_called_damage_with_what_to_do() {
    let scratch = Scratch::new("damaged-row");
    let server = start(&scratch, &[]);
    let (mut alice, mut bob) = (server.join(), server.join());
    alice.send("hello\n");
    bob.until("]: hello");
    let other = rusqlite::Connection::open(scratch.0.join("chatloop.db")).unwrap();
    other.execute("UPDATE message SET text = X'FFFE'", []).unwrap();
    drop(other);
    bob.ask("/history 5", "the database cannot answer: the database is damaged");
    server.log.wait_for("restore a backup");
    bob.ask("/who #lobby", &alice.name());
}

#[test]
fn a_file_at_its_limit_stops_messages_and_not_the_chat() {
    let scratch = Scratch::new("ulimit");
    let data = ["--data", scratch.path()];
    let mut server = Server::by_shell("ulimit -f 1024; exec \"$0\" \"$@\"", &data);
    let (mut alice, mut bob) = (server.join(), server.join());
    let text = "x".repeat(4_000);
    for _ in 0..300 {
        alice.send(format!("{text}\n"));
    }
    alice.until("not saved: ");
    bob.ask("/nick bob", "you are now known as bob");
    let mut carol = server.join();
    carol.ask("/who #lobby", "bob");
    server.signal(Signal::SIGTERM);
    // By itself, and not by SIGXFSZ.
    assert_eq!(server.ended().code(), Some(1));
}

#[test]
fn a_database_at_its_limit_names_the_flag_and_takes_accounts_and_deletions() {
    let scratch = Scratch::new("max-data");
    let oper = operator("open-sesame");
    let server = start(&scratch, &["--max-data", "1M", "--oper", &oper]);
    let mut alice = server.join();
    let text = "x".repeat(4_000);
    for number in 0..300 {
        alice.send(format!("{number} {text}\n"));
    }
    alice.until("not saved: the database is full (--max-data)");
    server.log.wait_for("has nearly reached --max-data");
    let mut bob = server.join();
    bob.ask("/nick bob", "known as bob");
    bob.ask("/register correct-horse", "account bob created");
    bob.ask("/oper root open-sesame", "you are now a server operator");
    bob.ask("/stats", "changes rejected because they could not be saved");
    bob.ask("/delete 5", "deleted message 5");
    alice.ask("/nick alice", "known as alice");
}

/// `/dev/full` is a disk that is full.
#[cfg(target_os = "linux")]
#[test]
fn a_transcript_that_cannot_be_written_is_reported_once_and_stops_nothing() {
    let mut server = Server::by_shell("exec \"$0\" \"$@\" > /dev/full", &[]);
    let (mut alice, mut bob) = (server.join(), server.join());
    for number in 0..20 {
        alice.send(format!("message {number}\n"));
        bob.until(&format!("]: message {number}"));
    }
    server.log.wait_for("the transcript cannot be written, trying again every second: No space");
    server.signal(Signal::SIGTERM);
    assert!(server.ended().success());
    let told = |line: &&String| line.contains("transcript");
    assert_eq!(server.log.so_far().iter().filter(told).count(), 1);
}

/// See `tests/journal/fixture.rs`.
#[test]
fn a_directory_of_an_earlier_server_is_served_as_before() {
    let scratch = Scratch::new("fixture");
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journal/fixtures/2e7e1f4.db");
    std::fs::copy(fixture, scratch.0.join("chatloop.db")).unwrap();
    let server = start(&scratch, &[]);
    let (mut alice, mut carol) = (server.join(), server.join());
    alice.ask("/login alice correct-horse-2", "logged in as alice");
    alice.ask("/join #den sesame", "topic: about borrowing");
    alice.ask("/modes #den", "limit 40 users");
    alice.ask("/history #den", "the first in den");
    alice.ask("/thread 3", "an answer to the answer, edited (edited)");
    alice.ask("/search größe #den", "third, with größe");
    alice.ask("/ban", "mallory!*@*");
    carol.ask("/login carol purple-monkey", "logged in as Carol");
    carol.ask("/history bob", "call me when you are back");
    carol.ask("/join #ferrous", "topic: Ferris & friends");
}

/// A directory that the server of commit 9bbf673 wrote before it was killed: a snapshot and records
/// behind it, with registered and permanent rooms, accounts of operators, bans of accounts, mail,
/// search without spaces, and an uploaded file.
#[test]
fn a_directory_with_files_rooms_and_accounts_is_served_as_before() {
    let scratch = Scratch::new("fixture-of-rooms");
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/journal/fixtures/9bbf673");
    std::fs::create_dir(scratch.0.join("files")).unwrap();
    let file = "files/383aa741e1b29ac0837d7b881d0b1dca";
    for name in ["chatloop.db", file] {
        std::fs::copy(fixture.join(name), scratch.0.join(name)).unwrap();
    }
    let server = start(&scratch, &["--oper", "root:operator"]);
    let mut alice = server.join();
    alice.ask("/login alice correct-horse-2", "logged in as alice");
    alice.until("call me");
    alice.ask("/join #dev sesame", "you are an operator); topic: ours");
    alice.ask("/ban", "eve!*@*");
    alice.ask("/history", "the first in dev");
    for said in ["an answer", "no typo here (edited)", "日本語", "plan.txt", "after the snapshot"]
    {
        alice.until(said);
    }
    alice.until("re 1 <alice> the first in dev: late answer");
    alice.ask("/search 日本語", "日本語のテキスト");
    let mut root = server.join();
    root.ask("/oper root operator", "server operator");
    root.ask("/account", "4 registered accounts");
    root.ask("/gban", "account:eve");
    root.ask("/join #kept", "topic: kept");
    #[cfg(feature = "web")]
    {
        let mut web = TcpStream::connect(server.address).unwrap();
        let host = server.address;
        write!(web, "GET /{file}/plan.txt HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let answer = std::io::read_to_string(&mut web).unwrap();
        assert!(answer.ends_with("\r\n\r\nall according to plan\n"), "{answer}");
    }
}

/// If the loop waited for a single hash, the last account would be there before the balls.
#[test]
fn lines_pass_while_passwords_are_hashed() {
    const ACCOUNTS: usize = 30;
    const PINGS: usize = 200;
    let server = Server::start(&[]);
    let (mut ping, mut pong) = (server.join(), server.join());
    let mut storm: Vec<Client> = (0..ACCOUNTS).map(|_| server.join()).collect();
    for (number, client) in storm.iter_mut().enumerate() {
        client.send(format!("/nick owner-{number}\n/register correct-horse\n"));
    }
    let answered = AtomicUsize::new(0);
    let answered_before = thread::scope(|scope| {
        for client in &mut storm {
            let answered = &answered;
            scope.spawn(move || {
                while !client.line().contains(" created (log in") {}
                answered.fetch_add(1, Ordering::SeqCst);
            });
        }
        while answered.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        for number in 0..PINGS {
            for _ in 0..2 {
                let (from, to) = (&mut ping, &mut pong);
                from.send(format!("ball {number}\n"));
                while !to.line().ends_with(&format!("ball {number}")) {}
                std::mem::swap(from, to);
            }
        }
        answered.load(Ordering::SeqCst)
    });
    assert_eq!(answered.load(Ordering::SeqCst), ACCOUNTS);
    assert!(answered_before < ACCOUNTS, "{PINGS} balls went to and fro behind {ACCOUNTS} hashes");
    println!("{PINGS} balls went to and fro behind {answered_before} of {ACCOUNTS} hashes");
}
