//! Accounts in the hands of operators, and rooms that stay because an account has created them.

use super::*;

fn operator(world: &mut World) -> SessionId {
    let root = world.enter(9, "root");
    world.run(root, Command::Oper("root".into(), Secret::new("operator"))).effects();
    root
}

fn registered(world: &mut World, number: u64, nick: &str) -> SessionId {
    let session = world.enter(number, nick);
    world.run(session, Command::Register(Secret::new("sesame"))).effects();
    session
}

fn account_of(world: &World, session: SessionId) -> Option<&Name> {
    world.hub.user(session).and_then(|user| user.identity.account.as_ref())
}

#[test]
fn only_operators_manage_accounts() {
    let mut world = World::new();
    let alice = registered(&mut world, 1, "alice");
    for command in [
        Command::SetAccount("bob".into(), Secret::new("sesame"), true),
        Command::SetAccount("alice".into(), Secret::new("sesame"), false),
        Command::DeleteAccount("alice".into(), true),
        Command::List(Box::new(Listing::Accounts(Walk::default()))),
    ] {
        assert_eq!(world.run(alice, command).refusal(), Refusal::NotOperator);
    }
    let root = operator(&mut world);
    world.run(root, Command::SetAccount("Bob".into(), Secret::new("sesame"), true)).effects();
    let again = Command::SetAccount("bob".into(), Secret::new("sesame"), true);
    assert_eq!(world.run(root, again).refusal(), Refusal::AccountExists(Name::new("bob")));
    let none = Command::DeleteAccount("carol".into(), false);
    assert_eq!(world.run(root, none).refusal(), Refusal::NoSuchAccount(Name::new("carol")));
    let listed = world.run(root, Command::List(Box::new(Listing::Accounts(Walk::default()))));
    let Event::Accounts(page) = listed.answer() else { panic!("no accounts") };
    let names: Vec<&str> = page.lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!((page.total, names), (Some(2), vec!["alice", "Bob"]));
}

#[test]
fn a_new_password_from_an_operator_logs_the_account_out_and_lets_its_owner_in() {
    let mut world = World::new();
    let (alice, root) = (registered(&mut world, 1, "alice"), operator(&mut world));
    world.run(root, Command::SetAccount("alice".into(), Secret::new("another"), false)).effects();
    assert_eq!(account_of(&world, alice), None);
    let old = world.run(alice, Command::Login("alice".into(), Secret::new("sesame")));
    assert_eq!(old.refusal(), Refusal::WrongPassword);
    world.run(alice, Command::Login("alice".into(), Secret::new("another"))).effects();
    assert_eq!(account_of(&world, alice), Some(&Name::new("alice")));
}

#[test]
fn a_later_account_of_the_same_name_owns_nothing_of_the_deleted_one() {
    let mut world = World::new();
    let (alice, root) = (registered(&mut world, 1, "alice"), operator(&mut world));
    world.run(alice, Command::Join("#old".into(), None)).effects();
    let lobby = Name::lobby();
    world.run(alice, Command::Say(lobby.shared(), Kind::Message, "first".into())).effects();
    world.run(root, Command::DeleteAccount("alice".into(), false)).effects();
    assert_eq!(account_of(&world, alice), None);
    world.leave(alice);
    let other = registered(&mut world, 2, "alice");
    let edit = Command::Edit(lobby.shared(), Pick::Number(1), "mine".into());
    assert_eq!(world.run(other, edit).refusal(), Refusal::NotYours(1));
    let text = world.archive.values().next().map(|it| it.text.to_string());
    assert_eq!(text.as_deref(), Some("first"));
}

#[test]
fn an_account_can_be_deleted_with_everything_it_has_written() {
    let mut world = World::new();
    let (alice, root) = (registered(&mut world, 1, "alice"), operator(&mut world));
    let lobby = Name::lobby();
    for (who, text) in [(alice, "one"), (root, "two"), (alice, "three")] {
        world.run(who, Command::Say(lobby.shared(), Kind::Message, text.into())).effects();
    }
    world.run(root, Command::DeleteAccount("ALICE".into(), true)).effects();
    let texts: Vec<&str> = world.archive.values().map(|it| &*it.text).collect();
    assert_eq!(texts, ["two"]);
    let re = Command::Reply(lobby.shared(), Pick::Number(3), "what?".into());
    assert_eq!(world.run(root, re).refusal(), Refusal::NoSuchMessage(lobby, 3));
}

/// Whatever is proved of an account holds for that account, and not for the next one of its name; also
/// if the two records are on their way to the disk together.
#[test]
fn a_claim_is_void_once_its_account_is_another_one() {
    let mut world = World::new();
    let (_, root, eve) =
        (registered(&mut world, 1, "alice"), operator(&mut world), world.enter(2, "eve"));
    let claim = world.hub.claim("ALICE");
    assert_eq!(world.hub.may_act_for(&claim, Moment(world.now)).map(drop), Ok(()));
    world.run(root, Command::DeleteAccount("alice".into(), false)).effects();
    assert_eq!(world.hub.may_act_for(&claim, Moment(world.now)).map(drop), Err(Refusal::VoidClaim));
    let other = world.enter(3, "alice");
    world.run(other, Command::Register(Secret::new("millet"))).effects();
    assert_eq!(world.hub.may_act_for(&claim, Moment(world.now)).map(drop), Err(Refusal::VoidClaim));
    assert!(!world.hub.is_of_today(&claim));
    let (account, as_of) = (claim.account, Some(claim.as_of));
    world.write(eve, Change::Login { account: account.clone(), as_of });
    assert_eq!(account_of(&world, eve), None);
    let late = SessionId(77);
    let entry = Entry { account: Some(account.clone()), as_of, ..Entry::default() };
    world.write(late, Change::Enter(entry.into()));
    assert_eq!(account_of(&world, late), None);
    // A record from before there were claims means what it meant.
    let record = r#"{"change":"login","account":"alice"}"#;
    let change: Change = serde_json::from_str(record).unwrap();
    assert_eq!(serde_json::to_string(&change).unwrap(), record);
    world.write(eve, change);
    assert_eq!(account_of(&world, eve), Some(&account));
}

fn join(world: &mut World, who: SessionId, room: &str) {
    world.write(who, Change::Join { room: Name::new(room), registers: true, modes: None });
}

#[test]
fn a_room_that_an_account_has_created_stays_without_members_until_it_lapses() {
    let mut world = World::new();
    let (alice, guest) = (registered(&mut world, 1, "alice"), world.enter(2, "guest"));
    join(&mut world, alice, "#dev");
    join(&mut world, guest, "#tmp");
    world.run(alice, Command::SetTopic("#dev".into(), "ours".into())).effects();
    for who in [alice, guest] {
        world.leave(who);
    }
    world.write(SessionId(77), Change::Restarted { node: 0 });
    world.write(SessionId(77), Change::Restarted { node: 0 });
    assert!(world.hub.room("#tmp").is_none());
    let back = world.enter(3, "");
    join(&mut world, back, "#dev");
    let member = world.hub.room("#dev").and_then(|room| room.member(back));
    assert_eq!(member.map(|it| it.op), Some(false));
    world.run(back, Command::Login("alice".into(), Secret::new("sesame"))).effects();
    let member = world.hub.room("#dev").and_then(|room| room.member(back));
    assert_eq!(member.map(|it| it.op), Some(true));
    let topic = world.hub.room("#dev").and_then(|room| room.topic.clone());
    assert_eq!(topic.map(|topic| topic.text.to_string()).as_deref(), Some("ours"));

    // Not while someone is in it, and not before its time.
    let left = Moment(world.now);
    let lapse = |before| Change::Lapse { room: Name::new("#DEV"), before };
    assert!(world.write(SessionId(77), lapse(Moment(i64::MAX))).is_empty());
    world.leave(back);
    assert!(world.write(SessionId(77), lapse(left)).is_empty());
    assert_eq!(world.hub.abandoned_rooms(Moment(i64::MAX)), [Name::new("#dev")]);
    assert_eq!(world.write(SessionId(77), lapse(Moment(i64::MAX))).len(), 1);
    assert!(world.hub.room("#dev").is_none());
    assert_eq!(world.hub.rooms_of(&Name::new("alice")), 0);
}

#[test]
fn an_account_that_no_one_uses_is_deleted_and_one_in_use_is_not() {
    let mut world = World::new();
    let alice = registered(&mut world, 1, "alice");
    join(&mut world, alice, "#dev");
    let (always, name) = (Moment(i64::MAX), Name::new("alice"));
    let expire = Change::AccountDeleted { account: name.clone(), erases: false };
    assert!(world.hub.unused_accounts(always).is_empty());
    assert!(world.write(SessionId(77), expire.clone()).is_empty(), "its owner is there");
    world.leave(alice);
    let left = Moment(world.now);
    assert!(world.hub.unused_accounts(left).is_empty());
    assert_eq!(world.hub.unused_accounts(Moment(left.0 + 1)), [Name::new("alice")]);
    world.write(SessionId(77), expire);
    assert!(!world.hub.has_account("alice"));
    assert_eq!(world.hub.rooms_of(&name), 0);
    assert!(world.hub.room("#dev").is_some(), "it lapses in its time");
    // One that was made for a stranger, and never used.
    let hash = PasswordHash::new("x".to_owned());
    let made = Change::AccountSet { account: name.clone(), hash, scram: None, new: true };
    world.write(SessionId(77), made);
    let made = Moment(world.now);
    assert!(world.hub.unused_accounts(made).is_empty());
    assert_eq!(world.hub.unused_accounts(always), [name]);
}

#[test]
fn registered_rooms_are_counted_through_renames_and_deletions() {
    let mut world = World::new();
    let (alice, root) = (registered(&mut world, 1, "alice"), operator(&mut world));
    for room in ["#a", "#b", "#c"] {
        join(&mut world, alice, room);
    }
    let rooms = |world: &World| world.hub.rooms_of(&Name::new("alice"));
    assert_eq!(rooms(&world), 3);
    world.run(alice, Command::RenameRoom("#a".into(), "#d".into(), None)).effects();
    assert_eq!(rooms(&world), 3);
    world.run(root, Command::Keep("#b".into(), false)).effects();
    assert_eq!(rooms(&world), 2);
    world.run(root, Command::DeleteAccount("alice".into(), false)).effects();
    assert_eq!(rooms(&world), 0);
    world.leave(alice);
    // They are no one's, and stay until they lapse.
    assert!(world.hub.room("#c").is_some() && world.hub.room("#b").is_none());
}

#[test]
fn a_ban_of_a_nick_is_one_of_the_person() {
    let mut world = World::new();
    let (alice, bob) = (registered(&mut world, 1, "alice"), world.enter(2, "bob"));
    let (carol, dave) = (registered(&mut world, 3, "carol"), world.enter(4, "dave"));
    join(&mut world, alice, "#x");
    let ban = |nick: &str| Command::SetModes("#x".into(), vec![ModeChange::Ban(nick.into(), true)]);
    for nick in ["bob", "carol"] {
        world.run(alice, ban(nick)).effects();
    }
    let masks = world.hub.room("#x").map(|room| room.masks('b').iter());
    let masks: Vec<String> = masks.unwrap().map(|ban| ban.mask.to_string()).collect();
    assert_eq!(masks, ["*!*@10.0.0.2", "a:carol"]);
    for (who, nick) in [(bob, "rob"), (carol, "caroline")] {
        world.run(who, Command::Nick(nick.into())).effects();
        let refused = world.run(who, Command::Join("#x".into(), None)).refusal();
        assert_eq!(refused, Refusal::Banned(Name::new("#x")));
    }
    world.run(dave, Command::Join("#x".into(), None)).effects();
}

#[test]
fn the_files_of_a_deleted_account_go_with_its_messages_or_stay_without_an_owner() {
    let mut world = World::new();
    let (alice, root) = (registered(&mut world, 1, "alice"), operator(&mut world));
    let file = |id: &str, account: &str| StoredFile {
        id: id.repeat(32).into(),
        name: "plan.pdf".into(),
        size: 1,
        sha256: "0".repeat(64).into(),
        by: Name::new(account),
        account: Some(Name::new(account)),
        origin: Origin::of_host("10.0.0.1").unwrap(),
        room: None,
        time: Moment(1),
    };
    world.run(root, Command::SetAccount("bob".into(), Secret::new("sesame"), true)).effects();
    for (id, account) in [("a", "alice"), ("b", "bob")] {
        world.write(alice, Change::Upload { file: Box::new(file(id, account)) });
    }
    world.run(root, Command::DeleteAccount("alice".into(), true)).effects();
    world.run(root, Command::DeleteAccount("bob".into(), false)).effects();
    assert!(world.hub.file(&"a".repeat(32)).is_none());
    assert_eq!(world.hub.file(&"b".repeat(32)).map(|file| file.account.clone()), Some(None));
}
