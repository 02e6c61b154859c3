//! Limits that are a matter of time: flood, idle, linger, descriptors.

use super::Bench;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_flood_limit_delays_and_loses_nothing() {
    let mut bench = Bench::new(&["--flood-limit=2/s"]);
    let mut listener = bench.join("listener");
    let mut talker = bench.connect();
    bench.settle();
    bench.pass(SECOND); // identified, and its bucket is full
    bench.lines(&mut talker);
    bench.lines(&mut listener);
    let lines: Vec<String> = (0..25).map(|number| format!("line {number}")).collect();
    talker.send(&(lines.join("\n") + "\n"));
    let heard = bench.lines(&mut listener);
    assert_eq!(heard.len(), 20, "ten seconds' worth come at once: {heard:?}");
    let warning = bench.lines(&mut talker);
    assert!(warning.len() == 1 && warning[0].contains("--flood-limit"), "{warning:?}");
    bench.pass(Duration::from_millis(499));
    assert!(bench.lines(&mut listener).is_empty(), "no token yet");
    for line in &lines[20..] {
        bench.pass(Duration::from_millis(500));
        let heard = bench.lines(&mut listener);
        assert!(heard.len() == 1 && heard[0].ends_with(line), "{line}: {heard:?}");
    }
    assert!(bench.lines(&mut talker).is_empty(), "it is told once");
}

#[test]
fn the_connect_limit_lets_a_minutes_worth_in_at_once_and_then_its_rate() {
    let mut bench = Bench::new(&["--connect-limit=1/s", "--greeting-delay=0"]);
    let clients: Vec<_> = (0..60).map(|_| bench.connect()).collect();
    bench.settle();
    assert_eq!((bench.online(), clients.len()), (60, 60));
    let mut early = bench.connect();
    let told = bench.wait_for_end(&mut early);
    assert!(told.contains("try again in 1 s (--connect-limit)"), "{told}");
    assert!(!told.contains("connected"), "{told}");
    bench.pass(SECOND);
    bench.join("late");
    let mut early = bench.connect();
    assert!(bench.wait_for_end(&mut early).contains("--connect-limit"));
    // Those who were there were told of those who got in, and of no one else.
    let mut first = clients.into_iter().next().unwrap();
    let entered = bench.lines(&mut first).iter().filter(|it| it.contains(" connected, ")).count();
    assert_eq!(entered, 60);
}

#[test]
fn who_is_not_admitted_is_told_so_in_its_protocol() {
    let mut bench = Bench::new(&["--max-clients=1"]);
    let mut first = bench.join("first");
    let full = "the server is full (--max-clients 1)";
    for (sent, expected) in [
        ("", "* the server is full"),
        ("hello\n", "* the server is full"),
        ("NICK a\r\nUSER a 0 * a\r\n", "ERROR :Closing link: (the server is full"),
        #[cfg(feature = "web")]
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 503 "),
        #[cfg(feature = "web")]
        ("PUT /upload/a HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", "HTTP/1.1 503 "),
    ] {
        let mut client = bench.connect();
        client.send(sent);
        bench.settle();
        bench.pass(Duration::from_millis(150));
        let told = bench.wait_for_end(&mut client);
        assert!(told.starts_with(expected) && told.contains(full), "{sent}: {told}");
        assert_eq!(told.matches("the server").count(), 1, "{sent}: {told}");
    }
    assert!(bench.lines(&mut first).is_empty());
}

#[test]
fn an_origin_creates_so_many_rooms_and_joins_any_number() {
    let mut bench = Bench::new(&["--origin-rooms=2"]);
    let (mut ada, mut bob) = (bench.join("ada"), bench.join("bob"));
    ada.send("/join #a\n/join #b\n/join #c\n");
    bench.wait_for(&mut ada, "you joined #b");
    let told = bench.lines(&mut ada);
    assert!(told.iter().any(|line| line.contains("the limit is 2 (--origin-rooms)")), "{told:?}");
    bob.send("/join #a\n");
    bench.wait_for(&mut bob, "you joined #a");
    ada.send("/part #b\n/join #c\n");
    bench.wait_for(&mut ada, "you joined #c");
}

#[test]
fn topics_and_masks_have_a_memory_and_recent_messages_the_rest() {
    let mut bench = Bench::new(&["--room-memory=100k", "--origin-rooms=1000"]);
    let mut ada = bench.join("ada");
    ada.send("/join #a\n");
    bench.wait_for(&mut ada, "you joined #a");
    let mask = "m".repeat(120);
    for number in 0..60 {
        ada.send(&format!("/ban {mask}{number}!*@*\n"));
    }
    bench.wait_for(&mut ada, "(--room-memory)");
    bench.lines(&mut ada);
    ada.send(&format!("/unban {mask}0!*@*\n/topic \n/fence\n"));
    let told = bench.wait_for(&mut ada, "/fence");
    assert!(!told.iter().any(|line| line.contains("--room-memory")), "{told:?}");
    for number in 0..60 {
        ada.send(&format!("{number} {}\n", "w".repeat(4_000)));
    }
    // It is no longer at hand, and still there.
    ada.send("/react 1 +1\n/fence\n");
    let told = bench.wait_for(&mut ada, "/fence");
    assert!(!told.iter().any(|line| line.contains("no message")), "{told:?}");
    let held = bench.server.exchange().room_usage();
    assert!(held.recent <= 100 * 1024, "{held:?}");
}

#[test]
fn there_are_so_many_accounts() {
    let mut bench = Bench::new(&["--max-accounts=1"]);
    let (mut ada, mut bob) = (bench.join("ada"), bench.join("bob"));
    ada.send("/register correct-horse\n");
    bench.wait_for(&mut ada, "account ada created");
    bob.send("/register correct-horse\n");
    bench.wait_for(&mut bob, "(--max-accounts)");
}

#[cfg(feature = "disk")]
#[test]
fn an_account_that_no_one_has_used_for_long_ends_and_one_in_use_does_not() {
    let data = crate::scratch::Scratch::new("expiry");
    let mut bench =
        Bench::new(&["--data", data.path(), "--account-expiry=2", "--stall-timeout=off"]);
    let (mut ada, mut bob) = (bench.join("ada"), bench.join("bob"));
    for (client, name) in [(&mut ada, "ada"), (&mut bob, "bob")] {
        client.send("/register correct-horse\n");
        bench.wait_for(client, &format!("account {name} created"));
    }
    ada.send("/quit\n");
    bench.wait_for_end(&mut ada);
    bench.server.exchange().end_unused();
    // Two days, and looks for another; in the middle of that day the clock may be wrong.
    for _ in 0..48 + 23 {
        bench.pass(3_600 * SECOND);
    }
    let mut eve = bench.join("eve");
    eve.send("/nick ada\n");
    bench.wait_for(&mut eve, "ada");
    assert!(!bench.lines(&mut eve).iter().any(|line| line.contains("now known as ada")));
    for _ in 0..3 {
        bench.pass(3_600 * SECOND);
    }
    let mut freed = false;
    for _ in 0..1_000 {
        eve.send("/nick ada\n");
        freed |= bench.lines(&mut eve).iter().any(|line| line.contains("now known as ada"));
        if freed {
            break;
        }
    }
    assert!(freed);
    eve.send("/login bob correct-horse\n");
    bench.wait_for(&mut eve, "you are now logged in as bob");
}

#[test]
fn an_idle_client_is_told_and_closed_and_a_busy_one_is_not() {
    let mut bench = Bench::new(&["--idle-timeout=10"]);
    let (mut idle, mut busy) = (bench.join("idle"), bench.join("busy"));
    bench.pass(9 * SECOND);
    busy.send("/fence\n");
    bench.wait_for(&mut busy, "/fence");
    bench.pass(SECOND);
    assert!(bench.wait_for_end(&mut idle).contains("--idle-timeout"));
    bench.pass(8 * SECOND);
    assert!(!busy.ended && bench.online() == 1);
    bench.time.advance(SECOND);
    assert!(bench.wait_for_end(&mut busy).contains("goodbye"));
}

/// A farewell must not be destroyed by a reset: the server waits a second for the peer to close.
#[test]
fn a_connection_lingers_until_its_peer_closes_or_a_second_has_passed() {
    let mut bench = Bench::new(&[]);
    let mut stays = bench.join("stays");
    let mut closes = bench.join("closes");
    for client in [&mut stays, &mut closes] {
        client.send("/quit\nunread input\n");
        assert!(bench.wait_for_end(client).contains("goodbye"));
    }
    bench.settle();
    assert_eq!((bench.online(), bench.connections()), (0, 2));
    drop(closes);
    bench.settle();
    assert_eq!(bench.connections(), 1, "its peer has closed");
    stays.send("more that no one reads\n");
    bench.pass(SECOND - Duration::from_millis(1));
    assert_eq!(bench.connections(), 1);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.connections(), 0);
}

#[test]
fn a_peer_that_has_sent_its_last_byte_still_receives() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    let mut reader = bench.connect();
    reader.send("hello\n");
    reader.half_close();
    bench.wait_for(&mut reader, "your input has ended");
    tom.send("one\n");
    bench.wait_for(&mut reader, "[tom]: one");
    bench.pass(100 * SECOND);
    assert_eq!(bench.online(), 2);
    drop(reader);
    bench.pass(100 * SECOND);
    tom.send("two\n");
    bench.pass(100 * SECOND);
    bench.wait_for(&mut tom, " quit");
    assert_eq!(bench.online(), 1);
}

/// The listener stays readable when descriptors run out: a loop that asked on would spin.
#[test]
fn without_descriptors_the_listener_pauses_and_no_client_is_lost() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    bench.server.acceptor().no_descriptors = true;
    let mut late = bench.connect();
    late.send("hello\n");
    while bench.turn() == 0 {}
    for _ in 0..100 {
        assert_eq!(bench.turn(), 0, "the paused listener is reported");
    }
    tom.send("/fence\n");
    bench.wait_for(&mut tom, "/fence");
    // The second try fails as well.
    bench.pass(Duration::from_millis(200));
    assert_eq!((bench.turn(), bench.connections()), (0, 1));
    bench.server.acceptor().no_descriptors = false;
    bench.pass(Duration::from_millis(199));
    assert_eq!(bench.connections(), 1);
    bench.pass(Duration::from_millis(1));
    bench.wait_for(&mut tom, ": hello");
}

#[test]
fn a_login_is_checked_in_line() {
    let mut bench = Bench::new(&[]);
    let mut ada = bench.join("ada");
    ada.send("/register correct-horse\n");
    bench.wait_for(&mut ada, "account ada created");
    drop(ada);
    let mut again = bench.connect();
    again.send("/login ada wrong-horse\n/login ada correct-horse\n");
    bench.wait_for(&mut again, "wrong");
    bench.wait_for(&mut again, "ada");
}

/// How many of 20,000 lines are said whose sender is gone before most of them have been looked at.
fn said_after_leaving(flags: &[&str], later: Duration) -> usize {
    let mut bench = Bench::new(flags);
    let (mut talker, mut listener) = (bench.join("talker"), bench.join("listener"));
    talker.send(&format!("/help\n{}", "x\n".repeat(20_000)));
    while listener.received.is_empty() {
        bench.turn();
        listener.receive();
    }
    drop(talker); // with an answer unread, which makes it a reset
    bench.pass(later);
    let lines = bench.wait_for(&mut listener, "talker quit");
    lines.iter().filter(|line| line.contains(": x")).count()
}

#[test]
fn lines_that_wait_for_their_origin_do_not_outlive_their_sender_for_long() {
    let limited = ["--origin-work=1000"];
    assert_eq!(said_after_leaving(&[], Duration::from_secs(3)), 20_000);
    assert_eq!(said_after_leaving(&limited, Duration::from_secs(1)), 20_000);
    let said = said_after_leaving(&limited, Duration::from_secs(3));
    assert!((1..20_000).contains(&said), "{said}");
}
