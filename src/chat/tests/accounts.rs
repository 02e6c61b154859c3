//! Nicks with accounts: their passwords, their sessions, and what waits for their owners.

use super::*;

#[test]
fn nicks_are_unique_and_belong_to_their_accounts() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    let refused =
        |world: &mut World, nick: &str| world.run(bob, Command::Nick(nick.into())).refusal();
    assert_eq!(refused(&mut world, "ALICE"), Refusal::NickInUse(Name::new("alice")));
    assert_eq!(refused(&mut world, "bob"), Refusal::SameNick(Name::new("bob")));
    assert!(matches!(refused(&mut world, "a b"), Refusal::BadNick(_, NickFault::Character(' '))));
    // Another spelling of one's own is no other nick.
    world.run(bob, Command::Nick("BOB".into())).effects();
    world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    world.run(alice, Command::Nick("al".into())).effects();
    assert_eq!(refused(&mut world, "alice"), Refusal::NickReserved(Name::new("alice")));
    world.run(alice, Command::Nick("alice".into())).effects();
}

#[test]
fn mail_waits_for_its_owner() {
    let mut world = World::new();
    let (alice, bob) = (world.enter(1, "alice"), world.enter(2, "bob"));
    world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    world.leave(alice);
    let tell = |text: &str| Command::Tell("alice".into(), Kind::Message, text.into());
    let effects = world.run(bob, tell("first")).effects();
    let first = world.log.last().unwrap().id;
    assert!(matches!(&effects[0].event, Event::DirectMessage(told) if told.waits));
    world.run(bob, tell("second")).effects();
    let alice = world.enter(3, "");
    let login = |password| Command::Login("Alice".into(), Secret::new(password));
    assert_eq!(world.run(alice, login("wrong!")).refusal(), Refusal::WrongPassword);
    let effects = world.run(alice, login("sesame")).effects();
    let user = world.hub.user(alice).unwrap();
    assert_eq!(user.identity.nick.as_str(), "alice");
    let recalled = effects.iter().find_map(|effect| match &effect.event {
        Event::ReplayHistory(query) => Some(query.scope.clone()),
        _ => None,
    });
    assert_eq!(recalled, Some(Scope::Mail { account: Name::new("alice"), since: first }));
    world.run(alice, Command::Logout).effects();
    let effects = world.run(alice, login("sesame")).effects();
    assert!(!effects.iter().any(|effect| matches!(effect.event, Event::ReplayHistory(_))), "once");
    assert_eq!(
        world.run(bob, Command::Tell("nobody".into(), Kind::Message, "x".into())).refusal(),
        Refusal::NoSuchNick(Name::new("nobody"))
    );
}

#[test]
fn an_account_remembers_where_its_owner_logged_in_from() {
    let mut world = World::new();
    let alice = world.enter(1, "alice");
    world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    let host = world.hub.user(alice).unwrap().identity.host().to_owned();
    let (home, name) = (Origin::of_host(&host).unwrap(), Name::new("ALICE"));
    assert!(world.hub.knows_origin(&name, home));
    let entry = |number: u64| Entry {
        label: format!("10.1.2.{number}:7").into(),
        account: Some(name.clone()),
        ..Entry::default()
    };
    for number in 0..limits::ORIGINS_PER_ACCOUNT as u64 {
        assert!(world.hub.knows_origin(&name, home), "{number}");
        world.write(SessionId(100 + number), Change::Enter(entry(number).into()));
        let origin = Origin::V4([10, 1, 2, number as u8]);
        assert!(world.hub.knows_origin(&name, origin));
    }
    assert!(!world.hub.knows_origin(&name, home), "the oldest is forgotten");
    let text = serde_json::to_string(&world.hub).unwrap();
    assert_eq!(serde_json::from_str::<Hub>(&text).unwrap(), world.hub);
}

#[test]
fn a_password_in_the_wrong_place_is_not_written_down() {
    let mut world = World::new();
    let eve = world.enter(2, "eve");
    let swapped = Command::Login("hunter2".into(), Secret::new("eve"));
    assert_eq!(world.run(eve, swapped).refusal(), Refusal::WrongPassword);
    let swapped = Command::Oper("hunter2".into(), Secret::new("root"));
    assert_eq!(world.run(eve, swapped).refusal(), Refusal::WrongPassword);
    assert!(!format!("{:?}{:?}", world.log, world.hub).contains("hunter2"));
}

#[test]
fn passwords_are_changed_by_who_knows_the_old_one() {
    let mut world = World::new();
    let alice = world.enter(1, "");
    let register = || Command::Register(Secret::new("sesame"));
    assert_eq!(world.run(alice, register()).refusal(), Refusal::NickFirst);
    world.run(alice, Command::Nick("alice".into())).effects();
    let long = Command::Register(Secret::new("x".repeat(1025)));
    assert_eq!(world.run(alice, long).refusal(), Refusal::TooLong(Field::Password, 1024));
    world.run(alice, register()).effects();
    let change = |old, new| Command::Password(Secret::new(old), Secret::new(new));
    assert_eq!(world.run(alice, change("wrong!", "another")).refusal(), Refusal::WrongPassword);
    world.run(alice, change("sesame", "another")).effects();
    world.run(alice, Command::Logout).effects();
    let login = |password| Command::Login("alice".into(), Secret::new(password));
    assert_eq!(world.run(alice, login("sesame")).refusal(), Refusal::WrongPassword);
    world.run(alice, login("another")).effects();
}

#[test]
fn a_logout_gives_the_accounts_nick_up_and_a_new_password_ends_the_other_sessions() {
    let mut world = World::new();
    let (alice, thief) = (world.enter(1, "alice"), world.enter(2, "thief"));
    world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    world.run(thief, Command::Login("alice".into(), Secret::new("sesame"))).effects();
    let change = Command::Password(Secret::new("sesame"), Secret::new("another"));
    let effects = world.run(alice, change).effects();
    let heard = world.heard(thief, &effects);
    assert!(heard.iter().any(|(event, viewpoint)| *viewpoint == Viewpoint::Actor
        && matches!(event, Event::Account { step: AccountStep::LoggedOut, .. })));
    let account =
        |world: &World, session| world.hub.user(session).unwrap().identity.account.clone();
    assert_eq!((account(&world, alice), account(&world, thief)), (Some(Name::new("alice")), None));
    assert_eq!(world.hub.session_of("thief"), Some(thief), "its nick was its own");
    let effects = world.run(alice, Command::Logout).effects();
    assert!(world.heard(alice, &effects).iter().any(|it| matches!(it.0, Event::Renamed { .. })));
    assert_eq!(world.hub.session_of("alice"), None);
    let identity = &world.hub.user(alice).unwrap().identity;
    assert!(identity.nick.as_str().starts_with("guest") && !identity.named);
    // Records of earlier versions mean what they meant.
    let record = r#"{"change":"logout"}"#;
    let before: Change = serde_json::from_str(record).unwrap();
    assert_eq!(before, Change::Logout { renames: false });
    assert_eq!(serde_json::to_string(&before).unwrap(), record);
}

#[test]
fn one_address_does_not_fill_the_mailbox_of_an_account() {
    let mut world = World::new();
    let (ada, eve, bob) = (world.enter(1, "ada"), world.enter(2, "eve"), world.enter(3, "bob"));
    world.run(bob, Command::Register(Secret::new("sesame"))).effects();
    world.leave(bob);
    let mail = || Command::Tell("bob".into(), Kind::Message, "hi".into());
    for _ in 0..limits::MAIL_PER_ACCOUNT / 4 {
        world.run(eve, mail()).effects();
    }
    assert_eq!(world.run(eve, mail()).refusal(), Refusal::MailShare(Name::new("bob")));
    let full = Refusal::MailFull(Name::new("bob"));
    world.run(ada, mail()).effects();
    for number in 10.. {
        let other = world.enter(number, "");
        if world.hub.accounts.get(&Name::new("bob")).unwrap().mail == limits::MAIL_PER_ACCOUNT {
            assert_eq!(world.run(other, mail()).refusal(), full);
            break;
        }
        (0..10).for_each(|_| drop(world.run(other, mail())));
    }
}
