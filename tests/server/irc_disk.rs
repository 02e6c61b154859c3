//! Which command does an answer belong to, if the journal is on disk and answers later?

use crate::common::{Client, Server, scratch::Scratch};
use crate::irc::{self, ask_bare as ask};

fn start(scratch: &Scratch) -> Server {
    irc::server(&["--data", scratch.path()])
}

fn irc(server: &Server, nick: &str) -> Client {
    let mut client = Client::connect(server.address);
    let opening = "CAP REQ :batch labeled-response sasl draft/chathistory standard-replies";
    let told = ask(&mut client, &format!("{opening}\nNICK {nick}\nUSER u 0 * :u\nCAP END"));
    assert!(told.iter().any(|line| line.starts_with("001 ")), "{told:?}");
    client
}

#[test]
fn what_follows_words_does_not_answer_under_their_label() {
    let scratch = Scratch::new("words");
    let server = start(&scratch);
    let mut ada = irc(&server, "ada");
    ask(&mut ada, "JOIN #room");
    let told = ask(&mut ada, "@label=1 PRIVMSG #room :one\nPRIVMSG #nowhere :two");
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "@label=1 ACK");
    assert!(told[1].starts_with("403 ada #nowhere "), "{told:?}");
}

#[test]
fn mail_is_no_answer_to_what_is_asked_meanwhile() {
    let scratch = Scratch::new("mail");
    let server = start(&scratch);
    let mut ada = irc(&server, "ada");
    ask(&mut ada, "REGISTER * * sesame");
    ada.send("QUIT\r\n");
    ada.rest();
    let mut bob = irc(&server, "bob");
    ask(&mut bob, "PRIVMSG ada :are you there?");
    let mut eve = irc(&server, "eve");
    // SASL PLAIN for `ada` with `sesame`.
    let login = "AUTHENTICATE PLAIN\nAUTHENTICATE AGFkYQBzZXNhbWU=";
    let mut told = ask(&mut eve, &format!("{login}\n@label=1 CHATHISTORY LATEST bob * 9"));
    // Another thread reads the mail: it may come before the answer or after it.
    let is_mail = |line: &String| line.starts_with(":bob!");
    while !told.iter().any(is_mail) {
        told.push(irc::line(&mut eve));
    }
    assert!(told.iter().find(|line| is_mail(line)).unwrap().ends_with(":are you there?"));
    let answer = told.iter().position(|line| line.starts_with("@label=1 BATCH +history "));
    assert!(answer.is_some(), "{told:?}");
}

#[test]
fn a_question_that_the_journal_cannot_answer_is_over() {
    let scratch = Scratch::new("failed");
    let server = start(&scratch);
    let mut ada = irc(&server, "ada");
    ask(&mut ada, "JOIN #room\nPRIVMSG #room :one");
    let file = rusqlite::Connection::open(scratch.0.join("chatloop.db")).unwrap();
    file.execute_batch("ALTER TABLE message RENAME TO elsewhere").unwrap();
    let told = ask(&mut ada, "@label=1 CHATHISTORY LATEST #room * 9\nTOPIC #room");
    assert_eq!(told.len(), 2, "{told:?}");
    let failure =
        "@label=1 FAIL CHATHISTORY MESSAGE_ERROR LATEST #room :the database cannot answer: ";
    assert!(told[0].starts_with(failure), "{told:?}");
    assert_eq!(told[1], "331 ada #room :No topic is set");
}
