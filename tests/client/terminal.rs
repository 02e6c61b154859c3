//! A person at a terminal.

use crate::line_server::{LineServer, Peer};
use crate::pty::Terminal;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

fn connected() -> (LineServer, Peer, Terminal) {
    connected_with(&[], &[])
}

fn connected_with(
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (LineServer, Peer, Terminal) {
    let server = LineServer::new();
    let mut terminal = Terminal::start_plain(server.address(), arguments, environment);
    let peer = server.accept();
    terminal.wait_for("[You]:");
    (server, peer, terminal)
}

#[test]
fn a_message_prints_above_the_half_typed_line() {
    let (_server, mut peer, mut terminal) = connected();
    terminal.type_keys("half typed\x02\x02");
    terminal.wait("the cursor", |screen| screen.cursor_position() == (1, 15));
    peer.say("[alice]: first\n[bob]: second\n");
    terminal.wait_for("second");
    terminal.wait("the line again", |screen| screen.contents().contains("half typed"));
    assert_eq!(terminal.rows()[1..], ["[alice]: first", "[bob]: second", "[You]: half typed"]);
    assert_eq!(terminal.screen.screen().cursor_position(), (3, 15));
    terminal.type_keys("X\r");
    assert_eq!(peer.hear().unwrap(), "half typXed");
    terminal.wait_for("[You]: half typXed\n");
}

#[test]
fn control_c_clears_a_draft_and_on_an_empty_line_leaves() {
    let (_server, mut peer, mut terminal) = connected();
    terminal.type_keys("draft");
    terminal.wait_for("draft");
    // In one piece, so that the second comes within the second in which it does not leave.
    terminal.type_keys("\x03\x03");
    terminal.wait_for("press Ctrl-C again to quit");
    assert!(!terminal.contents().contains("draft"), "{}", terminal.contents());
    terminal.type_keys("\x03");
    assert_eq!(terminal.end().code(), Some(0));
    assert_eq!(peer.hear(), None, "the draft was not sent");
}

#[test]
fn control_d_deletes_or_leaves() {
    let (_server, mut peer, mut terminal) = connected();
    terminal.type_keys("ab\x01\x04\r");
    assert_eq!(peer.hear().unwrap(), "b");
    terminal.type_keys("\x04");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn signals_leave_a_whole_terminal() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130), (Signal::SIGHUP, 129)] {
        let (_server, _peer, mut terminal) = connected();
        terminal.type_keys("draft");
        terminal.wait_for("draft");
        assert!(!terminal.is_as_before(), "raw while it runs");
        terminal.signal(signal);
        assert_eq!(terminal.end().code(), Some(code), "{signal}");
    }
}

#[test]
fn a_lost_server_is_said() {
    let (_server, peer, mut terminal) = connected_with(&["--no-reconnect"], &[]);
    drop(peer);
    assert_eq!(terminal.end().code(), Some(3));
    assert!(terminal.contents().contains("connection lost"), "{}", terminal.contents());
}

#[test]
fn it_connects_again_and_the_draft_is_still_there() {
    let (server, peer, mut terminal) = connected();
    terminal.type_keys("draft");
    terminal.wait_for("draft");
    peer.reset();
    terminal.wait_for("reconnecting in");
    terminal.type_keys("\r");
    terminal.wait_for("your line is kept");
    let mut peer = server.accept();
    peer.say("welcome back\n");
    terminal.wait_for("welcome back");
    terminal.wait_for("[You]: draft");
    terminal.type_keys("!\r");
    assert_eq!(peer.hear().unwrap(), "draft!");
    terminal.type_keys("/quit\r");
    assert_eq!(peer.hear().unwrap(), "/quit");
    peer.end();
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn attempts_are_counted_and_need_not_be_waited_for() {
    for keys in ["\x03", "/quit\r"] {
        let (server, peer, mut terminal) = connected();
        drop(server);
        peer.reset();
        terminal.wait_for("(attempt 2)");
        terminal.type_keys(keys);
        assert_eq!(terminal.end().code(), Some(0), "{keys:?}");
    }
}

#[test]
fn a_paste_of_many_lines_asks_first() {
    let (_server, mut peer, mut terminal) = connected();
    let paste = "\x1b[200~one\rtwo\rthree\x1b[201~";
    terminal.type_keys(&format!("draft {paste}"));
    terminal.wait_for("send 3 lines? [y/N]");
    assert_eq!(terminal.rows()[1..4], ["| draft one", "| two", "| three"]);
    peer.say("news\n");
    terminal.wait_for("news");
    // What is not sent is there to be edited.
    terminal.type_keys("\r");
    terminal.wait_for("3 lines not sent: edit them");
    terminal.wait_for("[You]: draft one⏎two⏎three");
    terminal.type_keys("!\x01my \r");
    for line in ["my draft one", "two", "three!"] {
        assert_eq!(peer.hear().unwrap(), line);
    }
    // The Enter of someone who ends an answer with it sends nothing; the next one does.
    terminal.type_keys(&format!("{paste}n\r"));
    terminal.wait_for("[You]: one⏎two⏎three");
    terminal.type_keys("\r");
    for line in ["one", "two", "three"] {
        assert_eq!(peer.hear().unwrap(), line);
    }
    terminal.type_keys(&format!("{paste}y\x04"));
    assert_eq!(peer.hear_all(), ["one", "two", "three"]);
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn a_paste_that_is_too_long_to_edit_is_asked_about_again() {
    let (_server, mut peer, mut terminal) = connected();
    let lines = "x".repeat(99) + "\r";
    terminal.type_keys(&format!("\x1b[200~{}\x1b[201~", lines.repeat(200)));
    terminal.wait_for("send 200 lines?");
    terminal.type_keys("n");
    terminal.wait_for("Ctrl-Y asks again");
    terminal.type_keys("\x19");
    terminal.wait_for("send 200 lines?");
    terminal.type_keys("y");
    for _ in 0..200 {
        peer.hear().unwrap();
    }
    // One line may be as long.
    terminal.type_keys(&format!("draft \x1b[200~{}\r\x1b[201~", "y".repeat(20_000)));
    terminal.wait_for("send 1 line?");
    terminal.type_keys("y\x04");
    assert_eq!(peer.hear_all(), ["draft ".to_owned() + &"y".repeat(20_000)]);
}

#[test]
fn words_wrap_at_spaces_with_an_indent() {
    let (_server, mut peer, mut terminal) = connected();
    terminal.resize(40);
    terminal.type_keys("typed");
    terminal.wait_for("[You]: typed");
    peer.say("[alice]: a message of many words that wraps\n");
    terminal.wait_for("wraps\n");
    let rows = terminal.rows();
    let at = rows.iter().position(|row| row.starts_with("[alice]")).unwrap();
    assert_eq!(rows[at..], ["[alice]: a message of many words that", "    wraps", "[You]: typed"]);
}

#[test]
fn every_width_is_safe() {
    let (_server, mut peer, mut terminal) = connected();
    terminal.type_keys("a line with 日本語 and 👩‍👩‍👧‍👦 in it");
    terminal.wait_for("in it");
    for columns in [40, 20, 9, 3, 2, 1] {
        terminal.resize(columns);
        terminal.type_keys("\x02\x06");
        peer.say(&format!("at{columns}\n"));
    }
    terminal.type_keys("\x01>\x05<\r");
    assert_eq!(peer.hear().unwrap(), ">a line with 日本語 and 👩‍👩‍👧‍👦 in it<");
    terminal.resize(80);
    terminal.type_keys("wide again");
    terminal.wait_for("[You]: wide again");
    assert!(terminal.child.try_wait().unwrap().is_none(), "still there");
}

#[test]
fn a_stopped_client_gives_the_terminal_back_until_it_is_continued() {
    let (_server, mut peer, mut terminal) = connected();
    terminal.type_keys("draft");
    terminal.wait_for("draft");
    let process = Pid::from_raw(terminal.child.id() as i32);
    terminal.signal(Signal::SIGTSTP);
    let stopped = waitpid(process, Some(WaitPidFlag::WUNTRACED)).unwrap();
    assert_eq!(stopped, WaitStatus::Stopped(process, Signal::SIGSTOP));
    assert!(terminal.is_as_before());
    peer.say("while away\n");
    terminal.signal(Signal::SIGCONT);
    terminal.wait_for("while away");
    terminal.wait_for("[You]: draft");
    assert!(!terminal.is_as_before(), "raw again");
    // Without a shell that could continue it, Ctrl-Z does not stop.
    terminal.type_keys("\x1a!\r");
    assert_eq!(peer.hear().unwrap(), "draft!");
}

#[test]
fn what_a_server_sends_is_harmless_and_its_colours_are_kept() {
    let (_server, mut peer, mut terminal) = connected();
    peer.say("\r\x1b[1;35m[a]: hi\n\x1b[0m\x1b[2J\x1b]0;owned\x07evil\n");
    terminal.wait_for("evil");
    let rows = terminal.rows();
    assert_eq!(rows[1], "[a]: hi");
    assert_eq!(rows[2], "\u{241b}[2J\u{241b}]0;owned\u{2407}evil");
    let cell = terminal.screen.screen().cell(1, 0).unwrap();
    assert_eq!((cell.fgcolor(), cell.bold()), (vt100::Color::Idx(5), true));
}

#[test]
fn no_colour_means_none() {
    for (arguments, environment) in
        [(&["--no-color"][..], &[][..]), (&[], &[("NO_COLOR", "1")][..])]
    {
        let (_server, mut peer, mut terminal) = connected_with(arguments, environment);
        peer.say("\x1b[31mred [a]: x\n");
        terminal.wait_for("red [a]: x");
        terminal.type_keys("\x03");
        terminal.end();
        let text = String::from_utf8_lossy(&terminal.bytes).replace("\x1b[0m", "");
        let sgr = text.split("\x1b[").skip(1).any(|rest| {
            rest.find(|c: char| c.is_ascii_alphabetic())
                .is_some_and(|at| rest[at..].starts_with('m'))
        });
        assert!(!sgr, "{text:?}");
    }
}

#[test]
fn a_dumb_terminal_gets_no_escapes_at_all() {
    let server = LineServer::new();
    let mut terminal = Terminal::start_plain(server.address(), &[], &[("TERM", "dumb")]);
    let mut peer = server.accept();
    peer.say("\x1b[31mhello\n");
    terminal.wait_for("hello");
    terminal.type_keys("hi\n");
    assert_eq!(peer.hear().unwrap(), "hi");
    terminal.type_keys("\x04");
    assert_eq!(terminal.child.wait().unwrap().code(), Some(0));
    assert!(!terminal.bytes.contains(&0x1b));
}
