//! TLS over real sockets: rustls and openssl as clients, a room of both kinds, certificates and SIGHUP.

use crate::common::{Client, PATIENCE, Server, scratch::Scratch, texts};
use crate::irc::{PATIENT, patient};
use chatloop_reactor::Backend;
use nix::sys::signal::Signal;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

per_backend! {
    a_room_of_plain_and_tls_members_hears_the_same
}

/// A client's certificate and its key.
type Identity = rcgen::CertifiedKey<rcgen::KeyPair>;

/// Accepts any certificate, and keeps it.
#[derive(Debug, Default)]
struct Any(Mutex<Option<Vec<u8>>>);

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap() = Some(certificate.to_vec());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = rustls::crypto::ring::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A client by rustls' other API, with the test's buffers.
struct Secure {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
    verifier: Arc<Any>,
}

impl Secure {
    fn connect(
        address: SocketAddr,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Secure {
        Secure::with(address, versions, None)
    }

    /// One that shows a certificate.
    fn with(
        address: SocketAddr,
        versions: &[&'static rustls::SupportedProtocolVersion],
        identity: Option<&Identity>,
    ) -> Secure {
        let verifier = Arc::new(Any::default());
        let config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_protocol_versions(versions)
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(verifier.clone());
        let config = match identity {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let key = PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
                let chain = vec![identity.cert.der().clone()];
                config.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let name = ServerName::try_from("chatloop.local").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Secure { stream: BufReader::new(StreamOwned::new(connection, socket)), verifier }
    }

    fn send(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn wait_for(&mut self, words: &str) -> String {
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "no {words}");
            if line.contains(words) {
                return line;
            }
        }
    }

    fn join(server: &Server, nick: &str) -> Secure {
        let mut client = Secure::connect(server.address, rustls::DEFAULT_VERSIONS);
        client.send(&format!("/nick {nick}\n/fence\n"));
        client.wait_for("/fence");
        client
    }

    /// The server's certificate.
    fn certificate(&self) -> Vec<u8> {
        self.verifier.0.lock().unwrap().clone().unwrap()
    }
}

fn a_room_of_plain_and_tls_members_hears_the_same(backend: Backend) {
    const EACH: usize = 20;
    let server = Server::on(backend, &[PATIENT, "--tls"]);
    let mut secure: Vec<Secure> =
        (0..EACH).map(|number| Secure::join(&server, &format!("tls{number}"))).collect();
    let mut plain: Vec<Client> = (0..EACH)
        .map(|_| {
            let mut client = Client::connect(server.address);
            client.send("/fence\n");
            while !texts::is_unknown_command(&client.line(), "fence") {}
            client
        })
        .collect();
    secure[0].send("one\ntwo\n");
    plain[0].send("three\n");
    plain[0].send("x".repeat(4000) + "\n");
    for client in &mut secure[1..] {
        for words in ["[tls0]: one", "[tls0]: two"] {
            client.wait_for(words);
        }
    }
    for client in &mut secure {
        client.wait_for(&"x".repeat(4000));
    }
    for client in &mut plain[1..] {
        let mut heard = Vec::new();
        while heard.len() < 4 {
            let line = client.line();
            if line.starts_with('[') {
                heard.push(line);
            }
        }
        assert!(heard.contains(&"[tls0]: one".to_owned()), "{heard:?}");
    }
}

#[test]
fn a_hundred_members_of_each_kind_lose_nothing() {
    const MEMBERS: usize = 50;
    const LINES: usize = 40;
    let server = patient(&["--tls"]);
    let mut secure: Vec<Secure> =
        (0..MEMBERS).map(|number| Secure::join(&server, &format!("tls{number}"))).collect();
    let mut plain: Vec<Client> = (0..MEMBERS).map(|_| Client::connect(server.address)).collect();
    for client in &mut plain {
        client.send("/fence\n");
        while !texts::is_unknown_command(&client.line(), "fence") {}
    }
    for number in 0..LINES {
        secure[number % MEMBERS].send(&format!("line {number}\n"));
    }
    // From each of several senders: in the order of each, which is all that is promised.
    for client in &mut plain {
        let mut numbers = Vec::new();
        while numbers.len() < LINES {
            let line = client.line();
            if let Some((_, number)) = line.split_once("]: line ") {
                numbers.push(number.parse::<usize>().unwrap());
            }
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (0..LINES).collect::<Vec<_>>());
    }
    plain[0].send("the end\n");
    for client in &mut secure {
        let mut count = 0;
        loop {
            let line = client.line();
            count += usize::from(line.contains("]: line "));
            if line.ends_with("the end") {
                break;
            }
        }
        assert!(count >= LINES - 1, "{count}"); // one of them may be its own
    }
}

#[test]
fn both_versions_are_spoken_and_the_ready_line_has_the_fingerprint() {
    let server = patient(&["--tls"]);
    let ready = server.log.wait_for("listening on");
    let (_, fingerprint) = ready.rsplit_once(' ').unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut client = Secure::connect(server.address, &[version]);
        client.send("/nick ada\n/fence\n");
        client.wait_for("/fence");
        let digest = ring::digest::digest(&ring::digest::SHA256, &client.certificate());
        let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, fingerprint);
        client.send("/quit\n");
        // The end is said, as rustls demands.
        client.stream.read_to_string(&mut String::new()).unwrap();
    }
}

#[test]
fn more_than_a_socket_takes_arrives_in_full() {
    let server = patient(&["--tls", "--max-line", "32k"]);
    let mut reader = Secure::join(&server, "reader");
    let mut writer = Secure::join(&server, "writer");
    // What the kernel holds for a reader that does not read is less than this.
    let line = "y".repeat(30_000);
    for number in 0..100 {
        writer.send(&format!("{number} {line}\n"));
    }
    for number in 0..100 {
        let line = reader.wait_for("[writer]");
        assert!(line.starts_with(&format!("[writer]: {number} yyy")), "{}", &line[..40]);
        assert!(line.len() > 30_000);
    }
}

impl Scratch {
    /// A new certificate and its key.
    fn certify(&self, name: &str) {
        let certified = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        self.write("cert.pem", certified.cert.pem());
        self.write("key.pem", certified.signing_key.serialize_pem());
    }
}

#[test]
fn sighup_takes_a_new_certificate_for_new_connections_and_no_bad_one() {
    let scratch = Scratch::new("sighup");
    scratch.certify("one.example.org");
    let (cert, key) = (scratch.file("cert.pem"), scratch.file("key.pem"));
    let server = patient(&["--tls-cert", &cert, "--tls-key", &key]);
    let mut first = Secure::join(&server, "first");

    std::fs::write(&cert, "not a certificate").unwrap();
    server.signal(Signal::SIGHUP);
    let said = server.log.wait_for("it stays as it was");
    assert!(said.contains("cert.pem"), "{said}");
    let second = Secure::join(&server, "second");
    assert_eq!(second.certificate(), first.certificate());

    std::fs::remove_file(&key).unwrap();
    nix::unistd::mkfifo(key.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    server.signal(Signal::SIGHUP);
    server.log.wait_for("key.pem: not a regular file");
    std::fs::remove_file(&key).unwrap();

    scratch.certify("two.example.org");
    server.signal(Signal::SIGHUP);
    server.log.wait_for("the TLS certificate is now ");
    let third = Secure::join(&server, "third");
    assert_ne!(third.certificate(), first.certificate());
    first.send("/fence\n");
    first.wait_for("/fence");
}

#[test]
fn a_certificate_that_clients_reject_is_warned_of() {
    let scratch = Scratch::new("expired");
    let (cert, key) = (scratch.file("cert.pem"), scratch.file("key.pem"));
    let mut parameters = rcgen::CertificateParams::new(["a.example.org".to_owned()]).unwrap();
    parameters.not_after = rcgen::date_time_ymd(2021, 1, 2);
    let pair = rcgen::KeyPair::generate().unwrap();
    std::fs::write(&cert, parameters.self_signed(&pair).unwrap().pem()).unwrap();
    std::fs::write(&key, pair.serialize_pem()).unwrap();
    let server = patient(&["--tls-cert", &cert, "--tls-key", &key]);
    server.log.wait_for("the TLS certificate expired on 2021-01-02");
    server.signal(Signal::SIGHUP);
    server.log.wait_for_several(2, "the TLS certificate expired on 2021-01-02");
    scratch.certify("a.example.org");
    server.signal(Signal::SIGHUP);
    server.log.wait_for("the TLS certificate is now ");
    server.signal(Signal::SIGTERM);
    let log = server.log.all();
    assert_eq!(log.iter().filter(|line| line.contains("expired")).count(), 2, "{log:#?}");
}

#[test]
fn flags_that_do_not_fit_are_errors_that_name_them() {
    let scratch = Scratch::new("flags");
    scratch.certify("one.example.org");
    let (cert, key) = (scratch.file("cert.pem"), scratch.file("none.pem"));
    let other = scratch.file("other.pem");
    std::fs::rename(scratch.file("key.pem"), &other).unwrap();
    scratch.certify("two.example.org");
    for (flags, words) in [
        (&["--tls-cert", &*cert][..], "--tls-key"),
        (&["--tls-only"], "--tls-only"),
        (&["--tls-cert", &cert, "--tls-key", &key], "none.pem"),
        (&["--tls-cert", &cert, "--tls-key", &cert], "no private key"),
        (&["--tls-cert", &cert, "--tls-key", &other], "is the key of another certificate"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
            .args(["127.0.0.1", "0"])
            .args(flags)
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(words), "{error}");
    }
}

/// `AUTHENTICATE EXTERNAL` for an account, or for whichever it is; the numeric that answers.
fn external(client: &mut Secure, account: &str) -> String {
    client.send("CAP REQ sasl\r\nAUTHENTICATE EXTERNAL\r\n");
    client.wait_for("AUTHENTICATE +");
    client.send(&format!("AUTHENTICATE {account}\r\n"));
    client.wait_for(" 90").split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn a_certificate_logs_in_to_the_account_that_knows_it() {
    let server = patient(&["--tls"]);
    let new = || rcgen::generate_simple_self_signed(["ada".to_owned()]).unwrap();
    let (own, other) = (new(), new());
    let connect = |identity| Secure::with(server.address, rustls::DEFAULT_VERSIONS, identity);
    let mut ada = connect(Some(&own));
    ada.send("/nick ada\n/register sesame-seed\n");
    ada.wait_for("account ada created");
    ada.send("/cert add\n/cert list\n");
    ada.wait_for("certificate added");
    let listed = ada.wait_for("* certificate ");
    let fingerprint = listed.rsplit(' ').next().unwrap().to_owned();
    assert_eq!(fingerprint.len(), 64, "{listed}");

    let mut again = connect(Some(&own));
    again.send("/cert login\n");
    again.wait_for("you are now logged in as ada");

    // `YWRh` is ada, `Ym9i` is bob.
    for (identity, account, numeric) in [
        (Some(&own), "+", "900"),
        (Some(&own), "YWRh", "900"),
        (Some(&own), "Ym9i", "904"),
        (Some(&other), "+", "904"),
        (Some(&other), "YWRh", "904"),
        (None, "YWRh", "904"),
    ] {
        assert_eq!(external(&mut connect(identity), account), numeric, "{account}");
    }
    let mut irc = connect(None);
    irc.send("CAP LS 302\r\n");
    irc.wait_for("sasl=PLAIN,SCRAM-SHA-256,EXTERNAL");

    // In IRC as in plain text.
    let mut irc = connect(Some(&own));
    assert_eq!(external(&mut irc, "+"), "900");
    irc.send("NICK ada2\r\nUSER a 0 * :a\r\nCAP END\r\n");
    irc.wait_for(" 001 ");
    irc.send("CERT ADD\r\n");
    irc.wait_for("knows this certificate already");
    irc.send(&format!("CERT DEL {}\r\n", fingerprint.to_uppercase()));
    irc.wait_for("Certificate removed");
    assert_eq!(external(&mut connect(Some(&own)), "+"), "904");
}

/// If there is none, there is nothing to test against.
#[test]
fn openssl_joins_in_both_versions() {
    let version = Command::new("openssl").arg("version").output();
    if !version.is_ok_and(|output| output.status.success()) {
        return;
    }
    let server = patient(&["--tls"]);
    let mut tom = Secure::join(&server, "tom");
    for (version, nick) in [("-tls1_2", "old"), ("-tls1_3", "new")] {
        let mut openssl = Command::new("openssl")
            .args(["s_client", "-quiet", version, "-connect", &server.address.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = openssl.stdin.take().unwrap();
        input.write_all(format!("/nick {nick}\nhello by openssl\n").as_bytes()).unwrap();
        tom.wait_for(&format!("[{nick}]: hello by openssl"));
        tom.send("and back\n");
        let mut output = BufReader::new(openssl.stdout.take().unwrap()).lines();
        assert!(output.any(|line| line.unwrap() == "[tom]: and back"));
        drop(input);
        openssl.kill().unwrap();
        openssl.wait().unwrap();
    }
}
