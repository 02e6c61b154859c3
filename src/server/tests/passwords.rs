//! Guessing passwords: all connections together, however many there are.

use super::{Bench, Client};
use std::time::Duration;

/// Guesses that were looked at when each of `clients` has tried once.
fn volley(bench: &mut Bench, clients: &mut [Client], command: &str) -> usize {
    for client in &mut *clients {
        client.send(&format!("{command}\n"));
    }
    let mut looked_at = 0;
    for client in clients {
        for line in bench.lines(client) {
            assert!(
                line.contains("wrong name or password") || line.contains("try again"),
                "{line}"
            );
            looked_at += usize::from(line.contains("wrong name or password"));
        }
    }
    looked_at
}

#[test]
fn forty_connections_have_five_guesses_in_thirty_seconds() {
    for (flags, command) in
        [(&[][..], "/login victim guess1"), (&["--oper=root:open-sesame"][..], "/oper root guess1")]
    {
        let mut bench = Bench::new(flags);
        let mut clients: Vec<Client> = (0..40).map(|n| bench.join(&format!("n{n}"))).collect();
        bench.settle();
        clients.iter_mut().for_each(|client| drop(bench.lines(client)));
        assert_eq!(volley(&mut bench, &mut clients, command), 4, "in flight together");
        let mut looked_at = 4;
        for _ in 0..29 {
            bench.pass(Duration::from_secs(1));
            looked_at += volley(&mut bench, &mut clients[..3], command);
        }
        assert_eq!(looked_at, 5);
    }
}

#[test]
fn the_owner_logs_in_while_the_account_is_guessed_at_and_a_challenge_is_no_signal() {
    let mut bench = Bench::new(&[]);
    let mut owner = bench.join("victim");
    owner.send("/register correct-horse\n");
    bench.wait_for(&mut owner, "account victim created");
    owner.send("/logout\n");
    bench.wait_for(&mut owner, "logged out");
    let mut others: Vec<Client> = (0..5).map(|n| bench.join(&format!("n{n}"))).collect();
    others.iter_mut().for_each(|client| drop(bench.lines(client)));
    // The same origin as the owner's: it has the owner's tally.
    assert_eq!(volley(&mut bench, &mut others, "/login victim guess1"), 4);
    bench.lines(&mut owner);
    owner.send("/login victim correct-horse\n");
    bench.wait_for(&mut owner, "try again in 10 s");
    // By SASL as well it is told that the password was not looked at.
    let mut early = bench.connect();
    early.send("CAP REQ :sasl\r\nNICK y\r\nUSER y 0 * :y\r\nAUTHENTICATE PLAIN\r\n");
    bench.wait_for(&mut early, "AUTHENTICATE +");
    early.send("AUTHENTICATE AHZpY3RpbQBjb3JyZWN0LWhvcnNl\r\n");
    bench.wait_for(&mut early, "SASL authentication failed: too many failed logins; try again in");
    let mut irc = bench.connect();
    irc.send("CAP REQ :sasl\r\nNICK x\r\nUSER x 0 * :x\r\nAUTHENTICATE SCRAM-SHA-256\r\n");
    bench.wait_for(&mut irc, "AUTHENTICATE +");
    irc.send("AUTHENTICATE biwsbj12aWN0aW0scj1hYmNkZWZnaA==\r\n"); // n,,n=victim,r=abcdefgh
    let lines = bench.wait_for(&mut irc, "AUTHENTICATE cj");
    assert!(!lines.concat().contains(" 904 "), "{lines:?}");
    bench.pass(Duration::from_secs(10));
    owner.send("/login victim correct-horse\n");
    bench.wait_for(&mut owner, "logged in");
}

#[test]
fn the_servers_password_is_guessed_at_as_slowly_as_any_other() {
    let mut bench = Bench::new(&["--password=open-sesame"]);
    let irc = "PASS guess\r\nNICK ada\r\nUSER ada 0 * :Ada\r\n";
    for _ in 0..20 {
        let mut client = bench.connect();
        client.send(irc);
        let rest = bench.wait_for_end(&mut client);
        assert!(rest.contains(" 464 ada :Password incorrect\r\nERROR "), "{rest}");
    }
    // The right one, too, is not looked at now.
    for password in ["guess", "open-sesame"] {
        let mut client = bench.connect();
        client.send(&irc.replace("guess", password));
        let rest = bench.wait_for_end(&mut client);
        assert!(rest.contains("Too many wrong passwords; try again in 10 s"), "{rest}");
        let mut plain = bench.connect();
        plain.send(&format!("hello\n/pass {password}\n"));
        let rest = bench.wait_for_end(&mut plain);
        assert!(rest.contains("too many wrong passwords; try again in 10 s"), "{rest}");
    }
    bench.pass(Duration::from_secs(10));
    let mut late = bench.connect();
    late.send("NICK ada\r\nUSER ada 0 * :Ada\r\n");
    bench.wait_for(&mut late, " 464 ada :This server requires a password");
    late.send("PASS open-sesame\r\n");
    bench.wait_for(&mut late, " 001 ada ");
    let mut plain = bench.connect();
    plain.send("hello\n /PASS  open-sesame\r\r\n");
    bench.wait_for(&mut plain, "connected as guest1");
}

#[test]
fn the_password_from_before_a_change_is_wrong_but_no_guess_and_others_are_logged_out() {
    let mut bench = Bench::new(&[]);
    let mut owner = bench.join("victim");
    owner.send("/register correct-horse\n");
    bench.wait_for(&mut owner, "account victim created");
    let mut irc = bench.connect();
    irc.send("CAP REQ :sasl\r\nNICK phone\r\nUSER x 0 * :x\r\nAUTHENTICATE PLAIN\r\n");
    bench.wait_for(&mut irc, "AUTHENTICATE +");
    irc.send("AUTHENTICATE AHZpY3RpbQBjb3JyZWN0LWhvcnNl\r\nCAP END\r\n");
    bench.wait_for(&mut irc, " 001 phone ");
    // The one that has the account's nick gives it up.
    owner.send("/nick desk\n");
    bench.wait_for(&mut owner, "you are now known as desk");
    irc.send("NICK victim\r\n");
    bench.wait_for(&mut irc, " NICK :victim");
    owner.send("/password correct-horse battery-staple\n");
    bench.wait_for(&mut owner, "password changed");
    let lines = bench.wait_for(&mut irc, " NICK ");
    assert!(lines.iter().any(|line| line.contains(" 901 ")), "{lines:?}");
    assert!(
        lines.last().unwrap().contains(":victim!") && lines.concat().contains("guest"),
        "{lines:?}"
    );
    irc.send("PING :still-here\r\n");
    bench.wait_for(&mut irc, "still-here");
    let mut late = bench.join("late");
    for _ in 0..10 {
        late.send("/login victim correct-horse\n");
        bench.wait_for(&mut late, "wrong name or password");
    }
    late.send("/login victim battery-staple\n");
    bench.wait_for(&mut late, "logged in as victim");
    late.send("/logout\n");
    // An hour later it is a guess like any other.
    bench.pass(Duration::from_secs(3_601));
    let mut others: Vec<Client> = (0..5).map(|n| bench.join(&format!("n{n}"))).collect();
    others.iter_mut().for_each(|client| drop(bench.lines(client)));
    assert_eq!(volley(&mut bench, &mut others, "/login victim correct-horse"), 4);
}

#[test]
fn passwords_are_not_checked_for_long_for_a_connection_that_broke() {
    let mut bench = Bench::new(&[]);
    let (mut owner, mut listener) = (bench.join("owner"), bench.join("listener"));
    let change = |n: usize| format!("/password word-number-{n} word-number-{}\n", n + 1);
    let changes: String = (0..20).map(change).collect();
    owner.send(&format!("/help\n/register word-number-0\n{changes}"));
    for _ in 0..5 {
        bench.turn();
    }
    drop(owner); // with an answer unread, which makes it a reset
    bench.pass(Duration::from_secs(3));
    bench.wait_for(&mut listener, "owner quit");
    listener.send("/login owner word-number-20\n");
    bench.wait_for(&mut listener, "wrong");
}
