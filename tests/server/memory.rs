//! Does the server live and serve in little memory, whatever peers ask for and do not read?

use crate::common::{Client, PATIENCE, Server};
use crate::irc::{PATIENT, ask, line};
use std::time::Instant;

/// Those who ask for everything, and what they ask.
const ASKERS: usize = 300;
const ROOMS: usize = 2_000;

fn everything() -> String {
    let questions = ["LIST", "WHO *", "NAMES", "WHOIS a0", "MOTD", "VERSION", "LUSERS"];
    let questions = questions.map(|question| format!("{question}\r\n")).concat();
    questions + "CHATHISTORY LATEST #lobby * 100\r\n"
}

fn registered(server: &Server, nick: &str) -> Client {
    let mut client = Client::connect(server.address);
    client.send(format!("NICK {nick}\r\nUSER u 0 * :real\r\n"));
    while !line(&mut client).contains(" 422 ") {}
    client
}

/// Peers once got all of each answer into their send queues: 300 of them made the server hold 600 MB
/// and abort.
#[test]
fn in_256_mb_it_lives_and_serves_while_300_ask_for_everything_and_read_nothing() {
    let server = Server::by_shell(
        "ulimit -v 262144; exec \"$0\" \"$@\"",
        &["--quiet", PATIENT, "--name=irc.example.org"],
    );
    let mut owners: Vec<Client> =
        (0..20).map(|it| registered(&server, &format!("o{it}"))).collect();
    let topic = "t".repeat(390);
    for (number, owner) in owners.iter_mut().enumerate() {
        let rooms = (0..ROOMS / 20).map(|room| format!("#{number}x{room}"));
        let lines = rooms.map(|room| format!("JOIN {room}\nTOPIC {room} :{topic}\n"));
        ask(owner, &lines.collect::<String>());
    }
    // Four hundred kilobytes of history.
    let mut talker = Client::connect(server.address);
    talker.send(format!("{}\n", "w".repeat(3_900)).repeat(100) + "/quit\n");
    talker.rest();
    let mut askers: Vec<Client> = (0..ASKERS)
        .map(|number| {
            let mut asker = Client::connect_narrow(server.address);
            asker.send(format!("NICK a{number}\r\nUSER u 0 * :real\r\nJOIN #lobby\r\n"));
            asker.send(everything().repeat(10));
            asker
        })
        .collect();
    // They have all been received when the last of them is there.
    let mut honest = registered(&server, "honest");
    let deadline = Instant::now() + PATIENCE;
    while !ask(&mut honest, &format!("ISON a{}", ASKERS - 1))[0].contains("a299") {
        assert!(Instant::now() < deadline);
    }
    let mut other = registered(&server, "other");
    ask(&mut honest, "JOIN #calm");
    ask(&mut other, "JOIN #calm");
    ask(&mut honest, "PRIVMSG #calm :still there?");
    while !line(&mut other).ends_with("PRIVMSG #calm :still there?") {}
    let listed = ask(&mut other, "LIST");
    assert_eq!(listed.iter().filter(|line| line.contains(" 322 ")).count(), ROOMS + 2);
    let resident = crate::common::resident_memory(&server);
    assert!(resident < 100 << 20, "{resident} bytes");
    let dropped = server.log.so_far().iter().filter(|line| line.contains("dropped")).count();
    assert_eq!(dropped, 0, "{:?}", server.log.so_far());
    // One that reads after all gets everything that it asked for.
    let mut late = askers.remove(0);
    let mut ends = 0;
    while ends < 10 {
        ends += usize::from(line(&mut late).contains(" 323 "));
    }
}

/// Input that waits takes memory, which goes back to the system when its clients have left, not with the next
/// burst of messages.
#[test]
fn the_memory_of_input_that_waited_goes_back_to_the_system() {
    let server = Server::start(&["--quiet", "--flood-limit=1/s", PATIENT]);
    registered(&server, "other");
    let resident = || crate::common::resident_memory(&server);
    let before = resident();
    let talkers: Vec<Client> = (0..200)
        .map(|_| {
            let mut talker = Client::connect(server.address);
            talker.send("PING :x\r\n".repeat(7_000));
            talker
        })
        .collect();
    let deadline = Instant::now() + PATIENCE;
    while resident() < before + (8 << 20) {
        assert!(Instant::now() < deadline, "{} bytes of {before}", resident());
        std::thread::yield_now();
    }
    drop(talkers);
    while resident() > before + (3 << 20) {
        assert!(Instant::now() < deadline, "{} bytes of {before}", resident());
        std::thread::yield_now();
    }
}
