//! Answers about history come in pages: they cost a page while they are not read, and drop no asker.

use super::{Bench, Client};
use chatloop_reactor::ChunkWriter;

/// Far less than the answers have.
const FLAGS: &[&str] = &["--outbox-soft=64k", "--outbox-hard=128k"];

/// Bytes of each message, about.
const TEXT: usize = 3_900;

/// Has `talker` send so many messages with the line that `send` makes of each.
fn fill(bench: &mut Bench, talker: &mut Client, count: usize, send: impl Fn(&str) -> String) {
    let long = "w".repeat(TEXT);
    for number in 0..count {
        talker.send(&send(&format!("n{number}. word {long}")));
    }
    talker.send("/fence\n");
    bench.wait_for(talker, "/fence");
}

/// The numbers of the messages in these lines.
fn numbers(lines: &[String]) -> Vec<usize> {
    let number = |line: &String| {
        let (before, _) = line.split_once(". word ")?;
        before.rsplit_once('n')?.1.parse().ok()
    };
    lines.iter().filter_map(number).collect()
}

/// Turns until nothing happens any more, although someone does not read.
fn wait_unread(bench: &mut Bench) {
    for _ in 0..4 {
        bench.settle();
    }
    assert!(bench.longest_queue() < 64 * 1024, "{}", bench.longest_queue());
    assert!(ChunkWriter::in_use() < 2 << 20, "{}", ChunkWriter::in_use());
}

#[test]
fn an_answer_of_any_length_drops_no_asker_and_has_everything_once() {
    let mut bench = Bench::new(FLAGS);
    let mut talker = bench.join("talker");
    fill(&mut bench, &mut talker, 200, |text| format!("{text}\n"));
    for (question, expected) in
        [("/history 200", 0..200), ("/search word", 180..200), ("/history before 150 140", 9..149)]
    {
        let mut askers: Vec<_> = (0..4).map(|number| bench.join(&format!("a{number}"))).collect();
        assert_eq!(bench.online(), 5);
        for asker in &mut askers {
            bench.wait_for_silence(asker);
            asker.send(&format!("{question}\n").repeat(3));
        }
        wait_unread(&mut bench);
        assert_eq!(bench.online(), 5, "{question}");
        for mut asker in askers {
            asker.send("/fence\n");
            let lines = bench.wait_for(&mut asker, "/fence");
            let once: Vec<usize> = expected.clone().collect();
            assert_eq!(numbers(&lines), once.repeat(3), "{question}");
            let headings = lines.iter().filter(|line| line.contains(" messages (times in UTC)"));
            assert_eq!(headings.count(), 3, "{question}");
            asker.send("/quit\n");
            bench.wait_for_end(&mut asker);
        }
    }
}

/// An IRC client in the lobby.
fn irc(bench: &mut Bench, nick: &str) -> Client {
    let mut client = bench.connect();
    client.send(&format!(
        "CAP REQ :batch draft/chathistory labeled-response server-time\r\nNICK {nick}\r\n\
         USER u 0 * :u\r\nCAP END\r\nJOIN #lobby\r\n"
    ));
    bench.wait_for(&mut client, " 366 ");
    client
}

#[test]
fn a_batch_goes_on_over_its_pages() {
    let mut bench = Bench::new(FLAGS);
    let mut talker = bench.join("talker");
    fill(&mut bench, &mut talker, 100, |text| format!("{text}\n"));
    let mut ada = irc(&mut bench, "ada");
    ada.send(&"@label=x CHATHISTORY LATEST #lobby * 100\r\n".repeat(3));
    ada.send("@label=y CHATLOOP search word\r\nPING end\r\n");
    wait_unread(&mut bench);
    assert_eq!(bench.online(), 2);
    let lines = bench.wait_for(&mut ada, "PONG");
    let all: Vec<usize> = (0..100).chain(0..100).chain(0..100).chain(80..100).collect();
    assert_eq!(numbers(&lines), all);
    let with = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!((with("BATCH +history chathistory #lobby"), with("BATCH -history")), (3, 3));
    assert_eq!((with("label=x"), with("label=y"), with("batch=history")), (3, 1, with("PRIVMSG")));
    assert_eq!(with("BATCH +"), with("BATCH -"));
}

#[test]
fn a_page_is_not_for_a_user_who_has_been_kicked_meanwhile() {
    let mut bench = Bench::new(FLAGS);
    let mut talker = bench.join("talker");
    talker.send("/join #room\n");
    fill(&mut bench, &mut talker, 200, |text| format!("{text}\n"));
    let mut ada = irc(&mut bench, "ada");
    ada.send("JOIN #room\r\n");
    bench.wait_for(&mut ada, " 366 ada #room");
    ada.send(&"CHATHISTORY LATEST #room * 100\r\n".repeat(9));
    wait_unread(&mut bench);
    talker.send("/kick ada\n");
    bench.wait_for(&mut talker, "kicked ada");
    ada.send("PING end\r\n");
    let lines = bench.wait_for(&mut ada, "PONG");
    let with = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    let kick = lines.iter().position(|line| line.contains("KICK #room ada")).unwrap();
    let after = numbers(&lines[kick..]);
    assert!(after.is_empty(), "{after:?}");
    assert!(numbers(&lines).len() < 9 * 100);
    assert_eq!(with("BATCH +history"), with("BATCH -history"));
}

#[test]
fn mail_of_any_length_is_delivered_and_a_joiner_is_shown_what_fits() {
    let mut bench = Bench::new(&[FLAGS, &["--history-on-join=500"]].concat());
    let mut alice = bench.join("alice");
    alice.send("/register correct-horse\n");
    bench.wait_for(&mut alice, "account alice created");
    alice.send("/quit\n");
    bench.wait_for_end(&mut alice);
    let mut bob = bench.join("bob");
    fill(&mut bench, &mut bob, 100, |text| format!("/msg alice {text}\n"));
    fill(&mut bench, &mut bob, 100, |text| format!("{text}\n"));
    let mut alice = bench.connect();
    alice.send("/login alice correct-horse\n");
    wait_unread(&mut bench);
    alice.send("/fence\n");
    let lines = bench.wait_for(&mut alice, "/fence");
    let (mail, lobby): (Vec<String>, Vec<String>) =
        lines.into_iter().partition(|line| line.contains("-> you]"));
    assert!(numbers(&mail).into_iter().eq(0..100), "{:?}", numbers(&mail));
    let shown = numbers(&lobby);
    assert!(!shown.is_empty() && shown.len() < 10 && shown.last() == Some(&99), "{shown:?}");
}

/// What is in one synchronization once was sent in one go, or not at all if it was too much.
#[test]
fn a_synchronization_of_metadata_of_any_size_is_one_batch() {
    const MEMBERS: usize = 50;
    const KEYS: usize = 20;
    let mut bench = Bench::new(FLAGS);
    let enter = |bench: &mut Bench, nick: &str| {
        let mut client = bench.connect();
        client.send(&format!(
            "CAP REQ :batch draft/metadata-2\r\nNICK {nick}\r\nUSER u 0 * :u\r\nCAP END\r\n\
             JOIN #lobby\r\n"
        ));
        bench.wait_for(&mut client, " 366 ");
        client
    };
    let value = "v".repeat(280);
    let set: String = (0..KEYS).map(|key| format!("METADATA * SET k{key} :{value}\r\n")).collect();
    let mut members = Vec::new();
    for number in 0..MEMBERS {
        let mut member = enter(&mut bench, &format!("m{number}"));
        member.send(&format!("{set}PING end\r\n"));
        bench.wait_for(&mut member, "PONG");
        members.push(member);
    }
    let mut ada = enter(&mut bench, "ada");
    let keys: Vec<String> = (0..KEYS).map(|key| format!("k{key}")).collect();
    for key in &keys {
        ada.send(&format!("METADATA * SUB {key}\r\n"));
    }
    ada.send("METADATA #lobby SYNC\r\nMETADATA *ALL SYNC\r\nPING end\r\n");
    wait_unread(&mut bench);
    assert_eq!(bench.online(), MEMBERS + 1);
    let lines = bench.wait_for(&mut ada, "PONG");
    for (start, end) in [(" +metadata metadata #lobby", 1), (" +metadata metadata *ALL", 2)] {
        let start = lines.iter().rposition(|line| line.ends_with(start)).unwrap();
        let all = lines[start + 1..].iter().take_while(|line| line.contains("batch=metadata"));
        assert_eq!(all.count(), MEMBERS * KEYS);
        let ends = lines.iter().filter(|line| line.ends_with("BATCH -metadata")).count();
        assert!(ends >= end, "{ends}");
    }
    let alone =
        lines.iter().filter(|line| line.contains(" METADATA m") && !line.contains("batch="));
    assert_eq!(alone.count(), MEMBERS * KEYS, "each subscription is answered with its values");
}

#[test]
fn a_list_of_server_bans_comes_in_pages_too() {
    const BANS: usize = 900;
    let mut bench = Bench::new(&[FLAGS, &["--oper=root:correct-horse"]].concat());
    let mut root = bench.join("root");
    root.send("/oper root correct-horse\n");
    bench.wait_for(&mut root, "you are now a server operator");
    let reason = "r".repeat(290);
    for number in 0..BANS {
        root.send(&format!("/gban 10.{}.{}.1 {reason}\n", number / 200, number % 200));
    }
    root.send("/fence\n");
    bench.wait_for(&mut root, "/fence");
    root.send(&"/gban\n".repeat(9));
    wait_unread(&mut bench);
    assert_eq!(bench.online(), 1);
    root.send("/fence\n");
    let lines = bench.wait_for(&mut root, "/fence");
    let headings = lines.iter().filter(|line| line.contains("server bans: 900 entries"));
    assert_eq!(headings.count(), 9);
    assert_eq!(lines.iter().filter(|line| line.contains(&reason)).count(), 9 * BANS);
}
