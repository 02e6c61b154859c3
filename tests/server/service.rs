//! What a service manager and its tools do with the server: several addresses, sockets handed over,
//! readiness, a log that is moved away, a reload.

use crate::common::{Client, Server, scratch::Scratch};
use nix::sys::signal::Signal;
use std::io::Read;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Starts a program with its standard input as the socket of a service manager.
const HAND_OVER: &str = r#"exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@""#;

fn program(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatloop-server"));
    command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null());
    command.output().unwrap()
}

#[test]
fn it_listens_at_every_address_that_is_named() {
    let server = Server::start(&["--listen", "[::1]:0", "--listen", "localhost:0"]);
    let ready = server.log.so_far().join("\n");
    let places: Vec<&str> = ready
        .split(['\n', ' '])
        .filter(|word| word.starts_with("127.") || word.starts_with("[::1]:"))
        .collect();
    assert!(places.len() >= 3, "{ready}");
    for place in places {
        let mut client = Client::connect(place.parse().unwrap());
        assert!(client.line().contains("connected as"), "{place}");
    }
    let wrong = program(&["--listen", "localhost"], &[]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("0.0.0.0:6667"), "{wrong:?}");
}

/// As a socket unit with `Accept=yes` hands over.
#[test]
fn a_socket_that_does_not_listen_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let output = Command::new("sh")
        .args(["-c", HAND_OVER, env!("CARGO_BIN_EXE_chatloop-server")])
        .stdin(OwnedFd::from(connection))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("descriptor 3 is not a listening socket"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn it_takes_the_sockets_of_a_service_manager_and_says_that_it_is_ready() {
    let scratch = Scratch::new("sockets");
    let notify = scratch.file("notify");
    let manager = UnixDatagram::bind(&notify).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", HAND_OVER, env!("CARGO_BIN_EXE_chatloop-server"), "--greeting-delay=0"])
        .env("NOTIFY_SOCKET", &notify)
        .stdin(OwnedFd::from(listener))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let told = || {
        let mut bytes = [0; 64];
        let count = manager.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..count].to_vec()).unwrap()
    };
    assert_eq!(told(), "READY=1");
    let mut client = Client::connect(address);
    assert!(client.line().contains("connected as"));
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(told(), "STOPPING=1");
    assert!(child.wait().unwrap().success());
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains(&format!("listening on {address}")), "{log}");
}

#[test]
fn a_log_that_was_moved_away_goes_on_in_a_new_file_after_sighup() {
    let scratch = Scratch::new("log");
    let (log, old) = (scratch.file("chat.log"), scratch.file("chat.log.1"));
    let server = Server::start(&["--log-file", &log]);
    let wait_for = |path: &str, words: &str| {
        let deadline = std::time::Instant::now() + crate::common::PATIENCE;
        while !std::fs::read_to_string(path).unwrap_or_default().contains(words) {
            assert!(std::time::Instant::now() < deadline, "no '{words}' in {path}");
            std::thread::yield_now();
        }
    };
    let _first = server.join();
    wait_for(&log, "guest1 (127.0.0.1:");
    wait_for(&log, "connected (plain)");
    std::fs::rename(&log, &old).unwrap();
    server.signal(Signal::SIGHUP);
    wait_for(&log, "settings stay as they are");
    let second = server.join();
    wait_for(&log, "guest2 (127.0.0.1:");
    drop(second);
    wait_for(&log, "disconnected");
    assert!(!std::fs::read_to_string(&old).unwrap().contains("guest2"));

    // Its directory is gone: that is told where the log is not.
    let away = scratch.file("away");
    std::fs::create_dir(&away).unwrap();
    let log = format!("{away}/chat.log");
    let server = Server::start(&["--log-file", &log]);
    let _first = server.join();
    wait_for(&log, "connected (plain)");
    std::fs::remove_dir_all(&away).unwrap();
    server.signal(Signal::SIGHUP);
    let told = server.log.wait_for("the log goes on in the old file");
    assert!(told.contains(&format!("--log-file {log}: ")), "{told}");
    std::fs::create_dir(&away).unwrap();
    server.signal(Signal::SIGHUP);
    wait_for(&log, "settings stay as they are");

    let failed = program(&["0", "--log-file", &scratch.file("nowhere/log")], &[]);
    assert!(String::from_utf8_lossy(&failed.stderr).contains("--log-file"), "{failed:?}");
    assert_eq!(failed.status.code(), Some(1));
}

#[test]
fn an_operator_reloads_the_configuration() {
    let scratch = Scratch::new("reload");
    let file = scratch.file("chat.toml");
    std::fs::write(&file, "oper = [\"root:operator\"]\n").unwrap();
    let server = Server::start(&["--config", &file]);
    let mut root = server.join();
    root.send("/rehash\n");
    assert!(root.line().contains("only server operators"));
    root.send("/oper root operator\n");
    assert!(root.line().contains("server operator"));
    std::fs::write(&file, "oper = [\"root:operator\"]\nmax-line = 100\n").unwrap();
    root.send("/rehash\n");
    assert!(root.line().contains("reloading the configuration"));
    server.log.wait_for("reload: max-line is now 100");
    server.log.wait_for("audit: guest1 (127.0.0.1:");
}

#[test]
fn passwords_come_from_files_and_mistyped_variables_are_told() {
    let scratch = Scratch::new("secrets");
    let (password, opers) = (scratch.file("password"), scratch.file("opers"));
    std::fs::write(&password, "\u{feff}let-me-in\nsecond line\n").unwrap();
    std::fs::write(&opers, "# operators\nroot:operator\n\nann:another1\n").unwrap();
    let server = Server::start(&["--password-file", &password, "--oper-file", &opers]);
    let mut ann = Client::connect(server.address);
    ann.line();
    ann.send("/pass let-me-in\n/oper ann another1\n");
    ann.until("you are now a server operator");
    assert!(!server.log.so_far().iter().any(|line| line.contains("visible to every user")));

    std::fs::write(&opers, "root:operator\nnonsense-secret\n").unwrap();
    let wrong = program(&["0", "--oper-file", &opers], &[]);
    let told = String::from_utf8_lossy(&wrong.stderr);
    assert!(
        told.contains("line 2: expected NAME:PASSWORD") && !told.contains("nonsense"),
        "{told}"
    );
    // What the client reads is not the server's mistake.
    let client = [("CHATLOOP_ACCOUNT_PASSWORD", "x"), ("CHATLOOP_CLIENT_TLS", "true")];
    let mistyped = [("CHATLOOP_MAXLINE", "5"), ("CHATLOOP_TARGET", "x")];
    let shown = program(&["config"], &[client, mistyped].concat());
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("CHATLOOP_MAXLINE sets nothing (did you mean CHATLOOP_MAX_LINE?)"));
    assert_eq!(shown.matches("sets nothing").count(), 1, "{shown}");
}

#[test]
fn each_program_documents_its_command_line() {
    for (name, program) in [
        ("chatloop-server", env!("CARGO_BIN_EXE_chatloop-server")),
        ("chatloop-client", env!("CARGO_BIN_EXE_chatloop-client")),
        #[cfg(feature = "lab")]
        ("chatloop-lab", env!("CARGO_BIN_EXE_chatloop-lab")),
    ] {
        let text = |arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output().unwrap();
            assert!(output.status.success(), "{name} {arguments:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        for shell in ["bash", "zsh", "fish"] {
            assert!(text(&["--completions", shell]).contains(name), "{name}: {shell}");
        }
        let man = text(&["--man"]);
        assert!(man.contains(".TH") && man.contains(".SH OPTIONS"), "{man}");
    }
}
