//! Records against rustls at the other end, and against an end that may seal anything.

use super::super::certificate::Identity;
use super::super::provider;
use super::*;
use proptest::prelude::*;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::{CipherSuite, ClientConfig, RootCertStore, ServerConfig};
use std::sync::{Arc, OnceLock};

const NAME: &str = "chat.example.org";

const CIPHERS: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
];

/// Moves one end on, whichever it is: takes what has come, adds what it has to say, gives what it has read.
macro_rules! advance {
    ($connection:expr, $incoming:expr, $outgoing:expr) => {{
        let mut read = Vec::new();
        loop {
            let UnbufferedStatus { mut discard, state, .. } =
                $connection.process_tls_records(&mut $incoming);
            let mut goes_on = true;
            match state.unwrap() {
                ConnectionState::EncodeTlsData(mut data) => {
                    let mut room = vec![0; 1 << 15];
                    let length = data.encode(&mut room).unwrap();
                    $outgoing.extend_from_slice(&room[..length]);
                }
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.unwrap();
                        discard += record.discard;
                        read.extend_from_slice(record.payload);
                    }
                }
                _ => goes_on = false,
            }
            $incoming.drain(..discard);
            if !goes_on {
                break read;
            }
        }
    }};
}

/// Our records, and rustls at the other end, after a handshake.
fn pair(cipher: CipherSuite) -> (Records, UnbufferedClientConnection) {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    let identity = IDENTITY.get_or_init(|| Identity::self_signed(None, NAME).unwrap());
    let mut ours = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .unwrap();
    ours.send_tls13_tickets = 0;
    ours.enable_secret_extraction = true;
    let mut roots = RootCertStore::empty();
    roots.add(identity.chain[0].clone()).unwrap();
    let mut provider = (*provider()).clone();
    provider.cipher_suites.retain(|suite| suite.suite() == cipher);
    let mut theirs = ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    theirs.enable_secret_extraction = true;
    let mut server = UnbufferedServerConnection::new(Arc::new(ours)).unwrap();
    let name = NAME.try_into().unwrap();
    let mut client = UnbufferedClientConnection::new(Arc::new(theirs), name).unwrap();
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        advance!(client, to_client, to_server);
        advance!(server, to_server, to_client);
    }
    (Records::new(server).unwrap(), client)
}

/// Our records, and an end that may seal anything.
fn forger() -> (Records, SealingKey, OpeningKey, KernelConnection<ClientConnectionData>) {
    let (records, client) = pair(CIPHERS[0]);
    let (secrets, next) = client.dangerous_into_kernel_connection().unwrap();
    let opening = OpeningKey::new(secrets.rx, &next).unwrap();
    (records, SealingKey::new(secrets.tx).unwrap(), opening, next)
}

fn sealed(key: &mut SealingKey, kind: ContentType, content: &[u8]) -> Vec<u8> {
    let mut record = vec![0; content.len() + AROUND];
    key.seal(kind, content, &mut record).unwrap();
    record
}

/// All texts in `bytes`.
fn texts(records: &mut Records, bytes: &mut [u8]) -> Result<Vec<u8>, Error> {
    let (mut used, mut read) = (0, Vec::new());
    while let Some((length, content)) = records.open(&mut bytes[used..])? {
        if let Content::Text(text) = content {
            read.extend_from_slice(text);
        }
        used += length;
    }
    assert_eq!(used, bytes.len());
    Ok(read)
}

fn write(client: &mut UnbufferedClientConnection, text: &[u8], output: &mut Vec<u8>) {
    let mut record = vec![0; text.len() + 100];
    match client.process_tls_records(&mut []).state.unwrap() {
        ConnectionState::WriteTraffic(mut traffic) => {
            let length = traffic.encrypt(text, &mut record).unwrap();
            output.extend_from_slice(&record[..length]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_cipher_carries_text_both_ways_and_the_keys_change_when_the_peer_asks() {
    for cipher in CIPHERS {
        let (mut records, mut client) = pair(cipher);
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        for round in 0..4 {
            write(&mut client, b"hello\n", &mut to_server);
            // Twice: one answer is enough.
            for _ in 0..round {
                match client.process_tls_records(&mut []).state.unwrap() {
                    ConnectionState::WriteTraffic(traffic) => {
                        traffic.refresh_traffic_keys().unwrap();
                    }
                    other => panic!("{other:?}"),
                }
                advance!(client, to_client, to_server);
            }
            write(&mut client, b"again\n", &mut to_server);
            let read = texts(&mut records, &mut to_server).unwrap();
            assert_eq!(read, b"hello\nagain\n", "{cipher:?}, round {round}");
            to_server.clear();
            assert_eq!(records.asked_for_update, round > 0);
            for text in [&b"x"[..], &[b'y'; 1 << 14]] {
                let mut record = vec![0; text.len() + 2 * AROUND + KEY_UPDATE.len()];
                let length = records.seal(text, &mut record).unwrap();
                to_client.extend_from_slice(&record[..length]);
                assert_eq!(advance!(client, to_client, to_server), text);
            }
        }
        let mut last = Vec::new();
        records.close(&mut last);
        assert!(matches!(
            client.process_tls_records(&mut last).state,
            Ok(ConnectionState::PeerClosed)
        ));
        assert!(records.seal(b"more", &mut [0; 100]).is_err());
    }
}

#[test]
fn a_key_that_has_sealed_its_share_is_changed() {
    let (mut records, _, mut opening, mut next) = forger();
    (records.sealing.sequence, opening.sequence) = (MOST_RECORDS - 1, MOST_RECORDS - 1);
    let mut record = [0; 100];
    let length = records.seal(b"last", &mut record).unwrap();
    let plain = opening.open(&mut record[HEAD..length]).unwrap();
    assert_eq!(plain, (ContentType::ApplicationData, &b"last"[..]));
    let length = records.seal(b"first", &mut record).unwrap();
    let change = KEY_UPDATE.len() + AROUND;
    let plain = opening.open(&mut record[HEAD..change]).unwrap();
    assert_eq!(plain, (ContentType::Handshake, &KEY_UPDATE[..]));
    let mut opening = OpeningKey::new(next.update_rx_secret().unwrap(), &next).unwrap();
    let plain = opening.open(&mut record[change + HEAD..length]).unwrap();
    assert_eq!(plain, (ContentType::ApplicationData, &b"first"[..]));
}

#[test]
fn what_may_not_come_is_an_alert_and_nothing_is_sealed_after_it() {
    let (handshake, alert) = (ContentType::Handshake, ContentType::Alert);
    for (kind, content, expected) in [
        (handshake, &[1, 0, 0, 0][..], AlertDescription::UnexpectedMessage),
        (handshake, &[], AlertDescription::UnexpectedMessage),
        (handshake, &[24, 0, 0], AlertDescription::UnexpectedMessage),
        (handshake, &[24, 0, 0, 1, 0, 24, 0, 0, 1, 0], AlertDescription::UnexpectedMessage),
        (handshake, &[24, 0, 0, 1, 2], AlertDescription::DecodeError),
        (alert, &[1], AlertDescription::DecodeError),
        (ContentType::ChangeCipherSpec, &[1], AlertDescription::UnexpectedMessage),
        (ContentType::Heartbeat, &[1, 0, 0], AlertDescription::UnexpectedMessage),
    ] {
        let (mut records, mut sealing, mut opening, _) = forger();
        let mut bytes = sealed(&mut sealing, kind, content);
        let error = records.open(&mut bytes).unwrap_err();
        let mut said = Vec::new();
        records.fail(&error, &mut said);
        let plain = opening.open(&mut said[HEAD..]).unwrap();
        assert_eq!(plain, (alert, &[2, expected.into()][..]), "{kind:?} {content:?}");
        assert!(records.seal(b"more", &mut [0; 100]).is_err());
    }
}

#[test]
fn heads_that_no_record_has_are_refused_before_the_rest_has_come() {
    let refused = |head: &[u8; HEAD]| {
        let (mut records, ..) = forger();
        records.open(&mut head.to_vec()).is_err()
    };
    assert!(refused(&[20, 3, 3, 0, 1]) && refused(&[21, 3, 3, 0, 2]) && refused(&[22, 3, 3, 0, 5]));
    assert!(refused(&[23, 3, 3, 0x41, 1]) && refused(b"GET /"));
    assert!(!refused(&[23, 3, 3, 0x41, 0]));
}

#[test]
fn alerts_end_the_connection_but_for_one_that_means_nothing() {
    let (mut records, mut sealing, ..) = forger();
    let mut bytes = sealed(&mut sealing, ContentType::Alert, &[1, 90]);
    assert!(matches!(records.open(&mut bytes), Ok(Some((_, Content::Nothing)))));
    let mut bytes = sealed(&mut sealing, ContentType::Alert, &[2, 40]);
    let error = records.open(&mut bytes).unwrap_err();
    assert_eq!(error, Error::AlertReceived(AlertDescription::HandshakeFailure));
    let mut said = Vec::new();
    records.fail(&error, &mut said);
    assert!(said.is_empty());
    let (mut records, mut sealing, ..) = forger();
    let mut bytes = sealed(&mut sealing, ContentType::Alert, &[1, 0]);
    assert!(matches!(records.open(&mut bytes), Ok(Some((_, Content::Closed)))));
    // Our direction stands.
    assert!(records.seal(b"goodbye", &mut [0; 100]).is_ok());
}

#[test]
fn changes_of_keys_without_text_are_bounded() {
    let (mut records, mut sealing, _, mut next) = forger();
    let mut ask = |records: &mut Records| {
        let mut bytes = sealed(&mut sealing, ContentType::Handshake, &[24, 0, 0, 1, 1]);
        sealing = SealingKey::new(next.update_tx_secret().unwrap()).unwrap();
        records.open(&mut bytes).map(drop)
    };
    for _ in 0..MOST_KEY_UPDATES {
        ask(&mut records).unwrap();
    }
    let error = ask(&mut records).unwrap_err();
    assert_eq!(error, Error::PeerMisbehaved(PeerMisbehaved::TooManyKeyUpdateRequests));
}

#[test]
fn a_buffer_that_is_too_small_is_an_error() {
    let (mut records, ..) = forger();
    assert!(records.seal(b"hello", &mut [0; AROUND + 4]).is_err());
    records.asked_for_update = true;
    assert!(records.seal(b"hello", &mut [0; 10]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_content_is_survived(
        contents in prop::collection::vec((20u8..26, prop::collection::vec(any::<u8>(), 0..20)), 1..9),
        tampered in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (mut records, mut sealing, ..) = forger();
        let mut bytes = Vec::new();
        for (kind, content) in contents {
            bytes.extend(sealed(&mut sealing, ContentType::from(kind), &content));
        }
        if let Some(at) = tampered {
            let at = at.index(bytes.len());
            bytes[at] ^= 1;
        }
        let mut used = 0;
        while let Ok(Some((length, _))) = records.open(&mut bytes[used..]) {
            used += length;
        }
        prop_assert!(used <= bytes.len());
        let _ = records.seal(b"more", &mut [0; 100]);
    }
}
