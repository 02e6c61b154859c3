//! The chat's part in logins by SCRAM: whose keys, which failures, when keys are learnt.

use super::*;

/// `alice`, whose account has no keys, and someone else.
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
    let claim = Claim { account: Name::new("alice"), as_of: RecordId(0) };
    let purpose = Purpose::Login(claim);
    let hash = PasswordHash::new(reversed(&Secret::new(password)));
    let outcome = Outcome::VerifiedWithKeys(hash, ScramKeys::new(keys));
    Hub::keys_learnt(&purpose, &outcome).unwrap()
}

/// The keys that a proof for `name` is looked at with.
fn keys(world: &World, name: &str) -> Option<ScramKeys> {
    let proof = world.hub.proof_work(name, said(), Moment(world.now));
    let challenge = world.hub.challenge_work(name);
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
    // A client that proves the password need not have entered.
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
        let work = world.hub.login_work(name, Secret::new("x"), Moment(world.now));
        matches!(work, Work::Verify { lacks_keys: true, .. })
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
fn who_comes_in_with_an_account_keeps_to_its_bounds() {
    let (mut world, ..) = world();
    let entry = |number: u64| Entry {
        label: format!("10.1.0.1:{number}").into(),
        account: Some(Name::new("alice")),
        ..Entry::default()
    };
    for number in 0..limits::SESSIONS_PER_ACCOUNT as u64 + 5 {
        world.write(SessionId(100 + number), Change::Enter(entry(number).into()));
    }
    let alice = Name::new("alice");
    let acting = world.hub.users().filter(|user| user.identity.account.as_ref() == Some(&alice));
    assert_eq!(acting.count(), limits::SESSIONS_PER_ACCOUNT);
    let refusal = Refusal::TooManySessions(limits::SESSIONS_PER_ACCOUNT);
    assert_eq!(
        world.hub.may_act_for(&world.hub.claim("alice"), Moment(world.now)).map(drop),
        Err(refusal)
    );
}
