//! Stories of what is said and what of it is kept: stamps, reactions, several lines, history.

use super::*;

#[test]
fn what_follows_from_one_record_is_counted_and_said_twice_is_once() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, Command::Join("#x".into(), None)).effects();
    world.run(bob, Command::Join("#x".into(), None)).effects();
    // Those who stay and the one who goes are told of one thing.
    let effects = world.run(alice, Command::Kick("#x".into(), "bob".into(), None)).effects();
    let stamps: Vec<Stamp> = effects.iter().map(|effect| effect.stamp).collect();
    let stamp = Stamp { id: RecordId(world.log.len() as u64), part: 0, time: Moment(world.now) };
    assert_eq!(stamps, [stamp, stamp]);
    // Two who are banned are told of, and gone, one after the other.
    world.run(alice, Command::Oper("root".into(), Secret::new("operator"))).effects();
    world.enter(3, "carol");
    let target = BanTarget::Address("10.0.0.*".into());
    let effects = world.run(alice, Command::ServerBan(target, None, None)).effects();
    let left = effects.iter().filter(|effect| matches!(effect.event, Event::Left { .. }));
    let parts: Vec<u16> = left.map(|effect| effect.stamp.part).collect();
    assert_eq!(parts, [2, 4]);
}

#[test]
fn a_room_keeps_everything_but_its_name() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    let carol = world.enter(3, "carol");
    let run = |world: &mut World, who, command| world.run(who, command).effects();
    run(&mut world, alice, Command::Join("#x".into(), None));
    run(&mut world, bob, Command::Join("#x".into(), None));
    run(&mut world, alice, Command::SetTopic("#x".into(), "tea".into()));
    let bans = vec![ModeChange::Ban("eve".into(), true), ModeChange::Flag(Flag::InviteOnly, true)];
    run(&mut world, alice, Command::SetModes("#x".into(), bans));
    run(&mut world, alice, Command::Invite("carol".into(), "#x".into()));
    run(&mut world, bob, Command::Say("#x".into(), Kind::Message, "one".into()));
    let rename = |to: &str| Command::RenameRoom("#x".into(), to.into(), None);
    // Only ops, only free names, and not the lobby.
    assert_eq!(world.run(bob, rename("#y")).refusal(), Refusal::NotOp(Name::new("#x")));
    let taken = Refusal::RoomExists(Name::new("#LOBBY"));
    assert_eq!(world.run(alice, rename("#LOBBY")).refusal(), taken);
    assert!(matches!(world.run(alice, rename("y")).refusal(), Refusal::BadRoom(..)));
    run(&mut world, alice, Command::Oper("root".into(), Secret::new("operator")));
    let lobby = Command::RenameRoom("#lobby".into(), "#y".into(), None);
    assert_eq!(world.run(alice, lobby).refusal(), Refusal::LobbyStays);

    let before = world.hub.room("#x").unwrap().clone();
    let effects = run(&mut world, alice, rename("#Y"));
    let heard = world.heard(bob, &effects);
    assert!(matches!(&heard[..], [(Event::RoomRenamed { .. }, Viewpoint::Observer)]), "{heard:?}");
    assert_eq!(world.heard(carol, &effects), []);
    let room = world.hub.room("#y").unwrap().clone();
    assert_eq!((room.name.as_str(), room.member(bob)), ("#Y", before.member(bob)));
    assert_eq!((&room.topic, &room.modes), (&before.topic, &before.modes));
    assert_eq!((room.since, &room.bans), (before.since, &before.bans));
    assert!(world.hub.room("#x").is_none());
    // Numbers go on, the history is there, and so is the invitation.
    let two = run(&mut world, bob, Command::Reply("#y".into(), Pick::Number(1), "two".into()));
    let Event::RoomMessage(two) = &two[0].event else { panic!() };
    assert_eq!((two.number, two.room.as_str()), (2, "#Y"));
    run(&mut world, carol, Command::Join("#y".into(), None));
    let spelling = Command::RenameRoom("#y".into(), "#y".into(), None);
    // A server operator need not wait; its other ops do.
    run(&mut world, alice, spelling);
    let op = vec![ModeChange::Op(Name::new("bob"), true)];
    run(&mut world, alice, Command::SetModes("#y".into(), op));
    let again = Command::RenameRoom("#y".into(), "#z".into(), None);
    assert!(matches!(world.run(bob, again.clone()).refusal(), Refusal::RenamedRecently(..)));
    world.now += limits::RENAME_PAUSE;
    run(&mut world, bob, again);
    // A rename that a clock ahead of time has stamped does not pause those of the next year.
    world.now -= 400 * 24 * 60 * 60 * 1_000;
    run(&mut world, bob, Command::RenameRoom("#z".into(), "#w".into(), None));
    // The old name is anyone's.
    run(&mut world, bob, Command::Join("#x".into(), None));
    assert!(world.hub.room("#x").unwrap().member(bob).unwrap().op);
}

#[test]
fn after_a_restart_nobody_takes_back_the_private_words_of_another() {
    let mut world = World::new();
    world.enter(1, "alice");
    let guest = world.enter(2, "guest");
    let tell = Command::Tell("alice".into(), Kind::Message, "hello".into());
    world.run(guest, tell).effects();
    let id = RecordId(world.log.len() as u64);
    let redact = || Command::Redact("alice".into(), Pick::Id(id), "".into());
    world.write(SessionId(0), Change::Restarted { node: 0 });
    // The numbers of sessions begin anew.
    world.enter(1, "alice");
    let stranger = world.enter(2, "mallory");
    assert_eq!(
        world.run(stranger, redact()).refusal(),
        Refusal::NoSuchMessage(Name::new("alice"), 0)
    );
}

#[test]
fn one_user_takes_no_more_than_their_share_of_what_all_share() {
    let mut world = World::new();
    let [alice, bob, mallory] =
        [(1, "alice"), (2, "bob"), (3, "mallory")].map(|(n, nick)| world.enter(n, nick));
    // Reactions to a message.
    world.run(alice, Command::Say("#lobby".into(), Kind::Message, "hello".into())).effects();
    let react = |text: usize| {
        Command::React("#lobby".into(), Pick::Number(1), format!("{text}").into(), true)
    };
    for text in 0..limits::REACTIONS_PER_USER {
        world.run(mallory, react(text)).effects();
    }
    let most = Refusal::TooManyReactions(limits::REACTIONS_PER_USER);
    assert_eq!(world.run(mallory, react(100)).refusal(), most);
    world.run(bob, react(100)).effects();
    // To one that only the journal knows.
    let [old, nicks] = [Name::new("alice"), Name::new("mallory")];
    let (id, reactions) = (RecordId(1), vec![nicks.clone(); limits::REACTIONS_PER_USER]);
    let old = Reference { id, number: 1, root: id, from: old, account: None };
    let found = |nick: &Name| react(100).found(old.clone(), &reactions, Some(nick));
    assert_eq!(found(&nicks).unwrap_err(), most);
    assert!(found(&Name::new("bob")).is_ok());
    // Invitations of someone.
    let room = |number: usize| -> Arc<str> { format!("#m{number}").into() };
    world.run(alice, Command::Join("#tea".into(), None)).effects();
    world.run(alice, Command::Invite("bob".into(), "#tea".into())).effects();
    for number in 0..2 * limits::INVITES_PER_USER {
        world.run(mallory, Command::Join(room(number), None)).effects();
        world.run(mallory, Command::Invite("bob".into(), room(number))).effects();
    }
    let invites = world.hub.user(bob).unwrap().invites();
    assert_eq!(invites.len(), limits::INVITES_PER_USER);
    assert_eq!(invites[0].0, Name::new("#tea"));
    assert_eq!(
        invites[1].0,
        Name::new(&room(limits::INVITES_PER_USER + 1)),
        "the oldest of hers goes"
    );
    // Direct messages that can be taken back.
    let tell = |to: &str| Command::Tell(to.into(), Kind::Message, "psst".into());
    world.run(alice, tell("bob")).effects();
    let id = RecordId(world.log.len() as u64);
    for _ in 0..2 * limits::RECENT_PRIVATE {
        world.run(mallory, tell("bob")).effects();
    }
    world.run(alice, Command::Redact("bob".into(), Pick::Id(id), "".into())).effects();
}
