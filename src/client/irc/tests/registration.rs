//! Coming in: with everything, with nothing, and not at all.

use super::*;

fn login(account: &str, password: &str) -> Option<Login> {
    Some(Login { account: account.to_owned(), password: password.to_owned().into() })
}
use crate::client::Severity;

#[test]
fn registration_with_everything() {
    let mut talk = Talk::new(ConnectOptions {
        password: Some("word".to_owned().into()),
        account: login("ada", "secret"),
        ..connect_options()
    });
    assert_eq!(talk.outgoing(), ["CAP LS 302", "PASS :word", "NICK ada", "USER ada 0 * :ada"]);
    assert!(!talk.session.has_answered());
    talk.hear(":srv NOTICE * :looking up|CAP * LS * :batch chghost unknown=x|CAP * LS :server-time sasl=PLAIN");
    assert!(talk.session.has_answered());
    assert_eq!(talk.outgoing(), ["CAP REQ :batch chghost server-time sasl"]);
    talk.hear("CAP * NAK :batch chghost server-time sasl");
    assert_eq!(
        talk.outgoing(),
        ["CAP REQ :batch", "CAP REQ :chghost", "CAP REQ :server-time", "CAP REQ :sasl"]
    );
    talk.hear("CAP * ACK :batch|CAP * NAK :chghost|CAP * ACK :server-time");
    assert_eq!(talk.outgoing(), Vec::<String>::new());
    talk.hear("CAP * ACK :sasl ");
    assert_eq!(talk.outgoing(), ["AUTHENTICATE PLAIN"]);
    talk.hear("AUTHENTICATE +");
    assert_eq!(talk.outgoing(), ["AUTHENTICATE AGFkYQBzZWNyZXQ="]);
    talk.hear("900 ada ada!a@h ada :You are now logged in as ada|903 ada :success");
    assert_eq!(talk.outgoing(), ["CAP END"]);
    talk.hear(":srv 001 ada :Welcome|:srv 004 ada srv chatloop-9.9 o o|:srv 005 ada NETWORK=net :are supported|:srv 422 ada :none");
    assert_eq!(talk.sent(), ["JOIN #lobby"]);
    let shown = talk.shown();
    assert_eq!(
        shown,
        [
            "* looking up",
            "* you are logged in as ada",
            "* connected to net as ada; /help lists the commands, /quit exits"
        ]
    );
    assert!(!shown.concat().contains("secret"));
}

#[test]
fn servers_that_know_no_capabilities() {
    for answer in ["421 ada CAP :Unknown command|", "451 * :You have not registered|", ""] {
        let mut talk = Talk::new(connect_options());
        talk.sent();
        talk.hear(&format!("{answer}:srv 001 ada :Welcome to the network ada"));
        // Not even the end of a message of the day: the answer to a PING will do.
        assert_eq!(talk.sent(), Vec::<String>::new());
        let shown = talk.shown();
        assert!(shown[0].starts_with("* connected to srv as ada;"), "{shown:?}");
        assert!(shown[1].contains("not in a room yet"), "{shown:?}");
    }
}

#[test]
fn a_nick_that_is_taken_gets_digits() {
    let mut talk = Talk::new(connect_options());
    talk.sent();
    for (numeric, next) in
        [(433, "ada1"), (433, "ada2"), (437, "ada3"), (433, "ada44"), (433, "ada45")]
    {
        talk.hear(&format!("{numeric} * x :no"));
        assert_eq!(talk.outgoing(), [format!("NICK {next}")]);
    }
    assert_eq!(talk.shown()[0], "* ada: no; trying ada1");
    talk.hear("001 ada45 :Welcome");
    assert_eq!(talk.session.nick(), "ada45");
    let mut talk =
        Talk::new(ConnectOptions { nick: "Ümit.the.9th".to_owned(), ..connect_options() });
    talk.sent();
    talk.hear("432 * x :Erroneous nickname");
    assert_eq!(talk.outgoing(), ["NICK mitthe9t"]);
    for _ in 0..8 {
        talk.hear("433 * x :taken");
        assert!(talk.outgoing()[0].len() <= "NICK ".len() + 9);
    }
    talk.hear("433 * x :taken");
    assert_eq!(talk.failure(), Some(FailureKind::Rejected));
}

/// A chatloop server keeps `guest1`, `guest_2` and the like for those who give no name: without
/// another name, the second of two clients called `guest` would not get in.
#[test]
fn a_guest_has_another_name_when_that_is_taken() {
    for wanted in ["guest", "Guest", "guest7", "guest_"] {
        let mut talk = Talk::new(ConnectOptions { nick: wanted.to_owned(), ..connect_options() });
        talk.sent();
        for next in ["user1", "user2", "user3", "user44"] {
            talk.hear("433 * x :no");
            assert_eq!(talk.outgoing(), [format!("NICK {next}")], "{wanted}");
        }
    }
    let mut talk = Talk::new(ConnectOptions { nick: "guest".to_owned(), ..connect_options() });
    talk.sent();
    talk.hear("432 * guest :Erroneous nickname");
    assert_eq!(talk.outgoing(), ["NICK user"]);
}

#[test]
fn who_is_taken_for_plain_may_try_again() {
    for line in [
        "* connected as guest1, 1 user online; /help lists the commands, /quit leaves",
        "* this server requires a password: /pass PASSWORD",
    ] {
        let mut talk = Talk::new(connect_options());
        talk.sent();
        talk.hear(line);
        assert!(talk.failure() == Some(FailureKind::TooLate), "{line}");
        talk.session.connected(talk.now);
        assert_eq!(talk.outgoing(), ["CAP LS 302", "NICK ada", "USER ada 0 * :ada"]);
        talk.hear("001 ada :Welcome");
        assert!(talk.session.has_answered() && talk.session.failure.take().is_none());
    }
}

#[test]
fn what_is_no_irc_is_told() {
    for line in ["*** connected as guest1", "<announce> 1.2.3.4 is connected", "hello", "\x07[2J"] {
        let mut talk = Talk::new(connect_options());
        talk.sent();
        talk.hear(line);
        let Some(RegistrationFailure { kind: FailureKind::NotIrc, why }) =
            talk.session.failure.take()
        else {
            panic!("{line}")
        };
        assert!(why.contains("--plain") && !why.contains('\x07'), "{why}");
        assert_eq!(talk.outgoing(), Vec::<String>::new());
    }
    let mut silent = Talk::new(connect_options());
    silent.session.registration_timed_out();
    assert_eq!(silent.failure(), Some(FailureKind::NotIrc));
    let mut closed = Talk::new(connect_options());
    assert!(closed.session.disconnected().unwrap().contains("--plain"));
}

#[test]
fn who_is_not_let_in_is_told_why() {
    use FailureKind::{Denied, Password, Rejected};
    for (line, person, kind, why) in [
        ("464 ada :Password incorrect", true, Password, "Password incorrect"),
        ("464 ada :Password incorrect", false, Denied, "CHATLOOP_PASSWORD"),
        ("465 ada :You are banned", true, Denied, "You are banned"),
        ("ERROR :Closing link: too many", true, Rejected, "too many"),
        ("ERROR :Closing link: K-lined", true, Denied, "K-lined"),
        ("* the server is full: 9 clients", true, Rejected, "the server is full: 9 clients"),
        ("* you are banned from this server", true, Denied, "you are banned"),
    ] {
        let mut talk = Talk::new(ConnectOptions { person, ..connect_options() });
        talk.hear(line);
        let failure = talk.session.failure.take().unwrap();
        assert!(failure.kind == kind && failure.why.contains(why), "{failure:?}");
    }
}

fn with_account(person: bool) -> ConnectOptions {
    ConnectOptions {
        account: login("ada", "wrong"),
        nonce: "n0nce".to_owned(),
        person,
        ..connect_options()
    }
}

#[test]
fn after_a_wrong_password_a_script_ends_and_a_person_is_asked_again() {
    for person in [true, false] {
        let mut talk = Talk::new(with_account(person));
        talk.sent();
        talk.hear("CAP * LS :sasl|CAP * ACK :sasl|AUTHENTICATE +|904 ada :SASL failed");
        talk.sent();
        if !person {
            assert!(talk.session.failure.take().is_some());
            continue;
        }
        assert_eq!(talk.shown(), ["-- login as ada failed: SASL failed"]);
        assert_eq!(talk.session.question().as_deref(), Some("Password for ada: "));
        talk.session.password_typed("wrong, too".to_owned().into());
        assert_eq!(talk.sent(), ["AUTHENTICATE PLAIN"]);
        talk.hear("AUTHENTICATE +|904 ada :SASL failed");
        talk.session.password_typed("secret".to_owned().into());
        talk.hear("AUTHENTICATE +|903 ada :success");
        assert_eq!(talk.sent().last().unwrap(), "CAP END");
        assert!(talk.session.question().is_none() && talk.session.failure.take().is_none());
        talk.hear("001 ada :Welcome");
        assert_eq!(talk.session.logins.current.as_ref().unwrap().password.as_str(), "secret");
    }
    let mut talk = Talk::new(with_account(true));
    talk.hear("CAP * LS :sasl|CAP * ACK :sasl|AUTHENTICATE +|904 ada :no");
    for _ in 0..2 {
        talk.session.password_typed("wrong".to_owned().into());
        talk.hear("AUTHENTICATE +|904 ada :no");
    }
    assert_eq!(talk.failure(), Some(FailureKind::Denied));
}

#[test]
fn a_server_that_does_not_wait_for_the_login_is_left() {
    for lines in [
        "CAP * LS :sasl|CAP * ACK :sasl|001 ada :Welcome",
        "CAP * LS :sasl=SCRAM-SHA-256|CAP * ACK :sasl|AUTHENTICATE +|001 ada :Welcome",
    ] {
        for person in [true, false] {
            let mut talk = Talk::new(with_account(person));
            talk.hear(lines);
            assert!(talk.session.failure.take().is_some() && !talk.session.was_in(), "{lines}");
        }
    }
    // A server of 1993 has no SASL: a person is told, a script ends.
    for person in [true, false] {
        let mut talk = Talk::new(with_account(person));
        talk.hear("421 ada CAP :Unknown command|001 ada :Welcome|422 ada :no");
        assert_eq!(talk.session.failure.take().is_none(), person);
    }
}

#[test]
fn login_later_and_its_password_for_the_next_time() {
    let mut talk = Talk::with("sasl batch");
    assert_eq!(talk.typed("/login secret"), ["CAP REQ :sasl", "AUTHENTICATE PLAIN"]);
    talk.hear("CAP ada ACK :sasl|AUTHENTICATE +");
    assert_eq!(talk.sent(), ["AUTHENTICATE AGFkYQBzZWNyZXQ="]);
    talk.hear("900 ada ada!a@h ada :logged in|903 ada :success");
    assert_eq!(talk.shown(), ["* you are logged in as ada"]);
    talk.connect_again();
    talk.hear("CAP * LS :sasl|CAP * ACK :sasl|AUTHENTICATE +");
    assert!(talk.sent().contains(&"AUTHENTICATE AGFkYQBzZWNyZXQ=".to_owned()));
}

/// Ada's login by SCRAM, up to our proof.
fn scram(person: bool) -> Talk {
    let mut talk = Talk::new(with_account(person));
    talk.sent();
    talk.hear("CAP * LS :sasl=PLAIN,SCRAM-SHA-256|CAP * ACK :sasl");
    assert_eq!(talk.sent(), ["CAP REQ :sasl", "AUTHENTICATE SCRAM-SHA-256"]);
    assert!(talk.session.take_scram_news() && !talk.session.take_scram_news());
    talk.hear("AUTHENTICATE +");
    // n,,n=ada,r=n0nce1
    assert_eq!(talk.sent(), ["AUTHENTICATE biwsbj1hZGEscj1uMG5jZTE="]);
    talk
}

#[test]
fn scram_that_fails_is_never_followed_by_plain() {
    // Rejected at the first message and at the proof, and messages that make no sense.
    // r=n0nce1x,s=c2FsdA==,i=4096
    let challenge = "AUTHENTICATE cj1uMG5jZTF4LHM9YzJGc2RBPT0saT00MDk2";
    for ending in ["904 ada :failed", "AUTHENTICATE bm8=", &format!("{challenge}|904 ada :failed")]
    {
        for person in [true, false] {
            let mut talk = scram(person);
            talk.hear(ending);
            talk.hear("908 ada PLAIN :are the mechanisms");
            let sent = talk.sent();
            assert!(!sent.contains(&"AUTHENTICATE PLAIN".to_owned()), "{sent:?}");
            let asked = talk.session.question().is_some();
            assert!(asked != talk.session.failure.take().is_some(), "{ending}");
        }
    }
}

#[test]
fn a_server_that_offered_scram_before_is_not_sent_the_password() {
    let offers = "CAP * LS :sasl=PLAIN|CAP * ACK :sasl|AUTHENTICATE +";
    let seen = ConnectOptions { scram_seen: true, ..with_account(true) };
    let only = ConnectOptions { sasl: LoginMethod::Scram, ..with_account(true) };
    for options in [seen.clone(), only] {
        let mut talk = Talk::new(options);
        talk.hear(offers);
        let sent = talk.sent().concat();
        assert!(!sent.contains("AUTHENTICATE"), "{sent}");
        let Some(RegistrationFailure { kind: FailureKind::Rejected, why }) =
            talk.session.failure.take()
        else {
            panic!("{sent}")
        };
        assert!(why.contains("--sasl plain"), "{why}");
    }
    let mut talk = Talk::new(ConnectOptions { sasl: LoginMethod::Plain, ..seen });
    talk.hear(offers);
    assert_eq!(talk.sent().last().unwrap(), "AUTHENTICATE AGFkYQB3cm9uZw==");
    // Not on a later connection either.
    let mut talk = Talk::with("sasl=SCRAM-SHA-256");
    talk.typed("/login secret");
    talk.connect_again();
    talk.come_in("sasl=PLAIN");
    assert_eq!(talk.typed("/login secret"), ["CAP REQ :sasl"]);
    assert!(talk.shown().concat().contains("no longer offers SCRAM-SHA-256"));
}

#[test]
fn a_server_that_claims_success_without_its_proof_is_an_impostor() {
    let challenge = "AUTHENTICATE cj1uMG5jZTF4LHM9YzJGc2RBPT0saT00MDk2";
    for claim in ["903 ada :ok", "AUTHENTICATE dj1BQUFB|903 ada :ok", "AUTHENTICATE +|903 ada :ok"]
    {
        for person in [true, false] {
            let mut talk = scram(person);
            talk.hear(challenge);
            assert!(talk.sent()[0].starts_with("AUTHENTICATE "));
            talk.hear(&format!("900 ada ada!a@h ada :You are now logged in|{claim}"));
            assert_eq!(talk.failure(), Some(FailureKind::Impostor));
            assert!(!talk.sent().contains(&"CAP END".to_owned()));
            assert!(!talk.shown().concat().contains("you are logged in"));
        }
    }
    let mut talk = scram(true);
    talk.hear("903 ada :ok");
    assert_eq!(talk.failure(), Some(FailureKind::Impostor));
}

#[test]
fn a_login_that_fails_later_leaves_the_one_before() {
    let mut talk = Talk::with("sasl batch");
    for (password, answer) in
        [("right", "900 ada a!b@c ada :in|903 ada :yes"), ("wrong", "904 ada :no")]
    {
        assert_eq!(talk.typed(&format!("/login {password}")).last().unwrap(), "AUTHENTICATE PLAIN");
        assert!(talk.session.is_full() && !talk.session.is_idle(), "what follows waits for it");
        talk.hear("CAP ada ACK :sasl|AUTHENTICATE +");
        talk.sent();
        talk.hear(answer);
    }
    assert_eq!(talk.shown(), ["* you are logged in as ada", "* login as ada failed: no"]);
    assert_eq!(talk.session.logins.current.as_ref().unwrap().password.as_str(), "right");
}

#[test]
fn errors_are_grave_and_notes_are_not() {
    let mut talk = Talk::new(ConnectOptions { account: login("a", "b"), ..connect_options() });
    talk.hear("CAP * LS :batch|CAP * ACK :batch");
    let shown = talk.session.take_shown();
    assert!(
        matches!(&shown[..], [DisplayItem::Notice(notice)] if notice.severity == Severity::Error),
        "{shown:?}"
    );
}
