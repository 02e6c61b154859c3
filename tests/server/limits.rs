//! Does every limit strike where it should, name itself, and leave everyone else alone?

use crate::common::{Client, Server, texts};
use chatloop_reactor::Backend;
use std::process::Command;
use std::time::{Duration, Instant};

per_backend! {
    a_full_server_says_so_and_takes_the_next_when_one_has_left
    above_the_soft_limit_a_peers_own_lines_wait
    above_the_hard_limit_a_peer_is_dropped_and_nobody_else_suffers
    flood_limit_slows_and_loses_nothing
    idle_clients_are_told_and_let_go
}

fn a_full_server_says_so_and_takes_the_next_when_one_has_left(backend: Backend) {
    let server = Server::on(backend, &["--max-clients", "3"]);
    assert_eq!(texts::capacity_in(&server.log.wait_for(texts::READY)), 3);
    let mut room = server.room(3);
    for _ in 0..40 {
        // More than the server keeps descriptors for at a time: each rejected one must go again.
        let mut refused = Client::connect(server.address);
        let refusal = refused.rest();
        assert!(texts::names_limit(&refusal, "--max-clients"), "{refusal}");
    }
    server.log.wait_for("--max-clients");
    room.iter_mut().for_each(Client::assert_nothing_waits);
    let leaver = room.remove(0);
    drop(leaver);
    for client in &mut room {
        assert!(texts::is_some_departure(&client.line()));
    }
    // It is counted until the reaper has it, a moment after the others were told that it left.
    let deadline = Instant::now() + crate::common::PATIENCE;
    let mut next = loop {
        let mut next = Client::connect(server.address);
        let line = next.line();
        if texts::is_some_welcome(&line) {
            break next;
        }
        assert!(Instant::now() < deadline, "{line}");
    };
    next.send("hello\n");
    assert_eq!(room[0].chat_line(), texts::said(&next.name(), "hello"));
}

#[test]
fn clients_of_one_address_are_counted() {
    let server = Server::start(&["--max-per-address", "2"]);
    let mut room = server.room(2);
    let refusal = Client::connect(server.address).rest();
    assert!(texts::names_limit(&refusal, "--max-per-address"), "{refusal}");
    assert!(refusal.contains('2'), "{refusal}");
    room[0].assert_nothing_waits();
    // Loopback has no such limit unless it is asked for.
    let unlimited = Server::start(&[]);
    assert_eq!(unlimited.room(300).len(), 300);
}

/// Rejected clients once counted among the clients until they had closed, or ten seconds had passed.
#[cfg(target_os = "linux")]
#[test]
fn an_address_above_its_limit_takes_no_other_addresss_place() {
    let mut server = Server::start(&["--max-per-address", "20", "--max-clients", "60"]);
    let hostile = || Client::connect_from([127, 0, 0, 7], server.address);
    let _held: Vec<Client> = (0..400).map(|_| hostile()).collect();
    let welcome: Vec<Client> = (0..20)
        .map(|_| {
            let mut client = Client::connect_from([127, 0, 0, 8], server.address);
            let line = client.line();
            assert!(texts::is_some_welcome(&line), "{line}");
            client
        })
        .collect();
    assert_eq!(welcome.len(), 20);
    server.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(server.ended().code(), Some(0));
    let logged = server.log.all().iter().filter(|line| line.contains("rejected")).count();
    assert_eq!(logged, 1, "rejections of one address are logged once a minute");
}

/// Lines that are long enough to fill what the kernel takes for a peer that does not read.
fn flood_line(number: usize) -> String {
    format!("{number:06} {}", "~".repeat(2000))
}

/// Says so many lines, in steps that the witness has received before the next one.
fn flood(speaker: &mut Client, witness: &mut Client, lines: usize) {
    const STEP: usize = 50;
    let name = speaker.name();
    for start in (0..lines).step_by(STEP) {
        let text: String = (start..start + STEP).map(|number| flood_line(number) + "\n").collect();
        speaker.send(text);
        for number in start..start + STEP {
            assert_eq!(witness.chat_line(), texts::said(&name, &flood_line(number)));
        }
    }
}

fn above_the_soft_limit_a_peers_own_lines_wait(backend: Backend) {
    const LINES: usize = 4_000;
    let server = Server::on(backend, &["--outbox-soft", "64k", "--outbox-hard", "64M"]);
    let mut room = server.room(2);
    let mut slow = Client::connect_narrow(server.address);
    slow.line();
    room.iter_mut().for_each(|client| drop(client.line()));
    let [speaker, witness] = &mut room[..] else { panic!() };
    flood(speaker, witness, LINES);
    slow.send("said while I do not read\n");
    // The server has met these after that line, and would have passed it on before.
    for _ in 0..20 {
        witness.assert_nothing_waits();
    }
    let name = speaker.name();
    for number in 0..LINES {
        assert_eq!(slow.line(), texts::said(&name, &flood_line(number)));
    }
    assert_eq!(witness.line(), texts::said(&slow.name(), "said while I do not read"));
    slow.assert_nothing_waits();
}

fn above_the_hard_limit_a_peer_is_dropped_and_nobody_else_suffers(backend: Backend) {
    let server = Server::on(backend, &["--outbox-soft", "64k", "--outbox-hard", "256k"]);
    let mut room = server.room(2);
    let mut slow = Client::connect_narrow(server.address);
    slow.line();
    room.iter_mut().for_each(|client| drop(client.line()));
    let [speaker, witness] = &mut room[..] else { panic!() };
    flood(speaker, witness, 4_000);
    let dropped = server.log.wait_for("--outbox-hard");
    assert!(dropped.contains(&slow.address()), "{dropped}");
    let departure = speaker.line();
    assert!(texts::is_failure(&departure, &slow.name(), 2), "{departure}");
    speaker.assert_nothing_waits();
    assert!(slow.until_over() > 0, "it gets what its system had taken");
}

fn flood_limit_slows_and_loses_nothing(backend: Backend) {
    // A burst of ten seconds' worth, then fifty a second.
    const BURST: usize = 500;
    const BEYOND: usize = 20;
    let server = Server::on(backend, &["--flood-limit", "50/s"]);
    let mut room = server.room(2);
    let name = room[0].name();
    let lines: String = (0..BURST + BEYOND).map(|number| format!("{number}\n")).collect();
    let start = Instant::now();
    room[0].send(lines);
    for number in 0..BURST + BEYOND {
        assert_eq!(room[1].line(), texts::said(&name, &number.to_string()));
    }
    let least = Duration::from_millis(1_000 / 50) * (BEYOND as u32 - 1);
    assert!(start.elapsed() >= least, "it took only {:?}", start.elapsed());
    let warning = room[0].line();
    assert!(texts::names_limit(&warning, "--flood-limit"), "{warning}");
    // Someone else is not slowed.
    room[1].send("quick\n");
    assert!(room[0].line().ends_with("quick"));
}

fn idle_clients_are_told_and_let_go(backend: Backend) {
    let server = Server::on(backend, &["--idle-timeout", "1"]);
    let mut room = server.room(2);
    let mut idle = room.pop().unwrap();
    let talker = &mut room[0];
    // The talker talks until the other one is gone, so it is never silent for a second.
    talker.send("busy\n");
    assert_eq!(idle.line(), texts::said(&talker.name(), "busy"));
    let departure = loop {
        match talker.line_within(Duration::from_millis(100)) {
            Some(line) => break line,
            None => talker.send("\n"),
        }
    };
    assert!(texts::is_some_departure(&departure), "{departure}");
    assert!(departure.contains(&idle.name()), "{departure}");
    let farewell = idle.rest();
    assert!(texts::names_limit(&farewell, "--idle-timeout"), "{farewell}");
}

#[test]
fn limits_that_contradict_each_other_are_refused_by_name() {
    let refused = Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
        .args(["127.0.0.1", "0", "--outbox-soft", "2M", "--outbox-hard", "1M"])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(message.contains("--outbox-soft") && message.contains("--outbox-hard"), "{message}");
}

#[test]
fn an_absent_backend_is_refused_with_the_list() {
    let refused = Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
        .args(["127.0.0.1", "0", "--backend", "iocp"])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let message = String::from_utf8(refused.stderr).unwrap();
    for backend in Backend::available() {
        assert!(message.contains(backend.name()), "{message}");
    }
}

/// The limit is lowered under the running server, which has counted on more: what happens when
/// the system, and not the server, runs out.
#[cfg(target_os = "linux")]
mod out_of_descriptors {
    use super::*;

    per_backend! { accepting_backs_off_and_goes_on_later }

    fn set_descriptor_limit(server: &Server, soft: u64) -> u64 {
        let (pid, mut old) = (server.pid().as_raw(), libc::rlimit { rlim_cur: 0, rlim_max: 0 });
        // SAFETY: `old` lives through the call; a null pointer asks for no change.
        let asked = unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, std::ptr::null(), &mut old) };
        assert_eq!(asked, 0);
        let new = libc::rlimit { rlim_cur: soft, rlim_max: old.rlim_max };
        // SAFETY: `new` lives through the call; a null pointer asks for no answer.
        let set = unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, &new, std::ptr::null_mut()) };
        assert_eq!(set, 0);
        old.rlim_cur
    }

    fn accepting_backs_off_and_goes_on_later(backend: Backend) {
        let server = Server::on(backend, &[]);
        let mut room = server.room(3);
        // The limit is one of numbers: at the first free one it leaves none.
        let is_used = |number: &u64| {
            std::fs::symlink_metadata(format!("/proc/{}/fd/{number}", server.pid())).is_ok()
        };
        let first_free = (0..).find(|number| !is_used(number)).unwrap();
        let limit = set_descriptor_limit(&server, first_free);
        // Connected as far as the kernel is concerned, and not accepted.
        let mut waiting = Client::connect(server.address);
        server.log.wait_for("cannot accept");
        // Those inside are served; and while nothing is said the loop sleeps.
        let name = room[0].name();
        for number in 0..10 {
            room[0].send(format!("{number}\n"));
            for listener in &mut room[1..] {
                assert_eq!(listener.line(), texts::said(&name, &number.to_string()));
            }
        }
        crate::common::wait_until_asleep(&server);
        let before = crate::common::sleeps(&server);
        let ticks = crate::common::ticks(&server);
        // The one thing that has no event to wait for: that nothing happens.
        std::thread::sleep(Duration::from_millis(500));
        let sleeps = crate::common::sleeps(&server) - before;
        assert!(sleeps <= 10, "{sleeps} turns while nothing can be done");
        let ticks = crate::common::ticks(&server) - ticks;
        assert!(ticks <= 5, "{ticks} ticks of processor time while nothing can be done");
        // Room for one, and the next one is too many again.
        set_descriptor_limit(&server, first_free + 1);
        let welcome = waiting.line();
        assert!(texts::is_welcome(&welcome, 4), "{welcome}");
        let mut next = Client::connect(server.address);
        for client in &mut room {
            assert!(texts::is_some_entry(&client.line()));
        }
        // It is at the door before this is said, and the door is looked at first.
        room[0].send("again\n");
        assert_eq!(room[1].line(), texts::said(&name, "again"));
        set_descriptor_limit(&server, limit);
        let welcome = next.line();
        assert!(texts::is_welcome(&welcome, 5), "{welcome}");
        let complaints = server.log.wait_for_several(1, "cannot accept");
        assert_eq!(complaints.len(), 1, "said once: {complaints:?}");
    }
}
