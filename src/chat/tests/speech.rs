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
