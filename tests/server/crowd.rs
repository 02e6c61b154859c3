//! Does the room hold when many come, some flood, and some never read?

use crate::common::{Client, Server, texts};
use chatloop_reactor::Backend;
use nix::sys::signal::Signal;
use std::io::Write;

per_backend! {
    a_pasted_book_arrives_whole_and_in_order
    those_who_never_read_cost_nobody_else_anything
    who_reads_late_gets_everything
    talkers_survive_one_who_closes
    a_silent_crowd_wakes_nobody
    a_crowd_is_told_goodbye
}

fn a_pasted_book_arrives_whole_and_in_order(backend: Backend) {
    const LINES: usize = 20_000;
    let server = Server::on(backend, &["--quiet"]);
    let mut room = server.room(4);
    let name = room[0].name();
    let book: String = (0..LINES).map(|number| format!("line {number} of the book\n")).collect();
    let mut writer = room[0].writer();
    std::thread::scope(|scope| {
        scope.spawn(move || writer.write_all(book.as_bytes()).unwrap());
        for reader in &mut room[1..] {
            let name = &name;
            scope.spawn(move || {
                for number in 0..LINES {
                    let expected = texts::said(name, &format!("line {number} of the book"));
                    assert_eq!(reader.line(), expected);
                }
                reader.assert_nothing_waits();
            });
        }
    });
    room[0].assert_nothing_waits();
}

fn those_who_never_read_cost_nobody_else_anything(backend: Backend) {
    const SLOW: usize = 5;
    const LINES: usize = 2_500;
    let server =
        Server::on(backend, &["--quiet", "--outbox-soft", "128k", "--outbox-hard", "512k"]);
    let mut room = server.room(3);
    let slow: Vec<Client> = (0..SLOW).map(|_| Client::connect_narrow(server.address)).collect();
    let mut heard = vec![0; room.len()];
    #[cfg(target_os = "linux")]
    let before = crate::common::resident_memory(&server);
    let name = room[0].name();
    let text = "~".repeat(2_000);
    let said = texts::said(&name, &text);
    for _ in 0..LINES / 50 {
        room[0].send(format!("{text}\n").repeat(50));
        for (listener, heard) in room.iter_mut().zip(&mut heard).skip(1) {
            for _ in 0..50 {
                assert_eq!(listener.chat_line(), said);
                *heard += 1;
            }
        }
        #[cfg(target_os = "linux")]
        {
            let grown = crate::common::resident_memory(&server).saturating_sub(before) as usize;
            // Their backlogs are shared, so it is far less; and the process may grow a little.
            const HARD: usize = 512 * 1024; // as the flag says
            assert!(grown < SLOW * HARD + (2 << 20), "{grown} bytes more");
        }
    }
    assert_eq!(heard[1..], [LINES, LINES]);
    let dropped = server.log.wait_for_several(SLOW, "--outbox-hard");
    for client in &slow {
        assert!(dropped.iter().any(|line| line.contains(&client.name())), "{dropped:?}");
    }
}

fn who_reads_late_gets_everything(backend: Backend) {
    const LINES: usize = 2_500;
    let server = Server::on(backend, &["--quiet"]);
    let mut room = server.room(2);
    let mut stopped = Client::connect_narrow(server.address);
    let name = room[0].name();
    let text = |number: usize| format!("{number} {}", "~".repeat(2_000));
    for number in 0..LINES {
        room[0].send(text(number) + "\n");
        assert_eq!(room[1].chat_line(), texts::said(&name, &text(number)));
    }
    assert!(texts::is_some_welcome(&stopped.line()));
    for number in 0..LINES {
        assert_eq!(stopped.line(), texts::said(&name, &text(number)));
    }
    stopped.assert_nothing_waits();
}

fn talkers_survive_one_who_closes(backend: Backend) {
    const ROUNDS: usize = 60;
    let server = Server::on(backend, &["--quiet"]);
    let mut room = server.room(3);
    let names: Vec<String> = room.iter().map(Client::name).collect();
    for round in 0..ROUNDS {
        let mut fourth = Client::connect(server.address);
        let text = format!("round {round}");
        for talker in &mut room {
            talker.send(format!("{text}\n"));
        }
        match round % 4 {
            0 => drop(fourth),
            1 => fourth.reset(),
            2 => {
                fourth.send("/quit\n");
                drop(fourth);
            }
            _ => {
                fourth.half_close();
                drop(fourth);
            }
        }
        for (place, talker) in room.iter_mut().enumerate() {
            let heard = [talker.chat_line(), talker.chat_line()];
            for (_, name) in names.iter().enumerate().filter(|(other, _)| *other != place) {
                assert!(heard.contains(&texts::said(name, &text)), "{heard:?}");
            }
        }
    }
    // All of them are noticed at last.
    loop {
        room[0].send("/who\n");
        let online = room[0].chat_line();
        let count: usize = online.split_whitespace().nth(1).unwrap().parse().unwrap();
        for _ in 0..count {
            room[0].chat_line();
        }
        if count == 3 {
            break;
        }
    }
}

fn a_silent_crowd_wakes_nobody(backend: Backend) {
    const CROWD: usize = 500;
    let server = Server::on(backend, &["--quiet"]);
    let mut crowd: Vec<Client> = (0..CROWD).map(|_| server.join()).collect();
    // The first one has been told of everyone, so the server has nothing left to do.
    for online in 2..=CROWD {
        let entry = crowd[0].line();
        assert!(texts::is_some_entry(&entry) && entry.contains(&format!(" {online} users")));
    }
    #[cfg(target_os = "linux")]
    {
        crate::common::wait_until_asleep(&server);
        let (sleeps, ticks) = (crate::common::sleeps(&server), crate::common::ticks(&server));
        // The one thing that has no event to wait for: that nothing happens.
        std::thread::sleep(std::time::Duration::from_millis(700));
        let sleeps = crate::common::sleeps(&server) - sleeps;
        // The sleep that has just begun may not have been counted yet.
        assert!(sleeps <= 1, "{sleeps} turns while nobody says anything");
        let ticks = crate::common::ticks(&server) - ticks;
        assert!(ticks <= 1, "{ticks} ticks of processor time while nobody says anything");
    }
    crowd[CROWD - 1].send("hello\n");
    assert!(crowd[0].line().ends_with("hello"));
}

fn a_crowd_is_told_goodbye(backend: Backend) {
    let mut server = Server::on(backend, &["--quiet"]);
    let mut crowd = server.room(100);
    server.signal(Signal::SIGINT);
    for client in &mut crowd {
        assert!(texts::is_goodbye(client.rest().trim_end()));
    }
    assert_eq!(server.ended().code(), Some(0));
}

/// A burst of connections that all talk before they have read a word.
#[test]
fn a_burst_of_newcomers_is_welcomed_in_order() {
    const CROWD: usize = 300;
    let server = Server::start(&["--quiet"]);
    let mut crowd: Vec<Client> = (0..CROWD).map(|_| Client::connect(server.address)).collect();
    for client in &mut crowd {
        client.send("hello\n");
    }
    let first = &mut crowd[0];
    assert!(texts::is_some_welcome(&first.line()));
    let (mut entries, mut said) = (1, 0);
    while said < CROWD - 1 {
        let line = first.line();
        if texts::is_some_entry(&line) {
            entries += 1;
            assert!(line.contains(&format!(" {entries} users")), "{line} after {entries}");
        } else {
            assert!(line.ends_with("]: hello"), "{line}");
            said += 1;
        }
    }
    assert_eq!(entries, CROWD);
    // Those who came later were told the right number and received nothing from before.
    for (place, client) in crowd.iter_mut().enumerate().skip(1) {
        let welcome = client.line();
        assert!(texts::is_welcome(&welcome, place + 1), "{welcome}");
    }
}
