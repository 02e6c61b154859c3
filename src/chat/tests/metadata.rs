//! Metadata of people and rooms, and read markers.

use super::*;

fn set(target: &str, key: &str, value: &str) -> Command {
    let value = Some(value).filter(|value| !value.is_empty());
    Command::SetMetadata(target.into(), key.into(), value.map(Arc::from))
}

fn mark(target: &str, time: i64) -> Command {
    Command::MarkRead(target.into(), Moment(time))
}

fn join(room: &str) -> Command {
    Command::Join(room.into(), None)
}

/// What one session is told of metadata: of whom, which keys, from where.
fn changes(world: &World, effects: &[Effect], session: SessionId) -> Vec<(String, String, bool)> {
    let heard = world.heard(session, effects).into_iter();
    let told = heard.filter_map(|(event, viewpoint)| match event {
        Event::MetadataSet { holder, changes } => {
            let name = match holder {
                Holder::Room(room) => room.to_string(),
                Holder::Person(who) => who.nick.to_string(),
            };
            let shown = changes.iter().map(|(key, value)| match value {
                Some(value) => format!("{key}={value}"),
                None => format!("-{key}"),
            });
            Some((name, shown.collect::<Vec<_>>().join(" "), viewpoint == Viewpoint::Actor))
        }
        _ => None,
    });
    told.collect()
}

fn of(world: &World, session: SessionId) -> Vec<(String, String)> {
    let user = world.hub.user(session).unwrap();
    let all = world.hub.metadata_of(user).iter();
    all.map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn told(name: &str, changes: &str, own: bool) -> Vec<(String, String, bool)> {
    vec![(name.to_owned(), changes.to_owned(), own)]
}

#[test]
fn who_shares_a_room_may_hear_of_a_change_and_a_repetition_is_none() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.enter(1, "alice"), world.enter(2, "bob"), SessionId(3));
    let entry = Entry { nick: Some(Name::new("carol")), ..Entry::default() };
    world.write(carol, Change::Enter(entry.into()));
    let effects = world.run(alice, set("alice", "avatar", "http://a/b")).effects();
    assert_eq!(changes(&world, &effects, alice), told("alice", "avatar=http://a/b", true));
    assert_eq!(changes(&world, &effects, bob), told("alice", "avatar=http://a/b", false));
    assert_eq!(changes(&world, &effects, carol), [], "she is in another room");
    let effects = world.run(alice, set("ALICE", "avatar", "http://a/b")).effects();
    assert_eq!(changes(&world, &effects, alice), told("alice", "avatar=http://a/b", true));
    assert_eq!(changes(&world, &effects, bob), [], "that is not news");
    world.run(alice, set("alice", "color", "#fff")).effects();
    let effects = world.run(alice, Command::ClearMetadata("alice".into())).effects();
    assert_eq!(changes(&world, &effects, bob), told("alice", "-avatar -color", false));
    let effects = world.run(alice, Command::ClearMetadata("alice".into())).effects();
    assert_eq!(changes(&world, &effects, alice), told("alice", "", true));
    assert_eq!(changes(&world, &effects, bob), []);
}

#[test]
fn one_says_things_of_oneself_and_ops_of_their_rooms() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, join("#a")).effects();
    world.run(bob, join("#a")).effects();
    let effects = world.run(alice, set("#A", "url", "http://a")).effects();
    assert_eq!(changes(&world, &effects, bob), told("#a", "url=http://a", false));
    for (target, refusal) in [
        ("#a", Refusal::NotOp(Name::new("#a"))),
        ("alice", Refusal::NotYourMetadata(Name::new("alice"))),
        ("nobody", Refusal::NoSuchNick(Name::new("nobody"))),
        ("#none", Refusal::NoSuchRoom(Name::new("#none"))),
    ] {
        assert_eq!(world.run(bob, set(target, "url", "x")).refusal(), refusal);
        assert_eq!(world.run(bob, Command::ClearMetadata(target.into())).refusal(), refusal);
    }
    // An op at the time of the decision need not be one when it is applied.
    let late = Change::Metadata { target: Name::new("#a"), key: None, value: None };
    let effects = world.write(bob, late);
    assert_eq!(Came::Of(effects).refusal(), Refusal::NotOp(Name::new("#a")));
    assert_eq!(world.hub.room("#a").unwrap().metadata().len(), 1);
    world.run(bob, Command::Oper("root".into(), Secret::new("operator"))).effects();
    let effects = world.run(bob, Command::ClearMetadata("alice".into())).effects();
    assert_eq!(changes(&world, &effects, bob), told("alice", "", true));
    // A room's metadata end with the room.
    world.run(alice, Command::Part("#a".into(), None)).effects();
    world.run(bob, Command::Part("#a".into(), None)).effects();
    world.run(bob, join("#a")).effects();
    assert!(world.hub.room("#a").unwrap().metadata().is_empty());
}

#[test]
fn keys_and_values_have_bounds() {
    let mut world = World::new();
    let alice = world.enter(1, "alice");
    for key in ["", "Avatar", "a b", "é", "$x", &"k".repeat(limits::METADATA_KEY_LENGTH + 1)] {
        let refusal = world.run(alice, set("alice", key, "x")).refusal();
        assert_eq!(refusal, Refusal::BadMetadataKey(key.into()));
    }
    let longest = "v".repeat(limits::METADATA_VALUE_LENGTH);
    world.run(alice, set("alice", &"k".repeat(limits::METADATA_KEY_LENGTH), &longest)).effects();
    let refusal = world.run(alice, set("alice", "v", &format!("{longest}v"))).refusal();
    assert_eq!(refusal, Refusal::TooLong(Field::Metadata, limits::METADATA_VALUE_LENGTH));
    for number in 1..limits::METADATA_KEYS {
        world.run(alice, set("alice", &format!("a-b_c.d/{number}"), "x")).effects();
    }
    let full = Refusal::TooMuchMetadata(limits::METADATA_KEYS);
    assert_eq!(world.run(alice, set("alice", "more", "x")).refusal(), full);
    // What is there can be changed, and what is not there be removed.
    world.run(alice, set("alice", "a-b_c.d/1", "y")).effects();
    world.run(alice, set("alice", "more", "")).effects();
    world.run(alice, set("alice", "a-b_c.d/1", "")).effects();
    world.run(alice, set("alice", "more", "x")).effects();
}

/// Each account is bounded, and a hundred thousand of them were not.
#[test]
fn what_all_accounts_hold_has_a_bound() {
    let mut world = World::new();
    let (alice, guest) = (world.enter(1, "alice"), world.enter(2, "guest"));
    world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    world.hub.set_account_memory(2_000);
    let long = "v".repeat(200);
    let mut run = |who, command| match world.run(who, command) {
        Came::Refused(refusal) => Err(refusal),
        _ => Ok(()),
    };
    let key = |number| set("alice", &format!("k{number}"), &long);
    let kept = (0..20).take_while(|number| run(alice, key(*number)).is_ok()).count();
    assert!((5..8).contains(&kept), "{kept}");
    assert_eq!(run(alice, key(30)), Err(Refusal::TooMuchAccountData));
    assert_eq!(run(alice, mark("#lobby", 1)), Err(Refusal::TooMuchAccountData));
    // What belongs to no account is as before, and so is what makes room.
    run(guest, set("guest", "k", &long)).unwrap();
    run(guest, mark("#lobby", 1)).unwrap();
    run(alice, Command::ClearMetadata("alice".into())).unwrap();
    run(alice, mark("#lobby", 1)).unwrap();
    assert!(!world.hub.accounts_are_full());
}

#[test]
fn an_account_keeps_what_is_said_and_its_sessions_share_it() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, set("alice", "avatar", "one")).effects();
    world.run(alice, mark("#a", 50)).effects();
    let effects = world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    assert_eq!(changes(&world, &effects, bob), [], "it stays as it is");
    assert_eq!(of(&world, alice), [("avatar".into(), "one".into())]);

    let second = world.enter(3, "alice2");
    world.run(second, set("alice2", "avatar", "guest")).effects();
    world.run(second, set("alice2", "color", "red")).effects();
    world.run(second, mark("#a", 40)).effects();
    world.run(second, mark("#b", 40)).effects();
    let login = Command::Login("alice".into(), Secret::new("sesame"));
    let effects = world.run(second, login).effects();
    assert_eq!(changes(&world, &effects, bob), told("alice2", "-color avatar=one", false));
    let user = world.hub.user(second).unwrap();
    let markers = |target| world.hub.read_marker(user, target);
    assert_eq!((markers("#A"), markers("#b")), (Some(Moment(50)), Some(Moment(40))));

    // A change of one is a change of both, under both nicks.
    let effects = world.run(second, set("alice2", "avatar", "two")).effects();
    let both = [told("alice2", "avatar=two", false), told("alice", "avatar=two", false)].concat();
    assert_eq!(changes(&world, &effects, bob), both);
    assert_eq!(of(&world, alice), of(&world, second));
    let effects = world.run(second, set("alice", "color", "blue")).effects();
    assert_eq!(changes(&world, &effects, second)[0], ("alice".into(), "color=blue".into(), true));

    let effects = world.run(second, Command::Logout).effects();
    assert_eq!(changes(&world, &effects, bob), told("alice2", "-avatar -color", false));
    world.leave(alice);
    world.leave(second);
    world.write(SessionId(0), Change::Restarted { node: 0 });
    let metadata = Metadata::from([("avatar".into(), "three".into())]);
    let (account, nick) = (Some(Name::new("alice")), Some(Name::new("alice")));
    let entry = Entry { nick, account, metadata, ..Entry::default() };
    world.write(alice, Change::Enter(entry.into()));
    let expected = [("avatar", "three"), ("color", "blue")];
    assert_eq!(of(&world, alice), expected.map(|(key, value)| (key.into(), value.into())));
}

#[test]
fn what_was_set_before_coming_in_is_news_for_who_knows_the_account_by_another_nick() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    let too_much = (0..2 * limits::METADATA_KEYS).map(|number| format!("k{number:02}"));
    let entry = Entry {
        nick: Some(Name::new("alice_2")),
        account: Some(Name::new("alice")),
        metadata: too_much.map(|key| (key.into(), "x".into())).collect(),
        ..Entry::default()
    };
    let effects = world.write(SessionId(3), Change::Enter(entry.into()));
    let heard = changes(&world, &effects, bob);
    assert!(heard.len() == 1 && heard[0].0 == "alice", "{heard:?}");
    assert_eq!(of(&world, alice).len(), limits::METADATA_KEYS);
}

#[test]
fn a_read_marker_moves_forward_only_and_not_into_the_future() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    let second = world.enter(3, "");
    world.run(second, Command::Login("alice".into(), Secret::new("sesame"))).effects();
    let markers = |world: &World, effects: &[Effect], session| {
        let heard = world.heard(session, effects).into_iter();
        let found = heard.filter_map(|(event, _)| match event {
            Event::ReadMarker { target, time } => Some((target.to_string(), time.0)),
            _ => None,
        });
        found.collect::<Vec<_>>()
    };
    let effects = world.run(alice, mark("#lobby", 500)).effects();
    let expected = [("#lobby".to_owned(), 500)];
    assert_eq!(markers(&world, &effects, alice), expected);
    assert_eq!(markers(&world, &effects, second), expected);
    assert_eq!(markers(&world, &effects, bob), [], "nobody else's business");
    for older in [499, 500, -1] {
        let effects = world.run(second, mark("#LOBBY", older)).effects();
        assert_eq!(markers(&world, &effects, second)[0].1, 500);
        assert_eq!(markers(&world, &effects, alice), [], "that is not news");
    }
    let effects = world.run(alice, mark("bob", i64::MAX)).effects();
    assert_eq!(markers(&world, &effects, second), [("bob".to_owned(), world.now)]);
    for target in ["#", "#a b", "", "1st", "a,b"] {
        assert!(matches!(
            world.run(alice, mark(target, 1)).refusal(),
            Refusal::BadRoom(..) | Refusal::BadNick(..)
        ));
    }
    let effects = world.run(alice, mark("guest7", 1)).effects();
    assert_eq!(markers(&world, &effects, alice), [("guest7".to_owned(), 1)]);
}

#[test]
fn the_marker_that_moved_longest_ago_gives_way() {
    let mut world = World::new();
    let alice = world.enter(1, "alice");
    for number in 0..limits::READ_MARKERS {
        world.run(alice, mark(&format!("#r{number}"), 10)).effects();
    }
    world.run(alice, mark("#r0", 20)).effects();
    world.run(alice, mark("#new", 10)).effects();
    let user = world.hub.user(alice).unwrap();
    assert_eq!(world.hub.read_markers(user).len(), limits::READ_MARKERS);
    assert_eq!(world.hub.read_marker(user, "#r0"), Some(Moment(20)));
    assert_eq!(world.hub.read_marker(user, "#r1"), None);
}
