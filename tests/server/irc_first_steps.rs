//! What users of other servers try first: a protocol by itself, services, modes, and names that are not theirs.

use crate::common::{Client, Server};
use crate::irc::{ask, irc, line, server};
use std::time::Duration;

#[test]
fn a_server_of_one_protocol_takes_every_first_line_for_it() {
    let irc_only =
        Server::start(&["--protocol=irc", "--name=irc.example.org", "--greeting-delay=0"]);
    let mut ada = Client::connect(irc_only.address);
    ada.send("JOIN #x\r\n");
    assert_eq!(line(&mut ada), ":irc.example.org 451 * :You have not registered");
    ada.send("hello\r\nnick ada\r\nuser ada 0 * :Ada\r\n");
    assert_eq!(line(&mut ada), ":irc.example.org 421 * hello :Unknown command");
    assert!(line(&mut ada).contains(" 001 ada "));
    let _silent = Client::connect(irc_only.address);
    while !ask(&mut ada, "LUSERS").iter().any(|line| line.contains(" 253 ada 1 ")) {}
    #[cfg(feature = "web")]
    {
        let mut browser = Client::connect(irc_only.address);
        browser.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(line(&mut browser).starts_with("HTTP/1.1 "));
    }

    let plain_only = Server::start(&["--protocol=plain", "--greeting-delay=60000"]);
    let mut bob = Client::connect(plain_only.address);
    bob.send("CAP LS 302\nNICK bob\n");
    assert!(bob.line().starts_with("* connected as guest1"));
    assert!(bob.line().starts_with("* not sent: this looks like IRC"));
}

#[test]
fn no_one_is_called_as_the_reader_or_as_a_service() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "");
    for nick in ["You", "me", "NickServ", "chanserv", "Guest7", "server"] {
        let text = format!(":irc.example.org 433 ada {nick} :Nickname is already in use");
        assert_eq!(ask(&mut ada, &format!("NICK {nick}")), [text]);
    }
    assert!(ask(&mut ada, "NICK menu")[0].ends_with(" NICK :menu"));
}

#[test]
fn services_are_part_of_the_server() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "");
    let help = ask(&mut ada, "PRIVMSG NickServ :help");
    assert!(
        help[0].starts_with(":irc.example.org NOTICE ada :NickServ is part of this server"),
        "{help:?}"
    );
    assert_eq!(ask(&mut ada, "NS whatever"), help);
    assert!(ask(&mut ada, "CS op #room")[0].contains("There is no ChanServ"));
    ada.send("NickServ REGISTER correct-horse ada@example.org\r\n");
    assert!(line(&mut ada).contains(" 900 ada ada!~ada@127.0.0.1 ada :"));
    // A guest may not keep the nick of an account.
    let weak = ask(&mut irc(&server, "bob", ""), "REGISTER * * abc");
    assert!(weak[0].contains(" FAIL REGISTER WEAK_PASSWORD bob "), "{weak:?}");
    let logout = ask(&mut ada, "PRIVMSG nickserv@services :LOGOUT");
    assert!(logout.iter().any(|line| line.contains(" 901 ")), "{logout:?}");
    ada.send("NS IDENTIFY ada wrong-horse\r\n");
    assert!(line(&mut ada).ends_with("wrong name or password"));
    ada.send("NS IDENTIFY ada correct-horse\r\n");
    assert!(line(&mut ada).contains(" 900 "));
}

#[test]
fn a_new_channel_has_the_modes_of_the_setting() {
    let server = server(&["--channel-modes=Cs"]);
    let mut ada = irc(&server, "ada", "");
    ask(&mut ada, "JOIN #room");
    assert_eq!(ask(&mut ada, "MODE #room")[0], ":irc.example.org 324 ada #room +Cs");
    // A request between clients, but no action, is kept out.
    let mut bob = irc(&server, "bob", "");
    ask(&mut bob, "JOIN #room");
    let refused = ":irc.example.org 404 bob #room :Cannot send to channel: it takes no CTCP";
    assert_eq!(ask(&mut bob, "PRIVMSG #room :\u{1}VERSION\u{1}"), [refused]);
    assert_eq!(ask(&mut bob, "NOTICE #room :\u{1}VERSION x\u{1}").len(), 0);
    ask(&mut bob, "PRIVMSG #room :\u{1}ACTION waves\u{1}");
    assert!(line(&mut ada).ends_with(" JOIN #room"));
    assert!(line(&mut ada).ends_with(" PRIVMSG #room :\u{1}ACTION waves\u{1}"));
}

#[test]
fn an_address_is_banned_in_whatever_way_it_is_spelt() {
    let server = server(&[]);
    let mut ada = irc(&server, "ada", "");
    ask(&mut ada, "JOIN #room\nMODE #room +b *!*@2001:DB8:0:0::1");
    assert_eq!(ask(&mut ada, "MODE #room +b *!*@2001:db8::1").len(), 0);
    let list = ask(&mut ada, "MODE #room b");
    assert!(list.len() == 2 && list[0].contains(" #room *!*@2001:db8::1 ada "), "{list:?}");
    // The lobby is older than any record, and not of 1970.
    assert_eq!(ask(&mut ada, "MODE #lobby"), [":irc.example.org 324 ada #lobby +nt"]);
    assert_eq!(ask(&mut ada, "NAMES ,"), [":irc.example.org 461 ada NAMES :Not enough parameters"]);
}

#[test]
fn a_plain_reader_sees_no_codes_of_irc() {
    let server = Server::start(&["--greeting-delay=150", "--name=irc.example.org"]);
    let mut bob = Client::connect(server.address);
    let welcome = bob.line();
    let nick = welcome.split([' ', ',']).nth(3).unwrap();
    let mut ada = irc(&server, "ada", "");
    ada.send(format!(
        "PRIVMSG {nick} :\u{1}PING 17\u{1}\r\nPRIVMSG {nick} :\u{2}so\u{2}\u{3}04,1!\r\n"
    ));
    assert_eq!(bob.line(), "[ada -> you]: (CTCP) PING 17");
    assert_eq!(bob.line(), "[ada -> you]: so!");
    assert_eq!(ada.line_within(Duration::from_millis(1)), None);
}
