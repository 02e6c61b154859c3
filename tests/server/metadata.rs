//! What IRC clients say of people and channels for programs, and how far a person has read:
//! METADATA in both of its versions, MARKREAD, and two clients of one account.

use crate::common::{Client, Server, scratch::Scratch};
use crate::irc::{ask_bare as ask, line_bare as line, server};
use nix::sys::signal::Signal;

const VERSION_2: &str = "batch draft/metadata-2";
const VERSION_3: &str = "batch draft/metadata-3";
/// SASL PLAIN for `ada` with `sesame`.
const PROOF: &str = "AUTHENTICATE PLAIN\r\nAUTHENTICATE AGFkYQBzZXNhbWU=";

/// Has a client come in, with what it says before; what it is told from 001 on.
fn enter(client: &mut Client, nick: &str, capabilities: &str, before: &str) -> Vec<String> {
    let opening = format!("CAP REQ :{capabilities}\r\n{before}\r\nNICK {nick}");
    let told = ask(client, &format!("{opening}\r\nUSER {nick} 0 * :Real Name\r\nCAP END"));
    let welcome = told.iter().position(|line| line.starts_with("001 "));
    told[welcome.unwrap_or_else(|| panic!("not in: {told:?}"))..].to_vec()
}

fn irc(server: &Server, nick: &str, capabilities: &str) -> Client {
    let mut client = Client::connect(server.address);
    enter(&mut client, nick, capabilities, "");
    client
}

/// The lines of a batch without what holds them together.
fn batch(lines: &[String], opening: &str) -> Vec<String> {
    assert_eq!(lines[0], format!("BATCH +metadata {opening}"), "{lines:?}");
    assert_eq!(lines[lines.len() - 1], "BATCH -metadata", "{lines:?}");
    let inside = lines[1..lines.len() - 1].iter();
    inside.map(|line| line.strip_prefix("@batch=metadata ").unwrap().to_owned()).collect()
}

#[test]
fn the_capabilities_say_how_much_and_exclude_each_other() {
    let server = server(&[]);
    let mut ada = Client::connect(server.address);
    let listed = ask(&mut ada, "CAP LS 302").concat();
    let bounds = "before-connect,max-subs=50,max-keys=20,max-key-bytes=50,max-value-bytes=300";
    for version in ["2", "3"] {
        assert!(listed.contains(&format!("draft/metadata-{version}={bounds}")), "{listed}");
    }
    for (wanted, answer) in [
        ("draft/metadata-2 draft/metadata-3", "NAK"),
        ("draft/metadata-3 batch", "ACK"),
        ("draft/metadata-2", "NAK"),
        ("draft/metadata-2 -draft/metadata-3", "ACK"),
    ] {
        assert_eq!(
            ask(&mut ada, &format!("CAP REQ :{wanted}")),
            [format!("CAP * {answer} :{wanted}")]
        );
    }
}

#[test]
fn who_follows_a_key_is_told_in_the_form_of_their_version() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", VERSION_3);
    let mut bob = irc(&server, "bob", VERSION_3);
    let mut old = irc(&server, "old", VERSION_2);
    let mut deaf = irc(&server, "deaf", "batch");
    let mut plain = Client::connect(server.address);
    plain.send("/nick plain\n/join #room\n");
    assert_eq!(
        ask(&mut bob, "METADATA * SUB avatar $no color"),
        [
            "770 bob avatar color",
            "WARN METADATA INVALID_KEY $no :Invalid key",
            "774 bob *ALL 0 :Please synchronize metadata later",
        ]
    );
    assert_eq!(
        ask(&mut old, "METADATA old SUB avatar $no"),
        ["770 old avatar", "FAIL METADATA KEY_INVALID $no :Invalid key",]
    );
    for client in [&mut ada, &mut bob, &mut old, &mut deaf] {
        ask(client, "JOIN #room");
    }
    for client in [&mut ada, &mut bob, &mut old] {
        ask(client, "PING");
    }
    assert_eq!(
        ask(&mut ada, "METADATA * SET avatar :http://a b\r\nMETADATA ada SET status busy"),
        ["761 ada ada avatar * :http://a b", "761 ada ada status * :busy"]
    );
    assert_eq!(line(&mut bob), "761 bob ada avatar * :http://a b");
    assert_eq!(line(&mut old), "METADATA ada avatar * :http://a b");
    // What is removed; and once more, which is no news.
    ask(&mut ada, "METADATA * SET avatar\r\nMETADATA * SET avatar :");
    assert_eq!(line(&mut bob), "766 bob ada avatar :Key not set");
    assert_eq!(line(&mut old), "METADATA ada avatar *");
    assert_eq!(
        ask(&mut old, "METADATA * SET avatar"),
        ["FAIL METADATA KEY_NOT_SET old avatar :Key not set"]
    );
    let cleared = ask(&mut ada, "METADATA * CLEAR");
    assert_eq!(batch(&cleared, "metadata ada"), ["766 ada ada status :Key not set"]);
    for client in [&mut bob, &mut old, &mut deaf] {
        assert_eq!(ask(client, "PRIVMSG plain :nothing else"), [""; 0]);
    }
    let heard: Vec<String> = std::iter::from_fn(|| Some(plain.line()))
        .take_while(|line| !line.contains("nothing else"))
        .collect();
    assert!(!heard.concat().contains("avatar"), "{heard:?}");
}

#[test]
fn what_was_there_before_is_told_on_joining_and_a_newcomer_is_introduced() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", VERSION_3);
    let mut bob = irc(&server, "bob", VERSION_3);
    ask(&mut bob, "METADATA * SUB avatar url");
    ask(&mut ada, "JOIN #room\r\nMETADATA * SET avatar A\r\nMETADATA * SET color red");
    ask(&mut ada, "METADATA #ROOM SET url :http://room");
    let joined = ask(&mut bob, "JOIN #room");
    let names = joined.iter().position(|line| line.starts_with("366 ")).unwrap();
    assert_eq!(
        batch(&joined[names + 1..], "metadata #room"),
        ["761 bob #room url * :http://room", "761 bob ada avatar * :A"]
    );
    // The same again, of the channel, of one person, and of everything.
    for (target, name) in [("#ROOM", "#room"), ("*ALL", "*ALL")] {
        let mut synced =
            batch(&ask(&mut bob, &format!("METADATA {target} SYNC")), &format!("metadata {name}"));
        synced.sort();
        assert_eq!(synced, ["761 bob #room url * :http://room", "761 bob ada avatar * :A"]);
    }
    let synced = ask(&mut bob, "METADATA ADA SYNC");
    assert_eq!(batch(&synced, "metadata ada"), ["761 bob ada avatar * :A"]);
    // Someone who comes later, with something of their own.
    let mut cid = Client::connect(server.address);
    enter(&mut cid, "cid", VERSION_3, "METADATA * SET avatar C");
    ask(&mut cid, "JOIN #room");
    assert_eq!(line(&mut bob), ":cid!~cid@127.0.0.1 JOIN #room");
    assert_eq!(line(&mut bob), "761 bob cid avatar * :C");
    // A client that knows them from another channel needs no introduction.
    ask(&mut cid, "JOIN #other");
    ask(&mut bob, "JOIN #other");
    ask(&mut cid, "PART #room\r\nJOIN #room");
    assert_eq!(line(&mut bob), ":cid!~cid@127.0.0.1 PART #room");
    assert_eq!(line(&mut bob), ":cid!~cid@127.0.0.1 JOIN #room");
    assert_eq!(ask(&mut bob, "METADATA * UNSUB url avatar"), ["771 bob url avatar"]);
    assert_eq!(batch(&ask(&mut bob, "METADATA #room SYNC"), "metadata #room"), [""; 0]);
}

#[test]
fn a_big_channel_is_synchronized_later() {
    let server = server(&[]);
    let mut crowd: Vec<Client> = Vec::new();
    for number in 0..101 {
        let mut client = irc(&server, &format!("c{number}"), VERSION_3);
        ask(&mut client, "METADATA * SET avatar :x\r\nJOIN #crowd");
        crowd.push(client);
    }
    let mut bob = irc(&server, "bob", VERSION_3);
    ask(&mut bob, "METADATA * SUB avatar");
    let joined = ask(&mut bob, "JOIN #crowd");
    let last = joined.last().unwrap();
    assert_eq!(last, "774 bob #crowd 4 :Please synchronize metadata later");
    let synced = batch(&ask(&mut bob, "METADATA #crowd SYNC"), "metadata #crowd");
    assert_eq!(synced.len(), 101);
    // A client that follows nothing has nothing to come back for.
    let mut cid = irc(&server, "cid", VERSION_3);
    let joined = ask(&mut cid, "JOIN #crowd");
    assert_eq!(batch(&joined[joined.len() - 2..], "metadata #crowd"), [""; 0]);
}

#[test]
fn mistakes_have_their_codes_in_both_versions() {
    let server = server(&[]);
    let mut bob = irc(&server, "bob", "batch");
    ask(&mut bob, "JOIN #room\r\nMETADATA #room SET url x");
    let long = "v".repeat(301);
    let set_long = format!("METADATA * SET key {long}");
    for (nick, capabilities) in [("two", VERSION_2), ("three", VERSION_3)] {
        let mut client = irc(&server, nick, capabilities);
        let choose = |two: &str, three: &str| if nick == "two" { two } else { three }.to_owned();
        let missing = |word: &str| {
            let three = format!("FAIL METADATA INVALID_PARAMS {word} :Not enough parameters");
            choose("461 two METADATA :Not enough parameters", &three)
        };
        for (command, answer) in [
            ("METADATA", missing("*")),
            ("METADATA *", missing("*")),
            ("METADATA * GET", missing("GET")),
            ("METADATA * SET", missing("SET")),
            (
                "METADATA * SNEEZE",
                choose(
                    "FAIL METADATA SUBCOMMAND_INVALID SNEEZE :Invalid subcommand",
                    "FAIL METADATA INVALID_PARAMS SNEEZE :Unknown subcommand",
                ),
            ),
            ("METADATA nobody LIST", "FAIL METADATA INVALID_TARGET nobody :".to_owned()),
            ("METADATA #none GET a", "FAIL METADATA INVALID_TARGET #none :".to_owned()),
            ("METADATA nobody SET a b", "FAIL METADATA INVALID_TARGET nobody :".to_owned()),
            ("METADATA bob SUB a", "FAIL METADATA INVALID_TARGET bob :".to_owned()),
            ("METADATA bob SET a b", "FAIL METADATA KEY_NO_PERMISSION bob a :".to_owned()),
            ("METADATA bob CLEAR", "FAIL METADATA KEY_NO_PERMISSION bob * :".to_owned()),
            ("METADATA #room SET a b", "FAIL METADATA KEY_NO_PERMISSION #room a :".to_owned()),
            ("METADATA #room GET url", "FAIL METADATA KEY_NO_PERMISSION #room * :".to_owned()),
            ("METADATA #room SYNC", "FAIL METADATA KEY_NO_PERMISSION #room * :".to_owned()),
            (
                "METADATA * SET Key x",
                choose("FAIL METADATA KEY_INVALID Key :", "FAIL METADATA INVALID_KEY Key :"),
            ),
            (
                &set_long,
                choose("FAIL METADATA VALUE_INVALID :", "FAIL METADATA INVALID_VALUE key :"),
            ),
        ] {
            let answers = ask(&mut client, command);
            assert!(answers[0].starts_with(&answer), "{command}: {answers:?}");
            assert_eq!(answers.len(), 1, "{command}: {answers:?}");
        }
    }
    let got = ask(&mut bob, "METADATA #room GET url none $x");
    assert_eq!(
        batch(&got, "metadata #room"),
        [
            "761 bob #room url * :x",
            "766 bob #room none :Key not set",
            "WARN METADATA INVALID_KEY $x :Invalid key",
        ]
    );
}

#[test]
fn one_keeps_and_follows_so_many_keys() {
    let server = server(&[]);
    let subscribe_much: Vec<String> = (0..5)
        .map(|line| {
            let keys = (line * 12..).take(12).map(|key| format!("k{key}"));
            format!("METADATA * SUB {}", keys.collect::<Vec<_>>().join(" "))
        })
        .collect();
    for (nick, capabilities) in [("two", VERSION_2), ("three", VERSION_3)] {
        let mut client = irc(&server, nick, capabilities);
        let choose = |two: &str, three: &str| if nick == "two" { two } else { three }.to_owned();
        let fill: Vec<String> = (0..21).map(|key| format!("METADATA * SET k{key} x")).collect();
        let answers = ask(&mut client, &fill.join("\r\n"));
        let full =
            choose("FAIL METADATA LIMIT_REACHED two :", "FAIL METADATA LIMIT_REACHED three 20 :");
        assert!(answers[20].starts_with(&full), "{answers:?}");
        let answers = ask(&mut client, &subscribe_much.join("\r\n"));
        let full =
            choose("FAIL METADATA TOO_MANY_SUBS k50 :", "FAIL METADATA LIMIT_REACHED k50 50 :");
        assert!(answers.iter().any(|line| line.starts_with(&full)), "{answers:?}");
        let subscribed = batch(&ask(&mut client, "METADATA * SUBS"), "metadata-subs");
        let keys: usize = subscribed.iter().map(|line| line.split(' ').count() - 2).sum();
        assert_eq!(keys, 50);
        // Without the capability nothing is followed, not even when it comes back.
        let version = capabilities.rsplit(' ').next().unwrap();
        ask(&mut client, &format!("CAP REQ :-{version}\r\nCAP REQ :{version}"));
        assert_eq!(batch(&ask(&mut client, "METADATA * SUBS"), "metadata-subs"), [""; 0]);
    }
}

#[test]
fn what_is_set_before_coming_in_comes_in() {
    let server = server(&[]);
    let mut ada = Client::connect(server.address);
    let before = [
        "METADATA * SUB avatar",
        "METADATA * SET avatar :a b",
        "METADATA * SET Color red",
        "METADATA bob SET avatar x",
        "METADATA * GET avatar color",
        "METADATA * SYNC",
    ];
    let answers = ask(&mut ada, &format!("CAP REQ :{VERSION_3}\r\n{}", before.join("\r\n")));
    assert_eq!(answers[1..3], ["770 * avatar", "761 * * avatar * :a b"]);
    assert!(answers[3].starts_with("FAIL METADATA INVALID_KEY Color :"));
    assert_eq!(answers[4], "FAIL METADATA INVALID_TARGET bob :Invalid metadata target");
    assert_eq!(
        batch(&answers[5..9], "metadata *"),
        ["761 * * avatar * :a b", "766 * * color :Key not set"]
    );
    assert_eq!(batch(&answers[9..], "metadata *"), [""; 0]);
    let welcome = enter(&mut ada, "ada", VERSION_3, "");
    let end = welcome.len() - 1;
    assert!(welcome[end].starts_with("422 "), "{welcome:?}");
    assert_eq!(batch(&welcome[end - 3..end], "metadata ada"), ["761 ada ada avatar * :a b"]);
    // A client that asks who that is is told, if it understands it.
    let mut bob = irc(&server, "bob", VERSION_3);
    let seen = |client: &mut Client| {
        let lines = ask(client, "WHOIS ada");
        lines.into_iter().filter(|line| line.starts_with("760 ")).collect::<Vec<_>>()
    };
    assert_eq!(seen(&mut bob), ["760 bob ada avatar * :a b"]);
    let mut cid = irc(&server, "cid", "batch");
    assert_eq!(seen(&mut cid), [""; 0]);
}

#[test]
fn who_watches_for_somebody_is_told_of_them() {
    let server = server(&[]);
    let mut bob = irc(&server, "bob", VERSION_3);
    ask(&mut bob, "METADATA * SUB avatar\r\nMONITOR + ada");
    let mut ada = Client::connect(server.address);
    enter(&mut ada, "ada", VERSION_3, "METADATA * SET avatar A");
    assert_eq!(line(&mut bob), "730 bob :ada!~ada@127.0.0.1");
    let told: Vec<String> = (0..3).map(|_| line(&mut bob)).collect();
    assert_eq!(batch(&told, "metadata ada"), ["761 bob ada avatar * :A"]);
    ask(&mut ada, "METADATA * SET avatar B");
    assert_eq!(line(&mut bob), "761 bob ada avatar * :B");
    // In a channel with them, and told once all the same.
    ask(&mut ada, "JOIN #room");
    ask(&mut bob, "JOIN #room");
    ask(&mut ada, "METADATA * SET avatar C");
    assert_eq!(ask(&mut bob, "PING"), ["761 bob ada avatar * :C", "409 bob :No origin specified"]);
    let watched = ask(&mut bob, "MONITOR S");
    assert_eq!(watched[0], "730 bob :ada!~ada@127.0.0.1");
    assert_eq!(batch(&watched[1..], "metadata ada"), ["761 bob ada avatar * :C"]);
}

#[test]
fn a_labelled_answer_that_is_a_batch_bears_the_label_itself() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "batch labeled-response draft/metadata-3");
    let one = ask(&mut ada, "@label=a METADATA * SET avatar A");
    assert_eq!(
        one,
        ["@label=a :irc.example.org 761 ada ada avatar * :A".replace(":irc.example.org ", "")]
    );
    let list = ask(&mut ada, "@label=b METADATA * LIST");
    assert_eq!(
        list,
        [
            "@label=b BATCH +metadata metadata ada",
            "@batch=metadata 761 ada ada avatar * :A",
            "BATCH -metadata",
        ]
    );
}

/// An account `ada` with a channel, and a client that has proved it.
fn account(server: &Server, capabilities: &str) -> Client {
    let mut ada = irc(server, "ada", "draft/account-registration");
    let answers = ask(&mut ada, "REGISTER * * sesame");
    assert!(answers[0].starts_with("REGISTER SUCCESS"), "{answers:?}");
    ada.send("QUIT\r\n");
    ada.rest();
    let mut ada = Client::connect(server.address);
    enter(&mut ada, "ada", &format!("sasl {capabilities}"), PROOF);
    ada
}

#[test]
fn two_clients_of_one_account_share_markers_and_metadata() {
    let server = server(&[]);
    let mut first = account(&server, &format!("draft/read-marker {VERSION_3}"));
    let mut second = Client::connect(server.address);
    let both = format!("sasl draft/read-marker {VERSION_3}");
    // The nick is taken by the first one: this one gets another like it.
    let welcome = enter(&mut second, "ada", &both, PROOF);
    assert!(welcome[0].starts_with("001 ada_2 :"), "{welcome:?}");
    ask(&mut second, "METADATA * SUB avatar");
    let stamp = "timestamp=2024-05-06T07:08:09.123Z";
    let joined = ask(&mut first, "JOIN #room");
    assert_eq!(joined[1], "MARKREAD #room *");
    assert!(joined[2].starts_with("353 ") && joined[3].starts_with("366 "), "{joined:?}");
    let moved = [format!("MARKREAD #room {stamp}")];
    assert_eq!(ask(&mut first, &format!("MARKREAD #ROOM {stamp}")), moved);
    assert_eq!(line(&mut second), moved[0]);
    // It never moves back, and to say so is for who has tried alone.
    let older = "MARKREAD #room timestamp=2024-05-06T07:08:09.122Z\r\nMARKREAD #room";
    assert_eq!(ask(&mut second, older), [moved[0].clone(), moved[0].clone()]);
    ask(&mut second, "MARKREAD Bob timestamp=2024-01-01T00:00:00.000Z");
    assert_eq!(line(&mut first), "MARKREAD Bob timestamp=2024-01-01T00:00:00.000Z");
    ask(&mut first, "METADATA * SET avatar A");
    assert_eq!(line(&mut second), "761 ada_2 ada_2 avatar * :A");
    assert_eq!(
        batch(&ask(&mut second, "METADATA * LIST"), "metadata ada_2"),
        ["761 ada_2 ada_2 avatar * :A"]
    );
    // A third one, which was away when the markers moved, is told of them as it comes in.
    let mut third = Client::connect(server.address);
    let welcome = enter(&mut third, "phone", &both, PROOF);
    let markers: Vec<&String> = welcome.iter().filter(|it| it.starts_with("MARKREAD ")).collect();
    assert_eq!(markers, [&moved[0], "MARKREAD Bob timestamp=2024-01-01T00:00:00.000Z"]);
    // A stranger cannot take a nick like that for one.
    let mut stranger = Client::connect(server.address);
    let refused = ask(&mut stranger, "CAP LS\r\nNICK ada\r\nUSER a 0 * :A\r\nCAP END");
    let refused = refused.last().unwrap();
    assert!(refused.starts_with("433 * ada :"), "{refused}");
}

#[test]
fn a_marker_has_a_target_and_a_time() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "draft/read-marker");
    for (command, answer) in [
        ("MARKREAD", "FAIL MARKREAD NEED_MORE_PARAMS :"),
        ("MARKREAD 1st", "FAIL MARKREAD INVALID_PARAMS 1st :"),
        ("MARKREAD #room *", "FAIL MARKREAD INVALID_PARAMS * :"),
        ("MARKREAD #room yesterday", "FAIL MARKREAD INVALID_PARAMS yesterday :"),
        ("MARKREAD #room timestamp=soon", "FAIL MARKREAD INVALID_PARAMS timestamp=soon :"),
        ("MARKREAD #room", "MARKREAD #room *"),
        ("MARKREAD guest3", "MARKREAD guest3 *"),
    ] {
        let answers = ask(&mut ada, command);
        assert!(answers[0].starts_with(answer) && answers.len() == 1, "{command}: {answers:?}");
    }
    // A clock that is ahead does not hide what comes.
    let ahead = ask(&mut ada, "MARKREAD #room timestamp=9999-01-01T00:00:00.000Z");
    assert!(ahead[0].starts_with("MARKREAD #room timestamp=2"), "{ahead:?}");
    // A client that has not asked for markers gets none.
    let mut bob = irc(&server, "bob", "batch");
    assert!(!ask(&mut bob, "JOIN #room").concat().contains("MARKREAD"));
}

#[test]
#[cfg_attr(not(feature = "disk"), ignore = "needs the feature disk")]
fn a_server_that_is_killed_remembers_what_it_has_told() {
    let scratch = Scratch::new("metadata");
    let data = ["--data", scratch.path()];
    let mut first = server(&data);
    let mut ada = account(&first, VERSION_3);
    ask(&mut ada, "JOIN #room\r\nMETADATA * SET avatar A\r\nMETADATA #room SET url U");
    ask(&mut ada, "MARKREAD #room timestamp=2024-05-06T07:08:09.123Z");
    first.signal(Signal::SIGKILL);
    first.ended();

    let again = server(&data);
    let mut ada = Client::connect(again.address);
    let all = format!("sasl draft/read-marker {VERSION_3}");
    let welcome = enter(&mut ada, "ada", &all, PROOF);
    let told = welcome.join("\n");
    assert!(told.contains("\n@batch=metadata 761 ada ada avatar * :A\n"), "{told}");
    assert!(told.contains("\nMARKREAD #room timestamp=2024-05-06T07:08:09.123Z\n"), "{told}");
    ask(&mut ada, "JOIN #room");
    let list = ask(&mut ada, "METADATA #room LIST");
    assert_eq!(batch(&list, "metadata #room"), ["761 ada #room url * :U"]);
}

#[test]
fn a_read_marker_does_not_tell_of_a_secret_room() {
    let server = server(&[]);
    let (mut ada, mut bob) = (irc(&server, "ada", VERSION_3), irc(&server, "bob", VERSION_3));
    ask(&mut ada, "JOIN #Hidden\r\nMODE #Hidden +s\r\nJOIN #Open");
    assert_eq!(ask(&mut ada, "MARKREAD #hidden"), ["MARKREAD #Hidden *"]);
    assert_eq!(ask(&mut bob, "MARKREAD #hidden"), ["MARKREAD #hidden *"]);
    assert_eq!(ask(&mut bob, "MARKREAD #open"), ["MARKREAD #Open *"]);
}
