//! A small IRC server in the test's own hands. It can be one of 1993, which knows no CAP, no tags
//! and no ISUPPORT, or have what a test gives it.

use crate::line_server::{LineServer, Peer};
use std::io::{ErrorKind, Write};
use std::time::Duration;

pub struct IrcPeer {
    peer: Peer,
    /// What the client calls itself.
    pub nick: String,
}

/// Accepts a client.
pub fn accept(server: &LineServer) -> IrcPeer {
    IrcPeer { peer: server.accept(), nick: String::new() }
}

impl IrcPeer {
    /// Says lines, parted by `|`.
    pub fn say(&mut self, lines: &str) {
        let lines: Vec<&str> = lines.split('|').collect();
        self.peer.say(&(lines.join("\r\n") + "\r\n"));
    }

    /// The next line, whatever it is.
    pub fn hear_any(&mut self) -> Option<String> {
        self.peer.hear().map(|line| line.strip_suffix('\r').expect("CR LF").to_owned())
    }

    /// The next line that is no PING; those are answered.
    pub fn hear(&mut self) -> Option<String> {
        loop {
            let line = self.hear_any()?;
            match line.strip_prefix("PING ") {
                Some(token) => self.say(&format!(":srv PONG srv {token}")),
                None => return Some(line),
            }
        }
    }

    /// Receives these lines.
    pub fn expect(&mut self, lines: &[&str]) {
        for expected in lines {
            assert_eq!(self.hear().as_deref(), Some(*expected));
        }
    }

    /// Lets someone in who sends `CAP`, `NICK`, `USER`: with no word about CAP if there are no
    /// capabilities, as old servers do.
    pub fn let_in(&mut self, capabilities: &str) {
        self.expect(&["CAP LS 302"]);
        self.nick = self.hear().unwrap().strip_prefix("NICK ").unwrap().to_owned();
        assert!(self.hear().unwrap().starts_with("USER "));
        let nick = self.nick.clone();
        if !capabilities.is_empty() {
            self.say(&format!(":srv CAP * LS :{capabilities}"));
            let request = self.hear().unwrap();
            self.say(&format!(":srv {}", request.replace("CAP REQ", "CAP * ACK")));
            self.expect(&["CAP END"]);
        }
        self.say(&format!(":srv 001 {nick} :Welcome|:srv 005 {nick} CHATHISTORY=50 :are supported|:srv 422 {nick} :no"));
    }

    /// The client enters a room, in which bob is.
    pub fn enter(&mut self, room: &str) {
        assert_eq!(self.hear().unwrap().split(' ').take(2).collect::<Vec<_>>(), ["JOIN", room]);
        let nick = self.nick.clone();
        self.say(&format!(
            ":{nick}!u@host JOIN {room}|:srv 353 {nick} = {room} :{nick} @bob|:srv 366 {nick} {room} :end"
        ));
    }

    /// Sends this again and again, and reads nothing: how much the client has taken when it takes no
    /// more for a while, or when that is all.
    pub fn push(&mut self, line: &str, most: usize) -> usize {
        let mut stream = self.peer.stream();
        stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        let (lines, mut taken) = (format!("{line}\r\n").repeat(100), 0);
        while taken < most {
            match stream.write(lines.as_bytes()) {
                Ok(count) => taken += count,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        taken
    }

    pub fn end(&mut self) {
        self.peer.end();
    }

    pub fn reset(self) {
        self.peer.reset();
    }
}
