//! Proving an account over real sockets: SASL as IRC clients do it, SCRAM against another's
//! implementation of its other half.

use crate::common::{Client, Server, scratch::Scratch};
use crate::irc::{ask, line, server};
use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use base64ct::{Base64, Encoding};
use chatloop::chat::{Change, Entry, Moment, Name, PasswordHash, SessionId};
use chatloop::journal::{Journal, Limits, Runtime, Threads, TimeSource};
use sasl::client::Mechanism;
use sasl::client::mechanisms::Scram;
use sasl::common::ChannelBinding;
use sasl::common::scram::Sha256;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const FAILED: &str = ":irc.example.org 904 * :SASL authentication failed";

/// A client that has asked for SASL and is not in yet.
fn outside(server: &Server) -> Client {
    let mut client = Client::connect(server.address);
    client.send("CAP LS 302\r\n");
    // In as many lines as it takes; the last one has no star.
    let mut offered = String::new();
    loop {
        let part = line(&mut client);
        let (head, names) = part.split_once(" :").unwrap();
        offered = offered + names + " ";
        if !head.ends_with('*') {
            break;
        }
    }
    assert!(offered.split(' ').any(|cap| cap == "sasl=PLAIN,SCRAM-SHA-256"), "{offered}");
    client.send("CAP REQ sasl\r\n");
    assert_eq!(line(&mut client), ":irc.example.org CAP * ACK :sasl");
    client
}

/// A client that is in, under a name that is no account's.
fn inside(server: &Server, nick: &str) -> Client {
    let mut client = outside(server);
    client.send(format!("NICK {nick}\r\nUSER {nick} 0 * :x\r\nCAP END\r\n"));
    while !line(&mut client).contains(" 422 ") {}
    client
}

/// Makes an account, as a plain client does.
fn register(server: &Server, name: &str, password: &str) {
    let mut client = Client::connect(server.address);
    client.send(format!("/nick {name}\n/register {password}\n/quit\n"));
    assert!(client.rest().contains(&format!("account {name} created")));
}

fn say(client: &mut Client, bytes: &[u8]) {
    let word = if bytes.is_empty() { "+".to_owned() } else { Base64::encode_string(bytes) };
    client.send(format!("AUTHENTICATE {word}\r\n"));
}

fn hear(client: &mut Client) -> Result<Vec<u8>, String> {
    let line = line(client);
    match line.strip_prefix("AUTHENTICATE ") {
        Some("+") => Ok(Vec::new()),
        Some(word) => Ok(Base64::decode_vec(word).unwrap()),
        None => Err(line),
    }
}

/// Logs in by SCRAM with the other implementation, which checks the server's proof, too.
fn scram(
    client: &mut Client,
    name: &str,
    password: &str,
    bind: ChannelBinding,
) -> Result<(), String> {
    let mut other = Scram::<Sha256>::new(name, password, bind).unwrap();
    client.send("AUTHENTICATE SCRAM-SHA-256\r\n");
    assert_eq!(hear(client)?, b"");
    say(client, &other.initial());
    let challenge = hear(client)?;
    say(client, &other.response(&challenge).unwrap());
    other.success(&hear(client)?).expect("the server knows the password, too");
    say(client, b"");
    Ok(())
}

fn plain(client: &mut Client, name: &str, password: &str) {
    client.send("AUTHENTICATE PLAIN\r\n");
    assert_eq!(hear(client).unwrap(), b"");
    say(client, format!("\0{name}\0{password}").as_bytes());
}

#[test]
fn scram_proves_an_account_before_coming_in_and_after() {
    let server = server(&[]);
    register(&server, "jilles", "sesame");
    let mut jilles = outside(&server);
    scram(&mut jilles, "Jilles", "sesame", ChannelBinding::None).unwrap();
    let prefix = ":irc.example.org 900 * *!*@* jilles :You are now logged in as jilles";
    assert_eq!(line(&mut jilles), prefix);
    let success = ":irc.example.org 903 * :SASL authentication successful";
    assert_eq!(line(&mut jilles), success);
    // Until it registers, it may log in to another account in place of that.
    register(&server, "millet", "sorghum");
    plain(&mut jilles, "millet", "sorghum");
    assert!(line(&mut jilles).contains(" 900 * *!*@* millet :"));
    assert_eq!(line(&mut jilles), success);
    jilles.send("NICK millet\r\nUSER j 0 * :J\r\nCAP END\r\n");
    assert!(line(&mut jilles).starts_with(":irc.example.org 001 millet :"));
    let again = ":irc.example.org 907 millet :You have already authenticated using SASL";
    assert_eq!(ask(&mut jilles, "AUTHENTICATE SCRAM-SHA-256").last().unwrap(), again);

    // A client that could bind to the connection sees that we cannot, and says so.
    let mut other = inside(&server, "other");
    scram(&mut other, "jilles", "sesame", ChannelBinding::Unsupported).unwrap();
    assert!(
        line(&mut other).starts_with(":irc.example.org 900 other other!~other@127.0.0.1 jilles :")
    );
    assert_eq!(line(&mut other), ":irc.example.org 903 other :SASL authentication successful");
}

#[test]
fn a_wrong_password_and_a_name_that_is_no_accounts_look_alike() {
    let server = server(&[]);
    register(&server, "jilles", "sesame");
    let mut looks = Vec::new();
    for (name, password) in [("jilles", "millet"), ("nobody", "sesame")] {
        let mut eve = outside(&server);
        let mut salts = Vec::new();
        for _ in 0..2 {
            eve.send("AUTHENTICATE SCRAM-SHA-256\r\n");
            assert_eq!(hear(&mut eve).unwrap(), b"");
            say(&mut eve, format!("n,,n={name},r=abc").as_bytes());
            let challenge = String::from_utf8(hear(&mut eve).unwrap()).unwrap();
            let (nonce, rest) = challenge.split_once(",s=").unwrap();
            let (salt, iterations) = rest.split_once(",i=").unwrap();
            salts.push(salt.to_owned());
            looks.push((nonce.len(), salt.len(), iterations.to_owned()));
            eve.send("AUTHENTICATE *\r\n");
            let aborted = ":irc.example.org 906 * :SASL authentication aborted";
            assert_eq!(line(&mut eve), aborted);
        }
        assert!(salts.iter().all(|salt| *salt == salts[0]), "{salts:?}");
        let failed = scram(&mut eve, name, password, ChannelBinding::None);
        assert_eq!(failed, Err(FAILED.to_owned()));
    }
    assert!(looks.iter().all(|look| *look == looks[0]), "{looks:?}");
    // A client that was rejected may try again.
    let mut jilles = outside(&server);
    assert!(scram(&mut jilles, "jilles", "millet", ChannelBinding::None).is_err());
    scram(&mut jilles, "jilles", "sesame", ChannelBinding::None).unwrap();
    assert!(line(&mut jilles).contains(" 900 "));
}

#[test]
fn what_is_not_the_exchange_ends_it() {
    let server = server(&[]);
    register(&server, "jilles", "sesame");
    let mut eve = outside(&server);
    eve.send("AUTHENTICATE SCRAM-SHA-256-PLUS\r\n");
    let mechanisms = ":irc.example.org 908 * PLAIN,SCRAM-SHA-256 :are available SASL mechanisms";
    assert_eq!(line(&mut eve), mechanisms);
    assert_eq!(line(&mut eve), FAILED);
    for first in [
        "p=tls-unique,,n=jilles,r=abc", // channel binding
        "n,a=root,n=jilles,r=abc",      // to act for another
        "n,,m=1,n=jilles,r=abc",        // an extension that all must know
        "n,,n=jilles",
        "\u{7f}",
    ] {
        eve.send("AUTHENTICATE SCRAM-SHA-256\r\n");
        assert_eq!(hear(&mut eve).unwrap(), b"", "{first}");
        say(&mut eve, first.as_bytes());
        assert_eq!(line(&mut eve), FAILED, "{first}");
    }
    // Another's challenge cannot be answered, and a proof cannot be sent twice.
    eve.send("AUTHENTICATE SCRAM-SHA-256\r\n");
    assert_eq!(hear(&mut eve).unwrap(), b"");
    say(&mut eve, b"n,,n=jilles,r=abc");
    assert!(hear(&mut eve).unwrap().starts_with(b"r=abc"));
    let proof = Base64::encode_string(&[0; 32]);
    say(&mut eve, format!("c=biws,r=abcdef,p={proof}").as_bytes());
    assert_eq!(line(&mut eve), FAILED);
    // Coming in without it.
    eve.send("AUTHENTICATE SCRAM-SHA-256\r\nNICK eve\r\nUSER e 0 * :E\r\nCAP END\r\n");
    assert_eq!(hear(&mut eve).unwrap(), b"");
    assert_eq!(line(&mut eve), ":irc.example.org 906 eve :SASL authentication aborted");
    assert!(line(&mut eve).starts_with(":irc.example.org 001 eve :"));
}

#[test]
fn a_proof_counts_when_the_client_has_seen_ours() {
    let server = server(&[]);
    register(&server, "jilles", "sesame");
    let mut client = outside(&server);
    let mut other = Scram::<Sha256>::new("jilles", "sesame", ChannelBinding::None).unwrap();
    client.send("AUTHENTICATE SCRAM-SHA-256\r\n");
    hear(&mut client).unwrap();
    say(&mut client, &other.initial());
    let challenge = hear(&mut client).unwrap();
    say(&mut client, &other.response(&challenge).unwrap());
    assert!(hear(&mut client).unwrap().starts_with(b"v="));
    say(&mut client, b"thanks");
    assert_eq!(line(&mut client), FAILED);
    client.send("NICK jilles\r\n");
    client.send("CAP END\r\nUSER j 0 * :J\r\n");
    assert!(line(&mut client).contains(" 433 "), "not logged in");
}

/// 1970, as long as it takes.
struct Epoch(Instant);

impl TimeSource for Epoch {
    fn instant(&self) -> Instant {
        self.0
    }
}

/// A journal as it was before there was SCRAM: an account with a hash and nothing else.
fn old_journal(directory: &Path, name: &str, password: &str) {
    let hash = Argon2::default().hash_password(password.as_bytes()).unwrap().to_string();
    let (wake, time) = (Arc::new(|| {}), Arc::new(Epoch(Instant::now())));
    let runtime = Runtime { wake, time, threads: Threads::Inline };
    let (mut journal, _) = Journal::open(directory, &Limits::default(), &runtime).unwrap();
    let session = SessionId(1);
    let entry = Entry { nick: Some(Name::new(name)), ..Entry::default() };
    journal.propose(Moment(0), SessionId(0), Change::Restarted { node: 0 });
    journal.propose(Moment(1), session, Change::Enter(entry.into()));
    let (account, hash) = (Name::new(name), PasswordHash::new(hash));
    journal.propose(Moment(2), session, Change::Register { account, hash, scram: None });
    journal.close();
}

#[test]
#[cfg_attr(not(feature = "disk"), ignore = "needs the feature disk")]
fn an_account_from_before_learns_scram_when_its_password_is_shown() {
    let scratch = Scratch::new("sasl");
    old_journal(&scratch.0, "jilles", "sesame");
    let data = ["--data", scratch.path()];
    let first = server(&data);
    let mut jilles = outside(&first);
    let failed = scram(&mut jilles, "jilles", "sesame", ChannelBinding::None);
    assert_eq!(failed, Err(FAILED.to_owned()));
    plain(&mut jilles, "jilles", "millet");
    assert_eq!(line(&mut jilles), FAILED);
    assert!(
        scram(&mut jilles, "jilles", "sesame", ChannelBinding::None).is_err(),
        "nothing learnt"
    );
    plain(&mut jilles, "jilles", "sesame");
    assert!(line(&mut jilles).contains(" 900 "));
    assert!(line(&mut jilles).contains(" 903 "));
    // Its next line waits until what it has led to is kept.
    jilles.send("PING :fence\r\n");
    assert!(line(&mut jilles).ends_with(" :fence"));
    let mut again = outside(&first);
    scram(&mut again, "jilles", "sesame", ChannelBinding::None).unwrap();
    assert!(line(&mut again).contains(" 900 "));
    // It is written down.
    drop(first);
    let second = server(&data);
    let mut jilles = outside(&second);
    scram(&mut jilles, "jilles", "sesame", ChannelBinding::None).unwrap();
    assert!(line(&mut jilles).contains(" 900 "));
}

#[test]
fn a_new_password_is_scrams_new_password() {
    let server = server(&[]);
    let mut jilles = Client::connect(server.address);
    jilles.send("/nick jilles\n/register sesame\n/password sesame millet\n/quit\n");
    let told = jilles.rest();
    assert!(told.contains("password changed"), "{told}");
    let mut jilles = outside(&server);
    let old = scram(&mut jilles, "jilles", "sesame", ChannelBinding::None);
    assert_eq!(old, Err(FAILED.to_owned()));
    scram(&mut jilles, "jilles", "millet", ChannelBinding::None).unwrap();
    assert!(line(&mut jilles).contains(" 900 "));
}

/// A password that is right is worth nothing once it has been changed, however long its client waits
/// with what is left to do.
#[test]
fn a_proof_is_void_when_the_password_has_changed_since() {
    let server = server(&[]);
    let mut jilles = Client::connect(server.address);
    jilles.send("/nick jilles\n/register sesame\n");
    jilles.until("account jilles created");
    let mut waiting = outside(&server);
    plain(&mut waiting, "jilles", "sesame");
    assert!(line(&mut waiting).contains(" 900 ") && line(&mut waiting).contains(" 903 "));
    let mut other = Scram::<Sha256>::new("jilles", "sesame", ChannelBinding::None).unwrap();
    let mut inside = inside(&server, "eve");
    inside.send("AUTHENTICATE SCRAM-SHA-256\r\n");
    hear(&mut inside).unwrap();
    say(&mut inside, &other.initial());
    let challenge = hear(&mut inside).unwrap();
    say(&mut inside, &other.response(&challenge).unwrap());
    assert!(hear(&mut inside).unwrap().starts_with(b"v="));
    jilles.send("/password sesame millet\n");
    jilles.until("password changed");

    say(&mut inside, b"");
    let void = "the account has changed in the meantime; log in again";
    let failed = format!(":irc.example.org 904 eve :SASL authentication failed: {void}");
    assert_eq!(line(&mut inside), failed);
    waiting.send("NICK other\r\nUSER j 0 * :J\r\nCAP END\r\n");
    let rest = waiting.rest();
    assert!(rest.contains(void) && !rest.contains(" 001 "), "{rest}");
}
