//! Settings from flags, environment and file; what is said of wrong ones; SIGHUP.

use crate::common::{Client, Server, scratch::Scratch, texts};
use nix::sys::signal::Signal;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// A settings file, gone with the test.
struct File {
    path: String,
    scratch: Scratch,
}

impl File {
    fn new(text: &str) -> File {
        let scratch = Scratch::new("settings");
        File { path: scratch.write("chat.toml", text), scratch }
    }

    fn write(&self, text: &str) {
        self.scratch.write("chat.toml", text);
    }

    fn path(&self) -> &str {
        &self.path
    }
}

fn program(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatloop-server"));
    command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null());
    command.output().unwrap()
}

fn shown(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let output = program(&[&["config"], arguments].concat(), environment);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The lines without their comments: what a file says.
fn values(shown: &str) -> Vec<&str> {
    let lines = shown.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split("  # ").next().unwrap()).collect()
}

#[test]
fn a_flag_counts_before_the_environment_before_the_file_before_the_default() {
    let file = File::new("backlog = 1\nmax-line = 1\nhistory-on-join = 1\nport = 1\n");
    let environment =
        [("CHATLOOP_CONFIG", file.path()), ("CHATLOOP_MAX_LINE", "2"), ("CHATLOOP_BACKLOG", "2")];
    let shown = shown(&["localhost", "--backlog", "3"], &environment);
    for line in [
        "backlog = 3  # command line",
        "max-line = 2  # CHATLOOP_MAX_LINE",
        "history-on-join = 1  # file, line 3",
        "outbox-hard = \"8M\"  # default",
        "host = \"localhost\"  # command line",
        "port = 1  # file, line 4",
    ] {
        assert!(shown.lines().any(|it| it == line), "no '{line}' in\n{shown}");
    }
}

#[test]
fn what_is_printed_says_the_same_when_it_is_read_back() {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$MTIz";
    let (ann, bob) = (format!("ann:{hash}"), format!("bob:{hash}"));
    let arguments = ["::1", "0", "--oper", &ann, "--oper", &bob, "--flood-limit", "20/s", "-q"];
    let first = shown(&arguments, &[("CHATLOOP_STYLE", "classic"), ("CHATLOOP_NO_CONSOLE", "yes")]);
    let file = File::new(&first);
    let second = shown(&["--config", file.path()], &[]);
    assert_eq!(values(&first), values(&second));
    assert!(first.contains(&format!("oper = [\"{ann}\", \"{bob}\"]")), "{first}");
    assert!(second.contains("no-console = true  # file, line "), "{second}");
    // One variable holds several.
    let third = shown(&[], &[("CHATLOOP_OPER", &format!("{ann} {bob}"))]);
    assert!(third.contains(&format!("oper = [\"{ann}\", \"{bob}\"]")), "{third}");
    // A switch that the file turns on, the environment can turn off.
    let fourth = shown(&["--config", file.path()], &[("CHATLOOP_QUIET", "0")]);
    assert!(fourth.contains("quiet = false  # CHATLOOP_QUIET"), "{fourth}");
}

#[test]
fn a_wrong_file_is_named_with_line_key_and_what_would_be_right() {
    for (text, line, words) in [
        ("max-line = \"1 foot\"", 1, ["max-line", "64k"]),
        ("\n\nmax-line = \"1M\"", 3, ["max-line", "32 KiB"]),
        ("port = 1\nstyle = \"baroque\"", 2, ["style", "classic"]),
        ("port = 70_000", 1, ["port", "65535"]),
        ("backlog = \"many\"", 1, ["backlog", "a whole number"]),
        ("max-per-address = 0", 1, ["max-per-address", "above 0, or off"]),
        ("max-accounts = \"99999999999999999999\"", 1, ["max-accounts", "too large"]),
        ("idle-timeout = 1.5", 1, ["idle-timeout", "number"]),
        ("# quiet?\nquiet = \"yes\"", 2, ["quiet", "true or false"]),
        ("oper = [1]", 1, ["oper", "strings"]),
        ("max_line = 5", 1, ["max_line", "'max-line'"]),
        ("maxlin = 5", 1, ["maxlin", "'max-line'"]),
        ("colour = 5", 1, ["colour", "chatloop-server --help"]),
        ("config = \"other.toml\"", 1, ["config", "unknown setting"]),
        ("[server]\nport = 1", 1, ["server", "unknown setting"]),
        ("port = 1\nport = 2", 2, ["duplicate", "TOML"]),
        ("host = localhost", 1, ["TOML", "quoted"]),
    ] {
        let file = File::new(text);
        let output = program(&["--config", file.path()], &[]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.contains(&format!("{}, line {line}: ", file.path())), "{text}: {message}");
        assert!(words.iter().all(|word| message.contains(word)), "{text}: {message}");
    }
    let output = program(&["--config", "/nowhere/at.all"], &[]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("/nowhere/at.all: cannot be read"));
    let file = File::new("outbox-soft = \"9M\"");
    let output = program(&["--config", file.path()], &[]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("--outbox-hard (8 MiB)"));
}

#[test]
fn a_wrong_variable_is_named_and_a_password_is_not_shown() {
    let message = |arguments: &[&str], environment: &[(&str, &str)]| {
        let output = program(arguments, environment);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = message(&[], &[("CHATLOOP_DATA", "")]);
    assert!(said.contains("CHATLOOP_DATA: the value is empty"), "{said}");
    let said = message(&[], &[("CHATLOOP_FLOOD_LIMIT", "fast")]);
    assert!(said.contains("CHATLOOP_FLOOD_LIMIT") && said.contains("20/s"), "{said}");
    for (variable, value, right) in [
        ("CHATLOOP_DATA", "", "the value is empty"),
        ("CHATLOOP_TLS", "maybe", "expected true or false"),
    ] {
        let said = message(&[], &[(variable, value)]);
        assert!(said.contains(&format!("environment variable {variable}: {right} (")), "{said}");
    }
    let file = File::new("oper = [\"ann-hunter2\"]");
    for said in [
        message(&[], &[("CHATLOOP_OPER", "ann-hunter2")]),
        message(&["--oper", "ann-hunter2"], &[]),
        message(&["--config", file.path()], &[]),
    ] {
        assert!(said.contains("NAME:PASSWORD") && !said.contains("hunter2"), "{said}");
    }
    let short = message(&["--oper", "ann:short"], &[]);
    assert!(short.contains("operator ann: a password needs at least 6"), "{short}");
    let third = message(&["127.0.0.1", "7000", "7001"], &[]);
    assert!(third.starts_with("chatloop-server: unexpected argument '7001'\n"), "{third}");
    let conflict = message(&["127.0.0.1", "7000", "hash"], &[]);
    assert!(conflict.contains("'hash' cannot be used with"), "{conflict}");
    let help = program(&["--help"], &[("CHATLOOP_PORT", "no")]);
    assert!(help.status.success());
}

#[test]
fn hash_takes_a_line_and_its_hash_opens_the_operators_door() {
    let hash = |password: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
            .arg("hash")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = hash("correct-horse\nand more\n");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let phc = printed.strip_suffix('\n').unwrap();
    assert!(phc.starts_with("$argon2id$") && !phc.contains('\n'), "{phc}");

    let server = Server::start(&["--oper", &format!("root:{phc}")]);
    let mut ann = server.join();
    ann.send("/oper root wrong-horse\n");
    let refused = ann.line();
    ann.send("/oper root correct-horse\n");
    assert_ne!(ann.line(), refused);
    ann.send("/announce it works\n");
    assert!(ann.line().contains("it works"));
    ann.send("/oper correct-horse mistaken\n/lock key sesame\n/mute *!*@10.*\n");
    let name = format!("audit: guest1 ({}): ", ann.address());
    for act in [
        "failed to become operator root",
        "became operator root",
        "announce: it works",
        "failed to become operator of an unknown name",
        "mode #lobby +k",
        "mode #lobby +b m:*!*@10.*",
    ] {
        let line = server.log.wait_for(act);
        assert!(line.contains(&name), "{line}");
    }
    // Whatever a reason holds, it obeys no terminal.
    ann.send("/announce \u{9b}2J\u{85}\u{2028}\u{202e}end\n");
    let line = server.log.wait_for("end");
    let obeyed = |c: char| c.is_control() || ['\u{2028}', '\u{202e}'].contains(&c);
    assert!(line.contains("announce: ") && !line.contains(obeyed), "{line:?}");
    let announced = server.transcript.wait_for("end");
    assert!(!announced.contains(obeyed), "{announced:?}");
    server.transcript.wait_for("set the key of #lobby to (not shown)");
    let everything = [server.log.so_far(), server.transcript.so_far()].concat().join("\n");
    for secret in ["horse", "mistaken", "sesame", "argon2"] {
        assert!(!everything.contains(secret), "{everything}");
    }

    let long = format!("{}\n", "x".repeat(1_100));
    for (bad, why) in [
        ("", "at least 6"),
        ("short\n", "at least 6"),
        (&long, "at most 1024"),
        ("two words\n", "cannot contain spaces"),
    ] {
        let output = hash(bad);
        assert_eq!(output.status.code(), Some(1), "{bad}: {output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(why), "{bad}");
    }
}

/// The server, a client in it, and its settings file.
fn with_file(text: &str) -> (Server, Client, File) {
    let file = File::new(text);
    let server = Server::start(&["--config", file.path()]);
    let client = server.join();
    (server, client, file)
}

/// A password that has got out is of no use to those who have used it already, either.
#[test]
fn an_operator_who_is_configured_no_longer_is_one_no_longer() {
    let opers = |ann: &str| format!("oper = [\"root:correct-horse\", \"ann:{ann}\"]\n");
    let (server, mut ann, file) = with_file(&opers("open-sesame"));
    let mut root = server.join();
    for (client, words) in [(&mut ann, "ann open-sesame"), (&mut root, "root correct-horse")] {
        client.send(format!("/oper {words}\n"));
        client.until("you are now a server operator");
    }
    file.write(&opers("other-sesame"));
    root.send("/rehash\n");
    server.log.wait_for("oper is now");
    root.send("/stats\n");
    root.until("clients connected");
    ann.send("/announce x\n");
    ann.until("only server operators may do that");
    file.write("");
    server.signal(Signal::SIGHUP);
    server.log.wait_for("oper is now none");
    root.send("/announce x\n");
    root.until("only server operators may do that");
}

#[test]
fn sighup_changes_what_can_change_and_says_what_cannot() {
    let (server, mut client, file) = with_file("max-line = 10\nbacklog = 7\nstyle = \"plain\"\n");
    client.send("this is too long\n");
    assert!(texts::names_limit(&client.line(), "--max-line"));
    file.write(
        "max-line = 20\nbacklog = 8\nstyle = \"classic\"\nlog = \"debug\"\nmax-clients = 2\n",
    );
    server.signal(Signal::SIGHUP);
    server.log.wait_for("max-line is now 20");
    assert!(server.log.wait_for("backlog is still 7").contains("restart"));
    assert!(server.log.wait_for("style is ").contains("new connections"));
    client.send("this is long enough\n");
    client.assert_nothing_waits();
    let mut classic = Client::connect(server.address);
    assert!(classic.line().starts_with("\r\x1b["), "the new style, and the old client stays");
    server.log.wait_for(": connected"); // which is of the level debug
    assert!(texts::is_some_entry(&client.line()));
    let mut third = Client::connect(server.address);
    assert!(third.rest().contains("--max-clients"));

    // What is missing now is at its default again; the same file again is no news.
    file.write("backlog = 7\n");
    server.signal(Signal::SIGHUP);
    server.log.wait_for("max-line is now 4096");
    server.signal(Signal::SIGHUP);
    server.log.wait_for("no changes");
}

#[test]
fn sighup_with_a_broken_file_changes_nothing_and_says_why() {
    let (server, mut client, file) = with_file("max-line = 10\n");
    file.write("max-line = 20\nhost = []\n");
    server.signal(Signal::SIGHUP);
    let said = server.log.wait_for("configuration not reloaded");
    assert!(said.contains(&format!("{}, line 2: host", file.path())), "{said}");
    client.send("this is too long\n");
    assert!(texts::names_limit(&client.line(), "10 bytes"));
    std::fs::remove_file(file.path()).unwrap();
    server.signal(Signal::SIGHUP);
    server.log.wait_for("cannot be read");
    client.assert_nothing_waits();
}

/// A pipe can be read once, and opening it again waits for a writer: the loop must not.
#[test]
fn sighup_reads_no_pipe_again() {
    let scratch = Scratch::new("pipes");
    let pipe = scratch.file("pipe");
    nix::unistd::mkfifo(pipe.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (flag, text) in [("oper-file", "ann:correct-horse\n"), ("motd", "hello\n")] {
        let plain = scratch.file(flag);
        std::fs::write(&plain, text).unwrap();
        let (server, mut client, file) = with_file(&format!("{flag} = \"{plain}\"\n"));
        file.write(&format!("{flag} = \"{pipe}\"\n"));
        server.signal(Signal::SIGHUP);
        let said = server.log.wait_for("configuration not reloaded");
        assert!(said.contains(&format!("--{flag}: {pipe}: not a regular file")), "{said}");
        client.assert_nothing_waits();
    }
    let endless = program(&["--motd", "/dev/zero", "0"], &[]);
    assert_eq!(endless.status.code(), Some(1));
    let said = String::from_utf8(endless.stderr).unwrap();
    assert!(said.contains("--motd: /dev/zero: it exceeds 1048576 bytes"), "{said}");
}

#[test]
fn sighup_without_a_file_is_said_and_the_chat_goes_on() {
    let server = Server::start(&[]);
    let mut client = server.join();
    server.signal(Signal::SIGHUP);
    server.log.wait_for("settings stay as they are");
    client.assert_nothing_waits();
}

#[test]
fn limits_that_come_with_sighup_hold_for_those_who_are_there() {
    let (server, mut client, file) = with_file("");
    file.write("idle-timeout = 1\n");
    server.signal(Signal::SIGHUP);
    assert!(client.rest().contains("--idle-timeout"));

    let mut client = server.join();
    file.write("flood-limit = 1\n");
    server.signal(Signal::SIGHUP);
    server.log.wait_for("flood-limit is now 1");
    client.send("/fence\n".repeat(12));
    for _ in 0..10 {
        assert!(texts::is_unknown_command(&client.line(), "fence"));
    }
    assert!(texts::names_limit(&client.line(), "--flood-limit"));
    file.write("");
    server.signal(Signal::SIGHUP);
    client.lines(2);
}

#[cfg(not(feature = "disk"))]
#[test]
fn without_the_feature_disk_the_error_names_it() {
    for arguments in [&["--data", "d", "0"][..], &["export", "--data", "d"]] {
        let output = program(arguments, &[]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("without the feature 'disk'"), "{error}");
    }
}

#[test]
fn a_host_and_a_port_are_understood_in_every_form() {
    for (arguments, host, port) in [
        (&["7000"][..], "127.0.0.1", 7000),
        (&["localhost:7000"], "localhost", 7000),
        (&["[::1]:7000"], "::1", 7000),
        (&["[::1]"], "::1", 7777),
        (&["::1", "7000"], "::1", 7000),
    ] {
        let shown = shown(arguments, &[]);
        let values = values(&shown);
        assert_eq!(values[..2], [format!("host = \"{host}\""), format!("port = {port}")]);
    }
    let environment = [("CHATLOOP_HOST", "[::1]:7000")];
    assert!(shown(&[], &environment).contains("\nport = 7000  # CHATLOOP_HOST\n"));
    assert!(shown(&["ada:1"], &environment).contains("\nport = 1  # command line\n"));
    let file = File::new("host = \"localhost:7000\"\nport = 1\n");
    for (arguments, error) in [
        (&["config", "localhost:1", "2"][..], "'localhost:1' and '2' both name a port"),
        (&["config", "--config", file.path()], "'localhost:7000' and '1' both name a port"),
        (&["[::1"], "no closing bracket"),
        (&["confg"], "did you mean 'config'?"),
        (&["--quiet", "exprot"], "did you mean 'export'?"),
    ] {
        let output = program(arguments, &[]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(error), "{told}");
    }
}

#[test]
fn every_program_takes_the_address_as_one_word() {
    let server = Server::start(&[]);
    let port = server.address.port().to_string();
    let lab = option_env!("CARGO_BIN_EXE_chatloop-lab");
    for word in [port.clone(), format!("127.0.0.1:{port}")] {
        let client: &[&str] = &["--plain", "--linger=0"];
        let swarm: &[&str] = &["swarm", "--clients=2", "--messages=1"];
        let client = (Some(env!("CARGO_BIN_EXE_chatloop-client")), client);
        for (program, flags) in [client, (lab, swarm)] {
            let Some(program) = program else { continue };
            let mut command = Command::new(program);
            let output = command.args(flags).arg(&word).stdin(Stdio::null()).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{output:?}");
        }
    }
}
