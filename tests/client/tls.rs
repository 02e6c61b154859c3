//! The client by TLS: to the certificate that it was told, and to no other.

use crate::real_server::RealServer;
use crate::scratch::Scratch;
use crate::start::Start;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

/// Starts a script, with more variables than it has.
fn client_with(arguments: &[&str], variables: &[(&str, &str)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
        .args(arguments)
        .args(["--timeout", "20", "--linger", "0"])
        .env_remove("CHATLOOP_ACCOUNT_PASSWORD")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .start()
}

fn client(arguments: &[&str]) -> Child {
    client_with(arguments, &[])
}

/// Runs a script that says one line.
fn say(arguments: &[&str]) -> Output {
    let mut client = client(arguments);
    let _ = client.stdin.take().unwrap().write_all(b"hello by TLS\n");
    client.wait_with_output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_script_is_taken_by_the_server_whose_fingerprint_it_knows() {
    let server = RealServer::start(0, &["--tls"]);
    let fingerprint = server.ready.rsplit(' ').next().unwrap();
    let address = server.address.to_string();
    for dialect in [&["--nick", "ada"][..], &["--plain"]] {
        let known = ["--tls-fingerprint", fingerprint];
        let output = say(&[&[&*address], &known[..], dialect].concat());
        assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    }
}

#[test]
fn a_certificate_that_no_one_vouches_for_is_refused_with_its_fingerprint() {
    let server = RealServer::start(0, &["--tls"]);
    let fingerprint = server.ready.rsplit(' ').next().unwrap();
    let secure = format!("127.0.0.1:+{}", server.address.port());
    let other = "00".repeat(32);
    let address = server.address.to_string();
    for (arguments, words) in [
        (&[&*secure][..], "is self-signed (to trust it all the same: --tls-fingerprint "),
        (&[&*address, "--tls"], "is self-signed"),
        (&[&*address, "--tls-fingerprint", &other], "is not that of --tls-fingerprint"),
    ] {
        let output = say(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
        assert!(errors(&output).contains(words), "{}", errors(&output));
        assert!(errors(&output).contains(fingerprint), "{}", errors(&output));
    }
}

#[test]
fn a_server_without_tls_is_sent_nothing_in_the_clear() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("127.0.0.1:+{}", listener.local_addr().unwrap().port());
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _ = socket.write_all(b"* this port does not speak TLS\n");
        let mut received = Vec::new();
        let _ = socket.read_to_end(&mut received);
        received
    });
    let output = say(&[&address, "--nick", "ada"]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert!(
        errors(&output).contains("TLS handshake failed: the peer does not speak TLS"),
        "{}",
        errors(&output)
    );
    let received = server.join().unwrap();
    assert!(received.starts_with(b"\x16\x03"), "{received:?}");
    assert!(!received.windows(4).any(|window| window == b"NICK"));
}

/// The files of a new certificate and its key.
fn certificate(scratch: &Scratch, name: &str) -> [String; 2] {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    [("certificate", made.cert.pem()), ("key", made.signing_key.serialize_pem())]
        .map(|(what, text)| scratch.write(&format!("{name}-{what}.pem"), text))
}

#[test]
fn a_certificate_logs_in_in_place_of_a_password() {
    let server = RealServer::start(0, &["--tls"]);
    let address = server.address.to_string();
    let trusted = [&*address, "--tls-fingerprint", server.ready.rsplit(' ').next().unwrap()];
    let scratch = Scratch::new("certificates");
    let [own, other] = ["own", "other"].map(|name| certificate(&scratch, name));
    fn showing([certificate, key]: &[String; 2]) -> [&str; 4] {
        ["--tls-cert", certificate, "--tls-key", key]
    }
    let mut client = client(&[&trusted[..], &["--nick", "ada"], &showing(&own)].concat());
    let (mut input, output) = (client.stdin.take().unwrap(), client.stdout.take().unwrap());
    input.write_all(b"/register correct-horse\n/quote CERT ADD\n").unwrap();
    let mut lines = BufReader::new(output).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("Certificate added")));
    drop(input);
    assert!(client.wait().unwrap().success());
    for how in [&["--account", "ada"][..], &["--account", "ada", "--sasl", "external"]] {
        let output = say(&[&trusted[..], how, &showing(&own)].concat());
        assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
        let output = say(&[&trusted[..], how, &showing(&other)].concat());
        assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
        assert!(errors(&output).contains("does not know this certificate"), "{}", errors(&output));
    }
    // It is shown by TLS only, never without its key, and EXTERNAL needs one.
    for (arguments, words) in [
        (&[&*address, "--tls-cert", &own[0], "--tls-key", &own[1]][..], "by TLS only"),
        (&[&*address, "--tls", "--tls-cert", &own[0]], "--tls-key"),
        (
            &[&*address, "--tls", "--tls-cert", &own[0], "--tls-key", &other[1]],
            "is the key of another",
        ),
        (&[&*address, "--sasl", "scram"], "--account"),
        (&[&*address, "--account", "ada", "--sasl", "external"], "no certificate to show"),
    ] {
        let output = say(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", errors(&output));
        assert!(errors(&output).contains(words), "{arguments:?}: {}", errors(&output));
    }
}

/// The files of a certificate for localhost and its key, and of the authority that vouches for it.
#[cfg(not(target_vendor = "apple"))]
fn vouched_for(scratch: &Scratch) -> [String; 3] {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new([]).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(parameters, key).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
    let certificate = parameters.signed_by(&key, &authority).unwrap();
    [
        ("certificate", certificate.pem()),
        ("key", key.serialize_pem()),
        ("authority", authority.pem()),
    ]
    .map(|(name, text)| scratch.write(name, text))
}

/// Which authorities a system trusts is a file here, and a database elsewhere.
#[cfg(not(target_vendor = "apple"))]
#[test]
fn a_server_that_asks_for_tls_in_the_clear_is_met_again_by_tls_and_never_without() {
    let scratch = Scratch::new("sts");
    let [certificate, key, authority] = vouched_for(&scratch);
    let server =
        RealServer::start(0, &["--tls-cert", &certificate, "--tls-key", &key, "--sts", "30"]);
    let port = server.address.port().to_string();
    let run = |trusted: &str| {
        let variables = [("XDG_STATE_HOME", scratch.path()), ("SSL_CERT_FILE", trusted)];
        let mut client = client_with(&["localhost", &port, "--nick", "ada"], &variables);
        let _ = client.stdin.take().unwrap().write_all(b"hello by TLS\n");
        client.wait_with_output().unwrap()
    };
    // A server that cannot be trusted is told nothing more.
    let output = run(&certificate);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert!(errors(&output).contains("TLS handshake failed"), "{}", errors(&output));
    let output = run(&authority);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    // It has come by TLS, and is remembered.
    let output = run(&certificate);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    let output = run(&authority);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let known = std::fs::read_to_string(scratch.file("chatloop/servers.toml")).unwrap();
    assert!(known.contains(&format!("[sts.localhost]\nport = {port}\nuntil = ")), "{known}");
}
