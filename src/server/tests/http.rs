//! HTTP on the chat's port: no request reaches the chat, and none is waited for too long.

use super::{Bench, Client};
use std::time::Duration;

/// Neither the head nor the commands of the body reach the chat, nor a second request.
#[test]
fn a_request_is_answered_and_no_part_of_it_is_a_message() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    for (request, status) in [
        ("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n/nick mallory\nbuy things\n", 200),
        ("GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        (
            "POST / HTTP/1.1\r\nHost: 127.0.0.1:7777\r\nContent-Type: text/plain\r\n\
             Content-Length: 48\r\n\r\n/nick mallory\n/register spam-pass-1\nbuy things\n",
            405,
        ),
        ("GET / lol\r\n/nick mallory\r\n\r\nhello\n", 400),
    ] {
        let mut web = bench.connect();
        web.send(request);
        let answer = bench.wait_for_end(&mut web);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{answer}");
        assert!(body.ends_with('\n') && body.lines().count() == 1, "{answer}");
        assert!(bench.lines(&mut tom).is_empty());
        assert_eq!(bench.online(), 1);
    }
}

#[test]
fn a_slow_head_is_answered_with_408() {
    let mut bench = Bench::new(&[]);
    let mut slow = bench.connect();
    slow.send("GET / HTTP/1.1\r\n");
    bench.settle();
    for _ in 0..9 {
        bench.pass(Duration::from_secs(1));
        slow.send("X: y\r\n");
    }
    assert!(bench.lines(&mut slow).is_empty());
    bench.time.advance(Duration::from_secs(1));
    assert!(bench.wait_for_end(&mut slow).starts_with("HTTP/1.1 408 Request Timeout\r\n"));
    drop(slow);
    bench.settle();
    assert_eq!(bench.connections(), 0);
}

#[test]
fn a_request_behind_a_long_head_is_never_text() {
    let mut bench = Bench::new(&[]);
    let mut web = bench.connect();
    web.send(&format!("GET / HTTP/1.1\r\nX: {}", "y".repeat(20_000)));
    assert!(bench.wait_for_end(&mut web).starts_with("HTTP/1.1 431 "));
}

#[test]
fn without_http_a_request_is_closed_unanswered() {
    let mut bench = Bench::new(&["--no-http"]);
    let mut web = bench.connect();
    web.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(bench.wait_for_end(&mut web), "");
    assert_eq!(bench.online(), 0);
}

/// A server that shuts down tells those whose request has not come in full.
#[test]
fn a_shutdown_answers_a_request_that_has_begun() {
    let mut bench = Bench::new(&[]);
    let mut web = bench.connect();
    web.send("GET / HTTP/1.1\r\n");
    bench.settle();
    bench.server.exchange().notify_shutdown();
    assert!(bench.wait_for_end(&mut web).starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
}

/// A browser cannot ask itself, and a proxy closes what is silent.
#[test]
fn a_silent_websocket_is_pinged_and_a_dead_one_is_closed() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    tom.send("/join #lab\n");
    let mut web = browser(&mut bench, "ada", "");
    for _ in 0..2 {
        bench.pass(Duration::from_secs(45));
        assert_eq!(web.bytes(), b"\x89\0");
    }
    web.send_bytes(&[0x8a, 0x80, 0, 0, 0, 0]);
    bench.settle();
    for _ in 0..2 {
        bench.pass(Duration::from_secs(45));
        assert_eq!(web.bytes(), b"\x89\0");
    }
    bench.time.advance(Duration::from_secs(45));
    bench.wait_for(&mut tom, "ada quit (ping timeout)");
}

/// What monitors tell comes outside of any answer.
#[test]
fn a_browser_is_told_in_a_frame_who_has_come_online() {
    let mut bench = Bench::new(&[]);
    let mut web = browser(&mut bench, "ada", "");
    send_frame(&mut web, "MONITOR + bob");
    bench.settle();
    web.bytes();
    bench.join("bob");
    let told = web.bytes();
    let [0x81, length, line @ ..] = &told[..] else { panic!("{told:?}") };
    assert_eq!(usize::from(*length), line.len(), "{told:?}");
    assert!(String::from_utf8_lossy(line).contains(" 730 ada :bob!"), "{told:?}");
}

/// Opens a WebSocket and joins #lab as `nick`.
pub(super) fn browser(bench: &mut Bench, nick: &str, headers: &str) -> Client {
    let mut web = websocket(bench, headers);
    for line in [format!("NICK {nick}"), format!("USER {nick} 0 * :x"), "JOIN #lab".to_owned()] {
        send_frame(&mut web, &line);
    }
    bench.settle();
    web.bytes();
    web
}

/// Sends one line in a frame; the mask is zeros.
pub(super) fn send_frame(web: &mut Client, line: &str) {
    web.send_bytes(&[0x81, 0x80 | line.len() as u8, 0, 0, 0, 0]);
    web.send(line);
}

/// Opens a WebSocket.
pub(super) fn websocket(bench: &mut Bench, headers: &str) -> Client {
    let mut web = bench.connect();
    web.send(&format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{headers}\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ));
    bench.wait_for(&mut web, "101 Switching Protocols");
    web
}

#[test]
fn a_hundred_browsers_cost_one_rendering() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    tom.send("/join #lab\n");
    let mut browsers: Vec<Client> =
        (0..100).map(|number| browser(&mut bench, &format!("b{number}"), "")).collect();
    let before = bench.server.exchange().allocated();
    let line = "x".repeat(300);
    tom.send(&format!("{line}\n").repeat(200));
    bench.settle();
    let allocated = bench.server.exchange().allocated() - before;
    for web in &mut browsers {
        let bytes = web.bytes();
        let count = bytes.windows(line.len()).filter(|part| *part == line.as_bytes()).count();
        assert_eq!(count, 200);
    }
    // 60 KB once, with its frames; a rendering for each would be six million.
    assert!(allocated < 400_000, "{allocated}");
}
