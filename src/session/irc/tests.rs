//! Exact bytes: what many hear, for clients with and without capabilities.

use super::{RenderCaps, Session, render};
use crate::chat::{
    Event, Flag, Identity, Kind, ModeChange, Moment, Name, QuitReason, RecordId, RoomMessage,
    SessionId, Stamp, Topic,
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
    Event::RoomMessage(Box::new(RoomMessage {
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
        joints: None,
    }))
}

/// The second thing that follows from the ninth record.
const STAMP: Stamp = Stamp { id: RecordId(9), part: 1, time: Moment(1_767_225_600_123) };

/// What a client with these capabilities hears.
fn heard(capabilities: &str, event: &Event) -> String {
    let mut out = Vec::new();
    let look = RenderCaps(super::capabilities::named(capabilities));
    render(look, Some(STAMP), event, &mut out);
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
    assert!(lines[0].starts_with("@msgid=7;+x=y") && lines[1].starts_with("@+x=y;+draft"));
    let start = ":ada!~al@10.0.0.1 PRIVMSG #lab :";
    let words = lines.iter().map(|line| line.split_once(start).unwrap().1);
    assert_eq!(words.collect::<String>(), text);
    assert!(lines.iter().all(|line| line.len() <= 510 + 40));
}

#[test]
fn a_batch_that_is_left_open_is_forgotten() {
    let settings = super::Settings {
        name: "irc.example.org".into(),
        network: "Test".into(),
        password: None,
        motd: None,
        started: Moment(0),
    };
    let hub = crate::chat::Hub::new();
    let mut desk = super::Desk::default();
    let mut session = Session::new();
    let mut at = |session: &mut Session, now: i64, lines: &[&str]| {
        let (me, now) = (SessionId(1), Moment(now));
        let mut view =
            super::View { hub: &hub, settings: &settings, desk: &mut desk, me, now, stamp: None };
        let (mut out, mut actions) = (Vec::new(), Vec::new());
        for line in lines {
            session.take(line.as_bytes(), &mut view, &mut out, &mut actions);
            session.finish(&view, &mut out);
        }
        let again = if lines.is_empty() { session.look_at_batch(&view, &mut out) } else { None };
        (String::from_utf8(out).unwrap(), actions, again)
    };
    session.step_away();
    let minute = std::time::Duration::from_secs(60);
    at(&mut session, 0, &["CAP REQ :message-tags batch draft/multiline labeled-response"]);
    let open = ["@label=l BATCH +a draft/multiline #x", "@batch=a PRIVMSG #x :hi"];
    let (out, actions, _) = at(&mut session, 1_000, &open);
    assert_eq!((out.as_str(), actions), ("", vec![super::Action::WatchBatch(minute)]));
    // One look is enough for the batches that follow each other.
    let (_, actions, _) = at(&mut session, 2_000, &["BATCH -a", "BATCH +b draft/multiline #x"]);
    assert_eq!(actions.len(), 1, "{actions:?}");
    let (out, _, again) = at(&mut session, 61_000, &[]);
    assert_eq!((out.as_str(), again), ("", Some(std::time::Duration::from_secs(1))));
    let (out, _, again) = at(&mut session, 62_000, &[]);
    let told = ":irc.example.org FAIL BATCH TIMEOUT b :The batch was open for too long\r\n";
    assert_eq!((out.as_str(), again), (told, None));
    assert!(session.batch.is_none());
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
            Event::Left { who: Arc::clone(&who), departure: QuitReason::Quit, online: 1 },
            "QUIT :Client quit",
        ),
        (
            Event::Left {
                who: Arc::clone(&who),
                departure: QuitReason::Message("so long".into()),
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
fn what_happens_has_a_time_and_one_msgid() {
    let time = "time=2026-01-01T00:00:00.123Z";
    let start = ":ada!~al@10.0.0.1";
    let joined = Event::Joined {
        who: ada(),
        room: Name::new("#lab"),
        members: 2,
        topic: None,
        op: true,
        away: Some("tea".into()),
    };
    assert_eq!(
        heard("server-time message-tags away-notify account-tag", &joined),
        format!(
            "@{time};msgid=9.1;account=lovelace {start} JOIN #lab\r\n\
             @{time};account=lovelace {start} MODE #lab +o ada\r\n\
             @{time};account=lovelace {start} AWAY :tea\r\n"
        )
    );
    let away = Event::Away { who: ada(), message: None };
    assert_eq!(heard("away-notify server-time", &away), format!("@{time} {start} AWAY\r\n"));
    let left = Event::Left { who: ada(), departure: QuitReason::Quit, online: 1 };
    assert_eq!(heard("message-tags", &left), format!("@msgid=9.1 {start} QUIT :Client quit\r\n"));
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
