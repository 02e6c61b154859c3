//! Accounts as an operator manages them, who may have one, and the rooms that stay with them.

use crate::common::{Client, Server, scratch::Scratch, told};
use crate::irc::{self, ask_bare};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn start(scratch: &Scratch, flags: &[&str]) -> Server {
    Server::start(&[&["--data", scratch.path(), "--oper", "root:operator"], flags].concat())
}

/// `chatloop-server passwd`, with a password on stdin.
fn passwd(data: &Path, arguments: &[&str], password: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
        .args(["passwd", "--data", data.to_str().unwrap()])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have found out already that it needs none.
    let _ = writeln!(child.stdin.take().unwrap(), "{password}");
    child.wait_with_output().unwrap()
}

#[test]
fn a_lost_password_is_replaced_with_and_without_a_running_server() {
    let scratch = Scratch::new("lost");
    let server = start(&scratch, &[]);
    let mut alice = server.join();
    alice.ask("/nick alice", "you are now known as alice");
    alice.ask("/register sesame", "account alice created");
    alice.ask("/account", "only server operators");
    let mut root = server.join();
    root.ask("/oper root operator", "server operator");
    root.ask("/account add bob hunter22", "account bob created");
    root.ask("/account", "2 registered accounts");
    let lines = root.lines(2);
    assert!(lines[0].contains("alice: since") && lines[0].contains("1 session"), "{lines:?}");
    assert!(lines[1].contains("bob: since") && lines[1].contains("never logged in"), "{lines:?}");
    root.ask("/account reset alice another1", "account alice has a new password");
    alice.until("logged out");
    server.log.wait_for("account bob created");
    server.log.wait_for("account alice: password reset");

    let refused = passwd(&scratch.0, &["alice"], "different");
    assert!(told(&refused).contains("/account"), "{refused:?}");
    assert_eq!(refused.status.code(), Some(1));
    server.stop();

    assert!(told(&passwd(&scratch.0, &["carol"], "different")).contains("no such account: carol"));
    assert!(told(&passwd(&scratch.0, &["alice"], "short")).contains("at least 6"));
    let done = passwd(&scratch.0, &["alice"], "different");
    assert!(done.status.success() && told(&done).contains("alice has a new password"), "{done:?}");
    let made = passwd(&scratch.0, &["carol", "--add"], "carol's1");
    assert!(made.status.success() && told(&made).contains("carol created"), "{made:?}");
    let server = start(&scratch, &[]);
    let mut alice = server.join();
    alice.ask("/login alice another1", "wrong name or password");
    alice.ask("/login alice different", "logged in as alice");
    let mut carol = server.join();
    carol.ask("/login carol carol's1", "logged in as carol");
}

#[test]
fn an_erased_account_leaves_no_message_in_the_history_or_in_the_file() {
    let scratch = Scratch::new("erased");
    let server = start(&scratch, &[]);
    let mut alice = server.join();
    alice.ask("/nick alice", "you are now known as alice");
    alice.ask("/register sesame", "account alice created");
    for number in 0..600 {
        alice.send(format!("secret-word {number}\n"));
    }
    let mut root = server.join();
    root.ask("/oper root operator", "server operator");
    let mut bob = server.join();
    bob.send("/history 500\n");
    while !bob.chat_line().contains("secret-word 599") {}
    root.ask("/account delete alice erase", "alice deleted");
    // Also while the erasure is under way.
    root.ask("/history 500", "history of #lobby: no messages");
    root.ask("/search secret", "search for \"secret\": no messages");
    alice.ask("/login alice sesame", "wrong name or password");
    server.stop();
    for file in ["chatloop.db", "chatloop.db-wal"] {
        let bytes = std::fs::read(scratch.0.join(file)).unwrap_or_default();
        let words = bytes.windows(11).filter(|it| it == b"secret-word").count();
        assert_eq!(words, 0, "{file}");
    }
}

#[test]
fn registration_may_be_for_operators_or_closed() {
    let server = Server::start(&["--registration", "operators", "--oper", "root:operator"]);
    let mut alice = server.join();
    alice.ask("/nick alice", "you are now known as alice");
    alice.ask("/register sesame", "--registration operators");
    let mut root = server.join();
    root.ask("/oper root operator", "server operator");
    root.ask("/account add alice sesame", "created");
    alice.ask("/login alice sesame", "logged in");

    let server = irc::server(&["--registration", "closed", "--oper", "root:operator"]);
    let mut root = Client::connect(server.address);
    ask_bare(&mut root, "NICK root\nUSER u 0 * :u");
    let refused = ask_bare(&mut root, "REGISTER * * sesame");
    assert!(refused[0].starts_with("FAIL REGISTER DISALLOWED"), "{refused:?}");
    ask_bare(&mut root, "OPER root operator");
    let refused = ask_bare(&mut root, "ACCOUNT ADD bob sesame");
    assert!(refused[0].contains("--registration closed"), "{refused:?}");
}

#[test]
fn an_operator_manages_accounts_from_an_irc_client() {
    let server = irc::server(&["--oper", "root:operator"]);
    let mut root = Client::connect(server.address);
    ask_bare(&mut root, "NICK root\nUSER u 0 * :u");
    assert!(ask_bare(&mut root, "ACCOUNT LIST")[0].starts_with("481 "));
    ask_bare(&mut root, "OPER root operator");
    for (line, answer) in [
        ("ACCOUNT ADD bob sesame", "account bob created"),
        ("ACCOUNT ADD bob sesame", "already exists"),
        ("ACCOUNT RESET bob another1", "has a new password"),
        ("ACCOUNT LIST", "bob: since"),
        ("ACCOUNT DELETE bob ERASE", "with its messages and files"),
        ("ACCOUNT DELETE bob", "no such account"),
    ] {
        let told = ask_bare(&mut root, line);
        assert!(told[0].contains(answer), "{line}: {told:?}");
    }
}

#[test]
fn a_server_may_require_an_account() {
    let scratch = Scratch::new("required");
    assert!(passwd(&scratch.0, &["alice", "--add"], "sesame").status.success());
    let server = start(&scratch, &["--require-account"]);
    let mut alice = Client::connect(server.address);
    alice.until("requires an account: /login NAME PASSWORD");
    alice.ask("hello", "requires an account");
    alice.ask("/login alice millet", "you are not logged in");
    alice.send("/IDENTIFY alice sesame\n");
    alice.until("connected as alice");

    let mut eve = Client::connect(server.address);
    eve.line();
    eve.send("/login alice\n/login alice wrong pass\nhello\n");
    assert!(eve.rest().ends_with("goodbye: a password is required\n"));

    let server = irc::server(&["--require-account"]);
    let mut eve = Client::connect(server.address);
    eve.send("NICK eve\r\nUSER u 0 * :u\r\n");
    let rest = eve.rest();
    assert!(rest.contains("FAIL * ACCOUNT_REQUIRED_TO_CONNECT"), "{rest}");
    assert!(rest.contains("ERROR :"), "{rest}");
}

/// A user who is no longer logged in does not stay as a guest.
#[test]
fn where_an_account_is_required_a_logout_ends_the_session() {
    let server = Server::start(&["--require-account", "--oper=root:correct-horse"]);
    let mut bob = Client::connect(server.address);
    bob.ask("/register bob open-sesame", "connected as bob");
    let mut other = Client::connect(server.address);
    other.ask("/login bob open-sesame", "connected as");
    let mut root = Client::connect(server.address);
    root.ask("/register root open-sesame", "connected as root");
    bob.ask("/password open-sesame other-sesame", "password changed");
    let farewell = "you are logged out, and this server requires an account";
    assert!(other.rest().contains(farewell));
    root.until("quit (logged out)");
    root.ask("/oper root correct-horse", "you are now a server operator");
    root.send("/account delete bob\n");
    assert!(bob.rest().contains(farewell));
    root.send("/logout\n");
    assert!(root.rest().contains(farewell));
}

#[test]
fn a_newcomer_registers_where_an_account_is_required() {
    let server = Server::start(&["--require-account"]);
    let mut bob = Client::connect(server.address);
    bob.until("an account: /login NAME PASSWORD, or /register NAME PASSWORD");
    bob.ask("/register bob short", "password too short");
    bob.ask("/register bob open-sesame", "account bob created");
    bob.until("connected as bob");
    let mut eve = Client::connect(server.address);
    eve.ask("/register bob open-sesame", "already exists");
    eve.until("you are not logged in");

    let server = Server::start(&["--require-account", "--registration=operators"]);
    let mut eve = Client::connect(server.address);
    assert!(eve.line().ends_with("/login NAME PASSWORD"));
    eve.ask("/register eve open-sesame", "requires an account");

    let server = irc::server(&["--require-account"]);
    let mut carol = Client::connect(server.address);
    let told = ask_bare(&mut carol, "CAP LS 302\nREGISTER * * open-sesame\nNICK carol");
    assert!(told[0].contains("draft/account-registration=before-connect "), "{told:?}");
    assert!(told.last().unwrap().starts_with("FAIL REGISTER NEED_NICK * "), "{told:?}");
    let told = ask_bare(&mut carol, "REGISTER * * open-sesame");
    assert_eq!(told[0], "REGISTER SUCCESS carol :Account created");
    assert!(told[1].starts_with("900 carol carol!*@* carol "), "{told:?}");
    let told = ask_bare(&mut carol, "USER c 0 * :c\nCAP END");
    assert!(told[0].starts_with("001 carol "), "{told:?}");
    let mut late = Client::connect(server.address);
    let told = ask_bare(&mut late, "CAP LS 302\nNICK carol\nREGISTER * * open-sesame");
    assert!(told.last().unwrap().starts_with("FAIL REGISTER ACCOUNT_EXISTS carol "), "{told:?}");
}

/// A mistyped directory is not filled with an empty chat.
#[test]
fn a_password_makes_no_database() {
    let scratch = Scratch::new("nothing");
    let place = scratch.path();
    for (arguments, why) in [
        (&["passwd", "ann", "--data", place][..], "there is no database"),
        (&["passwd", "a.nn", "--add", "--data", place], "invalid account name 'a.nn'"),
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_chatloop-server"));
        let output = command.args(arguments).stdin(std::process::Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains(why), "{output:?}");
        assert_eq!(std::fs::read_dir(place).unwrap().count(), 0);
    }
}

#[test]
fn a_registered_room_keeps_its_topic_its_operators_and_its_bans() {
    let scratch = Scratch::new("rooms");
    let server = start(&scratch, &["--rooms-per-account", "1"]);
    let mut alice = server.join();
    alice.ask("/nick alice", "you are now known as alice");
    alice.ask("/register sesame", "account alice created");
    alice.ask("/join #dev", "you are an operator");
    alice.ask("/topic ours", "set the topic");
    alice.ask("/ban eve", "banned eve");
    alice.send("first words\n");
    let second = alice.ask("/join #tmp", "#tmp is temporary");
    assert!(second.contains("--rooms-per-account"), "{second}");
    alice.send("/quit\n");
    alice.until_over();
    server.stop();
    let server = start(&scratch, &[]);
    let mut alice = server.join();
    alice.ask("/login alice sesame", "logged in as alice");
    alice.ask("/join #dev", "you are an operator); topic: ours");
    alice.until("history of #dev: 1 message");
    alice.until("first words");
    alice.ask("/ban", "1 entry");
    alice.ask("/rooms", "2 rooms");
}
