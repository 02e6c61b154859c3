//! What only the journal on disk promises: it survives, it rejects with a reason, it leaves no traces.

use crate::chat::{ALICE, BOB, Chat, lobby, runtime, say};
use crate::scratch::Scratch;
use chatloop::chat::{Change, Name, Point, QuitReason, Range, Scope};
use chatloop::journal::{Health, Journal, JournalError, Limits, Wake};
use chatloop_reactor::signals::ignore_write_signals;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

fn refusal(directory: &Path) -> JournalError {
    match Journal::open(directory, &Limits::default(), &runtime(Arc::new(|| {}))) {
        Ok(_) => panic!("it opened"),
        Err(refusal) => refusal,
    }
}

#[test]
fn a_restart_gives_the_state_and_the_history_back_snapshot_or_not() {
    for orderly in [true, false] {
        let scratch = Scratch::new(if orderly { "closed" } else { "dropped" });
        let mut chat = Chat::disk(&scratch.0, &Limits::default());
        let text = "rules: none".into();
        chat.happens(ALICE, Change::Topic { room: Name::lobby(), text });
        for number in 1..=100 {
            chat.says(BOB, &format!("m{number}"));
        }
        chat.speaks_for_programs();
        let before = chat.hub.clone();
        if orderly {
            chat.journal.close();
        } else {
            drop(chat);
        }
        let mut chat = Chat::reopened(&scratch.0, &Limits::default());
        assert_eq!(chat.hub, before);
        assert_eq!(chat.lobby(Range::Latest, 2), ["m99", "m100"]);
        let next = chat.says(BOB, "m101");
        assert_eq!(Some(next.0), before.last().map(|last| last.0 + 1));
        assert_eq!(chat.lobby(Range::Latest, 500).len(), 101);
    }
}

/// The test below runs this in its own process, and kills it. It tells every message that
/// came back as kept, as a server would tell it to a client.
#[test]
#[ignore = "the victim of killed_at_any_moment_nothing_told_is_lost_or_doubled"]
fn victim() {
    let Some(directory) = std::env::var_os("CHATLOOP_TEST_DIRECTORY") else { return };
    let mut chat = Chat::reopened(Path::new(&directory), &Limits::default());
    for session in [ALICE, BOB] {
        chat.happens(session, Change::Leave { departure: QuitReason::Quit });
    }
    let mut chat = chat.peopled();
    let mut out = std::io::stdout();
    for number in 0.. {
        let text = format!("{}-{number}", std::process::id());
        chat.says(ALICE, &text);
        writeln!(out, "told {text}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn killed_at_any_moment_nothing_told_is_lost_or_doubled() {
    let scratch = Scratch::new("killed");
    let mut told: Vec<String> = Vec::new();
    for round in 1..=4 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "disk::victim", "--ignored", "--nocapture", "--test-threads=1"])
            .env("CHATLOOP_TEST_DIRECTORY", &scratch.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let mut take = |line: String| {
            if let Some((_, text)) = line.split_once("told ") {
                told.push(text.to_owned());
            }
        };
        for line in lines.by_ref().take(round * 20) {
            take(line.unwrap());
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        // What it told until the end counts, too; its last line may be cut.
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        rest.into_iter().for_each(take);
    }
    told.pop();
    let mut chat = Chat::reopened(&scratch.0, &Limits::default());
    let mut kept: Vec<String> = Vec::new();
    let mut after = Point::Number(0);
    loop {
        let page = chat.past(Scope::Room(lobby()), Range::After(after), 500);
        let Some(last) = page.last() else { break };
        after = Point::Id(last.id);
        kept.extend(page.iter().map(|entry| entry.text.to_string()));
    }
    assert!(told.len() > 100, "{}", told.len());
    let mut kept_left = kept.iter();
    for text in &told {
        assert!(kept_left.any(|kept| kept == text), "{text} is lost or out of order");
    }
    let mut once = kept.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), kept.len(), "something is there twice");
}

#[test]
fn a_directory_has_one_server_and_is_private() {
    let scratch = Scratch::new("locked");
    let data = scratch.0.join("new");
    let chat = Chat::disk(&data, &Limits::default());
    let second = refusal(&data);
    assert!(matches!(second, JournalError::Locked { .. }), "{second}");
    assert!(second.to_string().contains("another server"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = fs::read_dir(&data).unwrap().map(|file| file.unwrap()).collect();
    assert!(files.len() >= 3);
    for file in files {
        assert_eq!(mode(&file.path()), 0o600, "{:?}", file.path());
    }
    drop(chat);
    Chat::reopened(&data, &Limits::default());
}

#[test]
fn what_is_no_journal_is_refused_and_left_alone() {
    let scratch = Scratch::new("corrupt");
    let file = scratch.0.join("chatloop.db");
    let garbage = b"this is not a database, whatever its name says".repeat(200);
    fs::write(&file, &garbage).unwrap();
    let found = refusal(&scratch.0);
    assert!(matches!(found, JournalError::Corrupt { .. }), "{found}");
    assert!(found.to_string().contains("chatloop.db"), "{found}");
    assert_eq!(fs::read(&file).unwrap(), garbage);
    // A file where the directory should be.
    let found = refusal(&file);
    assert!(matches!(found, JournalError::Directory { .. }), "{found}");
}

#[test]
fn a_damaged_file_is_told_from_an_empty_one() {
    let scratch = Scratch::new("damaged");
    let mut chat = Chat::disk(&scratch.0, &Limits::default());
    chat.says(ALICE, "hello");
    chat.journal.close();
    let file = scratch.0.join("chatloop.db");
    let mut bytes = fs::read(&file).unwrap();
    let tables = 100..4096.min(bytes.len());
    bytes[tables].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    let found = refusal(&scratch.0);
    assert!(matches!(found, JournalError::Corrupt { .. }), "{found:?}");
}

/// The test below runs this in its own process, because the limit is the whole process's.
#[test]
#[ignore = "part of a_disk_that_was_full_keeps_again_as_soon_as_there_is_space"]
fn full() {
    let Some(directory) = std::env::var_os("CHATLOOP_TEST_DIRECTORY") else { return };
    let mut chat = Chat::disk(Path::new(&directory), &Limits::default());
    ignore_write_signals().unwrap();
    let (_, most) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, 512 * 1024, most).unwrap();
    let long = "x".repeat(8 * 1024);
    let mut kept = Vec::new();
    let mut number = 0;
    let mut says = |chat: &mut Chat, kept: &mut Vec<String>| {
        number += 1;
        let text = format!("{number} {long}");
        let is_kept = chat.tries(ALICE, say(&text, None)).is_some();
        kept.extend(is_kept.then_some(text));
        is_kept
    };
    while says(&mut chat, &mut kept) {}
    assert!(matches!(chat.journal.health(), Health::Failing { .. }));
    assert!(chat.tries(BOB, Change::Leave { departure: QuitReason::Quit }).is_some());
    for _ in 0..100 {
        says(&mut chat, &mut kept);
    }
    assert_eq!(chat.lobby(Range::Latest, 500).len(), kept.len());
    // Space again.
    setrlimit(Resource::RLIMIT_FSIZE, most, most).unwrap();
    let since = Instant::now();
    while !says(&mut chat, &mut kept) {
        assert!(since.elapsed() < Duration::from_secs(20), "{:?}", chat.journal.health());
    }
    (0..50).for_each(|_| assert!(says(&mut chat, &mut kept)));
    let before = chat.hub.clone();
    // As after a crash.
    drop(chat);
    let mut chat = Chat::reopened(Path::new(&directory), &Limits::default());
    assert_eq!(chat.hub, before);
    assert_eq!(chat.lobby(Range::Latest, 500), kept);
    println!("kept {}", kept.len());
}

#[test]
fn a_disk_that_was_full_keeps_again_as_soon_as_there_is_space() {
    let scratch = Scratch::new("space");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "disk::full", "--ignored", "--nocapture", "--test-threads=1"])
        .env("CHATLOOP_TEST_DIRECTORY", &scratch.0)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("kept "), "{output:?}");
}

#[test]
fn a_limited_file_rejects_messages_in_words_and_loses_nothing_that_was_kept() {
    let scratch = Scratch::new("full");
    let limits = Limits { file_size: Some(1024 * 1024), ..Limits::default() };
    let mut chat = Chat::disk(&scratch.0, &limits);
    let long = "x".repeat(8 * 1024);
    let mut kept = 0;
    while chat.tries(ALICE, say(&format!("{kept} {long}"), None)).is_some() {
        kept += 1;
        assert!(kept < 100, "it is never full");
    }
    let Health::Failing { reason, .. } = chat.journal.health() else { panic!() };
    assert!(kept > 5 && reason.contains("--max-data"), "{reason}");
    // Coming and going is possible, talking is not, and history can be read.
    assert!(chat.tries(BOB, Change::Leave { departure: QuitReason::Quit }).is_some());
    assert_eq!(chat.tries(ALICE, say("short", None)), None);
    assert_eq!(chat.lobby(Range::Latest, 500).len(), kept);
    assert!(matches!(chat.journal.close(), Health::Failing { .. }));
    let mut chat = Chat::reopened(&scratch.0, &Limits::default());
    assert_eq!(chat.lobby(Range::Latest, 500).len(), kept);
    chat.says(ALICE, "there is space again");
    assert_eq!(chat.journal.close(), Health::Good);
}

#[test]
fn a_writer_that_panics_goes_on_from_the_file() {
    let scratch = Scratch::new("panic");
    let (tell, woken) = mpsc::channel();
    let wakes = AtomicUsize::new(0);
    // The opener of a journal says how it is woken: that is where this writer is made to fail, for
    // the third record it hands back.
    let wake: Wake = Arc::new(move || {
        let _ = tell.send(());
        if thread::current().name() == Some("journal-write") {
            assert_ne!(wakes.fetch_add(1, Ordering::SeqCst), 2, "the wake fails");
        }
    });
    let (journal, hub) = Journal::open(&scratch.0, &Limits::default(), &runtime(wake)).unwrap();
    let mut chat = Chat { journal, hub, woken, clock: 1_000 }.peopled();
    chat.says(ALICE, "before");
    // Rejected at first, unless this comes late.
    let end = Instant::now() + Duration::from_secs(20);
    while chat.tries(ALICE, say("after", None)).is_none() {
        assert!(Instant::now() < end, "{:?}", chat.journal.health());
    }
    assert!(chat.tries(BOB, Change::Leave { departure: QuitReason::Quit }).is_some());
    assert_eq!(chat.lobby(Range::Latest, 500), ["before", "after"]);
    let before = chat.hub.clone();
    assert_eq!(chat.journal.close(), Health::Good);
    let mut chat = Chat::reopened(&scratch.0, &Limits::default());
    assert_eq!(chat.hub, before);
    assert_eq!(chat.lobby(Range::Latest, 500), ["before", "after"]);
}

#[test]
fn text_that_is_corrupted_in_a_row_is_called_damage() {
    for sql in [
        "UPDATE record SET change = CAST(X'22FFFE22' AS TEXT)",
        "UPDATE record SET change = 'no JSON'",
        "UPDATE record SET time = 'noon'",
    ] {
        let scratch = Scratch::new("corrupted-row");
        let mut chat = Chat::disk(&scratch.0, &Limits::default());
        chat.says(ALICE, "hello");
        drop(chat);
        let database = rusqlite::Connection::open(scratch.0.join("chatloop.db")).unwrap();
        assert!(database.execute(sql, []).unwrap() > 0);
        drop(database);
        let found = refusal(&scratch.0);
        assert!(matches!(found, JournalError::Corrupt { .. }), "{sql}: {found:?}");
        assert!(found.to_string().contains("restore a backup"), "{found}");
    }
}

#[test]
fn a_clock_that_was_ahead_is_followed_back_and_forgets_nothing_meanwhile() {
    const DAY: i64 = 24 * 60 * 60 * 1_000;
    let scratch = Scratch::new("ahead");
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    let limits = Limits { age: Some(month), ..Limits::default() };
    let today = 20_000 * DAY;
    for mut chat in [Chat::inline(&scratch.0, &limits).peopled(), Chat::memory(&limits)] {
        chat.clock = today;
        chat.says(ALICE, "today");
        chat.clock = today + 400 * DAY;
        // Each record lets one step of the maintenance follow.
        for number in 0..50 {
            chat.says(BOB, &format!("ahead {number}"));
        }
        chat.clock = today + 1_000;
        chat.says(ALICE, "today again");
        chat.clock = today + 500;
        chat.says(ALICE, "half a second back");
        let shown = chat.past(Scope::Room(lobby()), Range::Latest, 500);
        assert_eq!(shown.len(), 53, "nothing is forgotten");
        assert!(shown.is_sorted_by_key(|it| (it.id, it.number)));
        let last: Vec<i64> = shown[51..].iter().map(|it| it.time.0).collect();
        assert_eq!(last, [today + 1_001, today + 1_001]);
        assert_eq!(shown[1].time.0, today + 400 * DAY + 1);
    }
    // A month later, a day at a time, all of this is too old, whatever its stamp.
    let mut chat = Chat::inline(&scratch.0, &limits);
    for day in 1..=40 {
        chat.clock = today + day * DAY;
        chat.says(ALICE, &format!("day {day}"));
    }
    drop(chat);
    let mut chat = Chat::inline(&scratch.0, &limits);
    chat.clock = today + 40 * DAY;
    for _ in 0..20 {
        chat.says(BOB, "tick");
    }
    let left = chat.lobby(Range::Latest, 500);
    assert_eq!(left[0], "day 11", "{left:?}");
}

#[test]
fn erased_words_are_in_no_file() {
    let scratch = Scratch::new("traces");
    let mut chat = Chat::disk(&scratch.0, &Limits::default());
    for number in 0..50 {
        chat.says(BOB, &format!("filler {number}"));
    }
    let id = chat.says(ALICE, "xyzzyplugh once");
    let message = chat.find(Point::Id(id)).unwrap();
    let (room, text) = (Name::lobby(), "frobozz instead".into());
    chat.happens(ALICE, Change::Edit { room: room.clone(), message: message.clone(), text });
    chat.happens(ALICE, Change::Delete { room, message, reason: None });
    chat.says(BOB, "grueword stays");
    chat.journal.close();
    let mut bytes = Vec::new();
    for file in fs::read_dir(&scratch.0).unwrap() {
        bytes.extend(fs::read(file.unwrap().path()).unwrap());
    }
    let holds = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    assert!(holds(b"grueword"));
    for word in [&b"xyzzyplugh"[..], b"yzzyplugh", b"frobozz", b"robozz"] {
        assert!(!holds(word), "{}", String::from_utf8_lossy(word));
    }
}

#[test]
fn what_is_too_many_in_a_room_is_forgotten() {
    let scratch = Scratch::new("retention");
    let mut chat = Chat::disk(&scratch.0, &Limits::default());
    for number in 1..=1_200 {
        chat.says(ALICE, &format!("m{number}"));
    }
    chat.journal.close();
    let limits = Limits { per_room: Some(10), ..Limits::default() };
    let mut chat = Chat::reopened(&scratch.0, &limits);
    // Every record lets one step of the chores follow.
    for number in 0..300 {
        chat.happens(
            ALICE,
            Change::Topic { room: Name::lobby(), text: format!("{number}").into() },
        );
    }
    let left = (0..200).find(|_| {
        chat.says(ALICE, "tick");
        let (said, all) = (chat.lobby(Range::Latest, 500), chat.playback(Range::Latest, 500));
        // Words and the rest are counted apart.
        said.len() < 300 && all.len() - said.len() < 200
    });
    assert!(left.is_some());
    assert_eq!(chat.search("m1", None), [""; 0]);
}

#[test]
fn what_is_too_old_is_forgotten_words_or_not() {
    let scratch = Scratch::new("retention-age");
    let mut chat = Chat::disk(&scratch.0, &Limits::default());
    for number in 0..300 {
        chat.happens(
            ALICE,
            Change::Topic { room: Name::lobby(), text: format!("{number}").into() },
        );
        chat.says(ALICE, "hm");
    }
    chat.happens(BOB, Change::Part { room: Name::lobby(), reason: None });
    assert_eq!(chat.playback(Range::Latest, 500).len(), 303);
    chat.journal.close();
    let limits = Limits { age: Some(Duration::from_secs(60)), ..Limits::default() };
    let mut chat = Chat::inline(&scratch.0, &limits);
    chat.clock += 10 * 60 * 1_000;
    let mut chat = chat.peopled();
    let left = (0..200).find(|_| {
        chat.says(ALICE, "tick");
        chat.playback(Range::Latest, 500).len() < 10
    });
    assert!(left.is_some());
}
