//! Inputs that users stumbled over, each with what is right.

use crate::common::{Client, Server, scratch::Scratch, texts};
use crate::irc::{PATIENT, ask, ask_bare, irc, line, server};
#[cfg(target_os = "linux")]
use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

const SERVER: &str = env!("CARGO_BIN_EXE_chatloop-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_chatloop-client");

/// Runs a program with this on its standard input.
fn fed(program: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_kill_names_its_victim_and_its_operator() {
    let server = server(&["--oper=root:open-sesame"]);
    let (mut oppy, mut victim) = (irc(&server, "oppy", ""), irc(&server, "victim", ""));
    oppy.send("OPER root open-sesame\r\n");
    while !line(&mut oppy).contains(" 381 ") {}
    oppy.send("KILL victim :bye\r\n");
    assert_eq!(line(&mut victim), ":oppy!~oppy@127.0.0.1 KILL victim :bye");
    assert!(line(&mut victim).starts_with("ERROR :"));
}

#[test]
fn chathistory_targets_counts_from_its_first_time() {
    let server = server(&[]);
    let _people: Vec<Client> = ["n0", "n1", "n2"].map(|nick| irc(&server, nick, "")).into();
    let mut alice = irc(&server, "alice", "batch server-time message-tags draft/chathistory");
    ask(&mut alice, "PRIVMSG n0 :first\nPRIVMSG n1 :second\nPRIVMSG n2 :third");
    let times = ["timestamp=2020-01-01T00:00:00.000Z", "timestamp=2038-01-01T00:00:00.000Z"];
    for ([one, other], found) in [(times, "n0"), ([times[1], times[0]], "n2")] {
        let told = ask(&mut alice, &format!("CHATHISTORY TARGETS {one} {other} 1"));
        let targets: Vec<&str> = told
            .iter()
            .filter_map(|line| line.split_once(" CHATHISTORY TARGETS "))
            .map(|it| it.1)
            .collect();
        assert!(targets.len() == 1 && targets[0].starts_with(found), "{told:?}");
    }
}

/// What a ban from the server takes, a ban from a room does, too.
#[test]
fn a_room_is_closed_to_a_network_and_to_an_account() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.join(), server.join());
    bob.ask("/nick bob", "known as bob");
    bob.ask("/register open-sesame", "account bob created");
    alice.ask("/join #den", "you joined #den");
    for (ban, shown, lifted) in
        [("127.9.9.9/8", "*!*@127.0.0.0/8", "127.0.0.0/8"), ("account:bob", "account bob", "a:BOB")]
    {
        alice.ask(&format!("/ban {ban}"), &format!("banned {shown} from #den"));
        bob.ask("/join #den", "you are banned from #den");
        alice.ask(&format!("/unban {lifted}"), &format!("unbanned {shown} from #den"));
    }
    alice.ask("/ban 10.0.0.0/8", "banned *!*@10.0.0.0/8 from #den");
    bob.ask("/join #den", "you joined #den");
}

/// A slip in a duration must not become the reason of a permanent ban.
#[test]
fn a_server_ban_with_a_slip_in_it_is_none() {
    let server = Server::start(&["--oper=root:open-sesame"]);
    let mut root = server.join();
    root.send("/oper root open-sesame\n");
    assert!(root.line().contains("server operator"));
    for slip in ["10x spam", "2hours", "-5m", "0s", "3", "99999999d spam"] {
        root.send(format!("/gban 192.0.2.1 {slip}\n"));
        let told = root.line();
        assert!(told.contains("invalid duration") && told.contains("5200w"), "{slip}: {told}");
    }
    root.send("/gban account:\n");
    assert!(root.line().contains("invalid account name"));
    root.send("/gban\n/gban 192.0.2.1 5200w spam 2x\n");
    assert!(root.line().contains("server bans: no entries"));
    assert!(root.line().contains("server ban added: 192.0.2.1 (until 21"));
}

#[test]
fn a_second_rename_is_refused_with_its_own_reason() {
    let server = server(&[]);
    let mut alice = irc(&server, "alice", "draft/channel-rename standard-replies");
    ask(&mut alice, "JOIN #c\nRENAME #c #d");
    let told = ask(&mut alice, "RENAME #d #e");
    let refusal = "FAIL RENAME CANNOT_RENAME #d #e :#d was renamed a moment ago; try again in ";
    assert!(told[0].contains(refusal), "{told:?}");
}

#[test]
fn every_request_of_an_irc_client_is_answered_with_the_right_numeric() {
    let server = server(&[]);
    let mut new = Client::connect(server.address);
    for (asked, told) in [
        ("NICK guest7", "433 * guest7 :Nickname is already in use"),
        ("NICK server", "433 * server :Nickname is already in use"),
        ("JOIN #c", "451 * :You have not registered"),
    ] {
        assert_eq!(ask_bare(&mut new, asked), [told]);
    }
    let mut ada = irc(&server, "ada", "");
    ask(&mut ada, "JOIN #c");
    for (asked, told) in [
        ("JOIN :", "461 ada JOIN :Not enough parameters"),
        ("PART ,,", "461 ada PART :Not enough parameters"),
        ("KICK #a,#b bob", "461 ada KICK :Not enough parameters"),
        ("KICK , bob", "461 ada KICK :Not enough parameters"),
        ("PRIVMSG ,, :x", "411 ada :No recipient given (PRIVMSG)"),
        ("PRIVMSG", "411 ada :No recipient given (PRIVMSG)"),
        ("MODE #c +t", "324 ada #c +nt"),
        ("NICK guest7", "433 ada guest7 :Nickname is already in use"),
    ] {
        let answers = ask_bare(&mut ada, asked);
        assert_eq!(answers[0], told, "{asked}: {answers:?}");
    }
    // A connection that has not said yet what it is, is one.
    let before = ask_bare(&mut ada, "LUSERS");
    let _silent = Client::connect(server.address);
    let _accepted_after_it = irc(&server, "bob", "");
    let after = ask_bare(&mut ada, "LUSERS");
    let unknown = |lines: &[String]| -> u32 {
        let line = lines.iter().find_map(|line| line.strip_prefix("253 ada ")).unwrap();
        line.split(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(unknown(&after), unknown(&before) + 1, "{after:?}");
}

#[test]
fn a_line_with_a_nul_is_rejected_aloud() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "standard-replies");
    let told = ask_bare(&mut ada, "PRIVMSG ada :a\0b");
    assert_eq!(told, ["FAIL * INVALID_LINE :Not sent: the line holds a NUL"]);
}

#[test]
fn the_capabilities_that_every_client_knows_stand_in_the_last_line() {
    let server = server(&[]);
    let mut client = Client::connect(server.address);
    let lines = ask(&mut client, "CAP LS 302");
    assert!(lines.iter().all(|line| line.len() <= 510), "{lines:?}");
    let (last, before) = lines.split_last().unwrap();
    for name in
        ["sasl=", "message-tags", "server-time", "batch", "labeled-response", "multi-prefix"]
    {
        assert!(last.contains(name), "{name} is not in {last}");
        assert!(before.iter().all(|line| !line.contains(&format!(" {name}"))), "{before:?}");
    }
}

#[test]
fn say_keeps_the_spaces() {
    let server = Server::start(&[]);
    let mut room = server.room(2);
    let name = room[0].name();
    room[0].send("/say   a  b /c \n");
    assert_eq!(room[1].line(), texts::said(&name, "  a  b /c "));
}

#[test]
fn a_byte_order_mark_is_no_part_of_what_follows_it() {
    let hash = fed(SERVER, &["hash"], "\u{feff}open-sesame\n");
    let oper = format!("--oper=root:{}", text(&hash.stdout).trim());
    let scratch = Scratch::new("mark");
    let motd = scratch.write("motd", "\u{feff}welcome\n");
    let server = server(&[&oper, "--motd", &motd]);
    let mut ada = irc(&server, "ada", "");
    let motd = ask_bare(&mut ada, "MOTD");
    assert!(motd.iter().any(|line| line == "372 ada :- welcome"), "{motd:?}");
    let mut plain = Client::connect(server.address);
    plain.send("\u{feff}/oper root open-sesame\n");
    loop {
        let line = plain.line();
        assert!(!line.contains("wrong") && !line.contains("not sent"), "{line}");
        if line.contains("server operator") {
            break;
        }
    }
    let (host, port) = (server.address.ip().to_string(), server.address.port().to_string());
    let script = fed(CLIENT, &[&host, &port, "--nick", "ann"], "\u{feff}/nick bot\nhello\n");
    assert!(script.status.success(), "{}", text(&script.stderr));
    while plain.chat_line() != "[bot]: hello" {}
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_said_and_a_closed_pipe_is_not() {
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    for arguments in [&["config"][..], &["hash"], &["--help"]] {
        for (out, code) in [(full(), 1), (Stdio::piped(), 0)] {
            let mut command = Command::new(SERVER);
            command.args(arguments).stdin(Stdio::piped()).stdout(out).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            // Closed before anything is written: a password has not been given yet.
            drop(child.stdout.take());
            child.stdin.take().unwrap().write_all(b"open-sesame\n").unwrap_or_default();
            let output = child.wait_with_output().unwrap();
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
            let line = "chatloop-server: could not write to standard output: ";
            assert_eq!(said.starts_with(line), code == 1, "{arguments:?}: {said}");
            assert_eq!(said.lines().count(), usize::from(code == 1), "{arguments:?}: {said}");
        }
    }
    let Some(lab) = option_env!("CARGO_BIN_EXE_chatloop-lab") else { return };
    let server = Server::start(&[]);
    let (host, port) = (server.address.ip().to_string(), server.address.port().to_string());
    let swarm = ["swarm", &host, &port, "-c", "3", "-m", "10", "--json"];
    let output = Command::new(lab).args(swarm).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn an_address_in_brackets_is_an_address() {
    if TcpListener::bind("[::1]:0").is_err() {
        return; // a machine without IPv6
    }
    let server = Server::start_on_host("[::1]", &[PATIENT]);
    let port = server.address.port().to_string();
    for host in ["::1", "[::1]"] {
        let output = fed(CLIENT, &[host, &port], "hi\n");
        assert!(output.status.success(), "{host}: {}", text(&output.stderr));
    }
}

#[test]
fn secrets_stand_in_no_transcript_and_in_no_printed_configuration() {
    let flags = ["--password=hush-hush", "--oper=root:open-sesame"];
    let output = Command::new(SERVER).arg("config").args(flags).output().unwrap();
    let shown = text(&output.stdout);
    assert!(shown.contains("# password is set: (not shown)  # command line"), "{shown}");
    assert!(shown.contains("# oper is set: root"), "{shown}");
    assert!(!shown.contains("hush") && !shown.contains("sesame"), "{shown}");
    let server = server(&[flags[1]]);
    server.log.wait_for("--oper is visible to every user of this machine");
    let mut ada = irc(&server, "ada", "");
    ask(&mut ada, "JOIN #lab\nMODE #lab +k open-door");
    let line = server.transcript.wait_for("the key of #lab");
    assert!(!line.contains("open-door"), "{line}");
    assert!(server.log.so_far().iter().all(|line| !line.contains("open-door")));
}

/// Commands that only plain lines had were a surprise to operators who came from `nc`.
#[test]
fn the_client_has_every_command_of_nc() {
    let server = Server::start(&[]);
    let mut nc = server.join();
    nc.send("/help all\n/help nick\n");
    let mut names = Vec::new();
    loop {
        let line = nc.line();
        let Some(row) = line.strip_prefix("* /") else { continue };
        if row == "nick NAME: change your nick" {
            break;
        }
        names.extend(row.split(' ').next().map(str::to_owned).filter(|it| !it.starts_with('/')));
    }
    assert!(names.len() > 50, "{names:?}");
    let questions: String = names.iter().map(|name| format!("/help {name}\n")).collect();
    let answers = fed(CLIENT, &[&server.address.to_string()], &questions);
    assert!(!text(&answers.stdout).contains("unknown command"), "{}", text(&answers.stdout));
}

/// As root in a container there is no `USER`: the second such client did not get in.
#[test]
fn clients_without_a_user_name_get_in_beside_each_other() {
    let server = server(&[]);
    let _others = [irc(&server, "guest", ""), irc(&server, "user", "")];
    for nick in [&[][..], &["--nick=guest"]] {
        let mut command = Command::new(CLIENT);
        command.arg(server.address.to_string()).args(nick).env_remove("USER").env_remove("LOGNAME");
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(text(&output.stdout).contains(" as user"), "{output:?}");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}
