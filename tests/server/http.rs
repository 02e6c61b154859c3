//! HTTP on the chat's port, over real sockets: the page, `/health`, `/metrics`, and who may have them.

use crate::common::{Client, Server, texts};
use crate::irc::{PATIENT, patient};
use chatloop_reactor::Backend;

per_backend! {
    a_request_is_answered_on_the_port_of_the_chat
}

/// A client that has been welcomed, in plain text.
fn talker(server: &Server) -> Client {
    let mut talker = Client::connect(server.address);
    talker.send("/fence\n");
    while !texts::is_unknown_command(&talker.line(), "fence") {}
    talker
}

/// Sends a request, and reads to the end of the connection.
fn ask(server: &Server, head: &str) -> String {
    let mut client = Client::connect(server.address);
    client.send(format!("{}\r\n\r\n", head.replace('\n', "\r\n")));
    client.rest()
}

fn a_request_is_answered_on_the_port_of_the_chat(backend: Backend) {
    let server = Server::on(backend, &[PATIENT]);
    let mut tom = talker(&server);
    let page = ask(&server, "GET / HTTP/1.1\nHost: 127.0.0.1");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    let head = ask(&server, "HEAD / HTTP/1.1\nHost: 127.0.0.1");
    let (start, _) = page.split_once("\r\n\r\n").unwrap();
    let without_date = |head: &str| {
        head.lines().filter(|line| !line.starts_with("Date: ")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_date(head.trim_end()), without_date(start));
    let health = ask(&server, "GET /health HTTP/1.1\nHost: anything.example");
    assert!(health.ends_with("\r\n\r\nok\n"), "{health}");
    // None of them was announced.
    tom.assert_nothing_waits();
}

#[test]
fn one_byte_at_a_time_is_the_same_request() {
    let server = patient(&[]);
    let mut client = Client::connect(server.address);
    for byte in "GET /health HTTP/1.1\r\nHost: a\r\n\r\n".bytes() {
        client.send([byte]);
    }
    assert!(client.rest().ends_with("\r\n\r\nok\n"));
}

#[test]
fn a_half_closed_client_is_answered() {
    let server = patient(&[]);
    let mut client = Client::connect(server.address);
    client.send("GET /health HTTP/1.0\r\n\r\n");
    client.half_close();
    assert!(client.rest().ends_with("\r\n\r\nok\n"));
}

#[test]
fn metrics_count_what_the_server_has_done() {
    let server = patient(&[]);
    let mut tom = talker(&server);
    tom.send("hello\n");
    tom.assert_nothing_waits();
    let missing = ask(&server, "GET /no/such/page HTTP/1.1\nHost: localhost");
    assert!(missing.starts_with("HTTP/1.1 404 Not Found\r\n"), "{missing}");
    let text = ask(&server, "GET /metrics HTTP/1.1\nHost: localhost");
    assert!(
        text.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
        "{text}"
    );
    for line in [
        "# TYPE chatloop_connections gauge",
        "chatloop_connections{dialect=\"http\",tls=\"false\"} 1",
        "chatloop_connections{dialect=\"plain\",tls=\"false\"} 1",
        "chatloop_users 1",
        "chatloop_limits_exceeded_total{limit=\"requests\"} 1",
        "# TYPE chatloop_turn_seconds histogram",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in {text}");
    }
    let head = "GET /metrics HTTP/1.1\nHost: localhost\nAccept: application/openmetrics-text";
    let text = ask(&server, head);
    assert!(
        text.contains("\r\nContent-Type: application/openmetrics-text; version=1.0.0"),
        "{text}"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
}

/// A proxy on this machine connects from loopback, no matter who asks.
#[test]
fn metrics_are_not_for_those_behind_a_proxy() {
    let head = "GET /metrics HTTP/1.1\nHost: localhost\nX-Forwarded-For: 192.0.2.1";
    let server = patient(&[]);
    assert!(ask(&server, head).starts_with("HTTP/1.1 403 Forbidden\r\n"));
    let server = patient(&["--metrics-from=127.0.0.1"]);
    assert!(ask(&server, head).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn the_names_of_a_server_are_configured() {
    let head = "GET / HTTP/1.1\nHost: chat.example.org";
    assert!(ask(&patient(&[]), head).starts_with("HTTP/1.1 421 Misdirected Request\r\n"));
    for flag in ["--name=chat.example.org", "--url=https://chat.example.org"] {
        assert!(ask(&patient(&[flag]), head).starts_with("HTTP/1.1 200 OK\r\n"), "{flag}");
    }
}
