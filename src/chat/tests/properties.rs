//! Random people do random things: whatever they do, the state stays whole, no one receives what is
//! not meant for them, and the records alone make the same state and the same effects again.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Step {
    Enter {
        lobby: bool,
        nick: Option<&'static str>,
        account: Option<&'static str>,
    },
    Leave,
    Restart,
    /// Decide, and write down at once or when everyone else's turn has come.
    Do(Command, bool),
}

const NICKS: [&str; 8] = ["alice", "ALICE", "Bob", "bob", "carol", "[d]", "guest4", "1bad"];
const ROOMS: [&str; 7] = ["#lobby", "#A", "#a", "#A", "#b", "#B", "nohash"];
const WORDS: [&str; 5] = ["hello", "", "@alice: look", "bob guest1 carol", "operator"];
const MASKS: [&str; 6] = ["alice", "m:*!*@10.0.0.2", "c*", "a:bob", "bad mask", "m:carol"];

fn text(from: &'static [&'static str]) -> impl Strategy<Value = Arc<str>> {
    proptest::sample::select(from).prop_map(Arc::from)
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![(1u64..12).prop_map(Pick::Number), (0u64..60).prop_map(|id| Pick::Id(RecordId(id)))]
}

fn mode() -> impl Strategy<Value = ModeChange> {
    prop_oneof![
        (proptest::sample::select(&Flag::ALL), any::<bool>())
            .prop_map(|(flag, on)| ModeChange::Flag(flag, on)),
        proptest::option::of(text(&WORDS)).prop_map(ModeChange::Key),
        proptest::option::of(0u32..4).prop_map(ModeChange::Limit),
        (text(&MASKS), any::<bool>()).prop_map(|(mask, on)| ModeChange::Ban(mask.to_string(), on)),
        (text(&NICKS), any::<bool>()).prop_map(|(nick, on)| ModeChange::Op(Name::new(&nick), on)),
        (text(&NICKS), any::<bool>())
            .prop_map(|(nick, on)| ModeChange::Voice(Name::new(&nick), on)),
    ]
}

fn status() -> impl Strategy<Value = Option<char>> {
    proptest::option::of(proptest::sample::select(vec!['@', '+']))
}

fn words_command() -> impl Strategy<Value = Command> {
    let (room, words, nick) = (|| text(&ROOMS), || text(&WORDS), || text(&NICKS));
    prop_oneof![
        4 => (room(), words()).prop_map(|(room, text)| Command::Say(room, Kind::Message, text)),
        1 => (nick(), words()).prop_map(|(nick, text)| Command::Tell(nick, Kind::Message, text)),
        1 => words().prop_map(Command::Answer),
        1 => (room(), pick(), words()).prop_map(|(room, pick, text)| Command::Reply(room, pick, text)),
        1 => (room(), pick(), words(), any::<bool>())
            .prop_map(|(room, pick, text, on)| Command::React(room, pick, text, on)),
        1 => (room(), pick(), words()).prop_map(|(room, pick, text)| Command::Edit(room, pick, text)),
        1 => (room(), pick()).prop_map(|(room, pick)| Command::Redact(room, pick, "".into())),
        1 => (room(), pick()).prop_map(|(room, pick)| Command::Thread(room, pick)),
        1 => (room()).prop_map(|room| Command::History(room, Range::Latest, None)),
        1 => (room()).prop_map(|room| Command::Playback(room, Range::Latest, None)),
        2 => (prop_oneof![room(), nick()], words(), proptest::option::of(pick()), status())
            .prop_map(|(to, text, reply, status)| {
                let text = format!("{text}\n{text}").into();
                let (kind, tags, continuations) = (Kind::Notice, Some("+x".into()), Some([2, 9].into()));
                Command::SendMessage(Box::new(SendMessage { to, kind, text, tags, status, reply, continuations }))
            }),
        2 => (prop_oneof![room(), nick()], words(), proptest::option::of(pick()), status())
            .prop_map(|(to, text, pick, status)| {
                let reaction = pick.map(|pick| (pick, text, true));
                let tags = "+draft/persist".into();
                Command::Tag(Box::new(Tagging { to, tags, status, reaction }))
            }),
    ]
}

fn room_command() -> impl Strategy<Value = Command> {
    let (room, words, nick) = (|| text(&ROOMS), || text(&WORDS), || text(&NICKS));
    prop_oneof![
        4 => (room(), proptest::option::of(words()))
            .prop_map(|(room, key)| Command::Join(room, key)),
        2 => room().prop_map(|room| Command::Part(room, None)),
        1 => (room(), words()).prop_map(|(room, text)| Command::SetTopic(room, text)),
        1 => (nick(), room()).prop_map(|(nick, room)| Command::Invite(nick, room)),
        1 => (room(), any::<bool>()).prop_map(|(room, on)| Command::Keep(room, on)),
        4 => (room(), proptest::collection::vec(mode(), 1..4))
            .prop_map(|(room, modes)| Command::SetModes(room, modes)),
        1 => (room(), nick()).prop_map(|(room, nick)| Command::Kick(room, nick, None)),
        2 => (room(), room()).prop_map(|(room, to)| Command::RenameRoom(room, to, None)),
        1 => Just(Command::List(Box::new(Listing::Rooms(Walk::default())))),
        1 => room().prop_map(who),
        1 => nick().prop_map(Command::Whois),
        1 => room().prop_map(Command::Modes),
    ]
}

fn person_command() -> impl Strategy<Value = Command> {
    let nick = || text(&NICKS);
    let secret = || proptest::sample::select(vec!["sesame", "wrong!"]).prop_map(Secret::new);
    let target = prop_oneof![
        Just(BanTarget::Address("10.0.0.3".into())),
        Just(BanTarget::Account(Name::new("bob"))),
    ];
    prop_oneof![
        8 => nick().prop_map(Command::Nick),
        1 => proptest::option::of(text(&WORDS)).prop_map(Command::Away),
        2 => (nick(), any::<bool>()).prop_map(|(nick, on)| Command::Ignore(nick, on)),
        2 => secret().prop_map(Command::Register),
        3 => (nick(), secret()).prop_map(|(nick, secret)| Command::Login(nick, secret)),
        1 => Just(Command::Logout),
        1 => (secret(), secret()).prop_map(|(old, new)| Command::Password(old, new)),
        1 => Just(Command::Oper("root".into(), Secret::new("operator"))),
        1 => nick().prop_map(|nick| Command::Kill(nick, None)),
        1 => (target.clone(), proptest::option::of(0i64..50))
            .prop_map(|(target, span)| Command::ServerBan(target, span, None)),
        1 => target.prop_map(Command::ServerUnban),
        1 => Just(Command::Announce("hear, hear".into())),
    ]
}

fn told_to_programs() -> impl Strategy<Value = Command> {
    let target = || prop_oneof![text(&NICKS), text(&ROOMS)];
    let value = proptest::option::of(text(&WORDS));
    prop_oneof![
        3 => (target(), text(&["a", "b/c", "No"]), value)
            .prop_map(|(target, key, value)| Command::SetMetadata(target, key, value)),
        1 => target().prop_map(Command::ClearMetadata),
        2 => (target(), 900i64..1_200)
            .prop_map(|(target, time)| Command::MarkRead(target, Moment(time))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let command = prop_oneof![
        6 => words_command(), 6 => room_command(), 4 => person_command(), 1 => told_to_programs()
    ];
    let names = || proptest::option::of(proptest::sample::select(&NICKS[..]));
    prop_oneof![
        3 => (any::<bool>(), names(), names())
            .prop_map(|(lobby, nick, account)| Step::Enter { lobby, nick, account }),
        1 => Just(Step::Leave),
        30 => (command, any::<bool>()).prop_map(|(command, late)| Step::Do(command, late)),
        1 => Just(Step::Restart),
    ]
}

fn play(steps: Vec<(u64, Step)>) -> World {
    let mut world = World::new();
    for (number, nick) in ["alice", "bob", "carol", ""].into_iter().enumerate() {
        world.enter(number as u64, nick);
    }
    world.run(SessionId(0), Command::Oper("root".into(), Secret::new("operator"))).effects();
    let mut late: VecDeque<(SessionId, Change)> = VecDeque::new();
    for (number, step) in steps {
        let session = SessionId(number);
        match step {
            Step::Enter { lobby, nick, account } => {
                let entry = Entry {
                    label: format!("10.0.0.{number}:1").into(),
                    nick: nick.and_then(|nick| Name::nick(nick).ok()),
                    account: account.map(Name::new),
                    lobby,
                    metadata: Metadata::from([("a".into(), "entered".into())]),
                    ..Entry::default()
                };
                world.write(session, Change::Enter(entry.into()));
            }
            Step::Leave => {
                world.leave(session);
            }
            Step::Restart => {
                late.clear();
                world.write(SessionId(0), Change::Restarted { node: 0 });
                assert_eq!(world.hub.online(), 0);
            }
            Step::Do(command, wait) => {
                let decision = world.hub.decide(session, command, Moment(world.now));
                check_answer(&world.hub, session, &decision);
                if let Ok(change) = world.settle(session, decision) {
                    late.push_back((session, change));
                }
                if wait {
                    continue;
                }
            }
        }
        while let Some((session, change)) = late.pop_front() {
            world.write(session, change);
        }
    }
    world
}

/// Answers show no room that is secret to the asker.
fn check_answer(hub: &Hub, session: SessionId, decision: &Decision) {
    let Some(user) = hub.user(session) else {
        assert_eq!(*decision, Decision::Refuse(Refusal::NotHere));
        return;
    };
    let shown: Vec<&Name> = match decision {
        Decision::Reply(Event::Rooms(page)) => page.lines.iter().map(|line| &line.room).collect(),
        Decision::Reply(Event::Whois(whois)) => whois.rooms.iter().map(|(room, ..)| room).collect(),
        Decision::Reply(Event::Who { room: Some(room), .. } | Event::ModesAre { room, .. }) => {
            vec![room]
        }
        Decision::Ask(Query { scope: Scope::Room(room) | Scope::Thread { room, .. }, .. }) => {
            assert!(user.rooms().contains(&room.name));
            vec![&room.name]
        }
        _ => return,
    };
    for name in shown {
        let room = hub.rooms.get(name).unwrap();
        let member = room.member(session).is_some() || user.is_operator();
        assert!(member || !room.modes.has(Flag::Secret), "{name} is shown");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_people_do_the_state_is_whole_and_the_records_make_it_again(
        steps in proptest::collection::vec((0u64..4, step()), 1..200),
    ) {
        let world = play(steps);
        let mut again = Hub::new();
        let mut effects = Vec::new();
        for record in &world.log {
            // As a journal keeps it.
            let kept = serde_json::to_string(record).unwrap();
            prop_assert!(!kept.contains("sesame"), "a password is written down: {}", kept);
            let record: Record = serde_json::from_str(&kept).unwrap();
            again.apply(record.clone(), &mut effects);
            // Once more, as after an overlap with a snapshot.
            again.apply(record, &mut effects);
        }
        prop_assert!(effects == world.effects, "other effects");
        // Debug shows the order, too, in which maps are walked.
        prop_assert_eq!(format!("{:?}", &again), format!("{:?}", &world.hub));
        let snapshot = serde_json::to_string(&again).unwrap();
        let restored: Hub = serde_json::from_str(&snapshot).unwrap();
        prop_assert_eq!(format!("{:?}", restored), format!("{:?}", again));
    }
}
