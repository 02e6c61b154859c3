//! Files as the chat knows them: whose they are, what they add up to, who may delete one.

use super::*;

fn upload(world: &mut World, id: &str, account: Option<&str>, host: &str, size: u64) {
    let file = StoredFile {
        id: id.repeat(32).into(),
        name: "plan.pdf".into(),
        size,
        sha256: "00".repeat(32).into(),
        by: Name::new("alice"),
        account: account.map(Name::new),
        origin: host.parse().unwrap(),
        room: Some(RecordId(0)),
        time: Moment(0),
    };
    // The connection of an upload is no user.
    world.write(SessionId(99), Change::Upload { file: Box::new(file) });
}

fn delete(world: &World, who: SessionId, id: &str) -> Decision {
    world.hub.decide(who, Command::DeleteFile(id.repeat(32).into()), Moment(0))
}

#[test]
fn an_account_and_the_guests_of_an_origin_have_their_own_sums() {
    let mut world = World::new();
    let alice = world.enter(1, "alice");
    world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    upload(&mut world, "a", Some("alice"), "192.0.2.1", 10);
    upload(&mut world, "b", None, "192.0.2.1", 300);
    upload(&mut world, "c", None, "192.0.2.2", 7);
    let usage = |account: Option<&Name>, host: &str| {
        let usage = world.hub.file_usage(account, host.parse().unwrap(), 100);
        (usage.own, usage.all)
    };
    assert_eq!(usage(Some(&Name::new("alice")), "192.0.2.9"), (100, 500));
    assert_eq!(usage(None, "192.0.2.1"), (300, 500));
    assert_eq!(usage(None, "192.0.2.3"), (0, 500));
    assert_eq!(world.hub.file_usage(None, "192.0.2.1".parse().unwrap(), 1).count, 1);
}

#[test]
fn a_file_is_deleted_by_its_owner_and_stays_when_the_name_is_taken_anew() {
    let mut world = World::new();
    let (alice, eve) = (world.enter(1, "alice"), world.enter(2, "eve"));
    for who in [alice, eve] {
        world.run(who, Command::Register(Secret::new("sesame"))).effects();
    }
    upload(&mut world, "a", Some("alice"), "192.0.2.1", 10);
    upload(&mut world, "b", Some("alice"), "10.0.0.4", 10);
    assert_eq!(delete(&world, eve, "a"), Decision::Refuse(Refusal::NotYourFile("plan.pdf".into())));
    assert_eq!(delete(&world, eve, "x"), Decision::Refuse(Refusal::NoSuchFile));
    assert!(matches!(delete(&world, alice, "a"), Decision::Change(_)));
    world.write(alice, Change::DeleteFile { id: "a".repeat(32).into() });
    assert!(world.hub.file(&"a".repeat(32)).is_none() && world.hub.file(&"b".repeat(32)).is_some());
    let deleted = |erases| Change::AccountDeleted { account: Name::new("alice"), erases };
    world.leave(alice);
    world.write(SessionId(99), deleted(false));
    let next = world.enter(4, "alice");
    assert_eq!(
        delete(&world, next, "b"),
        Decision::Refuse(Refusal::NotYourFile("plan.pdf".into()))
    );
    upload(&mut world, "c", Some("eve"), "192.0.2.1", 10);
    let erased = Change::AccountDeleted { account: Name::new("eve"), erases: true };
    world.leave(eve);
    world.write(SessionId(99), erased);
    assert!(world.hub.file(&"c".repeat(32)).is_none());
}
