//! Both ends of a channel in memory: cut anywhere, fed with anything.

use super::certificate::Identity;
use super::*;
use crate::scratch::Scratch;
use crate::tls::{Source, Trust};
use chatloop_reactor::{Layer, OVERHEAD, Received};
use proptest::prelude::*;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::OnceLock;

/// Plain bytes of the largest record.
const RECORD: usize = 16 * 1024;

fn acceptor() -> Acceptor {
    static ACCEPTOR: OnceLock<Acceptor> = OnceLock::new();
    let source = Source::SelfSigned(None, "chat.example.org".to_owned());
    ACCEPTOR.get_or_init(|| Acceptor::load(&source).unwrap()).clone()
}

fn connector() -> Connector {
    let trust = Trust::Pinned(acceptor().fingerprint());
    Connector::new("chat.example.org", trust, None).unwrap()
}

/// One end, with the bytes that are on their way to the other.
struct End {
    layer: Box<dyn Layer>,
    sent: Vec<u8>,
}

impl End {
    fn advance(&mut self) -> std::io::Result<()> {
        let outcome = self.layer.advance();
        self.layer.speak(&mut self.sent);
        outcome
    }

    fn write(&mut self, plain: &[u8]) {
        let mut record = vec![0; plain.len() + OVERHEAD];
        let length = self.layer.encode(plain, &mut record).unwrap();
        self.sent.extend_from_slice(&record[..length]);
        self.layer.speak(&mut self.sent);
    }

    /// Hands over all bytes, in pieces of these lengths in turn.
    fn deliver(&mut self, to: &mut End, pieces: &[usize]) -> std::io::Result<()> {
        let bytes = std::mem::take(&mut self.sent);
        let (mut rest, mut pieces) = (&bytes[..], pieces.iter().cycle());
        while !rest.is_empty() {
            let length = (*pieces.next().unwrap()).clamp(1, rest.len());
            to.layer.receive(&mut rest[..length].to_vec());
            if to.layer.is_opening() {
                to.advance()?;
            }
            to.layer.speak(&mut to.sent);
            rest = &rest[length..];
        }
        Ok(())
    }

    /// All decoded bytes, read into a buffer of this length.
    fn read(&mut self, length: usize) -> Vec<u8> {
        let (mut all, mut buffer) = (Vec::new(), vec![0; length]);
        while let Received::Bytes(count) = self.layer.read(&mut buffer) {
            all.extend_from_slice(&buffer[..count]);
        }
        all
    }
}

fn ends() -> (End, End) {
    let server = End { layer: acceptor().begin(), sent: Vec::new() };
    let mut client = End { layer: connector().begin(), sent: Vec::new() };
    client.advance().unwrap();
    (client, server)
}

fn opened(pieces: &[usize]) -> (End, End) {
    let (mut client, mut server) = ends();
    for _ in 0..4 {
        client.deliver(&mut server, pieces).unwrap();
        server.deliver(&mut client, pieces).unwrap();
    }
    assert!(!client.layer.is_opening() && !server.layer.is_opening());
    (client, server)
}

#[test]
fn a_hello_cut_anywhere_is_understood() {
    let (client, _) = ends();
    for cut in 1..client.sent.len() {
        let (mut client, mut server) = ends();
        let length = client.sent.len();
        client.deliver(&mut server, &[cut, length]).unwrap();
        server.deliver(&mut client, &[usize::MAX]).unwrap();
        assert!(!client.layer.is_opening(), "cut at {cut}");
    }
}

#[test]
fn records_cut_anywhere_carry_the_same_bytes() {
    let (mut client, mut server) = opened(&[1]);
    for cut in 1..60 {
        client.write(b"hello\n");
        client.write(b"and again\n");
        client.deliver(&mut server, &[cut, 1000]).unwrap();
        assert_eq!(server.read(3), b"hello\nand again\n", "cut at {cut}");
    }
    assert!(!server.layer.has_buffered());
}

#[test]
fn what_comes_with_the_end_of_the_handshake_is_kept() {
    let (mut client, mut server) = ends();
    client.deliver(&mut server, &[usize::MAX]).unwrap();
    server.deliver(&mut client, &[usize::MAX]).unwrap();
    client.write(b"at once\n");
    client.deliver(&mut server, &[usize::MAX]).unwrap();
    assert!(server.layer.has_buffered());
    assert_eq!(server.read(64), b"at once\n");
}

#[test]
fn a_channel_that_was_closed_has_ended_and_one_that_was_not_was_cut() {
    let (mut client, mut server) = opened(&[usize::MAX]);
    client.write(b"bye\n");
    client.layer.close();
    client.layer.speak(&mut client.sent);
    client.deliver(&mut server, &[usize::MAX]).unwrap();
    assert_eq!(server.read(64), b"bye\n");
    assert!(matches!(server.layer.read(&mut [0; 8]), Received::Ended));
    server.layer.end();
    assert!(!server.layer.is_cut());
    // The other direction stands.
    server.write(b"goodbye\n");
    server.deliver(&mut client, &[usize::MAX]).unwrap();
    assert_eq!(client.read(64), b"goodbye\n");

    let (mut client, mut server) = opened(&[usize::MAX]);
    client.write(b"half a rec");
    client.sent.truncate(12);
    client.deliver(&mut server, &[usize::MAX]).unwrap();
    server.layer.end();
    assert!(matches!(server.layer.read(&mut [0; 8]), Received::Ended));
    assert!(server.layer.is_cut());
}

#[test]
fn a_changed_byte_is_an_error_and_an_alert() {
    let (mut client, mut server) = opened(&[usize::MAX]);
    client.write(b"pay alice\n");
    let last = client.sent.len() - 1;
    client.sent[last] ^= 1;
    client.deliver(&mut server, &[usize::MAX]).unwrap();
    assert!(matches!(server.layer.read(&mut [0; 8]), Received::Failed(_)));
    assert!(!server.sent.is_empty(), "an alert");
    assert!(server.layer.encode(b"more", &mut [0; 4 + OVERHEAD]).is_err());
}

/// rustls' own client, which can do what a channel never does.
struct Peer(rustls::ClientConnection);

impl Peer {
    fn connect() -> (Peer, End) {
        let Connector { config, name } = connector();
        let mut peer = Peer(rustls::ClientConnection::new(config, name).unwrap());
        let mut server = End { layer: acceptor().begin(), sent: Vec::new() };
        while peer.0.is_handshaking() {
            peer.deliver(&mut server);
            server.advance().unwrap();
            peer.receive(&mut server);
        }
        peer.deliver(&mut server);
        server.advance().unwrap();
        (peer, server)
    }

    fn deliver(&mut self, server: &mut End) {
        let mut records = Vec::new();
        while self.0.wants_write() {
            self.0.write_tls(&mut records).unwrap();
        }
        server.layer.receive(&mut records);
        server.layer.speak(&mut server.sent);
    }

    fn receive(&mut self, server: &mut End) -> Vec<u8> {
        let records = std::mem::take(&mut server.sent);
        let mut rest = &records[..];
        while !rest.is_empty() {
            self.0.read_tls(&mut rest).unwrap();
            self.0.process_new_packets().unwrap();
        }
        let mut plain = Vec::new();
        let _ = self.0.reader().read_to_end(&mut plain); // until nothing is there
        plain
    }
}

#[test]
fn new_keys_are_taken_and_answered_and_a_flood_of_them_is_an_error() {
    let (mut peer, mut server) = Peer::connect();
    for _ in 0..100 {
        peer.0.refresh_traffic_keys().unwrap();
        peer.0.writer().write_all(b"by new keys\n").unwrap();
        peer.deliver(&mut server);
        assert_eq!(server.read(64), b"by new keys\n");
        server.write(b"so am I\n");
        assert_eq!(peer.receive(&mut server), b"so am I\n");
    }
    let survived = (0..100).take_while(|_| {
        peer.0.refresh_traffic_keys().unwrap();
        peer.deliver(&mut server);
        matches!(server.layer.read(&mut [0; 8]), Received::WouldBlock)
    });
    let (survived, said) = (survived.count(), server.sent.len());
    assert!(survived < 50 && said < 4096, "{survived} of them, and {said} bytes of answers");
    assert!(matches!(server.layer.read(&mut [0; 8]), Received::Failed(_)));
}

#[test]
fn a_record_that_may_not_come_is_an_error_and_an_alert() {
    for record in [
        &b"\x17\x03\x03\x48\x01"[..],  // application data of 16 KiB + 2 KiB + 1
        b"\x17\x03\x03\0\0",           // application data without a tag
        b"\x15\x03\x03\0\x02\x02\x28", // a fatal alert in the clear
        b"\x16\x03\x03\0\x04\x01\0\0\0", // another hello
        b"\x18\x03\x03\0\x03\x01\x40\0", // a heartbeat
        b"\x14\x03\x03\0\x01\x01",     // a change of ciphers, after the handshake
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", // no record
    ] {
        let (_, mut server) = opened(&[usize::MAX]);
        server.layer.receive(&mut record.to_vec());
        server.layer.speak(&mut server.sent);
        assert!(matches!(server.layer.read(&mut [0; 8]), Received::Failed(_)), "{record:?}");
        assert!(!server.sent.is_empty(), "{record:?}");
        assert!(server.layer.encode(b"more", &mut [0; 4 + OVERHEAD]).is_err(), "{record:?}");
    }
}

#[test]
fn garbage_behind_the_first_bytes_fails_at_once() {
    for garbage in [
        &b"\x16\x03\x01\xff\xff nonsense"[..],
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
    ] {
        let mut server = End { layer: acceptor().begin(), sent: Vec::new() };
        server.layer.receive(&mut garbage.to_vec());
        assert!(server.advance().is_err(), "{garbage:?}");
        assert!(matches!(server.layer.read(&mut [0; 8]), Received::Failed(_)));
    }
}

/// They were counted together, and most long uploads failed.
#[test]
fn the_largest_read_fits_behind_the_largest_part_of_a_record() {
    let (mut client, mut server) = opened(&[usize::MAX]);
    let plain: Vec<u8> = (0..40 * RECORD).map(|at| (at / 100) as u8).collect();
    plain.chunks(RECORD).for_each(|part| client.write(part));
    let record = client.sent.len() / 40;
    client.deliver(&mut server, &[record - 1, 64 * 1024]).unwrap();
    assert!(server.read(64 * 1024) == plain);
}

/// The server's turn may come late: the loop bounds how many handshakes go on in one of its turns.
#[test]
fn what_follows_a_handshake_at_once_waits_for_it() {
    let (mut client, mut server) = ends();
    client.deliver(&mut server, &[usize::MAX]).unwrap();
    server.deliver(&mut client, &[usize::MAX]).unwrap();
    let plain = vec![7; 40 * RECORD];
    plain.chunks(RECORD).for_each(|part| client.write(part));
    let all = std::mem::take(&mut client.sent);
    let mut pieces = all.chunks(64 * 1024).peekable();
    let mut received = Vec::new();
    loop {
        let waits = server.layer.is_full();
        match pieces.next_if(|_| !waits) {
            Some(piece) => server.layer.receive(&mut piece.to_vec()),
            None if server.layer.is_opening() => {
                assert!(waits && !server.layer.has_buffered());
                server.advance().unwrap();
            }
            None => break,
        }
        received.extend(server.read(64 * 1024));
    }
    assert!(received == plain);
}

#[test]
fn a_handshake_that_never_ends_is_bounded() {
    let mut server = End { layer: acceptor().begin(), sent: Vec::new() };
    // A hello of 16 MB, in records of 16 KiB.
    let record = [&b"\x16\x03\x01\x40\x00\x01\xff\xff\xff"[..], &[0; 16_380]].concat();
    let failed = (0..16).any(|_| {
        server.layer.receive(&mut record.clone());
        server.advance().is_err()
    });
    assert!(failed);
}

#[test]
fn the_wrong_certificate_is_refused_with_its_fingerprint() {
    let other = Trust::Pinned(Fingerprint([7; 32]));
    for trust in [other, Trust::System] {
        let connector = Connector::new("chat.example.org", trust, None).unwrap();
        let mut client = End { layer: connector.begin(), sent: Vec::new() };
        let mut server = End { layer: acceptor().begin(), sent: Vec::new() };
        client.advance().unwrap();
        client.deliver(&mut server, &[usize::MAX]).unwrap();
        let error = server.deliver(&mut client, &[usize::MAX]).unwrap_err().to_string();
        assert!(error.contains(&acceptor().fingerprint().to_string()), "{error}");
        // The server is told, too.
        assert!(client.deliver(&mut server, &[usize::MAX]).is_err());
    }
}

#[test]
fn a_key_of_another_certificate_is_said() {
    let scratch = Scratch::new("pair");
    let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(|it| scratch.0.join(format!("{it}.pem")));
    Identity::self_signed(Some(&a), "a.example.org").unwrap();
    Identity::self_signed(Some(&b), "b.example.org").unwrap();
    let load = |certificate: &_, key: &_| {
        Acceptor::load(&Source::Files(PathBuf::clone(certificate), PathBuf::clone(key)))
    };
    assert!(load(&a, &a).unwrap().is_self_signed());
    let mismatch = load(&a, &b).err().unwrap();
    assert!(mismatch.contains("a.pem") && mismatch.contains("b.pem"), "{mismatch}");
    let wrong = |certificate: &str, key: &str| {
        std::fs::write(&c, certificate).unwrap();
        std::fs::write(&d, key).unwrap();
        load(&c, &d).err()
    };
    let pem = std::fs::read_to_string(&a).unwrap();
    // As an editor of another system leaves it.
    assert_eq!(wrong(&format!("\u{feff}{}", pem.replace('\n', "\r\n")), &pem), None);
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let old = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA==\n-----END EC PRIVATE KEY-----\n";
    let odd = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
    let damaged = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    for (certificate, key, why) in [
        (pem.as_str(), encrypted, "d.pem: the key is encrypted"),
        (&pem, old, "d.pem: the key is encrypted"),
        (&pem, odd, "d.pem: this kind of key cannot be used"),
        (damaged, &pem, "c.pem is damaged, or not an X.509 certificate"),
    ] {
        let said = wrong(certificate, key).unwrap();
        assert!(said.contains(why), "{said}");
    }
    let missing = load(&a, &e).err().unwrap();
    assert!(missing.contains("e.pem"), "{missing}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_cuts_carry_any_bytes_in_order(
        texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..3000), 1..6),
        pieces in prop::collection::vec(1usize..700, 1..9),
        length in 1usize..2000,
    ) {
        let (mut client, mut server) = opened(&pieces);
        for text in &texts {
            client.write(text);
            server.write(text);
        }
        client.deliver(&mut server, &pieces).unwrap();
        server.deliver(&mut client, &pieces).unwrap();
        prop_assert_eq!(server.read(length), texts.concat());
        prop_assert_eq!(client.read(length), texts.concat());
    }

    #[test]
    fn any_bytes_are_survived(
        noise in prop::collection::vec(any::<u8>(), 0..300),
        open in any::<bool>(),
        kind in 20u8..24,
    ) {
        let (mut client, mut server) = if open { opened(&[usize::MAX]) } else { ends() };
        let length = (noise.len() as u16).to_be_bytes();
        let record = [&[kind, 3, 3], &length[..], &noise].concat();
        let _ = client.deliver(&mut server, &[usize::MAX]);
        server.layer.receive(&mut record.clone());
        let _ = server.advance();
        let _ = server.layer.encode(b"more", &mut [0; 4 + OVERHEAD]);
        server.layer.end();
        server.layer.close();
        server.layer.speak(&mut server.sent);
    }
}
