//! Does the room behave: who comes and goes, who receives what, in which order?

use crate::common::{Client, Server, texts};
use chatloop_reactor::Backend;
use std::io::Write;
use std::time::{Duration, Instant};

per_backend! {
    coming_and_going_is_told_with_the_count
    a_line_reaches_everyone_else_and_never_its_sender
    everyone_hears_the_same_order
    pieces_are_put_together_and_segments_taken_apart
    a_last_line_without_newline_counts_and_its_sender_still_hears
    a_peer_that_closes_is_noticed_at_once
    a_broken_connection_is_told_as_an_error
    a_killed_client_leaves_no_half_command
}

fn coming_and_going_is_told_with_the_count(backend: Backend) {
    let server = Server::on(backend, &[]);
    let mut first = Client::connect(server.address);
    let welcome = first.line();
    assert!(texts::is_welcome(&welcome, 1), "{welcome}");
    let mut second = Client::connect(server.address);
    let (welcome, entry) = (second.line(), first.line());
    assert!(texts::is_welcome(&welcome, 2), "{welcome}");
    assert!(texts::is_entry(&entry, &second.name(), 2), "{entry}");
    let mut third = server.join();
    for client in [&mut first, &mut second] {
        let entry = client.line();
        assert!(texts::is_entry(&entry, &third.name(), 3), "{entry}");
    }
    second.send("/quit\n");
    let goodbye = second.line();
    assert!(texts::is_goodbye(&goodbye), "{goodbye}");
    assert_eq!(second.rest(), "");
    for client in [&mut first, &mut third] {
        let departure = client.line();
        assert!(texts::is_departure(&departure, &second.name(), 2), "{departure}");
    }
    // It has read everything: to close with something unread is a reset, and so an error.
    let name = third.name();
    drop(third);
    let departure = first.line();
    assert!(texts::is_departure(&departure, &name, 1), "{departure}");
    first.assert_nothing_waits();
}

fn a_line_reaches_everyone_else_and_never_its_sender(backend: Backend) {
    let server = Server::on(backend, &[]);
    let mut room = server.room(4);
    for speaker in 0..room.len() {
        let text = format!("this is number {speaker}");
        room[speaker].send(format!("{text}\n"));
        let expected = texts::said(&room[speaker].name(), &text);
        for listener in (0..room.len()).filter(|listener| *listener != speaker) {
            assert_eq!(room[listener].line(), expected);
        }
    }
    room.iter_mut().for_each(Client::assert_nothing_waits);
}

/// Four talk at once, from four threads. What each of them receives is what the two who are silent
/// receive, without its own lines; and each one's lines are in the order they were said.
fn everyone_hears_the_same_order(backend: Backend) {
    const SPEAKERS: usize = 4;
    const LINES: usize = 150;
    let server = Server::on(backend, &[]);
    let mut room = server.room(SPEAKERS + 2);
    std::thread::scope(|scope| {
        for speaker in &room[..SPEAKERS] {
            let mut socket = speaker.writer();
            scope.spawn(move || {
                for number in 0..LINES {
                    writeln!(socket, "line {number}").unwrap();
                }
            });
        }
    });
    let heard: Vec<Vec<String>> = room
        .iter_mut()
        .enumerate()
        .map(|(place, client)| {
            client.lines(if place < SPEAKERS { SPEAKERS - 1 } else { SPEAKERS } * LINES)
        })
        .collect();
    let everything = &heard[SPEAKERS];
    assert_eq!(everything, &heard[SPEAKERS + 1]);
    for (speaker, client) in room[..SPEAKERS].iter().enumerate() {
        let mark = texts::said(&client.name(), "");
        let (own, others): (Vec<&String>, Vec<&String>) =
            everything.iter().partition(|line| line.starts_with(&mark));
        assert_eq!(others, heard[speaker].iter().collect::<Vec<_>>());
        let said: Vec<String> = (0..LINES).map(|number| format!("{mark}line {number}")).collect();
        assert_eq!(own, said.iter().collect::<Vec<_>>());
    }
}

fn pieces_are_put_together_and_segments_taken_apart(backend: Backend) {
    let server = Server::on(backend, &[]);
    let mut room = server.room(2);
    let name = room[0].name();
    let mut heard = Vec::new();
    // An answer to someone else between two pieces: the server meets them one by one.
    for piece in ["one li", "ne in ", "pieces\r", "\ntwo lines\nin one segment\n/wh", "o\nend\n"] {
        room[0].send(piece);
        room[1].send("/fence\n");
        loop {
            let line = room[1].line();
            if texts::is_unknown_command(&line, "fence") {
                break;
            }
            heard.push(line);
        }
    }
    while heard.len() < 4 {
        heard.push(room[1].line());
    }
    let said = ["one line in pieces", "two lines", "in one segment", "end"];
    assert_eq!(heard, said.map(|text| texts::said(&name, text)));
    let answer = room[0].line();
    assert!(answer.contains("2 users"), "a command in pieces is one: {answer}");
}

#[test]
fn lines_are_whole_however_they_are_cut() {
    let server = Server::start(&[]);
    let mut room = server.room(2);
    let name = room[0].name();
    for (number, cut) in (1..18).enumerate() {
        let lines = format!("first {number:2} line\r\nsecond\n");
        let (before, after) = lines.split_at(cut);
        room[0].send(before);
        room[0].send(after);
        assert_eq!(room[1].line(), texts::said(&name, &format!("first {number:2} line")));
        assert_eq!(room[1].line(), texts::said(&name, "second"));
    }
}

fn a_last_line_without_newline_counts_and_its_sender_still_hears(backend: Backend) {
    let server = Server::on(backend, &[]);
    let mut room = server.room(3);
    let name = room[0].name();
    room[0].send("first\nlast without newline");
    room[0].half_close();
    for listener in &mut room[1..] {
        assert_eq!(listener.line(), texts::said(&name, "first"));
        assert_eq!(listener.line(), texts::said(&name, "last without newline"));
    }
    let speaker = room[1].name();
    for number in 0..50 {
        room[1].send(format!("answer {number}\n"));
        let expected = texts::said(&speaker, &format!("answer {number}"));
        let mut line = room[0].line();
        while texts::is_input_end(&line) {
            line = room[0].line();
        }
        assert_eq!(line, expected);
        assert_eq!(room[2].line(), expected);
    }
    // To close the other half sends nothing; only the next words can find out.
    drop(room.remove(0));
    loop {
        room[0].send("anyone?\n");
        let line = room[1].line();
        if texts::is_some_departure(&line) {
            assert!(texts::is_departure(&line, &name, 2), "{line}");
            break;
        }
        assert_eq!(line, texts::said(&speaker, "anyone?"));
    }
}

fn a_peer_that_closes_is_noticed_at_once(backend: Backend) {
    let server = Server::on(backend, &[]);
    let mut watcher = server.join();
    for said in ["", "a last word\n", "a last word"] {
        let mut client = server.join();
        let (name, entry) = (client.name(), watcher.line());
        assert!(texts::is_entry(&entry, &name, 2), "{entry}");
        client.send(said);
        drop(client);
        let start = Instant::now();
        if !said.is_empty() {
            assert_eq!(watcher.line(), texts::said(&name, said.trim_end()));
        }
        let departure = watcher.line();
        assert!(texts::is_departure(&departure, &name, 1), "{departure}");
        // Milliseconds really; but a machine may be busy.
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}

fn a_broken_connection_is_told_as_an_error(backend: Backend) {
    let server = Server::on(backend, &[]);
    let mut watcher = server.join();
    let client = server.join();
    let name = client.name();
    watcher.line();
    client.reset();
    let departure = watcher.line();
    assert!(texts::is_failure(&departure, &name, 1), "{departure}");
}

fn a_killed_client_leaves_no_half_command(backend: Backend) {
    let server = Server::on(backend, &[]);
    let mut watcher = server.join();
    for half in ["/", "/qui", "/who", "//"] {
        let mut client = server.join();
        let name = client.name();
        watcher.line();
        client.send(half);
        drop(client); // what the system does for a process that is killed
        let mut line = watcher.line();
        if half == "//" {
            assert_eq!(line, texts::said(&name, "/"), "a last line counts");
            line = watcher.line();
        }
        assert!(texts::is_some_departure(&line) && line.contains(&name), "{half}: {line}");
    }
    watcher.assert_nothing_waits();
}

#[test]
fn commands_are_answered_to_their_sender_only() {
    let server = Server::start(&[]);
    let mut room = server.room(2);
    let name = room[0].name();
    room[0].send("/help all\n/fence\n");
    let mut help = String::new();
    loop {
        let line = room[0].line();
        if texts::is_unknown_command(&line, "fence") {
            break;
        }
        assert!(line.starts_with("* "), "{line}");
        help += &line;
    }
    for command in ["/help", "/who", "/quit", "//"] {
        assert!(help.contains(command), "{command} is not in {help}");
    }
    room[0].send("/who\n");
    let who = room[0].lines(3).concat();
    for expected in ["2 users", &name, &room[1].name()] {
        assert!(who.contains(expected), "{expected} is not in {who}");
    }
    room[0].send("/frobnicate now\n//me waves\n");
    let refusal = room[0].line();
    assert!(texts::is_unknown_command(&refusal, "frobnicate"), "{refusal}");
    assert_eq!(room[1].line(), texts::said(&name, "/me waves"));
    room.iter_mut().for_each(Client::assert_nothing_waits);
}

#[test]
fn a_question_between_two_lines_holds_up_neither() {
    let server = Server::start(&[]);
    let mut room = server.room(2);
    let name = room[0].name();
    room[0].send("hello\n/who\nthere\n");
    assert!(room[0].lines(3)[0].contains("2 users"));
    assert_eq!(room[1].line(), texts::said(&name, "hello"));
    assert_eq!(room[1].line(), texts::said(&name, "there"));
}

/// What is sent in one segment with `/quit` is received; what comes behind it is not.
#[test]
fn nothing_counts_after_quit() {
    let server = Server::start(&[]);
    let mut room = server.room(2);
    let name = room[0].name();
    room[0].send("before\n/quit\nafter\n");
    assert_eq!(room[1].line(), texts::said(&name, "before"));
    let departure = room[1].line();
    assert!(texts::is_departure(&departure, &name, 1), "{departure}");
    let rest = room[0].rest();
    assert!(texts::is_goodbye(rest.trim_end()), "{rest}");
    room[1].assert_nothing_waits();
}

#[test]
fn the_room_is_one_for_both_families() {
    // A machine without IPv6 has nothing to test here.
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let server = Server::start_on_host("::", &[]);
    let port = server.address.port();
    let mut first = Client::connect(([127, 0, 0, 1], port).into());
    first.line();
    let mut second = Client::connect((std::net::Ipv6Addr::LOCALHOST, port).into());
    second.line();
    let entry = first.line();
    assert!(texts::is_entry(&entry, &second.name(), 2), "{entry}");
    first.send("hello\n");
    assert_eq!(second.line(), texts::said(&first.name(), "hello"), "127.0.0.1, not ::ffff:…");
}
