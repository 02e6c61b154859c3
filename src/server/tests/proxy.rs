//! Behind a proxy: the client counts in its place, and no one else may say who it is.

use super::{Bench, Client};
use std::time::Duration;

const TRUSTED: &str = "--proxy-from=127.0.0.0/8";

/// The second version of the header, for 192.0.2.`last`.
fn binary(last: u8) -> Vec<u8> {
    let addresses = [192, 0, 2, last, 198, 51, 100, 1, 0xdc, 4, 0x1e, 0x61];
    [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".as_slice(), &addresses].concat()
}

fn line(last: u8) -> Vec<u8> {
    format!("PROXY TCP4 192.0.2.{last} 198.51.100.1 56324 7777\r\n").into_bytes()
}

impl Bench {
    fn connect_by_proxy(&mut self, header: &[u8]) -> Client {
        let mut client = self.connect();
        client.send_bytes(header);
        client
    }

    fn struck(&mut self, words: &str) -> bool {
        let stats = self.server.exchange().stats();
        stats.lines().any(|line| line.contains(words))
    }
}

#[test]
fn a_header_says_where_its_client_comes_from() {
    let mut bench = Bench::new(&[TRUSTED, "--max-per-address=1"]);
    let mut first = bench.connect_by_proxy(&line(1));
    first.send("/nick ada\n/whois ada\n");
    bench.wait_for(&mut first, "192.0.2.1");
    // The detection timeout counts from the header on, and the next byte may be cut off from it.
    let mut other = bench.connect_by_proxy(&binary(2)[..14]);
    bench.settle();
    other.send_bytes(&binary(2)[14..]);
    bench.settle();
    bench.time.advance(Duration::from_millis(150));
    bench.wait_for(&mut other, "connected");
    for (header, sent, expected) in [
        (line(1), "", "* too many"),
        (binary(2), "NICK a\r\nUSER a 0 * a\r\n", "ERROR :Closing link: (too many"),
        #[cfg(feature = "web")]
        (line(1), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 503 "),
    ] {
        let mut second = bench.connect_by_proxy(&header);
        second.send(sent);
        bench.settle();
        bench.pass(Duration::from_millis(150));
        let told = bench.wait_for_end(&mut second);
        let why = "too many connections from your address: 1";
        assert!(told.starts_with(expected) && told.contains(why), "{sent}: {told}");
    }
    drop((first, other));
    bench.settle();
    let mut again = bench.connect_by_proxy(&line(1));
    again.send("/nick ada\n/fence\n");
    bench.wait_for(&mut again, "/fence");
}

#[test]
fn the_limits_of_a_client_are_its_own_and_a_proxy_has_none() {
    let mut bench = Bench::new(&[TRUSTED, "--connect-limit=1/s", "--greeting-delay=0"]);
    let crowd: Vec<_> = (0..100).map(|last| bench.connect_by_proxy(&line(last))).collect();
    for _ in 0..10 {
        bench.settle();
    }
    assert_eq!((bench.online(), crowd.len()), (100, 100));
    let one: Vec<_> = (0..70).map(|_| bench.connect_by_proxy(&line(200))).collect();
    for _ in 0..10 {
        bench.settle();
    }
    assert_eq!((bench.online(), one.len()), (160, 70), "a minute's worth");
    assert!(bench.struck("--connect-limit"));
}

#[test]
fn a_proxy_that_connects_for_itself_and_a_peer_without_a_header_are_served() {
    let mut bench = Bench::new(&[TRUSTED]);
    for header in [&b"PROXY UNKNOWN\r\n"[..], b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", b""] {
        let mut peer = bench.connect_by_proxy(header);
        peer.send("/nick ada\n/whois ada\n");
        bench.wait_for(&mut peer, "127.0.0.1");
    }
    let mut silent = bench.connect();
    bench.settle();
    bench.pass(Duration::from_millis(999));
    assert!(bench.lines(&mut silent).is_empty());
    bench.time.advance(Duration::from_millis(1));
    bench.wait_for(&mut silent, "connected");
}

#[test]
fn a_header_that_no_proxy_writes_or_that_stops_closes_its_connection() {
    let mut bench = Bench::new(&[TRUSTED]);
    let mut tom = bench.join("tom");
    for (header, waits) in [
        (&b"PROXY TCP4 hello 1 2 3\r\nhello\r\n"[..], false),
        (b"PROXY servers are slow\r\n", false),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", false),
        (&binary(1)[..20], true),
        (b"PROXY TCP4 192.0.2.1", true),
        (b"\r\n\r\n\0", true),
    ] {
        let mut peer = bench.connect_by_proxy(header);
        bench.settle();
        if waits {
            bench.time.advance(Duration::from_secs(1));
        }
        assert_eq!(bench.wait_for_end(&mut peer), "");
    }
    assert!(bench.lines(&mut tom).is_empty());
    assert!(bench.struck("--proxy-from"));
}

/// A peer that is not trusted cannot choose an address.
#[test]
fn a_header_from_elsewhere_is_rejected() {
    let mut bench = Bench::new(&["--proxy-from=192.0.2.0/24"]);
    for header in [line(1), binary(1)] {
        let mut peer = bench.connect_by_proxy(&header);
        let told = bench.wait_for_end(&mut peer);
        assert!(told.contains("only for trusted proxies (--proxy-from)"), "{told}");
    }
}

#[test]
fn a_gateway_says_by_webirc_where_its_client_comes_from() {
    let mut bench = Bench::new(&[TRUSTED, "--webirc-password=sesame", "--max-per-address=1"]);
    let join = "NICK ada\r\nUSER ada 0 * :Ada\r\nWHOIS ada\r\n";
    let mut ada = bench.connect();
    ada.send(&format!("WEBIRC sesame kiwi a.example.org 0::ffff:192.0.2.1 :secure\r\n{join}"));
    bench.wait_for(&mut ada, "192.0.2.1");
    for (line, error) in [
        ("WEBIRC sesame kiwi host 192.0.2.1", "too many connections from your address"),
        ("WEBIRC guess kiwi host 192.0.2.2", "wrong password for WEBIRC"),
        ("WEBIRC sesame kiwi host elsewhere", "expected an IP address"),
    ] {
        let mut peer = bench.connect();
        peer.send(&format!("{line}\r\n{join}"));
        let told = bench.wait_for_end(&mut peer);
        assert!(told.starts_with("ERROR :") && told.contains(error), "{line}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    let mut late = bench.connect();
    late.send(
        "NICK bob\r\nWEBIRC sesame kiwi host 192.0.2.3\r\nUSER bob 0 * :Bob\r\nWHOIS bob\r\n",
    );
    bench.wait_for(&mut late, "WEBIRC has to come before all else");
    bench.wait_for(&mut late, "127.0.0.1");

    let mut bench = Bench::new(&[]);
    let mut peer = bench.connect();
    peer.send(&format!("WEBIRC sesame kiwi host 192.0.2.1\r\n{join}"));
    assert!(bench.wait_for_end(&mut peer).contains("--proxy-from"));
}

#[cfg(feature = "web")]
#[test]
fn a_forwarded_request_counts_as_its_clients_if_the_proxy_is_trusted_and_never_as_loopback() {
    let allowed = "--metrics-from=192.0.2.0/24";
    for (flags, header, status) in [
        (&[][..], "", 200),
        (&[], "Via: 1.1 cache\r\n", 403),
        (&[], "Forwarded: for=127.0.0.1\r\n", 403),
        (&[allowed], "X-Forwarded-For: 192.0.2.1\r\n", 403),
        (&[allowed, TRUSTED], "X-Forwarded-For: 192.0.2.1\r\n", 200),
        (&[allowed, TRUSTED], "X-Forwarded-For: 192.0.2.1, 198.51.100.1\r\n", 403),
        (&[TRUSTED], "X-Forwarded-For: 127.0.0.1\r\n", 403),
        (&[TRUSTED], "", 200),
        // What its client began with anything but text, a proxy passes on.
        (&[], "X-Forwarded-For: \u{ff}, 192.0.2.1\r\n", 403),
        (&[], "Via: \u{ff}\r\n", 403),
        (&[allowed, TRUSTED], "X-Forwarded-For: \u{ff}, 192.0.2.1\r\n", 200),
    ] {
        let mut bench = Bench::new(flags);
        let mut web = bench.connect();
        let request = format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{header}\r\n");
        web.send_bytes(&request.chars().map(|it| it as u8).collect::<Vec<_>>()); // Latin-1
        let answer = bench.wait_for_end(&mut web);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{flags:?} {header}: {answer}");
    }
    let mut bench = Bench::new(&[TRUSTED, "--max-per-address=1"]);
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n";
    let mut pending = bench.connect_by_proxy(&line(1));
    pending.send("NICK ada\r\n");
    bench.settle();
    let mut web = bench.connect();
    web.send(request);
    let answer = bench.wait_for_end(&mut web);
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("--max-per-address"),
        "{answer}"
    );
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

/// A page behind a reverse proxy: its user is the one of the request.
#[cfg(feature = "web")]
#[test]
fn a_websocket_comes_from_where_its_request_did() {
    let mut bench = Bench::new(&[TRUSTED, "--max-per-address=1"]);
    let mut tom = bench.connect_by_proxy(&line(9));
    tom.send("/nick tom\n/join #lab\n");
    bench.wait_for(&mut tom, "you joined #lab");
    let _web = super::http::browser(&mut bench, "ada", "X-Forwarded-For: 192.0.2.1\r\n");
    bench.wait_for(&mut tom, "ada joined #lab");
    tom.send("/whois ada\n");
    bench.wait_for(&mut tom, "192.0.2.1");
    let mut second = bench.connect_by_proxy(&[&line(1)[..], b"hi\n"].concat());
    assert!(bench.wait_for_end(&mut second).contains("--max-per-address"));
}

/// A proxy that says nothing of its clients, or nothing that is an address: what comes through it is no
/// gateway's word.
#[cfg(feature = "web")]
#[test]
fn a_page_behind_a_trusted_proxy_is_no_gateway() {
    for header in ["", "Via: 1.1 cache\r\n", "X-Forwarded-For: 192.0.2.1, unknown\r\n"] {
        let mut bench = Bench::new(&[TRUSTED]);
        let mut web = super::http::websocket(&mut bench, header);
        for line in ["WEBIRC x x x 192.0.2.66", "NICK eve", "USER eve 0 * :x"] {
            super::http::send_frame(&mut web, line);
        }
        let mut tom = bench.join("tom");
        tom.send("/whois eve\n");
        bench.wait_for(&mut tom, "127.0.0.1");
        let told = String::from_utf8_lossy(&web.bytes()).into_owned();
        assert!(told.contains("WEBIRC does not come in a WebSocket"), "{told}");
    }
}

#[test]
fn a_ban_is_of_the_client_and_not_of_its_proxy() {
    let mut bench = Bench::new(&[TRUSTED, "--oper=root:sesame"]);
    let mut tom = bench.connect_by_proxy(&line(1));
    tom.send("/nick tom\n/oper root sesame\n");
    bench.wait_for(&mut tom, "you are now a server operator");
    let mut eve = bench.connect_by_proxy(&line(2));
    eve.send("/nick eve\n/fence\n");
    bench.wait_for(&mut eve, "/fence");
    tom.send("/gban 192.0.2.2 spam\n");
    assert!(bench.wait_for_end(&mut eve).contains("spam"));
    let mut again = bench.connect_by_proxy(&[&binary(2)[..], b"hi\n"].concat());
    assert!(bench.wait_for_end(&mut again).contains("spam"));
    let mut other = bench.connect_by_proxy(&line(3));
    other.send("/nick ada\n/fence\n");
    bench.wait_for(&mut other, "/fence");
}

#[cfg(feature = "tls")]
#[test]
fn a_proxy_is_exempt_from_tls_only_and_its_header_stands_before_the_handshake() {
    let mut bench = Bench::new(&[TRUSTED, "--tls-only", "--tls"]);
    let mut ended = bench.connect_by_proxy(&line(1));
    ended.send("/nick ada\n/whois ada\n");
    bench.wait_for(&mut ended, "192.0.2.1");
    let mut passed = bench.connect_secure_behind(&binary(2));
    passed.send("/nick bob\n/whois bob\n");
    bench.wait_for_secure(&mut passed, "192.0.2.2");
}
