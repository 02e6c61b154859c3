//! The words of silenced and ignored users reach no one by any way; and what an invitation opens.

use super::*;
use crate::chat::model::work::{self, STEP};

fn join(room: &str) -> Command {
    Command::Join(room.into(), None)
}

fn mode(change: ModeChange) -> Command {
    Command::SetModes("#x".into(), vec![change])
}

/// Alice is the operator of `#x`, bob and carol are in it.
fn three() -> (World, [SessionId; 3]) {
    let mut world = World::new();
    let people = [(1, "alice"), (2, "bob"), (3, "carol")].map(|(n, nick)| world.enter(n, nick));
    for session in people {
        world.run(session, join("#x")).effects();
        world.run(session, Command::Part("#lobby".into(), None)).effects();
    }
    (world, people)
}

/// What carol is told of what bob does.
fn told(world: &mut World, [_, bob, carol]: [SessionId; 3], command: Command) -> Vec<Event> {
    let effects = world.run(bob, command).effects();
    world.heard(carol, &effects).into_iter().map(|(event, _)| event).collect()
}

#[test]
fn a_mute_holds_for_the_session_until_it_is_lifted() {
    let (mut world, people) = three();
    let [alice, bob, _] = people;
    let muted = Refusal::Muted(Name::new("#x"));
    let say = || Command::Say("#x".into(), Kind::Message, "buy".into());
    world.run(alice, mode(ModeChange::Ban("m:bob".into(), true))).effects();
    let nick = |to: &str| Command::Nick(to.into());
    let silenced = Refusal::SilencedNick(Name::new("buy"), Name::new("#x"));
    assert_eq!(world.run(bob, nick("buy")).refusal(), silenced);
    // Out, another nick, an account, and in again.
    world.run(bob, Command::Part("#x".into(), None)).effects();
    world.run(bob, nick("rob")).effects();
    world.run(bob, join("#x")).effects();
    assert_eq!(world.run(bob, say()).refusal(), muted);
    world.run(bob, Command::Register(Secret::new("sesame"))).effects();
    assert_eq!(world.run(bob, say()).refusal(), muted);
    world.run(bob, Command::Logout).effects();
    assert_eq!(world.run(bob, say()).refusal(), muted);
    // The snapshot keeps it, and someone else who is called bob is not meant by it.
    let snapshot = serde_json::to_string(&world.hub).unwrap();
    world.hub = serde_json::from_str(&snapshot).unwrap();
    assert_eq!(world.run(bob, say()).refusal(), muted);
    // As the ban list shows it: they had no account then.
    world.run(alice, mode(ModeChange::Ban("m:*!*@10.0.0.2".into(), false))).effects();
    world.run(bob, say()).effects();
}

/// Each ban that was lifted once had every member compared with all the others.
#[test]
fn bans_are_looked_at_when_a_member_speaks_and_not_when_they_change() {
    let (mut world, [alice, bob, _]) = three();
    for number in 4..64 {
        let member = world.enter(number, "");
        world.run(member, join("#x")).effects();
    }
    let bans = |from: usize, on| {
        let mask = |number| format!("*{}{number}*", "a".repeat(22));
        let changes = (from..from + 13).map(|number| ModeChange::Ban(mask(number), on));
        Command::SetModes("#x".into(), changes.collect())
    };
    for from in (0..91).step_by(13) {
        world.run(alice, bans(from, true)).effects();
    }
    let Decision::Change(change) = world.hub.decide(alice, bans(0, false), Moment(world.now))
    else {
        panic!()
    };
    let (id, time) = (RecordId(1_000_000), Moment(world.now));
    work::take();
    world.hub.apply(Record { id, time, origin: alice, change }, &mut Vec::new());
    let lifted = work::take();
    let say = Command::Say("#x".into(), Kind::Message, "hello".into());
    assert!(matches!(world.hub.decide(bob, say, time), Decision::Change(_)));
    let said = work::take();
    // So much is looking at all masks for one member.
    let once = STEP.times(78 * 22 * 4);
    assert!(lifted < once, "{lifted:?}");
    assert!(said > STEP.times(78) && said < once, "{said:?}");
}

#[test]
fn a_ban_of_somebody_who_was_kicked_before_holds_under_another_nick() {
    let (mut world, [alice, bob, _]) = three();
    world.run(alice, Command::Kick("#x".into(), "bob".into(), None)).effects();
    world.run(alice, mode(ModeChange::Ban("bob".into(), true))).effects();
    world.run(bob, Command::Nick("rob".into())).effects();
    assert_eq!(world.run(bob, join("#x")).refusal(), Refusal::Banned(Name::new("#x")));
    let mask = "bob!*@*";
    world.run(alice, mode(ModeChange::Ban(mask.into(), true))).effects();
    for number in 0..2 * limits::HITS_PER_ROOM as u64 {
        let other = world.enter(100 + number, "bob");
        world.run(alice, mode(ModeChange::Ban(mask.into(), false))).effects();
        world.run(alice, mode(ModeChange::Ban(mask.into(), true))).effects();
        world.leave(other);
    }
    let room = world.hub.room("#x").unwrap();
    assert!(room.hits.len() <= limits::HITS_PER_ROOM);
}

#[test]
fn what_a_silenced_user_writes_is_told_to_no_one_in_the_room() {
    let (mut world, people) = three();
    world.run(people[0], mode(ModeChange::Flag(Flag::TopicLocked, false))).effects();
    world.run(people[0], Command::Say("#x".into(), Kind::Message, "hello".into())).effects();
    world.run(people[0], mode(ModeChange::Ban("m:bob".into(), true))).effects();
    let text: Arc<str> = "buy".into();
    let topic = Command::SetTopic("#x".into(), text.clone());
    assert_eq!(world.run(people[1], topic).refusal(), Refusal::Muted(Name::new("#x")));
    let react = Command::React("#x".into(), Pick::Number(1), text.clone(), true);
    assert_eq!(world.run(people[1], react).refusal(), Refusal::Muted(Name::new("#x")));
    let away = told(&mut world, people, Command::Away(Some(text.clone())));
    assert!(matches!(&away[..], [Event::Away { message: Some(it), .. }] if &**it == "away"));
    assert_eq!(told(&mut world, people, Command::RealName(text.clone())), []);
    let metadata = Command::SetMetadata("bob".into(), "url".into(), Some(text.clone()));
    assert_eq!(told(&mut world, people, metadata), []);
    let parted = told(&mut world, people, Command::Part("#x".into(), Some(text.clone())));
    assert!(matches!(&parted[..], [Event::Parted { reason: None, .. }]), "{parted:?}");
    let back = told(&mut world, people, join("#x"));
    let [Event::Joined { who, away, .. }] = &back[..] else { panic!("{back:?}") };
    assert_eq!((who.names.realname(), away.as_deref()), (None, Some("away")));
    let departure = QuitReason::Message(text);
    let effects = world.write(people[1], Change::Leave { departure });
    let heard = world.heard(people[2], &effects);
    assert!(matches!(&heard[..], [(Event::Left { departure: QuitReason::Quit, .. }, _)]));
}

#[test]
fn what_an_ignored_user_writes_is_told_to_all_but_those_who_ignore_them() {
    let (mut world, people) = three();
    let [alice, bob, carol] = people;
    world.run(alice, mode(ModeChange::Flag(Flag::TopicLocked, false))).effects();
    world.run(carol, Command::Ignore("bob".into(), true)).effects();
    let text: Arc<str> = "buy".into();
    // Under another nick, too: the ignoring goes along.
    let renamed = told(&mut world, people, Command::Nick("rob".into()));
    assert!(matches!(&renamed[..], [Event::Renamed { .. }]));
    assert_eq!(told(&mut world, people, Command::SetTopic("#x".into(), text.clone())), []);
    assert_eq!(told(&mut world, people, Command::RealName(text.clone())), []);
    let say = Command::Say("#x".into(), Kind::Message, text.clone());
    assert_eq!(told(&mut world, people, say), []);
    let away = told(&mut world, people, Command::Away(Some(text.clone())));
    assert!(matches!(&away[..], [Event::Away { message: Some(it), .. }] if &**it == "away"));
    let effects = world.run(bob, Command::Part("#x".into(), Some(text.clone()))).effects();
    let reason = |heard: Vec<(Event, Viewpoint)>| match &heard[..] {
        [(Event::Parted { reason, .. }, _)] => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(world.heard(carol, &effects)), None);
    assert_eq!(reason(world.heard(alice, &effects)), Some(text));
    world.run(carol, Command::Ignore("rob".into(), false)).effects();
    assert!(world.hub.user(carol).unwrap().extras().ignores.is_empty());
}

#[test]
fn who_is_ignored_stays_so_in_a_record_that_renames_them() {
    let (mut world, [alice, bob, carol]) = three();
    world.run(bob, Command::Register(Secret::new("sesame"))).effects();
    let metadata = Command::SetMetadata("bob".into(), "url".into(), Some("buy".into()));
    world.run(bob, metadata).effects();
    world.run(carol, Command::Ignore("bob".into(), true)).effects();
    // Logging out takes the account's metadata and its nick away, logging in brings both back.
    for command in [Command::Logout, Command::Login("bob".into(), Secret::new("sesame"))] {
        let effects = world.run(bob, command).effects();
        assert!(effects.iter().any(|it| matches!(it.event, Event::Renamed { .. })), "{effects:?}");
        let hears = |session| {
            let heard = world.heard(session, &effects);
            heard.iter().any(|(event, _)| matches!(event, Event::MetadataSet { .. }))
        };
        assert!(hears(alice) && !hears(carol), "{effects:?}");
    }
}

#[test]
fn an_invitation_opens_what_its_giver_may_open_and_a_ban_ends_it() {
    let (mut world, [alice, bob, _]) = three();
    let eve = world.enter(4, "eve");
    world.run(alice, mode(ModeChange::Key(Some("word".into())))).effects();
    let invite = || Command::Invite("eve".into(), "#x".into());
    let locked = Refusal::WrongKey(Name::new("#x"));
    world.run(bob, invite()).effects();
    assert_eq!(world.run(eve, join("#x")).refusal(), locked, "a member's");
    world.run(alice, invite()).effects();
    // A member's later one takes nothing away.
    world.run(bob, invite()).effects();
    world.run(eve, join("#x")).effects();
    world.run(eve, Command::Part("#x".into(), None)).effects();
    world.run(alice, invite()).effects();
    world.run(alice, mode(ModeChange::Ban("m:eve".into(), true))).effects();
    assert_eq!(world.hub.user(eve).unwrap().invites().len(), 1, "a mute keeps no one out");
    world.run(alice, mode(ModeChange::Ban("*!*@10.0.0.4".into(), true))).effects();
    assert!(world.hub.user(eve).unwrap().invites().is_empty());
    world.run(alice, mode(ModeChange::Ban("*!*@10.0.0.4".into(), false))).effects();
    assert_eq!(world.run(eve, join("#x")).refusal(), locked);
    // Records of earlier versions mean what they meant.
    let record = r##"{"change":"invite","room":"#x","nick":"eve"}"##;
    let before: Change = serde_json::from_str(record).unwrap();
    assert!(matches!(before, Change::Invite { opens: true, .. }));
    assert_eq!(serde_json::to_string(&before).unwrap(), record);
}

#[test]
fn a_newcomer_does_not_start_in_a_lobby_that_is_closed_to_them() {
    let (mut world, [alice, ..]) = three();
    world.run(alice, Command::Oper("root".into(), Secret::new("operator"))).effects();
    let mut enter = |number: u64, change: ModeChange| {
        world.run(alice, Command::SetModes("#lobby".into(), vec![change])).effects();
        let label = format!("10.0.0.{number}:1").into();
        let entry = Entry { label, lobby: true, restricted: true, ..Entry::default() };
        let effects = world.write(SessionId(number), Change::Enter(entry.into()));
        let told = world.heard(SessionId(number), &effects).into_iter();
        let refused = told.filter_map(|(event, _)| match event {
            Event::Refused(refusal) => Some(refusal),
            _ => None,
        });
        (refused.collect::<Vec<_>>(), world.hub.user(SessionId(number)).unwrap().rooms().to_vec())
    };
    let lobby = Name::lobby;
    let mask = "*!*@10.0.0.7".to_owned();
    assert_eq!(enter(6, ModeChange::Ban(mask.clone(), true)), (vec![], vec![lobby()]));
    let banned = enter(7, ModeChange::Flag(Flag::TopicLocked, true));
    assert_eq!(banned, (vec![Refusal::Banned(lobby())], vec![]));
    let locked = enter(8, ModeChange::Key(Some("word".into())));
    assert_eq!(locked, (vec![Refusal::WrongKey(lobby())], vec![]));
}

#[test]
fn that_others_have_written_to_someone_is_not_told() {
    let (mut world, [alice, bob, carol]) = three();
    world.run(alice, Command::Tell("bob".into(), Kind::Message, "psst".into())).effects();
    let id = RecordId(world.log.len() as u64);
    let redact = |id| Command::Redact("bob".into(), Pick::Id(id), "".into());
    let missing = world.run(carol, redact(RecordId(999))).refusal();
    for stranger in [carol, bob] {
        assert_eq!(world.run(stranger, redact(id)).refusal(), missing);
    }
    world.run(alice, redact(id)).effects();
}
