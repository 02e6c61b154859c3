//! A peer that does not read: its own lines wait, then it is dropped; the others never notice.

use super::{Bench, Client};
use crate::trace::Event;
use chatloop_reactor::{ChunkWriter, Held};
use std::time::Duration;

/// Bytes of one line.
const LINE: usize = 4_000;

/// Sends lines until `done`; the listener receives each of them.
fn flood(
    bench: &mut Bench,
    talker: &mut Client,
    listener: &mut Client,
    mut done: impl FnMut(&mut Bench) -> bool,
) -> usize {
    let text = "~".repeat(LINE - 1) + "\n";
    for count in 0..20_000 {
        if done(bench) {
            return count;
        }
        talker.send(&text);
        bench.wait_for(listener, "[talker]: ~");
    }
    panic!("it went on for ever");
}

#[test]
fn above_the_soft_limit_a_peers_own_lines_wait() {
    let mut bench = Bench::new(&["--outbox-soft=64k", "--outbox-hard=64M"]);
    let (mut talker, mut listener) = (bench.join("talker"), bench.join("listener"));
    let mut slow = bench.join("slow");
    flood(&mut bench, &mut talker, &mut listener, |bench| bench.longest_queue() > 64 * 1024);
    slow.send("am I heard?\n");
    assert!(bench.lines(&mut listener).is_empty(), "its queue is over the soft limit");
    bench.wait_for_silence(&mut slow);
    bench.wait_for(&mut listener, "[slow]: am I heard?");
    assert_eq!(bench.longest_queue(), 0);
}

#[test]
fn above_the_hard_limit_a_peer_is_dropped_and_the_others_are_told_why() {
    let mut bench = Bench::new(&["--outbox-soft=64k", "--outbox-hard=256k"]);
    let (mut talker, mut listener) = (bench.join("talker"), bench.join("listener"));
    let _slow = bench.join("slow");
    flood(&mut bench, &mut talker, &mut listener, |bench| bench.online() == 2);
    let lines = bench.wait_for(&mut talker, "slow quit");
    assert!(lines.last().unwrap().contains("--outbox-hard"), "{lines:?}");
    assert!(bench.longest_queue() <= 256 * 1024);
}

/// Lines for everyone until `slow` has more waiting than its socket takes.
fn fill(bench: &mut Bench, talker: &mut Client) {
    let line = format!("{}\n", "x".repeat(1000));
    while bench.longest_queue() == 0 {
        talker.send(&line.repeat(50));
        bench.settle();
        bench.lines(talker);
    }
}

#[test]
fn a_peer_that_takes_nothing_for_the_stall_timeout_is_dropped() {
    let mut bench = Bench::new(&["--stall-timeout=20"]);
    let mut talker = bench.join("talker");
    let _slow = bench.join("slow");
    fill(&mut bench, &mut talker);
    for _ in 0..3 {
        bench.pass(Duration::from_secs(5));
    }
    assert_eq!(bench.online(), 2, "15 s are not 20");
    bench.lines(&mut talker);
    for _ in 0..2 {
        bench.pass(Duration::from_secs(5));
    }
    let lines = bench.wait_for(&mut talker, "slow");
    assert!(lines.last().unwrap().contains("--stall-timeout"), "{lines:?}");
    assert_eq!(bench.online(), 1);
}

/// What it had asked for once followed half a line, since answers took another way to it.
#[test]
fn nothing_follows_what_was_dropped() {
    let mut bench = Bench::new(&["--stall-timeout=20"]);
    let mut talker = bench.join("talker");
    talker.send("/join #y\nwith a history\n/room #lobby\n");
    bench.wait_for(&mut talker, "now go to #lobby");
    let mut slow = bench.join("slow");
    fill(&mut bench, &mut talker);
    slow.send("/join #y\n");
    let mut received = slow.bytes();
    // Its line is taken, it is dropped, the history comes, and now its socket has room.
    bench.pass(Duration::from_secs(21));
    assert_eq!(bench.online(), 1);
    received.extend(slow.bytes());
    let received = String::from_utf8(received).unwrap();
    assert!(received.contains("xx") && !received.contains("history of #y"), "{received:.200}");
    bench.wait_for(&mut talker, "slow joined #y");
}

#[test]
fn above_the_budget_of_all_the_largest_queue_that_does_not_shrink_goes() {
    let mut bench = Bench::new(&["--outbox-all=1M", "--outbox-hard=64M"]);
    let mut talker = bench.join("talker");
    let (_slow, mut reader) = (bench.join("slow"), bench.join("reader"));
    let line = format!("{}\n", "x".repeat(1000));
    for _ in 0..200 {
        talker.send(&line.repeat(50));
        bench.pass(Duration::from_millis(50));
        bench.lines(&mut talker).clear();
        bench.lines(&mut reader).clear();
        assert!(ChunkWriter::in_use() < 3 << 20, "{}", ChunkWriter::in_use());
    }
    assert_eq!(bench.online(), 2, "only the slow one has gone");
    reader.send("/whois talker\n");
    bench.wait_for(&mut reader, "talker");
}

/// Lists once were written in full for each asker, as often as one had asked.
#[test]
fn a_list_costs_a_page_while_its_asker_does_not_read() {
    const ROOMS: usize = 90;
    let mut bench = Bench::new(&[]);
    let mut owner = bench.join("owner");
    for room in 0..ROOMS {
        owner.send(&format!("/join #r{room}\n/topic {}\n", "t".repeat(390)));
        bench.wait_for(&mut owner, "set the topic");
    }
    let mut askers: Vec<_> = (0..10).map(|number| bench.join(&format!("a{number}"))).collect();
    let asked = 100; // 4 MB of answers, and more than the system takes for any of them
    for asker in &mut askers {
        asker.send(&"/rooms\n".repeat(asked));
    }
    while bench.longest_queue() == 0 {
        bench.settle();
    }
    bench.settle();
    assert!(bench.longest_queue() < 64 * 1024, "{}", bench.longest_queue());
    assert!(ChunkWriter::in_use() < 2 << 20, "{}", ChunkWriter::in_use());
    let mut patient = askers.remove(0);
    patient.send("/fence\n");
    let lines = bench.wait_for(&mut patient, "/fence");
    let first: Vec<&String> = lines.iter().filter(|line| line.contains("#r0 ")).collect();
    let headings = lines.iter().filter(|line| line.ends_with(" rooms:")).count();
    assert_eq!((first.len(), headings), (asked, asked));
    assert_eq!(lines.iter().filter(|line| line.contains("#r")).count(), asked * ROOMS);
}

#[test]
fn a_question_costs_nothing_while_its_asker_does_not_read() {
    let mut bench = Bench::new(&["--outbox-all=2M", "--outbox-hard=64M", "--outbox-soft=64M"]);
    let mut honest = bench.join("honest");
    let mut askers: Vec<_> = (0..10).map(|number| bench.join(&format!("a{number}"))).collect();
    bench.lines(&mut honest);
    for asker in &mut askers {
        asker.send(&"/help\n".repeat(2_000)); // 10 MB of answers
    }
    bench.settle();
    bench.settle();
    assert!(ChunkWriter::in_use() < 3 << 20, "{}", ChunkWriter::in_use());
    honest.send("/help\n/fence\n");
    bench.wait_for(&mut honest, "/fence");
    // A client that reads gets all of what it has asked for.
    let mut patient = askers.remove(0);
    patient.send("/fence\n");
    bench.wait_for(&mut patient, "/fence");
}

/// Each may have 64 KiB, and there may be thousands of them, from as many addresses.
#[test]
fn what_all_have_sent_while_their_lines_wait_is_bounded() {
    let mut bench = Bench::new(&["--inbox-all=400k", "--flood-limit=1/s"]);
    let mut honest = bench.join("honest");
    let mut crowd: Vec<_> = (0..10).map(|number| bench.join(&format!("c{number}"))).collect();
    honest.send(&"hello\n".repeat(100));
    for one in &mut crowd {
        one.send(&"/help\n".repeat(9_000));
        bench.settle();
        assert!(Held::all() <= 400 << 10, "{}", Held::all());
    }
    assert!((2..9).contains(&bench.online()), "{} are left", bench.online());
    drop(crowd);
    bench.settle();
    assert_eq!(bench.online(), 1, "one who sends little stays");
}

/// A client that has sent the beginning of something: TLS, a WebSocket and a batch keep that elsewhere.
const BEGINNINGS: &[fn(&mut Bench, usize) -> Client] = &[
    |bench, number| {
        let mut client = bench.connect();
        let caps = "CAP REQ :draft/multiline batch message-tags";
        client.send(&format!("{caps}\r\nNICK n{number}\r\nUSER n 0 * n\r\nCAP END\r\n"));
        let tags = "t".repeat(4000);
        client.send(&format!("@+draft/x={tags} BATCH +a draft/multiline #lobby\r\n"));
        client.send(&format!("@batch=a PRIVMSG #lobby {}\r\n", "x".repeat(400)).repeat(9));
        client
    },
    #[cfg(feature = "web")]
    |bench, _| {
        let mut client = super::http::websocket(bench, "");
        let mut frame = Vec::new();
        crate::wire::websocket::write_masked(0x01, &[b'x'; 16_000], &mut frame);
        client.send_bytes(&frame);
        client
    },
    #[cfg(feature = "tls")]
    |bench, _| {
        let mut client = bench.connect();
        let hello = [&b"\x01\x00\xff\xff"[..], &[0; 48_000]].concat();
        for part in hello.chunks(16_000) {
            let length = (part.len() as u16).to_be_bytes();
            client.send_bytes(&[b"\x16\x03\x01", &length[..], part].concat());
        }
        client
    },
];

#[test]
fn what_has_not_come_in_full_counts_wherever_it_is_kept() {
    let tls: &[&str] = if cfg!(feature = "tls") { &["--tls"] } else { &[] };
    for (kind, begin) in BEGINNINGS.iter().enumerate() {
        let mut bench = Bench::new(&[&["--inbox-all=120k"], tls].concat());
        let mut crowd = Vec::new();
        for number in 0..20 {
            crowd.push(begin(&mut bench, number));
            bench.settle();
            assert!(Held::all() <= 120 << 10, "{kind}: {}", Held::all());
        }
        let left = bench.connections();
        assert!((1..19).contains(&left), "{kind}: {left} are left");
    }
}

#[test]
fn a_batch_that_has_timed_out_counts_no_more() {
    let mut bench = Bench::new(&[]);
    let client = BEGINNINGS[0](&mut bench, 1);
    bench.settle();
    let before = Held::all();
    assert!(before > 4_000, "{before}");
    bench.pass(Duration::from_secs(60));
    assert_eq!(Held::all(), 0);
    drop(client);
}

#[test]
fn those_with_little_to_send_are_written_to_before_those_with_much() {
    let mut bench = Bench::new(&[]);
    let (mut talker, _crowd) = (bench.join("talker"), bench.join("crowd"));
    let mut alone = bench.join("alone");
    talker.send("/join #quiet\n/room #lobby\n");
    alone.send("/part #lobby\n/join #quiet\n");
    bench.wait_for(&mut alone, "you joined #quiet");
    bench.settle();
    let trace = bench.server.exchange().net().trace().clone();
    let mut position = trace.add_viewer();
    // All in one turn, the crowd first.
    let much = format!("{}\n", "~".repeat(400)).repeat(7);
    talker.send(&format!("{much}@#quiet hello\n"));
    bench.wait_for(&mut alone, "hello");
    let events = trace.read(&mut position, usize::MAX).events;
    let written = events.iter().filter_map(|event| match event {
        Event::Written { bytes, .. } => Some(*bytes),
        _ => None,
    });
    let written: Vec<u32> = written.collect();
    assert!(written.len() == 2 && written[0] < 100 && written[1] > 2_800, "{written:?}");
}
