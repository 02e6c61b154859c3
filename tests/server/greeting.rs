//! What a newcomer receives that has sent nothing yet: nothing before it is known what it speaks, and
//! then everything.

use crate::common::{Client, Server, texts};
use crate::irc::PATIENT;
use chatloop_reactor::Backend;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use std::time::Duration;

per_backend! {
    a_silent_newcomer_misses_no_word
}

/// A user who talks. A client that has connected before is accepted before this one is read.
fn talker(server: &Server, nick: &str) -> Client {
    let mut talker = Client::connect(server.address);
    talker.send(format!("/nick {nick}\n"));
    until_all_is_done(&mut talker);
    talker
}

/// Reads on until the server has carried out what the client has sent; what came until then.
fn until_all_is_done(client: &mut Client) -> Vec<String> {
    client.send("/fence\n");
    let mut lines = Vec::new();
    loop {
        let line = client.line();
        if texts::is_unknown_command(&line, "fence") {
            return lines;
        }
        lines.push(line);
    }
}

/// Says something, and waits until it has been told.
fn say(client: &mut Client, lines: &[&str]) {
    client.send(lines.join("\n") + "\n");
    until_all_is_done(client);
}

fn a_silent_newcomer_misses_no_word(backend: Backend) {
    let server = Server::on(backend, &["--greeting-delay=150"]);
    let mut tom = talker(&server, "tom");
    say(&mut tom, &["before"]);
    let mut listener = Client::connect(server.address);
    // It has been accepted when the one behind it has.
    let ann = talker(&server, "ann");
    tom.send("one\n");
    tom.send("two\n");
    // On a slow machine ann may have come after it.
    let heard: Vec<String> = (0..5).map(|_| listener.chat_line()).collect();
    assert!(texts::is_some_welcome(&heard[0]), "{heard:?}");
    assert!(heard[2].ends_with(&texts::said("tom", "before")), "{heard:?}");
    assert_eq!(heard[3..], [texts::said("tom", "one"), texts::said("tom", "two")]);
    listener.assert_nothing_waits();
    drop(ann);
}

#[test]
fn what_was_said_meanwhile_comes_once_and_after_the_past() {
    let server = Server::start(&[PATIENT]);
    let mut tom = talker(&server, "tom");
    say(&mut tom, &["before"]);
    let mut listener = Client::connect(server.address);
    let _ann = talker(&server, "ann");
    say(&mut tom, &["one", "/me waves", "/join #elsewhere", "not for the lobby", "@#lobby two"]);
    listener.send("hello\n");
    let heard = until_all_is_done(&mut listener);
    // Neither ann's arrival nor anything else that no one has said.
    assert_eq!(heard.len(), 6, "{heard:?}");
    assert!(texts::is_some_welcome(&heard[0]), "{heard:?}");
    assert!(heard[2].ends_with(&texts::said("tom", "before")), "{heard:?}");
    assert_eq!(heard[3..], ["[tom]: one", "[tom] waves", "[tom]: two"]);
}

#[test]
fn an_irc_client_gets_none_of_it() {
    let server = Server::start(&[PATIENT]);
    let mut tom = talker(&server, "tom");
    let mut irc = Client::connect(server.address);
    let _ann = talker(&server, "ann");
    say(&mut tom, &["one", "two"]);
    irc.send("NICK ada\r\nUSER ada 0 * :Ada\r\n");
    let first = irc.line();
    assert!(first.contains(" 001 ada :"), "{first:?}");
}

/// A poller reports so many at a time; a client that is not among them has spoken all the same.
#[test]
fn words_that_are_not_read_yet_when_the_delay_is_over_count() {
    const OTHERS: usize = 1_100;
    const DELAY: Duration = Duration::from_millis(300);
    let server = Server::start(&["--greeting-delay=300"]);
    let mut others: Vec<Client> = (0..OTHERS)
        .map(|number| {
            let mut other = Client::connect(server.address);
            other.send(format!("NICK n{number}\r\nUSER u 0 * :u\r\n"));
            assert!(other.line().contains(" 001 "));
            other
        })
        .collect();
    let mut late = loop {
        let mut late = Client::connect(server.address);
        let _accepted_after_it = talker(&server, "tom");
        server.signal(Signal::SIGSTOP);
        waitpid(server.pid(), Some(WaitPidFlag::WUNTRACED)).unwrap();
        if late.line_within(Duration::from_millis(1)).is_none() {
            break late;
        }
        // On a slow machine its time was over before.
        server.signal(Signal::SIGCONT);
    };
    for other in &mut others {
        other.send("PING :busy\r\n");
    }
    late.send("NICK late\r\nUSER u 0 * :u\r\n");
    // The time itself, while the server stands still.
    std::thread::sleep(DELAY);
    server.signal(Signal::SIGCONT);
    let first = late.line();
    assert!(first.contains(" 001 late :"), "{first:?}");
}

#[test]
fn much_noise_ends_the_silence() {
    let server = Server::start(&[PATIENT, "--outbox-soft=4k", "--history-on-join=0"]);
    let mut tom = talker(&server, "tom");
    let mut listener = Client::connect(server.address);
    let _ann = talker(&server, "ann");
    let lines: Vec<String> = (0..200).map(|number| format!("{number:0>60}")).collect();
    say(&mut tom, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(texts::is_some_welcome(&listener.line()));
    for line in &lines {
        assert_eq!(listener.line(), texts::said("tom", line));
    }
}

#[test]
fn who_is_nobody_yet_gets_the_goodbye_alone() {
    let mut server = Server::start(&[PATIENT]);
    let mut tom = talker(&server, "tom");
    let mut listener = Client::connect(server.address);
    let _ann = talker(&server, "ann");
    say(&mut tom, &["one"]);
    server.signal(Signal::SIGTERM);
    let rest = listener.rest();
    assert!(texts::is_goodbye(&rest) && rest.lines().count() == 1, "{rest:?}");
    assert!(server.ended().success());
}

#[test]
fn a_plain_peer_is_nobody_before_it_has_given_the_password() {
    let server = Server::start(&[PATIENT, "--password=open sesame", "--history-on-join=5"]);
    let enter = |nick: &str| {
        let mut client = Client::connect(server.address);
        client.send(format!("/pass open sesame\n/nick {nick}\n"));
        assert!(client.line().contains("/pass PASSWORD"));
        until_all_is_done(&mut client);
        client
    };
    let mut tom = enter("tom");
    let mut mallory = Client::connect(server.address);
    mallory.send("hello\n");
    assert!(mallory.line().contains("/pass PASSWORD"));
    say(&mut tom, &["secret"]);
    mallory.send("/who\n/pass wrong\n");
    let rest = mallory.rest();
    assert!(!rest.contains("tom") && !rest.contains("secret"), "{rest}");
    assert!(texts::is_goodbye(rest.lines().last().unwrap()), "{rest}");
    // No one was told of it.
    tom.assert_nothing_waits();
    let mut irc = Client::connect(server.address);
    irc.send("NICK ada\r\nUSER ada 0 * :Ada\r\n");
    // PASS may still come.
    assert!(irc.line().contains(" 464 ada :This server requires a password"));
    irc.send("JOIN #lobby\r\nPASS wrong\r\n");
    let rest = irc.rest();
    assert!(rest.contains(" 451 ada :") && rest.contains(" 464 ada "), "{rest}");
    let mut late = Client::connect(server.address);
    late.send("CAP LS 302\r\nNICK tom\r\nUSER tom 0 * :T\r\n");
    assert!(late.line().contains(" CAP "));
    late.send("CAP END\r\nPASS wrong\r\n");
    // That the nick is in use is for those who know the password.
    let rest = late.rest();
    assert!(rest.contains(" 464 tom ") && !rest.contains(" 433 "), "{rest}");
}

#[test]
fn who_can_give_no_password_any_more_is_not_waited_for() {
    let server = Server::start(&[PATIENT, "--password=open sesame"]);
    let mut mallory = Client::connect(server.address);
    mallory.send("hello\n");
    assert!(mallory.line().contains("/pass PASSWORD"));
    mallory.half_close();
    let rest = mallory.rest();
    assert!(texts::is_goodbye(rest.lines().last().unwrap()), "{rest}");
}
