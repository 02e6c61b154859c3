//! Stories of people in a chat, told one by one.

use super::*;

fn say(room: &str, text: &str) -> Command {
    Command::Say(room.into(), Kind::Message, text.into())
}

fn join(room: &str) -> Command {
    Command::Join(room.into(), None)
}

fn modes(room: &str, change: ModeChange) -> Command {
    Command::SetModes(room.into(), vec![change])
}

/// The recipients of a message, and whether it mentions each.
fn hear_said(world: &World, effects: &[Effect], session: SessionId) -> Option<bool> {
    world.heard(session, effects).into_iter().find_map(|(event, viewpoint)| match event {
        Event::RoomMessage(said) if viewpoint == Viewpoint::Observer => Some(said.mention),
        _ => None,
    })
}

#[test]
fn guests_get_the_smallest_free_number() {
    let mut world = World::new();
    let sessions: Vec<SessionId> = (0..3).map(|number| world.enter(number, "")).collect();
    let nick = |world: &World, session| world.hub.user(session).unwrap().identity.nick.to_string();
    assert_eq!(
        sessions.iter().map(|&s| nick(&world, s)).collect::<Vec<_>>(),
        ["guest1", "guest2", "guest3"]
    );
    world.leave(sessions[0]);
    world.run(sessions[1], Command::Nick("zoe".into())).effects();
    let (four, five) = (world.enter(4, ""), world.enter(5, ""));
    assert_eq!((nick(&world, four), nick(&world, five)), ("guest1".into(), "guest2".into()));
}

#[test]
fn newcomers_are_counted_and_told_of() {
    let mut world = World::new();
    let alice = world.enter(1, "alice");
    let entry = Entry { label: "10.0.0.2:9".into(), lobby: true, ..Entry::default() };
    let effects = world.write(SessionId(2), Change::Enter(entry.into()));
    let to_alice = world.heard(alice, &effects);
    assert!(
        matches!(&to_alice[..], [(Event::Entered { who, online: 2 }, Viewpoint::Observer)] if &*who.label == "10.0.0.2:9")
    );
    let to_newcomer = world.heard(SessionId(2), &effects);
    assert!(matches!(to_newcomer[0], (Event::Welcome { online: 2, .. }, _)));
    let effects = world.leave(SessionId(2));
    assert!(matches!(&world.heard(alice, &effects)[..], [(Event::Left { online: 1, .. }, _)]));
}

#[test]
fn a_room_is_its_openers_and_ends_with_its_last_member() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, join("#Rust")).effects();
    world.run(bob, join("#rust")).effects();
    let room = world.hub.room("#RUST").unwrap();
    assert_eq!(room.name.as_str(), "#Rust");
    assert!(room.member(alice).unwrap().op && !room.member(bob).unwrap().op);
    assert_eq!(
        world.run(bob, Command::SetTopic("#rust".into(), "x".into())).refusal(),
        Refusal::NotOp(Name::new("#rust"))
    );
    world.run(alice, Command::Part("#rust".into(), None)).effects();
    let effects = world.run(bob, say("#rust", "alone")).effects();
    assert_eq!(hear_said(&world, &effects, alice), None);
    world.run(bob, Command::Part("#rust".into(), None)).effects();
    assert!(world.hub.room("#rust").is_none());
    assert_eq!(
        world.run(bob, say("#rust", "x")).refusal(),
        Refusal::NoSuchRoom(Name::new("#rust"))
    );
    world.run(bob, join("#rust")).effects();
    // Another room of that name: the messages of the first one are not its history.
    let Scope::Room(room) =
        world.run(bob, Command::History("#rust".into(), Range::Latest, None)).asked().scope
    else {
        panic!()
    };
    assert!(room.since > *world.archive.keys().next().unwrap());
}

#[test]
fn mentions_stand_on_word_boundaries() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    for (text, marked) in [
        ("alice", true),
        ("hi @ALICE!", true),
        ("(alice)", true),
        ("[alice] - alice's", true),
        ("malice alicex", false),
        ("éalice", false),
        ("nothing", false),
    ] {
        let effects = world.run(bob, say("#lobby", text)).effects();
        assert_eq!(hear_said(&world, &effects, alice), Some(marked), "{text}");
    }
    let effects = world.run(alice, say("#lobby", "alice is me")).effects();
    assert_eq!(effects.len(), 1);
}

#[test]
fn who_ignores_hears_nothing() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, Command::Ignore("BOB".into(), true)).effects();
    let effects = world.run(bob, say("#lobby", "alice?")).effects();
    assert_eq!(hear_said(&world, &effects, alice), None);
    let tell = Command::Tell("alice".into(), Kind::Message, "psst".into());
    let effects = world.run(bob, tell).effects();
    assert!(world.heard(alice, &effects).is_empty());
    world.run(alice, Command::Ignore("bob".into(), false)).effects();
    let effects = world.run(bob, say("#lobby", "alice?")).effects();
    assert_eq!(hear_said(&world, &effects, alice), Some(true));
}

#[test]
fn who_ignores_somebody_with_an_account_is_left_out_once() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, Command::Register(Secret::new("correct horse"))).effects();
    for ignored in ["alice", "bob"] {
        let by = if ignored == "alice" { bob } else { alice };
        world.run(by, Command::Ignore(ignored.into(), true)).effects();
    }
    let except_of = |effects: &[Effect]| match &effects[0].audience {
        Audience::Room { except, .. } => except.clone(),
        other => panic!("{other:?}"),
    };
    // By nick and by account, which are the same.
    let effects = world.run(alice, say("#lobby", "bob?")).effects();
    assert_eq!(except_of(&effects), [bob]);
    // By two names, and by a session of the speaker's own account.
    world.run(bob, Command::Nick("robert".into())).effects();
    world.run(alice, Command::Nick("alice2".into())).effects();
    let other = world.enter(3, "other");
    world.run(bob, Command::Ignore("alice2".into(), true)).effects();
    world.run(alice, Command::Ignore("alice".into(), true)).effects();
    let effects = world.run(alice, say("#lobby", "robert, other?")).effects();
    assert_eq!(except_of(&effects), [bob, other], "{other:?} is marked and gets a line of its own");
}

#[test]
fn answers_and_threads() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, say("#lobby", "a question")).effects();
    let root = world.log.last().unwrap().id;
    let reply = Command::Reply("#lobby".into(), Pick::Number(1), "an answer".into());
    let effects = world.run(bob, reply).effects();
    let Event::RoomMessage(said) = &effects[0].event else { panic!() };
    let quoted = said.reply.as_ref().unwrap();
    assert_eq!((quoted.from.as_str(), quoted.text.as_deref()), ("alice", Some("a question")));
    assert_eq!(said.number, 2);
    assert_eq!(hear_said(&world, &effects, alice), Some(true), "an answer is a mention");
    let reply = Command::Reply("#lobby".into(), Pick::Number(2), "to the answer".into());
    world.run(alice, reply).effects();
    let asked = world.run(bob, Command::Thread("#lobby".into(), Pick::Number(3))).asked();
    assert!(matches!(asked.scope, Scope::Thread { root: found, .. } if found == root));
    assert_eq!(
        world.run(bob, Command::Thread("#lobby".into(), Pick::Number(4))).refusal(),
        Refusal::NoSuchMessage(Name::lobby(), 4)
    );
}

#[test]
fn one_changes_ones_own_and_ops_delete_any() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    let room: Arc<str> = "#x".into();
    world.run(alice, join("#x")).effects();
    world.run(bob, join("#x")).effects();
    let pick = |number| Pick::Number(number);
    let edit = |number, text: &str| Command::Edit(Arc::clone(&room), pick(number), text.into());
    let delete = |number| Command::Redact(Arc::clone(&room), pick(number), "".into());
    world.run(alice, say("#x", "mine")).effects();
    world.run(bob, say("#x", "his")).effects();
    assert_eq!(world.run(bob, edit(1, "no")).refusal(), Refusal::NotYours(1));
    assert_eq!(world.run(bob, delete(1)).refusal(), Refusal::NotYours(1));
    assert_eq!(world.run(alice, edit(2, "no")).refusal(), Refusal::NotYours(2));
    world.run(bob, edit(2, "his own")).effects();
    assert!(world.archive.values().any(|logged| &*logged.text == "his own"));
    world.run(alice, delete(2)).effects();
    assert_eq!(world.archive.len(), 1);
    assert_eq!(
        world.run(bob, edit(2, "gone")).refusal(),
        Refusal::NoSuchMessage(Name::new("#x"), 2)
    );
    // A guest's words are theirs only as long as they are there.
    world.leave(alice);
    let other = world.enter(3, "alice");
    world.run(other, join("#x")).effects();
    assert_eq!(world.run(other, edit(1, "forged")).refusal(), Refusal::NotYours(1));
}

#[test]
fn old_messages_are_looked_up() {
    let mut world = World::new();
    let alice = world.enter(1, "alice");
    world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    for number in 0..limits::RECENT_PER_ROOM + 5 {
        world.run(alice, say("#lobby", &format!("line {number}"))).effects();
    }
    let edit = Command::Edit("#lobby".into(), Pick::Number(2), "changed".into());
    assert!(matches!(world.hub.decide(alice, edit.clone(), Moment(0)), Decision::Lookup { .. }));
    world.run(alice, edit).effects();
    assert!(world.archive.values().any(|logged| logged.number == 2 && &*logged.text == "changed"));
    let react = |on| Command::React("#lobby".into(), Pick::Number(60), ":+1:".into(), on);
    assert_eq!(world.run(alice, react(true)).effects().len(), 1);
    assert_eq!(world.run(alice, react(true)).effects().len(), 0, "once is enough");
    assert_eq!(world.run(alice, react(false)).effects().len(), 1);
}

#[test]
fn doors_keys_and_limits() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    let room = Name::new("#x");
    world.run(alice, join("#x")).effects();
    world.run(alice, modes("#x", ModeChange::Key(Some("word".into())))).effects();
    assert_eq!(world.run(bob, join("#x")).refusal(), Refusal::WrongKey(room.clone()));
    world.run(alice, modes("#x", ModeChange::Limit(Some(1)))).effects();
    let with_key = || Command::Join("#x".into(), Some("word".into()));
    assert_eq!(world.run(bob, with_key()).refusal(), Refusal::RoomFull(room.clone(), 1));
    world.run(alice, modes("#x", ModeChange::Flag(Flag::InviteOnly, true))).effects();
    assert_eq!(world.run(bob, with_key()).refusal(), Refusal::InviteOnly(room.clone()));
    world.run(alice, modes("#x", ModeChange::Ban("bob".into(), true))).effects();
    assert_eq!(world.run(bob, with_key()).refusal(), Refusal::Banned(room));
    world.run(alice, Command::Invite("bob".into(), "#x".into())).effects();
    world.run(bob, join("#x")).effects();
    assert_eq!(world.run(bob, say("#x", "hm")).refusal(), Refusal::Banned(Name::new("#x")));
    world.run(alice, modes("#x", ModeChange::Ban("bob".into(), false))).effects();
    world.run(bob, say("#x", "ah")).effects();
}

#[test]
fn a_ban_by_nick_follows_the_account() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(bob, Command::Register(Secret::new("sesame"))).effects();
    world.run(alice, join("#x")).effects();
    world.run(bob, join("#x")).effects();
    world.run(alice, modes("#x", ModeChange::Ban("m:bob".into(), true))).effects();
    let silenced = Refusal::SilencedNick(Name::new("robert"), Name::new("#x"));
    assert_eq!(world.run(bob, Command::Nick("robert".into())).refusal(), silenced);
    world.run(bob, Command::Part("#x".into(), None)).effects();
    world.run(bob, Command::Nick("robert".into())).effects();
    world.run(bob, join("#x")).effects();
    assert_eq!(world.run(bob, say("#x", "hm")).refusal(), Refusal::Muted(Name::new("#x")));
    world.run(alice, modes("#x", ModeChange::Voice(Name::new("robert"), true))).effects();
    world.run(bob, say("#x", "I have the floor")).effects();
    world.run(alice, modes("#x", ModeChange::Ban("m:bob".into(), false))).effects();
}

#[test]
fn secret_rooms_are_not_there_for_others() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, join("#s")).effects();
    world.run(alice, modes("#s", ModeChange::Flag(Flag::Secret, true))).effects();
    let rooms = |world: &mut World, session| {
        let rooms = Command::List(Box::new(Listing::Rooms(Walk::default())));
        let Event::Rooms(page) = world.run(session, rooms).answer() else { panic!() };
        page.lines.len()
    };
    assert_eq!((rooms(&mut world, alice), rooms(&mut world, bob)), (2, 1));
    let secret = || Refusal::NoSuchRoom(Name::new("#s"));
    assert_eq!(world.run(bob, who("#s".into())).refusal(), secret());
    assert_eq!(world.run(bob, Command::Topic("#s".into())).refusal(), secret());
    let kick = Command::Kick("#s".into(), "alice".into(), None);
    assert_eq!(world.run(bob, kick).refusal(), secret());
    let Event::Whois(whois) = world.run(bob, Command::Whois("alice".into())).answer() else {
        panic!()
    };
    assert_eq!(whois.rooms.len(), 1);
}

#[test]
fn operators_end_sessions_and_keep_addresses_out() {
    let mut world = World::new();
    let (root, bob, carol) =
        (world.enter(1, "root"), world.enter(2, "bob"), world.enter(3, "carol"));
    let kill = || Command::Kill("bob".into(), Some("spam".into()));
    assert_eq!(world.run(root, kill()).refusal(), Refusal::NotOperator);
    world.run(root, Command::Oper("root".into(), Secret::new("operator"))).effects();
    let effects = world.run(root, kill()).effects();
    assert!(
        world.heard(bob, &effects).iter().any(|(event, _)| matches!(event, Event::Closed { .. }))
    );
    assert!(
        matches!(&world.heard(carol, &effects)[..], [(Event::Left { departure: QuitReason::Killed(why), online: 2, .. }, _)] if &**why == "spam")
    );
    assert!(world.hub.user(bob).is_none() && world.leave(bob).is_empty());
    let target = BanTarget::Address("10.0.*".into());
    world.run(root, Command::ServerBan(target.clone(), Some(10_000), None)).effects();
    assert_eq!(world.hub.online(), 1, "operators stay");
    let now = world.now;
    assert!(world.hub.admits("10.0.0.9", Moment(now)).is_err());
    assert!(world.hub.admits("10.1.0.9", Moment(now)).is_ok());
    assert!(world.hub.admits("10.0.0.9", Moment(now + 10_000)).is_ok());
    world.run(root, Command::ServerUnban(target)).effects();
    assert!(world.hub.admits("10.0.0.9", Moment(now)).is_ok());

    let six = |text: &str| BanTarget::Address(text.to_owned());
    world.run(root, Command::ServerBan(six("2001:db8::1"), None, None)).effects();
    assert!(world.hub.admits("2001:db8::2", Moment(now)).is_err(), "its /64 is banned with it");
    assert!(world.hub.admits("2001:db8:0:1::1", Moment(now)).is_ok());
    world.run(root, Command::ServerUnban(six("2001:db8::9"))).effects();
    assert!(world.hub.admits("2001:db8::2", Moment(now)).is_ok());
}

#[test]
fn rooms_wait_for_their_people_over_one_restart() {
    let mut world = World::new();
    let alice = world.enter(1, "alice");
    world.run(alice, join("#x")).effects();
    world.run(alice, say("#x", "before")).effects();
    let since = world.hub.room("#x").unwrap().since;
    let restart = |world: &mut World| world.write(SessionId(0), Change::Restarted { node: 0 });
    restart(&mut world);
    let alice = world.enter(1, "alice");
    world.run(alice, join("#x")).effects();
    let room = world.hub.room("#x").unwrap();
    assert_eq!((room.since, room.member(alice).unwrap().op), (since, true));
    // The session number is the same, the person need not be.
    let edit = Command::Edit("#x".into(), Pick::Number(1), "forged".into());
    assert_eq!(world.run(alice, edit).refusal(), Refusal::NotYours(1));
    restart(&mut world);
    assert!(world.hub.room("#x").is_some());
    restart(&mut world);
    assert!(world.hub.room("#x").is_none() && world.hub.room("#lobby").is_some());
}

#[test]
fn rooms_wait_for_their_people_for_an_hour() {
    let mut world = World::new();
    let alice = world.enter(1, "alice");
    world.run(alice, join("#left")).effects();
    world.run(alice, join("#joined")).effects();
    world.now += 2 * limits::ROOMS_WAIT;
    world.write(SessionId(0), Change::Restarted { node: 0 });
    world.now += 2 * limits::ROOMS_WAIT;
    let bob = world.enter(2, "bob");
    world.run(bob, join("#joined")).effects();
    world.now += limits::ROOMS_WAIT - 60_000;
    world.run(bob, say("#lobby", "not yet")).effects();
    assert!(world.hub.room("#left").is_some(), "an hour of the server's time, not of the clock's");
    world.now += 60_000;
    world.run(bob, say("#lobby", "now")).effects();
    assert!(world.hub.room("#left").is_none() && world.hub.room("#joined").is_some());
}

#[test]
fn a_room_is_held_by_the_origin_of_its_creator() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    let origin = |session| Origin::of_host(world.hub.user(session).unwrap().identity.host());
    let (of_alice, of_bob) = (origin(alice), origin(bob));
    assert!(of_alice.is_some() && of_alice != of_bob);
    world.run(alice, join("#x")).effects();
    world.run(bob, join("#x")).effects();
    let before = world.hub.room_usage(of_alice);
    let topic = Command::SetTopic("#x".into(), "t".repeat(300).into());
    world.run(alice, topic).effects();
    assert_eq!(world.hub.room_usage(of_alice).texts, before.texts + 300);
    world.leave(alice);
    assert_eq!((world.hub.room_usage(of_alice).rooms, world.hub.room_usage(of_bob).rooms), (1, 0));
    world.leave(bob);
    assert_eq!(world.hub.room_usage(of_alice), Default::default());
}

#[test]
fn what_was_decided_is_looked_at_again_when_it_is_applied() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, join("#x")).effects();
    world.run(bob, join("#x")).effects();
    let Decision::Change(late) = world.hub.decide(bob, say("#x", "too late"), Moment(0)) else {
        panic!()
    };
    world.run(alice, Command::Kick("#x".into(), "bob".into(), None)).effects();
    let effects = world.write(bob, late);
    assert!(
        matches!(&effects[..], [Effect { event: Event::Refused(Refusal::NotInRoom(_)), audience: Audience::One(to), .. }] if *to == bob)
    );
    assert!(world.archive.is_empty());
}

#[test]
fn what_is_deleted_is_not_changed_by_who_was_slower() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, say("#lobby", "first")).effects();
    world.run(alice, say("#lobby", "second")).effects();
    let edit = Command::Edit("#lobby".into(), Pick::Number(2), "again".into());
    let react = Command::React("#lobby".into(), Pick::Number(2), "+1".into(), true);
    let late = [(alice, edit), (bob, react)].map(|(session, command)| {
        let Decision::Change(change) = world.hub.decide(session, command, Moment(0)) else {
            panic!()
        };
        (session, change)
    });
    world.run(alice, Command::Redact("#lobby".into(), Pick::Number(2), "".into())).effects();
    for (session, change) in late {
        let effects = world.write(session, change);
        let [Effect { audience: Audience::One(to), event: Event::Refused(why), .. }] = &effects[..]
        else {
            panic!("{effects:?}")
        };
        assert_eq!((*to, why), (session, &Refusal::NoSuchMessage(Name::lobby(), 2)));
    }
}

#[test]
fn who_takes_a_banned_name_is_banned_by_it() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, join("#x")).effects();
    world.run(bob, join("#x")).effects();
    world.run(alice, modes("#x", ModeChange::Ban("eve*!*@*".into(), true))).effects();
    world.run(bob, say("#x", "I am bob")).effects();
    world.run(bob, Command::Nick("eve1".into())).effects();
    assert_eq!(world.run(bob, say("#x", "hm")).refusal(), Refusal::Banned(Name::new("#x")));
    let silenced = Refusal::SilencedNick(Name::new("bob"), Name::new("#x"));
    assert_eq!(world.run(bob, Command::Nick("bob".into())).refusal(), silenced);
    world.run(alice, modes("#x", ModeChange::Ban("eve*!*@*".into(), false))).effects();
    world.run(bob, Command::Nick("bob".into())).effects();
    world.run(bob, say("#x", "bob again")).effects();
}
