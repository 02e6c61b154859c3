//! What the chat has to do with logins by SCRAM: whose keys, which failures, when keys are learnt.

use super::*;

/// `alice`, whose account has no keys, and somebody else.
fn world() -> (World, SessionId, SessionId) {
    let mut world = World::new();
    let (alice, eve) = (world.enter(1, "alice"), world.enter(2, "eve"));
    world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    (world, alice, eve)
}

fn said() -> ScramProof {
    ScramProof { message: String::new(), proof: Box::new([]) }
}

fn learn(password: &str, keys: &str) -> Change {
    let purpose = Purpose::Login(Name::new("alice"));
    let hash = PasswordHash::new(reversed(&Secret::new(password)));
    let outcome = Outcome::VerifiedWithKeys(hash, ScramKeys::new(keys));
    Hub::keys_learnt(&purpose, &outcome).unwrap()
}

/// The keys that a proof for `name` is looked at with.
fn keys(world: &World, name: &str) -> Option<ScramKeys> {
    let now = Moment(world.now);
    let proof = world.hub.proof_work("10.0.0.9", name, said(), now).unwrap();
    let challenge = world.hub.challenge_work("10.0.0.9", name, now).unwrap();
    match (proof, challenge) {
        (Work::Proof { keys, .. }, Work::Challenge { keys: same, .. }) => {
            assert_eq!(keys, same);
            keys
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_are_learnt_once_and_from_the_password_of_now() {
    let (mut world, alice, eve) = world();
    assert_eq!(keys(&world, "alice"), None);
    // Whoever shows the password need not be in.
    world.write(SessionId(77), learn("millet", "of another password"));
    assert_eq!(keys(&world, "alice"), None);
    world.write(SessionId(77), learn("sesame", "first"));
    assert_eq!(keys(&world, "ALICE"), Some(ScramKeys::new("first")));
    world.write(eve, learn("sesame", "second"));
    assert_eq!(keys(&world, "alice"), Some(ScramKeys::new("first")));
    // Shown before, and written down after the password was changed.
    let change = Command::Password(Secret::new("sesame"), Secret::new("another"));
    world.run(alice, change).effects();
    assert_eq!(keys(&world, "alice"), None);
    world.write(alice, learn("sesame", "too late"));
    assert_eq!(keys(&world, "alice"), None);
    world.write(alice, learn("another", "of now"));
    assert_eq!(keys(&world, "alice"), Some(ScramKeys::new("of now")));
    assert_eq!(keys(&world, "nobody"), None);
}

#[test]
fn an_account_from_before_asks_for_keys_and_another_does_not() {
    let (mut world, ..) = world();
    let lacks = |world: &World, name: &str| {
        let work = world.hub.login_work("10.0.0.9", name, Secret::new("x"), Moment(world.now));
        matches!(work, Ok(Work::Verify { lacks_keys: true, .. }))
    };
    assert!(lacks(&world, "alice"));
    assert!(!lacks(&world, "nobody"));
    world.write(SessionId(77), learn("sesame", "keys"));
    assert!(!lacks(&world, "alice"));
    // A record and a snapshot from before there were keys.
    let text = serde_json::to_string(&world.hub).unwrap();
    let before = text.replace(r#","scram":"keys""#, "");
    assert_ne!(before, text);
    world.hub = serde_json::from_str(&before).unwrap();
    assert!(lacks(&world, "alice"));
    let record = r#"{"change":"register","account":"a","hash":"h"}"#;
    let change: Change = serde_json::from_str(record).unwrap();
    assert_eq!(serde_json::to_string(&change).unwrap(), record);
}

#[test]
fn failures_of_scram_are_failures() {
    for name in ["alice", "nobody"] {
        let (mut world, _, eve) = world();
        let ask = |world: &World| world.hub.challenge_work("10.0.0.2", name, Moment(world.now));
        for _ in 0..=limits::FREE_FAILURES {
            let Ok(Work::Challenge { .. }) = ask(&world) else { panic!("too early") };
            let work = world.hub.proof_work("10.0.0.2", name, said(), Moment(world.now)).unwrap();
            let Work::Proof { purpose, .. } = work else { panic!("{work:?}") };
            let no = Outcome::Verified(false);
            let decision = world.hub.worked(eve, purpose, no, Moment(world.now));
            let Decision::Change(change) = decision else { panic!("{decision:?}") };
            world.write(eve, change);
        }
        assert_eq!(ask(&world), Err(Refusal::TryLater(1)));
        // Neither step, nor the other way to log in.
        let now = Moment(world.now);
        let proof = world.hub.proof_work("10.0.0.2", name, said(), now);
        assert_eq!(proof, Err(Refusal::TryLater(1)));
        let plain = world.hub.login_work("10.0.0.2", name, Secret::new("sesame"), now);
        assert_eq!(plain, Err(Refusal::TryLater(1)));
    }
}

#[test]
fn who_comes_in_with_an_account_keeps_to_its_bounds_and_clears_its_failures() {
    let (mut world, ..) = world();
    let entry = |number: u64| Entry {
        label: format!("10.1.0.1:{number}").into(),
        account: Some(Name::new("alice")),
        ..Entry::default()
    };
    let failed = Change::LoginFailed { account: Name::new("alice"), host: "10.9.9.9".into() };
    for _ in 0..=limits::FREE_FAILURES {
        world.write(SessionId(77), failed.clone());
    }
    let wait = |world: &World| world.hub.challenge_work("h", "alice", Moment(world.now)).err();
    assert_eq!(wait(&world), Some(Refusal::TryLater(1)));
    for number in 0..limits::SESSIONS_PER_ACCOUNT as u64 + 5 {
        world.write(SessionId(100 + number), Change::Enter(entry(number)));
        assert_eq!(wait(&world), None);
    }
    let alice = Name::new("alice");
    let acting = world.hub.users().filter(|user| user.identity.account.as_ref() == Some(&alice));
    assert_eq!(acting.count(), limits::SESSIONS_PER_ACCOUNT);
    let refusal = Refusal::TooManySessions(limits::SESSIONS_PER_ACCOUNT);
    assert_eq!(world.hub.may_act_for(&alice, Moment(world.now)), Err(refusal));
}
