//! Exact bytes: what many receive, for clients with and without capabilities.

use super::{Caps, RenderCaps, Session, render};
use crate::chat::{
    Event, Flag, Identity, IrcNames, Kind, ModeChange, Moment, Name, QuitReason, RecordId, Refusal,
    RoomMessage, SessionId, Stamp, Topic, Viewpoint,
};
use crate::wire::irc::numeric;
use std::sync::Arc;

/// The capabilities of these names.
fn named(names: &str) -> Caps {
    names.split_whitespace().filter_map(Caps::find).fold(Caps::NONE, Caps::with)
}

fn ada() -> Arc<Identity> {
    Arc::new(Identity {
        session: SessionId(1),
        nick: Name::new("ada"),
        named: true,
        label: "10.0.0.1:4000".into(),
        names: IrcNames::new(Some("~al".into()), Some("Ada L.".into())),
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
        continuations: None,
    }))
}

/// The second thing that follows from the ninth record.
const STAMP: Stamp = Stamp { id: RecordId(9), part: 1, time: Moment(1_767_225_600_123) };

/// What a client with these capabilities receives.
fn heard(capabilities: &str, event: &Event) -> String {
    let mut out = Vec::new();
    let look = RenderCaps::new(named(capabilities));
    render::render(look, Some(STAMP), event, &mut out);
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

/// A chat with no one in it, for sessions that have not registered or need no user.
struct Server {
    hub: crate::chat::Hub,
    settings: super::Settings,
    monitors: super::MonitorList,
    whowas: super::Whowas,
    counts: super::UserCounts,
}

impl Server {
    fn new() -> Server {
        Server {
            hub: crate::chat::Hub::new(),
            settings: super::Settings::example(),
            monitors: super::MonitorList::default(),
            whowas: super::Whowas::default(),
            counts: super::UserCounts::default(),
        }
    }

    fn view(&mut self, now: i64) -> super::View<'_> {
        super::View {
            hub: &self.hub,
            settings: &self.settings,
            monitors: &mut self.monitors,
            whowas: &self.whowas,
            counts: &mut self.counts,
            me: SessionId(1),
            now: Moment(now),
            stamp: None,
        }
    }

    /// What the session answers to one line, by the way of the server: collected if labelled,
    /// then finished.
    fn answer(
        &mut self,
        session: &mut Session,
        now: i64,
        line: &str,
    ) -> (String, Vec<crate::session::Action>) {
        let (mut out, mut actions) = (Vec::new(), Vec::new());
        let view = &mut self.view(now);
        session.answering(view, &mut out, &mut actions, |irc| irc.take(line.as_bytes()));
        session.finish(&mut out);
        (String::from_utf8(out).unwrap(), actions)
    }
}

/// A worker that cannot answer the first message of SCRAM says nothing of the nick.
#[test]
fn a_login_that_cannot_begin_fails_once_and_leaves_the_nick() {
    let (mut server, mut session) = (Server::new(), Session::new());
    for line in ["CAP REQ sasl", "NICK ada", "USER ada 0 * a", "AUTHENTICATE SCRAM-SHA-256"] {
        server.answer(&mut session, 0, line);
    }
    let (_, actions) = server.answer(&mut session, 0, "AUTHENTICATE biwsbj1hZGEscj14");
    assert!(matches!(actions[..], [crate::session::Action::Prove(_)]), "{actions:?}");
    let (mut out, view) = (Vec::new(), &mut server.view(0));
    session.answering(view, &mut out, &mut Vec::new(), |irc| {
        let refused = Event::Refused(Refusal::Failed("too many logins".into()));
        irc.tell(&refused, Viewpoint::Observer, &mut Vec::new());
        irc.answer_proof(crate::session::ProofAnswer::Failed);
    });
    let told = String::from_utf8(out).unwrap();
    assert!(told.contains(" 904 ada :") && told.contains("too many logins"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    let (_, actions) = server.answer(&mut session, 0, "CAP END");
    assert!(matches!(actions[..], [crate::session::Action::Enter(_)]), "{actions:?}");
}

#[test]
fn a_batch_that_is_left_open_is_forgotten() {
    let (mut server, mut session) = (Server::new(), Session::new());
    session.stop_registering();
    let minute = std::time::Duration::from_secs(60);
    let caps = "CAP REQ :message-tags batch draft/multiline labeled-response";
    server.answer(&mut session, 0, caps);
    let open = server.answer(&mut session, 1_000, "@label=l BATCH +a draft/multiline #x");
    assert_eq!(open, (String::new(), vec![crate::session::Action::WatchBatch(minute)]));
    let line = server.answer(&mut session, 1_000, "@batch=a PRIVMSG #x :hi");
    assert_eq!(line, (String::new(), vec![]));
    // One look is enough for the batches that follow each other.
    server.answer(&mut session, 2_000, "BATCH -a");
    let (_, actions) = server.answer(&mut session, 2_000, "@label=m BATCH +b draft/multiline #x");
    assert_eq!(actions, []);
    let mut look = |now| {
        let (mut out, view) = (Vec::new(), &mut server.view(now));
        let again = session.telling(view, &mut out, &mut Vec::new(), |irc| irc.look_at_batch());
        (String::from_utf8(out).unwrap(), again)
    };
    assert_eq!(look(61_000), (String::new(), Some(std::time::Duration::from_secs(1))));
    // A clock that was set back begins the minute anew, and does not keep it open for a year.
    assert_eq!(look(1_500), (String::new(), Some(minute)));
    let told =
        "@label=m :irc.example.org FAIL BATCH TIMEOUT b :The batch was open for too long\r\n";
    assert_eq!(look(61_500), (told.to_owned(), None));
    assert!(session.batch.is_none());
}

#[test]
fn a_labelled_response_is_an_ack_a_line_or_a_batch() {
    let (mut server, mut session) = (Server::new(), Session::new());
    server.answer(&mut session, 0, "CAP REQ :labeled-response batch draft/metadata-2");
    let mut answer = |line: &str| server.answer(&mut session, 0, line).0;
    assert_eq!(answer("@label=a PONG x"), "@label=a :irc.example.org ACK\r\n");
    assert_eq!(
        answer(r"@label=b\s; PING x"),
        "@label=b\\s :irc.example.org PONG irc.example.org :x\r\n"
    );
    assert_eq!(answer("PING x"), ":irc.example.org PONG irc.example.org :x\r\n");
    // A single batch bears the label itself.
    assert_eq!(
        answer("@label=c METADATA * LIST"),
        "@label=c :irc.example.org BATCH +metadata metadata *\r\n\
         :irc.example.org BATCH -metadata\r\n"
    );
    // Several lines, and each response has a batch of another name.
    for (label, reference) in [("d", "l4"), ("e", "l5")] {
        assert_eq!(
            answer(&format!("@label={label} METADATA * SUB one !")),
            format!(
                "@label={label} :irc.example.org BATCH +{reference} labeled-response\r\n\
                 @batch={reference} :irc.example.org 770 * one\r\n\
                 @batch={reference} :irc.example.org FAIL METADATA KEY_INVALID ! :Invalid key\r\n\
                 :irc.example.org BATCH -{reference}\r\n"
            )
        );
    }
    // Without batches there is nothing to label several lines with.
    server.answer(&mut session, 0, "CAP REQ :-batch");
    let (lines, _) = server.answer(&mut session, 0, "@label=f METADATA * SUB one !");
    assert_eq!(
        lines,
        ":irc.example.org 770 * one\r\n\
         :irc.example.org FAIL METADATA KEY_INVALID ! :Invalid key\r\n"
    );
}

/// A session that has collected replies under a label, as `write` writes them.
fn labelled(write: impl FnOnce(&mut super::reply::ReplyWriter<'_>)) -> String {
    let (mut server, mut session) = (Server::new(), Session::new());
    session.caps = named("batch labeled-response server-time draft/multiline draft/chathistory");
    session.label =
        Some(super::label::Label::new("x", "l1".to_owned(), "irc.example.org", session.caps));
    let (mut out, view) = (Vec::new(), &mut server.view(0));
    session.answering(view, &mut out, &mut Vec::new(), |irc| write(&mut irc.reply()));
    session.finish(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn batches_inside_of_a_labelled_response_keep_their_lines() {
    let look = RenderCaps::new(named("server-time batch draft/multiline"));
    let two = said("one\ntwo", Kind::Message);
    let time = "time=2026-01-01T00:00:00.123Z";
    let (start, ada) = (":irc.example.org", ":ada!~al@10.0.0.1");
    let inner = |batch: &str| {
        format!(
            "@{batch}{time} {ada} BATCH +m7 draft/multiline #lab\r\n\
             @batch=m7 {ada} PRIVMSG #lab :one\r\n\
             @batch=m7 {ada} PRIVMSG #lab :two\r\n"
        )
    };
    // An echo alone: the label goes to its batch.
    let echo = labelled(|reply| render::write(look, None, &two, &mut reply.lines));
    assert_eq!(echo, format!("{}{ada} BATCH -m7\r\n", inner("label=x;")));
    // An echo and a numeric: the batch is nested.
    let both = labelled(|reply| {
        render::write(look, None, &two, &mut reply.lines);
        reply.numeric_text(numeric::RPL_AWAY, &["bob"], "tea");
    });
    assert_eq!(
        both,
        format!(
            "@label=x {start} BATCH +l1 labeled-response\r\n\
             {}\
             @batch=l1 {ada} BATCH -m7\r\n\
             @batch=l1 {start} 301 * bob :tea\r\n\
             {start} BATCH -l1\r\n",
            inner("batch=l1;")
        )
    );
    // History: the message's batch is inside of the history's, which bears the label.
    let history = labelled(|reply| {
        reply.batch("history", &["chathistory", "#lab"], |reply| {
            render::write(look, None, &two, &mut reply.lines);
        });
    });
    assert_eq!(
        history,
        format!(
            "@label=x {start} BATCH +history chathistory #lab\r\n\
             {}\
             @batch=history {ada} BATCH -m7\r\n\
             {start} BATCH -history\r\n",
            inner("batch=history;")
        )
    );
    // Two batches one after the other are not one.
    let batches = labelled(|reply| {
        for _ in 0..2 {
            reply.batch("metadata", &["metadata", "*"], |_| {});
        }
    });
    let each = format!(
        "@batch=l1 {start} BATCH +metadata metadata *\r\n@batch=l1 {start} BATCH -metadata\r\n"
    );
    assert_eq!(
        batches,
        format!("@label=x {start} BATCH +l1 labeled-response\r\n{each}{each}{start} BATCH -l1\r\n")
    );
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
    let who = Arc::new(Identity {
        names: IrcNames::new(Some("~al".into()), None),
        account: None,
        ..(*ada()).clone()
    });
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
