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

/// It was welcomed, and sent the messages, as the plain peer that it was taken for.
#[test]
fn who_is_taken_for_plain_at_the_last_moment_hears_nothing_as_such() {
    for request in ["GET /health HTTP/1.1\r\nHost: a\r\n\r\n", "NICK ada\r\nUSER a 0 * :a\r\n"] {
        let mut in_time = 0;
        // After so many lines its early buffer is full.
        for lines in 0..30 {
            let mut bench =
                Bench::new(&["--outbox-soft=16k", "--greeting-delay=60000", "--flood-limit=off"]);
            let (mut talker, mut late) = (bench.join("talker"), bench.connect());
            bench.settle();
            for _ in 0..lines {
                talker.send(&format!("{}\n", "x".repeat(1_000)));
                bench.turn();
            }
            talker.send("hello\n");
            late.send(request);
            let answer = bench.lines(&mut late).join("\n");
            if answer.starts_with("* connected as") {
                continue;
            }
            in_time += 1;
            let is_closed = answer.is_empty() && request.contains("HTTP");
            let expected = ["HTTP/1.1 200 ", ":chatloop.local 001 ada "];
            let is_answered = expected.iter().any(|it| answer.starts_with(it));
            assert!(is_answered || is_closed && !cfg!(feature = "web"), "{lines}: {answer}");
            assert!(!answer.contains("xxx") && !answer.contains("hello"), "{lines}: {answer}");
        }
        assert!((1..30).contains(&in_time), "{in_time}");
    }
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
fn what_scanners_of_ports_begin_with_is_closed_and_not_talk() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    for probe in [
        &b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0\n"[..],
        b"\0\0\0\xa4\xffSMBr\0\0\0\0\x08\x01\x40\nhello\n",
        b"\x80\x2e\x01\0\x02\0\x15\0\0\0\x10\n",
        b"SSH-2.0-Go\r\nhello\n",
        b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"INVITE sip:nm@a SIP/2.0\r\nVia: x\r\n\r\n",
    ] {
        let mut scanner = bench.connect();
        scanner.send_bytes(probe);
        assert_eq!(bench.wait_for_end(&mut scanner), "");
    }
    assert!(bench.lines(&mut tom).is_empty());
    assert_eq!(bench.online(), 1);
}

#[test]
fn a_request_with_a_method_that_no_one_knows_is_answered_and_not_talk() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    for cut in [0, 4, 12] {
        let request = "PROPFIND / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut peer = bench.connect();
        peer.send_bytes(&request.as_bytes()[..cut]);
        bench.settle();
        peer.send_bytes(&request.as_bytes()[cut..]);
        let answer = bench.wait_for_end(&mut peer);
        assert!(answer.contains("HTTP/1.1 405 ") || !cfg!(feature = "web"), "{answer}");
    }
    assert!(!bench.lines(&mut tom).iter().any(|line| line.contains("HTTP")));
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

/// What PuTTY sends first.
const NEGOTIATION: &[u8] =
    b"\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03";

#[test]
fn a_login_behind_telnet_negotiation_is_a_login_and_not_talk() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    for pause in [0, 200] {
        let mut putty = bench.connect();
        putty.send_bytes(NEGOTIATION);
        bench.settle();
        bench.pass(Duration::from_millis(pause));
        putty.send_bytes(b"\xff\xfa\x1f\0\x50\0\n\xff");
        bench.settle();
        putty.send_bytes(b"\xf0/login alice correct-horse\r\0");
        bench.wait_for(&mut putty, "wrong name or password");
        putty.send_bytes(b"\xff\xf1 /login alice correct-horse\r\0");
        bench.wait_for(&mut putty, "not sent");
        putty.send_bytes(b"hello\r\0is any\xff\xf1body here?\r\0");
        let lines = bench.wait_for(&mut tom, "is anybody here?");
        assert!(lines.iter().any(|line| line.ends_with("]: hello")), "{lines:?}");
        assert!(!lines.iter().any(|line| line.contains("correct")), "{lines:?}");
    }
    let mut irc = bench.connect();
    irc.send_bytes(&[NEGOTIATION, b"NICK ada\r\nUSER ada 0 * :Ada\r\n"].concat());
    bench.wait_for(&mut irc, " 001 ada ");
}

#[test]
fn an_irc_client_that_opens_late_is_one_all_the_same() {
    let mut bench = Bench::new(&["--history-on-join=0"]);
    let mut tom = bench.join("tom");
    let mut late = bench.connect();
    bench.settle();
    bench.pass(DELAY);
    bench.wait_for(&mut late, "connected as guest");
    late.send("\r\nCAP LS 302\r\nPASS hunter2\r\nNICK ada\r\nUSER ada 0 * :Ada\r\nCAP END\r\n");
    late.send("JOIN #lobby\r\nPRIVMSG NickServ :IDENTIFY hunter2\r\nPRIVMSG #lobby :hello\r\n");
    bench.wait_for(&mut late, " 001 ada ");
    let lines = bench.wait_for(&mut tom, "[ada]: hello");
    assert!(lines.iter().any(|line| line.contains("guest") && line.contains(" quit")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("hunter2")), "{lines:?}");
    assert_eq!(bench.online(), 2);
    // A person who has been greeted and types like this is told, and stays.
    let mut person = bench.connect();
    bench.settle();
    bench.pass(DELAY);
    person.send("nick bob\n");
    bench.wait_for(&mut person, "looks like IRC");
}

#[test]
fn a_late_irc_client_needs_the_password_of_the_server_as_well() {
    let mut bench = Bench::new(&["--password=open sesame"]);
    let mut late = bench.connect();
    bench.settle();
    bench.pass(DELAY);
    bench.wait_for(&mut late, "/pass PASSWORD");
    late.send("PASS :open sesame\r\nNICK ada\r\nUSER ada 0 * :Ada\r\n");
    bench.wait_for(&mut late, " 001 ada ");
}

#[test]
fn the_header_of_a_proxy_is_not_talk() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    for header in
        ["proxy tcp4 192.0.2.1 192.0.2.2 5 6667\r\nhello\r\n", "\r\n\r\n\0\r\nQUIT\n!\x11"]
    {
        let mut proxied = bench.connect();
        proxied.send(header);
        assert!(bench.wait_for_end(&mut proxied).contains("only for trusted proxies"));
    }
    assert!(bench.lines(&mut tom).is_empty());
}

#[test]
fn an_http_request_behind_an_empty_line_or_late_is_none_of_the_chat() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    for (late, before) in [(false, "\r\n"), (true, "\r\n"), (true, "")] {
        let mut web = bench.connect();
        bench.settle();
        if late {
            bench.pass(DELAY);
            bench.wait_for(&mut web, "connected as guest");
        }
        web.send(&format!("{before}POST / HTTP/1.1\r\nHost: x\r\n\r\n/nick mallory\nbuy things\n"));
        let told = bench.wait_for_end(&mut web);
        // Without the feature it is closed without a word.
        assert!(told.contains("HTTP/1.1 4") || !cfg!(feature = "web"), "{told}");
    }
    let lines = bench.lines(&mut tom);
    assert!(lines.iter().all(|line| line.starts_with("* guest")), "{lines:?}");
    assert_eq!(bench.online(), 1);
}

#[test]
fn a_port_check_is_announced_to_no_one() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    for pause in [Duration::ZERO, DELAY / 2] {
        let check = bench.connect();
        bench.pass(pause);
        drop(check);
        bench.settle();
        assert_eq!(bench.online(), 1);
        bench.pass(DELAY);
        bench.pass(Duration::from_secs(2));
        assert_eq!((bench.online(), bench.connections()), (1, 1));
    }
    assert!(bench.lines(&mut tom).is_empty());
}

#[test]
fn a_listener_without_input_is_announced_when_it_is_known_to_be_there_and_misses_nothing() {
    let mut bench = Bench::new(&[]);
    let mut tom = bench.join("tom");
    let mut listener = bench.connect();
    listener.half_close();
    bench.settle();
    assert_eq!((bench.online(), bench.lines(&mut listener).len()), (1, 0));
    tom.send("one\n");
    bench.settle();
    bench.pass(DELAY);
    assert!(bench.lines(&mut listener)[0].contains("your input has ended"));
    tom.send("two\n");
    bench.pass(Duration::from_millis(5));
    bench.pass(Duration::from_secs(1));
    let lines = bench.lines(&mut listener);
    assert!(lines[0].contains("connected as guest"), "{lines:?}");
    assert_eq!(lines[lines.len() - 2..], ["[tom]: one", "[tom]: two"], "{lines:?}");
    assert_eq!(bench.online(), 2);
    drop(listener);
    tom.send("three\n");
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.online(), 1);
}
