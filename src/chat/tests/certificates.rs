//! Certificates of accounts: who may add one, and to whom it leads.

use super::*;

fn add(world: &mut World, who: SessionId, fingerprint: &str) -> Vec<Effect> {
    world.run(who, Command::Certificate(fingerprint.into(), true)).effects()
}

fn is_refused(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect.event, Event::Refused(_)))
}

#[test]
fn a_certificate_leads_to_one_account_until_it_is_removed() {
    let mut world = World::new();
    let (alice, eve) = (world.enter(1, "alice"), world.enter(2, "eve"));
    let refused = world.hub.decide(alice, Command::Certificate("aa".into(), true), Moment(0));
    assert_eq!(refused, Decision::Refuse(Refusal::NotLoggedIn));
    for who in [alice, eve] {
        world.run(who, Command::Register(Secret::new("sesame"))).effects();
    }
    assert!(!is_refused(&add(&mut world, alice, "aa")));
    assert_eq!(world.hub.account_of_certificate("aa"), Some(&Name::new("alice")));
    for fingerprint in ["aa", "bb"] {
        let decided =
            world.hub.decide(eve, Command::Certificate(fingerprint.into(), false), Moment(0));
        assert_eq!(decided, Decision::Refuse(Refusal::NoSuchCertificate));
    }
    let decided = world.hub.decide(eve, Command::Certificate("aa".into(), true), Moment(0));
    assert_eq!(decided, Decision::Refuse(Refusal::CertificateInUse));
    world.run(alice, Command::Certificate("aa".into(), false)).effects();
    assert_eq!(world.hub.account_of_certificate("aa"), None);
    assert!(!is_refused(&add(&mut world, eve, "aa")));
    assert_eq!(world.hub.account_of_certificate("aa"), Some(&Name::new("eve")));
}

#[test]
fn an_account_knows_a_bounded_number_of_certificates() {
    let mut world = World::new();
    let alice = world.enter(1, "alice");
    world.run(alice, Command::Register(Secret::new("sesame"))).effects();
    for number in 0..limits::CERTIFICATES_PER_ACCOUNT {
        add(&mut world, alice, &format!("{number:064x}"));
    }
    let decided = world.hub.decide(alice, Command::Certificate("aa".into(), true), Moment(0));
    let limit = limits::CERTIFICATES_PER_ACCOUNT;
    assert_eq!(decided, Decision::Refuse(Refusal::TooManyCertificates(limit)));
}
