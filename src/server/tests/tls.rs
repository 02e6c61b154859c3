//! TLS on the chat's port: handshakes in pieces, handshakes that fail, and what comes inside.

use super::{Bench, Client, TURNS};
use crate::tls::{Connector, Fingerprint, Trust};
use chatloop_reactor::{Layer, OVERHEAD, Received};
use std::time::Duration;

/// A client that speaks TLS over the socket of another one.
pub(super) struct Secure {
    client: Client,
    layer: Box<dyn Layer>,
    plain: Vec<u8>,
    /// The server has said that nothing more will come.
    closed: bool,
}

impl Secure {
    fn over(bench: &mut Bench, client: Client) -> Secure {
        let certificate = bench.server.exchange().certificate().unwrap();
        let fingerprint: Fingerprint = certificate.split(' ').next_back().unwrap().parse().unwrap();
        let connector =
            Connector::new("chat.example.org", Trust::Pinned(fingerprint), None).unwrap();
        let mut secure =
            Secure { client, layer: connector.begin(), plain: Vec::new(), closed: false };
        secure.layer.advance().unwrap();
        secure
    }

    /// The records that it has to send.
    fn records(&mut self) -> Vec<u8> {
        let mut records = Vec::new();
        self.layer.speak(&mut records);
        records
    }

    pub(super) fn send(&mut self, text: &str) {
        let mut record = vec![0; text.len() + OVERHEAD];
        let length = self.layer.encode(text.as_bytes(), &mut record).unwrap();
        self.client.send_bytes(&record[..length]);
    }

    fn receive(&mut self) {
        self.client.receive();
        self.layer.receive(&mut std::mem::take(&mut self.client.received));
        if self.layer.is_opening() {
            self.layer.advance().unwrap();
        }
        let answer = self.records();
        if !answer.is_empty() {
            self.client.send_bytes(&answer);
        }
        let mut buffer = [0; 4096];
        loop {
            match self.layer.read(&mut buffer) {
                Received::Bytes(count) => self.plain.extend_from_slice(&buffer[..count]),
                Received::Ended => return self.closed = true,
                Received::WouldBlock => return,
                Received::Failed(error) => panic!("{error}"),
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.plain.clone()).unwrap()
    }
}

impl Bench {
    /// A client whose handshake is done.
    fn connect_secure(&mut self) -> Secure {
        self.connect_secure_behind(b"")
    }

    /// The same, with bytes before the handshake.
    pub(super) fn connect_secure_behind(&mut self, before: &[u8]) -> Secure {
        let mut client = self.connect();
        client.send_bytes(before);
        let mut secure = Secure::over(self, client);
        let hello = secure.records();
        secure.client.send_bytes(&hello);
        for _ in 0..TURNS {
            if !secure.layer.is_opening() {
                return secure;
            }
            self.turn();
            secure.receive();
            std::thread::yield_now();
        }
        panic!("no handshake");
    }

    pub(super) fn wait_for_secure(&mut self, secure: &mut Secure, text: &str) {
        for _ in 0..TURNS {
            secure.receive();
            if secure.text().contains(text) {
                return;
            }
            self.turn();
            std::thread::yield_now();
        }
        panic!("{text:?} is not in {:?}", secure.text());
    }

    fn wait_for_close(&mut self, secure: &mut Secure) {
        for _ in 0..TURNS {
            secure.receive();
            if secure.closed {
                return;
            }
            self.turn();
            std::thread::yield_now();
        }
        panic!("not closed: {:?}", secure.text());
    }

    fn count_of(&mut self, words: &str) -> bool {
        self.server.exchange().stats().lines().any(|line| line.contains(words))
    }
}

#[test]
fn every_dialect_is_spoken_inside() {
    let mut bench = Bench::new(&["--tls"]);
    let mut tom = bench.join("tom");
    let mut plain = bench.connect_secure();
    plain.send("/nick ada\nhello from inside\n");
    bench.wait_for(&mut tom, "[ada]: hello from inside");
    tom.send("and from outside\n");
    bench.wait_for_secure(&mut plain, "[tom]: and from outside\n");

    let mut irc = bench.connect_secure();
    irc.send("NICK bob\r\nUSER bob 0 * :Bob\r\n");
    bench.wait_for_secure(&mut irc, " 001 bob ");

    let mut again = bench.connect_secure();
    again.send("\x16\x03\x01\0\0");
    bench.wait_for_close(&mut again);
    assert_eq!(again.text(), "* TLS inside TLS is not served\n");
}

#[cfg(feature = "web")]
#[test]
fn a_request_is_answered_inside() {
    let mut bench = Bench::new(&["--tls"]);
    let mut web = bench.connect_secure();
    web.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    bench.wait_for_close(&mut web);
    assert!(web.text().ends_with("\r\n\r\nok\n") && !web.layer.is_cut(), "{}", web.text());
}

#[test]
fn who_is_silent_inside_is_greeted_after_the_delay() {
    let mut bench = Bench::new(&["--tls"]);
    let mut silent = bench.connect_secure();
    bench.settle();
    silent.receive();
    assert_eq!(silent.text(), "");
    bench.pass(Duration::from_millis(150));
    bench.wait_for_secure(&mut silent, "connected as guest");
}

#[test]
fn a_handshake_behind_the_greeting_is_none() {
    let mut bench = Bench::new(&["--tls"]);
    let mut late = bench.connect();
    bench.settle();
    bench.pass(Duration::from_millis(150));
    bench.wait_for(&mut late, "connected as guest");
    late.send_bytes(b"\x16\x03\x01\x02\x00\n"); // looked at as a line
    bench.wait_for_end(&mut late);
    assert_eq!(bench.online(), 0);
}

#[test]
fn a_handshake_in_single_bytes_is_one() {
    let mut bench = Bench::new(&["--tls"]);
    let client = bench.connect();
    let mut secure = Secure::over(&mut bench, client);
    for byte in secure.records() {
        secure.client.send_bytes(&[byte]);
        bench.turn();
    }
    for _ in 0..TURNS {
        if !secure.layer.is_opening() {
            break;
        }
        secure.receive();
        bench.turn();
        std::thread::yield_now();
    }
    secure.send("/nick ada\n/fence\n");
    bench.wait_for_secure(&mut secure, "/fence");
}

#[test]
fn a_handshake_that_stalls_is_ended_in_time() {
    let mut bench = Bench::new(&["--tls", "--tls-timeout", "7"]);
    let mut tom = bench.join("tom");
    let client = bench.connect();
    let mut secure = Secure::over(&mut bench, client);
    let hello = secure.records();
    secure.client.send_bytes(&hello[..hello.len() / 2]);
    bench.settle();
    bench.pass(Duration::from_millis(6_900));
    assert_eq!(bench.connections(), 2);
    bench.pass(Duration::from_millis(200));
    assert_eq!(bench.wait_for_end(&mut secure.client), "");
    assert!(bench.lines(&mut tom).is_empty());
    assert!(bench.count_of("--tls-timeout"));
}

#[test]
fn garbage_in_a_handshake_ends_its_own_connection_only() {
    let mut bench = Bench::new(&["--tls"]);
    let mut tom = bench.join("tom");
    for garbage in
        ["\x16\x03\x01\0\x05hello\n/nick mallory\nhello\n", "\x16\x03garbage\n", "\x16\x03"]
    {
        let mut client = bench.connect();
        client.send(garbage);
        bench.settle();
        client.half_close();
        for _ in 0..TURNS {
            client.receive();
            if client.ended {
                break;
            }
            bench.turn();
            std::thread::yield_now();
        }
        // An alert at most, and not a byte of text.
        assert!(client.ended && client.received.len() <= 7, "{:?}", client.received);
    }
    assert!(bench.lines(&mut tom).is_empty());
    bench.settle();
    assert_eq!(bench.connections(), 1);
}

#[test]
fn lines_decoded_already_are_taken_without_new_readiness() {
    let mut bench = Bench::new(&["--tls"]);
    let mut tom = bench.join("tom");
    let mut ada = bench.connect_secure();
    ada.send("/nick ada\n");
    bench.wait_for(&mut tom, "ada");
    // More than an inbox holds, in records that one read of the socket brings in part.
    let line = "x".repeat(1000) + "\n";
    for _ in 0..8 {
        ada.send(&line.repeat(16));
    }
    ada.send("the last one\n");
    bench.wait_for(&mut tom, "the last one");
}

#[test]
fn a_peer_that_vanishes_without_a_word_is_gone_and_half_a_line_of_it_is_not_said() {
    let mut bench = Bench::new(&["--tls"]);
    let mut tom = bench.join("tom");
    let mut ada = bench.connect_secure();
    ada.send("/nick ada\n/fence\nI owe you 10");
    bench.wait_for_secure(&mut ada, "/fence");
    drop(ada);
    let lines = bench.wait_for(&mut tom, "ada quit");
    assert!(!lines.iter().any(|line| line.contains("owe")), "{lines:?}");
    // A client that says that it closes has ended its line.
    let mut bob = bench.connect_secure();
    bob.send("/nick bob\n/fence\nlast words");
    bench.wait_for_secure(&mut bob, "/fence");
    bob.layer.close();
    let close = bob.records();
    bob.client.send_bytes(&close);
    bench.wait_for(&mut tom, "[bob]: last words");
}

#[test]
fn a_server_that_stops_closes_as_tls_does() {
    let mut bench = Bench::new(&["--tls"]);
    let mut ada = bench.connect_secure();
    ada.send("/fence\n");
    bench.wait_for_secure(&mut ada, "/fence");
    let client = bench.connect();
    let mut halfway = Secure::over(&mut bench, client);
    let hello = halfway.records();
    halfway.client.send_bytes(&hello[..20]);
    bench.settle();
    bench.server.exchange().notify_shutdown();
    bench.wait_for_close(&mut ada);
    assert!(ada.text().contains("shutting down") && !ada.layer.is_cut());
    // No word in the clear to whom would not read it.
    assert_eq!(bench.wait_for_end(&mut halfway.client), "");
}

#[test]
fn tls_only_turns_away_who_is_not_on_this_machine() {
    let mut bench = Bench::new(&["--tls", "--tls-only"]);
    let mut tom = bench.join("tom");
    let mut answers = Vec::new();
    for (opening, secure) in [
        ("hello\n", false),
        ("", false),
        ("NICK ada\r\nUSER ada 0 * :Ada\r\n", false),
        ("hello\n", true),
    ] {
        let mut client = bench.connect();
        bench.settle();
        bench.server.exchange().pretend_remote();
        if secure {
            let mut secure = Secure::over(&mut bench, client);
            let hello = secure.records();
            secure.client.send_bytes(&hello);
            for _ in 0..TURNS {
                bench.turn();
                secure.receive();
                if !secure.layer.is_opening() {
                    break;
                }
                std::thread::yield_now();
            }
            secure.send(opening);
            bench.wait_for(&mut tom, "]: hello");
            continue;
        }
        client.send(opening);
        bench.settle();
        bench.time.advance(Duration::from_millis(150));
        answers.push(bench.wait_for_end(&mut client));
    }
    assert!(answers[0].starts_with("* ") && answers[2].starts_with("ERROR "), "{answers:?}");
    for answer in &answers {
        assert!(answer.contains("--tls-only") && answer.lines().count() == 1, "{answers:?}");
    }
    assert!(bench.count_of("--tls-only"));
}
