//! What IRC clients are told of the past and of each other, over real sockets: history, times,
//! several lines, reactions, other names for rooms.

#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking, as tests do

#[allow(unused_macros)]
mod common;

use common::{Client, Server};

/// Long enough for the slowest machine: here clients speak first.
const PATIENT: &str = "--greeting-delay=10000";

fn server(flags: &[&str]) -> Server {
    Server::start(&[&[PATIENT, "--name=irc.example.org", "--network=Test"], flags].concat())
}

/// A line without its CR.
fn line(client: &mut Client) -> String {
    let line = client.line();
    line.strip_suffix('\r').unwrap_or_else(|| panic!("{line:?} has no CR")).to_owned()
}

/// Sends lines, and what answers them: everything up to the answer to a PING.
fn ask(client: &mut Client, lines: &str) -> Vec<String> {
    client.send(format!("{}\r\nPING :fence\r\n", lines.replace('\n', "\r\n")));
    let mut answers = Vec::new();
    loop {
        let line = line(client);
        if line == ":irc.example.org PONG irc.example.org :fence" {
            return answers;
        }
        answers.push(line);
    }
}

/// A client that is in, with these capabilities.
fn irc(server: &Server, nick: &str, capabilities: &str) -> Client {
    let mut client = Client::connect(server.address);
    let negotiation = match capabilities {
        "" => String::new(),
        capabilities => format!("CAP REQ :{capabilities}\nCAP END\n"),
    };
    let welcome = ask(&mut client, &format!("{negotiation}NICK {nick}\nUSER {nick} 0 * :{nick}"));
    assert!(welcome.iter().any(|line| line.contains(&format!(" 001 {nick} "))), "{welcome:?}");
    client
}

/// A plain client that is in under a name.
fn plain(server: &Server, nick: &str) -> Client {
    let mut client = Client::connect(server.address);
    client.send(format!("/nick {nick}\n"));
    until(&mut client, &format!("* you are {nick} now"));
    client
}

/// Everything up to this line.
fn until(client: &mut Client, last: &str) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let line = client.line();
        if line == last {
            return lines;
        }
        lines.push(line);
    }
}

/// A tag of a line; `None` if it has none of that name.
fn tag<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let (tags, _) = line.strip_prefix('@')?.split_once(' ')?;
    let pairs = tags.split(';').map(|tag| tag.split_once('=').unwrap_or((tag, "")));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}

/// A line without its tags.
fn body(line: &str) -> &str {
    line.strip_prefix('@').and_then(|line| line.split_once(' ')).map_or(line, |(_, body)| body)
}

fn bodies(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| body(line)).collect()
}

#[test]
fn everything_that_happens_has_a_time_and_an_id() {
    let server = server(&[]);
    let caps = "server-time message-tags away-notify account-notify echo-message";
    let mut ada = irc(&server, "ada", caps);
    let joined = ask(&mut ada, "JOIN #room");
    let mut bob = irc(&server, "bob", caps);
    ask(&mut bob, "JOIN #room\nAWAY :tea\nNICK rob\nTOPIC #room :x\nPART #room :bye");
    let heard = ask(&mut ada, "MODE #room -t");
    let mut heard: Vec<&String> = heard.iter().chain(&joined[..1]).collect();
    assert_eq!(heard.len(), 6, "{heard:?}");
    heard.sort_by_key(|line| tag(line, "msgid").unwrap().parse::<u64>().unwrap());
    for pair in heard.windows(2) {
        assert_ne!(tag(pair[0], "msgid"), tag(pair[1], "msgid"));
        assert!(tag(pair[0], "time") <= tag(pair[1], "time"));
    }
    // What answers a question happens to nobody.
    assert!(ask(&mut ada, "TOPIC #room").iter().all(|line| line.starts_with(":irc.example.org ")));
}

#[test]
fn the_past_names_who_said_it_and_keeps_their_tags() {
    let server = server(&[]);
    let caps = "server-time message-tags batch draft/chathistory echo-message";
    let mut ada = irc(&server, "ada", caps);
    ask(&mut ada, "JOIN #room");
    let said = ask(&mut ada, "@+draft/reply=77;+x=y PRIVMSG #room :hello");
    let mut bob = plain(&server, "bob");
    bob.send(format!("/join #room\n/re 1 {}\n", "long ".repeat(200).trim_end()));
    let answer: Vec<String> = (0..4).map(|_| line(&mut ada)).collect();
    assert!(tag(&answer[1], "+reply").is_some() && tag(&answer[1], "+draft/reply").is_some());
    let past = ask(&mut ada, "CHATHISTORY LATEST #room * 9");
    assert_eq!(past.len(), 6, "{past:?}");
    // As they were heard, but for the batch they are in.
    let heard: Vec<String> = said.iter().chain(&answer[1..]).cloned().collect();
    for (past, heard) in past[1..].iter().zip(&heard) {
        assert_eq!(past, &format!("@batch=history;{}", heard.strip_prefix('@').unwrap()));
    }
}
