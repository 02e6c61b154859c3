//! Exact bytes: what many hear, for clients with and without capabilities.

use super::{Look, Session, render};
use crate::chat::{
    Departure, Event, Flag, Identity, Kind, ModeChange, Moment, Name, Perspective, RecordId, Said,
    SessionId, Topic,
};
use std::sync::Arc;

fn ada() -> Arc<Identity> {
    Arc::new(Identity {
        session: SessionId(1),
        nick: Name::new("ada"),
        named: true,
        label: "10.0.0.1:4000".into(),
        username: Some("~al".into()),
        realname: Some("Ada L.".into()),
        account: Some(Name::new("lovelace")),
        bot: false,
    })
}

fn said(text: &str, kind: Kind) -> Event {
    Event::Said(Box::new(Said {
        id: RecordId(7),
        time: Moment(1_767_225_600_123),
        room: Name::new("#lab"),
        number: 1,
        who: ada(),
        kind,
        text: text.into(),
        reply: None,
        mention: false,
        tags: Some("+x=y;+draft/reply=3".into()),
        status: None,
    }))
}

/// What a client with these capabilities hears.
fn heard(capabilities: &str, event: &Event) -> String {
    let mut out = Vec::new();
    render(Look(super::capabilities::named(capabilities)), event, Perspective::Other, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_message_has_the_tags_that_were_asked_for() {
    let event = said("hi there", Kind::Message);
    let bare = ":ada!~al@10.0.0.1 PRIVMSG #lab :hi there\r\n";
    assert_eq!(heard("", &event), bare);
    assert_eq!(heard("server-time", &event), format!("@time=2026-01-01T00:00:00.123Z {bare}"));
    assert_eq!(heard("account-tag", &event), format!("@account=lovelace {bare}"));
    assert_eq!(
        heard("message-tags", &event),
        format!("@msgid=7;+x=y;+draft/reply=3 {bare}"),
        "tags between clients go to those who asked for tags alone"
    );
    assert_eq!(
        heard("", &said("waves", Kind::Action)),
        ":ada!~al@10.0.0.1 PRIVMSG #lab :\u{1}ACTION waves\u{1}\r\n"
    );
    assert_eq!(heard("", &said("x", Kind::Notice)), ":ada!~al@10.0.0.1 NOTICE #lab :x\r\n");
}

#[test]
fn what_a_plain_client_says_in_one_line_may_take_several() {
    let text = "word ".repeat(200);
    let lines = heard("message-tags", &said(&text, Kind::Message));
    let lines: Vec<&str> = lines.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("@msgid=7;") && lines[1].starts_with(":ada!"));
    let start = ":ada!~al@10.0.0.1 PRIVMSG #lab :";
    let words = lines.iter().map(|line| line.split_once(start).unwrap().1);
    assert_eq!(words.collect::<String>(), text);
    assert!(lines.iter().all(|line| line.len() <= 510 + 40));
}

#[test]
fn comings_and_goings() {
    let (who, room) = (ada(), Name::new("#lab"));
    let joined = |op| Event::Joined {
        who: ada(),
        room: Name::new("#lab"),
        members: 2,
        topic: None,
        op,
        away: Some("tea".into()),
    };
    let bare = ":ada!~al@10.0.0.1 JOIN #lab";
    assert_eq!(heard("", &joined(false)), format!("{bare}\r\n"));
    assert_eq!(heard("extended-join", &joined(false)), format!("{bare} lovelace :Ada L.\r\n"));
    assert_eq!(
        heard("", &joined(true)),
        format!("{bare}\r\n:ada!~al@10.0.0.1 MODE #lab +o ada\r\n")
    );
    assert_eq!(
        heard("away-notify", &joined(false)),
        format!("{bare}\r\n:ada!~al@10.0.0.1 AWAY :tea\r\n")
    );
    for (event, line) in [
        (
            Event::Parted { who: Arc::clone(&who), room: room.clone(), reason: Some("bye".into()) },
            "PART #lab :bye",
        ),
        (
            Event::Left { who: Arc::clone(&who), departure: Departure::Quit, online: 1 },
            "QUIT :Client quit",
        ),
        (
            Event::Left {
                who: Arc::clone(&who),
                departure: Departure::Said("so long".into()),
                online: 1,
            },
            "QUIT :Quit: so long",
        ),
        (
            Event::TopicSet {
                who: Arc::clone(&who),
                room: room.clone(),
                topic: Topic { text: "".into(), by: who.nick.clone(), time: Moment(0) },
            },
            "TOPIC #lab :",
        ),
        (
            Event::ModesSet {
                who: Arc::clone(&who),
                room: room.clone(),
                changes: vec![
                    ModeChange::Flag(Flag::Moderated, true),
                    ModeChange::Limit(None),
                    ModeChange::Key(None),
                    ModeChange::Op(Name::new("bob"), true),
                ],
            },
            "MODE #lab +m-lk+o * bob",
        ),
    ] {
        assert_eq!(heard("", &event), format!(":ada!~al@10.0.0.1 {line}\r\n"));
    }
}

#[test]
fn a_plain_client_is_shown_by_its_nick_where_a_real_name_belongs() {
    let who = Arc::new(Identity { realname: None, account: None, ..(*ada()).clone() });
    let room = Name::new("#lab");
    let joined = Event::Joined { who, room, members: 2, topic: None, op: false, away: None };
    assert_eq!(heard("extended-join", &joined), ":ada!~al@10.0.0.1 JOIN #lab * :ada\r\n");
}

#[test]
fn who_did_not_ask_for_news_gets_none() {
    let who = ada();
    let away = Event::Away { who: Arc::clone(&who), message: Some("tea".into()) };
    let name = Event::RealName { who };
    assert_eq!((heard("", &away), heard("", &name)), (String::new(), String::new()));
    assert_eq!(heard("away-notify", &away), ":ada!~al@10.0.0.1 AWAY :tea\r\n");
    assert_eq!(heard("setname", &name), ":ada!~al@10.0.0.1 SETNAME :Ada L.\r\n");
}

#[test]
fn the_first_word_tells_the_dialect() {
    for (first, verdict) in [
        ("", None),
        ("N", None),
        ("NICK", None),
        ("NICK ", Some(true)),
        ("CAP LS 302\r\n", Some(true)),
        ("QUIT\n", Some(true)),
        ("NICKY", Some(false)),
        ("nick ada\n", Some(false)),
        ("hello", Some(false)),
        ("\n", Some(false)),
        ("/nick ada\n", Some(false)),
        ("\u{16}\u{3}", Some(false)),
    ] {
        assert_eq!(Session::recognises(first.as_bytes()), verdict, "{first:?}");
    }
}
