//! Does bad input harm no one but its sender, and its sender little?

use crate::common::{Client, Server, texts};
use chatloop_reactor::Backend;

per_backend! {
    a_line_over_the_limit_is_refused_and_the_connection_kept
    an_endless_line_costs_no_memory
}

fn a_line_over_the_limit_is_refused_and_the_connection_kept(backend: Backend) {
    let server = Server::on(backend, &[]);
    let mut room = server.room(2);
    let name = room[0].name();
    let longest = "x".repeat(4096);
    for (line, fits) in [
        (format!("{longest}\n"), true),
        (format!("{longest}\r\n"), true),
        (format!("{longest}y\n"), false),
        (format!("{longest}{longest}{longest}\r\n"), false),
    ] {
        room[0].send(&line);
        room[0].send("next\n");
        if fits {
            assert_eq!(room[1].line(), texts::said(&name, &longest));
        } else {
            let refusal = room[0].line();
            assert!(texts::names_limit(&refusal, "--max-line"), "{refusal}");
            assert!(refusal.contains("4 KiB") || refusal.contains("4096"), "{refusal}");
        }
        assert_eq!(room[1].line(), texts::said(&name, "next"));
    }
    room.iter_mut().for_each(Client::assert_nothing_waits);
}

/// Eight megabytes without a newline: one complaint, no memory, and the next line is received.
fn an_endless_line_costs_no_memory(backend: Backend) {
    const PIECE: usize = 64 * 1024;
    let server = Server::on(backend, &["--max-line", "100"]);
    let mut room = server.room(2);
    let name = room[0].name();
    room[0].send(vec![b'x'; PIECE]);
    let refusal = room[0].line();
    assert!(texts::names_limit(&refusal, "--max-line"), "{refusal}");
    assert!(refusal.contains("100 bytes"), "{refusal}");
    #[cfg(target_os = "linux")]
    let before = crate::common::resident_memory(&server);
    for _ in 0..128 {
        room[0].send(vec![b'x'; PIECE]);
    }
    room[0].send("\nheard\n");
    assert_eq!(room[1].line(), texts::said(&name, "heard"));
    #[cfg(target_os = "linux")]
    {
        let grown = crate::common::resident_memory(&server).saturating_sub(before);
        assert!(grown < 1 << 20, "{grown} bytes more for an endless line");
    }
    room.iter_mut().for_each(Client::assert_nothing_waits);
}

#[test]
fn the_longest_line_that_can_be_asked_for_is_taken() {
    let server = Server::start(&["--max-line", "32k"]);
    let mut room = server.room(2);
    let name = room[0].name();
    let longest = "y".repeat(32 * 1024);
    for _ in 0..4 {
        room[0].send(format!("{longest}\r\n"));
        assert_eq!(room[1].line(), texts::said(&name, &longest));
    }
}

#[test]
fn a_long_last_line_is_refused_too() {
    let server = Server::start(&["--max-line", "10"]);
    let mut room = server.room(2);
    room[0].send("12345678901");
    room[0].half_close();
    let refusal = room[0].line();
    assert!(texts::names_limit(&refusal, "--max-line"), "{refusal}");
    room[1].assert_nothing_waits();
}

#[test]
fn a_strangers_bytes_are_made_harmless() {
    let server = Server::start(&[]);
    let mut room = server.room(2);
    let name = room[0].name();
    let cases: [(&[u8], &str); 8] = [
        (b"caf\xe9 \xff\xfe\n", "caf\u{fffd} \u{fffd}\u{fffd}"),
        (b"\x1b[2J\x1b]0;title\x07\n", "\u{241b}[2J\u{241b}]0;title\u{2407}"),
        (b"nul\0in the middle\n", "nul\u{2400}in the middle"),
        (b"\0\n", "\u{2400}"),
        (b"over\rwritten\n", "over\u{240d}written"),
        (b"\xc2\x9b31m\n", "\u{fffd}31m"),
        (b"tab\tstays\n", "tab\tstays"),
        ("grüße 你好 👩‍🚀\n".as_bytes(), "grüße 你好 👩‍🚀"),
    ];
    for (sent, seen) in cases {
        room[0].send(sent);
        assert_eq!(room[1].line(), texts::said(&name, seen));
    }
    // A character in two segments is one character.
    for piece in ["gr".as_bytes(), b"\xc3", b"\xbc\xc3", b"\x9fe\n"] {
        room[0].send(piece);
    }
    assert_eq!(room[1].line(), texts::said(&name, "grüße"));
    // What is repeated to the sender is harmless, too.
    room[0].send(b"/\x1b[31m\n");
    assert!(!room[0].line().contains('\x1b'));
}

#[test]
fn plain_style_ignores_empty_lines() {
    let server = Server::start(&[]);
    let mut room = server.room(2);
    let name = room[0].name();
    room[0].send("\n\r\n\n\nstill here\n\n");
    assert_eq!(room[1].line(), texts::said(&name, "still here"));
    room.iter_mut().for_each(Client::assert_nothing_waits);
}

#[test]
fn classic_style_is_that_of_the_course_project_byte_for_byte() {
    let server = Server::start(&["--style", "classic"]);
    let mut first = Client::connect(server.address);
    let welcome = first.line();
    assert!(welcome.starts_with("\r\x1b[34;1m") && welcome.contains("1 user online"), "{welcome}");
    first.exactly("\x1b[0m");
    let mut second = Client::connect(server.address);
    first.exactly(&texts::classic::entered(&second.name(), "2 users"));
    assert!(second.line().contains("2 users online"));
    second.exactly("\x1b[0m");
    second.send("hello\n");
    first.exactly(&texts::classic::said(&second.name(), "hello"));
    first.send("hello yourself\r\n");
    second.exactly(&texts::classic::said(&first.name(), "hello yourself"));
    // A lone newline means goodbye.
    second.send("\n");
    first.exactly(&texts::classic::left(&second.name(), "1 user"));
    assert!(second.rest().contains("goodbye"));
    let third = Client::connect(server.address);
    first.exactly(&texts::classic::entered(&third.name(), "2 users"));
    let name = third.name();
    third.reset();
    first.exactly(&texts::classic::failed(&name, "1 user"));
}
