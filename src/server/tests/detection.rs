//! Protocol detection: its timeout, the early buffer, and what is not served.

use super::{Bench, SETTLED};
use std::time::Duration;

const DELAY: Duration = Duration::from_millis(150);

#[test]
fn a_silent_client_is_greeted_when_the_timeout_expires_and_misses_no_message() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    let mut silent = bench.connect();
    bench.settle();
    assert!(bench.lines(&mut silent).is_empty());
    tom.send("one\n/me waves\n");
    bench.settle();
    bench.time.advance(DELAY - Duration::from_millis(1));
    assert!(bench.lines(&mut silent).is_empty(), "a millisecond too early");
    bench.pass(Duration::from_millis(1));
    let lines = bench.lines(&mut silent);
    assert!(lines[0].contains("connected as guest"), "{lines:?}");
    assert_eq!(lines[lines.len() - 2..], ["[tom]: one", "[tom] waves"], "{lines:?}");
}

#[test]
fn what_has_come_when_the_timeout_expires_decides() {
    let mut bench = Bench::new(&[]);
    let mut irc = bench.connect();
    bench.settle();
    // In the socket, and not read yet when the time is over.
    irc.send("NICK ada\r\nUSER ada 0 * :Ada\r\n");
    bench.time.advance(DELAY);
    assert!(bench.wait_for(&mut irc, " 001 ada ")[0].contains(" 001 "));
    let mut slow = bench.connect();
    slow.send("NIC");
    bench.settle();
    bench.pass(DELAY);
    bench.wait_for(&mut slow, "connected as guest");
}

#[test]
fn an_irc_client_gets_nothing_of_the_early_buffer() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    let mut irc = bench.connect();
    bench.settle();
    tom.send("one\n");
    bench.settle();
    irc.send("NICK ada\r\nUSER ada 0 * :Ada\r\n");
    let lines = bench.wait_for(&mut irc, " 001 ada ");
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn text_that_only_looks_like_an_opening_is_text() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    for line in ["GET real, people", "nick of time", "CONNECT the dots"] {
        let mut other = bench.connect();
        other.send(&format!("{line}\n"));
        assert!(bench.wait_for(&mut tom, line).last().unwrap().starts_with("[guest"));
    }
}

#[test]
fn a_tls_handshake_is_told_in_one_line_and_closed() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    let mut tls = bench.connect();
    let mut hello = b"\x16\x03\x01\x00\x70\x01\x00\x00\x6c\x03\x03".to_vec();
    hello.extend(0..0x6a);
    hello.extend_from_slice(b"\n/nick mallory\nhello\n");
    tls.send_bytes(&hello);
    let answer = bench.wait_for_end(&mut tls);
    assert!(answer.contains("TLS") && answer.lines().count() == 1, "{answer}");
    assert!(bench.lines(&mut tom).is_empty());
    assert_eq!(bench.online(), 1);
}

#[test]
fn a_password_that_is_not_given_in_time_ends_the_connection() {
    let mut bench = Bench::new(&["--password=open sesame"]);
    let mut peer = bench.connect();
    peer.send("hello\n");
    // It is asked, and once more because that was not the password.
    assert_eq!(bench.lines(&mut peer).len(), 2);
    bench.pass(Duration::from_secs(29));
    assert!(bench.lines(&mut peer).is_empty());
    bench.time.advance(Duration::from_secs(1));
    assert!(bench.wait_for_end(&mut peer).contains("goodbye: no password within 30 s"));
}

/// The lines of a peer without the password count in the turn's budget, and against the flood limit.
#[test]
fn a_peer_without_the_password_pays_for_its_lines() {
    let mut bench = Bench::new(&["--password=open sesame", "--flood-limit=1/s"]);
    let mut peer = bench.connect();
    let long = "x".repeat(5_000);
    peer.send(&format!("{long}\n").repeat(20));
    let lines = bench.wait_for(&mut peer, "--flood-limit");
    let rejected = lines.iter().filter(|line| line.contains("--max-line")).count();
    assert_eq!(rejected, 10, "{lines:?}");
    for _ in 0..SETTLED {
        bench.turn();
    }
    assert!(bench.lines(&mut peer).is_empty());
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.lines(&mut peer).len(), 1);
}
