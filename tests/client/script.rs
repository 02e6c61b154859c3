//! A script: no terminal anywhere. With `--plain`, but for the arguments and the exit codes.

use crate::line_server::{LineServer, TIMEOUT};
use crate::scratch::Scratch;
use crate::start::{Start, nobody_is_starting};
use chatloop_reactor::Backend;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};

fn client(server: SocketAddr, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatloop-client"));
    command.args([server.ip().to_string(), server.port().to_string()]);
    command.arg("--plain").args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn piped(server: SocketAddr, arguments: &[&str]) -> Child {
    client(server, arguments).stdin(Stdio::piped()).start()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn file_with(content: &str) -> File {
    File::open(Scratch::new("input").write("input", content)).unwrap()
}

fn assert_quiet_success(output: &Output, expected: &str) {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn every_kind_of_input_is_sent_to_its_end_and_the_replies_are_heard() {
    for backend in Backend::available() {
        let server = LineServer::new();
        let arguments = ["--backend", backend.name(), "--linger=20"];
        for kind in ["file", "pipe", "null"] {
            let mut command = client(server.address(), &arguments);
            match kind {
                "file" => command.stdin(file_with("one\ntwo")),
                "pipe" => command.stdin(Stdio::piped()),
                _ => command.stdin(Stdio::null()),
            };
            let mut child = command.start();
            let mut peer = server.accept();
            if kind == "pipe" {
                child.stdin.take().unwrap().write_all(b"one\ntwo").unwrap();
            }
            if kind == "file" || kind == "pipe" {
                assert_eq!(peer.hear().unwrap(), "one");
                assert_eq!(peer.hear().unwrap(), "two", "completed to a line");
            }
            peer.say("\r\x1b[1;34mreply\n\x1b[0m");
            peer.say("and more");
            drop(peer);
            let output = child.wait_with_output().unwrap();
            assert_quiet_success(&output, "reply\nand more\n");
        }
    }
}

#[test]
fn input_that_cannot_be_read_is_exit_code_4() {
    let server = LineServer::new();
    let folder = File::open("/").unwrap();
    let child = client(server.address(), &["--linger=0"]).stdin(folder).start();
    let _peer = server.accept();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("could not read standard input"));
}

/// A shell's `<&-`: the runtime opens /dev/null in its place.
#[test]
fn standard_input_may_be_closed() {
    let server = LineServer::new();
    let script = "exec \"$0\" \"$1\" \"$2\" --plain --linger=20 <&-";
    let address = server.address();
    let child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_chatloop-client")])
        .args([address.ip().to_string(), address.port().to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .start();
    let mut peer = server.accept();
    peer.say("hello\n");
    drop(peer);
    assert_quiet_success(&child.wait_with_output().unwrap(), "hello\n");
}

#[test]
fn it_listens_on_for_as_long_as_it_was_told() {
    let server = LineServer::new();
    let started = std::time::Instant::now();
    let child = client(server.address(), &["--linger=0.3"]).start();
    let mut peer = server.accept();
    peer.say("hello\n");
    let output = child.wait_with_output().unwrap();
    assert_quiet_success(&output, "hello\n");
    assert!(started.elapsed().as_millis() >= 300);
    assert_eq!(peer.hear(), None);
}

#[test]
fn a_server_that_is_not_there_is_said_and_is_exit_code_1() {
    let server = LineServer::new();
    let address = server.address();
    drop(server);
    let output = client(address, &[]).start().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains(&address.to_string()) && said.contains("refused"), "{said}");
    assert!(!said.contains('\x1b'), "{said}");
}

/// Linux drops the handshake when the queue is full; other systems refuse.
#[cfg(target_os = "linux")]
#[test]
fn a_silent_address_times_out() {
    use socket2::{Domain, Socket, Type};
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let _fills_the_queue = std::net::TcpStream::connect(address).unwrap();
    let output = client(address, &["--timeout=0.2"]).start().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains(&address.to_string()) && said.contains("timed out after 0.2 s"),
        "{said}"
    );
}

#[test]
fn wrong_arguments_are_exit_code_2() {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let output = client(address, &["--backend=iocp"]).start().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.starts_with("chatloop-client: invalid value") && said.contains("poll"), "{said}");
}

#[test]
fn settings_come_from_a_file_and_variables_and_an_error_names_them() {
    let (scratch, server) = (Scratch::new("settings"), LineServer::new());
    std::fs::create_dir(scratch.0.join("chatloop")).unwrap();
    let [host, port] = [server.address().ip().to_string(), server.address().port().to_string()];
    let run = |content: &str, variable: (&str, &str)| {
        scratch.write("chatloop/client.toml", content);
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatloop-client"));
        command.env("XDG_CONFIG_HOME", &scratch.0).env(variable.0, variable.1).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.start().wait_with_output().unwrap()
    };
    let right = format!("host = \"{host}\"\nport = {port}\nplain = true\nlinger = 0");
    for variable in [("CHATLOOP_CLIENT_LINGER", "0.1"), ("CHATLOOP_CLIENT_NO_RECONNECT", "1")] {
        assert_quiet_success(&run(&right, variable), "");
        server.accept();
    }
    for (content, variable, says) in [
        (
            "plan = true",
            ("X", ""),
            "client.toml, line 1: plan: unknown setting (did you mean 'plain'?)",
        ),
        (
            "",
            ("CHATLOOP_CLIENT_BELL", "loud"),
            "environment variable CHATLOOP_CLIENT_BELL: invalid value 'loud'",
        ),
        (
            "",
            ("CHATLOOP_CLIENT_JOIN", ", #a, b"),
            "invalid room name \"b\": room names begin with #",
        ),
    ] {
        let output = run(content, variable);
        let said = text(&output.stderr);
        assert!(said.starts_with("chatloop-client: ") && said.contains(says), "{said}");
        assert_eq!(output.status.code(), Some(2));
    }
    // It may be meant for another version: a warning.
    for (variable, meant) in [
        ("CHATLOOP_CLIENT_NIK", "CHATLOOP_CLIENT_NICK"),
        ("CHATLOOP_ACOUNT_PASSWORD", "CHATLOOP_ACCOUNT_PASSWORD"),
    ] {
        let output = run(&right, (variable, "ann"));
        let said = format!(
            "chatloop-client: the environment variable {variable} sets nothing (did you mean {meant}?)\n"
        );
        assert_eq!((text(&output.stderr), output.status.code()), (said.as_str(), Some(0)));
        server.accept();
    }
}

#[test]
fn a_lost_connection_is_exit_code_3() {
    let server = LineServer::new();
    let mut child = piped(server.address(), &[]);
    let mut input = child.stdin.take().unwrap();
    let mut peer = server.accept();
    input.write_all(b"hello\n").unwrap();
    assert_eq!(peer.hear().unwrap(), "hello", "it stands");
    peer.reset();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("connection lost"), "{}", text(&output.stderr));
    drop(input);
}

#[test]
fn after_quit_the_servers_close_is_no_loss() {
    let server = LineServer::new();
    let mut child = piped(server.address(), &[]);
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"/quit see you\n").unwrap();
    let mut peer = server.accept();
    assert_eq!(peer.hear().unwrap(), "/quit see you");
    peer.say("bye\n");
    drop(peer);
    assert_quiet_success(&child.wait_with_output().unwrap(), "bye\n");
    drop(input);
}

#[test]
fn a_closed_standard_output_is_no_error() {
    for backend in Backend::available() {
        let server = LineServer::new();
        let mut child = piped(server.address(), &["--backend", backend.name()]);
        let _input = child.stdin.take().unwrap();
        let peer = server.accept();
        drop(child.stdout.take());
        // More than once: a child that another test is starting just now may hold the pipe open
        // until it has become its program, and select only learns from a write that fails.
        while peer.stream().write_all(b"hello\n").is_ok() {}
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{backend}");
    }
}

#[test]
fn what_was_received_is_written_before_a_signal_ends_it() {
    let server = LineServer::new();
    let mut child = piped(server.address(), &[]);
    let mut peer = server.accept();
    peer.say("hello\n");
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert_eq!(line, "hello\n");
}

#[test]
fn megabytes_go_through_whole_though_nobody_reads_the_echo_before_all_is_said() {
    const LINES: usize = 100_000;
    for backend in Backend::available() {
        let server = LineServer::new();
        let arguments = ["--backend", backend.name(), "--linger=20"];
        let mut child = piped(server.address(), &arguments);
        let mut input = child.stdin.take().unwrap();
        let peer = server.accept();
        // The echo goes into a separate thread: the server's patience must not matter here.
        let echo = std::thread::spawn(move || {
            let mut stream = peer.stream();
            let mut lines = BufReader::new(peer.stream());
            let mut said = Vec::new();
            for _ in 0..LINES {
                lines.read_until(b'\n', &mut said).unwrap();
            }
            stream.write_all(&said).unwrap();
        });
        for number in 0..LINES {
            writeln!(input, "line number {number}").unwrap();
        }
        let guard = nobody_is_starting();
        drop(input);
        drop(guard);
        let output = child.wait_with_output().unwrap();
        echo.join().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let expected: String = (0..LINES).map(|number| format!("line number {number}\n")).collect();
        assert!(text(&output.stdout) == expected, "{backend}: the echo differs");
    }
}

#[test]
fn input_is_not_swallowed_without_bound() {
    let server = LineServer::new();
    let mut child = piped(server.address(), &["--linger=0"]);
    let mut input = child.stdin.take().unwrap();
    let peer = server.accept();
    // 64 MiB, far more than sockets and pipes hold. The server reads nothing until the writer has
    // been stuck for a moment; that the moment is enough cannot be proved, only that too short a
    // moment does not fail the test.
    let total = 64usize << 20;
    let (progress, stuck) = std::sync::mpsc::channel();
    let writer = std::thread::spawn(move || {
        let piece = [[b'x'; 1023].as_slice(), b"\n"].concat().repeat(64);
        for _ in 0..total / piece.len() {
            input.write_all(&piece).unwrap();
            let _ = progress.send(piece.len());
        }
    });
    let mut written = 0;
    while let Ok(count) = stuck.recv_timeout(std::time::Duration::from_millis(300)) {
        written += count;
    }
    assert!(written < total / 2, "{written} bytes were taken by a client that cannot send them");
    drop(stuck);
    let mut stream = peer.stream();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let (mut heard, mut buffer) = (0, vec![0; 1 << 16]);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        heard += count;
    }
    writer.join().unwrap();
    assert_eq!(heard, total);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_loop_of_the_client_can_be_traced() {
    let (scratch, server) = (Scratch::new("trace"), LineServer::new());
    let trace = scratch.file("trace");
    let mut child = piped(server.address(), &["--trace", &trace, "--linger=20"]);
    let mut peer = server.accept();
    child.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    assert_eq!(peer.hear().unwrap(), "hello");
    peer.say("one\ntwo\n");
    drop(peer);
    assert_quiet_success(&child.wait_with_output().unwrap(), "one\ntwo\n");
    let text = std::fs::read_to_string(trace).unwrap();
    let mut parser = chatloop::trace::Parser::default();
    let turns: Vec<_> = text.lines().filter_map(|line| parser.line(line).unwrap()).collect();
    let has = |what: &str, detail: &str| {
        let entries = turns.iter().flat_map(|turn| &turn.entries);
        let fits = |entry: &&chatloop::trace::Entry| entry.what == what && entry.detail == detail;
        assert!(entries.filter(fits).count() > 0, "{what} {detail}: {turns:#?}");
    };
    has("write", "6 bytes");
    has("lines", "2 lines, 8 bytes");
    let names: Vec<&str> = turns[0].phases.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["read", "timers", "commands", "flush", "show"]);
}
